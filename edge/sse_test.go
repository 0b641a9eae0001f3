package edge

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// streaming serves one feed on every path, as a call of /v1 does, and returns its URL.
func streaming(t *testing.T, s *Server, f func(last int64) feed) string {
	t.Helper()
	s.setup()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &fasthttp.Server{WriteTimeout: 50 * time.Millisecond, Handler: func(ctx *fasthttp.RequestCtx) {
		var x exchange
		s.begin(&x, ctx)
		defer s.end(&x)
		if err := x.stream(f(x.lastEventID())); err != nil {
			x.fail(err)
		}
	}}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		s.Drain()
		if err := errors.Join(server.Shutdown(), <-ended); err != nil {
			t.Error(err)
		}
	})
	return "http://" + ln.Addr().String() + "/v1/events"
}

// listen opens a stream; what it reads comes line by line, and the channel closes at its end.
func listen(t *testing.T, url string, header ...string) (status int, lines <-chan string, leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan string, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(read)
		defer func() { _ = resp.Body.Close() }()
		for scan := bufio.NewScanner(resp.Body); scan.Scan(); {
			read <- scan.Text()
		}
	}()
	leave = func() { cancel(); <-done }
	t.Cleanup(leave)
	return resp.StatusCode, read, leave
}

// until reads lines up to the one that begins with prefix; "" = the stream ended before.
func until(lines <-chan string, prefix string) string {
	for line := range lines {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	return ""
}

// The write timeout of the server is far shorter than the stream.
func TestStreamOutlivesTheWriteTimeout(t *testing.T) {
	next := make(chan struct{})
	url := streaming(t, &Server{}, func(last int64) feed {
		return func(ctx context.Context, send func(event) error) error {
			for id := last + 1; id <= 4; id++ {
				select {
				case <-next:
				case <-ctx.Done():
					return ctx.Err()
				}
				if err := send(event{id: id, name: "item", data: []byte(`{"n":` + strconv.FormatInt(id, 10) + `}`)}); err != nil {
					return err
				}
			}
			return nil
		}
	})
	status, lines, _ := listen(t, url, "Last-Event-ID", "2")
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	<-time.After(100 * time.Millisecond) // longer than the write timeout, which is what is tested
	next <- struct{}{}
	for _, want := range []string{"id: 3", "event: item", `data: {"n":3}`, ""} {
		got := <-lines
		for strings.HasPrefix(got, ":") { // the comment at the beginning
			<-lines
			got = <-lines
		}
		if got != want {
			t.Errorf("line %q, want %q", got, want)
		}
	}
	next <- struct{}{}
	if got := until(lines, "data: "); got != `data: {"n":4}` {
		t.Errorf("then %q", got)
	}
	if got := until(lines, "data: "); got != "" {
		t.Errorf("%q after the end", got)
	}
}

func TestStreamEnds(t *testing.T) {
	ended := make(chan error, 1)
	began := make(chan struct{}, 1)
	forever := func(int64) feed {
		return func(ctx context.Context, send func(event) error) error {
			began <- struct{}{}
			for {
				select {
				case <-ctx.Done():
					ended <- ctx.Err()
					return ctx.Err()
				case <-time.After(time.Millisecond):
					if err := send(event{name: "tick", data: []byte("{}")}); err != nil {
						ended <- err
						return err
					}
				}
			}
		}
	}
	wait := func(t *testing.T) {
		t.Helper()
		select {
		case err := <-ended:
			if err == nil {
				t.Error("the feed was not told")
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the feed goes on")
		}
	}
	t.Run("the client leaves", func(t *testing.T) {
		_, lines, leave := listen(t, streaming(t, &Server{}, forever))
		<-began
		until(lines, "data:")
		go func() {
			for range lines { // so that the reader is never stuck
			}
		}()
		leave()
		wait(t)
	})
	t.Run("the server drains", func(t *testing.T) {
		s := &Server{}
		_, lines, _ := listen(t, streaming(t, s, forever))
		<-began
		s.Drain()
		s.Drain()
		wait(t)
		for range lines { // ends
		}
	})
	t.Run("another site is in force", func(t *testing.T) {
		s := &Server{Pictures: held(picture("x", "image/jpeg"))}
		s.Reload(testSite())
		_, lines, _ := listen(t, streaming(t, s, forever))
		<-began
		s.Reload(testSite())
		wait(t)
		for range lines { // ends
		}
	})
	t.Run("a panic", func(t *testing.T) {
		_, lines, _ := listen(t, streaming(t, &Server{}, func(int64) feed {
			return func(context.Context, func(event) error) error { panic("oh") }
		}))
		if got := until(lines, "data:"); got != "" {
			t.Errorf("got %q", got)
		}
	})
}

func TestStreamsAreCapped(t *testing.T) {
	url := streaming(t, &Server{}, func(int64) feed {
		return func(ctx context.Context, _ func(event) error) error {
			<-ctx.Done()
			return nil
		}
	})
	leaves := make([]func(), streamsPerPeer)
	for i := range leaves {
		var status int
		if status, _, leaves[i] = listen(t, url); status != http.StatusOK {
			t.Fatalf("stream %d: status %d", i, status)
		}
	}
	if status, _, _ := listen(t, url); status != http.StatusTooManyRequests {
		t.Errorf("one more: status %d, want 429", status)
	}
	head, err := http.Head(url)
	if err != nil {
		t.Fatal(err)
	}
	_ = head.Body.Close()
	if head.StatusCode != http.StatusTooManyRequests {
		t.Errorf("HEAD: status %d, want 429", head.StatusCode)
	}
}

// Who has a network of IPv6 has as many addresses as they like, and the streams of one client.
func TestStreamsAreCappedByNetwork(t *testing.T) {
	for name, tt := range map[string]struct {
		address func(i int) string
		in      int
	}{
		"one IPv6 network":    {func(i int) string { return fmt.Sprintf("2001:db8::%x", i+1) }, streamsPerPeer},
		"many IPv6 networks":  {func(i int) string { return fmt.Sprintf("2001:db8:0:%x::1", i+1) }, streamsPerPeer + 4},
		"many IPv4 addresses": {func(i int) string { return fmt.Sprintf("192.0.2.%d", i+1) }, streamsPerPeer + 4},
	} {
		t.Run(name, func(t *testing.T) {
			s := streams{of: map[netip.Prefix]int{}}
			in := 0
			for i := range streamsPerPeer + 4 {
				leave, ok := s.enter(netip.MustParseAddr(tt.address(i)))
				if ok {
					in++
					defer leave()
				}
			}
			if in != tt.in {
				t.Errorf("%d of %d streams are let in, want %d", in, streamsPerPeer+4, tt.in)
			}
		})
	}
}
