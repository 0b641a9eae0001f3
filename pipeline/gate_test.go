package pipeline

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestGateAdmitsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gate{Slots: 2, Memory: 100, Queue: 10, Wait: time.Hour}
		var order []int
		leave1 := enter(t, g, 60)
		admitted := make(chan int, 3)
		var leaves [4]func()
		for i, memory := range []int64{80, 10, 10} { // 80 does not fit beside 60; the small ones wait behind it
			go func() {
				leaves[i+1] = enter(t, g, memory)
				admitted <- i + 1
			}()
			synctest.Wait()
		}
		if s := g.Stats(); s.Busy != 1 || s.Reserved != 60 || s.Waiting != 3 {
			t.Fatalf("Stats() = %+v, want 1 busy, 60 reserved, 3 waiting", s)
		}
		leave1()
		synctest.Wait()
		order = append(order, <-admitted, <-admitted)
		if order[0]+order[1] != 3 {
			t.Errorf("admitted %v first, want 1 and 2", order)
		}
		leaves[1]()
		leaves[1]() // twice is once
		synctest.Wait()
		if got := <-admitted; got != 3 {
			t.Errorf("admitted %d, want 3", got)
		}
		leaves[2]()
		leaves[3]()
		if s := g.Stats(); s.Busy != 0 || s.Reserved != 0 || s.Waiting != 0 {
			t.Errorf("Stats() at the end = %+v, want all zero", s)
		}
	})
}

func TestGateRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gate{Slots: 1, Queue: 1, Wait: 5 * time.Second}
		leave := enter(t, g, 1)
		start := time.Now()
		late := make(chan error, 1)
		go func() {
			_, err := g.Enter(t.Context(), LaneSmall, 1)
			late <- err
		}()
		synctest.Wait()
		if _, err := g.Enter(t.Context(), LaneSmall, 1); !errors.Is(err, ErrOverloaded) {
			t.Errorf("Enter with a full queue: %v, want ErrOverloaded", err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("a full queue refused after %v, want at once", took)
		}
		if err := <-late; !errors.Is(err, ErrOverloaded) || time.Since(start) != g.Wait {
			t.Errorf("Enter gave %v after %v, want ErrOverloaded after %v", err, time.Since(start), g.Wait)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.Enter(ctx, LaneSmall, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Enter past its deadline: %v, want DeadlineExceeded", err)
		}
		leave()
		enter(t, g, 1)()
		if s := g.Stats(); s.Busy != 0 || s.Waiting != 0 || s.Refused != (Refusals{RefusedFull: 1, RefusedLate: 1}) {
			t.Errorf("Stats() = %+v", s)
		}
	})
}

// One above the whole budget runs alone rather than never.
func TestGateOversize(t *testing.T) {
	g := &Gate{Slots: 4, Memory: 10}
	enter(t, g, 11)()
}

func enter(t *testing.T, g *Gate, memory int64) func() { return enterLane(t, g, LaneSmall, memory) }

func enterLane(t *testing.T, g *Gate, l Lane, memory int64) func() {
	leave, err := g.Enter(t.Context(), l, memory)
	if err != nil {
		t.Errorf("Enter(%s, %d): %v", l, memory, err)
		return func() {}
	}
	return leave
}
