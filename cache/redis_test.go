package cache

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/imgedge/imgedge/internal/testpeer"
)

func TestOpenRedis(t *testing.T) {
	type options struct {
		Addrs                        []string
		User, Password, Master       string
		SentinelUser, SentinelSecret string
		DB                           int
		TLS, Cluster                 bool
	}
	for address, want := range map[string]options{
		"redis://127.0.0.1:6379/0":                {Addrs: []string{"127.0.0.1:6379"}},
		"redis://localhost":                       {Addrs: []string{"localhost:6379"}},
		"redis://localhost/":                      {Addrs: []string{"localhost:6379"}},
		"redis://[::1]:7000/3":                    {Addrs: []string{"[::1]:7000"}, DB: 3},
		"redis://[::1]":                           {Addrs: []string{"[::1]:6379"}},
		"redis://:p%40ss%3A@h:1":                  {Addrs: []string{"h:1"}, Password: "p@ss:"},
		"rediss://user:secret@h:1/2":              {Addrs: []string{"h:1"}, User: "user", Password: "secret", DB: 2, TLS: true},
		"redis+cluster://a:1,b:2,c":               {Addrs: []string{"a:1", "b:2", "c:6379"}, Cluster: true},
		"redis+cluster://a:1":                     {Addrs: []string{"a:1"}, Cluster: true},
		"rediss+cluster://u:p@a:1,b:2/0":          {Addrs: []string{"a:1", "b:2"}, User: "u", Password: "p", Cluster: true, TLS: true},
		"redis+sentinel://a:1,b/mymaster/4":       {Addrs: []string{"a:1", "b:26379"}, Master: "mymaster", DB: 4},
		"redis+sentinel://u:p@a:1,b:2/mymaster":   {Addrs: []string{"a:1", "b:2"}, Master: "mymaster", User: "u", Password: "p", SentinelUser: "u", SentinelSecret: "p"},
		"rediss+sentinel://a:1,b:2,c:3/primary/0": {Addrs: []string{"a:1", "b:2", "c:3"}, Master: "primary", TLS: true},
	} {
		t.Run(address, func(t *testing.T) {
			o, err := parseRedisURL(address)
			if err != nil {
				t.Fatal(err)
			}
			got := options{
				o.Addrs, o.Username, o.Password, o.MasterName, o.SentinelUsername, o.SentinelPassword,
				o.DB, o.TLSConfig != nil, o.IsClusterMode,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !o.DisableIdentity || o.MaxRetries != -1 || o.DialerRetries != 1 || !o.ContextTimeoutEnabled {
				t.Error("a setting that keeps Redis from costing time is missing")
			}
		})
	}
	for _, address := range []string{
		"", "redis://", "http://h", "redis+x://h", "memcached+cluster://h", "redis://h:0", "redis://h:99999", "redis://h:x", "redis://h/x",
		"redis://h/-1", "redis://a,b", "redis+cluster://a,,b", "redis+cluster://a/1", "redis+sentinel://a:1", "redis://h?db=1",
		"redis://user:%zzsecret@h", "redis://user:secret@h:x",
	} {
		c, err := OpenRedis(address)
		if err == nil {
			_ = c.Close()
			t.Errorf("OpenRedis(%q) succeeds", address)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("OpenRedis(%q): %v shows the password", address, err)
		}
	}
}

// T22: what is not the very entry asked for is a miss, deleted and counted.
func TestRedisDamage(t *testing.T) {
	s := testpeer.Redis(t)
	n := newNode(t, s.URL)
	raw := s.Client(t)
	k, other := key("shop", "a.jpg", 1), key("shop", "a.jpg", 2)
	n.fill(t, k, "a")
	n.fill(t, other, "b")
	good, err := raw.Get(t.Context(), valueKey(k)).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := raw.Get(t.Context(), valueKey(other)).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	changed := append([]byte(nil), good...)
	changed[len(changed)-1] ^= 1
	for i, bad := range [][]byte{changed, foreign, good[:len(good)/2], {}, []byte("garbage")} {
		if err := raw.Set(t.Context(), valueKey(k), bad, time.Hour).Err(); err != nil {
			t.Fatal(err)
		}
		if e, gen, err := n.tier.Load(t.Context(), k); !errors.Is(err, ErrMiss) || e != nil || gen.Object == unknown {
			t.Errorf("damage %d: Load = %v, %v, %v; want a miss with a generation", i, e, gen, err)
		}
		if left := raw.Exists(t.Context(), valueKey(k)).Val(); left != 0 {
			t.Errorf("damage %d was not deleted", i)
		}
		if got := n.tier.Stats().Damaged; got != uint64(i+1) {
			t.Errorf("damage %d: counted %d", i, got)
		}
	}
	// A value of another type, and a counter that is no number.
	raw.LPush(t.Context(), valueKey(k), "x")
	if _, _, err := n.tier.Load(t.Context(), k); !errors.Is(err, ErrMiss) {
		t.Errorf("a list in place of the value: %v, want ErrMiss", err)
	}
	raw.Set(t.Context(), objectKey(k.Object), "x", time.Hour)
	if _, gen, err := n.tier.Load(t.Context(), k); err == nil || gen.Object != unknown && gen.Object != 0 {
		t.Errorf("a counter that is no number: %v, %v", gen, err)
	}
}

func TestRedisKeepsNames(t *testing.T) {
	s := testpeer.Redis(t)
	n := newNode(t, s.URL)
	k := key("shop", "a.jpg", 1)
	_, gen, _ := n.tier.Load(t.Context(), k)
	e := entry("a")
	e.Generation, e.Tags = gen, []string{"summer"}
	if err := n.tier.Set(t.Context(), k, e); err != nil {
		t.Fatal(err)
	}
	release, led := n.leases.Lead(t.Context(), key("shop", "b.jpg", 1), func(context.Context) bool { return false })
	if !led {
		t.Fatal("not led")
	}
	defer release()
	raw := s.Client(t)
	names := raw.Keys(t.Context(), "*").Val()
	if len(names) != 6 { // value, counter, lease, purge, tag, tags
		t.Errorf("names: %q, want 6", names)
	}
	for _, name := range names {
		if !strings.HasPrefix(name, keyPrefix) {
			t.Errorf("%q is not one of ours", name)
		}
		// All but the fleet's counters end by themselves; the set of tags is bounded by its members' ends.
		if ttl := raw.PTTL(t.Context(), name).Val(); ttl <= 0 && name != purgeKey && name != tagsKey {
			t.Errorf("%q never ends", name)
		}
	}
	if ttl := raw.PTTL(t.Context(), valueKey(k)).Val(); ttl > time.Until(e.Stale)+time.Second || ttl < time.Until(e.Stale)-time.Minute {
		t.Errorf("value ends in %v, want at its stale time in %v", ttl, time.Until(e.Stale))
	}
	if raw.PTTL(t.Context(), objectKey(k.Object)).Val() < raw.PTTL(t.Context(), valueKey(k)).Val() {
		t.Error("the counter ends before the value")
	}
}

// trouble sends requests at a Redis in trouble and holds the node to ruling 23: no errors, at most 1 s lost
// in all, then nothing.
func trouble(t *testing.T, n *testNode) {
	t.Helper()
	k := key("shop", "hot.jpg", 1)
	start := time.Now()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 25 {
				cold := key("shop", fmt.Sprint(w, "-", i), 1)
				begun := time.Now()
				_, gen, err := n.tier.Load(t.Context(), cold)
				if err == nil {
					t.Error("Load found something")
				}
				e := entry("x")
				e.Generation = gen
				if err := n.memory.Set(t.Context(), cold, e); err != nil && !errors.Is(err, ErrOutdated) {
					t.Errorf("memory.Set: %v", err)
				}
				_ = n.tier.Set(t.Context(), cold, e) // lost, counted
				if _, err := n.memory.Get(t.Context(), k); err != nil {
					t.Errorf("the hot picture: %v", err)
				}
				if d := time.Since(begun); d > 2*time.Second {
					t.Errorf("a request took %v", d)
				}
			}
		})
	}
	wg.Wait()
	if d := time.Since(start); d > 4*time.Second {
		t.Errorf("100 requests took %v", d)
	}
	eventually(t, 5*time.Second, "the breaker opens", func() bool { return n.fleet.Stats().Open })
	start = time.Now()
	for range 1000 {
		_, _, _ = n.tier.Load(t.Context(), k)
		_, _ = n.memory.Get(t.Context(), k)
	}
	if d := time.Since(start); d > 500*time.Millisecond {
		t.Errorf("with the breaker open 1000 requests took %v", d)
	}
	var errors uint64
	for _, count := range n.fleet.Stats().Errors {
		errors += count
	}
	if errors == 0 {
		t.Error("nothing was counted")
	}
}

