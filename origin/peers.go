package origin

import (
	"errors"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// The breaker opens when at least tripFailures of the fetches within breakerWindow failed and they were
// half of all or more; openFor later one fetch is let through.
const (
	tripFailures  = 10
	breakerWindow = 30 * time.Second
	openFor       = 5 * time.Second
)

// The budget allows retryBurst retries at once and one for every tenth fetch: a failing origin gets at
// most 10 % more work.
const (
	retryBurst = 10
	retryShare = 0.1
)

const maxPeers = 1024 // servers of an open source that are remembered

// peer is one server behind a source: its breaker and its retry budget.
type peer struct {
	breaker *gobreaker.CircuitBreaker[*Original]

	mu     sync.Mutex
	tokens float64 // retries left, at most retryBurst
}

func newPeer() *peer {
	return &peer{tokens: retryBurst, breaker: gobreaker.NewCircuitBreaker[*Original](gobreaker.Settings{
		Interval:     breakerWindow,
		BucketPeriod: breakerWindow / 6,
		Timeout:      openFor,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			return c.TotalFailures >= tripFailures && 2*c.TotalFailures >= c.Requests
		},
		IsSuccessful: func(err error) bool { return !resultOf(err).outage() },
		IsExcluded:   func(err error) bool { return resultOf(err) == ResultCanceled },
	})}
}

// deposit adds a fetch's share of a retry.
func (p *peer) deposit() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens = min(p.tokens+retryShare, retryBurst)
}

// withdraw takes one retry if there is one left.
func (p *peer) withdraw() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tokens < 1 {
		return false
	}
	p.tokens--
	return true
}

// peers holds a source's servers by name; the zero value is ready.
type peers struct {
	mu sync.Mutex
	m  map[string]*peer
}

func (ps *peers) get(name string) *peer {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p := ps.m[name]; p != nil {
		return p
	}
	if ps.m == nil {
		ps.m = make(map[string]*peer)
	}
	if len(ps.m) >= maxPeers {
		ps.forgetLocked()
	}
	p := newPeer()
	ps.m[name] = p
	return p
}

// forgetLocked drops the servers with nothing held against them, and some others if that makes too
// little room for this to be rare.
func (ps *peers) forgetLocked() {
	for name, p := range ps.m {
		if p.breaker.State() == gobreaker.StateClosed && p.breaker.Counts().TotalFailures == 0 {
			delete(ps.m, name)
		}
	}
	for name := range ps.m {
		if len(ps.m) < maxPeers*7/8 {
			return
		}
		delete(ps.m, name)
	}
}

// open counts the servers that are not trusted now.
func (ps *peers) open() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	n := 0
	for _, p := range ps.m {
		if p.breaker.State() != gobreaker.StateClosed {
			n++
		}
	}
	return n
}

// resultOf returns how a fetch that ended with err is counted.
func resultOf(err error) Result {
	var e *Error
	switch {
	case err == nil:
		return ResultOK
	case errors.As(err, &e):
		return e.Result
	default:
		return ResultFailed
	}
}
