package edge

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/pipeline"
)

// Pipelined requests are answered in order, each picture behind its own header, whatever their sizes.
func TestPipelining(t *testing.T) {
	sizes := map[string]int{"none": 0, "small": 10, "page": 4096, "large": 100_000, "huge": 3_000_000}
	fake := &fakePictures{lookup: func(r *pipeline.Request) (*cache.Entry, pipeline.Via) {
		return picture(strings.Repeat(r.Object[:1], sizes[r.Object]), "image/jpeg"), pipeline.Via{Hit: pipeline.TierMemory}
	}}
	r := start(t, &Server{Pictures: fake}, testSite())
	c, err := net.Dial("tcp", r.public)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	var requests strings.Builder
	var want []*http.Request
	for _, name := range []string{"small", "large", "none", "page", "huge", "small", "missing", "page", "large"} {
		for _, method := range []string{"GET", "HEAD"} {
			requests.WriteString(method + " /free/" + name + " HTTP/1.1\r\nHost: a\r\n\r\n")
			req, err := http.NewRequest(method, "http://a/free/"+name, nil)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, req)
		}
	}
	go func() { _, _ = io.WriteString(c, requests.String()) }() // its error shows in the answers
	br := bufio.NewReader(c)
	for _, req := range want {
		name := strings.TrimPrefix(req.URL.Path, "/free/")
		resp, err := http.ReadResponse(br, req)
		if err != nil {
			t.Fatalf("%s %s: %v", req.Method, name, err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatalf("%s %s: %v", req.Method, name, err)
		}
		size := sizes[name]
		if resp.StatusCode != http.StatusOK || resp.ContentLength != int64(size) {
			t.Errorf("%s %s: status %d, length %d, want 200 and %d", req.Method, name, resp.StatusCode, resp.ContentLength, size)
		}
		if req.Method == "GET" && string(body) != strings.Repeat(name[:1], size) {
			t.Errorf("%s: %d bytes of body are not the picture's %d", name, len(body), size)
		}
	}
}

// A picture is handed to the kernel whole, behind its header, whatever its size.
func TestOneWriteAnAnswer(t *testing.T) {
	for _, size := range []int{100, 20 << 10, 150 << 10, 3 << 20} {
		a, b := net.Pipe() // net.Pipe has no writev: the vector arrives as two writes, header and body
		c := &conn{Conn: a}
		body := []byte(strings.Repeat("x", size))
		bw := bufio.NewWriterSize(c, 4<<10)
		_, _ = bw.WriteString("header") // a bufio.Writer keeps its first error
		done := make(chan error, 1)     // of the one write
		go func() {
			n, err := c.attach(body).WriteTo(bw)
			if err == nil && n != int64(size) {
				err = io.ErrShortWrite
			}
			_ = a.Close()
			done <- err
		}()
		buf := make([]byte, 4<<20)
		n, _ := b.Read(buf)
		if got := string(buf[:n]); got != "header" {
			t.Errorf("size %d: the first write is %.20q", size, got)
		}
		if n, _ = b.Read(buf); n != size {
			t.Errorf("size %d: the second write has %d bytes: the body was copied in parts", size, n)
		}
		if err := <-done; err != nil {
			t.Errorf("size %d: %v", size, err)
		}
	}
}

// A connection that is quiet leaves the server and is served when it speaks again; it ends with its idle
// time, with the client and with the server.
func TestParking(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), IdleTimeout: 2 * time.Second}, testSite())
	ln := r.listenerOf(r.public)
	var c *client
	ask := func() {
		t.Helper()
		c.send("GET /free/a.jpg HTTP/1.1\r\nHost: a\r\n\r\n")
		if resp, body, err := c.answer(); err != nil || body != "x" {
			t.Fatalf("%v, body %q, %v", resp, body, err)
		}
	}
	c = r.dial()
	for range 2 {
		ask()
		ask() // not yet quiet
		eventually(t, "the connection is parked", func() bool { return ln.quiet() > 0 })
	}
	if _, err := c.reader.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the end of the idle time: %v, want EOF", err)
	}
	c = r.dial()
	ask()
	eventually(t, "the second connection is parked", func() bool { return ln.quiet() > 0 })
	_ = c.Close()
	eventually(t, "the client's leaving is seen", func() bool { return ln.quiet() == 0 && ln.count() == 0 })
	c = r.dial()
	ask()
	eventually(t, "the third connection is parked", func() bool { return ln.quiet() > 0 })
	// The test's end shuts the server down, which must not wait for it.
}

