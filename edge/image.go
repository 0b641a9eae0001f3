package edge

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
)

const imageMethods = "GET, HEAD, OPTIONS"

// serveImage answers a request for a picture.
func (x *exchange) serveImage() {
	if x.state == nil {
		x.fail(errStarting)
		return
	}
	switch {
	case x.ctx.IsOptions():
		x.preflight()
		return
	case !x.ctx.IsGet() && !x.ctx.IsHead():
		x.notAllowed(imageMethods)
		return
	}
	if err := x.limitRequest(""); err != nil {
		x.refuseImage(err)
		return
	}
	k, err := x.verify()
	if err != nil {
		x.refuseImage(err)
		return
	}
	x.servePicture(k, k.prepare(x.capability()))
}

// servePicture answers with what r leads to: from memory if it is there, by the slow path if not.
func (x *exchange) servePicture(k *known, r *pipeline.Request) {
	e, via := x.server.Pictures.Lookup(r)
	if e == nil {
		var err error
		if k.fallback != nil {
			x.asks = new(origin.Allowance)
		}
		if e, via, err = x.fetch(r); err != nil {
			x.verdict = verdictOf(via)
			x.failPicture(k, err, via)
			return
		}
	}
	x.verdict = verdictOf(via)
	if via.Timing != (pipeline.Timing{}) {
		x.server.metrics.observe(via.Timing)
	}
	if e.Status >= http.StatusBadRequest {
		x.refusePicture(k, e, via)
		return
	}
	x.respond(k, e, via)
}

// verify returns what the request target means, in the order of errors that the contract demands:
// source, signature, expiry, then key and options.
func (x *exchange) verify() (*known, error) {
	m, target := x.state.mount(x.ctx.Host(), x.target)
	memo := x.state.memo
	if x.mount = m; m != nil {
		memo = m.memo
	}
	if k := memo.get(target); k != nil {
		x.source = k.source
		if x.past(k.request.Expires) {
			return k, k.expired
		}
		return k, nil
	}
	if m != nil {
		return x.readMounted(m, string(target))
	}
	return x.read(string(target))
}

// read verifies a target that is not known yet.
func (x *exchange) read(target string) (*known, error) {
	if len(target) < 2 || target[0] != '/' || target[1] == '/' {
		return nil, resize.BadKey("the path must be /{source}/{key}, without empty segments")
	}
	envelope := dialect.Split(target)
	src := x.state.sources[envelope.Source]
	if src == nil {
		return nil, errUnknownSource
	}
	x.source = src
	rules, err := src.authorize(envelope)
	if err != nil {
		return nil, err
	}
	expires, err := envelope.Expires()
	if err != nil {
		return nil, err
	}
	if x.past(expires) {
		return nil, errExpired
	}
	request, err := envelope.Request(rules)
	if err != nil {
		return nil, err
	}
	request.Expires = expires
	return x.state.memo.put(target, x.state.known(src, request)), nil
}

// known prepares what a verified URL means.
func (st *state) known(src *served, request dialect.Request) *known {
	k := &known{
		source:   src,
		request:  request,
		varies:   negotiated(request.Options),
		filename: disposition(request),
		expired:  errExpired,
		fallback: src.fallback, fallbackKey: src.fallbackKey,
	}
	if request.Tags != "" {
		k.tags = strings.Split(request.Tags, ",")
	}
	if name, key, _ := strings.Cut(request.Fallback, "/"); request.Fallback != "" {
		if from := st.sources[name]; from != nil {
			k.fallback, k.fallbackKey = from.Pipeline, key
		}
	}
	return k
}

// authorize checks the signature over the raw text and returns the rules for what follows. A source
// declared unsigned takes requests without one; where it has keys, a signed one may ask for more.
func (src *served) authorize(e dialect.Envelope) (dialect.Rules, error) {
	rules := src.Rules
	if rules.Unsigned && (e.Signature == "" || len(src.Keys) == 0) {
		return rules, nil
	}
	rules.Unsigned = false
	return rules, src.Keys.Verify(e.Signed, e.Signature, e.KeyID)
}

