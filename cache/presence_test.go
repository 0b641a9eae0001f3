package cache

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A fill can ask whether all who wait for it have gone, and nobody who has gone begins it anew.
func TestFlightAwaited(t *testing.T) {
	yes, no := func() bool { return true }, func() bool { return false }
	for _, row := range []struct {
		name    string
		waiters []func() bool // nil = cannot be asked
		awaited bool
	}{
		{"one that has gone", []func() bool{yes}, false},
		{"three that have gone", []func() bool{yes, yes, yes}, false},
		{"one of three is there", []func() bool{yes, no, yes}, true},
		{"one cannot be asked", []func() bool{yes, nil}, true},
		{"a refresh behind", []func() bool{nil}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var f Flight[int]
				var fills atomic.Int32
				var wg sync.WaitGroup
				for _, gone := range row.waiters {
					ctx := t.Context()
					if gone != nil {
						ctx = WithGone(ctx, gone)
					}
					wg.Go(func() {
						v, _, err := f.Do(ctx, Hash{1}, func(_, patience context.Context) (int, error) {
							fills.Add(1)
							time.Sleep(time.Second) // queueing, while the others come
							if !Awaited(patience) {
								return 0, patience.Err()
							}
							return 7, nil
						})
						if row.awaited && (v != 7 || err != nil) || !row.awaited && !errors.Is(err, context.Canceled) {
							t.Errorf("Do = %d, %v; awaited: %v", v, err, row.awaited)
						}
					})
				}
				wg.Wait()
				if n := fills.Load(); n != 1 {
					t.Errorf("%d fills, want 1", n)
				}
			})
		})
	}
}

// Who joins a fill just after it was found abandoned is served by another one.
func TestFlightAwaitedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Flight[int]
		var fills atomic.Int32
		fill := func(_, patience context.Context) (int, error) {
			n := fills.Add(1)
			if !Awaited(patience) {
				time.Sleep(time.Second) // the other comes now
				return 0, patience.Err()
			}
			return int(n), nil
		}
		var wg sync.WaitGroup
		wg.Go(func() { _, _, _ = f.Do(WithGone(t.Context(), func() bool { return true }), Hash{1}, fill) }) // its outcome is not looked at
		time.Sleep(time.Millisecond)
		v, _, err := f.Do(t.Context(), Hash{1}, fill)
		if v != 2 || err != nil {
			t.Errorf("Do = %d, %v; want the second fill's", v, err)
		}
		wg.Wait()
	})
}
