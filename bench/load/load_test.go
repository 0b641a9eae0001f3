package load

import (
	"bufio"
	"context"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"

	"github.com/imgedge/imgedge/bench/check"
)

// TestMain starts what fasthttp keeps running for its Date header before a bubble could own it.
func TestMain(m *testing.M) {
	var response fasthttp.Response
	_ = response.Write(bufio.NewWriter(io.Discard))
	os.Exit(m.Run())
}

// peer is a server at the other end of pipes, so that it can live in a bubble with a clock of its own.
type peer struct {
	answer func(target string, response *fasthttp.Response)

	mu    sync.Mutex
	seen  []string
	times []time.Time
	conns int
}

func (p *peer) dial(context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p.mu.Lock()
	p.conns++
	p.mu.Unlock()
	go p.serve(theirs)
	return ours, nil
}

func (p *peer) serve(conn net.Conn) {
	defer conn.Close()
	reader, writer := bufio.NewReader(conn), bufio.NewWriter(conn)
	for {
		var request fasthttp.Request
		if request.Read(reader) != nil {
			return
		}
		target := string(request.RequestURI())
		p.mu.Lock()
		p.seen, p.times = append(p.seen, target), append(p.times, time.Now())
		p.mu.Unlock()
		var response fasthttp.Response
		response.Header.Set("Cache-Status", "imgedge; hit; detail=memory; ttl=9")
		response.SetBodyString("0123456789")
		if p.answer != nil {
			p.answer(target, &response)
		}
		if response.Write(writer) != nil || writer.Flush() != nil || response.ConnectionClose() {
			return
		}
	}
}

func (p *peer) generator() *Generator {
	return New(Server{Base: &url.URL{Scheme: "http", Host: "edge.test"}, Dial: p.dial, Timeout: 10 * time.Second})
}

func one(t *testing.T, target string, places ...Values) Population {
	t.Helper()
	tmpl, err := ParseTemplate(target)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Mix{Templates: []Template{tmpl}, Places: places, Run: "r"}.Population()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sleep waits by the bubble's clock.
func sleep(_ context.Context, until time.Time) { time.Sleep(time.Until(until)) }

// TestOpenLoopCountsFromTheIntendedTime: a server that stands still for a second while 100 requests a
// second arrive makes 100 requests late, not one. The closed loop sees one.
func TestOpenLoopCountsFromTheIntendedTime(t *testing.T) {
	stalls := func() *peer {
		begin := time.Now()
		return &peer{answer: func(string, *fasthttp.Response) {
			if at := time.Since(begin); at > time.Second && at < 2*time.Second {
				time.Sleep(2*time.Second - at)
			}
			time.Sleep(time.Millisecond)
		}}
	}
	tests := []struct {
		name      string
		rate      float64
		low, high int64 // answers that took 100 ms or more
	}{
		{"open", 100, 60, 120},
		{"closed", 0, 1, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := stalls()
				g := p.generator()
				defer g.Close()
				r := g.Run(t.Context(), Phase{Clients: 4, Rate: tt.rate, Duration: 5 * time.Second, Seed: 1, Sleep: sleep}, one(t, "/a"))
				slow := int64(0)
				for _, bar := range r.All().Latency.Distribution() {
					if bar.From >= 100_000 {
						slow += bar.Count
					}
				}
				if slow < tt.low || slow > tt.high {
					t.Errorf("%d answers took 100 ms or more, want %d to %d", slow, tt.low, tt.high)
				}
				if service := r.All().Service.ValueAtQuantile(90); service > 2000 {
					t.Errorf("90 %% of the answers came within %d µs of sending, want 1 ms", service)
				}
			})
		})
	}
}

// TestArrivalsArePoisson: so many as the rate says, and gaps that are exponential: their mean and their
// standard deviation are equal.
func TestArrivalsArePoisson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{}
		g := p.generator()
		defer g.Close()
		const rate, seconds = 500, 10
		r := g.Run(t.Context(), Phase{Clients: 8, Rate: rate, Duration: seconds * time.Second, Seed: 7, Sleep: sleep}, one(t, "/a"))
		n := float64(len(p.times))
		if n < 0.95*rate*seconds || n > 1.05*rate*seconds || r.Requests() != int64(n) || p.conns > 8 {
			t.Fatalf("%v requests over %d connections, report says %d; want about %d over at most 8", n, p.conns, r.Requests(), rate*seconds)
		}
		var sum, squares float64
		for i := 1; i < len(p.times); i++ {
			gap := p.times[i].Sub(p.times[i-1]).Seconds()
			sum, squares = sum+gap, squares+gap*gap
		}
		mean := sum / (n - 1)
		if deviation := math.Sqrt(squares/(n-1) - mean*mean); deviation < 0.9*mean || deviation > 1.1*mean {
			t.Errorf("gaps of %v s on average deviate by %v s, want the same", mean, deviation)
		}
	})
}

