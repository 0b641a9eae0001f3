package origin

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// LookupFunc resolves a host name.
type LookupFunc func(ctx context.Context, host string) ([]netip.Addr, error)

const (
	dialTimeout = 5 * time.Second
	keepAlive   = 30 * time.Second
)

// guard decides which addresses may be dialed: public unicast ones, and those listed by the operator.
// It looks at the resolved address just before the connection is made, so that neither a name, nor a
// second answer of the DNS, nor a redirect gets round it.
type guard struct {
	public *ssrf.Guardian // the IANA registries of special-purpose addresses
	allow  []netip.Prefix
}

func newGuard(allow []netip.Prefix) *guard {
	return &guard{
		allow: allow,
		public: ssrf.New(ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(
			netip.MustParsePrefix("168.63.129.16/32"), // Azure's metadata and DNS, a public address
		)),
	}
}

// control is a net.Dialer.Control.
func (g *guard) control(network, address string, conn syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", errAddress, err)
	}
	ip := target.Addr()
	for _, prefix := range g.allow {
		if prefix.Contains(ip.Unmap()) && ip.Zone() == "" {
			return nil
		}
	}
	if isatap(ip) || ip.Zone() != "" {
		return fmt.Errorf("%w: %v", errAddress, ip)
	}
	if err := g.public.Safe(network, address, conn); err != nil {
		return fmt.Errorf("%w: %w", errAddress, err)
	}
	return nil
}

// isatap reports an interface identifier that hides an IPv4 address (RFC 5214 section 6.1), which may
// stand below any prefix.
func isatap(ip netip.Addr) bool {
	b := ip.As16()
	return ip.Is6() && b[8]&^0x02 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}

// dialer connects through a guard.
type dialer struct {
	net    net.Dialer
	lookup LookupFunc // nil = the system's resolver
}

func newDialer(g *guard, lookup LookupFunc) *dialer {
	return &dialer{lookup: lookup, net: net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive, Control: g.control}}
}

// DialContext connects to a host and port.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if d.lookup == nil {
		return d.net.DialContext(ctx, network, address)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ips, err := d.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	first := error(&net.DNSError{Err: "no address", Name: host, IsNotFound: true})
	for i, ip := range ips {
		conn, err := d.net.DialContext(ctx, network, net.JoinHostPort(ip.String(), port))
		if err == nil {
			return conn, nil
		}
		if i == 0 {
			first = err
		}
	}
	return nil, first
}

func (d *dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	return d.lookup(ctx, host)
}
