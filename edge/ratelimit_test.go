package edge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/imgedge/imgedge/cache"
)

// limitedSite is testSite with a limit, and a token.
func limitedSite(limit RateLimit) *Site {
	site := testSite()
	site.RateLimit = limit
	site.Tokens = []Token{{Name: "cms", Secret: "cms-cms-cms-cms-", Scopes: []Scope{ScopeSign}}, {Name: "app", Secret: "app-app-app-app-", Scopes: []Scope{ScopeSign}}}
	return site
}

const plenty = "/free/a.jpg?w=300&f=jpeg"

// wantLimited checks a refusal.
func (a answerOf) wantLimited(t *testing.T, after string) {
	t.Helper()
	a.expect(t, http.StatusTooManyRequests, "rate_limited")
	if got := a.Header.Get("Retry-After"); got != after {
		t.Errorf("Retry-After %q, want %q", got, after)
	}
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q, want no-store", got)
	}
}

// What was done within a long window does not outlast a reload that makes the window short.
func TestAShorterWindowHoldsAtOnce(t *testing.T) {
	var c cells
	who := spender{what: limitRequests, token: "cms"}
	now := newClock().now()
	c.take(who, cache.Rate{Events: 1, Window: time.Hour}, now, false)
	short := cache.Rate{Events: 1, Window: time.Second}
	if wait, _ := c.take(who, short, now, false); wait != time.Second {
		t.Errorf("wait %v, want the new window", wait)
	}
	if wait, _ := c.take(who, short, now.Add(time.Second), false); wait != 0 {
		t.Errorf("wait %v when it is over, want 0", wait)
	}
}

func TestRequestsAreLimited(t *testing.T) {
	at := newClock()
	r := start(t, &Server{Now: at.now, Pictures: held(picture("x", "image/jpeg"))}, limitedSite(RateLimit{Requests: 3, Window: 3 * time.Second}))
	for range 2 {
		for n := range 3 {
			if got := r.get(plenty).StatusCode; got != http.StatusOK {
				t.Errorf("request %d: %d, want 200", n+1, got)
			}
		}
		r.get(plenty).wantLimited(t, "1")
		r.get("/shop/a.jpg?w=1").wantLimited(t, "1") // unsigned: it is not even looked at
		for _, path := range []string{"/healthz", "/readyz"} {
			if got := r.get(path).StatusCode; got != http.StatusOK {
				t.Errorf("%s: %d, want 200", path, got)
			}
		}
		if got := r.do("POST", r.admin, "/v1/sign", `{}`).StatusCode; got == http.StatusTooManyRequests {
			t.Error("the admin listener is limited")
		}
		at.add(time.Second) // one more
		if got := r.get(plenty).StatusCode; got != http.StatusOK {
			t.Errorf("after a third of the window: %d, want 200", got)
		}
		r.get(plenty).wantLimited(t, "1")
		at.add(time.Minute) // three more, whatever the wait
	}
	if page := r.do("GET", r.admin, "/metrics", "").body; !strings.Contains(page, `imgedge_rate_limited_total{limit="requests"} 6`) {
		t.Error("/metrics does not count the 6 refusals")
	}
	r.Reload(testSite())
	for range 10 {
		if got := r.get(plenty).StatusCode; got != http.StatusOK {
			t.Fatalf("without a limit: %d, want 200", got)
		}
	}
}

