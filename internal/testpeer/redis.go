package testpeer

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const slots = 16384 // of a Redis cluster

// RedisServer is a running Redis with an empty store. SAVE writes a snapshot that a restart reads; without
// one it restarts empty.
type RedisServer struct {
	*Process
	Addr string // host:port
	URL  string // redis://host:port/0
	dir  string
}

// Redis starts redis-server and waits until it answers.
func Redis(t testing.TB) *RedisServer {
	t.Helper()
	address := FreePort(t)
	s := &RedisServer{Addr: address, URL: "redis://" + address + "/0", dir: t.TempDir()}
	s.Restart(t)
	return s
}

// Restart kills the server if it runs, and starts it on the same port.
func (s *RedisServer) Restart(t testing.TB) {
	t.Helper()
	if s.Process != nil {
		s.Kill()
	}
	s.Process = startRedis(t, s.Addr, s.dir)
}

// Client returns a client that belongs to the test, for looking at the store from outside.
func (s *RedisServer) Client(t testing.TB) *redis.Client {
	t.Helper()
	return redisClient(t, s.Addr)
}

// RedisCluster starts a cluster of three masters and waits until all of them know it complete. It
// returns their addresses; the URL is redis+cluster://a,b,c.
func RedisCluster(t testing.TB) []string {
	t.Helper()
	const nodes = 3
	addresses, buses := make([]string, 0, nodes), make([]string, 0, nodes)
	for range nodes {
		address, bus := FreePort(t), FreePort(t)
		_, busPort, _ := net.SplitHostPort(bus) // FreePort's own form
		startRedis(t, address, t.TempDir(), "--cluster-enabled", "yes", "--cluster-port", busPort,
			"--cluster-node-timeout", "2000")
		addresses, buses = append(addresses, address), append(buses, busPort)
	}
	for i, address := range addresses {
		c := redisClient(t, address)
		first, last := slots*i/nodes, slots*(i+1)/nodes-1
		if err := c.ClusterAddSlotsRange(t.Context(), first, last).Err(); err != nil {
			t.Fatalf("give slots %d–%d to %s: %v", first, last, address, err)
		}
		host, port, _ := net.SplitHostPort(addresses[0])
		if err := c.Do(t.Context(), "CLUSTER", "MEET", host, port, buses[0]).Err(); err != nil {
			t.Fatalf("join %s: %v", address, err)
		}
	}
	for _, address := range addresses {
		waitForCluster(t, redisClient(t, address), nodes)
	}
	return addresses
}

func startRedis(t testing.TB, address, dir string, args ...string) *Process {
	t.Helper()
	host, port, _ := net.SplitHostPort(address) // FreePort's own form
	p := Start(t, "redis-server", append([]string{
		"--bind", host, "--port", port, "--dir", dir, "--save", "", "--appendonly", "no",
		"--daemonize", "no", "--protected-mode", "no", "--enable-debug-command", "local",
	}, args...)...)
	c := redisClient(t, address)
	p.WaitFor(t, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		conn, err := net.DialTimeout("tcp", address, time.Second) // first: the client would log that it cannot
		if err != nil {
			return false
		}
		_ = conn.Close()
		return c.Ping(ctx).Err() == nil
	})
	return p
}

func redisClient(t testing.TB, address string) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{
		Addr: address, Protocol: 2, DisableIdentity: true, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func waitForCluster(t testing.TB, c *redis.Client, nodes int) {
	t.Helper()
	late := time.After(startTimeout)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		info, err := c.ClusterInfo(t.Context()).Result()
		if err == nil && strings.Contains(info, "cluster_state:ok") &&
			strings.Contains(info, "cluster_known_nodes:"+strconv.Itoa(nodes)) {
			return
		}
		select {
		case <-late:
			t.Fatalf("the cluster is not complete: %v\n%s", err, info)
		case <-tick.C:
		}
	}
}
