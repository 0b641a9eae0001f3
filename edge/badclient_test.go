package edge

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/pipeline"
)

const hit = "GET /free/a.jpg HTTP/1.1\r\nHost: a\r\n\r\n"

// T17: beside clients that drip, that do not read, or that say nothing, every request of a good client is
// answered, and the bad ones are let go in their time.
func TestBesideBadClients(t *testing.T) {
	large := picture(strings.Repeat("x", 8<<20), "image/jpeg") // more than the kernel takes
	for _, row := range []struct {
		name  string
		bad   func(c net.Conn) error // what one of the bad clients does, until it fails
		count int
	}{
		{"300 drip a header", drip(strings.Repeat("GET /free/a.jpg HTTP/1.1\r\nX: ", 100)), 300},
		{"300 drip a body", drip("POST /v1/purge HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n" + strings.Repeat(" ", 900)), 300},
		{"300 drip chunks", drip("POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\n \r\n", 200)), 300},
		{"300 say nothing", drip(""), 300},
		{"40 do not read", func(c net.Conn) error {
			_, err := io.WriteString(c, strings.Replace(hit, "a.jpg", "large", 1))
			return err
		}, 40},
	} {
		t.Run(row.name, func(t *testing.T) {
			fake := &fakePictures{lookup: func(r *pipeline.Request) (*cache.Entry, pipeline.Via) {
				if r.Object == "large" {
					return large, pipeline.Via{Hit: pipeline.TierMemory}
				}
				return picture("x", "image/jpeg"), pipeline.Via{Hit: pipeline.TierMemory}
			}}
			r := start(t, &Server{Pictures: fake, ReadTimeout: 2 * time.Second, WriteTimeout: 2 * time.Second}, testSite())
			ln := r.listenerOf(r.public)
			var wait sync.WaitGroup
			for range row.count {
				c := r.dial()
				wait.Go(func() { _ = row.bad(c.TCPConn) }) // it fails when the server has had enough
			}
			eventually(t, "all are connected", func() bool { return ln.count() >= row.count })
			good := r.dial()
			for i := range 200 {
				good.send(hit)
				if _, body, err := good.answer(); err != nil || body != "x" {
					t.Fatalf("request %d of the good client: body %q, %v", i, body, err)
				}
			}
			wait.Wait()
			eventually(t, "the bad ones are let go", func() bool { return ln.count() <= 1+1 }) // the good one, and the client of start
		})
	}
}

// drip sends a text, byte by byte, until the other side ends the connection.
func drip(text string) func(net.Conn) error {
	return func(c net.Conn) error {
		for i := range text {
			if _, err := c.Write([]byte{text[i]}); err != nil {
				return err
			}
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			if _, err := c.Read(make([]byte, 1)); !isTimeout(err) {
				return err
			}
		}
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		_, err := io.Copy(io.Discard, c)
		return err
	}
}

// A client that closes its sending side behind a request for a picture in memory gets the answer.
func TestHalfClosed(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg"))}, testSite())
	c := r.dial()
	c.send(hit + hit)
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, body, err := c.answer(); err != nil || body != "x" {
			t.Errorf("body %q, %v", body, err)
		}
	}
	if _, err := c.reader.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("behind the answers: %v, want EOF", err)
	}
}

// Requests that hang leave those for what is in memory alone.
func TestBesideHangingRequests(t *testing.T) {
	var asked sync.WaitGroup
	asked.Add(70)
	end := make(chan struct{}) // closed when the origin answers
	fake := &fakePictures{
		lookup: func(r *pipeline.Request) (*cache.Entry, pipeline.Via) {
			if r.Object == "a.jpg" {
				return picture("x", "image/jpeg"), pipeline.Via{Hit: pipeline.TierMemory}
			}
			return nil, pipeline.Via{}
		},
		get: func(context.Context, *pipeline.Request) (*cache.Entry, pipeline.Via, error) {
			asked.Done()
			<-end
			return picture("late", "image/jpeg"), pipeline.Via{}, nil
		},
	}
	r := start(t, &Server{Pictures: fake}, testSite())
	var hanging []*client
	for range 70 {
		c := r.dial()
		c.send(strings.Replace(hit, "a.jpg", "cold.jpg", 1))
		hanging = append(hanging, c)
	}
	asked.Wait()
	good := r.dial()
	for i := range 500 {
		good.send(hit)
		if _, body, err := good.answer(); err != nil || body != "x" {
			t.Fatalf("hit %d: body %q, %v", i, body, err)
		}
	}
	close(end)
	for _, c := range hanging {
		if _, body, err := c.answer(); err != nil || body != "late" {
			t.Errorf("one that hung: body %q, %v", body, err)
		}
	}
}

