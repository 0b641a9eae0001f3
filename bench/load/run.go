package load

import (
	"cmp"
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/valyala/fasthttp"

	"github.com/imgedge/imgedge/bench/check"
)

// Phase is one stretch of load.
type Phase struct {
	Clients  int           // at once, each with a connection
	Rate     float64       // arrivals a second of the open loop; 0 = closed loop
	Duration time.Duration // of the phase; requests that were meant to be sent in it are answered behind it
	Grace    time.Duration // how long behind the duration late requests are still sent; 0 = the server's timeout
	Requests int64         // at most; 0 = only the duration ends the phase
	Once     bool          // every request of the population once, in a shuffled order, instead of by popularity
	Seed     uint64        // of what is drawn
	Check    *check.Checker
	// CheckShare is the share of answers that Check looks at, beside the first of each client; 0–1.
	CheckShare float64
	Progress   *Progress // nil = nobody watches
	// Sleep waits until a moment; nil = a precise wait that takes little CPU. For tests with clocks of their own.
	Sleep func(ctx context.Context, until time.Time)
}

// Progress can be read while a phase runs.
type Progress struct {
	Answers, Failures, Hits atomic.Int64
}

// Generator keeps the clients' connections from phase to phase. It runs one phase at a time.
type Generator struct {
	server  Server
	clients []*connection
}

// New returns a generator for one server; nothing is opened yet.
func New(s Server) *Generator { return &Generator{server: s.withDefaults()} }

// Close closes the connections.
func (g *Generator) Close() {
	for _, c := range g.clients {
		c.close()
	}
	g.clients = nil
}

// order is a request that a client is to send.
type order struct {
	meant time.Time
	index int // in the population; -1 = drawn by popularity
}

// run is a phase under way.
type run struct {
	Phase
	population Population
	start      time.Time
	end        time.Time // nothing is meant to be sent later
	giveUp     time.Time // nothing is sent later
	limit      int64     // of requests; 0 = none
	taken      atomic.Int64
	shuffled   []int32 // the order of Once
	arrivals   chan time.Time
	late       *hdrhistogram.Histogram // µs; arrive's alone until the run ends
}

// Run runs a phase until its duration is over, its requests are used up or ctx ends, and waits for the
// answers under way.
func (g *Generator) Run(ctx context.Context, phase Phase, p Population) *Result {
	for len(g.clients) < phase.Clients {
		g.clients = append(g.clients, &connection{server: g.server})
	}
	start := time.Now()
	r := &run{
		Phase: phase, population: p,
		start: start, end: start.Add(phase.Duration), giveUp: start.Add(phase.Duration + cmp.Or(phase.Grace, g.server.Timeout)),
		limit: phase.Requests,
	}
	if r.Progress == nil {
		r.Progress = &Progress{}
	}
	if phase.Once {
		r.shuffle()
	}
	tallies := make([]*tally, min(phase.Clients, runtime.GOMAXPROCS(0)))
	for i := range tallies {
		tallies[i] = newTally(start)
	}
	var all sync.WaitGroup
	if phase.Rate > 0 {
		r.late = newVerdict().Latency
		r.arrivals = make(chan time.Time, phase.Clients) // one for each client that may be waiting
		all.Go(func() { r.arrive(ctx) })
	}
	for i, c := range g.clients[:phase.Clients] {
		l := looper{
			run: r, connection: c, tally: tallies[i%len(tallies)],
			dice: rand.New(rand.NewPCG(phase.Seed, uint64(i)+1)),
		}
		all.Go(func() { l.loop(ctx) })
	}
	all.Wait()
	result := newResult(start, time.Since(start), tallies)
	if r.late != nil {
		result.Late = r.late
	}
	return result
}

func (r *run) shuffle() {
	r.shuffled = make([]int32, r.population.Size())
	for i := range r.shuffled {
		r.shuffled[i] = int32(i) //nolint:gosec // populations are below 2^31
	}
	dice := rand.New(rand.NewPCG(r.Seed, 0))
	dice.Shuffle(len(r.shuffled), func(i, j int) { r.shuffled[i], r.shuffled[j] = r.shuffled[j], r.shuffled[i] })
	if n := int64(len(r.shuffled)); r.limit == 0 || n < r.limit {
		r.limit = n
	}
}

// next returns what a client sends next: at once in the closed loop, at its time in the open one.
func (r *run) next(ctx context.Context) (order, bool) {
	o := order{index: -1}
	if r.arrivals != nil {
		meant, ok := <-r.arrivals
		if !ok {
			return order{}, false
		}
		o.meant = meant
	}
	n := r.taken.Add(1)
	if r.limit > 0 && n > r.limit {
		return order{}, false
	}
	if r.Once {
		o.index = int(r.shuffled[n-1])
	}
	if r.arrivals == nil {
		o.meant = time.Now()
		if ctx.Err() != nil || o.meant.After(r.end) {
			return order{}, false
		}
	}
	return o, true
}

// looper is one client.
type looper struct {
	*run
	connection *connection
	tally      *tally
	dice       *rand.Rand
	asked      int
	word       [maxVerdict]byte
}

func (l *looper) loop(ctx context.Context) {
	response := fasthttp.AcquireResponse()
	defer fasthttp.ReleaseResponse(response)
	l.connection.again = 0
	for {
		o, ok := l.next(ctx)
		if !ok {
			break
		}
		l.ask(ctx, o, response)
	}
	l.tally.mu.Lock()
	l.tally.again += l.connection.again
	l.tally.mu.Unlock()
}

func (l *looper) ask(ctx context.Context, o order, response *fasthttp.Response) {
	sent := time.Now()
	if sent.After(l.giveUp) {
		l.fail("not sent: the server was too slow", sent)
		return
	}
	t, err := l.target(o)
	if err != nil {
		l.fail("sign: "+err.Error(), sent)
		return
	}
	if err := l.connection.ask(ctx, t, response); err != nil {
		l.fail(cause(err), time.Now())
		return
	}
	s := sight{status: response.StatusCode(), bytes: len(response.Body()), meant: o.meant, sent: sent, ended: time.Now()}
	s.verdict = verdict(response.Header.Peek("Cache-Status"), l.word[:])
	l.tally.answer(s)
	l.Progress.Answers.Add(1)
	if len(s.verdict) >= 3 && string(s.verdict[:3]) == "hit" {
		l.Progress.Hits.Add(1)
	}
	l.look(t, response)
}

func (l *looper) target(o order) (*Target, error) {
	if o.index >= 0 {
		return l.population.At(o.index)
	}
	return l.population.Draw(l.dice)
}

func (l *looper) fail(text string, at time.Time) {
	l.tally.fail(text, at)
	l.Progress.Failures.Add(1)
}

// look checks the client's first answer and a share of the others.
func (l *looper) look(t *Target, response *fasthttp.Response) {
	l.asked++
	if l.Check == nil || l.asked > 1 && l.dice.Float64() >= l.CheckShare {
		return
	}
	ok := l.Check.Check(check.Answer{
		Target: t.Text, Accept: t.Accept, Status: response.StatusCode(), Expect: t.Expect, Body: response.Body(),
		ContentType: string(response.Header.ContentType()), ETag: string(response.Header.Peek("ETag")),
	})
	if !ok {
		l.Progress.Failures.Add(1)
	}
}