// TestOpenLoopGivesUp: what could not be sent in time is counted, not forgotten.
func TestOpenLoopGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: func(string, *fasthttp.Response) { time.Sleep(time.Second) }}
		g := p.generator()
		defer g.Close()
		r := g.Run(t.Context(), Phase{Clients: 1, Rate: 10, Duration: 10 * time.Second, Sleep: sleep}, one(t, "/a"))
		if got := r.Requests() + r.Unanswered(); got < 80 || got > 120 || r.Took > 22*time.Second {
			t.Errorf("%d of about 100 arrivals are counted, in %v: %v", got, r.Took, r.Errors)
		}
		if r.Errors["not sent: the server was too slow"] < 60 {
			t.Errorf("errors %v", r.Errors)
		}
	})
}

func TestClosedLoopIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: func(string, *fasthttp.Response) { time.Sleep(10 * time.Millisecond) }}
		g := p.generator()
		defer g.Close()
		r := g.Run(t.Context(), Phase{Clients: 3, Duration: time.Second}, one(t, "/a?v={n}"))
		if r.Requests() < 290 || r.Requests() > 310 || p.conns != 3 {
			t.Errorf("%d answers over %d connections, want 300 over 3", r.Requests(), p.conns)
		}
		r = g.Run(t.Context(), Phase{Clients: 3, Duration: time.Hour, Requests: 50}, one(t, "/a?v={n}"))
		if r.Requests() != 50 || p.conns != 3 {
			t.Errorf("%d answers, want 50, over the same connections (%d)", r.Requests(), p.conns)
		}
		if v := r.Verdicts["hit memory"]; v == nil || v.Bytes != 500 || bytesOf(r) != 500 {
			t.Errorf("verdicts %+v", r.Verdicts)
		}
	})
}

func bytesOf(r *Result) (n int64) {
	for _, b := range r.All().Bins {
		n += b.Bytes
	}
	return n
}

func TestOnceAsksForEverythingOnce(t *testing.T) {
	for _, rate := range []float64{0, 50} {
		synctest.Test(t, func(t *testing.T) {
			p := &peer{}
			g := p.generator()
			defer g.Close()
			widths, err := ParseValues("w=1-20")
			if err != nil {
				t.Fatal(err)
			}
			population := one(t, "/{i}?w={w}", widths, Numbers(5, 1))
			r := g.Run(t.Context(), Phase{Clients: 7, Rate: rate, Duration: time.Minute, Once: true, Sleep: sleep}, population)
			times := map[string]int{}
			for _, target := range p.seen {
				times[target]++
			}
			if r.Requests() != 100 || len(times) != 100 {
				t.Errorf("rate %v: %d requests for %d URLs, want 100 for 100", rate, r.Requests(), len(times))
			}
		})
	}
}

func TestErrorsAreCounted(t *testing.T) {
	tests := []struct {
		name   string
		answer func(string, *fasthttp.Response)
		want   string
	}{
		{"silence", func(string, *fasthttp.Response) { time.Sleep(time.Hour) }, "timeout"},
		{"too large", func(_ string, r *fasthttp.Response) { r.SetBody(make([]byte, 2000)) }, "body too large"},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			p := &peer{answer: tt.answer}
			g := New(Server{Base: &url.URL{Scheme: "http", Host: "edge.test"}, Dial: p.dial, Timeout: time.Second, MaxBody: 1000})
			defer g.Close()
			r := g.Run(t.Context(), Phase{Clients: 1, Duration: time.Minute, Requests: 3}, one(t, "/a"))
			if diff := cmp.Diff(map[string]int64{tt.want: 3}, r.Errors); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.name, diff)
			}
			time.Sleep(2 * time.Hour) // lets the silent ones end
		})
	}
}

// TestConnectionsAreOpenedAnew: a server that closes after each answer costs connections, no errors.
func TestConnectionsAreOpenedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{}
		p.answer = func(target string, r *fasthttp.Response) { r.Header.SetConnectionClose() }
		g := p.generator()
		defer g.Close()
		r := g.Run(t.Context(), Phase{Clients: 1, Duration: time.Minute, Requests: 5}, one(t, "/a"))
		if r.Requests() != 5 || p.conns != 5 || r.Again != 0 {
			t.Errorf("%d answers over %d connections, %d opened anew", r.Requests(), p.conns, r.Again)
		}
	})
}

func TestRedirectsAreAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: func(_ string, r *fasthttp.Response) {
			r.SetStatusCode(302)
			r.Header.Set("Location", "http://elsewhere.test/")
		}}
		g := p.generator()
		defer g.Close()
		checker := check.New(200)
		r := g.Run(t.Context(), Phase{Clients: 1, Duration: time.Minute, Requests: 4, Check: checker, CheckShare: 1}, one(t, "/a"))
		if r.Statuses[302] != 4 || len(p.seen) != 4 || checker.Outcome().Faults["wrong status"] != 4 {
			t.Errorf("statuses %v, asked %v, %+v", r.Statuses, p.seen, checker.Outcome())
		}
	})
}