// past reports whether a URL's last second has passed; 0 never passes.
func (x *exchange) past(expires int64) bool { return expires != 0 && x.start.Unix() > expires }

// prepare returns the pipeline's request for a client that takes c, made once for each set.
func (k *known) prepare(c capability) *pipeline.Request {
	if !k.varies {
		c = 0
	}
	c &= k.source.takes
	if r := k.prepared[c].Load(); r != nil {
		return r
	}
	options := k.request.Options.Negotiate(c.offer(negotiationOrder(k.source.Source)))
	r := pipeline.NewRequest(k.source.Pipeline, k.request.Key, options)
	if len(k.tags) > 0 {
		r = r.Tagged(k.tags)
	}
	if k.request.Limits != (resize.Limits{}) || k.request.SourceBytes != 0 {
		r = r.Within(k.request.Limits, k.request.SourceBytes)
	}
	k.prepared[c].CompareAndSwap(nil, r)
	return k.prepared[c].Load()
}

// capability returns what the client takes: all Accept lines are one list.
func (x *exchange) capability() capability {
	lines := x.ctx.Request.Header.PeekAll("Accept")
	switch len(lines) {
	case 0:
		return 0
	case 1:
		return x.server.accepts.read(lines[0])
	default:
		return x.server.accepts.read(bytes.Join(lines, []byte(", ")))
	}
}

// deadline returns until when the answer may be worked for; the first call begins the time.
func (x *exchange) deadline() time.Time {
	if x.due.IsZero() {
		x.due = time.Now().Add(x.server.RequestTimeout)
	}
	return x.due
}

// fetch takes the slow path, for as long as the request may still take and the client is there.
func (x *exchange) fetch(r *pipeline.Request) (*cache.Entry, pipeline.Via, error) {
	v := &visit{conn: x.ctx.Conn(), due: x.deadline()}
	defer v.leave()
	if admit := x.limitRender(); admit != nil {
		r = r.Admitted(admit)
	}
	ctx := cache.WithGone(v, v.gone)
	if x.asks != nil {
		ctx = x.asks.Context(ctx)
	}
	e, via, err := x.server.Pictures.Get(ctx, r)
	if err == nil {
		return e, via, nil
	}
	if known := coded(nil); errors.As(err, &known) {
		return e, via, err
	}
	switch cause := v.cause(); {
	case cause != nil:
		err = cause // the pipeline says only that the context has ended
	case errors.Is(err, context.Canceled) && v.gone():
		err = errClientGone // seen before watch saw it
	}
	return e, via, err
}

// preflight answers OPTIONS on a picture.
func (x *exchange) preflight() {
	path, _, _ := bytes.Cut(x.target, []byte("?"))
	name, _, _ := bytes.Cut(bytes.TrimPrefix(path, []byte("/")), []byte("/"))
	h := &x.ctx.Response.Header
	h.Set("Allow", imageMethods)
	x.source = x.state.sources[string(name)]
	if src := x.source; src != nil && src.AllowOrigin != "" {
		h.Set("Access-Control-Allow-Origin", src.AllowOrigin)
		h.Set("Access-Control-Allow-Methods", imageMethods)
		h.Set("Access-Control-Allow-Headers", "Range, If-None-Match, If-Modified-Since, If-Range")
		h.Set("Access-Control-Max-Age", "86400")
	}
	x.ctx.SetStatusCode(http.StatusNoContent)
}

// debugging reports whether the request carries the debug token.
func (x *exchange) debugging() bool {
	if x.state == nil || x.state.debug == nil {
		return false
	}
	given := x.ctx.Request.Header.Peek("Imgedge-Debug")
	if len(given) == 0 {
		return false
	}
	sum := sha256.Sum256(given)
	return subtle.ConstantTimeCompare(sum[:], x.state.debug[:]) == 1
}
