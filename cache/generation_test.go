package cache

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/imgedge/imgedge/internal/testpeer"
)

// effective is how long after the answer of a purge every node serves the new (issue 2, ruling 27).
const effective = time.Second

// cutter is a dialer whose subscriptions, or all connections, can be cut: what is open ends, and what is
// dialled fails until it is mended.
type cutter struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)

	mu       sync.Mutex
	push     bool // cut subscriptions
	all      bool // cut everything
	conns    map[*cutConn]bool
	attempts int
}

type cutConn struct {
	net.Conn
	c    *cutter
	push bool
}

var errCut = errors.New("cut")

func (c *cutter) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attempts++
	if c.all {
		return nil, errCut
	}
	conn, err := c.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	cut := &cutConn{Conn: conn, c: c}
	c.conns[cut] = true
	return cut, nil
}

func (c *cutConn) Write(p []byte) (int, error) {
	c.c.mu.Lock()
	if strings.Contains(string(p), "subscribe") {
		c.push = true
	}
	dead := c.c.all || c.push && c.c.push
	c.c.mu.Unlock()
	if dead {
		_ = c.Close()
		return 0, errCut
	}
	return c.Conn.Write(p)
}

// cut ends what is open of the kind, and lets nothing new through until mend.
func (c *cutter) cut(all bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.push, c.all = true, all
	for conn := range c.conns {
		if all || conn.push {
			_ = conn.Close()
			delete(c.conns, conn)
		}
	}
}

func (c *cutter) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.push, c.all = false, false
}

// newCutNode wires a node whose connections can be cut.
func newCutNode(t testing.TB, url string) (*testNode, *cutter) {
	t.Helper()
	o, err := parseRedisURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{dial: o.Dialer, conns: map[*cutConn]bool{}}
	o.Dialer = c.Dial
	client := redis.NewUniversalClient(o)
	t.Cleanup(func() { _ = client.Close() })
	return wireNode(t, client), c
}

// soon fails unless the node stops serving old within a second of answered, and never serves it again.
func soon(t *testing.T, n *testNode, k Key, old string, answered time.Time) {
	t.Helper()
	for {
		asked := time.Now()
		got := n.find(t.Context(), k)
		if got != old {
			break
		}
		if late := asked.Sub(answered); late > effective {
			t.Fatalf("%q is still served %v after the purge was answered", old, late)
		}
	}
	if got := n.find(t.Context(), k); got == old {
		t.Fatalf("%q is served again", old)
	}
}

// purges are the kinds, each for the object a.jpg of the source shop.
func purges() []Purge {
	return []Purge{{Source: "shop", Object: "a.jpg"}, {Source: "shop"}, {Tag: "summer"}, {All: true}}
}

func TestPurgeReachesTheFleet(t *testing.T) {
	url := testpeer.Redis(t).URL
	a, b := newNode(t, url), newNode(t, url)
	for _, p := range purges() {
		t.Run(testName(p), func(t *testing.T) { purgeFrom(t, a, b, p, func() {}, func() {}) })
	}
	if s := b.gens.Stats(); s.Gaps != 0 {
		t.Errorf("%d gaps although nothing was cut", s.Gaps)
	}
}

func TestPurgeReachesTheCluster(t *testing.T) {
	url := "redis+cluster://" + strings.Join(testpeer.RedisCluster(t), ",")
	a, b := newNode(t, url), newNode(t, url)
	for _, p := range purges() {
		t.Run(testName(p), func(t *testing.T) { purgeFrom(t, a, b, p, func() {}, func() {}) })
	}
}

func TestPurgeWithoutSubscription(t *testing.T) {
	url := testpeer.Redis(t).URL
	a := newNode(t, url)
	b, link := newCutNode(t, url)
	for _, p := range purges() {
		t.Run(testName(p), func(t *testing.T) {
			purgeFrom(t, a, b, p, func() { link.cut(false) }, func() {})
			link.mend()
			b.settle(t)
		})
	}
	if s := b.gens.Stats(); s.Gaps == 0 {
		t.Error("no gap was seen: the subscription was not cut")
	}
}

