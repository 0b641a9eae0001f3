package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/imgedge/imgedge/internal/testpeer"
)

// TestAThousandWatchersAreOneSubscription watches one job a thousand times on one node.
func TestAThousandWatchersAreOneSubscription(t *testing.T) {
	const watchers = 1000
	server, client := newRedis(t)
	e := open(t, client, nil)
	j := submit(t, e, Spec{}, keys(20))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	seen := make([][]int64, watchers)
	var wg sync.WaitGroup
	var ready sync.WaitGroup
	ready.Add(watchers)
	for i := range watchers {
		wg.Go(func() {
			w, err := e.Watch(ctx, j.ID, 0)
			ready.Done()
			if err != nil {
				t.Errorf("Watch: %v", err)
				return
			}
			defer w.Close()
			for {
				event, err := w.Next(ctx)
				if errors.Is(err, io.EOF) {
					return
				} else if err != nil {
					t.Errorf("Next: %v", err)
					return
				}
				seen[i] = append(seen[i], event.ID)
			}
		})
	}
	ready.Wait()
	subscribed := func() int64 {
		n, err := server.Client(t).PubSubNumSub(ctx, pushChannel).Result()
		if err != nil {
			t.Fatal(err)
		}
		return n[pushChannel]
	}
	if got := e.Stats(); got.Watchers != watchers || got.Feeds != 1 {
		t.Errorf("%d watchers of %d feeds", got.Watchers, got.Feeds)
	}
	until(t, e, j.ID, func(*Job) bool { return subscribed() == 1 })
	work(t, e)
	wg.Wait()
	for i := range seen {
		if len(seen[i]) != 21 || !slices.IsSorted(seen[i]) || !slices.Equal(seen[i], seen[0]) {
			t.Fatalf("watcher %d saw %v, the first %v", i, seen[i], seen[0])
		}
	}
	if got := e.Stats(); got.Watchers != 0 || got.Feeds != 0 {
		t.Errorf("after the end: %d watchers of %d feeds", got.Watchers, got.Feeds)
	}
}

// TestResume comes again after every event, on another node each time.
func TestResume(t *testing.T) {
	server, client := newRedis(t)
	bucket := &testpeer.Shelf{}
	e := work(t, open(t, client, func(e *Engine) { e.Bucket = bucket }))
	other := open(t, clientOf(t, server.Addr, ""), func(e *Engine) { e.Bucket = bucket })
	j := submit(t, e, Spec{}, keys(6))
	all := events(t, e, j.ID, 0)
	for i := range all {
		got := events(t, []*Engine{e, other}[i%2], j.ID, all[i].ID)
		if !slices.Equal(got, all[i+1:]) {
			t.Errorf("after event %d: %v, want %v", i, got, all[i+1:])
		}
	}
	w, err := e.Watch(t.Context(), j.ID, all[len(all)-1].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if !w.Over() {
		t.Error("after the last event there is more to come")
	}
}

// TestALostMessageDelaysOnly unsubscribes the node's connection while a job runs.
func TestALostMessageDelaysOnly(t *testing.T) {
	server, client := newRedis(t)
	e := open(t, client, nil)
	j := submit(t, e, Spec{}, keys(3))
	w, err := e.Watch(t.Context(), j.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := server.Client(t).Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err(); err != nil {
		t.Fatal(err)
	}
	work(t, e)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for i := range 4 {
		if _, err := w.Next(ctx); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
}

func TestEventID(t *testing.T) {
	tests := []struct {
		text string
		want int64
	}{
		{"1700000000000-0", 1_700_000_000_000_000},
		{"1700000000000-7", 1_700_000_000_000_007},
		{"1700000000000-5000", 1_700_000_000_000_999},
		{"", 0},
		{"7", 0},
		{"a-b", 0},
	}
	for _, tt := range tests {
		if got := eventID(tt.text); got != tt.want {
			t.Errorf("eventID(%q) = %d, want %d", tt.text, got, tt.want)
		}
	}
}

// BenchmarkEventToWatcher measures from the end of an item to the event at a watcher, through Redis.
func BenchmarkEventToWatcher(b *testing.B) {
	_, client := newRedis(b)
	e := open(b, client, func(e *Engine) { e.MaxItems = 100_000 })
	items := make([]Asked, b.N)
	for i := range items {
		items[i] = Asked{Name: strconv.Itoa(i), Key: "a"}
	}
	e.setup()
	r := e.newRecord("cms", KindRender, Spec{Source: "shop", Outputs: []string{"w=1"}})
	r.Asked = items
	if err := e.writeRecord(b.Context(), r); err != nil {
		b.Fatal(err)
	}
	if err := e.state.create(b.Context(), r); err != nil {
		b.Fatal(err)
	}
	w, err := e.Watch(b.Context(), r.ID, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	took := make([]time.Duration, 0, b.N)
	b.ResetTimer()
	for n := range b.N {
		at := time.Now()
		if _, err := e.state.finish(b.Context(), r.ID, n, &Item{Name: fmt.Sprint(n), State: StateDone}); err != nil {
			b.Fatal(err)
		}
		if _, err := w.Next(b.Context()); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-median")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
}
