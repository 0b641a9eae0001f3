package origin

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/sony/gobreaker/v2"
)

const (
	maxTries   = 3                      // of one fetch, the first included
	firstPause = 100 * time.Millisecond // mean before the second try, full jitter: 0–200 ms; doubled before the third
)

// fetch is one call of Source.Fetch.
type fetch struct {
	*Source
	key   string
	cond  Conditions
	peer  *peer
	asks  *asks
	hasty bool   // the caller gives less than half of Timeout: lateness says little about the origin
	tries int    // so far
	last  *Error // of the latest try
}

// run asks, if the breaker lets it, and reports to the breaker how the whole fetch ended: were each
// try counted, retries would make a few failures look like an outage. What the request has asked this server
// too often for is not asked at all, which says nothing about the server.
func (f *fetch) run(ctx context.Context) (*Original, *Error) {
	if !f.asks.left() {
		return nil, failed(errAskedEnough)
	}
	orig, err := f.peer.breaker.Execute(func() (*Original, error) {
		orig, e := f.untilDone(ctx)
		if e != nil {
			return nil, e
		}
		return orig, nil
	})
	var e *Error
	switch {
	case err == nil:
		return orig, nil
	case errors.As(err, &e):
		return nil, e
	default: // gobreaker's own
		return nil, breakerOpen(err)
	}
}

// untilDone tries until there is an answer, an error that another try cannot mend, or no time left.
func (f *fetch) untilDone(ctx context.Context) (*Original, *Error) {
	pauses := &backoff.ExponentialBackOff{
		InitialInterval: firstPause, RandomizationFactor: 1, Multiplier: 2, MaxInterval: time.Second,
	}
	orig, err := backoff.Retry(ctx, func() (*Original, error) { return f.try(ctx) },
		backoff.WithBackOff(pauses), backoff.WithMaxTries(maxTries), backoff.WithMaxElapsedTime(timeLeft(ctx)))
	if err == nil {
		return orig, nil
	}
	if errors.Is(context.Cause(ctx), context.Canceled) { // during a pause
		return nil, canceled(context.Cause(ctx))
	}
	return nil, f.last
}

// try asks once. Its error tells backoff.Retry how to go on; f.last is the one to answer with.
func (f *fetch) try(ctx context.Context) (*Original, error) {
	f.tries++
	f.asks.take()
	orig, begun, err := f.read(ctx, f.key, f.cond)
	if err == nil {
		return orig, nil
	}
	f.last = explain(ctx, err, f.hasty)
	switch {
	case begun || !f.mayRetry(ctx):
		return nil, backoff.Permanent(f.last)
	case f.last.Wait > 0:
		return nil, &backoff.RetryAfterError{Duration: f.last.Wait + jitter(f.last.Wait)}
	default:
		return nil, f.last
	}
}

// jitter is by how much later than the origin says it is asked again: up to a quarter, and 200 ms, so that not
// all who were sent away come back at the same moment.
func jitter(wait time.Duration) time.Duration {
	return rand.N(wait/4 + 2*firstPause) //nolint:gosec // nothing secret
}

// mayRetry reports whether another try makes sense, and pays for it.
func (f *fetch) mayRetry(ctx context.Context) bool {
	return f.last.Result == ResultFailed && f.tries < maxTries && f.asks.left() && f.last.Wait < timeLeft(ctx) &&
		f.peer.breaker.State() != gobreaker.StateOpen && f.peer.withdraw()
}

// timeLeft is at least 1 ns, for 0 means no limit to backoff.
func timeLeft(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline() // Fetch always sets one
	return max(time.Until(deadline), 1)
}
