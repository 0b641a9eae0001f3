package edge

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/pipeline"
)

// hitAllocs is the ceiling of a memory hit, from the request line to the write.
const hitAllocs = 2

// still is a Pictures with one entry in memory, that allocates nothing.
type still struct{ entry *cache.Entry }

func (s still) Lookup(*pipeline.Request) (*cache.Entry, pipeline.Via) {
	return s.entry, pipeline.Via{Hit: pipeline.TierMemory, TTL: time.Hour}
}

func (s still) Get(ctx context.Context, r *pipeline.Request) (*cache.Entry, pipeline.Via, error) {
	panic("not in memory")
}

// exchangeLoop is a kept connection over which one request is sent again and again.
type exchangeLoop struct {
	conn    net.Conn
	request []byte
	answer  []byte
}

func newLoop(tb testing.TB, addr, request string) *exchangeLoop {
	tb.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	l := &exchangeLoop{conn: c, request: []byte(request), answer: make([]byte, 64<<10)}
	if _, err := c.Write(l.request); err != nil {
		tb.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond)) // until the answer is whole; only once
	n := 0
	for {
		m, err := c.Read(l.answer[n:])
		if n += m; err != nil {
			break
		}
	}
	_ = c.SetReadDeadline(time.Time{})
	l.answer = l.answer[:n]
	return l
}

// once sends the request and reads an answer of the same length.
func (l *exchangeLoop) once(tb testing.TB) {
	if _, err := l.conn.Write(l.request); err != nil {
		tb.Fatal(err)
	}
	if _, err := io.ReadFull(l.conn, l.answer); err != nil {
		tb.Fatal(err)
	}
}

func hitRequest(target string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: img.example.com\r\n" +
		"Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept-Encoding: gzip\r\n\r\n"
}

func TestHitAllocations(t *testing.T) {
	server := &Server{Now: time.Now, Pictures: still{picture(strings.Repeat("x", 20<<10), "image/webp")}}
	r := start(t, server, testSite())
	l := newLoop(t, r.public, hitRequest(sign(t, "/shop/a.jpg?w=300")))
	if !bytes.HasPrefix(l.answer, []byte("HTTP/1.1 200 OK\r\n")) {
		t.Fatalf("answer %.200q", l.answer)
	}
	got := testing.AllocsPerRun(2000, func() { l.once(t) })
	t.Logf("%.2f allocations a hit", got)
	if got > hitAllocs {
		t.Errorf("a memory hit allocates %.2f times, at most %d are allowed", got, hitAllocs)
	}
}

func BenchmarkHit(b *testing.B) {
	server := &Server{Now: time.Now, Pictures: still{picture(strings.Repeat("x", 20<<10), "image/webp")}}
	r := start(b, server, testSite())
	l := newLoop(b, r.public, hitRequest(sign(b, "/shop/a.jpg?w=300")))
	b.ReportAllocs()
	for b.Loop() {
		l.once(b)
	}
}
