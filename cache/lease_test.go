package cache

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imgedge/imgedge/internal/testpeer"
)

// request is what the pipeline does on a node: memory, Redis, lease, work, store, release.
func (n *testNode) request(ctx context.Context, k Key, work func() string) string {
	_, gen, err := n.tier.Load(ctx, k)
	var found *Entry
	look := func(ctx context.Context) bool {
		var err error
		found, _, err = n.tier.Load(ctx, k)
		return err == nil
	}
	if err == nil && look(ctx) {
		return string(found.Body)
	}
	release, led := n.leases.Lead(ctx, k, look)
	if !led {
		return string(found.Body)
	}
	defer release()
	e := entry(work())
	e.Generation = gen
	_ = n.tier.Set(ctx, k, e)
	return string(e.Body)
}

func TestLeaseOneWorks(t *testing.T) {
	url := testpeer.Redis(t).URL
	testLeaseOneWorks(t, newNode(t, url), newNode(t, url))
}

func TestLeaseOneWorksOnACluster(t *testing.T) {
	url := "redis+cluster://" + strings.Join(testpeer.RedisCluster(t), ",")
	testLeaseOneWorks(t, newNode(t, url), newNode(t, url))
}

func testLeaseOneWorks(t *testing.T, nodes ...*testNode) {
	for round := range 10 {
		k := key("shop", "a.jpg", round)
		var works atomic.Int32
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				got := nodes[i%len(nodes)].request(t.Context(), k, func() string {
					works.Add(1)
					time.Sleep(20 * time.Millisecond) // the work
					return "done"
				})
				if got != "done" {
					t.Errorf("got %q", got)
				}
			})
		}
		wg.Wait()
		if works.Load() != 1 {
			t.Errorf("round %d: worked %d times, want once", round, works.Load())
		}
	}
	var led, collapsed uint64
	for _, n := range nodes {
		s := n.leases.Stats()
		led, collapsed = led+s.Led, collapsed+s.Collapsed
		if s.Alone != 0 {
			t.Errorf("%d worked alone", s.Alone)
		}
	}
	if led != 10 || collapsed == 0 {
		t.Errorf("led %d, collapsed %d; want 10 and some", led, collapsed)
	}
}

