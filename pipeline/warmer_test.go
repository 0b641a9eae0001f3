package pipeline

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestWarmer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made []string
		next := make(chan error)
		w := &Warmer{Room: 2, Make: func(ctx context.Context, p Place) error {
			made = append(made, p.Source+"/"+p.Object)
			select {
			case err := <-next:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		warm := func(objects ...string) {
			for _, o := range objects {
				w.Warm(Place{"shop", o})
			}
			synctest.Wait()
		}
		wants := func(want WarmerStats, paths ...string) {
			t.Helper()
			synctest.Wait()
			if got := w.Stats(); got != want || !slices.Equal(made, paths) {
				t.Errorf("%+v, made %q; want %+v, %q", got, made, want, paths)
			}
			made = nil
		}
		warm("a")
		wants(WarmerStats{}, "shop/a")
		warm("b", "b", "a", "b", "a", "c") // a has changed again while it is worked on; there is no room for c
		wants(WarmerStats{Waiting: 2, Dropped: 1})
		next <- nil
		wants(WarmerStats{Waiting: 1, Dropped: 1, Done: 1}, "shop/b")
		next <- errors.New("no picture")
		wants(WarmerStats{Dropped: 1, Done: 1, Failed: 1}, "shop/a")
		next <- nil
		wants(WarmerStats{Dropped: 1, Done: 2, Failed: 1})

		warm("d") // after a pause, and for too long
		time.Sleep(DefaultWarmTime)
		wants(WarmerStats{Dropped: 1, Done: 2, Failed: 2}, "shop/d")

		warm("e", "f")
		if err := errors.Join(w.Close(), w.Close()); err != nil {
			t.Error(err)
		}
		wants(WarmerStats{Dropped: 1, Done: 2, Failed: 3, Waiting: 1}, "shop/e")
		warm("g")
		wants(WarmerStats{Dropped: 2, Done: 2, Failed: 3, Waiting: 1})
	})
}
