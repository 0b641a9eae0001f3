package pipeline

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/resize"
)

// TestRenderMakesAllFromOneRun makes two pictures beside one that passes as it is, in the batch lane, and
// keeps nothing.
func TestRenderMakesAllFromOneRun(t *testing.T) {
	b := newBench(t)
	var work []Work
	b.Observe = func(w Work) { work = append(work, w) }
	outputs := []resize.Options{{Width: 40, Format: resize.FormatWebP}, {Width: 80, Format: resize.FormatJPEG}}
	results, err := b.Render(t.Context(), b.source, jpeg("one"), outputs)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"40×30 of one", "80×60 of one"} {
		if got := string(results[i].Body); got != want {
			t.Errorf("output %d is %q, want %q", i, got, want)
		}
	}
	b.counts(t, 0, 1)
	if len(work) != 2 || work[0].Lane != LaneBatch || work[1].Format != resize.FormatJPEG {
		t.Errorf("observed %+v", work)
	}
	if s := b.Gate.Stats(); s.Busy != 0 || s.Reserved != 0 {
		t.Errorf("the gate holds %+v", s)
	}
}

// Outputs with several watermarks are made on a full room: who holds one waits for no other.
func TestRenderWithSeveralMarksOnATightRoom(t *testing.T) {
	b := newBench(t)
	b.inRoom(10_000, 5_000)
	b.Room.Wait = 100 * time.Millisecond
	b.SourceOf = func(string) *Source { return b.source }
	var outputs []resize.Options
	for _, mark := range []string{"shop/a.jpg", "shop/b.jpg", "", "shop/a.jpg"} {
		outputs = append(outputs, resize.Options{Width: 40 + len(outputs), Format: resize.FormatJPEG, Watermark: resize.Watermark{Image: mark}})
	}
	results, err := b.Render(t.Context(), b.source, append(jpeg("one"), make([]byte, 10_000)...), outputs)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Width != outputs[i].Width {
			t.Errorf("output %d is %d px wide, want %d", i, r.Width, outputs[i].Width)
		}
	}
	until(t, func() bool { return b.Room.Stats().Used == 0 })
}

func TestRenderRefuses(t *testing.T) {
	for _, row := range []struct {
		name, data string
		options    resize.Options
		prepare    func(*bench)
		want       string
	}{
		{"no picture", "plain text", resize.Options{Width: 4, Format: resize.FormatJPEG}, nil, "not a picture"},
		{"too many pixels", string(jpeg("a")), resize.Options{Width: 4, Format: resize.FormatJPEG}, func(b *bench) { b.source.Limits.SourcePixels = 10 }, "the limit is 10 px"},
		{"unknown watermark", string(jpeg("a")), resize.Options{Width: 40, Format: resize.FormatJPEG, Watermark: resize.Watermark{Image: "gone/a.png", Opacity: 1, Scale: 0.2}}, nil, "gone"},
		{"too slow", string(jpeg("a")), resize.Options{Width: 4, Format: resize.FormatJPEG}, func(b *bench) {
			b.RenderTimeout = 1
			b.engine.run = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		}, ErrRenderTimeout.Error()},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t)
			if row.prepare != nil {
				row.prepare(b)
			}
			_, err := b.Render(t.Context(), b.source, []byte(row.data), []resize.Options{row.options})
			var known interface{ HTTPStatus() int }
			if err == nil || !strings.Contains(err.Error(), row.want) || !errors.As(err, &known) {
				t.Errorf("%v, want an error with a status about %q", err, row.want)
			}
		})
	}
}