// healed holds that Redis is used again within 5 s.
func healed(t *testing.T, n *testNode) {
	t.Helper()
	k := key("shop", "healed.jpg", 1)
	eventually(t, 5*time.Second, "entries stored again", func() bool {
		_, gen, err := n.tier.Load(t.Context(), k)
		if !errors.Is(err, ErrMiss) {
			return err == nil
		}
		e := entry("healed")
		e.Generation = gen
		return n.tier.Set(t.Context(), k, e) == nil
	})
}

func TestRedisFrozen(t *testing.T) {
	s := testpeer.Redis(t)
	n := newNode(t, s.URL)
	n.fill(t, key("shop", "hot.jpg", 1), "hot")
	s.Pause()
	trouble(t, n)
	s.Resume()
	healed(t, n)
}

func TestRedisKilled(t *testing.T) {
	s := testpeer.Redis(t)
	n := newNode(t, s.URL)
	n.fill(t, key("shop", "hot.jpg", 1), "hot")
	s.Kill()
	trouble(t, n)
	s.Restart(t)
	healed(t, n)
}

func TestRedisAbsentAtStart(t *testing.T) {
	s := testpeer.Redis(t)
	s.Kill()
	c, err := OpenRedis(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	f := NewFleet(c, testTimeout)
	g := NewGenerations(f)
	n := &testNode{client: c, fleet: f, gens: g, memory: NewMemory(1<<20, g), tier: NewRedis(f, g, 0)}
	t.Cleanup(func() { _, _, _ = n.memory.Close(), g.Close(), f.Close() })
	if f.Ping(t.Context()) == nil {
		t.Error("Ping of an absent Redis succeeds")
	}
	k := key("shop", "hot.jpg", 1)
	_, gen, _ := n.tier.Load(t.Context(), k)
	e := entry("hot")
	e.Generation = gen
	if err := n.memory.Set(t.Context(), k, e); err != nil {
		t.Fatal(err)
	}
	trouble(t, n)
	s.Restart(t)
	healed(t, n)
	n.settle(t) // the subscription comes by itself too
	if err := f.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
}

func TestRedisSlow(t *testing.T) {
	s := testpeer.Redis(t)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "redis", "127.0.0.1:0", s.Addr)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	n := newNode(t, "redis://"+proxy.Listen)
	n.fill(t, key("shop", "hot.jpg", 1), "hot")
	slow := func(d time.Duration) {
		t.Helper()
		_, err := proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(
			`{"name":"slow","type":"latency","stream":"downstream","attributes":{"latency":%d}}`, d.Milliseconds())))
		if err != nil {
			t.Fatal(err)
		}
	}
	slow(5 * testTimeout)
	trouble(t, n)
	if err := proxy.Toxics.RemoveToxic(t.Context(), "slow"); err != nil {
		t.Fatal(err)
	}
	healed(t, n)
}

