package pipeline

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Gate admits renders: at most Slots at once, whose estimated memory together stays within Memory. What
// does not fit waits in its Lane.
//
// Among those that somebody waits for, the first that came is the first admitted. Where it does not fit,
// which happens to huge ones, small ones pass it: any number while other long work is in its way, and
// maxOvertakes while small ones are; then they are held back until it is in. Huge and batch work together
// leaves one slot and a quarter of the memory to small ones (of a single slot nothing can be left; and
// what alone needs more than three quarters takes what it needs). Batch work is admitted only while
// nothing else waits; it has the last slot too once nothing else has come for quietTime, so that a machine
// that nobody looks at works with all it has.
//
// Those that somebody waits for are refused with ErrOverloaded at once when the queue is full or when
// those ahead, each taking as long as the latest ones did, would keep them longer than Wait; and later
// when they have in fact waited that long. Batch work has a queue of the same length for itself and waits
// as long as its context.
//
// A Gate may be used concurrently and must not be copied.
type Gate struct {
	Slots  int           // renders at once; 0 = 1
	Memory int64         // bytes reserved at once; 0 = no limit
	Queue  int           // waiting renders, at most half of them huge; 0 = none may wait
	Wait   time.Duration // patience of each; 0 = as long as its context

	mu      sync.Mutex // guards what follows
	lanes   [laneKinds]lane
	arrived uint64 // tickets so far
	refused Refusals
	visited time.Time   // when the last came that somebody waits for
	quiet   *time.Timer // lets batch work in when nobody has come; nil = not needed yet
}

// lane is the state of a Lane.
type lane struct {
	busy     int
	reserved int64
	waiting  list.List     // of *ticket, in order of arrival
	mean     time.Duration // of the latest renders
}

type ticket struct {
	lane      Lane
	memory    int64
	number    uint64        // order of arrival
	place     *list.Element // in its lane; nil once admitted
	overtaken int           // by small ones while they alone were in its way
	ready     chan struct{} // closed when admitted
	began     time.Time     // when admitted
}

// GateStats is a snapshot of a Gate.
type GateStats struct {
	Busy     int   // renders under way
	Reserved int64 // bytes
	Waiting  int   // renders queued
	Lanes    [laneKinds]LaneStats
	Refused  Refusals
}

// Enter waits for a slot and memory bytes, and returns the function that gives both back. A picture above
// the whole budget is refused by its plan; if one comes all the same it runs alone. The error is of the
// kind ErrOverloaded, or the context's own if that ended first: nobody enters after that.
func (g *Gate) Enter(ctx context.Context, l Lane, memory int64) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t, err := g.arrive(l, memory)
	if err != nil {
		return nil, err
	}
	if err := g.await(ctx, t); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() { g.leave(t) }), nil
}

// arrive queues a ticket, which may be admitted at once, or refuses it.
func (g *Gate) arrive(l Lane, memory int64) (*ticket, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.arrived++
	if l != LaneBatch {
		g.visited = time.Now()
	}
	t := &ticket{lane: l, memory: memory, number: g.arrived, ready: make(chan struct{})}
	t.place = g.lanes[l].waiting.PushBack(t)
	g.admitLocked()
	if t.place == nil {
		return t, nil
	}
	why, refused := g.hopelessLocked(l)
	if !refused {
		return t, nil
	}
	err := g.overloadLocked(l, why)
	g.lanes[l].waiting.Remove(t.place) // as if it had not come: nobody was admitted because of it
	return nil, err
}

// await waits until t is admitted; else it takes t out of the queue.
func (g *Gate) await(ctx context.Context, t *ticket) error {
	var late <-chan time.Time
	if g.Wait > 0 && t.lane != LaneBatch {
		timer := time.NewTimer(g.Wait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-t.ready:
		if ctx.Err() == nil {
			return nil
		}
	case <-ctx.Done():
	case <-late:
	}
	return g.withdraw(ctx, t)
}

// withdraw takes t out of the queue, or gives back its share if it was admitted meanwhile. Either may let
// others in.
func (g *Gate) withdraw(ctx context.Context, t *ticket) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := ctx.Err()
	switch {
	case t.place == nil && err == nil:
		return nil // admitted in the last moment
	case t.place == nil:
		g.giveLocked(t)
	default:
		if err == nil {
			err = g.overloadLocked(t.lane, RefusedLate)
		}
		g.lanes[t.lane].waiting.Remove(t.place)
	}
	g.admitLocked()
	return err
}

