//go:build !race

package edge

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
)

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

// The way of a memory hit through the real server, from the request line to the write, allocates nothing,
// with metrics on, a sampled access log, and a rate limit shared with the fleet.
func TestHitAllocations(t *testing.T) {
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	site := testSite()
	site.Mounts = []Mount{{Prefix: "/old", Grammar: oldGrammar{}}}
	site.RateLimit = RateLimit{Requests: 1_000_000, Renders: 1, Window: time.Second}
	server := &Server{Now: time.Now, Pictures: still{picture(strings.Repeat("x", 20<<10), "image/webp")}, AccessLog: log, LogHits: 1 << 30, Rates: &fakeFleet{}}
	r := start(t, server, site)
	negotiated := sign(t, "/shop/a.jpg?w=300")
	expiring := sign(t, "/shop/a.jpg?w=300&exp="+strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
	etag := server.Pictures.(still).entry.ETag
	for _, row := range []struct{ name, request, answer string }{
		{"a signed URL", hitRequest(negotiated), "200 OK"},
		{"a URL that expires", hitRequest(expiring), "200 OK"},
		{"an unsigned URL", hitRequest("/free/a.jpg?w=300&f=jpeg"), "200 OK"},
		{"a mount's URL", hitRequest("/old/picture"), "200 OK"},
		{"unchanged", strings.Replace(hitRequest(negotiated), "\r\n\r\n", "\r\nIf-None-Match: "+etag+"\r\n\r\n", 1), "304 Not Modified"},
		{"HEAD", strings.Replace(hitRequest(negotiated), "GET", "HEAD", 1), "200 OK"},
		{"HTTP/1.0", strings.NewReplacer("HTTP/1.1", "HTTP/1.0", "\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n").Replace(hitRequest(negotiated)), "200 OK"},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := newLoop(t, r.public, row.request)
			if !bytes.HasPrefix(l.answer, []byte("HTTP/1.1 "+row.answer+"\r\n")) {
				t.Fatalf("answer %.200q", l.answer)
			}
			if n := testing.AllocsPerRun(2000, func() { l.once(t) }); n != 0 {
				t.Errorf("a memory hit allocates %.0f times, want 0", n)
			}
		})
	}
}

// beyond is a Pictures whose one entry is not in memory, and is found without allocating.
type beyond struct{ still }

func (beyond) Lookup(*pipeline.Request) (*cache.Entry, pipeline.Via) { return nil, pipeline.Via{} }

func (b beyond) Get(context.Context, *pipeline.Request) (*cache.Entry, pipeline.Via, error) {
	return b.entry, pipeline.Via{Hit: pipeline.TierRedis, TTL: time.Hour}, nil
}

// An answer that is not in memory and is found at once, in Redis, starts no clock and no watch over the
// connection: this package allocates the visit and what names it in the context.
func TestFoundBeyondMemoryAllocations(t *testing.T) {
	const ceiling = 3
	r := start(t, &Server{Now: time.Now, Pictures: beyond{still{picture(strings.Repeat("x", 20<<10), "image/webp")}}}, testSite())
	l := newLoop(t, r.public, hitRequest(sign(t, "/shop/a.jpg?w=300")))
	if !bytes.Contains(l.answer, []byte("detail=redis")) {
		t.Fatalf("answer %.300q", l.answer)
	}
	if n := testing.AllocsPerRun(2000, func() { l.once(t) }); n > ceiling {
		t.Errorf("an answer from beyond memory allocates %.0f times here, want at most %d", n, ceiling)
	}
}

// oldGrammar reads one target, for a mount.
type oldGrammar struct{ Grammar }

func (oldGrammar) Dialect() string { return "old" }
func (oldGrammar) Expired() error  { return errExpired }

func (oldGrammar) Read(string, time.Time) (dialect.Request, error) {
	return dialect.Request{Source: "free", Key: "a.jpg", Options: resize.Options{Width: 300, Format: resize.FormatJPEG}}, nil
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
