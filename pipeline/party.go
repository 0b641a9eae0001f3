package pipeline

import (
	"bytes"
	"context"
	"sync"

	"github.com/imgedge/imgedge/resize"
)

// party is several pictures of one original that are to be made from one decode. Each is filled in a flight
// of its own, as if it had been asked for; where the fills come to their renders, they wait for one
// another, and one run makes what all of them need. Who finds its picture elsewhere, joins the work of
// others or fails leaves the party. Who is asked for in person goes ahead alone, in that person's lane.
type party struct {
	pipeline *Pipeline

	fetch sync.Once
	orig  *original
	err   error

	mu      sync.Mutex // guards what follows
	missing int        // members that have neither sat down nor left
	ready   chan struct{}
	seats   []*seat
	begun   bool               // seats do not change any more
	deserts context.CancelFunc // called when the last seat is left before the run; nil = not yet waiting
}

// seat is a picture that waits for the run.
type seat struct {
	data   []byte
	plan   resize.Plan
	done   chan struct{} // closed after what follows is written
	made   bool          // else it is to be made alone
	result resize.Result
}

// place is a member's place in a party.
type place struct {
	party *party
	leave func() // sitting down is leaving too; may be called again
}

// newParty returns a party of so many members. orig is the original in hand, or nil.
func (p *Pipeline) newParty(members int, orig *original) *party {
	y := &party{pipeline: p, missing: members, ready: make(chan struct{}), orig: orig}
	if orig != nil {
		y.fetch.Do(func() {})
	}
	return y
}

func (y *party) member() *place {
	return &place{party: y, leave: sync.OnceFunc(func() {
		y.mu.Lock()
		defer y.mu.Unlock()
		if y.missing--; y.missing == 0 {
			close(y.ready)
		}
	})}
}

// original returns the original that all members share, and that each of them holds: the first one fetches it.
func (y *party) original(ctx context.Context, f *filling) (*original, error) {
	first := false
	y.fetch.Do(func() {
		first = true
		y.orig, y.err = y.pipeline.original(ctx, f.r, f.gen, nil)
	})
	if !first && y.err == nil {
		y.pipeline.take(y.orig.Data, nil)
	}
	return y.orig, y.err
}

// render waits for the run. made is false where the picture has to be made alone; ctx ends the wait, unless
// the run has begun.
func (l *place) render(ctx context.Context, data []byte, plan resize.Plan) (result resize.Result, made bool) {
	s := &seat{data: data, plan: plan, done: make(chan struct{})}
	seated := l.party.sit(s)
	l.leave()
	if !seated {
		return resize.Result{}, false
	}
	select {
	case <-s.done:
	case <-ctx.Done():
		if l.party.rise(s) {
			return resize.Result{}, false
		}
		<-s.done
	}
	return s.result, s.made
}

func (y *party) sit(s *seat) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.begun || len(y.seats) > 0 && !bytes.Equal(s.data, y.seats[0].data) {
		return false
	}
	y.seats = append(y.seats, s)
	return true
}

// rise takes a seat out of the run; false where that has begun.
func (y *party) rise(s *seat) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.begun {
		return false
	}
	for i := range y.seats {
		if y.seats[i] == s {
			y.seats = append(y.seats[:i], y.seats[i+1:]...)
			break
		}
	}
	if len(y.seats) == 0 && y.deserts != nil {
		y.deserts()
	}
	return true
}

// run makes what the members need, once all have sat down or left. Where it cannot be made at once, or one of
// them is the trouble, each is sent on to be made alone.
func (y *party) run(ctx context.Context) {
	select {
	case <-y.ready:
	case <-ctx.Done():
	}
	leave := y.enter(ctx)
	seats := y.begin()
	defer func() {
		for _, s := range seats {
			close(s.done)
		}
	}()
	if leave == nil {
		return
	}
	defer leave()
	if len(seats) < 2 {
		return
	}
	results, err := y.pipeline.run(ctx, seats[0].data, plansOf(seats)...)
	if err != nil {
		return
	}
	for i, s := range seats {
		s.result, s.made = results[i], true
	}
}

// enter passes the gate for all; nil where they cannot pass together.
func (y *party) enter(ctx context.Context) (leave func()) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	y.mu.Lock()
	y.deserts = cancel
	plans := plansOf(y.seats)
	y.mu.Unlock()
	gate, memory := y.pipeline.Gate, resize.Together(plans...).Memory
	if len(plans) < 2 || gate.Memory > 0 && memory > gate.Memory {
		return nil
	}
	leave, err := gate.Enter(ctx, LaneBatch, memory)
	if err != nil {
		return nil
	}
	return leave
}

// begin ends the coming and going.
func (y *party) begin() []*seat {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.begun = true
	return y.seats
}

func plansOf(seats []*seat) []resize.Plan {
	plans := make([]resize.Plan, len(seats))
	for i, s := range seats {
		plans[i] = s.plan
	}
	return plans
}
