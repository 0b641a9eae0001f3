package edge

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// limitedListener refuses connections of an address that has too many. IPv6 addresses count by their
// /64, which is what one client can choose from.
type limitedListener struct {
	net.Listener
	max    int
	exempt func(netip.Addr) bool

	mu   sync.Mutex
	open map[netip.Prefix]int
}

// limitConns returns ln, limited to max connections of one address that is not exempt; 0 = unlimited.
func limitConns(ln net.Listener, max int, exempt func(netip.Addr) bool) net.Listener {
	if max <= 0 {
		return ln
	}
	return &limitedListener{Listener: ln, max: max, exempt: exempt, open: make(map[netip.Prefix]int)}
}

// Accept returns the next connection that is within its address's limit and closes the others.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		ip := remoteIP(c.RemoteAddr())
		if l.exempt(ip) {
			return c, nil
		}
		from := clientNet(ip)
		if l.enter(from) {
			return &limitedConn{Conn: c, leave: sync.OnceFunc(func() { l.exit(from) })}, nil
		}
		_ = c.Close() // refused; nothing was sent
	}
}

func (l *limitedListener) enter(from netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[from] >= l.max {
		return false
	}
	l.open[from]++
	return true
}

func (l *limitedListener) exit(from netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[from]--; l.open[from] <= 0 {
		delete(l.open, from)
	}
}

// limitedConn gives its place back when it is closed.
type limitedConn struct {
	net.Conn
	leave func()
}

// Close closes the connection and gives its place back. Twice is fine.
func (c *limitedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// SyscallConn gives access to the descriptor, for gone.
func (c *limitedConn) SyscallConn() (syscall.RawConn, error) {
	sc, ok := c.Conn.(syscall.Conn)
	if !ok {
		return nil, syscall.EINVAL
	}
	return sc.SyscallConn()
}

// clientNet returns what counts as one client: an IPv4 address or an IPv6 /64.
func clientNet(ip netip.Addr) netip.Prefix {
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // an invalid address: all such share one count
	}
	return p
}

// remoteIP returns the address of a TCP peer, unmapped; the zero Addr for anything else.
func remoteIP(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}

// isLoopback reports whether a listener's address can be reached from this machine alone.
func isLoopback(a net.Addr) bool { return remoteIP(a).IsLoopback() }

// gone reports whether the client has closed its side of the connection. It does not block and takes
// nothing from the connection: MSG_PEEK sees the end of the stream, or waiting bytes, or neither.
func gone(c net.Conn) bool {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	left := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		left = n == 0 && err == nil || err == syscall.ECONNRESET
	})
	return left && err == nil
}

// connLogger turns fasthttp's complaints about connections into debug lines.
type connLogger struct{ log *slog.Logger }

// Printf logs one complaint.
func (l connLogger) Printf(format string, args ...any) {
	l.log.Debug("connection", "problem", fmt.Sprintf(format, args...))
}
