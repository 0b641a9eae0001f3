package pipeline

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// come lets somebody come to the gate; the channel gives the function to leave with once they are in. It is
// called in a bubble and returns when they queue or are in.
func come(ctx context.Context, g *Gate, l Lane, memory int64) <-chan func() {
	in := make(chan func(), 1)
	go func() {
		if leave, err := g.Enter(ctx, l, memory); err == nil {
			in <- leave
		}
	}()
	synctest.Wait()
	return in
}

func isIn(in <-chan func()) bool { return len(in) == 1 }

func TestLaneOfMemory(t *testing.T) {
	for memory, want := range map[int64]Lane{0: LaneSmall, 100: LaneSmall, 101: LaneHuge, 1 << 40: LaneHuge} {
		if got := (&Gate{Memory: 400}).Lane(memory); got != want {
			t.Errorf("Lane(%d) = %s, want %s", memory, got, want)
		}
	}
	if got := (&Gate{}).Lane(1 << 40); got != LaneSmall {
		t.Errorf("Lane without a budget = %s, want small", got)
	}
}

func TestHugeLeaveRoomToSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gate{Slots: 3, Memory: 400, Queue: 100}
		var huge []<-chan func()
		for range 10 {
			huge = append(huge, come(t.Context(), g, LaneHuge, 150))
		}
		for range 5 {
			enter(t, g, 100)() // at once, though eight huge ones wait
		}
		for _, in := range huge {
			(<-in)()
		}
	})
}

func TestSmallDoNotStarveHuge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gate{Slots: 4, Memory: 400, Queue: 100}
		running := []func(){enter(t, g, 100), enter(t, g, 100), enter(t, g, 100), enter(t, g, 100)}
		huge := come(t.Context(), g, LaneHuge, 300)
		var queued []<-chan func()
		for range 100 { // each time one leaves, another one has come
			queued = append(queued, come(t.Context(), g, LaneSmall, 100))
			running[0]()
			synctest.Wait()
			running = running[1:]
			if isIn(huge) {
				break
			}
			if isIn(queued[0]) {
				running = append(running, <-queued[0])
				queued = queued[1:]
			}
		}
		if !isIn(huge) {
			t.Fatal("the huge one still waits")
		}
		if came := g.arrived - 5 - uint64(len(queued)); came != maxOvertakes {
			t.Errorf("%d small ones have passed it, want %d", came, maxOvertakes)
		}
		(<-huge)()
		for _, leave := range running {
			leave()
		}
		for _, in := range queued {
			(<-in)()
		}
	})
}

// While other long work is in its way, holding back small ones would not help a huge one.
func TestSmallPassHugeThatWaitsForHuge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gate{Slots: 2, Memory: 400, Queue: 100}
		first := enterLane(t, g, LaneHuge, 300)
		second := come(t.Context(), g, LaneHuge, 300)
		for range 3 * maxOvertakes {
			enter(t, g, 100)()
		}
		first()
		(<-second)()
	})
}

// Who leaves the queue may have held others back.
func TestWithdrawalLetsOthersIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gate{Slots: 3, Memory: 400, Queue: 100}
		leave := enter(t, g, 100)
		ctx, cancel := context.WithCancel(t.Context())
		come(ctx, g, LaneHuge, 350)
		for range maxOvertakes {
			enter(t, g, 100)()
		}
		held := come(t.Context(), g, LaneSmall, 100)
		batch := come(t.Context(), g, LaneBatch, 10)
		if isIn(held) || isIn(batch) {
			t.Fatal("others are in, want them held back for the huge one")
		}
		cancel()
		synctest.Wait()
		if !isIn(held) || !isIn(batch) {
			t.Fatal("others wait though nobody is before them")
		}
		leave()
		(<-held)()
		(<-batch)()
	})
}

func TestBatchGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gate{Slots: 2, Memory: 400, Queue: 2, Wait: time.Second}
		enter(t, g, 100)() // somebody is there
		first := come(t.Context(), g, LaneBatch, 100)
		second, third := come(t.Context(), g, LaneBatch, 100), come(t.Context(), g, LaneBatch, 100)
		if !isIn(first) || isIn(second) {
			t.Fatal("want one of two slots for batch work")
		}
		if _, err := g.Enter(t.Context(), LaneBatch, 1); !errors.Is(err, ErrOverloaded) {
			t.Errorf("a third that waits: %v, want ErrOverloaded", err)
		}
		page := enter(t, g, 100) // at once
		other := come(t.Context(), g, LaneSmall, 100)
		(<-first)()
		synctest.Wait()
		if !isIn(other) || isIn(second) {
			t.Fatal("want the slot to go to the page")
		}
		page()
		synctest.Wait()
		if !isIn(second) || isIn(third) {
			t.Fatal("want batch work in the other slot when nobody waits any more")
		}
		time.Sleep(time.Minute) // batch work has time
		(<-other)()
		(<-second)()
		(<-third)()
	})
}

