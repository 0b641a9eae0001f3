package cache

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"
)

// mute is the address of a server that takes connections and never says anything.
func mute(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var taken sync.WaitGroup
	taken.Go(func() {
		var conns []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				break
			}
			conns = append(conns, c)
		}
		for _, c := range conns {
			_ = c.Close() // the test is over
		}
	})
	t.Cleanup(func() {
		_ = l.Close() // the test is over
		taken.Wait()
	})
	return l.Addr().String()
}

// A caller whose own time is over says nothing about Redis. The deadline of the connection is the same, and is seen
// before the context's timer as often as after it.
func TestCallersDeadlineSaysNothing(t *testing.T) {
	client, err := OpenRedis("redis://" + mute(t) + "/0")
	if err != nil {
		t.Fatal(err)
	}
	f := NewFleet(client, time.Minute)
	t.Cleanup(func() {
		_ = f.Close()
		_ = client.Close()
	})
	for range 200 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if err := f.Ping(ctx); err == nil {
			t.Error("a server that says nothing has answered")
		}
		cancel()
	}
	if f.Stats().Open {
		t.Error("Redis is left alone because its callers had no time")
	}
}
