package origin

import (
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds on what an origin may make us remember of an original.
const (
	maxTagBytes = 256 // of an ETag or a purge tag
	maxTags     = 64  // purge tags of one original
	maxFresh    = 10 * 365 * 24 * time.Hour
	maxWait     = time.Hour // the longest Retry-After that is believed
)

// metaOf reads what a response says of an original. now is when it came.
func metaOf(h http.Header, now time.Time) Meta {
	m := Meta{ETag: etagOf(h), MaxAge: -1, Tags: tagsOf(h)}
	if modified, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		m.Modified = modified
	}
	m.MaxAge, m.NoStore = freshness(h, now)
	return m
}

// etagOf drops a tag that could not be sent back.
func etagOf(h http.Header) string {
	tag := h.Get("ETag")
	opaque := strings.TrimPrefix(tag, "W/")
	if len(tag) > maxTagBytes || len(opaque) < 2 || opaque[0] != '"' || opaque[len(opaque)-1] != '"' {
		return ""
	}
	return tag
}

// freshness evaluates Cache-Control and Expires as a shared cache does (RFC 9111 section 4.2.1), less
// the Age already spent elsewhere. Text that cannot be read means stale. −1 = nothing said.
func freshness(h http.Header, now time.Time) (maxAge time.Duration, noStore bool) {
	cc := cacheControl(h)
	if cc.noStore {
		return 0, true
	}
	var fresh time.Duration
	switch {
	case cc.noCache:
		return 0, false
	case cc.sMaxAge >= 0:
		fresh = cc.sMaxAge
	case cc.maxAge >= 0:
		fresh = cc.maxAge
	case h.Get("Expires") != "":
		fresh = untilExpires(h, now)
	default:
		return -1, false
	}
	if age := seconds(h.Get("Age")); age > 0 {
		fresh -= age
	}
	return max(fresh, 0), false
}

func untilExpires(h http.Header, now time.Time) time.Duration {
	expires, err := http.ParseTime(h.Get("Expires"))
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(expires.Sub(now), 0), maxFresh)
}

// directives are the parts of Cache-Control that matter here; −1 = not said.
type directives struct {
	noStore, noCache bool
	sMaxAge, maxAge  time.Duration
}

func cacheControl(h http.Header) directives {
	d := directives{sMaxAge: -1, maxAge: -1}
	for part := range splitQuoted(strings.Join(h.Values("Cache-Control"), ",")) {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "no-store", "private":
			d.noStore = true
		case "no-cache":
			d.noCache = true
		case "s-maxage":
			d.sMaxAge = sooner(d.sMaxAge, seconds(value))
		case "max-age":
			d.maxAge = sooner(d.maxAge, seconds(value))
		}
	}
	return d
}

// sooner takes the shorter of two lives that a sloppy origin gives.
func sooner(before, now time.Duration) time.Duration {
	if before < 0 {
		return now
	}
	return min(before, now)
}

// splitQuoted yields the comma-separated parts of s; commas in quotes do not separate.
func splitQuoted(s string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		quoted, start := false, 0
		for i := range len(s) {
			switch {
			case s[i] == '"':
				quoted = !quoted
			case s[i] == ',' && !quoted:
				if !yield(s[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(s[start:])
	}
}

// seconds reads delta-seconds; anything else is 0, a huge number maxFresh.
func seconds(s string) time.Duration {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > int64(maxFresh/time.Second) {
		return maxFresh
	}
	return time.Duration(n) * time.Second
}

// retryAfter reads Retry-After, a number of seconds or a date; 0 = absent or not readable.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), maxWait)
	}
	return min(seconds(text), maxWait)
}

// tagsOf returns the purge tags: Surrogate-Key separates by spaces, Cache-Tag by commas.
func tagsOf(h http.Header) []string {
	var tags []string
	add := func(tag string) {
		tag = strings.TrimSpace(tag)
		if tag != "" && len(tag) <= maxTagBytes && len(tags) < maxTags && printable(tag) && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	for _, line := range h.Values("Surrogate-Key") {
		for tag := range strings.FieldsSeq(line) {
			add(tag)
		}
	}
	for _, line := range h.Values("Cache-Tag") {
		for tag := range strings.SplitSeq(line, ",") {
			add(tag)
		}
	}
	return tags
}

// printable reports whether s is printable ASCII.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// validators turns conditions into header fields. A time is sent only where there is no tag, for
// some servers let it overrule one.
func validators(cond Conditions) (name, value string) {
	switch {
	case cond.ETag != "":
		return "If-None-Match", cond.ETag
	case !cond.Modified.IsZero():
		return "If-Modified-Since", cond.Modified.UTC().Format(http.TimeFormat)
	default:
		return "", ""
	}
}

// decoded undoes a gzip coding that the origin applied though identity was asked for (files stored
// that way in buckets). The size is then unknown, and the caps count what comes out.
func decoded(h http.Header, body io.ReadCloser, size int64) (io.ReadCloser, int64, error) {
	switch coding(h) {
	case "":
		return body, size, nil
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, 0, failed(err)
		}
		return gunzipped{z, body}, -1, nil
	default:
		return nil, 0, invalid(errEncoding)
	}
}

// coding names the codings applied to a body, without those that change nothing (aws-chunked is what
// S3 servers remember of an upload).
func coding(h http.Header) string {
	var names []string
	for name := range strings.SplitSeq(strings.ToLower(strings.Join(h.Values("Content-Encoding"), ",")), ",") {
		switch name = strings.TrimSpace(name); name {
		case "", "identity", "aws-chunked":
		default:
			names = append(names, strings.TrimPrefix(name, "x-"))
		}
	}
	return strings.Join(names, ",")
}

// gunzipped closes the body beneath.
type gunzipped struct {
	io.Reader
	io.Closer
}

// statusError says what a status other than success means.
func statusError(status int, h http.Header, cause error, now time.Time) *Error {
	switch {
	case status == http.StatusNotFound, status == http.StatusGone:
		return notFound(cause)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return denied(cause)
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= http.StatusInternalServerError:
		e := failed(cause)
		e.Wait = retryAfter(h, now)
		e.Busy = status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
		return e
	default:
		return invalid(cause)
	}
}