// Whose address counts.
func TestWhoIsLimited(t *testing.T) {
	forwarded := func(text string) string { return "X-Forwarded-For: " + text }
	for _, tt := range []struct {
		name    string
		trusted string
		first   string
		second  string
		limited bool
	}{
		{"one client", "127.0.0.1/32", forwarded("203.0.113.1"), forwarded("203.0.113.1"), true},
		{"two clients", "127.0.0.1/32", forwarded("203.0.113.1"), forwarded("203.0.113.2"), false},
		{"what the client made up", "127.0.0.1/32", forwarded("198.51.100.1, 203.0.113.1"), forwarded("198.51.100.2, 203.0.113.1"), true},
		{"behind two proxies", "127.0.0.1/32 192.0.2.0/24", forwarded("203.0.113.1, 192.0.2.7"), forwarded("203.0.113.1, 192.0.2.8"), true},
		{"one IPv6 network", "127.0.0.1/32", forwarded("2001:db8::1"), forwarded("2001:db8::ffff:1"), true},
		{"two IPv6 networks", "127.0.0.1/32", forwarded("2001:db8:0:1::1"), forwarded("2001:db8:0:2::1"), false},
		{"IPv4 in IPv6", "127.0.0.1/32", forwarded("::ffff:203.0.113.1"), forwarded("203.0.113.1"), true},
		{"nobody is trusted", "192.0.2.0/24", forwarded("203.0.113.1"), forwarded("203.0.113.2"), true},
		{"the proxy itself", "127.0.0.1/32", "X-Other: 1", "X-Other: 1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			site := limitedSite(RateLimit{Requests: 1, Window: time.Second})
			for text := range strings.FieldsSeq(tt.trusted) {
				site.TrustProxies = append(site.TrustProxies, netip.MustParsePrefix(text))
			}
			r := start(t, &Server{Pictures: held(picture("x", "image/jpeg"))}, site)
			if got := r.get(plenty, tt.first).StatusCode; got != http.StatusOK {
				t.Errorf("the first request: %d, want 200", got)
			}
			if got := r.get(plenty, tt.second).StatusCode; (got == http.StatusTooManyRequests) != tt.limited {
				t.Errorf("the second request: %d, want limited %v", got, tt.limited)
			}
		})
	}
}

func TestCallsAreLimitedByToken(t *testing.T) {
	for _, tokensOnly := range []bool{false, true} {
		r := start(t, &Server{Pictures: held(picture("x", "image/jpeg"))}, limitedSite(RateLimit{Requests: 2, Window: time.Second, TokensOnly: tokensOnly}))
		call := func(secret string) int {
			return r.get("/v1/openapi.json", "Authorization: Bearer "+secret).StatusCode
		}
		for _, secret := range []string{"cms-cms-cms-cms-", "app-app-app-app-"} {
			for n, want := range []int{200, 200, 429, 429} {
				if got := call(secret); got != want {
					t.Errorf("call %d of %s: %d, want %d", n+1, secret, got, want)
				}
			}
		}
		last := 429 // guessing counts for the address
		if tokensOnly {
			last = 401
		}
		for n, want := range []int{401, 401, last} {
			if got := call(fmt.Sprint("guessed-guessed-", n)); got != want {
				t.Errorf("guess %d with tokensOnly %v: %d, want %d", n+1, tokensOnly, got, want)
			}
		}
		if got, want := r.get(plenty).StatusCode, map[bool]int{false: 429, true: 200}[tokensOnly]; got != want {
			t.Errorf("a picture with tokensOnly %v: %d, want %d", tokensOnly, got, want)
		}
	}
}

// fakeFleet is a RateCounter whose answers the test sets.
type fakeFleet struct {
	mu    sync.Mutex // guards what follows
	spent map[string]int
	lead  time.Duration
	wait  time.Duration
	err   error
}

var _ RateCounter = (*fakeFleet)(nil)

func (f *fakeFleet) Take(_ context.Context, who string, _ cache.Rate) (wait, lead time.Duration, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil && f.wait == 0 {
		f.add(who, 1)
	}
	return f.wait, f.lead, f.err
}

func (f *fakeFleet) Spend(_ context.Context, who string, _ cache.Rate, n int) (time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.add(who, n)
	return f.lead, f.err
}

func (f *fakeFleet) add(who string, n int) {
	if f.spent == nil {
		f.spent = map[string]int{}
	}
	f.spent[who] += n
}

func (f *fakeFleet) of(who string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.spent[who]
}

