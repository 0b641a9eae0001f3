package origin

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
)

// Public reaches web servers at public addresses alone, for URLs that callers name, as webhooks: the guard of
// HTTP sources stands before each connection, whatever a name resolves to. It follows no redirect. It may be
// used concurrently.
type Public struct {
	transport *http.Transport
	guard     *guard
	lookup    LookupFunc // nil = the system's resolver
}

var _ http.RoundTripper = (*Public)(nil)

// NewPublic returns one that also reaches the addresses in allow.
func NewPublic(allow []netip.Prefix) *Public {
	g := newGuard(allow)
	t := newTransport(newDialer(g, nil))
	t.MaxIdleConnsPerHost = 1
	return &Public{transport: t, guard: g}
}

// RoundTrip implements http.RoundTripper.
func (p *Public) RoundTrip(r *http.Request) (*http.Response, error) { return p.transport.RoundTrip(r) }

// Check refuses a URL that RoundTrip would not reach: one that is not http or https, or carries user-info,
// or whose host resolves to no address or to one that may not be dialed. A host may resolve to something else
// later; the guard looks again.
func (p *Public) Check(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return errWebURL
	}
	lookup := p.lookup
	if lookup == nil {
		lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	d := &dialer{lookup: lookup}
	ips, err := d.resolve(ctx, u.Hostname())
	if err != nil || len(ips) == 0 {
		return errUnresolved
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	for _, ip := range ips {
		network := "tcp6"
		if ip = ip.Unmap(); ip.Is4() {
			network = "tcp4"
		}
		if err := p.guard.control(network, net.JoinHostPort(ip.String(), port), nil); err != nil {
			return errUnresolved // the same text: what is inside is not to be felt for
		}
	}
	return nil
}

// Close releases idle connections.
func (p *Public) Close() error {
	p.transport.CloseIdleConnections()
	return nil
}

// What Check answers.
const (
	errWebURL     = constError("the URL is not http(s)://host/path")
	errUnresolved = constError("the URL's host has no public address")
)
