package origin

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// Room bounds the bytes that originals take while they are fetched, and after that while somebody holds
// them. A fetch enters with what it is about to read, at most preallocate bytes, and waits for that in
// order of arrival; what comes beyond is taken as it arrives, and the fetch is refused where there is no
// more: nobody waits who holds bytes, so no two fetches wait for each other. A single one is never
// refused. A slow origin that announces much takes little.
//
// A nil Room has no bound. It may be used concurrently and must not be copied.
type Room struct {
	Bytes int64         // 0 = no bound
	Wait  time.Duration // of a fetch that finds no room; 0 = as long as its source's timeout

	mu      sync.Mutex // guards what follows
	used    int64
	waiting list.List // of *guest
	refused uint64
}

// guest is one fetch in a Room.
type guest struct {
	room  *Room
	bytes int64         // taken, or waited for
	in    chan struct{} // closed once let in
}

// enter waits until there is room for n bytes.
func (r *Room) enter(ctx context.Context, n int64) (*guest, error) {
	g := &guest{room: r, bytes: n, in: make(chan struct{})}
	if r == nil {
		return g, nil
	}
	place := r.arrive(g)
	var late <-chan time.Time
	if r.Wait > 0 {
		timer := time.NewTimer(r.Wait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-g.in:
		return g, nil
	case <-ctx.Done():
	case <-late:
	}
	return g, r.turnAway(ctx, g, place)
}

func (r *Room) arrive(g *guest) *list.Element {
	r.mu.Lock()
	defer r.mu.Unlock()
	place := r.waiting.PushBack(g)
	r.letInLocked()
	return place
}

// turnAway takes g out of the queue, unless it was let in meanwhile.
func (r *Room) turnAway(ctx context.Context, g *guest, place *list.Element) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-g.in:
		return nil
	default:
	}
	g.bytes = 0
	r.waiting.Remove(place)
	r.letInLocked() // it may have stood before smaller ones
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	r.refused++
	return overloaded()
}

func (r *Room) letInLocked() {
	for first := r.waiting.Front(); first != nil; first = r.waiting.Front() {
		g := first.Value.(*guest)
		if !r.fitsLocked(g.bytes, 0) {
			return
		}
		r.used += g.bytes
		r.waiting.Remove(first)
		close(g.in)
	}
}

// fitsLocked reports whether n bytes more fit for one who has own bytes already.
func (r *Room) fitsLocked(n, own int64) bool {
	return r.Bytes <= 0 || r.used == own || r.used+n <= r.Bytes
}

// grow takes n bytes more at once, or refuses.
func (g *guest) grow(n int64) error {
	r := g.room
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.fitsLocked(n, g.bytes) {
		r.refused++
		return overloaded()
	}
	g.bytes += n
	r.used += n
	return nil
}

// leave gives back all that was taken.
func (g *guest) leave() {
	if g.room != nil {
		g.room.give(g.bytes)
	}
}

// Hold takes n bytes that are in memory already, whether there is room or not, until release: the next
// fetches wait the longer.
func (r *Room) Hold(n int64) (release func()) {
	if r == nil {
		return func() {}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used += n
	return sync.OnceFunc(func() { r.give(n) })
}

func (r *Room) give(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used -= n
	r.letInLocked()
}

// RoomStats is a snapshot of a Room.
type RoomStats struct {
	Used    int64  // bytes
	Waiting int    // fetches
	Refused uint64 // fetches
}

// Stats returns a snapshot; of a nil Room the zero value.
func (r *Room) Stats() RoomStats {
	if r == nil {
		return RoomStats{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return RoomStats{Used: r.used, Waiting: r.waiting.Len(), Refused: r.refused}
}

// overloaded is the refusal for want of room.
func overloaded() *Error {
	return &Error{Result: ResultOverloaded, Text: "too many originals are being fetched; try again", Wait: time.Second}
}
