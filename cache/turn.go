package cache

import (
	"context"
	"time"
)

// Turn takes a turn at periodic work that one node of the fleet is to do: it reports true on one node a
// period. Without a Redis every node has its turn each time; with one in trouble, none has.
func (f *Fleet) Turn(ctx context.Context, work string, period time.Duration) bool {
	if f.client == nil {
		return true
	}
	mine := false
	err := f.callPatiently(ctx, opTurn, func(ctx context.Context) (err error) {
		mine, err = f.client.SetNX(ctx, turnPrefix+work, "taken", period).Result()
		return err
	})
	return err == nil && mine
}

// GiveBack lets another node have the turn, for work that was not done.
func (f *Fleet) GiveBack(ctx context.Context, work string) {
	if f.client == nil {
		return
	}
	_ = f.callPatiently(ctx, opTurn, func(ctx context.Context) error { // it ends with the period otherwise
		return f.client.Del(ctx, turnPrefix+work).Err()
	})
}
