package resize

import (
	"cmp"
	"time"
)

// Limits bound what one request may cost. A zero field is no limit.
type Limits struct {
	SourcePixels    int   // stored px of one frame
	SourceSide      int   // stored px
	OutputSide      int   // output px
	OutputPixels    int   // output px²
	Frames          int   // frames kept of an animation
	AnimationPixels int   // frames × px of one frame
	Memory          int64 // bytes of decoded picture in flight; a plan above it is refused

	// EncodeBudget is the predicted CPU time of the encoder, all its tries together, above which a plan takes
	// a lower effort, and for f=auto and f=best another format. It refuses nothing.
	EncodeBudget time.Duration
}

// DefaultLimits returns the documented defaults (edge.example.yaml).
func DefaultLimits() Limits {
	return Limits{
		SourcePixels:    50_000_000,
		SourceSide:      16384,
		OutputSide:      16384,
		OutputPixels:    50_000_000,
		Frames:          500,
		AnimationPixels: 100_000_000,
		Memory:          512 << 20,
		EncodeBudget:    800 * time.Millisecond,
	}
}

// Override returns the limits with those of other that are not 0 in their place.
func (lim Limits) Override(other Limits) Limits {
	return Limits{
		SourcePixels:    cmp.Or(other.SourcePixels, lim.SourcePixels),
		SourceSide:      cmp.Or(other.SourceSide, lim.SourceSide),
		OutputSide:      cmp.Or(other.OutputSide, lim.OutputSide),
		OutputPixels:    cmp.Or(other.OutputPixels, lim.OutputPixels),
		Frames:          cmp.Or(other.Frames, lim.Frames),
		AnimationPixels: cmp.Or(other.AnimationPixels, lim.AnimationPixels),
		Memory:          cmp.Or(other.Memory, lim.Memory),
		EncodeBudget:    cmp.Or(other.EncodeBudget, lim.EncodeBudget),
	}
}