// A Redis that takes no writes costs its entries, and nothing else: memory goes on.
func TestRedisFull(t *testing.T) {
	s := testpeer.Redis(t)
	n := newNode(t, s.URL)
	if err := s.Client(t).ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	k := key("shop", "a.jpg", 1)
	_, gen, err := n.tier.Load(t.Context(), k)
	if !errors.Is(err, ErrMiss) {
		t.Fatalf("Load from a full Redis: %v, want ErrMiss", err)
	}
	e := entry("a")
	e.Generation = gen
	if err := n.memory.Set(t.Context(), k, e); err != nil {
		t.Fatal(err)
	}
	if err := n.tier.Set(t.Context(), k, e); err == nil {
		t.Error("Set into a full Redis succeeds")
	}
	n.gens.epoch.Add(1) // pushes were missed: the entry is verified
	for range 100 {
		if _, err := n.memory.Get(t.Context(), k); err != nil {
			t.Fatalf("memory lost it: %v", err)
		}
	}
	if n.fleet.Stats().Open {
		t.Error("the breaker is open although Redis answers")
	}
	if n.fleet.Stats().Errors["load"] == 0 {
		t.Error("nothing was counted")
	}
	if err := s.Client(t).ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	healed(t, n)
}

// Whatever a peer says, it is trouble: no panic, no wait, no memory.
func TestRedisTalksNonsense(t *testing.T) {
	for name, reply := range map[string]string{
		"loading":      "-LOADING Redis is loading the dataset in memory\r\n",
		"noauth":       "-NOAUTH Authentication required.\r\n",
		"moved":        "-MOVED 1 127.0.0.1:1\r\n",
		"ask":          "-ASK 1 127.0.0.1:1\r\n",
		"clusterdown":  "-CLUSTERDOWN The cluster is down\r\n",
		"readonly":     "-READONLY You can't write against a read only replica.\r\n",
		"oom":          "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
		"ten gigabyte": "$9999999999\r\n",
		"overflow":     "$9223372036854775807\r\n",
		"huge array":   "*9999999999\r\n",
		"huge map":     "%9999999999\r\n",
		"nested":       strings.Repeat("*1\r\n", 10000) + "*9999999999\r\n",
		"garbage":      "\x00\xffHTTP/1.1 400 Bad Request\r\n\r\n",
		"half a reply": "*2\r\n$5\r\nab",
		"other types":  "*2\r\n:1\r\n:2\r\n",
		"nils":         "*-1\r\n",
		"silence":      "",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := OpenRedis("redis://" + parrot(t, reply))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			f := NewFleet(c, testTimeout)
			g := NewGenerations(f)
			n := &testNode{client: c, fleet: f, gens: g, memory: NewMemory(1<<20, g), tier: NewRedis(f, g, 0), leases: NewLeases(f, 0)}
			t.Cleanup(func() { _, _, _, _ = n.leases.Close(), n.memory.Close(), g.Close(), f.Close() })
			k := key("shop", "a.jpg", 1)
			start := time.Now()
			for range 50 {
				if _, _, err := n.tier.Load(t.Context(), k); err == nil || errors.Is(err, ErrMiss) {
					t.Fatalf("Load: %v, want trouble", err)
				}
				e := entry("a")
				_, e.Generation, _ = n.tier.Load(t.Context(), k)
				if err := n.memory.Set(t.Context(), k, e); err != nil {
					t.Fatalf("memory.Set: %v", err)
				}
				if _, err := n.memory.Get(t.Context(), k); err != nil {
					t.Fatalf("memory.Get: %v", err)
				}
				_ = n.tier.Set(t.Context(), k, e)
				release, led := n.leases.Lead(t.Context(), k, func(context.Context) bool { return false })
				release()
				if !led {
					t.Fatal("not led")
				}
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("50 requests took %v", d)
			}
			if _, err := g.Purge(t.Context(), Purge{All: true}); !errors.Is(err, ErrPurgeIncomplete) {
				t.Errorf("Purge: %v, want ErrPurgeIncomplete", err)
			}
		})
	}
}

