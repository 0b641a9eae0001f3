package pipeline

import (
	"context"
	"errors"
	"testing"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

// made waits until so many pictures have been rendered and nothing runs behind any more.
func (b *bench) made(t *testing.T, renders uint64) {
	t.Helper()
	until(t, func() bool {
		b.behind.mu.Lock()
		defer b.behind.mu.Unlock()
		return len(b.behind.running) == 0
	})
	if n := b.Stats().Renders; n != renders {
		t.Errorf("%d renders, want %d", n, renders)
	}
}

// ladderBench is a bench with three widths.
func ladderBench(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.source.Ladder = []int{100, 200, 300}
	return b
}

// heldLadder asks for the first step, and returns once the others are being made, which lasts until release.
func (b *bench) heldLadder(t *testing.T) (release func()) {
	t.Helper()
	begun, held := make(chan struct{}), make(chan struct{})
	b.engine.group = func([]resize.Plan) error {
		close(begun)
		<-held
		return nil
	}
	b.get(t, b.request(100))
	<-begun
	return func() { close(held) }
}

func TestLadder(t *testing.T) {
	b := ladderBench(t)
	b.Originals = nil // the ladder works from the original in hand
	b.get(t, b.request(200))
	b.made(t, 3)
	b.counts(t, 1, 2)
	for _, w := range b.source.Ladder {
		if e, via := b.get(t, b.request(w)); via.Hit != TierMemory || len(e.Body) == 0 {
			t.Errorf("w=%d: %+v", w, via)
		}
	}
	b.counts(t, 1, 2)
	// Once more, with one step lost: it alone is made.
	if err := b.Memory.Delete(t.Context(), b.request(300).Key); err != nil {
		t.Fatal(err)
	}
	b.get(t, b.request(300))
	b.made(t, 4)
	b.counts(t, 2, 3)
}

// Originals that wait for the batch lane take no room that fetches need.
func TestNoLadderWhereRoomIsScarce(t *testing.T) {
	b := ladderBench(t)
	b.Originals = nil
	b.inRoom(100_000, 10_000)
	held := b.Room.Hold(50_000)
	b.get(t, b.request(200))
	b.made(t, 1)
	held.Release()
	if err := b.Memory.Delete(t.Context(), b.request(200).Key); err != nil {
		t.Fatal(err)
	}
	b.get(t, b.request(200))
	b.made(t, 4)
	if used := b.Room.Stats().Used; used != 0 {
		t.Errorf("%d bytes are used in the end", used)
	}
}

// TestNoLadder holds what is no step of a ladder.
func TestNoLadder(t *testing.T) {
	jpeg := resize.FormatJPEG
	for _, tt := range []struct {
		name  string
		o     resize.Options
		batch bool
	}{
		{name: "another width", o: resize.Options{Width: 150, Format: jpeg}},
		{name: "a height", o: resize.Options{Width: 100, Height: 50, Format: jpeg}},
		{name: "a height alone", o: resize.Options{Height: 100, Format: jpeg}},
		{name: "text", o: resize.Options{Width: 100, Format: resize.FormatJSON}},
		{name: "raw", o: resize.Options{Format: resize.FormatRaw}},
		{name: "batch work", o: resize.Options{Width: 100, Format: jpeg}, batch: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := ladderBench(t)
			r := NewRequest(b.source, "a.jpg", tt.o)
			if tt.batch {
				r = r.InBatch()
			}
			b.get(t, r)
			if n := b.Stats().Renders; n > 1 || len(b.behind.running) > 0 {
				t.Errorf("%d renders, %d running", n, len(b.behind.running))
			}
		})
	}
}

