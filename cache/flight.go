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
// Every call has one fill, in a goroutine of its own, and a count of waiters. (A look before it runs in the
// goroutine of the caller that began the call and waits throughout.) All changes to a call
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

	// Take and Drop count who has a value, for values that have to be given back: a fill without an error returns
	// one that is taken once. It is dropped when the fill has ended and nobody waits for it any more, and until
	// then taken once more for each caller that gets it, to be dropped by that one. nil = values are not counted.
	Take, Drop func(v T)

	mu     sync.Mutex
	calls  map[Hash]*flightCall[T]
	closed bool
	fills  sync.WaitGroup

	filled, collapsed, refused atomic.Uint64
	waiting                    atomic.Int64
}

type flightCall[T any] struct {
	waiters []*waiter          // guarded by the flight's mu
	given   bool               // nobody waited at some time; guarded by the flight's mu
	over    bool               // it has left the map; guarded by the flight's mu
	giveUp  context.CancelFunc // ends patience; nil until the fill begins; guarded by the flight's mu
	done    chan struct{}      // closed after all below are written
	value   T
	err     error
	late    bool // err came because the fill's time was over
}

// waiter is one caller of Do that waits.
type waiter struct {
	gone func() bool // nil = it is there until it leaves
	seat int         // its place among the call's waiters; guarded by the flight's mu
}

// addLocked counts a waiter in.
func (c *flightCall[T]) addLocked(w *waiter) {
	w.seat = len(c.waiters)
	c.waiters = append(c.waiters, w)
}

// removeLocked counts a waiter out; the last takes its seat.
func (c *flightCall[T]) removeLocked(w *waiter) {
	end := len(c.waiters) - 1
	last := c.waiters[end]
	c.waiters[w.seat], last.seat = last, w.seat
	c.waiters[end] = nil
	c.waiters = c.waiters[:end]
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
	return f.DoAfter(ctx, key, nil, fill)
}

// DoAfter is Do with a look before each fill, which spares it where it returns true. look runs in the goroutine of
// the caller that begins: it must be quick, as that caller cannot leave meanwhile. Its ctx carries that
// caller's values and does not end. nil = none.
func (f *Flight[T]) DoAfter(ctx context.Context, key Hash, look func(ctx context.Context) (T, bool), fill func(ctx, patience context.Context) (T, error)) (v T, shared bool, err error) {
	came := time.Now()
	for {
		c, w, shared, err := f.join(ctx, key)
		if err != nil {
			return v, false, err
		}
		if !shared {
			f.begin(ctx, key, c, look, fill)
		} else if joined, _ := ctx.Value(joinKey{}).(func()); joined != nil {
			joined()
		}
		if !c.ended() {
			select {
			case <-c.done:
			case <-ctx.Done():
				f.leave(c, w)
				return v, shared, ctx.Err()
			}
		}
		if f.Take != nil && c.err == nil {
			f.Take(c.value)
		}
		again := f.leave(c, w) && !w.hasGone() && errors.Is(c.err, context.Canceled)
		again = again || c.late && shared && time.Since(came) < f.Timeout
		if !again || ctx.Err() != nil {
			return c.value, shared, c.err
		}
	}
}

// ended says that the outcome is there: then nobody has to wait for it, nor to ask ctx for its end.
func (c *flightCall[T]) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// join finds the key's call, or enters one that is to be begun.
func (f *Flight[T]) join(ctx context.Context, key Hash) (c *flightCall[T], w *waiter, shared bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w = waiterOf(ctx)
	if c := f.calls[key]; c != nil {
		if f.MaxWaiters > 0 && len(c.waiters) >= f.MaxWaiters {
			f.refused.Add(1)
			return nil, nil, false, ErrOverloaded
		}
		f.waiting.Add(1)
		c.addLocked(w)
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
	c = &flightCall[T]{done: make(chan struct{})}
	c.addLocked(w)
	f.calls[key] = c
	f.filled.Add(1)
	f.fills.Add(1)
	return c, w, false, nil
}

// begin looks, and starts the fill where nothing was found. Until it returns its caller counts as waiting.
func (f *Flight[T]) begin(ctx context.Context, key Hash, c *flightCall[T], look func(ctx context.Context) (T, bool), fill func(ctx, patience context.Context) (T, error)) {
	ctx = context.WithoutCancel(ctx)
	if look != nil && f.look(ctx, key, c, look) {
		return
	}
	ctx = fillContext{ctx}
	end := context.CancelFunc(func() {})
	if f.Timeout > 0 {
		ctx, end = context.WithTimeout(ctx, f.Timeout)
	}
	patience, giveUp := context.WithCancel(ctx)
	patience = context.WithValue(patience, awaitedKey{}, func() bool { return f.awaited(c) })
	f.mu.Lock()
	c.giveUp = giveUp
	f.mu.Unlock()
	go func() {
		defer end()
		defer giveUp()
		f.run(key, c, func() bool {
			c.value, c.err = fill(ctx, patience)
			c.late = ctx.Err() != nil && errors.Is(c.err, context.DeadlineExceeded)
			return true
		})
	}()
}

// leave counts a waiter out; again says that the call was given up by all at some time.
func (f *Flight[T]) leave(c *flightCall[T], w *waiter) (again bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	again = c.given
	c.removeLocked(w)
	f.waiting.Add(-1)
	if len(c.waiters) == 0 {
		c.given = true
		if c.giveUp != nil {
			c.giveUp()
		}
	}
	f.settleLocked(c)
	return again
}

// settleLocked drops the value of a call that is over. That happens once: nobody comes to such a call.
func (f *Flight[T]) settleLocked(c *flightCall[T]) {
	if f.Drop != nil && c.over && len(c.waiters) == 0 && c.err == nil {
		f.Drop(c.value)
	}
}

// look reports whether the call has ended.
func (f *Flight[T]) look(ctx context.Context, key Hash, c *flightCall[T], look func(ctx context.Context) (T, bool)) bool {
	return f.run(key, c, func() (found bool) {
		c.value, found = look(ctx)
		c.err = nil
		return found
	})
}

// run does work, and ends the call if work returns true or does not return.
func (f *Flight[T]) run(key Hash, c *flightCall[T], work func() bool) (ended bool) {
	c.err = &PanicError{Value: "fill ended its goroutine"} // stands if it calls runtime.Goexit
	ended = true
	defer func() {
		if v := recover(); v != nil {
			c.err = &PanicError{Value: fmt.Sprint(v), Stack: debug.Stack()}
		}
		if !ended {
			return
		}
		f.mu.Lock()
		delete(f.calls, key)
		c.over = true
		f.settleLocked(c)
		f.mu.Unlock()
		close(c.done)
		f.fills.Done()
	}()
	ended = work()
	return ended
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
