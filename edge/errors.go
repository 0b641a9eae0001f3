package edge

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/ingest"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/signing"
)

// statusClientGone is what the log and the metrics call a request whose client left. Nobody reads it.
const statusClientGone = 499

// coded is an error that knows how it is answered.
type coded interface {
	error
	HTTPStatus() int
	Code() string
}

// problemOf asks an error how it is answered. What does not know is a bug: 500.
func problemOf(err error) problem {
	p := problem{status: http.StatusInternalServerError, code: "internal"}
	var c coded
	switch {
	case errors.As(err, &c):
		p.status, p.code, p.text = c.HTTPStatus(), c.Code(), c.Error()
	case errors.Is(err, context.DeadlineExceeded):
		p = errTooSlow.answer()
	}
	if p.status < http.StatusBadRequest || p.status > 599 {
		p.status, p.code = http.StatusInternalServerError, "internal"
	}
	if p.status >= http.StatusInternalServerError {
		p.text = publicText(err, p.status)
	}
	var r interface{ RetryAfter() time.Duration }
	if errors.As(err, &r) {
		p.retry = r.RetryAfter()
	}
	if p.retry <= 0 && (p.status == http.StatusServiceUnavailable || p.status == http.StatusTooManyRequests) {
		p.retry = time.Second
	}
	return p
}

// publicText is what a client is told of a failure of ours: the status alone, unless the error has a text for it.
func publicText(err error, status int) string {
	var p interface{ Public() string }
	if errors.As(err, &p) {
		return p.Public()
	}
	return http.StatusText(status)
}

// document is a problem as RFC 9457 words it. Where the type is about:blank the title is the status
// text; code tells problems apart.
type document struct {
	Type      string             `json:"type"`
	Title     string             `json:"title"`
	Status    int                `json:"status"`
	Detail    string             `json:"detail"`
	Code      string             `json:"code"`
	RequestID string             `json:"request_id"`
	Errors    []ingest.FileError `json:"errors,omitempty"`      // of an upload: the files that could not be taken
	Checked   string             `json:"signed_text,omitempty"` // with the debug token: what the signature was checked against
	Hints     []string           `json:"hints,omitempty"`       // with the debug token: likely mistakes
}

// fail answers an error with a problem document that nobody keeps, and logs the cause of a 5xx.
func (x *exchange) fail(err error) {
	p := problemOf(err)
	x.logCause(p, err)
	x.write(p, x.document(p))
}

// logCause logs why an answer is a 5xx; below that the client was told.
func (x *exchange) logCause(p problem, err error) {
	if p.status < http.StatusInternalServerError {
		return
	}
	level := slog.LevelWarn
	if p.status == http.StatusInternalServerError {
		level = slog.LevelError
	}
	source := ""
	if x.source != nil {
		source = x.source.Name
	}
	x.server.Logger.LogAttrs(context.Background(), level, "request failed",
		slog.Int("status", p.status), slog.String("code", p.code), slog.String("source", source),
		slog.String("request_id", string(x.id[:x.idLen])), slog.String("cause", err.Error()))
}

// document returns the problem document.
func (x *exchange) document(p problem) document {
	return document{
		Type: "about:blank", Title: http.StatusText(p.status), Status: p.status, Detail: p.text, Code: p.code,
		RequestID: string(x.id[:x.idLen]),
	}
}

// write answers with a problem document. Headers that were set for a good answer are dropped.
func (x *exchange) write(p problem, d document) {
	x.clear()
	body, err := json.Marshal(d)
	if err != nil {
		body = nil // a struct of strings and numbers cannot fail
	}
	h := &x.ctx.Response.Header
	if p.status == statusClientGone {
		x.status = statusClientGone
		x.ctx.SetStatusCode(http.StatusServiceUnavailable)
		x.ctx.SetConnectionClose()
		x.server.metrics.dropped.Inc()
		return
	}
	x.ctx.SetStatusCode(p.status)
	h.SetContentType("application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.retry > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(p.retry.Seconds())), 10))
	}
	x.ctx.Response.SetBodyRaw(body)
}

// clear drops what was set for another answer, except what every answer carries.
func (x *exchange) clear() {
	h := &x.ctx.Response.Header
	for _, name := range [...]string{
		"Etag", "Last-Modified", "Vary", "Age", "Accept-Ranges", "Content-Disposition", "Content-Range",
		"Content-Security-Policy", "Content-Type", "Cache-Control", "Allow", "Retry-After",
	} {
		h.Del(name)
	}
	x.ctx.Response.ResetBody()
}

// refuseImage answers a request for a picture that the cache was never asked for.
func (x *exchange) refuseImage(err error) {
	p := problemOf(err)
	x.logCause(p, err)
	d := x.document(p)
	if p.code == signing.ErrBadSignature.Code() && x.debugging() {
		d.Checked, d.Hints = x.checked()
	}
	x.write(p, d)
	h := &x.ctx.Response.Header
	h.Set("Age", "0")
	b := append(x.scratch[:0], "imgedge; detail="...)
	h.SetBytesV("Cache-Status", append(b, p.code...))
	if x.source != nil {
		x.share(x.source)
	}
}

