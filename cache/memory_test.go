package cache

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imgedge/imgedge/internal/testpeer"
)

// alone is a memory of a node without Redis.
func alone(t testing.TB, maxBytes int64) (*Memory, *Generations) {
	g := NewGenerations(NewFleet(nil, 0))
	m := NewMemory(maxBytes, g)
	t.Cleanup(func() { _ = m.Close() })
	return m, g
}

func set(t testing.TB, m *Memory, k Key, e *Entry) {
	t.Helper()
	e.Generation = m.gens.now(k)
	if err := m.Set(t.Context(), k, e); err != nil {
		t.Fatalf("Set(%v): %v", k, err)
	}
}

// The budget holds at every moment of a burst of distinct inserts, the worst case for otter.
func TestMemoryBound(t *testing.T) {
	const budget, inserts, size, writers = 64 << 20, 40_000, 100 << 10, 8
	m, _ := alone(t, budget)
	body := make([]byte, size) // shared: the bound counts it each time
	var peak atomic.Int64
	stop, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for {
			select {
			case <-stop:
				return
			default:
				peak.Store(max(peak.Load(), m.held.Load()))
				runtime.Gosched()
			}
		}
	}()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range inserts / writers {
				e := entry("")
				e.Body = body
				set(t, m, key("shop", fmt.Sprint(w), i), e)
				peak.Store(max(peak.Load(), m.held.Load()))
			}
		})
	}
	wg.Wait()
	close(stop)
	<-watched
	if limit := int64(budget) * 105 / 100; peak.Load() > limit {
		t.Errorf("peak of %d bytes, want at most %d", peak.Load(), limit)
	}
	m.cache.CleanUp()
	s := m.Stats()
	if s.Bytes > budget*105/100 || s.Bytes < budget*9/10 {
		t.Errorf("held afterwards: %d, want about the budget of %d", s.Bytes, int64(budget))
	}
	if s.Refused > inserts/100 {
		t.Errorf("%d of %d refused, want under 1 %%", s.Refused, inserts)
	}
	t.Logf("peak %.3f × budget, %+v", float64(peak.Load())/budget, s)

	// What is held is what is there: the accounts close.
	if n := m.gens.count(Purge{All: true}); int64(n) != s.Bytes/weigh(key("shop", "0", 1), &Entry{Body: body, Type: "image/webp", ETag: `"e"`}) {
		t.Errorf("index has %d entries, held are %d bytes", n, s.Bytes)
	}
	if _, err := m.gens.Purge(t.Context(), Purge{All: true}); err != nil {
		t.Fatal(err)
	}
	if s := m.Stats(); s.Bytes != 0 || m.gens.count(Purge{All: true}) != 0 {
		t.Errorf("after purge all: %d bytes, %d entries", s.Bytes, m.gens.count(Purge{All: true}))
	}
}

// The real heap agrees with the accounts, for small entries too, where overhead is most of it.
func TestMemoryOverhead(t *testing.T) {
	for _, size := range []int{1, 1000, 20_000} {
		const budget = 32 << 20
		m, _ := alone(t, budget)
		before := heap()
		for i := 0; m.held.Load() < budget-(64<<10); i++ {
			e := entry("")
			e.Body = make([]byte, size)
			set(t, m, key("shop", fmt.Sprint(i), 1), e)
		}
		grown := int64(heap() - before)
		if grown > budget*105/100 {
			t.Errorf("bodies of %d bytes: heap grew by %d, %.2f × the budget", size, grown, float64(grown)/budget)
		}
		t.Logf("bodies of %d bytes: heap %.2f × budget, %d entries", size, float64(grown)/budget, m.Stats().Entries)
		runtime.KeepAlive(m)
	}
}

func heap() uint64 {
	var s runtime.MemStats
	for range 2 {
		runtime.GC()
	}
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

func TestMemoryGetAllocates(t *testing.T) {
	m, _ := alone(t, 1<<20)
	k, absent := key("shop", "a", 1), key("shop", "b", 1)
	set(t, m, k, entry("a"))
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := m.Get(ctx, k); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Get(ctx, absent); err == nil {
			t.Fatal("found what is absent")
		}
	}); n > 0 && !raceEnabled {
		t.Errorf("a hit and a miss allocate %v times, want 0", n)
	}
}

