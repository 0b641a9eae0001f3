//go:build !race

package pipeline

import "testing"

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
