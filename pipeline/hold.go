package pipeline

import (
	"sync"

	"github.com/imgedge/imgedge/origin"
)

// bodies counts who holds the bytes of each original, so that the room counts each body once, from before it
// comes until its last fill is over, wherever it came from and however many share it. The zero value is ready.
type bodies struct {
	mu   sync.Mutex // guards what follows
	held map[*byte]*body
}

// body is the bytes of one original in memory.
type body struct {
	holders int
	place   *origin.Place
}

// take counts in one who holds data, until drop. place is what data takes already, where nobody holds it yet; nil =
// nothing.
func (p *Pipeline) take(data []byte, place *origin.Place) {
	if len(data) == 0 {
		return
	}
	h := &p.bodies
	h.mu.Lock()
	defer h.mu.Unlock()
	b := h.held[&data[0]]
	if b == nil {
		if place == nil {
			place = p.Room.Hold(int64(cap(data)))
		}
		if h.held == nil {
			h.held = map[*byte]*body{}
		}
		b = &body{place: place}
		h.held[&data[0]] = b
	}
	b.holders++
}

// drop counts out one who held data.
func (p *Pipeline) drop(data []byte) {
	if len(data) == 0 {
		return
	}
	h := &p.bodies
	h.mu.Lock()
	defer h.mu.Unlock()
	b := h.held[&data[0]]
	if b.holders--; b.holders == 0 {
		delete(h.held, &data[0])
		b.place.Release()
	}
}
