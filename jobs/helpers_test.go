package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/imgedge/imgedge/internal/testpeer"
	"github.com/imgedge/imgedge/resize"
)

var _ Bucket = (*testpeer.Shelf)(nil)

// studio makes outputs that say what they are made of: the data and the options.
type studio struct {
	before func(ctx context.Context, data string) error // of each render; nil = nothing

	mu      sync.Mutex
	renders map[string]int
	warmed  []string
}

func (s *studio) Original(_ context.Context, source, key string) ([]byte, error) {
	if strings.HasPrefix(key, "missing") {
		return nil, &Error{404, "not_found", "there is no such original"}
	}
	return []byte(source + "/" + key), nil
}

func (s *studio) Render(ctx context.Context, source string, data []byte, outputs []resize.Options) ([]resize.Result, error) {
	if s.before != nil {
		if err := s.before(ctx, string(data)); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	if s.renders == nil {
		s.renders = map[string]int{}
	}
	s.renders[string(data)]++
	s.mu.Unlock()
	var all []resize.Result
	for _, o := range outputs {
		all = append(all, resize.Result{Body: []byte(source + ":" + string(data) + "?" + o.String()), Format: o.Format, Width: o.Width, Height: 1})
	}
	return all, nil
}

func (s *studio) Warm(_ context.Context, source, key string, outputs []resize.Options) ([]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sizes []int64
	for _, o := range outputs {
		s.warmed = append(s.warmed, source+"/"+key+"?"+o.String())
		sizes = append(sizes, 1)
	}
	return sizes, nil
}

// quick notices a dead worker soon.
var quick = pace{lease: 600 * time.Millisecond, renew: 150 * time.Millisecond, recover: 200 * time.Millisecond}

// open returns an engine over a Redis, a shelf and a studio; it is closed with the test.
func open(t testing.TB, client redis.UniversalClient, change func(*Engine)) *Engine {
	t.Helper()
	e := &Engine{
		Redis: client, Bucket: &testpeer.Shelf{}, Pictures: &studio{}, Concurrency: 4, pace: quick,
		Log: func(event, job string, cause error) { t.Logf("%s: %s: %v", job, event, cause) },
	}
	if change != nil {
		change(e)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return e
}

// work starts the engine's worker.
func work(t testing.TB, e *Engine) *Engine {
	t.Helper()
	if err := e.Work(); err != nil {
		t.Fatalf("Work: %v", err)
	}
	return e
}

func newRedis(t testing.TB) (*testpeer.RedisServer, redis.UniversalClient) {
	t.Helper()
	server := testpeer.Redis(t)
	return server, clientOf(t, server.Addr, "")
}

func clientOf(t testing.TB, addr, password string) redis.UniversalClient {
	t.Helper()
	client := redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: []string{addr}, Password: password, Protocol: 2, MaxRetries: -1, DialerRetries: 1,
		DialTimeout: 250 * time.Millisecond, ContextTimeoutEnabled: true, DisableIdentity: true,
	})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// keys returns n items whose originals lie in a source.
func keys(n int) []Asked {
	items := make([]Asked, n)
	for i := range items {
		items[i] = Asked{Name: fmt.Sprintf("dir/photo %d.jpg", i), Key: fmt.Sprintf("photo-%d.jpg", i)}
	}
	return items
}

func submit(t testing.TB, e *Engine, spec Spec, items []Asked) Job {
	t.Helper()
	if spec.Source == "" {
		spec.Source = "shop"
	}
	if spec.Outputs == nil {
		spec.Outputs = []string{"w=400&f=webp", "w=1600&f=jpeg"}
	}
	j, err := e.Submit(t.Context(), "cms", KindRender, spec, items)
	if err != nil {
		t.Fatalf("Submit: %v", err)
	}
	return j
}

// ended waits for a job's end.
func ended(t testing.TB, e *Engine, id string) Job {
	t.Helper()
	return until(t, e, id, func(j *Job) bool { return j.State.Ended() })
}

// until polls a job that real processes work on.
func until(t testing.TB, e *Engine, id string, good func(*Job) bool) Job {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var j Job
	var err error
	for late := time.After(30 * time.Second); ; {
		if j, err = e.Get(t.Context(), id); err == nil && good(&j) {
			return j
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("the job stands at %+v, %v", j, err)
		}
	}
}

// events reads a job's events to its end.
func events(t testing.TB, e *Engine, id string, last int64) []Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	w, err := e.Watch(ctx, id, last)
	if err != nil {
		t.Fatalf("Watch: %v", err)
	}
	defer w.Close()
	var all []Event
	for {
		event, err := w.Next(ctx)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("Next after %d events: %v", len(all), err)
		}
		all = append(all, event)
	}
}
