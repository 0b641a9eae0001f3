package edge

import (
	"net/http"
	"strconv"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/pipeline"
)

// respond answers with a picture: 200, 206, 304 or 416. The body is sent by reference, never copied.
func (x *exchange) respond(k *known, e *cache.Entry, via pipeline.Via) {
	x.describe(k, e, via)
	if x.unchanged(e) {
		x.ctx.SetStatusCode(http.StatusNotModified)
		return
	}
	h := &x.ctx.Response.Header
	h.SetContentType(e.Type)
	h.Set("Accept-Ranges", "bytes")
	b := append(x.scratch[:0], k.filename...)
	h.SetBytesV("Content-Disposition", append(b, extension(e.Type)...))
	if sandboxed(k.request.Options, e.Type) {
		h.Set("Content-Security-Policy", sandboxPolicy)
	}
	part, kind := x.part(e)
	switch kind {
	case rangeUnsatisfiable:
		x.refuseRange(len(e.Body))
		return
	case rangeOne:
		x.ctx.SetStatusCode(http.StatusPartialContent)
		h.SetBytesV("Content-Range", appendContentRange(x.scratch[:0], part, len(e.Body)))
		x.send(e.Body[part.from:part.to])
	default:
		x.ctx.SetStatusCode(http.StatusOK)
		x.send(e.Body)
	}
	if saved := e.OriginalSize - int64(len(e.Body)); saved > 0 && x.ctx.IsGet() {
		x.server.metrics.save(x.ctx.ConnID(), saved)
	}
}

// send answers with a body that is not copied and must not change.
func (x *exchange) send(body []byte) {
	if c, ok := x.ctx.Conn().(*conn); ok {
		x.ctx.Response.SetBodyStream(c.attach(body), len(body))
		return
	}
	x.ctx.Response.SetBodyRaw(body)
}

// describe sets the headers that 200, 206 and 304 share (RFC 9110 section 15.4.5).
func (x *exchange) describe(k *known, e *cache.Entry, via pipeline.Via) {
	h := &x.ctx.Response.Header
	if e.ETag != "" {
		h.Set("Etag", e.ETag)
	}
	if !e.Modified.IsZero() {
		h.SetBytesV("Last-Modified", appendHTTPDate(x.scratch[:0], e.Modified))
	}
	if k.varies {
		h.Set("Vary", "Accept")
	}
	x.setCacheControl(k, via)
	h.SetBytesV("Age", appendAge(x.scratch[:0], e, x.start))
	h.SetBytesV("Cache-Status", appendCacheStatus(x.scratch[:0], via))
	x.share(k.source)
	if x.timed() {
		h.SetBytesV("Server-Timing", appendServerTiming(x.scratch[:0], via.Timing))
	}
}

// setCacheControl tells the client how long it may keep the answer: never beyond the URL's own end, and
// not at all where the origin forbids it.
func (x *exchange) setCacheControl(k *known, via pipeline.Via) {
	h := &x.ctx.Response.Header
	switch {
	case via.NoStore, k.request.MaxAge < 0:
		h.Set("Cache-Control", "no-store")
	case k.request.MaxAge > 0:
		h.SetBytesV("Cache-Control", x.bounded(k, time.Duration(k.request.MaxAge)*time.Second, 0))
	case k.request.Expires == 0:
		h.Set("Cache-Control", k.source.cacheControl)
	default:
		left := max(0, k.request.Expires-x.start.Unix())
		if k.source.CacheControl != "" {
			h.Set("Cache-Control", boundCacheControl(k.source.CacheControl, left))
			return
		}
		maxAge := min(seconds(k.source.MaxAge), left)
		swr := min(seconds(k.source.Swr), left-maxAge)
		h.SetBytesV("Cache-Control", appendCacheControl(x.scratch[:0], maxAge, swr))
	}
}

// share sets what the source configures for other sites' pages.
func (x *exchange) share(src *served) {
	h := &x.ctx.Response.Header
	if src.AllowOrigin != "" {
		h.Set("Access-Control-Allow-Origin", src.AllowOrigin)
	}
	if src.TimingOrigin != "" {
		h.Set("Timing-Allow-Origin", src.TimingOrigin)
	}
	if src.ResourceFrom != "" {
		h.Set("Cross-Origin-Resource-Policy", src.ResourceFrom)
	}
}

// timed reports whether Server-Timing is sent.
func (x *exchange) timed() bool {
	return x.state.site.Timing || x.source != nil && x.source.Timing || x.debugging()
}

// unchanged reports whether the client's copy is still good (RFC 9110 section 13.2.2). The copy
// that a client asks about is one that Vary let it choose, so a date counts for a negotiated answer too.
func (x *exchange) unchanged(e *cache.Entry) bool {
	h := &x.ctx.Request.Header
	if tags := h.PeekAll("If-None-Match"); len(tags) > 0 {
		for _, line := range tags {
			if matchesWeakly(line, e.ETag) {
				return true
			}
		}
		return false
	}
	since := h.Peek("If-Modified-Since")
	if len(since) == 0 || e.Modified.IsZero() {
		return false
	}
	t, err := http.ParseTime(string(since)) // all three forms of RFC 9110 section 5.6.7
	return err == nil && !e.Modified.Truncate(time.Second).After(t)
}

// matchesWeakly reports whether a list of entity tags holds tag, or is *, compared weakly (RFC 9110
// section 8.8.3.2).
func matchesWeakly(list []byte, tag string) bool {
	for len(list) > 0 {
		switch c := list[0]; {
		case c == ' ' || c == '\t' || c == ',':
			list = list[1:]
			continue
		case c == '*':
			return true
		case len(list) > 2 && c == 'W' && list[1] == '/':
			list = list[2:]
		}
		if list[0] != '"' {
			return false
		}
		end := 1
		for end < len(list) && list[end] != '"' {
			end++
		}
		if end == len(list) {
			return false
		}
		if string(list[:end+1]) == tag {
			return true
		}
		list = list[end+1:]
	}
	return false
}

// part returns what of the body is asked for. A range counts for GET alone, and with If-Range only if
// the client's copy is of these very bytes.
func (x *exchange) part(e *cache.Entry) (span, rangeKind) {
	if !x.ctx.IsGet() {
		return span{}, rangeNone
	}
	asked := x.ctx.Request.Header.PeekAll("Range")
	if len(asked) != 1 || !x.sameBytes(e) {
		return span{}, rangeNone // several lines are several ranges
	}
	return parseRange(string(asked[0]), len(e.Body))
}

// sameBytes reports whether If-Range is absent or names this representation by its strong tag. A date
// never does: Last-Modified is the original's, and other bytes made of it (another format, another
// encoder or setting since) have the same, so it is no strong validator (RFC 9110 sections 8.8.2.2 and
// 13.1.5).
func (x *exchange) sameBytes(e *cache.Entry) bool {
	condition := x.ctx.Request.Header.Peek("If-Range")
	return len(condition) == 0 || string(condition) == e.ETag
}

// appendContentRange appends bytes FIRST-LAST/SIZE.
func appendContentRange(b []byte, part span, size int) []byte {
	b = strconv.AppendInt(append(b, "bytes "...), int64(part.from), 10)
	b = strconv.AppendInt(append(b, '-'), int64(part.to-1), 10)
	return strconv.AppendInt(append(b, '/'), int64(size), 10)
}

// refuseRange answers 416 with the size that there is.
func (x *exchange) refuseRange(size int) {
	x.fail(errBadRange)
	x.ctx.Response.Header.SetBytesV("Content-Range", strconv.AppendInt(append(x.scratch[:0], "bytes */"...), int64(size), 10))
}