// Where all connections are taken a quiet one makes room, and where all are busy new ones are refused.
func TestMaxConns(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), MaxConns: 3}, testSite())
	r.client.CloseIdleConnections()
	ln := r.listenerOf(r.public)
	eventually(t, "nobody is connected", func() bool { return ln.count() == 0 })
	speak := func(request string) (net.Conn, bool) {
		c, err := net.Dial("tcp", r.public)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_, _ = io.WriteString(c, request) // a refused connection may be closed already
		_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, err = c.Read(make([]byte, 1))
		return c, err == nil || isTimeout(err)
	}
	for range 3 {
		if _, ok := speak("GET /free/a.jpg HTTP/1.1\r\nHost: a\r\n\r\n"); !ok {
			t.Fatal("a connection within the limit is refused")
		}
	}
	eventually(t, "all are parked", func() bool { return ln.quiet() == 3 })
	for range 3 {
		if _, ok := speak("GET /free/a.jpg HTTP/1.1\r\nHos"); !ok {
			t.Error("no quiet connection makes room for a new one")
		}
		eventually(t, "the quiet one is gone", func() bool { return ln.count() == 3 })
	}
	if _, ok := speak("GET /free/a.jpg HTTP/1.1\r\nHos"); ok {
		t.Error("4 busy connections, 3 are allowed")
	}
}

// starving is a listener that fails for want of descriptors a few times.
type starving struct {
	net.Listener
	fails atomic.Int64
}

func (l *starving) Accept() (net.Conn, error) {
	if l.fails.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

// Want of descriptors does not end the listener.
func TestAcceptGoesOn(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hungry := &starving{Listener: ln}
	hungry.fails.Store(4)
	s := &Server{Pictures: held(picture("x", "image/jpeg"))}
	s.Reload(testSite())
	served := make(chan error, 1) // what Serve returned
	go func() { served <- s.Serve(hungry) }()
	resp, err := http.Get("http://" + ln.Addr().String() + "/free/a.jpg")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || hungry.fails.Load() >= 0 {
		t.Errorf("status %d after %d more failures, want 200 after all", resp.StatusCode, hungry.fails.Load()+1)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := errors.Join(s.Shutdown(t.Context()), <-served); err != nil {
		t.Error(err)
	}
}

// client is a connection to the public listener that sends what it is told. It is closed at the test's end.
type client struct {
	*net.TCPConn
	t      testing.TB
	reader *bufio.Reader
}

func (r *running) dial() *client {
	r.t.Helper()
	nc, err := net.Dial("tcp", r.public)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(30 * time.Second))
	return &client{nc.(*net.TCPConn), r.t, bufio.NewReader(nc)}
}

// send sends bytes as they are.
func (c *client) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.TCPConn, text); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads the answer to a GET.
func (c *client) answer() (*http.Response, string, error) {
	resp, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// listenerOf returns the listener bound to addr.
func (r *running) listenerOf(addr string) *listener {
	r.t.Helper()
	r.listeners.mu.Lock()
	defer r.listeners.mu.Unlock()
	for _, ln := range r.listeners.all {
		if ln.Addr().String() == addr {
			return ln
		}
	}
	r.t.Fatalf("no listener on %s", addr)
	return nil
}

// quiet returns how many connections are parked.
func (l *listener) quiet() int {
	_, quiet := l.load()
	return quiet
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// eventually polls for at most ten seconds.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so after 10 s: %s", what)
		}
	}
}
