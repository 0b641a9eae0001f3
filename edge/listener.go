package edge

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// listener hands connections to the HTTP server: new ones within the limits, and those that were parked
// and speak again. A parked connection costs a descriptor and a small goroutine, no buffers and no
// worker; it is the first to go where there is no room for a new one. Addresses of IPv6 count by their
// /64, which is what one client can choose from.
type listener struct {
	net.Listener
	max      int                   // connections at once, parked ones included; 0 = unlimited
	maxPerIP int                   // of one address that is not exempt; 0 = unlimited
	exempt   func(netip.Addr) bool // trusted proxies
	idle     time.Duration         // of a quiet connection, before it is closed
	slack    time.Duration         // by which a write deadline may be early, so that busy connections seldom move it

	ready chan *conn    // to be served now; unbuffered, so that none is lost on closing
	done  chan struct{} // closed by Close
	begin sync.Once
	loops sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	failed error // why no more connections are accepted
	open   int
	per    map[netip.Prefix]int
	parked map[*conn]struct{}
}

// listener returns ln within this server's limits.
func (s *Server) listener(ln net.Listener, maxPerIP int) *listener {
	l := &listener{
		Listener: ln, max: s.MaxConns, maxPerIP: maxPerIP, exempt: s.trusts, idle: s.idleTimeout(), slack: min(time.Second, s.writeTimeout()/8),
		ready: make(chan *conn), done: make(chan struct{}),
		per: make(map[netip.Prefix]int), parked: make(map[*conn]struct{}),
	}
	s.listeners.add(l)
	return l
}

// listeners are those of one server.
type listeners struct {
	mu  sync.Mutex
	all []*listener
}

func (ls *listeners) add(l *listener) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.all = append(ls.all, l)
}

// load returns how many connections are open on all listeners, and how many of them are parked.
func (ls *listeners) load() (open, parked int) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for _, l := range ls.all {
		o, p := l.load()
		open, parked = open+o, parked+p
	}
	return open, parked
}

// Accept returns the next connection to be served.
func (l *listener) Accept() (net.Conn, error) {
	l.begin.Do(func() { l.loops.Go(l.acceptAll) })
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.done:
		l.mu.Lock()
		defer l.mu.Unlock()
		return nil, l.failed
	}
}

// acceptAll accepts until the listener is closed. Want of descriptors or memory passes.
func (l *listener) acceptAll() {
	const shortest, longest = 5 * time.Millisecond, time.Second
	pause := shortest
	for {
		nc, err := l.Listener.Accept()
		switch {
		case err == nil:
			pause = shortest
			if c := l.admit(nc); c != nil {
				l.serve(c)
			} else {
				_ = nc.Close() // refused; nothing was sent
			}
		case passing(err):
			l.dropParked()
			select {
			case <-time.After(pause):
				pause = min(2*pause, longest)
			case <-l.done:
			}
		default:
			l.end(err)
			return
		}
	}
}

// passing reports whether an error of accept says nothing about the listener.
func passing(err error) bool {
	for _, no := range [...]syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EPROTO, syscall.EPERM,
	} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// serve gives a connection to the server, or closes it where there is no server any more.
func (l *listener) serve(c *conn) {
	select {
	case l.ready <- c:
	case <-l.done:
		_ = c.shut() // the client sees the end
	}
}

// admit counts a new connection; nil = there is no room for it.
func (l *listener) admit(nc net.Conn) *conn {
	ip := remoteIP(nc.RemoteAddr())
	c := &conn{Conn: nc, listener: l, client: clientNet(ip), limited: l.maxPerIP > 0 && !l.exempt(ip)}
	if l.max > 0 && l.count() >= l.max && !l.dropParked() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.limited && l.per[c.client] >= l.maxPerIP {
		return nil
	}
	l.open++
	if c.limited {
		l.per[c.client]++
	}
	return c
}

func (l *listener) count() int {
	open, _ := l.load()
	return open
}

// load returns how many connections are open, and how many of them are parked.
func (l *listener) load() (open, parked int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open, len(l.parked)
}

// forget gives a connection's place back.
func (l *listener) forget(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if !c.limited {
		return
	}
	if l.per[c.client]--; l.per[c.client] <= 0 {
		delete(l.per, c.client)
	}
}

// park keeps a quiet connection until it speaks; false = it is to be closed.
func (l *listener) park(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.parked[c] = struct{}{}
	l.loops.Go(func() { l.await(c) })
	return true
}

// await waits until a parked connection can be read, and closes it where that does not come about.
func (l *listener) await(c *conn) {
	err := c.awaitBytes()
	l.mu.Lock()
	delete(l.parked, c)
	l.mu.Unlock()
	if err != nil {
		_ = c.shut() // gone, or quiet for too long
		return
	}
	l.serve(c)
}

// dropParked closes one of the parked connections; false = there is none.
func (l *listener) dropParked() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.parked {
		delete(l.parked, c)
		_ = c.Conn.Close() // wakes its goroutine, which gives the place back
		return true
	}
	return false
}

// end lets Accept return err, and closes what is parked.
func (l *listener) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed, l.failed = true, err
	close(l.done)
	for c := range l.parked {
		_ = c.Conn.Close() // wakes its goroutine
	}
}

// Close ends the listener and the parked connections. Twice is fine.
func (l *listener) Close() error {
	l.end(net.ErrClosed)
	err := l.Listener.Close()
	l.loops.Wait()
	return err
}

// awaitBytes returns once there is something to read; io.EOF where the client has closed its side.
func (c *conn) awaitBytes() error {
	if err := c.Conn.SetReadDeadline(c.idleEnd); err != nil {
		return err
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var seen error
	err = raw.Read(func(fd uintptr) bool {
		var left, some bool
		left, some = peek(fd)
		if left {
			seen = io.EOF
		}
		return left || some
	})
	return errors.Join(err, seen)
}
