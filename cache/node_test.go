package cache

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testNode is what one process of the fleet has.
type testNode struct {
	client redis.UniversalClient
	fleet  *Fleet
	gens   *Generations
	memory *Memory
	kept   *Memory // of originals
	tier   *Redis
	leases *Leases
}

// newNode wires a node; "" = without a Redis.
func newNode(t testing.TB, url string) *testNode {
	t.Helper()
	if url == "" {
		return wireNode(t, nil)
	}
	c, err := OpenRedis(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return wireNode(t, c)
}

func wireNode(t testing.TB, c redis.UniversalClient) *testNode {
	t.Helper()
	n := &testNode{client: c}
	n.fleet = NewFleet(c, testTimeout)
	n.gens = NewGenerations(n.fleet)
	n.memory = NewMemory(32<<20, n.gens)
	n.kept = NewMemory(32<<20, n.gens)
	n.tier = NewRedis(n.fleet, n.gens, 0)
	n.leases = NewLeases(n.fleet, 0)
	t.Cleanup(func() {
		for _, c := range []io.Closer{n.leases, n.kept, n.memory, n.gens, n.fleet} {
			for range 2 { // twice is fine
				if err := c.Close(); err != nil {
					t.Errorf("close %T: %v", c, err)
				}
			}
		}
	})
	if c != nil {
		n.settle(t)
	}
	return n
}

// testTimeout is larger than the default, for a machine that does much else.
const testTimeout = 200 * time.Millisecond

// settle waits until the node is in step and subscribed.
func (n *testNode) settle(t testing.TB) {
	t.Helper()
	eventually(t, 10*time.Second, "node in step and subscribed", func() bool {
		if !n.gens.inStep() {
			return false
		}
		woken, leave := n.fleet.awaken(Hash{1})
		defer leave()
		_ = n.client.Publish(t.Context(), pushChannel, wakePrefix+Hash{1}.String()).Err() // tried again
		select {
		case <-woken:
			return true
		case <-time.After(50 * time.Millisecond):
			return false
		}
	})
}

// eventually polls until ok, and fails the test after d.
func eventually(t testing.TB, d time.Duration, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(d); !ok(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not within %v: %s", d, what)
		}
	}
}

// fill makes an entry as the pipeline does: the generation first, then the work, then memory and Redis.
func (n *testNode) fill(t testing.TB, key Key, body string) *Entry {
	t.Helper()
	_, gen, _ := n.tier.Load(t.Context(), key)
	e := entry(body)
	e.Generation = gen
	if err := n.memory.Set(t.Context(), key, e); err != nil {
		t.Fatalf("memory.Set(%v): %v", key, err)
	}
	if err := n.tier.Set(t.Context(), key, e); err != nil {
		t.Fatalf("redis.Set(%v): %v", key, err)
	}
	return e
}

// find is what a request does: memory, then Redis, which fills memory. "" = not there.
func (n *testNode) find(ctx context.Context, key Key) string {
	if e, err := n.memory.Get(ctx, key); err == nil {
		return string(e.Body)
	}
	e, _, err := n.tier.Load(ctx, key)
	if err != nil {
		return ""
	}
	_ = n.memory.Set(ctx, key, e) // it may be outdated by now, which is no matter here
	return string(e.Body)
}

func entry(body string) *Entry {
	now := time.Now()
	return &Entry{
		Body: []byte(body), Type: "image/webp", ETag: `"e"`, Status: 200,
		Stored: now, Fresh: now.Add(time.Hour), Swr: now.Add(2 * time.Hour), Stale: now.Add(3 * time.Hour),
	}
}

func key(source, object string, variant int) Key {
	return NewKey(1, source, object, fmt.Sprintf("w=%d", variant))
}
