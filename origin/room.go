package origin

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// Room bounds the bytes that originals take while they come, and after that while somebody holds them. Who
// fetches enters with what is about to come, at most preallocate bytes, and waits for that in order of
// arrival; what comes beyond is taken as it arrives, and the fetch is refused where there is no more. A single
// one is never refused. A slow origin that announces much takes little.
//
// Nobody waits for room that only they themselves can give back: who holds an original and needs another
// (see Holding) goes first, and one such at a time is let in beyond Bytes, for as long as it keeps its place.
// The others that wait like this wait for that one, which waits for none of them.
//
// A nil Room has no bound. It may be used concurrently and must not be copied.
type Room struct {
	Bytes int64         // 0 = no bound
	Wait  time.Duration // of who finds no room; 0 = as long as the context

	mu      sync.Mutex // guards what follows, and all places
	used    int64
	waiting list.List // of *Place
	laden   list.List // of *Place: their callers hold originals
	debtor  *Place    // was let in beyond Bytes; nil = nobody
	refused uint64
}

// Place is what one original takes of a Room.
type Place struct {
	room  *Room
	laden bool          // the caller holds an original
	wants int64         // bytes to enter with
	bytes int64         // taken
	in    chan struct{} // closed once let in
}

type holdingKey struct{}

// Holding returns a context for fetches, and for Enter, of a caller that holds an original already.
func Holding(ctx context.Context) context.Context { return context.WithValue(ctx, holdingKey{}, true) }

// Holds reports whether a context is one of Holding's.
func Holds(ctx context.Context) bool { return ctx.Value(holdingKey{}) != nil }

// Enter waits until there is room for n bytes, which are taken until Release. The error is the context's, or
// an *Error of ResultOverloaded.
func (r *Room) Enter(ctx context.Context, n int64) (*Place, error) {
	if r == nil {
		return nil, nil //nolint:nilnil // a nil Place takes nothing
	}
	p := &Place{room: r, laden: Holds(ctx), wants: n, in: make(chan struct{})}
	spot := r.arrive(p)
	var late <-chan time.Time
	if r.Wait > 0 {
		timer := time.NewTimer(r.Wait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-p.in:
		return p, nil
	case <-ctx.Done():
	case <-late:
	}
	return p, r.turnAway(ctx, p, spot)
}

// queue is where p waits.
func (r *Room) queue(p *Place) *list.List {
	if p.laden {
		return &r.laden
	}
	return &r.waiting
}

func (r *Room) arrive(p *Place) *list.Element {
	r.mu.Lock()
	defer r.mu.Unlock()
	spot := r.queue(p).PushBack(p)
	r.letInLocked()
	return spot
}

// turnAway takes p out of the queue, unless it was let in meanwhile.
func (r *Room) turnAway(ctx context.Context, p *Place, spot *list.Element) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-p.in:
		return nil
	default:
	}
	r.queue(p).Remove(spot)
	r.letInLocked() // it may have stood before smaller ones
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	r.refused++
	return overloaded()
}

// letInLocked lets in who can be: those that hold something first, for they are the nearer to giving it back.
func (r *Room) letInLocked() {
	for _, queue := range []*list.List{&r.laden, &r.waiting} {
		for first := queue.Front(); first != nil; first = queue.Front() {
			p := first.Value.(*Place)
			if !r.takeLocked(p, p.wants) {
				return
			}
			queue.Remove(first)
			close(p.in)
		}
	}
}

// takeLocked gives p so many bytes more, if it may have them.
func (r *Room) takeLocked(p *Place, n int64) bool {
	switch {
	case r.Bytes <= 0, r.used == p.bytes, r.used+n <= r.Bytes:
	case p.laden && (r.debtor == nil || r.debtor == p):
		r.debtor = p
	default:
		return false
	}
	p.bytes += n
	r.used += n
	return true
}

// grow takes n bytes more at once, or refuses.
func (p *Place) grow(n int64) error {
	if p == nil {
		return nil
	}
	r := p.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.takeLocked(p, n) {
		r.refused++
		return overloaded()
	}
	return nil
}

// shrink gives back what is beyond n bytes.
func (p *Place) shrink(n int64) {
	if p == nil {
		return
	}
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	p.giveLocked(max(0, p.bytes-n))
}

// Release gives back all that was taken. Twice is fine; a nil Place has nothing.
func (p *Place) Release() {
	if p == nil {
		return
	}
	r := p.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.debtor == p {
		r.debtor = nil
	}
	p.giveLocked(p.bytes)
}

func (p *Place) giveLocked(n int64) {
	r := p.room
	p.bytes -= n
	r.used -= n
	if r.used <= r.Bytes {
		r.debtor = nil
	}
	r.letInLocked()
}

// Hold takes n bytes that are in memory already, whether there is room or not, until Release: the next
// fetches wait the longer.
func (r *Room) Hold(n int64) *Place {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used += n
	return &Place{room: r, bytes: n}
}

// Scarce reports whether more than half of the bytes is taken: then nothing is to be held that nobody waits for.
func (r *Room) Scarce() bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Bytes > 0 && r.used > r.Bytes/2
}

// RoomStats is a snapshot of a Room.
type RoomStats struct {
	Used    int64  // bytes
	Waiting int    // who wants to enter
	Refused uint64 // who did not get room
}

// Stats returns a snapshot; of a nil Room the zero value.
func (r *Room) Stats() RoomStats {
	if r == nil {
		return RoomStats{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return RoomStats{Used: r.used, Waiting: r.waiting.Len() + r.laden.Len(), Refused: r.refused}
}

// overloaded is the refusal for want of room.
func overloaded() *Error {
	return &Error{Result: ResultOverloaded, Text: "too many originals are being fetched; try again", Wait: time.Second}
}
