package edge

import (
	"bytes"
	"net/netip"
	"strings"
)

// contains reports whether one of the networks holds ip.
func contains(nets []netip.Prefix, ip netip.Addr) bool {
	for _, n := range nets {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}

// client returns the address of whoever asks: the peer, or, where the peer is a trusted proxy, the last
// address of X-Forwarded-For that is not itself a trusted proxy's.
func (x *exchange) client() netip.Addr {
	if !x.trusted {
		return x.peer
	}
	lines := x.ctx.Request.Header.PeekAll("X-Forwarded-For")
	hops := strings.Split(string(bytes.Join(lines, []byte(","))), ",")
	seen := x.peer
	for i := len(hops) - 1; i >= 0; i-- {
		ip, ok := forwardedAddr(hops[i])
		if !ok {
			return seen
		}
		seen = ip
		if !contains(x.state.site.TrustProxies, ip) {
			return ip
		}
	}
	return seen
}

// forwardedAddr reads one hop: an address, perhaps with a port.
func forwardedAddr(hop string) (netip.Addr, bool) {
	hop = strings.TrimSpace(hop)
	if ip, err := netip.ParseAddr(strings.Trim(hop, "[]")); err == nil {
		return ip.Unmap().WithZone(""), true
	}
	if ap, err := netip.ParseAddrPort(hop); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

// base returns what absolute URLs begin with: the configured base, else what a trusted proxy says the
// client asked for, else nothing.
func (x *exchange) base() string {
	if b := x.state.site.BaseURL; b != "" {
		return strings.TrimSuffix(b, "/")
	}
	if !x.trusted {
		return ""
	}
	proto := string(x.ctx.Request.Header.Peek("X-Forwarded-Proto"))
	host := string(x.ctx.Request.Header.Peek("X-Forwarded-Host"))
	if (proto != "http" && proto != "https") || !plainHost(host) {
		return ""
	}
	return proto + "://" + host
}

// plainHost reports whether a text is a host, perhaps with a port, and nothing else.
func plainHost(host string) bool {
	if host == "" || len(host) > 255 {
		return false
	}
	for _, c := range []byte(host) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune(".-:[]", rune(c)) {
			return false
		}
	}
	return true
}

// publicTarget returns the request target without what is a permission, for logs: a native target up to its
// signature, a mount's with - in its place.
func (x *exchange) publicTarget() string {
	if x.state != nil {
		if m, rest := x.state.mount(x.ctx.Host(), x.target); m != nil {
			return string(x.target[:len(x.target)-len(rest)]) + withoutFirst(string(rest))
		}
	}
	return string(withoutSignature(x.target))
}

// withoutFirst replaces the first segment of a path, or the second where the first is /info.
func withoutFirst(path string) string {
	head := ""
	if rest, ok := strings.CutPrefix(path, "/info/"); ok {
		head, path = "/info", "/"+rest
	}
	if len(path) < 2 || path[0] != '/' {
		return head + path
	}
	if end := strings.IndexByte(path[1:], '/'); end >= 0 {
		return head + "/-" + path[1+end:]
	}
	return head + "/-"
}

// withoutSignature cuts a target before its signature, which is a permission and stays out of logs.
func withoutSignature(target []byte) []byte {
	for _, mark := range [...]string{"?s=", "&s="} {
		if i := bytes.Index(target, []byte(mark)); i >= 0 {
			target = target[:i]
		}
	}
	return target
}
