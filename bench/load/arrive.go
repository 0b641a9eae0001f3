package load

import (
	"context"
	"math/rand/v2"
	"time"
)

// arrive hands out the arrivals of a Poisson process until the phase ends. When all clients are busy it
// waits for one, and later arrivals keep the time they were meant to have: that is what makes a server's
// pause count for every request that came in it.
func (r *run) arrive(ctx context.Context) {
	defer close(r.arrivals)
	sleep := r.Sleep
	if sleep == nil {
		sleep = preciseSleep
	}
	dice := rand.New(rand.NewPCG(r.Seed, 1<<32))
	meant := r.start
	for n := int64(0); r.limit == 0 || n < r.limit; n++ {
		meant = meant.Add(time.Duration(dice.ExpFloat64() / r.Rate * float64(time.Second)))
		if meant.After(r.end) {
			return
		}
		waits := time.Now().Before(meant)
		sleep(ctx, meant)
		if ctx.Err() != nil {
			return
		}
		if waits {
			_ = r.late.RecordValue(micros(time.Since(meant))) // in range
		}
		r.arrivals <- meant
	}
}

// preciseSleep waits until a moment, or until ctx ends. Timers of the runtime may be a millisecond late,
// which is more than a hit takes, so the last stretch is slept in the kernel.
func preciseSleep(ctx context.Context, until time.Time) {
	const coarse = 3 * time.Millisecond
	if wait := time.Until(until); wait > coarse {
		timer := time.NewTimer(wait - coarse)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
	for wait := time.Until(until); wait > 0; wait = time.Until(until) {
		nanosleep(wait)
	}
}
