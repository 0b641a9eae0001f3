package pipeline

import (
	"context"
	"slices"
	"sync"

	"github.com/imgedge/imgedge/cache"
)

// InBatch returns the request as it is made for later: its render takes the batch lane, and no other node
// waits for it. Whoever asks for the same picture meanwhile, and waits, joins the work, which then takes
// their lane.
func (r *Request) InBatch() *Request {
	own := *r
	own.batch = true
	return &own
}

// audience counts, for each picture that is being made, those who wait for it in person. The zero value is
// ready.
type audience struct {
	mu      sync.Mutex // guards what follows
	present map[cache.Hash]int
	calls   map[cache.Hash][]*call // made when somebody comes
}

// call ends the waiting alone of one fill. A picture has several fills where purges came between them.
type call struct{ end context.CancelFunc }

// enter counts somebody in until leave.
func (a *audience) enter(picture cache.Hash) (leave func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.present == nil {
		a.present = map[cache.Hash]int{}
	}
	a.present[picture]++
	for _, c := range a.calls[picture] {
		c.end()
	}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.present[picture]--; a.present[picture] == 0 {
			delete(a.present, picture)
		}
	}
}

// absent returns a context that ends when somebody waits for the picture, or with stop.
func (a *audience) absent(ctx context.Context, picture cache.Hash) (alone context.Context, stop func()) {
	alone, end := context.WithCancel(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.present[picture] > 0 {
		end()
	}
	if a.calls == nil {
		a.calls = map[cache.Hash][]*call{}
	}
	own := &call{end}
	a.calls[picture] = append(a.calls[picture], own)
	return alone, func() {
		end()
		a.mu.Lock()
		defer a.mu.Unlock()
		a.calls[picture] = slices.DeleteFunc(a.calls[picture], func(c *call) bool { return c == own })
		if len(a.calls[picture]) == 0 {
			delete(a.calls, picture)
		}
	}
}

// admit waits at the gate in the lane that the picture belongs to.
func (f *filling) admit(memory int64) (leave func(), l Lane, err error) {
	if f.r.batch {
		alone, stop := f.audience.absent(f.patience, f.r.Key.Variant)
		leave, err = f.Gate.Enter(alone, LaneBatch, memory)
		moved := err != nil && alone.Err() != nil && f.patience.Err() == nil
		stop()
		if !moved {
			return leave, LaneBatch, err
		}
	}
	l = f.Gate.Lane(memory)
	leave, err = f.Gate.Enter(f.patience, l, memory)
	return leave, l, err
}
