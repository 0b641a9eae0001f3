package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"
)

const (
	defaultTimeout = 50 * time.Millisecond // of one call
	openFor        = 500 * time.Millisecond
	tripWindow     = 10 * time.Second
)

// op names what Redis was asked for, in FleetStats.
type op int

const (
	opLoad op = iota
	opSet
	opDelete
	opTag
	opLease
	opPoll
	opVerify
	opPurge
	opPing
	opRate
	opAnswer
	opTurn
	opCount
)

func (o op) String() string {
	return [opCount]string{"load", "set", "delete", "tag", "lease", "poll", "verify", "purge", "ping", "rate", "answer", "turn"}[o]
}

// Fleet is what the nodes share: one Redis, reached with short timeouts and through a breaker, and one
// subscription to its push channel. A Fleet without a client is a node alone; all that is built on it
// then works locally. A Generations must follow it: its poll is what finds a lost Redis well again,
// so that no request has to try.
type Fleet struct {
	client  redis.UniversalClient // nil = alone
	timeout time.Duration
	breaker *gobreaker.CircuitBreaker[struct{}]
	open    atomic.Bool // the breaker is not closed
	errors  [opCount]atomic.Uint64

	mu     sync.Mutex
	onPush func(message string)                // of a Generations
	wakers map[Hash]map[chan struct{}]struct{} // of Leases: who waits for an entry
	stop   context.CancelFunc                  // of the subscription
	done   sync.WaitGroup
}

// FleetStats counts what went wrong with Redis.
type FleetStats struct {
	Errors map[string]uint64 // by op: load set delete tag lease poll verify purge ping rate answer turn
	Open   bool              // Redis is left alone until it answers a poll again
}

// NewFleet returns the fleet behind client; nil = this node alone. timeout bounds each call; 0 = 50 ms.
// The caller closes the client after the Fleet.
func NewFleet(client redis.UniversalClient, timeout time.Duration) *Fleet {
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	f := &Fleet{client: client, timeout: timeout, wakers: map[Hash]map[chan struct{}]struct{}{}}
	f.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Interval:      tripWindow,
		Timeout:       openFor,
		ReadyToTrip:   tripped,
		OnStateChange: func(_ string, _, to gobreaker.State) { f.open.Store(to != gobreaker.StateClosed) },
		IsSuccessful:  answered,
		IsExcluded:    func(err error) bool { return err != nil && errors.As(err, new(callerError)) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	f.stop = cancel
	if client != nil {
		f.done.Go(func() { f.follow(ctx) })
	}
	return f
}

// tripped opens the breaker after 4 failures in a row (a Redis that is gone costs the first callers
// 4 × timeout at most), or when half of at least 20 calls fail (one that is too slow now and then).
func tripped(c gobreaker.Counts) bool {
	return c.ConsecutiveFailures >= 4 || c.Requests >= 20 && c.TotalFailures*2 >= c.Requests
}

// answered says that Redis replied, if only with an error: LOADING, OOM, READONLY and their like come
// at once, so that asking costs nothing; the breaker is for those who keep us waiting.
func answered(err error) bool {
	if err == nil {
		return true
	}
	var reply redis.Error
	return errors.As(err, &reply)
}

// callerError is an error that came because the caller's own context ended; it says nothing about Redis.
type callerError struct{ error }

// call runs fn with the fleet's timeout, unless the breaker is open. redis.Nil is no failure.
func (f *Fleet) call(ctx context.Context, o op, fn func(ctx context.Context) error) error {
	return f.callFor(ctx, o, f.timeout, fn)
}

// callPatiently is call with four times the patience: for what nobody waits for, or waits for gladly.
func (f *Fleet) callPatiently(ctx context.Context, o op, fn func(ctx context.Context) error) error {
	return f.callFor(ctx, o, 4*f.timeout, fn)
}

func (f *Fleet) callFor(ctx context.Context, o op, timeout time.Duration, fn func(ctx context.Context) error) error {
	if f.open.Load() {
		return ErrBreaker
	}
	return f.try(ctx, o, timeout, fn)
}

// try is call for the one who may find out whether Redis is well again.
func (f *Fleet) try(ctx context.Context, o op, timeout time.Duration, fn func(ctx context.Context) error) error {
	_, err := f.breaker.Execute(func() (struct{}, error) {
		c, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		err := caught(c, fn)
		if err != nil && ended(ctx) {
			err = callerError{err}
		}
		return struct{}{}, err
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests):
		return ErrBreaker
	}
	f.errors[o].Add(1)
	return fmt.Errorf("redis %s: %w", o, err)
}

// ended reports whether ctx is over, or will be as soon as its timer has run: the connection has the same deadline,
// which may come first.
func ended(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// caught runs fn; what the client library makes of garbage on the wire must not end the process.
func caught(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: fmt.Sprint(v), Stack: debug.Stack()}
		}
	}()
	return fn(ctx)
}

// Ping says whether Redis answers now; nil without a client.
func (f *Fleet) Ping(ctx context.Context) error {
	if f.client == nil {
		return nil
	}
	return f.call(ctx, opPing, func(ctx context.Context) error { return f.client.Ping(ctx).Err() })
}

// Stats returns a snapshot.
func (f *Fleet) Stats() FleetStats {
	s := FleetStats{Errors: make(map[string]uint64, opCount), Open: f.open.Load()}
	for o := range opCount {
		s.Errors[o.String()] = f.errors[o].Load()
	}
	return s
}

// Close ends the subscription. Twice is fine.
func (f *Fleet) Close() error {
	f.stop()
	f.done.Wait()
	return nil
}
