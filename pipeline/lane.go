package pipeline

import "time"

// Lane is a class of renders at the gate. Answers from a cache have none: they pass no gate.
type Lane uint8

// The lanes. Somebody waits for what is in the first two; Gate.Lane tells them apart.
const (
	LaneSmall Lane = iota // needs at most a quarter of the gate's memory, as nearly all pictures do
	LaneHuge              // needs more
	LaneBatch             // the rest of a ladder, warming, presets, jobs: nobody looks at an empty page
	laneKinds             // how many there are
)

// hugeShare says which part of the memory one small picture needs at most. What is left to small ones when
// the others have taken theirs is this same part, so there is always room for any one of them; a smaller
// part would call ordinary photographs huge (a 24 MP progressive JPEG needs about 150 MB).
const hugeShare = 4

// maxOvertakes is how many small pictures pass a huge one that waits for memory before they are held
// back. They are through in the time that one huge one takes; without a bound they never end.
const maxOvertakes = 8

// quietTime is how long nobody has to come before batch work takes the slot that is kept free for them.
// Whoever comes then waits for one picture to be done; those who come within it of each other do not. With
// one second, of visitors who come four times a second one in fifty would wait, and the p99 of all with it.
const quietTime = 5 * time.Second

// String returns the name, which is the label in metrics.
func (l Lane) String() string { return [laneKinds]string{"small", "huge", "batch"}[l] }

// Lanes returns all lanes.
func Lanes() [laneKinds]Lane { return [laneKinds]Lane{LaneSmall, LaneHuge, LaneBatch} }

// long reports whether the lane's pictures may keep their slots for long.
func (l Lane) long() bool { return l != LaneSmall }

// Lane returns where a picture that somebody waits for belongs by the bytes it needs.
func (g *Gate) Lane(memory int64) Lane {
	if g.Memory > 0 && memory > g.Memory/hugeShare {
		return LaneHuge
	}
	return LaneSmall
}

// LaneStats is a snapshot of one lane.
type LaneStats struct {
	Busy     int           // renders under way
	Waiting  int           // renders queued
	Reserved int64         // bytes
	Mean     time.Duration // of the latest renders, from slot to slot; 0 = none yet
}

// Refusal says why the gate or the room for originals let nobody in.
type Refusal uint8

// The reasons.
const (
	RefusedFull      Refusal = iota // as many wait as may
	RefusedPredicted                // so many are ahead that it would have waited too long
	RefusedLate                     // it has waited too long
	RefusedOriginals                // the originals at hand take all the bytes there are for them
	refusalKinds                    // how many there are
)

// String returns the name, which is the label in metrics.
func (r Refusal) String() string {
	return [refusalKinds]string{"full", "predicted", "late", "originals"}[r]
}

// Refusals counts by reason.
type Refusals [refusalKinds]uint64
