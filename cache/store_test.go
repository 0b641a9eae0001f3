package cache

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/imgedge/imgedge/internal/testpeer"
)

// TestStore holds every Store to the same contract.
func TestStore(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		n := newNode(t, "")
		testStore(t, n, n.memory)
	})
	t.Run("memory with redis", func(t *testing.T) {
		n := newNode(t, testpeer.Redis(t).URL)
		testStore(t, n, n.memory)
	})
	t.Run("redis", func(t *testing.T) {
		n := newNode(t, testpeer.Redis(t).URL)
		testStore(t, n, n.tier)
	})
	t.Run("redis cluster", func(t *testing.T) {
		n := newNode(t, "redis+cluster://"+strings.Join(testpeer.RedisCluster(t), ","))
		testStore(t, n, n.tier)
	})
}

func testStore(t *testing.T, n *testNode, s Store) {
	generation := func(k Key) Generation {
		_, gen, err := n.tier.Load(t.Context(), k)
		if err != nil && !errors.Is(err, ErrMiss) {
			t.Fatalf("Load(%v): %v", k, err)
		}
		return gen
	}
	set := func(t *testing.T, k Key, e *Entry) {
		t.Helper()
		eventually(t, 10*time.Second, "this node has heard of its own purges, and stores", func() bool {
			e.Generation = generation(k)
			err := s.Set(t.Context(), k, e)
			if err != nil && !errors.Is(err, ErrOutdated) {
				t.Fatalf("Set(%v): %v", k, err)
			}
			return err == nil
		})
	}
	missing := func(t *testing.T, k Key) {
		t.Helper()
		if e, err := s.Get(t.Context(), k); !errors.Is(err, ErrMiss) || e != nil {
			t.Errorf("Get(%v) = %v, %v; want nil, ErrMiss", k, e, err)
		}
	}
	found := func(t *testing.T, k Key, want *Entry) {
		t.Helper()
		got, err := s.Get(t.Context(), k)
		if err != nil {
			t.Fatalf("Get(%v): %v", k, err)
		}
		if diff := cmp.Diff(want, got, sameTimes, cmpopts.IgnoreFields(Generation{}, "Node")); diff != "" {
			t.Errorf("Get(%v) (-want +got):\n%s", k, diff)
		}
	}
	a, b := key("shop", "a.jpg", 1), key("shop", "a.jpg", 2)

	t.Run("absent", func(t *testing.T) { missing(t, a) })
	t.Run("set and get", func(t *testing.T) {
		e := fullEntry()
		set(t, a, e)
		found(t, a, e)
		missing(t, b)
	})
	t.Run("replace", func(t *testing.T) {
		e := entry("second")
		set(t, a, e)
		found(t, a, e)
	})
	t.Run("negative", func(t *testing.T) {
		e := entry("")
		e.Body, e.Status, e.Code, e.Detail = nil, 404, "not_found", "no such picture"
		set(t, b, e)
		found(t, b, e)
	})
	t.Run("delete", func(t *testing.T) {
		set(t, b, entry("b"))
		if err := s.Delete(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		missing(t, a)
		found(t, b, entryOf(t, s, b))
		if err := s.Delete(t.Context(), a); err != nil {
			t.Errorf("Delete of an absent entry: %v", err)
		}
	})
	t.Run("over already", func(t *testing.T) {
		e := entry("old")
		e.Stale = time.Now().Add(-time.Second)
		set(t, a, e)
		missing(t, a)
	})
	t.Run("ends at stale", func(t *testing.T) {
		e := entry("short")
		e.Stale = time.Now().Add(300 * time.Millisecond)
		set(t, a, e)
		eventually(t, 5*time.Second, "entry gone after its stale time", func() bool {
			_, err := s.Get(t.Context(), a)
			// Redis counts in whole ms, of a clock that it reads once a turn.
			if early := time.Until(e.Stale) > 10*time.Millisecond; err != nil && early {
				t.Fatalf("gone %v before its time: %v", time.Until(e.Stale), err)
			}
			return err != nil
		})
	})
	t.Run("too large", func(t *testing.T) {
		e := entry(strings.Repeat("x", 33<<20))
		e.Generation = generation(a)
		if err := s.Set(t.Context(), a, e); !errors.Is(err, ErrTooLarge) {
			t.Errorf("Set of 33 MiB: %v, want ErrTooLarge", err)
		}
		missing(t, a)
	})
	for _, p := range []Purge{
		{All: true},
		{Source: "shop"},
		{Source: "shop", Object: "a.jpg"},
		{Tag: "summer"},
	} {
		t.Run(testName(p), func(t *testing.T) {
			e1, e2, other := entry("1"), entry("2"), entry("other")
			e1.Tags, e2.Tags = []string{"summer"}, []string{"summer", "x"}
			o := key("garden", "a.jpg", 1)
			set(t, a, e1)
			set(t, b, e2)
			set(t, o, other)
			late := entry("late")
			late.Tags = e1.Tags
			late.Generation = generation(a)
			if _, err := n.gens.Purge(t.Context(), p); err != nil {
				t.Fatalf("Purge(%+v): %v", p, err)
			}
			missing(t, a)
			missing(t, b)
			if p.All {
				missing(t, o)
			} else {
				found(t, o, other)
			}
			if err := s.Set(t.Context(), a, late); !errors.Is(err, ErrOutdated) {
				t.Errorf("Set of what was begun before Purge(%+v): %v, want ErrOutdated", p, err)
			}
			missing(t, a)
			e := entry("new")
			set(t, a, e)
			found(t, a, e)
		})
	}
}

func testName(p Purge) string {
	switch {
	case p.All:
		return "purge all"
	case p.Tag != "":
		return "purge tag"
	case p.Object != "":
		return "purge object"
	}
	return "purge source"
}

func entryOf(t *testing.T, s Store, k Key) *Entry {
	t.Helper()
	e, err := s.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// fullEntry has every field set.
func fullEntry() *Entry {
	e := entry("picture")
	e.Modified = time.Unix(0, 0) // a file of 1970 is not a file of unknown age
	e.OriginETag, e.OriginalSize, e.Tags = `W/"o"`, 1<<40, []string{"summer", "", "größe 1,2"}
	e.Code, e.Detail = "code", "detail"
	return e
}

var sameTimes = cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && a.IsZero() == b.IsZero() })

// The clock of expiry, without waiting for it.
func TestMemoryExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGenerations(NewFleet(nil, 0))
		m := NewMemory(1<<20, g)
		defer func() { _ = m.Close() }()
		k, e := key("shop", "a", 1), entry("a")
		e.Generation = g.now(k)
		if err := m.Set(t.Context(), k, e); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(e.Stale) - time.Millisecond)
		if _, err := m.Get(t.Context(), k); err != nil {
			t.Errorf("1 ms before its end: %v", err)
		}
		time.Sleep(time.Millisecond)
		if _, err := m.Get(t.Context(), k); !errors.Is(err, ErrMiss) {
			t.Errorf("at its end: %v, want ErrMiss", err)
		}
	})
}
