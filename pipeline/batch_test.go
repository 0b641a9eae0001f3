package pipeline

import (
	"testing"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/resize"
)

func TestBatchTakesItsLane(t *testing.T) {
	b := newBench(t)
	var lanes []Lane
	b.Observe = func(w Work) { lanes = append(lanes, w.Lane) }
	b.get(t, b.request(100).InBatch())
	b.get(t, b.request(200))
	b.Gate.Memory = 1
	b.get(t, b.request(300))
	if len(lanes) != 3 || lanes[0] != LaneBatch || lanes[1] != LaneSmall || lanes[2] != LaneHuge {
		t.Errorf("lanes %v, want batch, small, huge", lanes)
	}
}

// Whoever waits in person for what is queued as batch work takes it along.
func TestPersonHurriesBatchWork(t *testing.T) {
	b := newBench(t)
	var lanes []Lane
	b.Observe = func(w Work) { lanes = append(lanes, w.Lane) }
	b.Gate = &Gate{Slots: 2, Queue: 100}
	inBatch, page := enterLane(t, b.Gate, LaneBatch, 0), enter(t, b.Gate, 0)
	later := b.async(t.Context(), b.request(100).InBatch())
	until(t, func() bool { return b.Gate.Stats().Lanes[LaneBatch].Waiting == 1 })
	now := b.async(t.Context(), b.request(100))
	until(t, func() bool { return b.Gate.Stats().Lanes[LaneSmall].Waiting == 1 })
	if n := b.Gate.Stats().Lanes[LaneBatch].Waiting; n != 0 {
		t.Errorf("%d wait in the batch lane, want 0", n)
	}
	page()
	if o := <-now; o.err != nil || !o.via.Collapsed {
		t.Errorf("the person: %+v %v", o.via, o.err)
	}
	if o := <-later; o.err != nil {
		t.Errorf("the batch: %v", o.err)
	}
	inBatch()
	b.counts(t, 1, 1)
	if lanes[0] != LaneSmall {
		t.Errorf("rendered in lane %s, want small", lanes[0])
	}
	if n := len(b.audience.present) + len(b.audience.calls); n != 0 {
		t.Errorf("%d notes are left of who waited", n)
	}
}

func TestBatchThatComesLaterIsHurriedToo(t *testing.T) {
	b := newBench(t)
	b.Gate = &Gate{Slots: 2, Queue: 100}
	defer enterLane(t, b.Gate, LaneBatch, 0)()
	r := b.request(100)
	leave := b.audience.enter(r.Key.Variant)
	if e, _ := b.get(t, r.InBatch()); e.Type != resize.FormatJPEG.MIME() {
		t.Errorf("got %q", e.Type)
	}
	leave()
}

// After a purge the same picture is made by two fills, of before and after: whoever comes hurries both, and the end
// of one leaves the other's call.
func TestBatchOfBeforeAPurgeIsHurriedBeside(t *testing.T) {
	for name, first := range map[string]bool{"the first ends first": true, "the second ends first": false} {
		t.Run(name, func(t *testing.T) {
			var a audience
			picture := cache.Hash{1}
			old, stopOld := a.absent(t.Context(), picture)
			young, stopYoung := a.absent(t.Context(), picture)
			left, stopLeft := young, stopYoung
			if first {
				stopOld()
			} else {
				stopYoung()
				left, stopLeft = old, stopOld
			}
			if left.Err() != nil {
				t.Error("one that nobody has come for is called")
			}
			leave := a.enter(picture)
			if left.Err() == nil {
				t.Error("somebody has come, and the one that is left is not called")
			}
			leave()
			stopLeft()
			if n := len(a.present) + len(a.calls); n != 0 {
				t.Errorf("%d notes are left", n)
			}
		})
	}
	var a audience
	one, stopOne := a.absent(t.Context(), cache.Hash{1})
	two, stopTwo := a.absent(t.Context(), cache.Hash{1})
	a.enter(cache.Hash{1})()
	if one.Err() == nil || two.Err() == nil {
		t.Errorf("somebody has come: called %v and %v, want both", one.Err() != nil, two.Err() != nil)
	}
	stopOne()
	stopTwo()
}