// purgeFrom fills both nodes and Redis, and purges at a between before and after.
func purgeFrom(t *testing.T, a, b *testNode, p Purge, before, after func()) {
	t.Helper()
	k, second, original, beside := key("shop", "a.jpg", 1), key("shop", "a.jpg", 2), OriginalKey("shop", "a.jpg"), key("garden", "b.jpg", 1)
	old := fmt.Sprint("old ", t.Name())
	if _, err := a.gens.Purge(t.Context(), Purge{All: true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "nothing left of the test before", func() bool { return b.find(t.Context(), k) == "" })
	all := []Key{k, second, original}
	for _, x := range append(all, beside) {
		_, gen, _ := a.tier.Load(t.Context(), x)
		e := entry(old)
		e.Generation = gen
		if x != beside {
			e.Tags = []string{"summer"}
		}
		if err := a.memory.Set(t.Context(), x, e); err != nil {
			t.Fatal(err)
		}
		if err := a.tier.Set(t.Context(), x, e); err != nil {
			t.Fatal(err)
		}
		eventually(t, 5*time.Second, "entry in the second node's memory", func() bool {
			if b.find(t.Context(), x) != old {
				t.Fatalf("the second node does not find %v in Redis", x)
			}
			_, err := b.memory.Get(t.Context(), x)
			return err == nil
		})
	}
	_, begun, _ := b.tier.Load(t.Context(), k)
	late := entry("late " + old)
	late.Generation, late.Tags = begun, []string{"summer"}

	before()
	n, err := a.gens.Purge(t.Context(), p)
	answered := time.Now()
	after()
	if err != nil {
		t.Fatalf("Purge(%+v): %v", p, err)
	}
	if want := map[bool]int{true: 4, false: 3}[p.All]; n != want {
		t.Errorf("purged %d of node a, want %d", n, want)
	}
	for _, x := range all {
		if got := a.find(t.Context(), x); got != "" {
			t.Errorf("the purging node still serves %q", got)
		}
		soon(t, b, x, old, answered)
	}
	// A render that was under way cannot put old bytes back, neither in Redis nor, for good, in memory.
	_ = b.memory.Set(t.Context(), k, late)
	if err := b.tier.Set(t.Context(), k, late); !errors.Is(err, ErrOutdated) {
		t.Errorf("redis.Set of what was begun before: %v, want ErrOutdated", err)
	}
	soon(t, b, k, string(late.Body), answered)
	if got := a.find(t.Context(), k); got != "" {
		t.Errorf("node a finds %q", got)
	}
	if got := b.find(t.Context(), beside); got != old && !p.All {
		t.Errorf("another picture: %q, want it untouched", got)
	}
	b.fill(t, k, "new")
	if got := a.find(t.Context(), k); got != "new" {
		t.Errorf("after a new fill the purging node finds %q", got)
	}
}

// A node cut off serves on, says so, and catches up when it is back.
func TestPurgeWhileCutOff(t *testing.T) {
	url := testpeer.Redis(t).URL
	a := newNode(t, url)
	b, link := newCutNode(t, url)
	k, untouched := key("shop", "a.jpg", 1), key("shop", "b.jpg", 1)
	for _, x := range []Key{k, untouched} {
		a.fill(t, x, "old")
		b.find(t.Context(), x)
	}
	link.cut(true)
	if _, err := a.gens.Purge(t.Context(), Purge{Source: "shop", Object: "a.jpg"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "the cut is noticed", func() bool { return b.gens.Stats().Unverified == 2 })
	for range 100 {
		if got := b.find(t.Context(), k); got != "old" {
			t.Fatalf("cut off, the node serves %q, want the unverified copy", got)
		}
	}
	n, err := b.gens.Purge(t.Context(), Purge{Source: "shop", Object: "c.jpg"})
	if !errors.Is(err, ErrPurgeIncomplete) || n != 0 {
		t.Errorf("Purge while cut off: %d, %v; want ErrPurgeIncomplete", n, err)
	}
	var status interface {
		HTTPStatus() int
		Code() string
	}
	if !errors.As(err, &status) || status.HTTPStatus() != 503 || status.Code() != "purge_incomplete" {
		t.Errorf("Purge while cut off: %v is no 503 purge_incomplete", err)
	}
	link.mend()
	mended := time.Now()
	eventually(t, 5*time.Second, "the breaker closes", b.gens.inStep)
	soon(t, b, k, "old", time.Now())
	if got := b.find(t.Context(), untouched); got != "old" {
		t.Errorf("after verification the untouched picture is %q", got)
	}
	if s := b.gens.Stats(); s.Unverified != 0 {
		t.Errorf("%d entries unverified %v after the link was mended", s.Unverified, time.Since(mended))
	}
}

// What is purged at a node without its Redis is gone from that node.
func TestPurgeLocally(t *testing.T) {
	for _, p := range purges() {
		t.Run(testName(p), func(t *testing.T) {
			n, link := newCutNode(t, testpeer.Redis(t).URL)
			k := key("shop", "a.jpg", 1)
			_, gen, _ := n.tier.Load(t.Context(), k)
			e := entry("old")
			e.Generation, e.Tags = gen, []string{"summer"}
			if err := n.memory.Set(t.Context(), k, e); err != nil {
				t.Fatal(err)
			}
			link.cut(true)
			if count, err := n.gens.Purge(t.Context(), p); count != 1 || !errors.Is(err, ErrPurgeIncomplete) {
				t.Errorf("Purge(%+v): %d, %v; want 1, ErrPurgeIncomplete", p, count, err)
			}
			if got := n.find(t.Context(), k); got != "" {
				t.Errorf("still there: %q", got)
			}
			if err := n.memory.Set(t.Context(), k, e); !errors.Is(err, ErrOutdated) {
				t.Errorf("Set of what was begun before: %v, want ErrOutdated", err)
			}
		})
	}
}

// Work done without Redis is kept, but not beyond the moment it can be verified.
func TestFillWhileCutOff(t *testing.T) {
	n, link := newCutNode(t, testpeer.Redis(t).URL)
	k := key("shop", "a.jpg", 1)
	link.cut(true)
	_, gen, err := n.tier.Load(t.Context(), k)
	if err == nil || errors.Is(err, ErrMiss) {
		t.Fatalf("Load while cut off: %v, want trouble", err)
	}
	e := entry("alone")
	e.Generation = gen
	if err := n.memory.Set(t.Context(), k, e); err != nil {
		t.Fatalf("Set while cut off: %v", err)
	}
	if err := n.tier.Set(t.Context(), k, e); !errors.Is(err, ErrOutdated) {
		t.Errorf("redis.Set of an unknown generation: %v, want ErrOutdated", err)
	}
	eventually(t, 5*time.Second, "the breaker opens", func() bool { return n.fleet.Stats().Open })
	if got := n.find(t.Context(), k); got != "alone" {
		t.Errorf("while cut off: %q", got)
	}
	link.mend()
	eventually(t, 5*time.Second, "the unverifiable entry is gone", func() bool { return n.find(t.Context(), k) == "" })
}

// Redis loses all it had: nothing old comes back, and the fleet goes on.
func TestRedisForgets(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, s *testpeer.RedisServer){
		"flushall": func(t *testing.T, s *testpeer.RedisServer) {
			if err := s.Client(t).FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		},
		"restart": func(t *testing.T, s *testpeer.RedisServer) { s.Restart(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s := testpeer.Redis(t)
			a, b := newNode(t, s.URL), newNode(t, s.URL)
			k := key("shop", "a.jpg", 1)
			a.fill(t, k, "old")
			b.find(t.Context(), k)
			_, begun, _ := b.tier.Load(t.Context(), k)
			lose(t, s)
			lost := time.Now()
			eventually(t, 5*time.Second, "both nodes in touch again", func() bool { return a.gens.inStep() && b.gens.inStep() })
			soon(t, b, k, "old", time.Now())
			late := entry("late")
			late.Generation = begun
			eventually(t, 5*time.Second, "entries stored again", func() bool {
				_ = b.tier.Set(t.Context(), k, late)
				if got := a.find(t.Context(), k); got == "late" {
					t.Fatal("work begun before the loss is served")
				}
				_, gen, err := b.tier.Load(t.Context(), k)
				if !errors.Is(err, ErrMiss) {
					return false
				}
				e := entry("new")
				e.Generation = gen
				return b.tier.Set(t.Context(), k, e) == nil && a.find(t.Context(), k) == "new"
			})
			if d := time.Since(lost); d > 5*time.Second {
				t.Errorf("stored again only after %v", d)
			}
			if _, err := a.gens.Purge(t.Context(), Purge{Source: "shop", Object: "a.jpg"}); err != nil {
				t.Fatal(err)
			}
			soon(t, b, k, "new", time.Now())
		})
	}
}

// Redis comes back with a snapshot of the past, from before a purge: what was purged stays purged.
func TestRedisRollsBack(t *testing.T) {
	for _, p := range purges() {
		t.Run(testName(p), func(t *testing.T) {
			s := testpeer.Redis(t)
			a, b := newNode(t, s.URL), newNode(t, s.URL)
			k := key("shop", "a.jpg", 1)
			_, gen, _ := a.tier.Load(t.Context(), k)
			e := entry("old")
			e.Generation, e.Tags = gen, []string{"summer"}
			if err := a.tier.Set(t.Context(), k, e); err != nil {
				t.Fatal(err)
			}
			b.find(t.Context(), k)
			if err := s.Client(t).Save(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			if _, err := a.gens.Purge(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			soon(t, b, k, "old", time.Now())
			s.Restart(t)
			if n, err := s.Client(t).Exists(t.Context(), valueKey(k)).Result(); err != nil || n != 1 {
				t.Fatalf("the snapshot brought back %d entries, %v; want 1", n, err)
			}
			restarted := time.Now()
			eventually(t, 5*time.Second, "both nodes in touch again", func() bool {
				return a.gens.Stats().Gaps > 0 && b.gens.Stats().Gaps > 0 && a.gens.inStep() && b.gens.inStep()
			})
			soon(t, a, k, "old", restarted)
			soon(t, b, k, "old", restarted)
			for range 50 {
				if got := b.find(t.Context(), k) + a.find(t.Context(), k); got != "" {
					t.Fatalf("what was purged is served again: %q", got)
				}
			}
		})
	}
}

// Redis evicts an object's counter alone, as a full one may: the values under it are outdated.
func TestCounterEvicted(t *testing.T) {
	s := testpeer.Redis(t)
	n := newNode(t, s.URL)
	k := key("shop", "a.jpg", 1)
	n.fill(t, k, "never purged")
	if err := s.Client(t).Del(t.Context(), objectKey(k.Object)).Err(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := n.tier.Load(t.Context(), k); !errors.Is(err, ErrMiss) {
		t.Errorf("Load without a counter: %v, want ErrMiss", err)
	}
}

// A tag's set that was lost cannot say what it named.
func TestTagSetLost(t *testing.T) {
	s := testpeer.Redis(t)
	n := newNode(t, s.URL)
	k := key("shop", "a.jpg", 1)
	_, gen, _ := n.tier.Load(t.Context(), k)
	e := entry("old")
	e.Generation, e.Tags = gen, []string{"summer"}
	for _, store := range []Store{n.memory, n.tier} {
		if err := store.Set(t.Context(), k, e); err != nil {
			t.Fatal(err)
		}
	}
	if count, err := n.gens.Purge(t.Context(), Purge{Tag: "winter"}); count != 0 || err != nil {
		t.Errorf("purge of a tag that nothing has: %d, %v; want 0, nil", count, err)
	}
	if err := s.Client(t).Del(t.Context(), tagKey(tagHash("summer"))).Err(); err != nil {
		t.Fatal(err)
	}
	if count, err := n.gens.Purge(t.Context(), Purge{Tag: "summer"}); count != 1 || !errors.Is(err, ErrPurgeIncomplete) {
		t.Errorf("purge of a tag whose set is lost: %d, %v; want 1, ErrPurgeIncomplete", count, err)
	}
	if _, err := n.memory.Get(t.Context(), k); !errors.Is(err, ErrMiss) {
		t.Errorf("the purging node still has it: %v", err)
	}
}

// hook runs do once, just before a command that when describes.
type hook struct {
	once sync.Once
	when func(redis.Cmder) bool
	do   func()
}

func (h *hook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if slices.ContainsFunc(cmds, h.when) {
			h.once.Do(h.do)
		}
		return next(ctx, cmds)
	}
}

func (h *hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if h.when(cmd) {
			h.once.Do(h.do)
		}
		return next(ctx, cmd)
	}
}

// names says that a command's arguments hold a text.
func names(text string) func(redis.Cmder) bool {
	return func(cmd redis.Cmder) bool {
		for _, arg := range cmd.Args() {
			if s, ok := arg.(string); ok && strings.Contains(s, text) {
				return true
			}
		}
		return false
	}
}

// A purge by tag at any moment of a store under way leaves no node with the entry.
func TestPurgeByTagWhileStoring(t *testing.T) {
	const tag = "summer"
	for name, when := range map[string]func(redis.Cmder) bool{
		"before the object is under its tag": names(tagKey(tagHash(tag))),
		"before the tag is known":            names(tagsKey),
		"before the value is stored":         names("}:v1:"),
	} {
		for _, deaf := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, deaf %v", name, deaf), func(t *testing.T) {
				url := testpeer.Redis(t).URL
				a, link := newCutNode(t, url)
				b := newNode(t, url)
				k := key("shop", "a.jpg", 1)
				e := a.begun(t, k, tag)
				if deaf { // the push is lost: the polls will tell, the next one or the second
					link.cut(false)
				}
				a.client.AddHook(&hook{when: when, do: func() {
					if _, err := b.gens.Purge(t.Context(), Purge{Tag: tag}); err != nil {
						t.Error(err)
					}
				}})
				if err := a.tier.Set(t.Context(), k, e); !errors.Is(err, ErrOutdated) {
					t.Errorf("Set = %v, want ErrOutdated", err)
				}
				if _, _, err := b.tier.Load(t.Context(), k); !errors.Is(err, ErrMiss) {
					t.Errorf("the other node finds it: %v", err)
				}
			})
		}
	}
}

