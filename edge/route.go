package edge

import (
	"bytes"
	"net/http"

	"github.com/valyala/fasthttp"

	"github.com/imgedge/imgedge/resize"
)

// place is where a request target leads.
type place uint8

const (
	placeImage place = iota
	placeRoot
	placeHealth
	placeReady
	placeAPI
	placeMetrics
	placeProfile
	placeServer // OPTIONS *
)

// locate reads the first segment of a raw request target. Everything that is not a fixed place is an
// image.
func locate(target []byte) place {
	path, _, _ := bytes.Cut(target, []byte("?"))
	switch {
	case len(path) <= 1:
		if string(path) == "*" {
			return placeServer
		}
		return placeRoot
	case string(path) == "/healthz":
		return placeHealth
	case string(path) == "/readyz":
		return placeReady
	case string(path) == "/v1", bytes.HasPrefix(path, []byte("/v1/")):
		return placeAPI
	case string(path) == "/metrics":
		return placeMetrics
	case string(path) == "/debug/pprof", bytes.HasPrefix(path, []byte("/debug/pprof/")):
		return placeProfile
	default:
		return placeImage
	}
}

// servePublic answers a request on the public listener. Calls of /v1 have an exchange on the heap, so that
// those of pictures stay on the stack: the compiler moves all of one function's or none.
func (s *Server) servePublic(ctx *fasthttp.RequestCtx) {
	to := locate(originForm(ctx.Request.Header.RequestURI()))
	if to == placeAPI && !s.NoAPI {
		s.serveCall(ctx)
		return
	}
	var x exchange
	s.begin(&x, ctx)
	defer s.end(&x)
	if !x.taken() {
		return
	}
	switch {
	case to == placeHealth:
		x.serveHealth()
	case to == placeReady:
		x.serveReady()
	case (to == placeImage || to == placeProfile) && !s.NoImages:
		x.serveImage()
	case to == placeServer:
		x.serveServerOptions()
	default:
		x.fail(errNothingHere)
	}
}

// serveCall answers a call of /v1 on the public listener.
func (s *Server) serveCall(ctx *fasthttp.RequestCtx) {
	x := new(exchange)
	s.begin(x, ctx)
	defer s.end(x)
	if x.taken() {
		x.servePublicAPI()
	}
}

// taken takes the request in: its framing is plain and its body is read. If not, it is answered.
func (x *exchange) taken() bool {
	if oddFraming(&x.ctx.Request.Header) {
		x.refuseOdd()
		return false
	}
	if err := x.takeBody(); err != nil {
		x.fail(err)
		return false
	}
	return true
}

// serveServerOptions answers OPTIONS *, which asks about the server as a whole (RFC 9110 section 9.3.7).
func (x *exchange) serveServerOptions() {
	if !x.ctx.IsOptions() {
		x.fail(resize.BadKey("the request target is no path"))
		return
	}
	x.ctx.Response.Header.Set("Allow", imageMethods)
	x.ctx.SetStatusCode(http.StatusNoContent)
}

// only reports whether the method is one of those allowed, and answers 405 if it is not. A HEAD is
// allowed wherever a GET is.
func (x *exchange) only(method string) bool {
	m := string(x.ctx.Method())
	if m == method || method == http.MethodGet && m == http.MethodHead {
		return true
	}
	allow := method
	if method == http.MethodGet {
		allow = "GET, HEAD"
	}
	x.notAllowed(allow)
	return false
}

// notAllowed answers 405.
func (x *exchange) notAllowed(allow string) {
	x.fail(errMethod)
	x.ctx.Response.Header.Set("Allow", allow)
}
