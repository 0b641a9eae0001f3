package pipeline

import (
	"sync/atomic"

	"github.com/imgedge/imgedge/resize"
)

// Work is one finished render, for whoever counts.
type Work struct {
	Source        string
	Format        resize.Format
	Lane          Lane
	OriginalBytes int
	Bytes         int
	Timing        Timing
}

// Stats is a snapshot of what a Pipeline has done since it began.
type Stats struct {
	Renders       uint64 // pictures made
	Revalidated   uint64 // stale pictures confirmed by the origin without a render
	Fetches       uint64 // asked of origins, conditional or not
	CollapsedNode uint64 // requests that waited for another's work on this node
	StaleServed   uint64 // stale copies served because making them anew failed
	Refreshes     uint64 // begun behind an answer
	RefreshErrors uint64 // of those, failed
	Abandoned     uint64 // renders not begun, because all who had asked were gone
	Gate          GateStats
}

type counters struct {
	renders, revalidated, fetches, collapsedNode, staleServed, refreshes, refreshErrors, abandoned atomic.Uint64
}

// Stats returns a snapshot.
func (p *Pipeline) Stats() Stats {
	c := &p.stats
	gate := p.Gate.Stats()
	gate.Refused[RefusedOriginals] = p.Room.Stats().Refused
	return Stats{
		Renders: c.renders.Load(), Revalidated: c.revalidated.Load(), Fetches: c.fetches.Load(),
		CollapsedNode: c.collapsedNode.Load(),
		StaleServed:   c.staleServed.Load(), Refreshes: c.refreshes.Load(), RefreshErrors: c.refreshErrors.Load(),
		Abandoned: c.abandoned.Load(),
		Gate:      gate,
	}
}
