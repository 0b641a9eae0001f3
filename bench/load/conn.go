package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

// Server is where the load goes.
type Server struct {
	Base    *url.URL      // scheme and host
	Timeout time.Duration // of one request, and of connecting; 0 = 30 s
	MaxBody int           // bytes that an answer may have; 0 = 64 MiB
	// Dial opens a connection; nil = TCP, and TLS for https, to the host of Base.
	Dial func(ctx context.Context) (net.Conn, error)
}

const (
	defaultTimeout = 30 * time.Second
	defaultMaxBody = 64 << 20
	// readBuffer takes a whole answer of a usual size in one call.
	readBuffer = 32 << 10
)

func (s Server) withDefaults() Server {
	if s.Timeout == 0 {
		s.Timeout = defaultTimeout
	}
	if s.MaxBody == 0 {
		s.MaxBody = defaultMaxBody
	}
	if s.Dial == nil {
		s.Dial = s.dial
	}
	return s
}

func (s Server) dial(ctx context.Context) (net.Conn, error) {
	port := s.Base.Port()
	if port == "" {
		port = s.Base.Scheme // net knows the ports of http and https
	}
	address := net.JoinHostPort(s.Base.Hostname(), port)
	if s.Base.Scheme == "https" {
		return (&tls.Dialer{Config: &tls.Config{ServerName: s.Base.Hostname()}}).DialContext(ctx, "tcp", address)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}

// connection is one client's: it asks one thing at a time and keeps its connection open. Requests are
// written as bytes, which halves the user time of a general client, and answers are read by fasthttp.
type connection struct {
	server Server
	conn   net.Conn
	reader *bufio.Reader
	out    []byte
	used   bool // an answer came over conn
	again  int64
}

// ask sends t and reads the answer. A kept connection that the server has closed meanwhile is opened anew
// once, and counted in again; nothing else is repeated, and redirects are answers like any other.
func (c *connection) ask(ctx context.Context, t *Target, response *fasthttp.Response) error {
	reused := c.conn != nil && c.used
	err := c.exchange(ctx, t, response)
	if err != nil && reused && closedByServer(err) {
		c.again++
		err = c.exchange(ctx, t, response)
	}
	return err
}

func (c *connection) exchange(ctx context.Context, t *Target, response *fasthttp.Response) error {
	deadline := time.Now().Add(c.server.Timeout)
	if err := c.connect(ctx, deadline); err != nil {
		return err
	}
	c.out = append(append(append(c.out[:0], "GET "...), t.Text...), " HTTP/1.1\r\nHost: "...)
	c.out = append(append(c.out, c.server.Base.Host...), "\r\n"...)
	if t.Accept != "" {
		c.out = append(append(append(c.out, "Accept: "...), t.Accept...), "\r\n"...)
	}
	c.out = append(c.out, "\r\n"...)
	err := c.conn.SetDeadline(deadline)
	if err == nil {
		_, err = c.conn.Write(c.out)
	}
	if err == nil {
		err = response.ReadLimitBody(c.reader, c.server.MaxBody)
	}
	if err != nil {
		c.close()
		return err
	}
	c.used = true
	if response.ConnectionClose() {
		c.close()
	}
	return nil
}

// connect opens the connection unless it is open.
func (c *connection) connect(ctx context.Context, deadline time.Time) error {
	if c.conn != nil {
		return nil
	}
	// A dial is finished although the run ends: its request has begun.
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer cancel()
	conn, err := c.server.Dial(ctx)
	if err != nil {
		return err
	}
	c.conn, c.used = conn, false
	if c.reader == nil {
		c.reader = bufio.NewReaderSize(conn, readBuffer)
	}
	c.reader.Reset(conn)
	return nil
}

func (c *connection) close() {
	if c.conn != nil {
		_ = c.conn.Close() // nothing is to be saved
		c.conn = nil
	}
}

// closedByServer tells the errors of a connection that the server gave up between two requests.
func closedByServer(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || strings.HasSuffix(err.Error(), "EOF")
}

// cause words an error in few kinds: addresses and ports are left out, so that errors can be counted.
func cause(err error) string {
	var unknown *net.DNSError
	switch {
	case errors.As(err, &unknown):
		return "host not found"
	case isTimeout(err):
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.EMFILE):
		return "too many open files: raise ulimit -n"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "no free port"
	case closedByServer(err):
		return "connection closed"
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return "body too large"
	}
	return "unreadable answer: " + strings.Join(strings.Fields(err.Error()), " ")
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, fasthttp.ErrTimeout)
}