// The wake-up comes by push: a waiter that would poll in an hour does not wait for that.
func TestLeaseWakes(t *testing.T) {
	url := testpeer.Redis(t).URL
	a, b := newNode(t, url), newNode(t, url)
	b.leases.first, b.leases.last = time.Hour, time.Hour
	k := key("shop", "a.jpg", 1)
	_, gen, _ := a.tier.Load(t.Context(), k)
	release, _ := a.leases.Lead(t.Context(), k, func(context.Context) bool { return false })
	looked, got := make(chan struct{}, 2), make(chan bool, 1)
	go func() {
		_, led := b.leases.Lead(t.Context(), k, func(ctx context.Context) bool {
			looked <- struct{}{}
			_, _, err := b.tier.Load(ctx, k)
			return err == nil
		})
		got <- led
	}()
	<-looked // once, in vain; from here on it waits
	e := entry("by a")
	e.Generation = gen
	if err := a.tier.Set(t.Context(), k, e); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	release()
	select {
	case led := <-got:
		t.Logf("woken after %v", time.Since(start))
		if led {
			t.Error("the waiter was told to work")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the waiter sleeps on")
	}
}

func (n *testNode) exists(t *testing.T, name string) bool {
	t.Helper()
	return n.client.Exists(t.Context(), name).Val() == 1
}

func (n *testNode) waits(k Key) bool {
	n.fleet.mu.Lock()
	defer n.fleet.mu.Unlock()
	return len(n.fleet.wakers[k.Variant]) > 0
}

// Without its subscription a waiter polls.
func TestLeasePolls(t *testing.T) {
	url := testpeer.Redis(t).URL
	a := newNode(t, url)
	b, link := newCutNode(t, url)
	link.cut(false)
	k := key("shop", "a.jpg", 1)
	_, gen, _ := a.tier.Load(t.Context(), k)
	release, _ := a.leases.Lead(t.Context(), k, func(context.Context) bool { return false })
	got := make(chan string, 1)
	go func() { got <- b.request(t.Context(), k, func() string { return "worked twice" }) }()
	eventually(t, 5*time.Second, "the waiter waits", func() bool { return b.waits(k) })
	e := entry("by a")
	e.Generation = gen
	if err := a.tier.Set(t.Context(), k, e); err != nil {
		t.Fatal(err)
	}
	release()
	release() // any number of times
	if s := <-got; s != "by a" {
		t.Errorf("the waiter has %q, want what a made", s)
	}
}

// A holder that dies delays the others by its lease's time, no more; one that works on keeps it.
func TestLeaseDeadHolder(t *testing.T) {
	const ttl = time.Second
	url := testpeer.Redis(t).URL
	a, b := newNode(t, url), newNode(t, url)
	alive, dead := NewLeases(a.fleet, ttl), NewLeases(a.fleet, ttl)
	t.Cleanup(func() { _ = alive.Close() })
	nothing := func(context.Context) bool { return false }
	k := key("shop", "a.jpg", 1)

	if _, led := dead.Lead(t.Context(), k, nothing); !led {
		t.Fatal("not led")
	}
	_ = dead.Close() // as a process that died: no renewal, no release
	start := time.Now()
	release, led := alive.Lead(t.Context(), k, nothing)
	if d := time.Since(start); !led || d > ttl+testTimeout {
		t.Fatalf("after a death: led = %v after %v, want true within %v", led, d, ttl)
	}

	// Renewed: nobody gets it in twice its time.
	ctx, cancel := context.WithTimeout(t.Context(), 2*ttl)
	defer cancel()
	others := NewLeases(b.fleet, ttl)
	t.Cleanup(func() { _ = others.Close() })
	also, led := others.Lead(ctx, k, nothing)
	defer also() // or who gets it against expectation keeps it, and the last waits for ever
	if !led || others.Stats().Alone != 1 || !ended(ctx) {
		t.Fatalf("beside a living holder: led = %v, %+v, ctx %v; want alone at the end of ctx", led, others.Stats(), ctx.Err())
	}
	release()
	if release, led := others.Lead(t.Context(), k, nothing); !led || others.Stats().Led != 1 {
		t.Errorf("after the release: led = %v, %+v", led, others.Stats())
	} else {
		release()
	}
	if d := NewLeases(a.fleet, 0).ttl + lastPoll; d > 10*time.Second {
		t.Errorf("the default delay is %v, want 10 s at most", d)
	}
}

// Where the holder ends without a value, one of the others takes the lease and the rest do not wait for
// that one too: they work beside it, but who comes then waits.
func TestLeaseEndsWithoutValue(t *testing.T) {
	url := testpeer.Redis(t).URL
	nothing := func(context.Context) bool { return false }
	k := key("shop", "a.jpg", 1)
	holder := newNode(t, url)
	release, led := holder.leases.Lead(t.Context(), k, nothing)
	if !led {
		t.Fatal("not led")
	}
	const waiters = 3
	nodes, ends := make([]*testNode, waiters), make(chan func(), waiters)
	for i := range nodes {
		n := newNode(t, url)
		nodes[i] = n
		go func() {
			release, led := n.leases.Lead(t.Context(), k, nothing)
			if !led {
				t.Error("a waiter found a value")
			}
			ends <- release
		}()
		eventually(t, 5*time.Second, "the waiter waits", func() bool { return n.waits(k) })
	}
	release()
	var releases []func()
	for range nodes {
		select {
		case release := <-ends: // none has ended yet, and no lease ran out
			releases = append(releases, release)
		case <-time.After(5 * time.Second):
			t.Fatalf("%d of %d waiters work, the others wait for them", len(releases), waiters)
		}
	}
	var s LeaseStats
	for _, n := range nodes {
		one := n.leases.Stats()
		s.Led, s.Alone = s.Led+one.Led, s.Alone+one.Alone
	}
	if s.Led != 1 || s.Alone != waiters-1 {
		t.Errorf("%+v, want 1 led and the others alone", s)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, _ = holder.leases.Lead(ctx, k, nothing); ctx.Err() == nil {
		t.Error("who comes while they work does not wait")
	}
	for _, release := range releases {
		release()
	}
}

// After Close the leases still work, without renewal.
func TestLeaseAfterClose(t *testing.T) {
	n := newNode(t, testpeer.Redis(t).URL)
	_ = n.leases.Close()
	k := key("shop", "a.jpg", 1)
	release, led := n.leases.Lead(t.Context(), k, func(context.Context) bool { return false })
	if !led || !n.exists(t, leaseKey(k)) {
		t.Errorf("led = %v", led)
	}
	release()
	if n.exists(t, leaseKey(k)) {
		t.Error("the lease is not released")
	}
}

// The loss of a lease is harmless: its late holder releases nothing of the next one's.
func TestLeaseLost(t *testing.T) {
	s := testpeer.Redis(t)
	a, b := newNode(t, s.URL), newNode(t, s.URL)
	k := key("shop", "a.jpg", 1)
	nothing := func(context.Context) bool { return false }
	late, led := a.leases.Lead(t.Context(), k, nothing)
	if !led {
		t.Fatal("not led")
	}
	if err := s.Client(t).Del(t.Context(), leaseKey(k)).Err(); err != nil {
		t.Fatal(err)
	}
	release, led := b.leases.Lead(t.Context(), k, nothing)
	if !led {
		t.Fatal("the lost lease is not given on")
	}
	defer release()
	late()
	if !b.exists(t, leaseKey(k)) {
		t.Error("the late holder deleted the next one's lease")
	}
}

// A waiter whose Redis dies works alone at once.
func TestLeaseRedisDies(t *testing.T) {
	s := testpeer.Redis(t)
	a, b := newNode(t, s.URL), newNode(t, s.URL)
	k := key("shop", "a.jpg", 1)
	nothing := func(context.Context) bool { return false }
	release, _ := a.leases.Lead(t.Context(), k, nothing)
	done := make(chan bool, 1)
	go func() {
		_, led := b.leases.Lead(t.Context(), k, nothing)
		done <- led
	}()
	eventually(t, 5*time.Second, "the waiter waits", func() bool { return b.waits(k) })
	s.Pause()
	select {
	case led := <-done:
		if !led || b.leases.Stats().Alone != 1 {
			t.Errorf("led = %v, %+v; want alone", led, b.leases.Stats())
		}
	case <-time.After(5 * time.Second):
		t.Error("the waiter still waits")
	}
	release()
	s.Resume()
}

func TestLeaseWithoutRedis(t *testing.T) {
	n := newNode(t, "")
	release, led := n.leases.Lead(t.Context(), key("shop", "a.jpg", 1), func(context.Context) bool { return false })
	release()
	if !led {
		t.Error("not led")
	}
}

// A writer releases the lease once the value is there.
func TestWriterReleases(t *testing.T) {
	n := newNode(t, testpeer.Redis(t).URL)
	w := NewWriter(n.tier, 1<<20, 10)
	t.Cleanup(func() { _ = w.Close() })
	k := key("shop", "a.jpg", 1)
	_, gen, _ := n.tier.Load(t.Context(), k)
	release, _ := n.leases.Lead(t.Context(), k, func(context.Context) bool { return false })
	e := entry("a")
	e.Generation = gen
	if !w.Put(k, e, func() {
		if _, _, err := n.tier.Load(t.Context(), k); err != nil {
			t.Errorf("released before the value is there: %v", err)
		}
		release()
	}) {
		t.Fatal("dropped")
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n.exists(t, leaseKey(k)) {
		t.Error("the lease is still held after Flush")
	}
	if got, want := w.Stats(), (WriterStats{Stored: 1}); got != want {
		t.Errorf("Stats = %+v, want %+v", got, want)
	}
}

// gate is a Store whose Set waits.
type gate struct {
	Store
	entered, open chan struct{}
}

func (g gate) Set(context.Context, Key, *Entry) error {
	g.entered <- struct{}{}
	<-g.open
	return errors.New("trouble")
}

func TestWriterBounds(t *testing.T) {
	g := gate{entered: make(chan struct{}, 10), open: make(chan struct{})}
	w := NewWriter(g, 100, 2)
	k := key("shop", "a.jpg", 1)
	var done atomic.Int32
	put := func(size int) bool { return w.Put(k, &Entry{Body: make([]byte, size)}, func() { done.Add(1) }) }
	if !put(10) {
		t.Fatal("the first is dropped")
	}
	<-g.entered // under way: its bytes count, its place is free
	if put(91) {
		t.Error("101 of 100 bytes are taken")
	}
	if !put(40) || !put(50) {
		t.Error("100 of 100 bytes are dropped")
	}
	if put(0) {
		t.Error("a third is taken into a queue of 2")
	}
	if done.Load() != 2 {
		t.Errorf("done was called %d times for 2 drops", done.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Flush(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Flush with an ended context: %v", err)
	}
	closed := make(chan struct{})
	go func() { _ = w.Close(); close(closed) }()
	eventually(t, 5*time.Second, "Close drops what waits", func() bool { return done.Load() == 4 })
	close(g.open)
	<-closed
	_ = w.Close()
	if put(1) || done.Load() != 6 {
		t.Errorf("after Close: done %d times, want 6", done.Load())
	}
	if got, want := w.Stats(), (WriterStats{Failed: 1, Dropped: 5}); got != want {
		t.Errorf("Stats = %+v, want %+v", got, want)
	}
}
