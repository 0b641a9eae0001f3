package edge

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/pipeline"
)

// script is a connection whose client has sent all it will send, and reads everything.
type script struct {
	in  *bytes.Reader
	out bytes.Buffer
}

var _ net.Conn = (*script)(nil)

func (s *script) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error) { return s.out.Write(p) }
func (*script) Close() error                  { return nil }
func (*script) LocalAddr() net.Addr           { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (*script) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 2} }
func (*script) SetDeadline(time.Time) error      { return nil }
func (*script) SetReadDeadline(time.Time) error  { return nil }
func (*script) SetWriteDeadline(time.Time) error { return nil }

// seen is a Pictures that notes which objects are asked for.
type seen struct {
	mu      sync.Mutex
	objects []string
}

func (s *seen) Lookup(r *pipeline.Request) (*cache.Entry, pipeline.Via) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects = append(s.objects, r.Object)
	return picture("x", "image/jpeg"), pipeline.Via{Hit: pipeline.TierMemory}
}

// FuzzConnection sends arbitrary bytes as a client does: every answer is well formed and none a 5xx, an
// answer 400 by framing is the last, and whatever picture is served was asked for in the words of another
// reader of HTTP too, net/http, in this order: there is no request that only we see.
func FuzzConnection(f *testing.F) {
	get := "GET /free/a.jpg HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, seed := range []string{
		get, get + get, "\r\n" + get, strings.ReplaceAll(get, "\r\n", "\n"),
		"HEAD /free/h.jpg HTTP/1.1\r\nHost: a\r\n\r\n" + get,
		"GET /free/b.jpg HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\n\r\n" + get,
		"GET /free/c.jpg HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nA: b\r\n\r\n" + get,
		"GET /free/d.jpg HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get,
		"GET /free/e.jpg HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\nX Y: z\r\nContent-Length : 4\r\n\r\n" + get,
		"GET /free/f.jpg HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get,
		"GET /free/g.jpg HTTP/1.1\r\nHost: a\r\nX: b\n\n" + get,
		"GET /free/i.jpg HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc" + get,
		"GET http://b/free/j.jpg HTTP/1.1\r\nHost: a\r\nRange: bytes=0-0\r\nConnection: close\r\n\r\n" + get,
	} {
		f.Add([]byte(seed))
	}
	pictures := new(seen)
	s := &Server{Pictures: pictures, MaxBody: 1 << 10, Now: func() time.Time { return testTime }}
	s.Reload(testSite())
	f.Fuzz(func(t *testing.T, sent []byte) {
		pictures.objects = nil
		c := &script{in: bytes.NewReader(sent)}
		_ = s.public.ServeConn(c) // its error is the client's
		readAnswers(t, &c.out)
		theirs, whole := asRead(sent)
		for _, object := range pictures.objects {
			at := 0
			for at < len(theirs) && theirs[at] != object {
				at++
			}
			if at == len(theirs) {
				if !whole {
					return
				}
				t.Fatalf("served %q; another reader sees only %q", pictures.objects, theirs)
			}
			theirs = theirs[at+1:]
		}
	})
}

// Get is never asked: all is in memory.
func (*seen) Get(context.Context, *pipeline.Request) (*cache.Entry, pipeline.Via, error) {
	panic("not in memory")
}

// readAnswers checks all answers on a connection. Whether one is to a HEAD shows in its length alone, so
// that a body is skipped where it is there.
func readAnswers(t *testing.T, out io.Reader) {
	br := bufio.NewReader(out)
	for {
		if _, err := br.Peek(1); err != nil {
			return
		}
		resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodHead})
		if err != nil {
			t.Fatalf("an answer is malformed: %v", err)
		}
		if resp.StatusCode >= 500 || resp.StatusCode < 100 {
			t.Fatalf("status %d", resp.StatusCode)
		}
		if next, _ := br.Peek(5); resp.ContentLength > 0 && len(next) > 0 && string(next) != "HTTP/" {
			if _, err := io.CopyN(io.Discard, br, resp.ContentLength); err != nil {
				t.Fatalf("an answer is cut short: %v", err)
			}
		}
		if resp.Close {
			if rest, _ := io.ReadAll(br); len(rest) > 0 {
				t.Fatalf("%d bytes behind the last answer", len(rest))
			}
			return
		}
	}
}

// asRead returns the keys of the pictures that net/http sees asked for; whole says that it has not given up
// for a target that it cannot parse, which says nothing about where a request ends.
func asRead(sent []byte) (keys []string, whole bool) {
	br := bufio.NewReader(bytes.NewReader(sent))
	for {
		for next, _ := br.Peek(1); len(next) == 1 && (next[0] == '\r' || next[0] == '\n'); next, _ = br.Peek(1) {
			_, _ = br.Discard(1) // empty lines before a request are nothing (RFC 9112 section 2.2)
		}
		req, err := http.ReadRequest(br)
		if bad := (*url.Error)(nil); err != nil {
			return keys, !errors.As(err, &bad)
		}
		keys = append(keys, strings.TrimPrefix(req.URL.Path, "/free/"))
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return keys, true
		}
	}
}
