package pipeline

import (
	"bytes"
	"sync"
	"testing"

	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

func widths(all ...int) []resize.Options {
	var options []resize.Options
	for _, w := range all {
		options = append(options, resize.Options{Width: w, Format: resize.FormatJPEG})
	}
	return options
}

func TestMake(t *testing.T) {
	b := newBench(t)
	b.Originals = nil
	lanes := make(chan Lane, 9)
	b.Observe = func(w Work) { lanes <- w.Lane }
	b.get(t, b.request(200))
	<-lanes
	b.counts(t, 1, 1)
	for i, m := range b.Make(t.Context(), b.source, "a.jpg", nil, widths(100, 200, 300)) {
		if m.Err != nil || m.Entry == nil || m.Entry.Status != 200 {
			t.Fatalf("picture %d: %+v", i, m)
		}
		if hit := m.Via.Hit != TierNone; hit != (i == 1) {
			t.Errorf("picture %d: %+v", i, m.Via)
		}
	}
	b.counts(t, 2, 2)
	if n := len(lanes); n != 2 || <-lanes != LaneBatch || <-lanes != LaneBatch {
		t.Errorf("%d renders were told, want 2 in the batch lane", n)
	}
	b.Make(t.Context(), b.source, "a.jpg", nil, widths(100, 200, 300))
	b.counts(t, 2, 2)
	if none := b.Make(t.Context(), b.source, "a.jpg", nil, nil); len(none) != 0 {
		t.Errorf("nothing gives %v", none)
	}
}

// TestMakeGiven holds that bytes in hand are not fetched, and serve later variants.
func TestMakeGiven(t *testing.T) {
	b := newBench(t)
	given := &origin.Original{Data: jpeg("in hand"), Meta: origin.Meta{ETag: `"h"`, MaxAge: -1}}
	for _, m := range b.Make(t.Context(), b.source, "a.jpg", given, widths(100, 300)) {
		if m.Err != nil || !bytes.HasSuffix(m.Entry.Body, []byte("in hand")) || m.Entry.OriginETag != `"h"` {
			t.Fatalf("%+v", m)
		}
	}
	b.get(t, b.request(50))
	b.counts(t, 0, 2)
}

// TestMakeRefuses holds that a refusal is told for its picture alone, and remembered.
func TestMakeRefuses(t *testing.T) {
	b := newBench(t)
	options := append(widths(100, 200), resize.Options{Width: 10, Format: resize.FormatAVIF})
	all := b.Make(t.Context(), b.source, "a.jpg", nil, options)
	if all[0].Err != nil || all[1].Err != nil || statusOf(all[2].Err) != 422 || all[2].Entry.Status != 422 {
		t.Errorf("%+v", all)
	}
	b.counts(t, 1, 1)
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) { return nil, ErrOriginTimeout }
	for _, m := range b.Make(t.Context(), b.source, "b.jpg", nil, widths(100, 200)) {
		if statusOf(m.Err) != 504 {
			t.Errorf("%+v", m)
		}
	}
	b.counts(t, 2, 1)
}

// TestMakesMeet holds that several who make the same pictures at the same time do not wait for each other for
// ever, and make nothing twice.
func TestMakesMeet(t *testing.T) {
	b := newBench(t)
	var all sync.WaitGroup
	for i := range 8 {
		of := widths(100, 200, 300, 400)
		if i%2 == 1 {
			of = widths(400, 300, 200, 150)
		}
		all.Go(func() {
			for _, m := range b.Make(t.Context(), b.source, "a.jpg", nil, of) {
				if m.Err != nil {
					t.Error(m.Err)
				}
			}
		})
	}
	all.Wait()
	b.made(t, 5)
	if n := b.origin.calls.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
	if n := len(b.audience.present) + len(b.audience.calls); n != 0 {
		t.Errorf("%d notes are left of who waited", n)
	}
}

func TestRender(t *testing.T) {
	b := newBench(t)
	options := append(widths(100), resize.Options{Format: resize.FormatRaw})
	options = append(options, widths(300)...)
	got, err := b.Render(t.Context(), b.source, jpeg("x"), options)
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Width != 100 || !bytes.Equal(got[1].Body, jpeg("x")) || got[2].Width != 300 {
		t.Errorf("%+v", got)
	}
	b.counts(t, 0, 1)
	if e, _ := b.Lookup(b.request(100)); e != nil {
		t.Error("a picture is kept")
	}
	if _, err := b.Render(t.Context(), b.source, []byte("no picture"), options); statusOf(err) != 415 {
		t.Errorf("no picture: %v", err)
	}
	if _, err := b.Render(t.Context(), b.source, jpeg("x"), append(options, resize.Options{Width: 10, Format: resize.FormatAVIF})); statusOf(err) != 422 {
		t.Errorf("too small an AVIF: %v", err)
	}
	b.counts(t, 0, 1)
}

// TestRenderWithinMemory holds that what does not fit through the gate together goes through in parts.
func TestRenderWithinMemory(t *testing.T) {
	b := newBench(t)
	photo := resize.Source{Format: resize.FormatJPEG, Width: 4000, Height: 3000, Orientation: 1, Pages: 1, Bands: 3, Depth: 8}
	b.engine.probe = func([]byte) (resize.Source, error) { return photo, nil }
	if _, err := b.Render(t.Context(), b.source, jpeg("x"), widths(1600, 1500, 100, 120)); err != nil {
		t.Fatal(err)
	}
	b.counts(t, 0, 1)
	largest, err := widths(1600)[0].Plan(photo, b.source.Limits)
	if err != nil {
		t.Fatal(err)
	}
	b.Gate.Memory = largest.Memory // of one of the large ones, or both small ones
	b.engine.group = func(plans []resize.Plan) error {
		if m := resize.Together(plans...).Memory; m > b.Gate.Memory {
			t.Errorf("%d plans together need %d bytes", len(plans), m)
		}
		return nil
	}
	got, err := b.Render(t.Context(), b.source, jpeg("x"), widths(1600, 1500, 100, 120))
	if err != nil || len(got) != 4 || got[3].Width != 120 {
		t.Fatalf("%+v %v", got, err)
	}
	b.counts(t, 0, 4)
}
