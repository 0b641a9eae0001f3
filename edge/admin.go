package edge

import (
	_ "embed" // landing.html
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/valyala/fasthttp"
)

// landing is the admin listener's front page.
//
//go:embed landing.html
var landing string

// serveAdmin answers a request on the admin listener.
func (s *Server) serveAdmin(ctx *fasthttp.RequestCtx) {
	var x exchange
	s.begin(&x, ctx)
	defer s.end(&x)
	if !x.taken() {
		return
	}
	to := locate(x.target)
	if to != placeHealth && to != placeReady {
		if err := x.enterAdmin(); err != nil {
			x.refuseCall(err)
			return
		}
	}
	switch to {
	case placeHealth:
		x.serveHealth()
	case placeReady:
		x.serveReady()
	case placeRoot:
		x.serveLanding()
	case placeMetrics:
		x.serveMetrics()
	case placeProfile:
		s.profilePage(ctx)
	case placeAPI:
		x.serveAdminAPI()
	default:
		x.fail(errNothingHere)
	}
}

// enterAdmin lets a request into the admin listener: to a loopback address whoever is no other site's
// page (a browser can be made to send requests to 127.0.0.1, under any name that resolves to it), and
// elsewhere whoever has a token of ScopeAdmin.
func (x *exchange) enterAdmin() error {
	if !x.server.adminOpen.Load() {
		if x.state == nil {
			return errStarting
		}
		return x.require(ScopeAdmin)
	}
	host := string(x.ctx.Request.Header.Host())
	if !ownHost(host) || x.fromElsewhere(host) {
		return errForeign
	}
	return nil
}

// fromElsewhere reports whether a browser says that another site makes this request.
func (x *exchange) fromElsewhere(host string) bool {
	h := &x.ctx.Request.Header
	switch site := string(h.Peek("Sec-Fetch-Site")); site {
	case "", "same-origin", "none":
	default:
		return true
	}
	origin := string(h.Peek("Origin"))
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(u.Host, host)
}

// ownHost reports whether a Host value names this machine's loopback.
func ownHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

// serveAdminAPI answers /v1 for whoever was let in.
func (x *exchange) serveAdminAPI() {
	if x.state == nil {
		x.fail(errStarting)
		return
	}
	x.serveAPI(func(Scope) error { return nil })
}

// serveLanding answers the front page.
func (x *exchange) serveLanding() {
	if !x.only(http.MethodGet) {
		return
	}
	h := &x.ctx.Response.Header
	h.SetContentType("text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	h.Set("Cache-Control", "no-store")
	x.ctx.Response.SetBodyString(landing)
}

// serveMetrics answers /metrics.
func (x *exchange) serveMetrics() {
	if x.only(http.MethodGet) {
		x.server.metricsPage(x.ctx)
	}
}
