package pipeline

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Gate admits renders: at most Slots at once, whose estimated memory together stays within Memory.
// Those that do not fit wait in order of arrival, at most Queue of them and each at most Wait; whoever
// finds the queue full or waits too long is refused with ErrOverloaded. The first in the queue is
// never overtaken, so a large picture is not starved by small ones.
//
// A Gate may be used concurrently and must not be copied.
type Gate struct {
	Slots  int           // renders at once; 0 = 1
	Memory int64         // bytes reserved at once; 0 = no limit
	Queue  int           // waiting renders; 0 = none may wait
	Wait   time.Duration // patience of each; 0 = as long as its context

	refusedFull atomic.Uint64
	refusedLate atomic.Uint64

	mu       sync.Mutex // guards what follows
	busy     int
	reserved int64
	waiting  list.List // of *ticket
}

type ticket struct {
	memory int64
	ready  chan struct{} // closed when admitted
}

// GateStats is a snapshot of a Gate.
type GateStats struct {
	Busy        int    // renders under way
	Reserved    int64  // bytes reserved
	Waiting     int    // renders queued
	RefusedFull uint64 // refused because the queue was full
	RefusedLate uint64 // refused because the wait was too long
}

// Enter waits for a slot and memory bytes, and returns the function that gives both back. The error
// is ErrOverloaded, or the context's own if that ended first.
func (g *Gate) Enter(ctx context.Context, memory int64) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g.mu.Lock()
	if g.waiting.Len() == 0 && g.fitsLocked(memory) {
		g.takeLocked(memory)
		g.mu.Unlock()
		return g.leaver(memory), nil
	}
	if g.waiting.Len() >= g.Queue {
		g.mu.Unlock()
		g.refusedFull.Add(1)
		return nil, ErrOverloaded
	}
	t := &ticket{memory: memory, ready: make(chan struct{})}
	place := g.waiting.PushBack(t)
	g.mu.Unlock()

	var late <-chan time.Time
	if g.Wait > 0 {
		timer := time.NewTimer(g.Wait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-t.ready:
		return g.leaver(memory), nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-late:
		err = ErrOverloaded
		g.refusedLate.Add(1)
	}
	g.withdraw(t, place)
	return nil, err
}

// withdraw takes a ticket out of the queue; if it was admitted meanwhile, its share is given back.
func (g *Gate) withdraw(t *ticket, place *list.Element) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-t.ready:
		g.giveLocked(t.memory)
	default:
		g.waiting.Remove(place)
	}
	g.admitLocked()
}

func (g *Gate) leaver(memory int64) func() {
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.giveLocked(memory)
		g.admitLocked()
	})
}

func (g *Gate) fitsLocked(memory int64) bool {
	if g.busy >= max(g.Slots, 1) {
		return false
	}
	// A picture above the whole budget is refused by its plan; if one comes all the same it runs alone.
	return g.Memory <= 0 || g.busy == 0 || g.reserved+memory <= g.Memory
}

func (g *Gate) takeLocked(memory int64) {
	g.busy++
	g.reserved += memory
}

func (g *Gate) giveLocked(memory int64) {
	g.busy--
	g.reserved -= memory
}

func (g *Gate) admitLocked() {
	for first := g.waiting.Front(); first != nil; first = g.waiting.Front() {
		t := first.Value.(*ticket)
		if !g.fitsLocked(t.memory) {
			return
		}
		g.takeLocked(t.memory)
		g.waiting.Remove(first)
		close(t.ready)
	}
}

// Stats returns a snapshot.
func (g *Gate) Stats() GateStats {
	g.mu.Lock()
	defer g.mu.Unlock()
	return GateStats{
		Busy: g.busy, Reserved: g.reserved, Waiting: g.waiting.Len(),
		RefusedFull: g.refusedFull.Load(), RefusedLate: g.refusedLate.Load(),
	}
}
