package pipeline

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// visit is one picture that comes to the gate.
type visit struct {
	lane     Lane
	memory   int64
	at, took time.Duration
	patience time.Duration // 0 = without end
}

// Whatever comes and goes: slots and memory hold, a slot is kept from huge work and a quarter of the memory
// from all long work, nobody waits who could be in, refusals have a reason, and in the end all are gone.
func TestGateProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		g := &Gate{
			Slots:  rapid.IntRange(0, 4).Draw(r, "slots"),
			Memory: rapid.SampledFrom([]int64{0, 400}).Draw(r, "memory"),
			Queue:  rapid.IntRange(0, 40).Draw(r, "queue"),
			Wait:   time.Duration(rapid.IntRange(0, 5).Draw(r, "wait")) * time.Second,
		}
		visits := rapid.SliceOfN(rapid.Custom(drawVisit), 1, 60).Draw(r, "visits")
		var wrong []string
		synctest.Test(t, func(t *testing.T) { wrong = play(t.Context(), g, visits) })
		for _, w := range wrong {
			r.Error(w)
		}
	})
}

func drawVisit(r *rapid.T) visit {
	ms := func(most int, label string) time.Duration {
		return time.Duration(rapid.IntRange(0, most).Draw(r, label)) * time.Millisecond
	}
	v := visit{at: ms(5000, "at"), took: ms(1500, "took"), patience: ms(4000, "patience")}
	v.memory = rapid.Int64Range(0, 500).Draw(r, "bytes")
	v.lane = (&Gate{Memory: 400}).Lane(v.memory)
	if rapid.Bool().Draw(r, "batch") {
		v.lane = LaneBatch
	}
	return v
}

// play lets all come and returns what went wrong. It runs in a bubble, whose end finds who never leaves.
func play(ctx context.Context, g *Gate, visits []visit) (wrong []string) {
	var mu sync.Mutex
	say := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		wrong = append(wrong, s)
	}
	var all sync.WaitGroup
	for _, v := range visits {
		all.Go(func() {
			time.Sleep(v.at)
			ctx := ctx
			if v.patience > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, v.patience)
				defer cancel()
			}
			leave, err := g.Enter(ctx, v.lane, v.memory)
			switch {
			case err == nil:
				time.Sleep(v.took)
				leave()
			case !errors.Is(err, ErrOverloaded) && ctx.Err() == nil:
				say("refused with " + err.Error())
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for {
		synctest.Wait()
		if s := g.broken(); s != "" {
			say(s)
		}
		select {
		case <-done:
			if s := g.Stats(); s.Busy != 0 || s.Waiting != 0 || s.Reserved != 0 {
				say("somebody is left at the end")
			}
			return wrong
		case <-time.After(time.Millisecond):
		}
	}
}

// broken returns which promise the gate does not keep now.
func (g *Gate) broken() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	busy, reserved := g.takenLocked(LaneSmall, LaneHuge, LaneBatch)
	long, longReserved := g.takenLocked(LaneHuge, LaneBatch)
	small, huge := g.lanes[LaneSmall].waiting.Len(), g.lanes[LaneHuge].waiting.Len()
	switch {
	case busy > g.slots():
		return "more than there are slots"
	case g.Memory > 0 && busy > 1 && reserved > g.Memory:
		return "more than the budget"
	case g.lanes[LaneHuge].busy > g.longSlots() || long > g.slots():
		return "no slot left to small ones"
	case g.Memory > 0 && long > 1 && longReserved > g.Memory*3/4:
		return "no memory left to small ones"
	case small+huge > g.Queue || huge > (g.Queue+1)/2 || g.lanes[LaneBatch].waiting.Len() > g.Queue:
		return "the queue is too long"
	case g.nextLocked() != nil:
		return "somebody waits who could be in"
	}
	return ""
}