// Requests are judged here and told to the fleet; what the others counted comes back.
func TestRequestsAreSharedWithTheFleet(t *testing.T) {
	fleet := &fakeFleet{}
	at := newClock()
	r := start(t, &Server{Now: at.now, Pictures: held(picture("x", "image/jpeg")), Rates: fleet}, limitedSite(RateLimit{Requests: 10, Window: time.Hour}))
	for range 6 {
		r.get(plenty)
	}
	const who = "requests 127.0.0.1/32"
	eventually(t, "the fleet hears of 6 requests", func() bool { return fleet.of(who) == 6 })
	fleet.mu.Lock()
	fleet.lead = time.Hour // others have used up the rest
	fleet.mu.Unlock()
	eventually(t, "what the fleet counted is obeyed", func() bool { return r.get(plenty).StatusCode == http.StatusTooManyRequests })
	if n := fleet.of(who); n > 10 {
		t.Errorf("%d requests were counted, want 10 at most", n)
	}
}

// Renders are judged by the fleet, and by this node where the fleet cannot be asked.
func TestRendersAreJudgedByTheFleet(t *testing.T) {
	at := newClock()
	rate := cache.Rate{Events: 2, Window: time.Hour}
	who := spender{what: limitRenders, from: netip.MustParsePrefix("203.0.113.1/32")}
	waits := func(l *limiter) (all []bool) {
		for range 3 {
			all = append(all, l.ask(t.Context(), who, rate) > 0)
		}
		return all
	}
	for _, tt := range []struct {
		name  string
		fleet *fakeFleet
		want  string
		asked int
	}{
		{"it allows", &fakeFleet{}, "[false false true]", 2}, // the third is refused without asking
		{"it refuses", &fakeFleet{wait: time.Minute, lead: time.Hour}, "[true true true]", 0},
		{"it is away", &fakeFleet{err: errors.New("away")}, "[false false true]", 0},
	} {
		l := newLimiter(tt.fleet, at.now)
		if got := fmt.Sprint(waits(l)); got != tt.want {
			t.Errorf("%s: refused %s, want %s", tt.name, got, tt.want)
		}
		if got := tt.fleet.of(who.name()); got != tt.asked {
			t.Errorf("%s: the fleet counted %d, want %d", tt.name, got, tt.asked)
		}
		l.close()
	}
}

// Between any two moments no more is allowed than the events of one window and those of the time between.
func TestCellsKeepTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := cache.Rate{Events: rapid.IntRange(1, 20).Draw(t, "events"), Window: time.Duration(rapid.IntRange(1, 5000).Draw(t, "ms")) * time.Millisecond}
		var c cells
		now := testTime
		var allowed []time.Time
		for range rapid.IntRange(1, 200).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(rate.Window)/4).Draw(t, "pause")))
			wait, _ := c.take(spender{token: "x"}, rate, now, false)
			if wait == 0 {
				allowed = append(allowed, now)
				continue
			}
			if early, _ := c.take(spender{token: "x"}, rate, now.Add(wait-1), false); early == 0 {
				t.Fatalf("a request is taken 1 ns before the wait of %v is over", wait)
			}
		}
		for i := range allowed {
			for j := i; j < len(allowed); j++ {
				most := rate.Events + int(float64(allowed[j].Sub(allowed[i]))/float64(rate.Window/time.Duration(rate.Events))+1e-9)
				if got := j - i + 1; got > most {
					t.Fatalf("%d events within %v at %d in %v, want %d at most", got, allowed[j].Sub(allowed[i]), rate.Events, rate.Window, most)
				}
			}
		}
	})
}

// Many addresses take bounded room, and one that is ahead is not forgotten for those that are not.
func TestCellsAreBounded(t *testing.T) {
	var c cells
	rate := cache.Rate{Events: 100, Window: time.Hour}
	address := func(i int) spender {
		return spender{from: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)}
	}
	for range 100 {
		c.take(address(0), rate, testTime, false)
	}
	for i := 1; i < 3*cellShards*cellsEach; i++ {
		c.take(address(i), rate, testTime, false)
	}
	if got := c.size(); got > cellShards*cellsEach {
		t.Errorf("%d clients are remembered, want %d at most", got, cellShards*cellsEach)
	}
	if wait, _ := c.take(address(0), rate, testTime, false); wait == 0 {
		t.Error("the client that used up its rate is forgotten")
	}
}