// checked returns the text that the signature was checked against, and likely mistakes.
func (x *exchange) checked() (text string, hints []string) {
	if m := x.mount; m != nil {
		return m.Grammar.Explain(string(x.target[len(m.Prefix):]), m.Prefix)
	}
	e := dialect.Split(string(x.target))
	return e.Signed, signing.Explain(x.source.Keys, e.Signed, e.Signature)
}

// failPicture answers a picture that could not be made.
func (x *exchange) failPicture(k *known, err error, via pipeline.Via) {
	p := problemOf(err)
	x.logCause(p, err)
	x.answerFailure(k, p, via, min(k.source.Pipeline.Negative, 10*time.Second))
	if p.status != statusClientGone && via.Hit == pipeline.TierNone && p.status >= http.StatusInternalServerError {
		b := appendCacheStatus(x.scratch[:0], via)
		x.ctx.Response.Header.SetBytesV("Cache-Status", append(append(b, "; detail="...), p.code...))
	}
}

// refusePicture answers a refusal that the cache remembers, for as long as it does.
func (x *exchange) refusePicture(k *known, e *cache.Entry, via pipeline.Via) {
	p := problem{status: e.Status, code: e.Code, text: e.Detail}
	life := e.Fresh.Sub(x.start)
	x.answerFailure(k, p, via, life)
	if life >= time.Second {
		// The whole life, for its readers take Age off (RFC 9111 section 4.2).
		h := &x.ctx.Response.Header
		h.SetBytesV("Cache-Control", x.bounded(k, e.Fresh.Sub(e.Stored), x.start.Sub(e.Stored)))
		h.SetBytesV("Age", appendAge(x.scratch[:0], e, x.start))
	}
}

// bounded words a life, of which age is over, that does not pass the URL's own end.
func (x *exchange) bounded(k *known, life, age time.Duration) []byte {
	whole := seconds(life)
	if k.request.Expires != 0 {
		whole = min(whole, seconds(age)+max(0, k.request.Expires-x.start.Unix()))
	}
	return appendCacheControl(x.scratch[:0], whole, 0)
}

// answerFailure answers with the source's fallback picture for life, or with a problem document.
func (x *exchange) answerFailure(k *known, p problem, via pipeline.Via, life time.Duration) {
	if p.status == statusClientGone || !x.fallback(k, p, life) {
		x.write(p, x.document(p))
	}
	h := &x.ctx.Response.Header
	h.Set("Age", "0")
	h.SetBytesV("Cache-Status", appendCacheStatus(x.scratch[:0], via))
	x.share(k.source)
	if k.varies {
		h.Set("Vary", "Accept")
	}
	if x.timed() {
		h.SetBytesV("Server-Timing", appendServerTiming(x.scratch[:0], via.Timing))
	}
}

// enoughForFallback is the time for which it is worth to begin with a fallback picture.
const enoughForFallback = 100 * time.Millisecond

// fallback answers with the picture that the source names for failures, rendered as the failed one was
// asked for, under the error's status. It reports false where there is none or it fails too. It has what
// the failed one left of the time; where that is next to nothing, only a picture in memory is sent.
func (x *exchange) fallback(k *known, p problem, life time.Duration) bool {
	src := k.source
	if f := k.request.Options.Format; k.fallback == nil || !f.Raster() && !f.Negotiated() && f != resize.FormatKeep {
		return false // a description or the bytes of another picture would be taken for those of this one
	}
	options := k.request.Options.Negotiate((x.capability() & src.takes).offer(negotiationOrder(src.Source)))
	r := pipeline.NewRequest(k.fallback, k.fallbackKey, options)
	var e *cache.Entry
	var err error
	if time.Until(x.deadline()) < min(enoughForFallback, x.server.RequestTimeout/2) {
		e, _ = x.server.Pictures.Lookup(r)
	} else {
		e, _, err = x.fetch(r)
	}
	if err != nil || e == nil || e.Status >= http.StatusBadRequest {
		return false
	}
	x.clear()
	h := &x.ctx.Response.Header
	h.SetContentType(e.Type)
	h.SetBytesV("Cache-Control", x.bounded(k, life, 0))
	if p.retry > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(p.retry.Seconds())), 10))
	}
	x.ctx.SetStatusCode(p.status)
	x.ctx.Response.SetBodyRaw(e.Body)
	return true
}

// refuse answers a request that could not be read. The connection is closed after it.
func (s *Server) refuse(ctx *fasthttp.RequestCtx, err error) {
	var (
		x     exchange
		small *fasthttp.ErrSmallBuffer
		late  interface{ Timeout() bool }
	)
	s.begin(&x, ctx)
	defer s.end(&x)
	x.target = nil // what was read of it is not to be trusted
	switch {
	case errors.As(err, &small):
		x.fail(errHeaderSize)
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		x.fail(errBodySize)
	case errors.As(err, &late) && late.Timeout():
		x.fail(errRequestSlow)
	default:
		x.fail(errBadRequest)
	}
	ctx.SetConnectionClose()
}
