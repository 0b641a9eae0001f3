package edge

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imgedge/imgedge/cache"
)

// RateLimit bounds what one client may ask for on the public listener: so much at once, and so much in each
// window. A client is an address (of IPv6, the /64), behind a trusted proxy the one it names; calls of /v1
// with a token count for the token. A trusted proxy's own requests are not counted.
type RateLimit struct {
	Requests   int           // pictures from wherever, refused ones, and calls of /v1; 0 = unlimited
	Renders    int           // pictures that are neither in memory nor in Redis nor under way; 0 = unlimited
	Window     time.Duration // of both; 1 ms or more where one of them is set
	TokensOnly bool          // count calls with a token alone
}

// RateCounter counts what clients do over the whole fleet; cache.Rates is the real one. Calls may overlap.
// An error means that the fleet cannot be asked now: this node then counts for itself.
type RateCounter interface {
	// Take counts an event of who, unless that passes the rate: then wait says when it will not. lead is
	// how far who is ahead of an even pace.
	Take(ctx context.Context, who string, rate cache.Rate) (wait, lead time.Duration, err error)
	// Spend counts n events that have happened.
	Spend(ctx context.Context, who string, rate cache.Rate, n int) (lead time.Duration, err error)
}

var _ RateCounter = (*cache.Rates)(nil)

// limited is what is counted for each client.
type limited uint8

const (
	limitRequests limited = iota
	limitRenders
	limits
)

// String returns the name in metrics and in Redis.
func (l limited) String() string { return [limits]string{"requests", "renders"}[l] }

// spender is whom something counts for: an address' network or a token.
type spender struct {
	what  limited
	from  netip.Prefix
	token string // name; "" = by from
}

// name is the spender's in Redis, where it is hashed.
func (c spender) name() string {
	if c.token != "" {
		return c.what.String() + " token " + c.token
	}
	return c.what.String() + " " + c.from.String()
}

// rate returns what the site allows; false = anything.
func (l RateLimit) rate(what limited) (cache.Rate, bool) {
	events := l.Requests
	if what == limitRenders {
		events = l.Renders
	}
	return cache.Rate{Events: events, Window: l.Window}, events > 0
}

// limiter counts what clients do on this node and shares it with the fleet. Requests are judged here alone,
// so that no hit waits for Redis, and told to the fleet every shareEvery; what others have counted
// comes back with that. Renders are judged by the fleet, for a render takes longer than asking.
type limiter struct {
	fleet RateCounter // nil = this node alone
	now   func() time.Time

	local   cells
	refused [limits]atomic.Uint64

	once sync.Once
	due  chan due      // clients with something to tell; those that find it full tell it with their next
	stop chan struct{} // closed, never sent on
	done sync.WaitGroup
}

// due is a client with something to tell the fleet.
type due struct {
	spender
	rate cache.Rate
}

const (
	shareEvery = 100 * time.Millisecond
	shareQueue = 4096 // clients in one round
)

func newLimiter(fleet RateCounter, now func() time.Time) *limiter {
	return &limiter{fleet: fleet, now: now, due: make(chan due, shareQueue), stop: make(chan struct{})}
}

// take counts one event, or says how long the client has to wait; 0 = it is counted.
func (l *limiter) take(c spender, rate cache.Rate) (wait time.Duration) {
	wait, tell := l.local.take(c, rate, l.now(), l.fleet != nil)
	if tell {
		select {
		case l.due <- due{c, rate}:
		default:
			l.local.change(c, func(one *cell) { one.queued = false }) // the next event tells again
		}
	}
	return l.counted(c, wait)
}

// ask is take for what the fleet judges. What this node refuses by itself the fleet would refuse too.
func (l *limiter) ask(ctx context.Context, c spender, rate cache.Rate) (wait time.Duration) {
	wait, _ = l.local.take(c, rate, l.now(), false)
	if wait == 0 && l.fleet != nil {
		w, lead, err := l.fleet.Take(ctx, c.name(), rate)
		if err == nil {
			wait = w
			l.local.lead(c, l.now(), lead)
		}
	}
	return l.counted(c, wait)
}

func (l *limiter) counted(c spender, wait time.Duration) time.Duration {
	if wait > 0 {
		l.refused[c.what].Add(1)
	}
	return wait
}

// start begins to tell the fleet; close ends it.
func (l *limiter) start() {
	if l.fleet == nil {
		return
	}
	l.once.Do(func() { l.done.Go(l.share) })
}

// close waits for start's goroutine. It may be called once.
func (l *limiter) close() {
	close(l.stop)
	l.done.Wait()
}

// share tells the fleet what clients did, in rounds.
func (l *limiter) share() {
	for {
		select {
		case first := <-l.due:
			l.tell(first)
		case <-l.stop:
			return
		}
		for range len(l.due) {
			l.tell(<-l.due)
		}
		select {
		case <-time.After(shareEvery):
		case <-l.stop:
			return
		}
	}
}

// tell shares one client's events. Where that fails they stay counted on this node.
func (l *limiter) tell(d due) {
	n := 0
	l.local.change(d.spender, func(one *cell) {
		n, one.pending, one.queued = one.pending, 0, false
	})
	if n == 0 {
		return // forgotten meanwhile
	}
	if lead, err := l.fleet.Spend(context.Background(), d.name(), d.rate, n); err == nil {
		l.local.lead(d.spender, l.now(), lead)
	}
}

// tooMany is the refusal of a client that has to wait.
func tooMany(what limited, rate cache.Rate, wait time.Duration) error {
	noun := "requests"
	if what == limitRenders {
		noun = "pictures to be made"
	}
	return problem{
		status: http.StatusTooManyRequests, code: "rate_limited", retry: wait,
		text: fmt.Sprintf("more than %d %s in %v", rate.Events, noun, rate.Window),
	}
}

// limitRequest counts a request; the error is a 429. token is the name of a call's token, "" without one.
func (x *exchange) limitRequest(token string) error {
	limit := &x.state.site.RateLimit
	rate, on := limit.rate(limitRequests)
	if !on {
		return nil
	}
	c, counts := x.counted(limitRequests, token)
	if !counts {
		return nil
	}
	if wait := x.server.limiter.take(c, rate); wait > 0 {
		return tooMany(limitRequests, rate, wait)
	}
	return nil
}

// limitRender returns what is to be asked before a picture is made for the client; nil = nothing.
func (x *exchange) limitRender() func(context.Context) error {
	rate, on := x.state.site.RateLimit.rate(limitRenders)
	if !on {
		return nil
	}
	c, counts := x.counted(limitRenders, "")
	if !counts {
		return nil
	}
	l := x.server.limiter
	return func(ctx context.Context) error {
		if wait := l.ask(ctx, c, rate); wait > 0 {
			return tooMany(limitRenders, rate, wait)
		}
		return nil
	}
}

// counted returns whom a request counts for; false = for nobody.
func (x *exchange) counted(what limited, token string) (spender, bool) {
	if token != "" {
		return spender{what: what, token: token}, true
	}
	site := x.state.site
	if site.RateLimit.TokensOnly {
		return spender{}, false
	}
	ip := x.client()
	if !ip.IsValid() || contains(site.TrustProxies, ip) {
		return spender{}, false
	}
	return spender{what: what, from: clientNet(ip)}, true
}