// The same from the other side: a store at any moment of a purge by tag under way.
func TestStoreWhilePurgingByTag(t *testing.T) {
	const tag = "summer"
	for name, when := range map[string]func(redis.Cmder) bool{
		"before the purge is counted":    names("t - " + tag),
		"before the tag's set is read":   names(tagKey(tagHash(tag))),
		"before the objects are renewed": names("}:generation"),
	} {
		t.Run(name, func(t *testing.T) {
			url := testpeer.Redis(t).URL
			a, b := newNode(t, url), newNode(t, url)
			k, other := key("shop", "a.jpg", 1), key("shop", "b.jpg", 1)
			if err := a.tier.Set(t.Context(), other, a.begun(t, other, tag)); err != nil {
				t.Fatal(err)
			}
			e, ran := a.begun(t, k, tag), false
			b.client.AddHook(&hook{when: when, do: func() {
				ran = true
				_ = a.tier.Set(t.Context(), k, e) // it may succeed where the purge finds it afterwards
			}})
			if _, err := b.gens.Purge(t.Context(), Purge{Tag: tag}); err != nil || !ran {
				t.Fatalf("Purge = %v; stored in between: %v", err, ran)
			}
			for _, k := range []Key{k, other} {
				if _, _, err := b.tier.Load(t.Context(), k); !errors.Is(err, ErrMiss) {
					t.Errorf("Redis still has it: %v", err)
				}
			}
		})
	}
}

