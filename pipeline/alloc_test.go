//go:build !race

package pipeline

import (
	"testing"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/resize"
)

// The way of a memory hit allocates nothing: neither the look-up nor how it is described.
func TestLookupAllocates(t *testing.T) {
	b := newBench(t)
	b.Now = nil
	r := b.request(100)
	b.get(t, r)
	if n := testing.AllocsPerRun(1000, func() {
		if e, _ := b.Lookup(r); e == nil {
			t.Fatal("Lookup found nothing")
		}
	}); n != 0 {
		t.Errorf("Lookup of a fresh entry: %v allocations, want 0", n)
	}
}

// A request is made for each URL that no memo knows, and each set of formats that its clients take.
func TestRequestAllocates(t *testing.T) {
	b := newBench(t)
	o := resize.Options{Width: 640, Height: 480, Format: resize.FormatWebP, Quality: 85}
	const ceiling = 6 // the request, the canonical text, the texts of its hashes
	if n := testing.AllocsPerRun(100, func() { _ = NewRequest(b.source, "2026/summer/hero.png", o) }); n > ceiling {
		t.Errorf("NewRequest allocates %v times, want at most %d", n, ceiling)
	}
}

// The way of a hit in Redis, from the look-up in memory to the entry, with the client library's share: what
// is sent, two replies, the entry and its texts, the flight, the bound on the call.
func TestRedisHitAllocates(t *testing.T) {
	const ceiling = 44
	b := newBench(t)
	b.onRedis(t)
	b.Now = nil

	b.Memory = cache.NewMemory(0, b.purger)
	r := b.request(100)
	until(t, func() bool {
		_, via := b.get(t, r)
		return via.Hit == TierRedis
	})
	if n := testing.AllocsPerRun(500, func() {
		if _, via, err := b.Get(t.Context(), r); err != nil || via.Hit != TierRedis {
			t.Fatalf("Get = %+v, %v; want a hit in Redis", via, err)
		}
	}); n > ceiling {
		t.Errorf("a hit in Redis allocates %v times, want at most %d", n, ceiling)
	}
}

func BenchmarkLookup(b *testing.B) {
	p := newBench(b)
	p.Now = nil
	r := p.request(100)
	if _, _, err := p.Get(b.Context(), r); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if e, _ := p.Lookup(r); e == nil {
			b.Fatal("Lookup found nothing")
		}
	}
}