func TestVerdict(t *testing.T) {
	tests := []struct{ header, want string }{
		{"", "none"},
		{"imgedge; hit; detail=memory; ttl=1234", "hit memory"},
		{"imgedge; hit; ttl=-3", "hit"},
		{"imgedge; fwd=miss; stored", "miss"},
		{"imgedge; fwd=miss; stored; detail=original-kept", "miss original-kept"},
		{"imgedge; fwd=miss; collapsed", "miss collapsed"},
		{"imgedge; fwd=stale; fwd-status=502; detail=stale-if-error", "stale stale-if-error"},
		{"imgedge; fwd=miss, cdn; hit; ttl=3", "hit"},
		{"imgedge", "none"},
		{"imgedge; hit; detail=" + strings.Repeat("x", 99), "hit " + strings.Repeat("x", maxVerdict-4)},
	}
	for _, tt := range tests {
		var buffer [maxVerdict]byte
		if got := string(verdict([]byte(tt.header), buffer[:])); got != tt.want {
			t.Errorf("verdict(%q) = %q, want %q", tt.header, got, tt.want)
		}
	}
}

// TestBinsWiden: however long a phase is, it has at most 200 bins, and nothing gets lost or moved.
func TestBinsWiden(t *testing.T) {
	begin := time.Now()
	one, other := newTally(begin), newTally(begin)
	const seconds = 1000
	for i := range seconds {
		at := begin.Add(time.Duration(i) * time.Second)
		one.answer(sight{status: 200, verdict: []byte("hit"), bytes: 2, meant: at, sent: at, ended: at})
		one.fail("timeout", at)
	}
	other.answer(sight{status: 200, verdict: []byte("hit"), bytes: 5, meant: begin, sent: begin, ended: begin})
	r := newResult(begin, seconds*time.Second, []*tally{other, one})
	bins := r.Verdicts["hit"].Bins
	if len(bins) > maxBins || len(r.Failed) > maxBins || r.Bin != 6400*time.Millisecond || bytesOf(r) != 2*seconds+5 {
		t.Fatalf("%d bins of %v with %d bytes", len(bins), r.Bin, bytesOf(r))
	}
	for i, b := range bins[:len(bins)-1] {
		want := int64(6) // or 7: so many whole seconds are in 6.4
		if i == 0 {
			want = 8
		}
		if n := b.Latency.TotalCount(); n < want || n > want+1 || r.Failed[i] < 6 || r.Failed[i] > 7 {
			t.Errorf("bin %d has %d answers and %d failures, want %d or one more, and 6 or 7", i, n, r.Failed[i], want)
		}
	}
}

// TestBinsHoldSomething: few answers in a long time make few bins.
func TestBinsHoldSomething(t *testing.T) {
	few := newTally(time.Now())
	few.statuses[200] = 50
	if r := newResult(few.start, 20*time.Second, []*tally{few}); r.Bin != 1600*time.Millisecond {
		t.Errorf("50 answers in 20 s are put into bins of %v, want 1.6 s", r.Bin)
	}
	many := newTally(time.Now())
	many.statuses[200] = 5000
	if r := newResult(many.start, 20*time.Second, []*tally{many}); r.Bin != firstWidth {
		t.Errorf("5000 answers in 20 s are put into bins of %v, want %v", r.Bin, firstWidth)
	}
}

func TestKindsAreBounded(t *testing.T) {
	tally := newTally(time.Now())
	for i := range 100 {
		tally.answer(sight{status: 200, verdict: []byte("hit " + strconv.Itoa(i)), meant: tally.start, sent: tally.start, ended: tally.start})
		tally.fail(strconv.Itoa(i), tally.start)
	}
	if len(tally.verdicts) != maxKinds+1 || len(tally.errors) != maxKinds+1 {
		t.Errorf("%d verdicts, %d errors; want %d", len(tally.verdicts), len(tally.errors), maxKinds+1)
	}
}

// TestAskAllocs: the generator shares its cores with the server, so a request costs it no garbage.
func TestAskAllocs(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nCache-Status: imgedge; hit; detail=memory; ttl=9\r\nContent-Type: image/png\r\n\r\nabc")
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buffer := make([]byte, 4096)
		for {
			if _, err := conn.Read(buffer); err != nil {
				return
			}
			_, _ = conn.Write(answer)
		}
	}()
	g := New(Server{Base: &url.URL{Scheme: "http", Host: listener.Addr().String()}, Timeout: time.Minute})
	defer g.Close()
	g.clients = []*connection{{server: g.server}}
	now := time.Now()
	l := looper{
		run:        &run{population: one(t, "/a"), giveUp: now.Add(time.Hour), Phase: Phase{Progress: &Progress{}}},
		connection: g.clients[0], tally: newTally(now), dice: rand.New(rand.NewPCG(1, 1)),
	}
	var response fasthttp.Response
	ask := func() { l.ask(t.Context(), order{index: -1, meant: now}, &response) }
	ask()
	if n := testing.AllocsPerRun(200, ask); n > 0 {
		t.Errorf("a request makes %v allocations, want 0", n)
	}
	if l.Progress.Answers.Load() < 200 || l.Progress.Hits.Load() != l.Progress.Answers.Load() || l.Progress.Failures.Load() != 0 {
		t.Errorf("%d answers, %d hits, %d failures", l.Progress.Answers.Load(), l.Progress.Hits.Load(), l.Progress.Failures.Load())
	}
}
