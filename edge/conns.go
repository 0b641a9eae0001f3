package edge

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"syscall"
	"time"
)

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
	err = raw.Control(func(fd uintptr) { left, _ = peek(fd) })
	return left && err == nil
}

// watchAfter is how long a client waits before its connection is watched: what is quick is not worth it.
const watchAfter = 20 * time.Millisecond

// watch calls left once the client has closed its side, and lets no read deadline pass meanwhile. stop ends
// the watch and waits for it, so that the connection is not touched after the handler has returned.
func watch(c net.Conn, left func()) (stop func()) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return func() {}
	}
	raw, err := sc.SyscallConn()
	if err != nil || c.SetReadDeadline(time.Time{}) != nil {
		return func() {} // closed already
	}
	ended := make(chan struct{}) // closed, never sent on
	begin := time.AfterFunc(watchAfter, func() {
		defer close(ended)
		away := false
		err := raw.Read(func(fd uintptr) bool {
			away, _ = peek(fd)
			return away
		})
		if err == nil && away {
			left()
		}
	})
	return func() {
		if begin.Stop() {
			return
		}
		_ = c.SetReadDeadline(time.Unix(1, 0)) // wakes the read; the server sets another for the next request
		<-ended
	}
}

// peek looks at a connection without blocking and takes nothing from it: left says that the client has
// closed its side and nothing is left to read, some that there are bytes.
func peek(fd uintptr) (left, some bool) {
	var b [1]byte
	n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	switch {
	case n > 0:
		return false, true
	case err == nil:
		return true, false
	default:
		return !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR), false
	}
}

// connLogger turns fasthttp's complaints about connections into debug lines.
type connLogger struct{ log *slog.Logger }

// Printf logs one complaint. An error that is not the network's may quote what a client sent, be it a token,
// and is left out.
func (l connLogger) Printf(format string, args ...any) {
	for i, arg := range args {
		var network net.Error
		if err, ok := arg.(error); ok && !errors.As(err, &network) {
			args[i] = errBadRequest
		}
	}
	l.log.Debug("connection", "problem", fmt.Sprintf(format, args...))
}
