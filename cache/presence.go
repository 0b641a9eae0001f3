package cache

import "context"

type (
	goneKey    struct{}
	awaitedKey struct{}
)

// WithGone returns a context for Flight.Do, whose caller can be asked whether it has gone without having
// left yet: a client that has closed its connection. gone must neither block nor call the flight. It is
// not called any more once Do has returned.
func WithGone(ctx context.Context, gone func() bool) context.Context {
	return context.WithValue(ctx, goneKey{}, gone)
}

// Awaited reports whether somebody still waits for the fill that was given patience. It asks those who
// can be asked; if all have gone, patience ends.
func Awaited(patience context.Context) bool {
	if patience.Err() != nil {
		return false
	}
	ask, ok := patience.Value(awaitedKey{}).(func() bool)
	return !ok || ask()
}

type joinKey struct{}

// OnJoin returns a context with which Flight.Do calls joined once it waits for work that another caller began.
func OnJoin(ctx context.Context, joined func()) context.Context {
	return context.WithValue(ctx, joinKey{}, joined)
}

// fillContext hides from the flights that a fill waits for what its first caller has said of itself.
type fillContext struct{ context.Context }

// Value implements context.Context.
func (c fillContext) Value(key any) any {
	switch key.(type) {
	case goneKey, joinKey:
		return nil
	default:
		return c.Context.Value(key)
	}
}

// waiterOf returns a new waiter for a caller of Do.
func waiterOf(ctx context.Context) *waiter {
	gone, _ := ctx.Value(goneKey{}).(func() bool)
	return &waiter{gone: gone}
}

func (w *waiter) hasGone() bool { return w.gone != nil && w.gone() }

// awaited looks for a waiter that is still there, and gives the call up if there is none.
func (f *Flight[T]) awaited(c *flightCall[T]) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range c.waiters {
		if !w.hasGone() {
			return true
		}
	}
	c.given = true
	c.giveUp()
	return false
}
