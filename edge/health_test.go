package edge

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/pipeline"
)

// Ruling 23.
func TestHealth(t *testing.T) {
	clock := newClock()
	var broken atomic.Bool
	var checks atomic.Int64
	s := &Server{Pictures: held(picture("x", "image/jpeg")), Now: clock.now, Dependencies: []Dependency{
		{Name: "redis", Check: func(context.Context) error {
			checks.Add(1)
			if broken.Load() {
				return errors.New(secretCause)
			}
			return nil
		}},
		{Name: "frozen", Check: func(ctx context.Context) error {
			if !broken.Load() {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}},
	}}
	r := start(t, s, nil)
	check := func(when, target string, status int, body string) {
		t.Helper()
		got := r.get(target)
		if got.StatusCode != status || strings.TrimSpace(got.body) != body {
			t.Errorf("%s: %s: %d %s, want %d %s", when, target, got.StatusCode, got.body, status, body)
		}
		if got.Header.Get("Content-Type") != "application/json" || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s: %v", when, target, got.Header)
		}
	}
	check("starting", "/healthz", 200, `{"status":"starting"}`)
	check("starting", "/readyz", 503, `{"status":"starting"}`)
	s.Reload(testSite())
	check("ready", "/healthz", 200, `{"status":"ok"}`)
	check("ready", "/readyz", 200, `{"status":"ok"}`)
	if n := checks.Load(); n != 1 {
		t.Errorf("%d checks within a second, want 1", n)
	}
	broken.Store(true)
	clock.add(2 * time.Second)
	check("degraded", "/readyz", 200, `{"status":"degraded","degraded":["redis","frozen"]}`)
	check("degraded", "/healthz", 200, `{"status":"degraded","degraded":["redis","frozen"]}`)
	broken.Store(false)
	clock.add(2 * time.Second)
	check("healed", "/readyz", 200, `{"status":"ok"}`)
	s.Drain()
	check("draining", "/readyz", 503, `{"status":"draining"}`)
	check("draining", "/healthz", 200, `{"status":"draining"}`)
	r.do("POST", r.public, "/healthz", "").expect(t, 405, "method_not_allowed")
}

// Ruling 24: during the drain requests are served on connections that then close; Shutdown waits for
// those under way, and for no longer than it may.
func TestDrain(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	fake := &fakePictures{get: func(context.Context, *pipeline.Request) (*cache.Entry, pipeline.Via, error) {
		begun <- struct{}{}
		<-finish
		return picture("late", "image/jpeg"), pipeline.Via{}, nil
	}}
	s := &Server{Pictures: fake}
	s.Reload(testSite())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Serve(ln); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	ask := func() (net.Conn, *bufio.Reader) {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if _, err := io.WriteString(c, "GET "+sign(t, "/shop/a.jpg")+" HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		return c, bufio.NewReader(c)
	}
	_, before := ask()
	<-begun
	s.Drain()
	_, during := ask() // still accepted
	<-begun

	short, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown with requests under way: %v, want %v", err, context.DeadlineExceeded)
	}
	if c, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("connections are accepted after Shutdown")
	}
	close(finish)
	for name, br := range map[string]*bufio.Reader{"before": before, "during": during} {
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, _ := io.ReadAll(resp.Body) // compared below
		if resp.StatusCode != http.StatusOK || string(body) != "late" {
			t.Errorf("%s: %d %q", name, resp.StatusCode, body)
		}
		if name == "during" && !resp.Close {
			t.Error("an answer during the drain keeps its connection open")
		}
	}
	long, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Shutdown(long); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := s.Shutdown(long); err != nil {
		t.Errorf("Shutdown twice: %v", err)
	}
	wg.Wait()
}