// begun is an entry with a tag whose work began now.
func (n *testNode) begun(t *testing.T, k Key, tag string) *Entry {
	t.Helper()
	_, gen, err := n.tier.Load(t.Context(), k)
	if !errors.Is(err, ErrMiss) {
		t.Fatal(err)
	}
	e := entry("old")
	e.Generation, e.Tags = gen, []string{tag}
	return e
}

// A store finds its object under the tag and does not know any more whether the tag was purged: pushes
// were missed since its work began, as a poll has found.
func TestStoreByTagAfterGap(t *testing.T) {
	url := testpeer.Redis(t).URL
	a, link := newCutNode(t, url)
	b := newNode(t, url)
	k := key("shop", "a.jpg", 1)
	e := a.begun(t, k, "summer")
	link.cut(false)
	if _, err := b.gens.Purge(t.Context(), Purge{Tag: "summer"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "the polls find the gap", func() bool { return a.gens.Stats().Gaps > 0 })
	if err := a.tier.Set(t.Context(), k, e); !errors.Is(err, ErrOutdated) {
		t.Errorf("Set = %v, want ErrOutdated", err)
	}
	if err := a.tier.Set(t.Context(), k, a.begun(t, k, "summer")); err != nil {
		t.Errorf("work begun since then: Set = %v", err)
	}
}

// The purge of one object looks at no other's entries.
func TestPurgeOfObjectWalksNothing(t *testing.T) {
	n := newNode(t, "")
	mine := key("shop", "a.jpg", 1)
	for i := range 3 {
		n.fill(t, key("shop", "a.jpg", i), "x")
	}
	n.fill(t, key("shop", "b.jpg", 1), "x")
	for _, m := range []*Memory{n.memory, n.kept} {
		for i := range m.index.shards {
			if i != stripeOf(mine.Object) {
				m.index.shards[i].mu.Lock()
				defer m.index.shards[i].mu.Unlock()
			}
		}
	}
	purged := make(chan int, 1) // the goroutine never waits
	go func() {
		count, err := n.gens.Purge(t.Context(), Purge{Source: "shop", Object: "a.jpg"})
		if err != nil {
			t.Error(err)
		}
		purged <- count
	}()
	select {
	case count := <-purged:
		if count != 3 {
			t.Errorf("%d purged, want 3", count)
		}
	case <-time.After(5 * time.Second):
		t.Error("the purge waits for the index of other objects")
	}
}

// The generation that a node knows of changes with every purge that concerns the key, here at once and on
// the others with the push, without asking Redis.
func TestGenerationTellsOfPurges(t *testing.T) {
	for name, url := range map[string]string{"alone": "", "fleet": testpeer.Redis(t).URL} {
		t.Run(name, func(t *testing.T) {
			a := newNode(t, url)
			b := a
			if url != "" {
				b = newNode(t, url)
			}
			k := key("shop", "a.jpg", 1)
			for _, p := range []Purge{{All: true}, {Source: "shop"}, {Source: "shop", Object: "a.jpg"}, {Tag: "summer"}} {
				hereBefore, thereBefore := a.tier.Generation(k), b.tier.Generation(k)
				if _, gen, _ := a.tier.Load(t.Context(), k); gen.All != hereBefore.All || gen.Source != hereBefore.Source || gen.Node != hereBefore.Node {
					t.Errorf("Load says %+v, Generation %+v", gen, hereBefore)
				}
				if _, err := a.gens.Purge(t.Context(), p); err != nil {
					t.Fatal(err)
				}
				if a.tier.Generation(k) == hereBefore {
					t.Errorf("%+v changed nothing on its node", p)
				}
				eventually(t, 5*time.Second, "the other node knows", func() bool { return b.tier.Generation(k) != thereBefore })
			}
			if n := testing.AllocsPerRun(10, func() { _ = a.tier.Generation(k) }); n != 0 {
				t.Errorf("Generation allocates %v times", n)
			}
		})
	}
}

func TestPurgeIsOneThing(t *testing.T) {
	_, g := alone(t, 1<<20)
	for _, p := range []Purge{{}, {Object: "a"}, {All: true, Source: "s"}, {Tag: "t", Source: "s"}, {Tag: "t", All: true}} {
		if _, err := g.Purge(t.Context(), p); !errors.Is(err, ErrBadPurge) {
			t.Errorf("Purge(%+v): %v, want ErrBadPurge", p, err)
		}
	}
}

// A node that was frozen looks before it serves. Its poller and its subscription are dead here, so that the
// first hit itself must find out.
func TestFrozenNodeLooksFirst(t *testing.T) {
	for _, p := range purges() {
		t.Run(testName(p), func(t *testing.T) {
			url := testpeer.Redis(t).URL
			a := newNode(t, url)
			b, link := newCutNode(t, url)
			k, beside := key("shop", "a.jpg", 1), key("garden", "b.jpg", 1)
			for _, x := range []Key{k, beside} {
				_, gen, _ := a.tier.Load(t.Context(), x)
				e := entry("old")
				e.Generation = gen
				if x == k {
					e.Tags = []string{"summer"}
				}
				if err := a.tier.Set(t.Context(), x, e); err != nil {
					t.Fatal(err)
				}
				b.find(t.Context(), x)
			}
			link.cut(false)
			if err := b.gens.Close(); err != nil { // ends the poller
				t.Fatal(err)
			}
			if _, err := a.gens.Purge(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			eventually(t, 5*time.Second, "a second has passed", func() bool { return !b.gens.inStep() })
			if e, err := b.memory.Get(t.Context(), k); !errors.Is(err, ErrMiss) {
				t.Errorf("the first hit: %v, %v; want ErrMiss", e, err)
			}
			if _, err := b.memory.Get(t.Context(), beside); err != nil && !p.All {
				t.Errorf("another picture: %v", err)
			}
		})
	}
}

// Verification asks Redis once for each entry.
func TestVerifyOnce(t *testing.T) {
	s := testpeer.Redis(t)
	n := newNode(t, s.URL)
	keys := []Key{key("shop", "a.jpg", 1), key("shop", "b.jpg", 1)}
	for _, k := range keys {
		n.fill(t, k, "good")
	}
	n.gens.epoch.Add(1)
	if got := n.gens.Stats().Unverified; got != 2 {
		t.Errorf("%d unverified after a gap, want 2", got)
	}
	asked := func() (calls string) {
		info := s.Client(t).Info(t.Context(), "commandstats").Val()
		_, calls, _ = strings.Cut(info, "cmdstat_get:calls=")
		calls, _, _ = strings.Cut(calls, ",")
		return calls
	}
	for _, k := range keys {
		if _, err := n.memory.Get(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	before := asked()
	for range 100 {
		for _, k := range keys {
			if _, err := n.memory.Get(t.Context(), k); err != nil {
				t.Fatal(err)
			}
		}
	}
	if after := asked(); after != before {
		t.Errorf("GET was called %s times, then %s: verified entries are asked for again", before, after)
	}
	if got := n.gens.Stats().Unverified; got != 0 {
		t.Errorf("%d unverified, want 0", got)
	}
}

// A whole process, frozen by SIGSTOP over a purge.
func TestFrozenProcess(t *testing.T) {
	s := testpeer.Redis(t)
	a := newNode(t, s.URL)
	k := key("shop", "a.jpg", 1)
	a.fill(t, k, "old")
	b := startChild(t, s.URL)
	if got := b.ask(t); got != "old" {
		t.Fatalf("the other process finds %q", got)
	}
	if got := b.ask(t); got != "old" {
		t.Fatalf("the other process finds %q", got)
	}
	b.signal(t, syscall.SIGSTOP)
	if _, err := a.gens.Purge(t.Context(), Purge{Source: "shop", Object: "a.jpg"}); err != nil {
		t.Fatal(err)
	}
	<-time.After(effective) // what is tested is this second
	b.send(t)               // is there when it wakes
	b.signal(t, syscall.SIGCONT)
	if got := b.receive(t); got != "" {
		t.Errorf("thawed, it serves %q", got)
	}
}

// child is this test binary again, as another node.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

const childEnv = "IMGEDGE_TEST_CHILD_REDIS"

func startChild(t *testing.T, url string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.timeout=60s")}
	c.cmd.Env = append(os.Environ(), childEnv+"="+url)
	out, err1 := c.cmd.StdoutPipe()
	in, err2 := c.cmd.StdinPipe()
	if err := errors.Join(err1, err2, c.cmd.Start()); err != nil {
		t.Fatal(err)
	}
	c.in, c.out = in, bufio.NewReader(out)
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	})
	return c
}

func (c *child) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (c *child) ask(t *testing.T) string {
	t.Helper()
	c.send(t)
	return c.receive(t)
}

func (c *child) send(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(c.in, "?\n"); err != nil {
		t.Fatal(err)
	}
}

func (c *child) receive(t *testing.T) string {
	t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// TestChild is the other process of TestFrozenProcess: it answers each line with what it finds.
func TestChild(t *testing.T) {
	url := os.Getenv(childEnv)
	if url == "" {
		return
	}
	n := newNode(t, url)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		_, _ = os.Stdout.WriteString(n.find(t.Context(), key("shop", "a.jpg", 1)) + "\n")
	}
}
