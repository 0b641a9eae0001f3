//go:build !race

package edge

import (
	"io"
	"net"
	"runtime"
	"testing"
)

// A quiet connection holds next to nothing, and is served when it speaks again.
func TestIdleConnectionsAllocate(t *testing.T) {
	const clients, maxBytes = 1000, 8 << 10 // a connection, both ends of it in this process
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg"))}, testSite())
	ln := r.listenerOf(r.public)
	ask := func(c net.Conn) {
		t.Helper()
		if _, err := io.WriteString(c, hit); err != nil {
			t.Fatal(err)
		}
		var answer [1 << 10]byte
		if n, err := c.Read(answer[:]); err != nil || answer[n-1] != 'x' {
			t.Fatalf("answer %q, %v", answer[:n], err)
		}
	}
	warm := r.dial()
	ask(warm.TCPConn)
	before := inUse()
	var open []net.Conn
	for range clients {
		c, err := net.Dial("tcp", r.public)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		ask(c)
		open = append(open, c)
	}
	eventually(t, "all are quiet", func() bool { return ln.quiet() >= clients })
	eventually(t, "workers have ended", func() bool { return runtime.NumGoroutine() < clients+100 })
	each := (inUse() - before) / clients
	t.Logf("%d bytes a quiet connection", each)
	if each > maxBytes {
		t.Errorf("a quiet connection holds %d bytes, want at most %d", each, maxBytes)
	}
	for _, c := range open {
		ask(c)
	}
}

// inUse returns the bytes of heap and stacks in use, after collections that also empty pools.
func inUse() int {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}
