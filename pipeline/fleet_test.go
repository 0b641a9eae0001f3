package pipeline

import (
	"context"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/internal/testpeer"
	"github.com/imgedge/imgedge/origin"
)

// onRedis wires the bench to a Redis, and returns the leases of another node.
func (b *bench) onRedis(t *testing.T) *cache.Leases {
	t.Helper()
	url := testpeer.Redis(t).URL
	wire := func() (*cache.Fleet, *cache.Generations) {
		client, err := cache.OpenRedis(url)
		if err != nil {
			t.Fatal(err)
		}
		fleet := cache.NewFleet(client, time.Second)
		generations := cache.NewGenerations(fleet)
		t.Cleanup(func() {
			for _, c := range []func() error{generations.Close, fleet.Close, client.Close} {
				if err := c(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
		})
		until(t, func() bool { return fleet.Ping(t.Context()) == nil })
		return fleet, generations
	}
	fleet, generations := wire()
	b.purger, b.Shared = generations, true
	b.Redis = cache.NewRedis(fleet, generations, 0)
	b.Memory = cache.NewMemory(64<<20, generations)
	b.Originals = nil
	b.Leases = cache.NewLeases(fleet, 0)
	b.Writer = cache.NewWriter(b.Redis, 64<<20, 1000)
	other, _ := wire()
	leases := cache.NewLeases(other, 0)
	t.Cleanup(func() {
		for _, c := range []func() error{b.Writer.Close, b.Leases.Close, leases.Close} {
			if err := c(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
	})
	return leases
}

// A fill that waited for another node's lease does not use a copy that was purged meanwhile.
func TestStaleCopyDoesNotSurviveAPurgeBehindALease(t *testing.T) {
	for name, unchanged := range map[string]bool{"origin says unchanged": true, "origin is down": false} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			other := b.onRedis(t)
			r := b.request(100)
			b.get(t, r)
			if err := b.Writer.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.clock.add(3 * time.Hour)
			b.origin.fetch = func(c origin.Conditions) (*origin.Original, error) {
				if unchanged && c.ETag != "" {
					return &origin.Original{NotModified: true, Meta: origin.Meta{ETag: c.ETag, MaxAge: -1}}, nil
				}
				return nil, statusError{502, "origin_failed"}
			}
			release, led := other.Lead(t.Context(), r.Key, func(context.Context) bool { return false })
			if !led {
				t.Fatal("the other node did not get the lease")
			}
			reads := func() uint64 { s := b.Redis.Stats(); return s.Hits + s.Misses }
			before := reads()
			late := b.async(t.Context(), r)
			until(t, func() bool { return reads() >= before+2 }) // its own look, and one behind the lease
			b.purge(t, cache.Purge{Source: "shop", Object: "a.jpg"})
			release()
			if o := <-late; o.err == nil {
				t.Errorf("answered %q %+v after the purge", o.entry.Body, o.via)
			}
			if e, _ := b.Lookup(r); e != nil {
				t.Errorf("%q is kept", e.Body)
			}
		})
	}
}

// Redis can be behind memory, where a write to it failed.
func TestOlderCopyInRedisDoesNotReplaceANewerOne(t *testing.T) {
	b := newBench(t)
	b.onRedis(t)
	r := b.request(100)
	b.get(t, r)
	if err := b.Writer.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.clock.add(3 * time.Hour)
	good := b.Writer
	b.Writer = cache.NewWriter(b.Redis, 1, 1)
	defer good.Close()
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) {
		return &origin.Original{Data: jpeg("two"), Meta: origin.Meta{ETag: `"2"`, MaxAge: -1}}, nil
	}
	b.get(t, r)
	b.clock.add(90 * time.Minute) // within stale-while-revalidate of "two"
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) { return nil, statusError{502, "origin_failed"} }
	b.get(t, r)
	b.behind.wait.Wait()
	if e, via := b.get(t, r); string(e.Body) != "100×75 of two" {
		t.Errorf("after a failed refresh: %q %+v, want the newer picture", e.Body, via)
	}
}

func TestAnswerFromRedis(t *testing.T) {
	b := newBench(t)
	b.onRedis(t)
	r := b.request(100)
	made, _ := b.get(t, r)
	if err := b.Writer.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Memory.Delete(t.Context(), r.Key); err != nil {
		t.Fatal(err)
	}
	if tier := b.Where(t.Context(), r); tier != TierRedis {
		t.Errorf("Where = %v, want Redis", tier)
	}
	if e, via := b.get(t, r); via.Hit != TierRedis || e.ETag != made.ETag {
		t.Errorf("got %+v, want a hit in Redis", via)
	}
	if _, via := b.get(t, r); via.Hit != TierMemory {
		t.Errorf("then %+v, want a hit in memory", via)
	}
	b.counts(t, 1, 1)
}

// A hot picture comes from Redis once for each node and freshness period; the rest is memory's.
func TestRedisIsAskedOnceAPeriod(t *testing.T) {
	b := newBench(t)
	b.onRedis(t)
	r := b.request(100)
	b.get(t, r)
	if err := b.Writer.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Memory.Delete(t.Context(), r.Key); err != nil {
		t.Fatal(err)
	}
	for period := range uint64(3) {
		before := b.Redis.Stats()
		for range 100 {
			b.get(t, r)
		}
		b.behind.wait.Wait()
		after := b.Redis.Stats()
		limit := min(1+period, 2) // a refresh looks there, and once more behind the lease
		if n := after.Hits + after.Misses - before.Hits - before.Misses; n == 0 || n > limit {
			t.Errorf("period %d: 100 requests ask Redis %d times, want 1 to %d", period, n, limit)
		}
		if err := b.Writer.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.clock.add(90 * time.Minute) // stale, and within stale-while-revalidate
	}
}