// TestLadderKeepsOptions holds that steps differ from what was asked in their width alone.
func TestLadderKeepsOptions(t *testing.T) {
	b := ladderBench(t)
	asked := NewRequest(b.source, "a.jpg", resize.Options{Width: 200, DPR: 2, Gray: true, Quality: 50, Format: resize.FormatWebP})
	asked = asked.Tagged([]string{"x"}).Within(resize.Limits{SourcePixels: 1 << 20}, 1<<20)
	steps := asked.steps()
	if len(steps) != 2 {
		t.Fatalf("%d steps", len(steps))
	}
	for i, w := range []int{100, 300} {
		o := asked.Options
		o.Width = w
		want := NewRequest(b.source, "a.jpg", o).Tagged([]string{"x"}).Within(resize.Limits{SourcePixels: 1 << 20}, 1<<20)
		if steps[i].Key != want.Key || steps[i].Options != o {
			t.Errorf("step %d is %s, want %s", i, steps[i].Options, o)
		}
	}
}

// The first answer does not wait for the ladder, and who asks for a step while it is made joins.
func TestLadderIsBehind(t *testing.T) {
	b := ladderBench(t)
	release := b.heldLadder(t)
	later := b.async(t.Context(), b.request(300))
	until(t, func() bool { return b.fills.Stats().Waiting == 3 })
	release()
	if o := <-later; o.err != nil || !o.via.Collapsed {
		t.Errorf("who came later: %+v %v", o.via, o.err)
	}
	b.made(t, 3)
	b.counts(t, 1, 2)
}

// Who asks for a step while the ladder queues does not queue with it.
func TestLadderStepIsHurried(t *testing.T) {
	b := ladderBench(t)
	b.Gate = &Gate{Slots: 2, Memory: 1 << 40, Queue: 100}
	inBatch := enterLane(t, b.Gate, LaneBatch, 3<<38) // all the memory that batch work has
	b.get(t, b.request(100))
	until(t, func() bool { return b.Gate.Stats().Lanes[LaneBatch].Waiting == 1 })
	b.get(t, b.request(300)) // or it waits for inBatch for ever
	inBatch()
	b.made(t, 3)
	b.counts(t, 1, 3)
}

// A purge while the ladder is made keeps its steps out of the cache.
func TestLadderAndPurge(t *testing.T) {
	b := ladderBench(t)
	release := b.heldLadder(t)
	if _, err := b.purger.Purge(t.Context(), cache.Purge{Source: "shop", Object: "a.jpg"}); err != nil {
		t.Fatal(err)
	}
	release()
	b.made(t, 3)
	for _, w := range b.source.Ladder {
		if e, _ := b.Lookup(b.request(w)); e != nil {
			t.Errorf("w=%d is kept from before the purge", w)
		}
	}
}

// What cannot be made together is made alone, and one broken step takes none with it.
func TestLadderFallsApart(t *testing.T) {
	b := ladderBench(t)
	b.engine.group = func([]resize.Plan) error { return errors.New("one of them") }
	b.get(t, b.request(100))
	b.made(t, 3)
	b.counts(t, 1, 4)

	b = ladderBench(t)
	b.Gate.Memory = 16 << 20 // less than the group needs
	b.engine.probe = func(data []byte) (resize.Source, error) {
		return resize.Source{Format: resize.FormatJPEG, Width: 4000, Height: 3000, Orientation: 1, Pages: 1, Bands: 3, Depth: 8}, nil
	}
	b.source.Ladder = []int{100, 1500, 1600}
	b.get(t, b.request(100))
	b.made(t, 3)
	b.counts(t, 1, 3)
}

// Close does not wait for a ladder that queues.
func TestCloseGivesLaddersUp(t *testing.T) {
	b := ladderBench(t)
	b.Gate = &Gate{Slots: 2, Queue: 100}
	defer enterLane(t, b.Gate, LaneBatch, 0)()
	b.get(t, b.request(100))
	until(t, func() bool { return b.Gate.Stats().Lanes[LaneBatch].Waiting == 1 })
	if err := b.Pipeline.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.counts(t, 1, 1)
}

func TestNoLadderOfWhatIsNotKept(t *testing.T) {
	b := ladderBench(t)
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) {
		return &origin.Original{Data: jpeg("one"), Meta: origin.Meta{NoStore: true, MaxAge: -1}}, nil
	}
	b.get(t, b.request(100))
	if n := b.Stats().Renders; n != 1 || len(b.behind.running) > 0 {
		t.Errorf("%d renders, %d running", n, len(b.behind.running))
	}
}
