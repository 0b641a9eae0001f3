package cache

import "testing"

// A key is made for each request that no memo knows.
func TestKeyAllocates(t *testing.T) {
	const ceiling = 2 // the texts of its two hashes
	n := testing.AllocsPerRun(100, func() { _ = NewKey(1, "shop", "2026/summer/hero.png", "w=640&h=480&fit=cover&f=webp&q=85") })
	if n > ceiling {
		t.Errorf("NewKey allocates %v times, want at most %d", n, ceiling)
	}
}

func BenchmarkKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = NewKey(1, "shop", "2026/summer/hero.png", "w=640&h=480&fit=cover&f=webp&q=85")
	}
}
