package edge

import (
	"context"
	"net"
	"sync"
	"time"
)

// visit is the context of a request for a picture that is not in memory: it ends when the answer is due or
// the client leaves. An answer from Redis is there before anybody has waited for either, so the clock, and
// the watch over the connection, start with the first call of Done.
type visit struct {
	conn net.Conn
	due  time.Time

	mu    sync.Mutex      // guards what follows
	begun context.Context //nolint:containedctx // the visit itself, since somebody waits for its end; nil = nobody has
	stop  func()          // ends the clock and the watch of begun
	over  bool            // left
}

var _ context.Context = (*visit)(nil)

// Deadline returns when the answer is due.
func (v *visit) Deadline() (time.Time, bool) { return v.due, true }

// Done returns a channel that is closed at the visit's end.
func (v *visit) Done() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.begun == nil {
		v.beginLocked()
	}
	return v.begun.Done()
}

func (v *visit) beginLocked() {
	ctx, cancel := context.WithDeadlineCause(context.Background(), v.due, errTooSlow)
	ctx, left := context.WithCancelCause(ctx)
	unwatch := func() {}
	if v.over {
		left(nil)
	} else {
		unwatch = watch(v.conn, func() { left(errClientGone) })
	}
	v.begun = ctx
	v.stop = func() {
		unwatch()
		left(nil)
		cancel()
	}
}

// Err returns why the visit has ended; nil = it has not.
func (v *visit) Err() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.begun != nil:
		return v.begun.Err()
	case v.over:
		return context.Canceled
	case !time.Now().Before(v.due):
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// Value finds what package context asks for, so that context.Cause tells why the visit has ended.
func (v *visit) Value(key any) any {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.begun == nil {
		return nil
	}
	return v.begun.Value(key)
}

// cause returns why the visit has ended, in words for the client; nil = it has not.
func (v *visit) cause() error {
	if err := context.Cause(v); err != context.DeadlineExceeded { //nolint:errorlint // exactly Err's own
		return err
	}
	return errTooSlow
}

// gone asks whether the client has left. It does not block.
func (v *visit) gone() bool { return gone(v.conn) }

// leave ends the visit; the connection is not touched any more. It is called once.
func (v *visit) leave() {
	v.mu.Lock()
	v.over = true
	stop := v.stop
	v.mu.Unlock()
	if stop != nil {
		stop() // waits for the watch, which asks nothing of the visit
	}
}
