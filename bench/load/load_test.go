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
			if at := time.Since(begin); at > 2*time.Second && at < 3*time.Second {
				time.Sleep(3*time.Second - at)
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
				r := g.Run(t.Context(), Phase{Clients: 4, Rate: tt.rate, Duration: 10 * time.Second, Seed: 1, Sleep: sleep}, one(t, "/a"))
				slow := int64(0)
				for _, bar := range r.All().Latency.Distribution() {
					if bar.From >= 100_000 {
						slow += bar.Count
					}
				}
				if slow < tt.low || slow > tt.high {
					t.Errorf("%d answers took 100 ms or more, want %d to %d", slow, tt.low, tt.high)
				}
				if service := r.All().Service.ValueAtQuantile(95); service > 2000 {
					t.Errorf("95 %% of the answers came within %d µs of sending, want 1 ms", service)
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
		const rate, seconds = 500, 20
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
		if v := r.Verdicts["hit memory"]; v == nil || v.Bytes != 500 || r.All().BytesIn(0) != 500 {
			t.Errorf("verdicts %+v", r.Verdicts)
		}
	})
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

func TestZipf(t *testing.T) {
	const n, draws = 1000, 200_000
	for _, exponent := range []float64{0, 0.8, 1, 1.3} {
		s, dice := zipf(n, exponent), rand.New(rand.NewPCG(1, 2))
		counts := make([]int, n)
		for range draws {
			counts[s.draw(dice)]++
		}
		var all float64
		for i := range n {
			all += math.Pow(float64(i+1), -exponent)
		}
		for _, i := range []int{0, 1, 9, 99} {
			want := math.Pow(float64(i+1), -exponent) / all * draws
			if got := float64(counts[i]); math.Abs(got-want) > 5*math.Sqrt(want) {
				t.Errorf("exponent %v: rank %d is drawn %v times of %d, want %.0f", exponent, i+1, got, draws, want)
			}
		}
	}
}

