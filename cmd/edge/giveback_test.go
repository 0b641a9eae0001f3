package main

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// What a burst has left is given back within ten seconds of its end, and under lasting load as often.
func TestGiveBack(t *testing.T) {
	const burst = worthGiving + 1
	for name, tt := range map[string]struct {
		allocated []uint64 // between two looks
		freed     []bool
	}{
		"nothing":          {[]uint64{0, 0, 0}, []bool{false, false, false}},
		"a little":         {[]uint64{worthGiving, 0, 0}, []bool{false, false, false}},
		"little by little": {[]uint64{worthGiving, worthGiving, 0}, []bool{false, true, false}},
		"a burst":          {[]uint64{0, burst, 0, 0}, []bool{false, false, true, false}},
		"without end":      {[]uint64{burst, burst, burst, burst, burst}, []bool{false, true, false, true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var total, frees atomic.Uint64
				var freed []bool
				go giveBack(ctx, giveBackEvery, total.Load, func() { frees.Add(1) })
				synctest.Wait()
				for _, n := range tt.allocated {
					total.Add(n)
					time.Sleep(giveBackEvery)
					synctest.Wait()
					freed = append(freed, frees.Swap(0) > 0)
				}
				if !slices.Equal(freed, tt.freed) {
					t.Errorf("freed %v, want %v", freed, tt.freed)
				}
			})
		})
	}
	if 2*giveBackEvery > 10*time.Second {
		t.Errorf("a burst is given back after %v", 2*giveBackEvery)
	}
}

var sink []byte //nolint:gochecknoglobals // keeps the compiler from leaving the allocation out

func TestAllocatedCounts(t *testing.T) {
	before := allocated()
	sink = make([]byte, 64<<20)
	if n := allocated() - before; n < 64<<20 {
		t.Errorf("64 MiB were allocated, counted %d bytes", n)
	}
	sink = nil
}
