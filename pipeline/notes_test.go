package pipeline

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

// An original's notes are asked for once, with the original, and again after a purge.
func TestNotesAreKept(t *testing.T) {
	given := &origin.Original{Data: jpeg("one"), Meta: origin.Meta{MaxAge: -1}}
	for _, row := range []struct {
		name  string
		begin func(b *bench)
		want  int64 // questions
	}{
		{"fetched", func(*bench) {}, 1},
		{"given by an upload", func(b *bench) {
			b.Give(t.Context(), b.source, "a.jpg", given.Data, Notes{Tags: []string{"sale"}})
		}, 0},
		{"given for presets", func(b *bench) { b.Make(t.Context(), b.source, "a.jpg", given, widths(50, 60)) }, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t)
			var asked atomic.Int64
			b.source.Notes = func(context.Context, string) (Notes, error) {
				asked.Add(1)
				return Notes{Focus: &resize.Focus{X: 0.25, Y: 1}, Tags: []string{"sale"}}, nil
			}
			row.begin(b)
			ten := func(first int) {
				t.Helper()
				for width := first; width < first+10; width++ {
					e, _, err := b.Get(t.Context(), b.request(width))
					if err != nil || !slices.Contains(e.Tags, "sale") {
						t.Fatalf("width %d: %+v, %v", width, e, err)
					}
				}
			}
			ten(100)
			if n := asked.Load(); n != row.want {
				t.Errorf("asked %d times for ten sizes, want %d", n, row.want)
			}
			if _, err := b.purger.Purge(t.Context(), cache.Purge{Source: "shop", Object: "a.jpg"}); err != nil {
				t.Fatal(err)
			}
			ten(200)
			if n := asked.Load(); n != row.want+1 {
				t.Errorf("asked %d times after a purge, want %d", n, row.want+1)
			}
		})
	}
}

// Notes that cannot be had end the fill, and are asked for again.
func TestNotesThatCannotBeHad(t *testing.T) {
	b := newBench(t)
	away := errors.New("the bucket is away")
	err := away
	b.source.Notes = func(context.Context, string) (Notes, error) { return Notes{}, err }
	if _, _, got := b.Get(t.Context(), b.request(100)); !errors.Is(got, away) {
		t.Errorf("without notes: %v", got)
	}
	err = nil
	if _, _, got := b.Get(t.Context(), b.request(100)); got != nil {
		t.Errorf("with notes: %v", got)
	}
}