// TestMixKeepsItsWeights draws from templates, sizes, formats and Accept headers, all weighted.
func TestMixKeepsItsWeights(t *testing.T) {
	var m Mix
	for _, text := range []string{"3*/a/{key}?w={w}&f={f}", "/b/{key}?h={w}"} {
		tmpl, err := ParseTemplate(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Templates = append(m.Templates, tmpl)
	}
	for _, text := range []string{"w=5*320,3*640,2*1280", "f=3*webp,jpeg"} {
		v, err := ParseValues(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Places = append(m.Places, v)
	}
	m.Places = append(m.Places, Keys([]string{"a b.jpg", "dir/ä.jpg"}, 0, 1))
	m.Accepts = []string{"4*image/avif,image/webp,*/*", "*/*"}
	p, err := m.Population()
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * (2*3*2 + 2*3); p.Size() != want {
		t.Errorf("size %d, want %d", p.Size(), want)
	}
	const draws = 20_000
	counts, dice := map[string]int{}, rand.New(rand.NewPCG(3, 4))
	for range draws {
		target, err := p.Draw(dice)
		if err != nil {
			t.Fatal(err)
		}
		path, query, _ := strings.Cut(target.Text, "?")
		counts[path[:2]]++
		counts[path[2:]]++
		counts["accept "+target.Accept]++
		for field := range strings.SplitSeq(query, "&") {
			counts[field]++
		}
	}
	for what, share := range map[string]float64{
		"/a": 0.75, "/b": 0.25, "/a%20b.jpg": 0.5, "/dir/%C3%A4.jpg": 0.5,
		"w=320": 0.375, "h=320": 0.125, "w=1280": 0.15, "f=webp": 0.5625,
		"accept image/avif,image/webp,*/*": 0.8, "accept */*": 0.2,
	} {
		want := share * draws
		if got := float64(counts[what]); math.Abs(got-want) > 5*math.Sqrt(want) {
			t.Errorf("%q comes %v times of %d, want %.0f", what, got, draws, want)
		}
	}
	seen := map[Target]bool{}
	for i := range p.Size() {
		target, err := p.At(i)
		if err != nil {
			t.Fatal(err)
		}
		seen[*target] = true
	}
	if len(seen) != p.Size() {
		t.Errorf("%d different requests, want %d", len(seen), p.Size())
	}
}

func TestTemplates(t *testing.T) {
	sign := func(target string) (string, error) { return target + "&s=sig", nil }
	tests := []struct {
		name, text, values, size string
		want                     string // of the first request; "" = refused
	}{
		{"no place", "/local/a.jpg?w=3", "", "", "/local/a.jpg?w=3&kid=k&s=sig"},
		{"a range", "/a.jpg?w={w}&f=jpeg", "w=100-102", "", "/a.jpg?w=100&f=jpeg&kid=k&s=sig"},
		{"a list", "/a.jpg?w={w}", "w=640,320", "", "/a.jpg?w=640&kid=k&s=sig"},
		{"numbers", "/a.jpg?v={n}-{run}", "", "", "/a.jpg?v=1-r&kid=k&s=sig"},
		{"twice", "/{w}?{w}&{n}", "w=5", "{w}x", "/5?5&1&kid=k&s=sig"},
		{"no query", "/a", "", "", "/a?kid=k&s=sig"},
		{"no values", "/a?w={w}", "", "", ""},
		{"other values", "/a?w={w}", "x=5", "", ""},
		{"open brace", "/a?w={w", "w=5", "", ""},
		{"a place that is no name", "/a?w={W}", "w=5", "", ""},
		{"no slash", "a?w=3", "", "", ""},
		{"empty", "", "", "", ""},
		{"weight of nothing", "0*/a", "", "", ""},
		{"range turned round", "/a?w={w}", "w=9-3", "", ""},
		{"too many", "/a?w={w}", "w=1-9999999", "", ""},
		{"values without a name", "/a", "=3", "", ""},
		{"values for what has its own", "/a", "n=3", "", ""},
		{"size of what does not occur", "/a", "w=3", "{w}x", ""},
		{"size that is none", "/a?w={w}", "w=3", "{w}", ""},
	}
	for _, tt := range tests {
		m := Mix{KeyID: "k", Run: "r", Sign: sign, Size: tt.size}
		tmpl, err := ParseTemplate(tt.text)
		if err == nil && tt.values != "" {
			var v Values
			v, err = ParseValues(tt.values)
			m.Places = []Values{v}
		}
		var p Population
		if err == nil {
			m.Templates = []Template{tmpl}
			p, err = m.Population()
		}
		if err != nil {
			if tt.want != "" {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		target, err := p.At(0)
		if err != nil || target.Text != tt.want {
			t.Errorf("%s: %q with %q begins with %+v, %v; want %q", tt.name, tt.text, tt.values, target, err, tt.want)
		}
	}
}

// TestSizeAndFormatFollowTheTemplate: what is expected is filled in like the URL.
func TestSizeAndFormatFollowTheTemplate(t *testing.T) {
	tmpl, _ := ParseTemplate("/unsafe/rs:fit:{w}:0/plain/a.jpg@{f}")
	widths, _ := ParseValues("w=30,40")
	formats, _ := ParseValues("f=webp,png")
	p, err := Mix{Templates: []Template{tmpl}, Places: []Values{widths, formats}, Size: "{w}x", Format: "{f}"}.Population()
	if err != nil {
		t.Fatal(err)
	}
	target, err := p.At(3)
	if want := (Target{Text: "/unsafe/rs:fit:40:0/plain/a.jpg@png", Expect: check.Expect{Width: 40, Format: "png"}}); err != nil || *target != want {
		t.Errorf("%+v, %v; want %+v", target, err, want)
	}
}

func TestList(t *testing.T) {
	base := &url.URL{Scheme: "http", Host: "edge.test:80"}
	l := List{Base: base, Accept: "*/*", KeyID: "k", Sign: func(target string) (string, error) { return target + "&s=mine", nil }}
	p, err := l.Read(strings.NewReader("# popular\n\n/a?w=3\tweight=3\nhttp://edge.test:80/b?s=theirs\tsize=30x\tformat=png\taccept=image/png\nhttp://edge.test:80?w=1\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Target{
		{Text: "/a?w=3&kid=k&s=mine", Accept: "*/*"},
		{Text: "/b?s=theirs", Accept: "image/png", Expect: check.Expect{Format: "png", Width: 30}},
		{Text: "/?w=1&kid=k&s=mine", Accept: "*/*"},
	}
	counts, dice := make([]int, 3), rand.New(rand.NewPCG(1, 1))
	for i := range p.Size() {
		got, err := p.At(i)
		if err != nil || *got != want[i] {
			t.Errorf("line %d: %+v, %v; want %+v", i, got, err, want[i])
		}
	}
	for range 5000 {
		got, _ := p.Draw(dice)
		for i := range want {
			if *got == want[i] {
				counts[i]++
			}
		}
	}
	if counts[0] < 2850 || counts[0] > 3150 || counts[1] < 850 || counts[1] > 1150 {
		t.Errorf("drawn %v times, want about 3000, 1000, 1000", counts)
	}
	for _, text := range []string{"", "# nothing", "a.jpg", "http://other.test/a", "https://edge.test:80/a", "/a\tweight=0", "/a\tweight=", "/a\tsize=3", "/a\tcolor=red"} {
		if _, err := l.Read(strings.NewReader(text)); err == nil {
			t.Errorf("%q passes", text)
		}
	}
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

func TestKindsAreBounded(t *testing.T) {
	tally := newTally(time.Now(), time.Second)
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
		connection: g.clients[0], tally: newTally(now, time.Hour), dice: rand.New(rand.NewPCG(1, 1)),
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
