package sandbox

import (
	"maps"
	"slices"
)

// Stats is a snapshot of an engine.
type Stats struct {
	Workers  int               // ready, at work or not
	RSS      int64             // bytes resident in all of them, at most about a second old; what they share counts for each
	Restarts map[Reason]uint64 // workers replaced
	Poisoned uint64            // pictures that two workers died of
	Layers   []Layer           // in force in the worker started last
}

// Layer is one wall around a worker.
type Layer struct {
	Name string // processes, memory, no_new_privs, landlock, seccomp
	On   bool
	Note string // how far it reaches, or why it is not there
}

// Stats returns a snapshot.
func (e *Engine) Stats() Stats {
	p := e.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{Workers: len(p.alive), Restarts: maps.Clone(p.restarts), Poisoned: e.poisoned.Load(), Layers: slices.Clone(p.layers)}
	for w := range p.alive {
		s.RSS += w.rss.Load()
	}
	return s
}
