package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/imgedge/imgedge/internal/testpeer"
)

// bearsTrouble holds the promise for a Redis in trouble: pictures that nobody has and one from memory are all
// good and right, nine of ten within 3 s, and the metric tells.
func (n *fleetNode) bearsTrouble(t *testing.T, what string) {
	t.Helper()
	counted := n.reading(t, "imgedge_redis_errors_total")
	want := n.ok(t, coldTarget).body
	var took []time.Duration
	for i := range 12 {
		for _, target := range []string{fmt.Sprintf("/web/%s-%d.jpg?w=200&f=webp", what, i), coldTarget} {
			a := n.ok(t, target)
			if !bytes.Equal(a.body, want) {
				t.Errorf("%s: %s: other bytes than of the same picture before", what, target)
			}
			took = append(took, a.took)
		}
	}
	if slices.Sort(took); took[len(took)*9/10] > 3*time.Second {
		t.Errorf("%s: nine of ten answers took %v", what, took[len(took)*9/10])
	}
	eventually(t, what+": an error is counted", func() bool { return n.reading(t, "imgedge_redis_errors_total") > counted })
	if status := n.get(t, "/readyz").status; status != http.StatusOK {
		t.Errorf("%s: /readyz: %d", what, status)
	}
}

// What a real Redis does when it is configured, filled or connected badly.
func TestRedisFaults(t *testing.T) {
	server := testpeer.Redis(t)
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "redis", "127.0.0.1:0", server.Addr)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	admin := server.Client(t)
	do := func(args ...any) {
		t.Helper()
		if err := admin.Do(t.Context(), args...).Err(); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
	}
	toxic := func(text string) func() {
		return func() {
			if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	heal := func() {
		if err := proxy.Toxics.RemoveToxic(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
	}
	absent, port, _ := net.SplitHostPort(testpeer.FreePort(t))
	n := startNode(t, newOrigin(t), fmt.Sprintf("render: {isolation: none}\nredis: {url: \"redis://%s/0\"}\n", proxy.Listen))
	n.ok(t, coldTarget)
	for _, f := range []struct {
		name      string
		make, end func()
	}{
		{"read-only", func() { do("REPLICAOF", absent, port) }, func() { do("REPLICAOF", "NO", "ONE") }},
		{"too-few-replicas", func() { do("CONFIG", "SET", "min-replicas-to-write", "1") }, func() { do("CONFIG", "SET", "min-replicas-to-write", "0") }},
		{"full", func() { do("CONFIG", "SET", "maxmemory", "1") }, func() { do("CONFIG", "SET", "maxmemory", "0") }},
		{"password", func() {
			do("CONFIG", "SET", "requirepass", "secret")
			do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		}, func() { do("CONFIG", "SET", "requirepass", "") }},
		{"slow", toxic(`{"name":"t","type":"latency","stream":"downstream","attributes":{"latency":2000}}`), heal},
		{"half-replies", toxic(`{"name":"t","type":"limit_data","stream":"downstream","attributes":{"bytes":30}}`), heal},
		{"reset", toxic(`{"name":"t","type":"reset_peer","stream":"downstream","attributes":{"timeout":0}}`), heal},
	} {
		t.Run(f.name, func(t *testing.T) {
			f.make()
			n.bearsTrouble(t, f.name)
			leftAlone := func() float64 { return n.reading(t, "imgedge_breaker_open", `of="redis"`) }
			if f.name == "slow" && leftAlone() != 1 {
				t.Error("the gauge does not say that Redis is left alone")
			}
			f.end()
			storesAgain(t, n, server, "after-"+f.name)
			eventually(t, "imgedge_breaker_open is 0 again", func() bool { return leftAlone() == 0 })
		})
	}
}

// liar stands before a Redis. While it has something to say it says that to every command, else it passes
// everything on.
type liar struct {
	net.Listener
	says  atomic.Pointer[string]
	mu    sync.Mutex
	conns []net.Conn
	wait  sync.WaitGroup
}

func newLiar(t *testing.T, redisAddr string) *liar {
	t.Helper()
	l := &liar{}
	var err error
	if l.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	l.wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			l.wait.Go(func() { l.serve(c, redisAddr) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		l.tell("")
		l.wait.Wait()
	})
	return l
}

// tell changes what is said and ends the connections there are: they are of the other kind.
func (l *liar) tell(text string) {
	l.says.Store(&text)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

// keep remembers a connection until the next tell.
func (l *liar) keep(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, c)
}

func (l *liar) serve(c net.Conn, redisAddr string) {
	defer func() { _ = c.Close() }()
	l.keep(c)
	if says := l.says.Load(); says != nil && *says != "" {
		for in := bufio.NewReader(c); ; {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if strings.HasPrefix(line, "*") {
				_, _ = c.Write([]byte(*says))
			}
		}
	}
	back, err := net.Dial("tcp", redisAddr)
	if err != nil {
		return
	}
	l.keep(back)
	l.wait.Go(func() { _, _ = bufio.NewReader(c).WriteTo(back); _ = back.Close() })
	_, _ = bufio.NewReader(back).WriteTo(c)
}

// Whatever Redis says, pictures come, they are the right ones, and memory is not taken on its word.
func TestRedisLies(t *testing.T) {
	server := testpeer.Redis(t)
	front := newLiar(t, server.Addr)
	n := startNode(t, newOrigin(t), fmt.Sprintf("render: {isolation: none}\nredis: {url: \"redis://%s/0\"}\n", front.Addr()))
	n.ok(t, coldTarget)
	for _, lie := range []struct{ name, says string }{
		{"loading", "-LOADING Redis is loading the dataset in memory\r\n"},
		{"moved", "-MOVED 1 127.0.0.1:1\r\n"},
		{"ask", "-ASK 1 127.0.0.1:1\r\n"},
		{"clusterdown", "-CLUSTERDOWN The cluster is down\r\n"},
		{"garbage", "\x00\xffHTTP/1.1 400 Bad Request\r\n\r\n"},
		{"ten-gigabytes", "$9999999999\r\n"},
		{"huge-array", "*9999999999\r\n"},
		{"half-a-reply", "*2\r\n$5\r\nab"},
		{"another-value", "*2\r\n$1\r\n7\r\n$5\r\nhello\r\n"},
		{"nothing", "*-1\r\n"},
	} {
		t.Run(lie.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			front.tell(lie.says)
			n.bearsTrouble(t, lie.name)
			if runtime.ReadMemStats(&after); after.Sys > before.Sys+256<<20 {
				t.Errorf("it took %d MiB", (after.Sys-before.Sys)>>20)
			}
			front.tell("")
			storesAgain(t, n, server, "after-"+lie.name)
		})
	}
}

// A cluster whose slots move answers with MOVED, ASK and TRYAGAIN; one that loses a node, with CLUSTERDOWN.
func TestRedisClusterReshards(t *testing.T) {
	addresses := testpeer.RedisCluster(t)
	var nodes []*redis.Client
	var ids []string
	for _, address := range addresses {
		c := redis.NewClient(&redis.Options{Addr: address, Protocol: 2, DisableIdentity: true})
		t.Cleanup(func() { _ = c.Close() })
		id, err := c.Do(t.Context(), "CLUSTER", "MYID").Text()
		if err != nil {
			t.Fatal(err)
		}
		nodes, ids = append(nodes, c), append(ids, id)
	}
	n := startNode(t, newOrigin(t), fmt.Sprintf("render: {isolation: none}\nredis: {url: \"redis+cluster://%s\"}\n", strings.Join(addresses, ",")))
	all := func(phase string) {
		t.Helper()
		want := n.ok(t, coldTarget).body
		for i := range 20 {
			if a := n.ok(t, fmt.Sprintf("/web/%s-%d.jpg?w=200&f=webp", phase, i)); !bytes.Equal(a.body, want) {
				t.Errorf("%s: other bytes", phase)
			}
		}
	}
	setSlots := func(at int, words ...any) {
		t.Helper()
		pipe := nodes[at].Pipeline()
		for slot := range 5000 { // nearly all of the first node: with none left it would become a replica
			pipe.Do(t.Context(), append([]any{"CLUSTER", "SETSLOT", slot}, words...)...)
		}
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Fatalf("set slots %v: %v", words, err)
		}
	}
	stored := func(at int) int64 { return nodes[at].DBSize(t.Context()).Val() }
	all("before")
	setSlots(1, "IMPORTING", ids[0])
	setSlots(0, "MIGRATING", ids[1])
	all("moving")
	// What was there before is dropped and not moved: it may be made again.
	if err := nodes[0].FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	setSlots(1, "NODE", ids[1])
	setSlots(0, "NODE", ids[1])
	before, round := stored(1), 0
	all("moved")
	eventually(t, "the new owner stores", func() bool {
		round++
		n.ok(t, fmt.Sprintf("/web/settled-%d.jpg?w=200&f=webp", round))
		return stored(1) > before
	})
	_ = nodes[2].ShutdownNoSave(t.Context()) // it answers by going
	counted := n.reading(t, "imgedge_redis_errors_total")
	eventually(t, "errors are counted", func() bool {
		round++
		n.ok(t, fmt.Sprintf("/web/down-%d.jpg?w=200&f=webp", round))
		return n.reading(t, "imgedge_redis_errors_total") > counted
	})
	all("down")
}
