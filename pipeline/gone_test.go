package pipeline

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
)

// A render that all who asked for it have gone from is not begun, though none has left yet; the fetch is
// finished, and its original serves the next who asks. One who is there is enough.
func TestGoneBeforeTheRender(t *testing.T) {
	for _, row := range []struct {
		name    string
		there   int // of three who ask
		renders int64
	}{{"nobody is there", 0, 0}, {"one is there", 1, 1}, {"all are there", 3, 1}} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t)
			r := b.request(100)
			plain := b.origin.fetch
			b.origin.fetch = func(c origin.Conditions) (*origin.Original, error) {
				until(t, func() bool { return b.fills.Stats().Waiting == 3 })
				return plain(c)
			}
			var wait sync.WaitGroup
			for i := range 3 {
				gone := i >= row.there
				wait.Go(func() {
					_, _, err := b.Get(cache.WithGone(t.Context(), func() bool { return gone }), r)
					if row.there > 0 && err != nil || row.there == 0 && !errors.Is(err, context.Canceled) {
						t.Errorf("client %d: %v", i, err)
					}
				})
			}
			wait.Wait()
			b.counts(t, 1, row.renders)
			if got, want := b.Stats().Abandoned, uint64(1-row.renders); got != want {
				t.Errorf("%d renders abandoned, want %d", got, want)
			}
			b.get(t, r)
			b.counts(t, 1, 1)
			if s := b.Gate.Stats(); s.Busy != 0 || s.Reserved != 0 {
				t.Errorf("the gate keeps %+v", s)
			}
		})
	}
}
