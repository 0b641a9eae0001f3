package cache

import (
	"errors"
	"net"
	"syscall"
)

// Bounds on what a server may announce. The client library allocates what a reply's header says
// before it reads the reply; a broken or hostile peer must not be able to ask for ten gigabytes.
const (
	maxBulk  = 64 << 20 // bytes of one string
	maxArray = 1 << 20  // elements of one array
	maxLine  = 64 << 10 // bytes of a line
)

var errReply = errors.New("redis reply out of bounds")

// guardConn is a connection to Redis that ends before a reply out of bounds reaches the client.
type guardConn struct {
	net.Conn
	scan replyScanner
}

// Read reads, and fails if what was read announces too much.
func (c *guardConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.scan.feed(p[:n]) {
		_ = c.Close() // the stream is of no use any more
		return 0, errReply
	}
	return n, err
}

// guardRawConn is a guardConn over a plain socket. The client peeks at the socket to see whether an
// idle connection is still alive; through TLS it cannot.
type guardRawConn struct {
	guardConn
	raw syscall.Conn
}

// SyscallConn returns the socket.
func (c *guardRawConn) SyscallConn() (syscall.RawConn, error) { return c.raw.SyscallConn() }

// replyScanner follows the framing of RESP (https://redis.io/docs/latest/develop/reference/protocol-spec/)
// without keeping what it sees. It looks at headers only: the payload of strings is skipped by count.
type replyScanner struct {
	skip   int64 // bytes of payload still to come
	length int   // bytes of the line so far
	kind   byte  // the line's first byte
	count  int64 // the number that follows kind; −1 = negative or no number
}

// feed looks at the next bytes; false = out of bounds.
func (s *replyScanner) feed(b []byte) bool {
	for len(b) > 0 {
		if s.skip > 0 {
			n := min(s.skip, int64(len(b)))
			s.skip -= n
			b = b[n:]
			continue
		}
		if !s.step(b[0]) {
			return false
		}
		b = b[1:]
	}
	return true
}

// step takes one byte of a line.
func (s *replyScanner) step(c byte) bool {
	s.length++
	switch {
	case s.length == 1:
		s.kind, s.count = c, 0
	case c == '\n':
		return s.endLine()
	case c >= '0' && c <= '9' && s.count >= 0 && s.count <= maxBulk:
		s.count = s.count*10 + int64(c-'0')
	case c == '-' || c == '?':
		s.count = -1
	}
	return s.length <= maxLine
}

// endLine judges the line and readies for what it announced.
func (s *replyScanner) endLine() bool {
	s.length = 0
	switch s.kind {
	case '$', '=', '!':
		if s.count > maxBulk {
			return false
		}
		if s.count >= 0 {
			s.skip = s.count + 2 // and its line end
		}
	case '*', '~', '>', '%', '|':
		return s.count <= maxArray
	}
	return true
}
