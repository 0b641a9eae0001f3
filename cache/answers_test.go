package cache

import (
	"context"
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
			if before, _, err := a.Begin(ctx, "cms", "k", "first"); before != nil || err != nil {
				t.Fatalf("the first: %+v, %v", before, err)
			}
			if _, other, err := a.Begin(ctx, "cms", "k", "second"); !errors.Is(err, ErrUnderWay) || other != "first" {
				t.Errorf("while it runs: %q, %v", other, err)
			}
			if before, _, err := a.Begin(ctx, "other", "k", "third"); before != nil || err != nil {
				t.Errorf("of another owner: %+v, %v", before, err)
			}
			a.Keep(ctx, "cms", "k", Answer{Sum: "s", Status: 201, Body: []byte("b")})
			if before, _, err := a.Begin(ctx, "cms", "k", "fourth"); err != nil || before == nil || before.Sum != "s" || before.Status != 201 || string(before.Body) != "b" {
				t.Errorf("once more: %+v, %v", before, err)
			}
			a.Drop(ctx, "other", "k")
			if before, _, err := a.Begin(ctx, "other", "k", "fifth"); before != nil || err != nil {
				t.Errorf("after it was dropped: %+v, %v", before, err)
			}
		})
	}
}

// What Redis could not be told while it was away, the process knows: before it is back, and after.
func TestAnswersWhileRedisIsAway(t *testing.T) {
	server := testpeer.Redis(t)
	client := server.Client(t)
	fleet := NewFleet(client, 100*time.Millisecond)
	t.Cleanup(func() { _ = fleet.Close() })
	ctx := t.Context()
	for _, row := range []struct {
		name     string
		reserved bool // before Redis failed
		dropped  bool // the request failed; else it was answered
		running  bool // it has not ended when Redis is back
		over     bool // what the process knows has ended when Redis is back, and Redis has forgotten it
	}{
		{name: "answered", reserved: true},
		{name: "dropped", reserved: true, dropped: true},
		{name: "answered, and begun without Redis"},
		{name: "begun without Redis", running: true},
		{name: "answered and over", over: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, key := &Answers{Fleet: fleet}, row.name
			begin := func() (*Answer, error) {
				before, _, err := a.Begin(ctx, "cms", key, "note")
				return before, err
			}
			if row.reserved {
				if before, err := begin(); before != nil || err != nil {
					t.Fatalf("the first: %+v, %v", before, err)
				}
			}
			server.Pause()
			if !row.reserved {
				if before, err := begin(); before != nil || err != nil {
					t.Errorf("the first: %+v, %v", before, err)
				}
				if _, err := begin(); !errors.Is(err, ErrUnderWay) {
					t.Errorf("while it runs: %v", err)
				}
			}
			switch {
			case row.running:
			case row.dropped:
				a.Drop(ctx, "cms", key)
			default:
				a.Keep(ctx, "cms", key, Answer{Sum: "s", Status: 201, Body: []byte("b")})
				if before, err := begin(); err != nil || before == nil || before.Sum != "s" {
					t.Errorf("while Redis is away: %+v, %v", before, err)
				}
			}
			server.Resume()
			for deadline := time.Now().Add(10 * time.Second); fleet.open.Load(); time.Sleep(5 * time.Millisecond) {
				_ = fleet.try(ctx, opPoll, time.Second, func(ctx context.Context) error { return client.Ping(ctx).Err() }) // it closes the breaker
				if time.Now().After(deadline) {
					t.Fatal("the breaker stays open")
				}
			}
			if row.running || row.over { // nor has Redis done late what it was asked for meanwhile
				if err := client.Del(ctx, answerKey("cms", key)).Err(); err != nil {
					t.Fatal(err)
				}
			}
			if row.over {
				a.here[answerKey("cms", key)] = keptAnswer{a.here[answerKey("cms", key)].text, time.Now().Add(-time.Second)}
			}
			before, err := begin()
			if row.running {
				if !errors.Is(err, ErrUnderWay) {
					t.Errorf("afterwards: %+v, %v", before, err)
				}
				return
			}
			if err != nil || (before == nil) != (row.dropped || row.over) {
				t.Errorf("afterwards: %+v, %v", before, err)
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