// Clients that leave at any moment, in any way, leave nothing behind.
func TestClientsLeaving(t *testing.T) {
	large := picture(strings.Repeat("x", 8<<20), "image/jpeg")
	fake := &fakePictures{
		lookup: func(r *pipeline.Request) (*cache.Entry, pipeline.Via) {
			if r.Object == "large" {
				return large, pipeline.Via{Hit: pipeline.TierMemory}
			}
			return nil, pipeline.Via{}
		},
		get: func(ctx context.Context, _ *pipeline.Request) (*cache.Entry, pipeline.Via, error) {
			<-ctx.Done()
			return nil, pipeline.Via{}, ctx.Err()
		},
	}
	r := start(t, &Server{Pictures: fake}, testSite())
	ln := r.listenerOf(r.public)
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	ways := []func(*net.TCPConn) error{
		(*net.TCPConn).Close,
		(*net.TCPConn).CloseWrite,
		func(c *net.TCPConn) error { return errors.Join(c.SetLinger(0), c.Close()) },
	}
	requests := []string{"", "GET /fr", hit[:30], hit, strings.Replace(hit, "a.jpg", "large", 1), hit + hit}
	const clients, atOnce = 600, 50
	slots := make(chan struct{}, atOnce) // so many are connected at once
	var wait sync.WaitGroup
	for i := range clients {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			nc, err := net.Dial("tcp", r.public)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = nc.Close() }()
			_, _ = io.WriteString(nc, requests[i%len(requests)])
			_ = nc.SetReadDeadline(time.Now().Add(time.Duration(rand.IntN(50)) * time.Millisecond))
			_, _ = nc.Read(make([]byte, 100)) // as far as it gets
			if err := ways[i/len(requests)%len(ways)](nc.(*net.TCPConn)); err != nil && !errors.Is(err, net.ErrClosed) {
				t.Logf("leaving: %v", err) // the server may have ended it
			}
		})
	}
	wait.Wait()
	eventually(t, "all connections are closed", func() bool { return ln.count() <= 1 })
	eventually(t, "goroutines are back to the start's level", func() bool { return runtime.NumGoroutine() <= goroutines+20 })
	if now := descriptors(t); now > files+20 {
		t.Errorf("%d descriptors, %d at the start", now, files)
	}
}

// descriptors counts the open ones of this process.
func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// A header may take up to the read buffer, and a body up to its limit, however they are sent.
func TestOversize(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), MaxBody: 1000}, testSite())
	post := "POST /v1/purge HTTP/1.1\r\nHost: a\r\n"
	for _, row := range []struct {
		name, request string
		status        int
	}{
		{"a long header", "GET /free/a.jpg HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 20_000) + "\r\n\r\n", 431},
		{"many headers", "GET /free/a.jpg HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: y\r\n", 4000) + "\r\n", 431},
		{"a header without an end", "GET /free/a.jpg HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: y\r\n", 4000), 431},
		{"a long target", "GET /free/" + strings.Repeat("a", 20_000) + " HTTP/1.1\r\nHost: a\r\n\r\n", 431},
		{"a long body", post + "Content-Length: 1001\r\n\r\n" + strings.Repeat(" ", 1001), 413},
		{"a body said to be long", post + "Content-Length: 1099511627776\r\n\r\n" + strings.Repeat(" ", 10_000), 413},
		{"a body of 63 bits", post + "Content-Length: 9223372036854775807\r\n\r\n" + strings.Repeat(" ", 10_000), 413},
		{"long in chunks", post + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("100\r\n"+strings.Repeat(" ", 256)+"\r\n", 4) + "0\r\n\r\n", 413},
		{"one long chunk", post + "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n" + strings.Repeat(" ", 2000), 413},
	} {
		t.Run(row.name, func(t *testing.T) {
			resp, _, closed := r.raw(r.public, row.request)
			if resp.StatusCode != row.status || !closed {
				t.Errorf("status %d, closed %v, want %d and the end", resp.StatusCode, closed, row.status)
			}
		})
	}
	if got := r.get("/free/a.jpg"); got.StatusCode != http.StatusOK {
		t.Errorf("afterwards: status %d", got.StatusCode)
	}
}
