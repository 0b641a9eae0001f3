package edge

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/imgedge/imgedge/origin"
)

// exchange is one request and its answer while they are under way. It lives on the handler's stack.
type exchange struct {
	server  *Server
	ctx     *fasthttp.RequestCtx
	state   *state // the site in force when the request began; nil before the first Reload
	start   time.Time
	due     time.Time // by the system's clock, when the answer is to be sent; zero until it is worked for
	target  []byte    // the raw request target; the connection's memory
	peer    netip.Addr
	asks    *origin.Allowance // of the origins, shared by what is sent in a picture's place; nil = nothing would be
	source  *served           // nil until known
	mount   *mounted          // that the target lies under; nil = the native grammar
	verdict verdict
	token   *Token  // of a call of /v1; nil = the caller was let in without one
	body    []byte  // of the request, unless it is read as it comes
	upload  *upload // the body, where it is read as it comes
	status  int     // of the log where it differs from the answer's (499); 0 = the answer's

	trusted bool // the peer is a trusted proxy
	idLen   int
	id      [maxRequestID]byte
	scratch [256]byte // for header values
}

const maxRequestID = 128 // bytes of X-Request-Id

// begin fills x for a request that has just arrived.
func (s *Server) begin(x *exchange, ctx *fasthttp.RequestCtx) {
	x.server, x.ctx, x.state, x.start = s, ctx, s.state.Load(), s.Now()
	x.target = originForm(ctx.Request.Header.RequestURI())
	x.peer = remoteIP(ctx.RemoteAddr())
	x.trusted = x.state != nil && contains(x.state.site.TrustProxies, x.peer)
	x.identify()
	h := &ctx.Response.Header
	h.DisableNormalizing() // names are written here in their canonical form
	h.SetBytesV("X-Request-Id", x.id[:x.idLen])
	h.Set("X-Content-Type-Options", "nosniff")
	if s.draining.Load() {
		ctx.SetConnectionClose()
	}
}

// end counts and logs what was answered. It is deferred, so that a panic becomes a 500.
func (s *Server) end(x *exchange) {
	if cause := recover(); cause != nil {
		x.fail(fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
	}
	if x.upload != nil && !x.upload.finish() {
		x.ctx.SetConnectionClose()
	}
	status := x.ctx.Response.StatusCode()
	if x.status != 0 {
		status = x.status
	}
	took := s.Now().Sub(x.start)
	counters := s.metrics.nowhere
	if x.source != nil {
		counters = x.source.metrics
	}
	s.metrics.count(x.ctx.ConnID(), counters, status, x.verdict, took)
	if x.logged(status) {
		x.log(s.AccessLog, status, took)
	}
}

// logged reports whether the answer gets a line in the access log: of those from memory perhaps only a few.
func (x *exchange) logged(status int) bool {
	s := x.server
	if s.AccessLog == nil || !s.AccessLog.Enabled(context.Background(), slog.LevelInfo) {
		return false
	}
	hit := x.verdict == verdictMemory && status < http.StatusBadRequest
	return !hit || s.LogHits == 0 || s.LogHits > 0 && rand.IntN(s.LogHits) == 0
}

// log writes the access line.
func (x *exchange) log(to *slog.Logger, status int, took time.Duration) {
	source := ""
	if x.source != nil {
		source = x.source.Name
	}
	size := 0
	switch {
	case x.ctx.IsHead():
	case x.ctx.Response.IsBodyStream():
		size = max(0, x.ctx.Response.Header.ContentLength()) // reading it here would take it from the client
	default:
		size = len(x.ctx.Response.Body())
	}
	to.LogAttrs(x.ctx, slog.LevelInfo, "request",
		slog.String("method", string(x.ctx.Method())),
		slog.String("target", x.publicTarget()),
		slog.String("source", source),
		slog.Int("status", status),
		slog.Int("bytes", size),
		slog.String("cache", x.verdict.String()),
		slog.Float64("ms", float64(took.Microseconds())/1000),
		slog.String("request_id", string(x.id[:x.idLen])),
		slog.String("client", x.client().String()),
	)
}

// identify takes a trusted proxy's request id or makes a new one.
func (x *exchange) identify() {
	if x.trusted {
		given := x.ctx.Request.Header.Peek("X-Request-Id")
		if len(given) > 0 && len(given) <= maxRequestID && visible(given) {
			x.idLen = copy(x.id[:], given)
			return
		}
	}
	var raw [16]byte
	binary.LittleEndian.PutUint64(raw[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(raw[8:], rand.Uint64())
	x.idLen = hex.Encode(x.id[:], raw[:])
}

// visible reports whether b is visible ASCII alone.
func visible(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// originForm returns a request target's path and query as they were sent: of http://host/path the part
// from the path on, anything else as it is.
func originForm(target []byte) []byte {
	if len(target) == 0 || target[0] == '/' {
		return target
	}
	for _, scheme := range [...]string{"http://", "https://"} {
		if len(target) <= len(scheme) || string(target[:len(scheme)]) != scheme {
			continue
		}
		for i, c := range target[len(scheme):] {
			if c == '/' {
				return target[len(scheme)+i:]
			}
		}
	}
	return target
}
