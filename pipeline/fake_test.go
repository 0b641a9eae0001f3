package pipeline

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

// jpeg is what the fake origin sends: enough for the sniffer.
func jpeg(text string) []byte { return []byte("\xff\xd8\xff\xe0" + text) }

// fakeOrigin answers as its func says and counts.
type fakeOrigin struct {
	calls atomic.Int64
	fetch func(cond origin.Conditions) (*origin.Original, error)
}

func (o *fakeOrigin) Fetch(_ context.Context, _ string, cond origin.Conditions) (*origin.Original, error) {
	o.calls.Add(1)
	return o.fetch(cond)
}

// fakeEngine says what it was given, and counts.
type fakeEngine struct {
	runs  atomic.Int64
	probe func(data []byte) (resize.Source, error)
	run   func(ctx context.Context) error
	group func(plans []resize.Plan) error // of several plans
}

func (e *fakeEngine) Probe(_ context.Context, data []byte) (resize.Source, error) {
	if e.probe != nil {
		return e.probe(data)
	}
	return resize.Source{Format: resize.FormatJPEG, Width: 400, Height: 300, Orientation: 1, Pages: 1, Bands: 3, Depth: 8, Bytes: int64(len(data))}, nil
}

func (e *fakeEngine) Run(ctx context.Context, data []byte, plans ...resize.Plan) ([]resize.Result, error) {
	e.runs.Add(1)
	if e.run != nil {
		if err := e.run(ctx); err != nil {
			return nil, err
		}
	}
	if e.group != nil && len(plans) > 1 {
		if err := e.group(plans); err != nil {
			return nil, err
		}
	}
	var results []resize.Result
	for _, p := range plans {
		body := fmt.Appendf(nil, "%d×%d of %s", p.Width, p.Height, data[4:])
		results = append(results, resize.Result{Body: body, Format: p.Format, Width: p.Width, Height: p.Height, Frames: 1})
	}
	return results, nil
}

// clock is set by hand. It starts at the real time, so that tiers with a clock of their own keep what is
// given to them.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a pipeline on fakes, without Redis.
type bench struct {
	*Pipeline
	clock  *clock
	origin *fakeOrigin
	engine *fakeEngine
	source *Source
	purger *cache.Generations
}

func newBench(t testing.TB) *bench {
	t.Helper()
	fleet := cache.NewFleet(nil, 0)
	generations := cache.NewGenerations(fleet)
	b := &bench{
		clock:  &clock{now: time.Now()},
		origin: &fakeOrigin{},
		engine: &fakeEngine{},
		purger: generations,
	}
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) {
		return &origin.Original{Data: jpeg("one"), Meta: origin.Meta{ETag: `"1"`, MaxAge: -1}}, nil
	}
	b.source = &Source{
		Name: "shop", Origin: b.origin, Limits: resize.DefaultLimits(),
		Fresh: time.Hour, Swr: time.Hour, Sie: 10 * time.Hour, Negative: 30 * time.Second,
	}
	redis := cache.NewRedis(fleet, generations, 0)
	memory, originals := cache.NewMemory(64<<20, generations), cache.NewMemory(64<<20, generations)
	b.Pipeline = &Pipeline{
		Engine: b.engine, Gate: &Gate{Slots: 2, Queue: 100, Wait: time.Minute},
		Memory: memory, Redis: redis,
		Writer: cache.NewWriter(redis, 64<<20, 1000), Leases: cache.NewLeases(fleet, 0),
		Originals: originals, KeepFor: 10 * time.Minute, KeepMaxItem: 16 << 20,
		FillTimeout: 30 * time.Second, RenderTimeout: 10 * time.Second, Now: b.clock.Now,
	}
	t.Cleanup(func() {
		if err := b.Pipeline.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
		if n := len(b.bodies.held); n != 0 {
			t.Errorf("%d originals are still held", n)
		}
		for _, c := range []io.Closer{b.Writer, b.Leases, memory, originals, generations, fleet} {
			if err := c.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
	})
	return b
}

func (b *bench) request(width int) *Request {
	o := resize.Options{Width: width, Format: resize.FormatJPEG}
	return &Request{Source: b.source, Object: "a.jpg", Options: o, Key: KeyOf("shop", "a.jpg", o)}
}

func (b *bench) get(t *testing.T, r *Request) (*cache.Entry, Via) {
	t.Helper()
	e, via, err := b.Get(t.Context(), r)
	if err != nil {
		t.Fatalf("Get(%s): %v", r.Options, err)
	}
	return e, via
}

func (b *bench) counts(t *testing.T, fetches, renders int64) {
	t.Helper()
	if f, r := b.origin.calls.Load(), b.engine.runs.Load(); f != fetches || r != renders {
		t.Errorf("%d fetches and %d renders, want %d and %d", f, r, fetches, renders)
	}
}
