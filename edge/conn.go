package edge

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

// parkAfter is how long a connection is quiet before it leaves the server and waits without buffers.
const parkAfter = time.Second

// conn is a client's connection as the HTTP server sees it. A picture goes out behind the header of its
// answer in one system call, by reference. A connection without a request under way is quiet; after
// parkAfter of that it ends for the server, and its listener keeps it until it speaks again.
type conn struct {
	net.Conn
	listener *listener
	client   netip.Prefix // whose connections it counts among
	limited  bool         // it counts

	picture attachment
	tail    []byte // goes out behind what is written next
	both    [2][]byte
	vector  net.Buffers

	quiet   bool      // the server's goroutine alone looks at it
	idleEnd time.Time // when being quiet ends for good
	writeBy time.Time // the write deadline in force
	parking atomic.Bool
	closed  atomic.Bool
}

// Read reads what the client sent. Quiet for parkAfter is an io.EOF, whereupon the server calls Close.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n == 0 && c.quiet && os.IsTimeout(err) && time.Now().Before(c.idleEnd) {
		c.parking.Store(true)
		return 0, io.EOF
	}
	return n, err
}

// Write writes p, and the tail behind it.
func (c *conn) Write(p []byte) (int, error) {
	if c.tail == nil {
		return c.Conn.Write(p)
	}
	c.both = [...][]byte{p, c.tail}
	c.tail, c.vector = nil, c.both[:]
	n, err := c.vector.WriteTo(c.Conn)
	c.both = [2][]byte{}
	return min(int(n), len(p)), err
}

// SetReadDeadline sets when reads fail. For a quiet connection that is the end of its idle time.
func (c *conn) SetReadDeadline(t time.Time) error {
	if c.quiet {
		c.idleEnd = t
		t = t.Add(min(0, parkAfter-c.listener.idle))
	}
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline sets when writes fail, up to the listener's slack early.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if late := t.Sub(c.writeBy); late >= 0 && late < c.listener.slack {
		return nil
	}
	c.writeBy = t
	return c.Conn.SetWriteDeadline(t)
}

// Close parks a connection that has been quiet, and closes any other. Twice is fine.
func (c *conn) Close() error {
	if c.parking.CompareAndSwap(true, false) && c.listener.park(c) {
		return nil
	}
	return c.shut()
}

// shut closes the connection and gives its place back, once.
func (c *conn) shut() error {
	if c.closed.Swap(true) {
		return nil
	}
	c.listener.forget(c)
	return c.Conn.Close()
}

// SyscallConn gives access to the descriptor, for gone.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	sc, ok := c.Conn.(syscall.Conn)
	if !ok {
		return nil, syscall.EINVAL
	}
	return sc.SyscallConn()
}

// noteState tells a connection whether a request is under way. What comes behind Close is not heeded: a
// parked connection may be served again by then.
func noteState(nc net.Conn, state fasthttp.ConnState) {
	c, ok := nc.(*conn)
	if ok && state != fasthttp.StateClosed {
		c.quiet = state == fasthttp.StateIdle
	}
}

// attach returns body as the stream of an answer on this connection.
func (c *conn) attach(body []byte) *attachment {
	c.picture = attachment{conn: c, rest: body}
	return &c.picture
}

// attachment is a body that is written behind its header by reference.
type attachment struct {
	conn *conn
	rest []byte
}

var (
	_ io.Reader             = (*attachment)(nil)
	_ fasthttp.BodyWriterTo = (*attachment)(nil)
	_ syscall.Conn          = (*conn)(nil)
)

// SupportsBodyWriteTo says that WriteTo is to be used.
func (a *attachment) SupportsBodyWriteTo() bool { return true }

// WriteTo writes the body to w, the server's writer on the connection, and all that waits there before it.
func (a *attachment) WriteTo(w io.Writer) (int64, error) {
	body := a.rest
	a.rest = nil
	bw, ok := w.(*bufio.Writer)
	if !ok || bw.Buffered() == 0 || len(body) == 0 {
		n, err := w.Write(body)
		return int64(n), err
	}
	a.conn.tail = body
	if err := bw.Flush(); err != nil {
		return 0, err
	}
	return int64(len(body)), nil
}

// Read reads the body by copying it.
func (a *attachment) Read(p []byte) (int, error) {
	if len(a.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}