// leave ends a render.
func (g *Gate) leave(t *ticket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lanes[t.lane].note(time.Since(t.began))
	g.giveLocked(t)
	g.admitLocked()
}

// admitLocked lets in whoever can be. It runs after every change, so at no time does somebody wait who
// could be in.
func (g *Gate) admitLocked() {
	for t := g.nextLocked(); t != nil; t = g.nextLocked() {
		l := &g.lanes[t.lane]
		l.waiting.Remove(t.place)
		l.busy++
		l.reserved += t.memory
		t.place, t.began = nil, time.Now()
		close(t.ready)
	}
	g.wakeLocked()
}

// wakeLocked sees to it that batch work which waits for quiet is looked at again.
func (g *Gate) wakeLocked() {
	if busy, _ := g.takenLocked(LaneSmall, LaneHuge, LaneBatch); g.lanes[LaneBatch].first() == nil || busy >= g.slots() {
		return
	}
	left := quietTime - time.Since(g.visited)
	switch {
	case left <= 0: // it waits for something else
	case g.quiet == nil:
		g.quiet = time.AfterFunc(left, func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.admitLocked()
		})
	default:
		g.quiet.Reset(left)
	}
}

func (g *Gate) giveLocked(t *ticket) {
	g.lanes[t.lane].busy--
	g.lanes[t.lane].reserved -= t.memory
}

// nextLocked returns who is to be let in now; nil = nobody.
func (g *Gate) nextLocked() *ticket {
	small, huge, batch := g.lanes[LaneSmall].first(), g.lanes[LaneHuge].first(), g.lanes[LaneBatch].first()
	switch {
	case small == nil && huge == nil:
		return g.fittingLocked(batch)
	case huge == nil || small != nil && small.number < huge.number:
		return g.fittingLocked(small)
	case g.fittingLocked(huge) != nil:
		return huge
	case !g.longFitsLocked(huge):
		return g.fittingLocked(small)
	case huge.overtaken >= maxOvertakes || g.fittingLocked(small) == nil:
		return nil
	}
	huge.overtaken++
	return small
}

// fittingLocked returns t if there is room for it.
func (g *Gate) fittingLocked(t *ticket) *ticket {
	if t == nil || t.lane.long() && !g.longFitsLocked(t) {
		return nil
	}
	busy, reserved := g.takenLocked(LaneSmall, LaneHuge, LaneBatch)
	if busy >= g.slots() || g.Memory > 0 && busy > 0 && reserved+t.memory > g.Memory {
		return nil
	}
	return t
}

// longFitsLocked reports whether other long work leaves room for t.
func (g *Gate) longFitsLocked(t *ticket) bool {
	busy, reserved := g.takenLocked(LaneHuge, LaneBatch)
	slots := g.longSlots()
	if t.lane == LaneBatch && time.Since(g.visited) >= quietTime {
		slots = g.slots()
	}
	return busy < slots && (g.Memory <= 0 || busy == 0 || reserved+t.memory <= g.Memory-g.Memory/hugeShare)
}

func (g *Gate) takenLocked(lanes ...Lane) (busy int, reserved int64) {
	for _, l := range lanes {
		busy += g.lanes[l].busy
		reserved += g.lanes[l].reserved
	}
	return busy, reserved
}

func (g *Gate) slots() int     { return max(g.Slots, 1) }
func (g *Gate) longSlots() int { return max(g.Slots-1, 1) }

// first returns who waits longest; nil = nobody waits.
func (l *lane) first() *ticket {
	if e := l.waiting.Front(); e != nil {
		return e.Value.(*ticket)
	}
	return nil
}

// Stats returns a snapshot.
func (g *Gate) Stats() GateStats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := GateStats{Refused: g.refused}
	for i := range g.lanes {
		l := &g.lanes[i]
		s.Lanes[i] = LaneStats{Busy: l.busy, Waiting: l.waiting.Len(), Reserved: l.reserved, Mean: l.mean}
		s.Busy += l.busy
		s.Reserved += l.reserved
		s.Waiting += l.waiting.Len()
	}
	return s
}
