package edge

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/pipeline"
)

// A client that has gone is noticed while its picture is waited for; one that has closed only its side of
// the connection counts as gone.
func TestClientGone(t *testing.T) {
	for _, row := range []struct {
		name  string
		limit int // of connections, an address
		leave func(*net.TCPConn) error
	}{
		{"closed", 0, (*net.TCPConn).Close},
		{"closed, of few", 10, (*net.TCPConn).Close},
		{"half closed", 0, (*net.TCPConn).CloseWrite},
		{"reset", 0, func(c *net.TCPConn) error { return errors.Join(c.SetLinger(0), c.Close()) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			asked, gone := make(chan struct{}), make(chan error, 1) // closed once asked; why the fill ended
			fake := &fakePictures{get: func(ctx context.Context, _ *pipeline.Request) (*cache.Entry, pipeline.Via, error) {
				close(asked)
				<-ctx.Done()
				gone <- context.Cause(ctx)
				return nil, pipeline.Via{}, ctx.Err()
			}}
			r := start(t, &Server{Pictures: fake, MaxConnsPerIP: row.limit}, testSite())
			c := r.dial()
			c.send("GET " + sign(t, "/shop/a.jpg") + " HTTP/1.1\r\nHost: a\r\n\r\n")
			<-asked
			if err := row.leave(c.TCPConn); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-gone:
				if !errors.Is(err, errClientGone) {
					t.Errorf("the fill ended with %v, want %v", err, errClientGone)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("nobody noticed that the client left")
			}
		})
	}
}

// The pipeline can ask, just before a render, whether the client is still there.
func TestClientAsked(t *testing.T) {
	for _, row := range []struct {
		name    string
		leave   func(*net.TCPConn) error
		awaited bool
	}{
		{"there", func(*net.TCPConn) error { return nil }, true},
		{"there, with another request", func(c *net.TCPConn) error { _, err := c.Write([]byte("GET /")); return err }, true},
		{"closed", (*net.TCPConn).Close, false},
		{"half closed", (*net.TCPConn).CloseWrite, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var flight cache.Flight[*cache.Entry]
			asked, awaited := make(chan func(), 1), make(chan bool, 1) // goes on; what the fill was told
			fake := &fakePictures{get: func(ctx context.Context, _ *pipeline.Request) (*cache.Entry, pipeline.Via, error) {
				// The watch is kept from telling first.
				e, _, err := flight.Do(context.WithoutCancel(ctx), cache.Hash{}, func(_, patience context.Context) (*cache.Entry, error) {
					wait := make(chan struct{})
					asked <- func() { close(wait) }
					<-wait
					is := cache.Awaited(patience)
					awaited <- is
					if !is {
						return nil, patience.Err()
					}
					return picture("x", "image/jpeg"), nil
				})
				return e, pipeline.Via{}, err
			}}
			r := start(t, &Server{Pictures: fake}, testSite())
			c := r.dial()
			c.send("GET /free/a.jpg HTTP/1.1\r\nHost: a\r\n\r\n")
			goOn := <-asked
			if err := row.leave(c.TCPConn); err != nil {
				t.Fatal(err)
			}
			goOn() // on loopback the end has arrived by then
			if is := <-awaited; is != row.awaited {
				t.Errorf("awaited: %v, want %v", is, row.awaited)
			}
			if err := flight.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