// BenchmarkMemoryGet asks for entries in turn, of as many as there are: what grows with their number is
// what the processor's caches miss.
func BenchmarkMemoryGet(b *testing.B) {
	for _, entries := range []int{1e3, 1e5, 1e6} {
		b.Run(fmt.Sprintf("entries=%d", entries), func(b *testing.B) {
			m, _ := alone(b, 4<<30)
			keys := make([]Key, entries)
			for i := range keys {
				keys[i] = key("shop", fmt.Sprint(i), 1)
				set(b, m, keys[i], entry("a"))
			}
			ctx := b.Context()
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i += 7919 {
					if _, err := m.Get(ctx, keys[i%entries]); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// What is asked for again and again survives a scan of what is asked for once.
func TestMemoryAdmission(t *testing.T) {
	m, _ := alone(t, 1<<20)
	body := make([]byte, 8<<10)
	get := func(k Key) bool {
		if _, err := m.Get(t.Context(), k); err == nil {
			return true
		}
		e := entry("")
		e.Body = body
		set(t, m, k, e)
		return false
	}
	for range 20 {
		for i := range 50 {
			get(key("hot", "a", i))
		}
	}
	for i := range 2000 {
		get(key("scan", "a", i))
		get(key("hot", "a", i%50))
	}
	hits := 0
	for i := range 50 {
		if get(key("hot", "a", i)) {
			hits++
		}
	}
	if hits < 40 {
		t.Errorf("%d of 50 hot entries survived the scan, want 40 at least", hits)
	}
}

func TestMemoryOff(t *testing.T) {
	m, g := alone(t, 0)
	k, e := key("shop", "a", 1), entry("a")
	e.Generation = g.now(k)
	if err := m.Set(t.Context(), k, e); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Set: %v, want ErrTooLarge", err)
	}
	if _, err := m.Get(t.Context(), k); !errors.Is(err, ErrMiss) {
		t.Errorf("Get: %v, want ErrMiss", err)
	}
	if n, err := g.Purge(t.Context(), Purge{All: true}); n != 0 || err != nil {
		t.Errorf("Purge: %d, %v", n, err)
	}
	_ = m.Stats()
}

// A changed copy of what is there may keep its generation, whatever was purged beside it; once its own
// object is purged it may not.
func TestMemorySucceeds(t *testing.T) {
	m, g := alone(t, 1<<20)
	k, e := key("shop", "a", 1), entry("a")
	set(t, m, k, e)
	for i := range 100 * stripes { // more than a stripe remembers
		if _, err := g.Purge(t.Context(), Purge{Source: "shop", Object: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	again := *e
	again.Detail = "again"
	if err := m.Set(t.Context(), k, &again); err != nil {
		t.Errorf("Set of a changed copy: %v", err)
	}
	if n, err := g.Purge(t.Context(), Purge{Source: "shop", Object: "a"}); n != 1 || err != nil {
		t.Errorf("Purge: %d, %v; want 1, nil", n, err)
	}
	if err := m.Set(t.Context(), k, &again); !errors.Is(err, ErrOutdated) {
		t.Errorf("Set of a copy after the purge: %v, want ErrOutdated", err)
	}
}

// A variant made from an original that was kept long ago is stored, whatever happened meanwhile to others;
// but not once the original's object was purged, even if no push has told of it.
func TestMemoryKeptOriginal(t *testing.T) {
	s := testpeer.Redis(t)
	n := newNode(t, s.URL)
	original, k := OriginalKey("shop", "a.jpg"), key("shop", "a.jpg", 1)
	_, gen, _ := n.tier.Load(t.Context(), original)
	kept, made := entry("original"), entry("made")
	kept.Generation, made.Generation = gen, gen
	if err := n.kept.Set(t.Context(), original, kept); err != nil {
		t.Fatal(err)
	}
	for i := range 2 * lastPurges {
		n.gens.forgetLocked(fmt.Sprint(i), "t - other")
	}
	n.gens.epoch.Add(1)
	if err := n.memory.Set(t.Context(), k, made); err != nil {
		t.Errorf("memory.Set: %v", err)
	}
	if err := n.tier.Set(t.Context(), k, made); err != nil {
		t.Errorf("redis.Set: %v", err)
	}
	if got := n.memory.unverified() + n.kept.unverified(); got != 2 {
		t.Errorf("%d unverified, want the original and what was made of it", got)
	}
	if err := s.Client(t).Set(t.Context(), objectKey(k.Object), "7", 0).Err(); err != nil { // a purge, its push lost
		t.Fatal(err)
	}
	for name, m := range map[string]*Memory{"memory": n.memory, "kept": n.kept} {
		for _, x := range []Key{k, original} {
			if _, err := m.Get(t.Context(), x); !errors.Is(err, ErrMiss) {
				t.Errorf("%s still has %v: %v", name, x, err)
			}
		}
	}
	if err := n.memory.Set(t.Context(), k, made); !errors.Is(err, ErrOutdated) {
		t.Errorf("memory.Set after the purge: %v, want ErrOutdated", err)
	}
	if err := n.tier.Set(t.Context(), k, made); !errors.Is(err, ErrOutdated) {
		t.Errorf("redis.Set after the purge: %v, want ErrOutdated", err)
	}
}

// A purge of one object does not spoil work on others.
func TestMemoryPurgeBeside(t *testing.T) {
	m, g := alone(t, 1<<20)
	k, e := key("shop", "a", 1), entry("a")
	e.Generation = g.now(k)
	for i, purged := 0, 0; purged < 4; i++ {
		object := fmt.Sprint(i)
		if g.stripe(objectHash("shop", object)) != g.stripe(k.Object) {
			continue
		}
		purged++
		if _, err := g.Purge(t.Context(), Purge{Source: "shop", Object: object}); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Set(t.Context(), k, e); err != nil {
		t.Errorf("Set: %v", err)
	}
}

// However stores and purges race, what was begun before a purge is not there after it.
func TestMemoryPurgeRace(t *testing.T) {
	m, g := alone(t, 8<<20)
	const objects = 4
	var version [objects]atomic.Int64 // of the original, raised before its purge
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				o, v := rand.IntN(objects), rand.IntN(3)
				k := key("shop", fmt.Sprint(o), v)
				e := entry("")
				e.Generation = g.now(k)
				e.Status = int(version[o].Load())
				e.Tags = []string{"tag"}
				runtime.Gosched()
				_ = m.Set(t.Context(), k, e) // may be outdated
			}
		})
	}
	for i := range 2000 {
		purges := []Purge{{All: true}, {Source: "shop"}, {Tag: "tag"}, {Source: "shop", Object: fmt.Sprint(i % objects)}}
		p := purges[rand.IntN(len(purges))]
		var want [objects]int64
		for o := range objects {
			if p.Object == "" || p.Object == fmt.Sprint(o) {
				want[o] = version[o].Add(1)
			}
		}
		if _, err := g.Purge(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		for o := range objects {
			for v := range 3 {
				e, err := m.Get(t.Context(), key("shop", fmt.Sprint(o), v))
				if err == nil && int64(e.Status) < want[o] {
					t.Fatalf("after %+v object %d has version %d, want %d", p, o, e.Status, want[o])
				}
			}
		}
	}
	close(stop)
	wg.Wait()
}

// Entries that expire leave the index and the account.
func TestMemoryExpiryCloses(t *testing.T) {
	m, g := alone(t, 1<<20)
	for i := range 100 {
		e := entry("a")
		e.Stale = time.Now().Add(50 * time.Millisecond)
		set(t, m, key("shop", fmt.Sprint(i), 1), e)
	}
	eventually(t, 10*time.Second, "expired entries out of the account", func() bool {
		m.cache.CleanUp()
		return m.held.Load() == 0 && g.count(Purge{All: true}) == 0
	})
}