// parrot is a server that gives one reply to everything.
func parrot(t *testing.T, reply string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			wg.Go(func() {
				in := bufio.NewReader(c)
				for {
					line, err := in.ReadString('\n')
					if err != nil {
						return
					}
					if strings.HasPrefix(line, "*") {
						_, _ = c.Write([]byte(reply))
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().String()
}

func TestReplyScanner(t *testing.T) {
	good := "+OK\r\n:12\r\n$3\r\n*9\n\r\n$-1\r\n*2\r\n$0\r\n\r\n%1\r\n$4\r\n$999\r\n-ERR $99999999999\r\n$67108864\r\n"
	var whole replyScanner
	if !whole.feed([]byte(good)) {
		t.Error("good replies are refused whole")
	}
	var bytewise replyScanner
	for i := range good {
		if !bytewise.feed([]byte{good[i]}) {
			t.Fatalf("good replies are refused at byte %d", i)
		}
	}
	if whole != bytewise {
		t.Errorf("state after the whole %+v, bytewise %+v", whole, bytewise)
	}
	for _, bad := range []string{"$67108865\r\n", "=99999999999999999999\r\n", "*1048577\r\n", "~1048577\r\n", ">9999999\r\n", "+" + strings.Repeat("x", maxLine)} {
		var s replyScanner
		if s.feed([]byte(bad)) {
			t.Errorf("%.20q passes", bad)
		}
	}
}
