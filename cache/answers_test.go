package cache

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/imgedge/imgedge/internal/testpeer"
)

// fleets are a node alone and one with a Redis.
func fleets(t *testing.T) map[string]*Fleet {
	t.Helper()
	server := testpeer.Redis(t)
	all := map[string]*Fleet{}
	for name, client := range map[string]redis.UniversalClient{"alone": nil, "redis": server.Client(t)} {
		f := NewFleet(client, time.Second)
		t.Cleanup(func() { _ = f.Close() })
		all[name] = f
	}
	return all
}

func TestAnswers(t *testing.T) {
	for name, fleet := range fleets(t) {
		t.Run(name, func(t *testing.T) {
			a := &Answers{Fleet: fleet}
			ctx := t.Context()
			if before, err := a.Begin(ctx, "cms", "k"); before != nil || err != nil {
				t.Fatalf("the first: %+v, %v", before, err)
			}
			if _, err := a.Begin(ctx, "cms", "k"); !errors.Is(err, ErrUnderWay) {
				t.Errorf("while it runs: %v", err)
			}
			if before, err := a.Begin(ctx, "other", "k"); before != nil || err != nil {
				t.Errorf("of another owner: %+v, %v", before, err)
			}
			a.Keep(ctx, "cms", "k", Answer{Sum: "s", Status: 201, Body: []byte("b")})
			if before, err := a.Begin(ctx, "cms", "k"); err != nil || before == nil || before.Sum != "s" || before.Status != 201 || string(before.Body) != "b" {
				t.Errorf("once more: %+v, %v", before, err)
			}
			a.Drop(ctx, "other", "k")
			if before, err := a.Begin(ctx, "other", "k"); before != nil || err != nil {
				t.Errorf("after it was dropped: %+v, %v", before, err)
			}
		})
	}
}

func TestTurn(t *testing.T) {
	all := fleets(t)
	ctx := t.Context()
	for range 2 {
		if !all["alone"].Turn(ctx, "sweep", time.Hour) {
			t.Error("a node alone has no turn")
		}
	}
	f := all["redis"]
	if !f.Turn(ctx, "sweep", time.Hour) || f.Turn(ctx, "sweep", time.Hour) || !f.Turn(ctx, "other", time.Hour) {
		t.Error("want one turn for each work")
	}
	f.GiveBack(ctx, "sweep")
	if !f.Turn(ctx, "sweep", time.Hour) {
		t.Error("given back, it is to be had")
	}
}