// Where nobody comes, batch work has all slots, and gives the last one back to those who come again.
func TestBatchTakesAllWhileItIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gate{Slots: 2, Memory: 400, Queue: 9, Wait: time.Minute}
		enter(t, g, 100)()
		var work []<-chan func()
		for range 4 {
			work = append(work, come(t.Context(), g, LaneBatch, 10))
		}
		time.Sleep(quietTime - time.Millisecond)
		synctest.Wait()
		if !isIn(work[0]) || isIn(work[1]) {
			t.Fatal("want one slot for batch work until it is quiet")
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if !isIn(work[1]) || isIn(work[2]) {
			t.Fatal("want both slots for batch work once it is quiet")
		}
		page := come(t.Context(), g, LaneSmall, 100)
		if isIn(page) {
			t.Fatal("a page is in where there is no slot")
		}
		(<-work[0])()
		synctest.Wait()
		if !isIn(page) || isIn(work[2]) {
			t.Fatal("want the first slot that gets free to go to the page")
		}
		(<-page)()
		synctest.Wait()
		if isIn(work[2]) {
			t.Fatal("want the slot kept for those who come next")
		}
		(<-work[1])()
		synctest.Wait()
		(<-work[2])()
		synctest.Wait()
		(<-work[3])()
	})
}

func TestHopelessIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gate{Slots: 1, Queue: 100, Wait: 5 * time.Second}
		leave := enter(t, g, 1)
		time.Sleep(2 * time.Second)
		leave()
		leave = enter(t, g, 1)
		var queued []<-chan func()
		for range 3 { // with 0, 2 and 4 s of work ahead
			queued = append(queued, come(t.Context(), g, LaneSmall, 1))
		}
		began := time.Now()
		_, err := g.Enter(t.Context(), LaneSmall, 1)
		var o overload
		if !errors.As(err, &o) || o.RetryAfter() != 6*time.Second || time.Since(began) != 0 {
			t.Errorf("with 6 s ahead: %v after %v, want to be told at once to come back in 6 s", err, time.Since(began))
		}
		if got := g.Stats().Refused; got != (Refusals{RefusedPredicted: 1}) {
			t.Errorf("refused %v", got)
		}
		leave()
		for _, in := range queued {
			(<-in)()
		}
		enter(t, g, 1)() // nobody waits: whatever the latest took, there is room
	})
}

// Half of the queue is left to small ones.
func TestHugeDoNotFillTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gate{Slots: 1, Queue: 4}
		leave := enter(t, g, 1)
		all := []<-chan func(){come(t.Context(), g, LaneHuge, 1), come(t.Context(), g, LaneHuge, 1)}
		if _, err := g.Enter(t.Context(), LaneHuge, 1); !errors.Is(err, ErrOverloaded) {
			t.Errorf("a third huge one: %v, want ErrOverloaded", err)
		}
		all = append(all, come(t.Context(), g, LaneSmall, 1), come(t.Context(), g, LaneSmall, 1))
		if _, err := g.Enter(t.Context(), LaneSmall, 1); !errors.Is(err, ErrOverloaded) {
			t.Errorf("a fifth: %v, want ErrOverloaded", err)
		}
		leave()
		for _, in := range all {
			(<-in)()
		}
	})
}

// Whoever has gone by the time there is room does not enter.
func TestNobodyEntersAfterLeaving(t *testing.T) {
	for range 50 { // select chooses by chance
		g := &Gate{Slots: 1, Queue: 1}
		ctx, cancel := context.WithCancel(t.Context())
		ticket, err := g.arrive(LaneSmall, 1)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := g.await(ctx, ticket); !errors.Is(err, context.Canceled) || g.Stats().Busy != 0 {
			t.Fatalf("gone, yet %v and %+v", err, g.Stats())
		}
	}
}
