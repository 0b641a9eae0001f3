package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Flight lets one caller's work serve all who ask for the same at once. The zero value works.
//
// Every call has one fill, in a goroutine of its own, and a count of waiters. All changes to a call
// happen under mu, and a call is in the map exactly from its beginning to its end. So at any time there
// is at most one fill for a key; whoever finds the call in the map is counted before it ends and sees its
// result through the closing of done, which comes after the result is written. When the count falls to 0,
// patience ends, for good. A fill that gives up because of that ends with an error of the kind
// context.Canceled; who joined in the meantime then begins anew: the call has left the map
// before done is closed, so the second round cannot find it again.
//
// Patience ends with the fill's time too. A fill that gives up because of that ends with an error of the
// kind context.DeadlineExceeded; who joined it later and so has waited for less than Timeout begins anew
// as well. That happens to a caller once at most, for the next such fill finds it has waited longer.
type Flight[T any] struct {
	Timeout    time.Duration // of a fill; 0 = none
	MaxWaiters int           // on one key, the first included; 0 = no bound

	mu     sync.Mutex
	calls  map[Hash]*flightCall[T]
	closed bool
	fills  sync.WaitGroup

	filled, collapsed, refused atomic.Uint64
	waiting                    atomic.Int64
}

type flightCall[T any] struct {
	waiters map[*waiter]struct{} // guarded by the flight's mu
	given   bool                 // nobody waited at some time; guarded by the flight's mu
	giveUp  context.CancelFunc   // ends patience
	done    chan struct{}        // closed after all below are written
	value   T
	err     error
	late    bool // err came because the fill's time was over
}

// waiter is one caller of Do that waits.
type waiter struct {
	gone func() bool // nil = it is there until it leaves
}

// FlightStats is a snapshot of a Flight.
type FlightStats struct {
	Fills     uint64 // begun
	Collapsed uint64 // callers that joined another's fill
	Refused   uint64 // callers over MaxWaiters
	Running   int    // fills now
	Waiting   int    // callers now
}

// Do returns what fill returns for key, running it once however many ask meanwhile; shared says that
// another caller began it. fill's ctx carries the first caller's values, outlives the callers and ends
// with Timeout. patience ends with it, and when the last waiter has left: fill heeds it only while it
// queues, and then returns patience's error; whoever joined in between, or has waited for less than
// Timeout, starts afresh. A caller leaves with its own ctx's error. A panic in fill is a *PanicError for all. ErrOverloaded: MaxWaiters wait already.
func (f *Flight[T]) Do(ctx context.Context, key Hash, fill func(ctx, patience context.Context) (T, error)) (v T, shared bool, err error) {
	came := time.Now()
	for {
		c, w, shared, err := f.join(ctx, key, fill)
		if err != nil {
			return v, false, err
		}
		if joined, _ := ctx.Value(joinKey{}).(func()); shared && joined != nil {
			joined()
		}
		select {
		case <-c.done:
			again := f.leave(c, w) && !w.hasGone() && errors.Is(c.err, context.Canceled)
			again = again || c.late && shared && time.Since(came) < f.Timeout
			if again && ctx.Err() == nil {
				continue
			}
			return c.value, shared, c.err
		case <-ctx.Done():
			f.leave(c, w)
			return v, shared, ctx.Err()
		}
	}
}

// join finds the key's call or begins one.
func (f *Flight[T]) join(ctx context.Context, key Hash, fill func(ctx, patience context.Context) (T, error)) (c *flightCall[T], w *waiter, shared bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w = waiterOf(ctx)
	if c := f.calls[key]; c != nil {
		if f.MaxWaiters > 0 && len(c.waiters) >= f.MaxWaiters {
			f.refused.Add(1)
			return nil, nil, false, ErrOverloaded
		}
		f.waiting.Add(1)
		c.waiters[w] = struct{}{}
		f.collapsed.Add(1)
		return c, w, true, nil
	}
	if f.closed {
		return nil, nil, false, ErrClosed
	}
	if f.calls == nil {
		f.calls = map[Hash]*flightCall[T]{}
	}
	f.waiting.Add(1)
	c = &flightCall[T]{waiters: map[*waiter]struct{}{w: {}}, done: make(chan struct{})}
	ctx, end := context.WithoutCancel(ctx), context.CancelFunc(func() {})
	if f.Timeout > 0 {
		ctx, end = context.WithTimeout(ctx, f.Timeout)
	}
	patience, giveUp := context.WithCancel(ctx)
	c.giveUp = giveUp
	patience = context.WithValue(patience, awaitedKey{}, func() bool { return f.awaited(c) })
	f.calls[key] = c
	f.filled.Add(1)
	f.fills.Go(func() {
		defer end()
		f.run(ctx, patience, key, c, fill)
	})
	return c, w, false, nil
}

// leave counts a waiter out; again says that the call was given up by all at some time.
func (f *Flight[T]) leave(c *flightCall[T], w *waiter) (again bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	again = c.given
	delete(c.waiters, w)
	f.waiting.Add(-1)
	if len(c.waiters) == 0 {
		c.given = true
		c.giveUp()
	}
	return again
}

func (f *Flight[T]) run(ctx, patience context.Context, key Hash, c *flightCall[T], fill func(ctx, patience context.Context) (T, error)) {
	defer c.giveUp()
	c.err = &PanicError{Value: "fill ended its goroutine"} // stands if it calls runtime.Goexit
	defer func() {
		if v := recover(); v != nil {
			c.err = &PanicError{Value: fmt.Sprint(v), Stack: debug.Stack()}
		}
		f.mu.Lock()
		delete(f.calls, key)
		f.mu.Unlock()
		close(c.done)
	}()
	c.value, c.err = fill(ctx, patience)
	c.late = ctx.Err() != nil && errors.Is(c.err, context.DeadlineExceeded)
}

// Close refuses new fills and waits for those that run. Twice is fine.
func (f *Flight[T]) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.fills.Wait()
	return nil
}

// Stats returns a snapshot.
func (f *Flight[T]) Stats() FlightStats {
	f.mu.Lock()
	running := len(f.calls)
	f.mu.Unlock()
	return FlightStats{
		Fills: f.filled.Load(), Collapsed: f.collapsed.Load(), Refused: f.refused.Load(),
		Running: running, Waiting: int(f.waiting.Load()),
	}
}
