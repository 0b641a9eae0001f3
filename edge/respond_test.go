package edge

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/pipeline"
)

// What every good answer carries.
func TestHeaders(t *testing.T) {
	e := picture("body", "image/jpeg")
	site := testSite()
	shop := site.Sources["shop"]
	shop.AllowOrigin, shop.TimingOrigin, shop.ResourceFrom = "*", "https://a.example", "cross-origin"
	r := start(t, &Server{Pictures: held(e)}, site)
	got := r.signed("/shop/dir/summer%20h%C3%A9ro.png?w=300")
	for name, want := range map[string]string{
		"ETag":                         e.ETag,
		"Last-Modified":                "Thu, 19 Nov 2026 12:00:00 GMT",
		"Cache-Control":                "public, max-age=86400, stale-while-revalidate=3600",
		"Vary":                         "Accept",
		"Cache-Status":                 "imgedge; hit; detail=memory; ttl=3600",
		"Age":                          "100",
		"Content-Length":               "4",
		"Content-Type":                 "image/jpeg",
		"X-Content-Type-Options":       "nosniff",
		"Accept-Ranges":                "bytes",
		"Content-Disposition":          "inline; filename*=UTF-8''summer%20h%C3%A9ro.jpg",
		"Access-Control-Allow-Origin":  "*",
		"Timing-Allow-Origin":          "https://a.example",
		"Cross-Origin-Resource-Policy": "cross-origin",
		"Content-Security-Policy":      "",
		"Server-Timing":                "",
		"Server":                       "",
		"Set-Cookie":                   "",
	} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("%s = %q, want %q", name, value, want)
		}
	}
	if id := got.Header.Get("X-Request-Id"); !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(id) {
		t.Errorf("X-Request-Id = %q", id)
	}
	if got.Header.Get("Date") == "" || got.body != "body" {
		t.Errorf("Date %q, body %q", got.Header.Get("Date"), got.body)
	}
}

// Where nothing is known, nothing is said.
func TestAbsentHeaders(t *testing.T) {
	e := picture("body", "image/jpeg")
	e.Modified = time.Time{}
	site := testSite()
	site.Sources["shop"].Swr = 0
	r := start(t, &Server{Pictures: held(e)}, site)
	got := r.signed("/shop/a.jpg?f=jpeg", "If-Modified-Since: Thu, 19 Nov 2026 12:00:00 GMT")
	if got.StatusCode != http.StatusOK {
		t.Errorf("status %d, want 200: nothing is known of its age", got.StatusCode)
	}
	for _, name := range []string{"Last-Modified", "Vary", "Access-Control-Allow-Origin"} {
		if got.Header.Get(name) != "" {
			t.Errorf("%s = %q, want none", name, got.Header.Get(name))
		}
	}
	if got := got.Header.Get("Cache-Control"); got != "public, max-age=86400" {
		t.Errorf("Cache-Control = %q", got)
	}
}

func TestConditions(t *testing.T) {
	e := picture("body", "image/jpeg")
	r := start(t, &Server{Pictures: held(e)}, testSite())
	target := sign(t, "/shop/a.jpg?w=300")
	for _, row := range []struct {
		name   string
		header []string
		want   int
	}{
		{"none", nil, 200},
		{"same", []string{"If-None-Match: " + e.ETag}, 304},
		{"weak", []string{"If-None-Match: W/" + e.ETag}, 304},
		{"star", []string{"If-None-Match: *"}, 304},
		{"list", []string{`If-None-Match: "a", W/"b,c" ,` + e.ETag}, 304},
		{"two lines", []string{`If-None-Match: "a"`, "If-None-Match: " + e.ETag}, 304},
		{"other", []string{`If-None-Match: "a", "b"`}, 200},
		{"unquoted", []string{"If-None-Match: " + strings.Trim(e.ETag, `"`)}, 200},
		{"unclosed", []string{`If-None-Match: "` + strings.Trim(e.ETag, `"`)}, 200},
		{"lower-case w", []string{"If-None-Match: w/" + e.ETag}, 200},
		{"tag and date", []string{"If-None-Match: " + e.ETag, "If-Modified-Since: Thu, 19 Nov 2026 11:59:59 GMT"}, 304},
		{"the tag decides", []string{`If-None-Match: "a"`, "If-Modified-Since: Thu, 19 Nov 2026 12:00:00 GMT"}, 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, method := range []string{"GET", "HEAD"} {
				got := r.do(method, r.public, target, "", row.header...)
				if got.StatusCode != row.want {
					t.Errorf("%s: status %d, want %d", method, got.StatusCode, row.want)
				}
				if row.want != 304 {
					continue
				}
				if got.body != "" || got.Header.Get("Content-Type") != "" || got.Header.Get("Content-Length") != "" {
					t.Errorf("%s: a 304 with content: %q %v", method, got.body, got.Header)
				}
				for _, name := range []string{"Etag", "Cache-Control", "Vary", "Cache-Status", "Age", "Last-Modified", "X-Content-Type-Options"} {
					if got.Header.Get(name) == "" {
						t.Errorf("%s: a 304 without %s", method, name)
					}
				}
			}
		})
	}
}

func TestModifiedSince(t *testing.T) {
	e := picture("jpegs", "image/jpeg")
	e.Modified = e.Modified.Add(300 * time.Millisecond) // a header has whole seconds
	r := start(t, &Server{Pictures: held(e)}, testSite())
	for _, row := range []struct {
		name, date string
		want       int
	}{
		{"then", "Thu, 19 Nov 2026 12:00:00 GMT", 304},
		{"later", "Fri, 20 Nov 2026 12:00:00 GMT", 304},
		{"later, as asctime wrote it", "Fri Nov 20 12:00:00 2026", 304},
		{"later, as RFC 850 had it", "Friday, 20-Nov-26 12:00:00 GMT", 304},
		{"before", "Thu, 19 Nov 2026 11:59:59 GMT", 200},
		{"nonsense", "yesterday", 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, target := range []string{"/shop/a.jpg?w=300&f=jpeg", "/shop/a.jpg?w=300"} {
				if got := r.signed(target, "If-Modified-Since: "+row.date); got.StatusCode != row.want {
					t.Errorf("%s: status %d, want %d", target, got.StatusCode, row.want)
				}
			}
		})
	}
}

// Rulings 20 and 55.
func TestRange(t *testing.T) {
	e := picture("0123456789", "image/jpeg")
	r := start(t, &Server{Pictures: held(e)}, testSite())
	target := sign(t, "/shop/a.jpg?w=300")
	for _, row := range []struct {
		name, header, also string
		status             int
		body, contentRange string
	}{
		{"first", "bytes=0-3", "", 206, "0123", "bytes 0-3/10"},
		{"one byte", "bytes=9-9", "", 206, "9", "bytes 9-9/10"},
		{"open end", "bytes=7-", "", 206, "789", "bytes 7-9/10"},
		{"suffix", "bytes=-3", "", 206, "789", "bytes 7-9/10"},
		{"long suffix", "bytes=-99", "", 206, "0123456789", "bytes 0-9/10"},
		{"end beyond", "bytes=7-99", "", 206, "789", "bytes 7-9/10"},
		{"huge end", "bytes=7-99999999999999999999999", "", 206, "789", "bytes 7-9/10"},
		{"unit in upper case", "BYTES=0-0", "", 206, "0", "bytes 0-0/10"},
		{"start beyond", "bytes=10-", "", 416, "", "bytes */10"},
		{"huge start", "bytes=99999999999999999999999-", "", 416, "", "bytes */10"},
		{"empty suffix", "bytes=-0", "", 416, "", "bytes */10"},
		{"backwards", "bytes=9-3", "", 200, "0123456789", ""},
		{"several", "bytes=0-1,3-4", "", 200, "0123456789", ""},
		{"other unit", "lines=0-1", "", 200, "0123456789", ""},
		{"no unit", "0-1", "", 200, "0123456789", ""},
		{"no numbers", "bytes=-", "", 200, "0123456789", ""},
		{"sign", "bytes=+1-2", "", 200, "0123456789", ""},
		{"words", "bytes=a-b", "", 200, "0123456789", ""},
		{"no dash", "bytes=5", "", 200, "0123456789", ""},
		{"if the same", "bytes=0-3", "If-Range: " + e.ETag, 206, "0123", "bytes 0-3/10"},
		{"if weak", "bytes=0-3", "If-Range: W/" + e.ETag, 200, "0123456789", ""},
		{"if other", "bytes=0-3", `If-Range: "other"`, 200, "0123456789", ""},
		{"if of that date, which other bytes may have too", "bytes=0-3", "If-Range: Thu, 19 Nov 2026 12:00:00 GMT", 200, "0123456789", ""},
		{"if of another date", "bytes=0-3", "If-Range: Thu, 19 Nov 2026 12:00:01 GMT", 200, "0123456789", ""},
		{"if nonsense", "bytes=0-3", "If-Range: x", 200, "0123456789", ""},
		{"several lines", "bytes=0-1", "Range: bytes=3-4", 200, "0123456789", ""},
		{"the client's copy is good", "bytes=0-3", "If-None-Match: " + e.ETag, 304, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			header := []string{"Range: " + row.header}
			if row.also != "" {
				header = append(header, row.also)
			}
			got := r.get(target, header...)
			if got.StatusCode != row.status {
				t.Fatalf("status %d, want %d", got.StatusCode, row.status)
			}
			if row.status == 416 {
				got.expect(t, 416, "bad_range")
			} else if got.body != row.body {
				t.Errorf("body %q, want %q", got.body, row.body)
			}
			if value := got.Header.Get("Content-Range"); value != row.contentRange {
				t.Errorf("Content-Range = %q, want %q", value, row.contentRange)
			}
		})
	}
	if got := r.do("HEAD", r.public, target, "", "Range: bytes=0-3"); got.StatusCode != http.StatusOK || got.ContentLength != 10 {
		t.Errorf("HEAD with Range: %d, length %d", got.StatusCode, got.ContentLength)
	}
}

// Ruling 18 and RFC 9211.
func TestCacheStatus(t *testing.T) {
	for _, row := range []struct {
		name, want string
		via        pipeline.Via
	}{
		{"memory", "imgedge; hit; detail=memory; ttl=1234", pipeline.Via{Hit: pipeline.TierMemory, TTL: 1234 * time.Second}},
		{"redis", "imgedge; hit; detail=redis; ttl=7", pipeline.Via{Hit: pipeline.TierRedis, TTL: 7900 * time.Millisecond}},
		{"stale while revalidate", "imgedge; hit; detail=memory; ttl=-3", pipeline.Via{Hit: pipeline.TierMemory, TTL: -2100 * time.Millisecond}},
		{"miss", "imgedge; fwd=miss", pipeline.Via{}},
		{"stored", "imgedge; fwd=miss; stored", pipeline.Via{Stored: true}},
		{"from a kept original", "imgedge; fwd=miss; stored; detail=original-kept", pipeline.Via{Stored: true, OriginalKept: true}},
		{"waiter", "imgedge; fwd=miss; collapsed", pipeline.Via{Collapsed: true}},
		{"revalidated", "imgedge; fwd=stale; fwd-status=304; stored", pipeline.Via{Revalidated: true, Stored: true}},
		{"stale if error", "imgedge; fwd=stale; fwd-status=502; detail=stale-if-error", pipeline.Via{StaleError: 502}},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := picture("body", "image/jpeg")
			r := start(t, &Server{Pictures: made(e, row.via, nil)}, testSite())
			for _, header := range []string{"X-None: 1", "If-None-Match: *"} {
				got := r.signed("/shop/a.jpg", header)
				if value := strings.Join(got.Header.Values("Cache-Status"), " | "); value != row.want {
					t.Errorf("%d: Cache-Status = %q, want %q", got.StatusCode, value, row.want)
				}
			}
		})
	}
}

// Nothing is to be kept beyond exp.
func TestCacheControl(t *testing.T) {
	at := func(seconds int) string { return strconv.FormatInt(testTime.Unix()+int64(seconds), 10) }
	for _, row := range []struct {
		name, configured, exp, want string
		noStore                     bool
	}{
		{"configured", "public, max-age=5, immutable", "", "public, max-age=5, immutable", false},
		{"far end", "", at(100000), "public, max-age=86400, stale-while-revalidate=3600", false},
		{"end within swr", "", at(86400 + 60), "public, max-age=86400, stale-while-revalidate=60", false},
		{"end within max-age", "", at(60), "public, max-age=60", false},
		{"last second", "", at(0), "public, max-age=0", false},
		{"configured, cut", "public, max-age=500, s-maxage=900, stale-while-revalidate=60, immutable", at(60), "public, max-age=60, s-maxage=60", false},
		{"configured, short enough", "private, max-age=5", at(60), "private, max-age=5", false},
		{"configured without a life", "public", at(60), "public, max-age=60", false},
		{"configured no-store", "no-store", at(60), "no-store", false},
		{"forbidden by the origin", "public, max-age=5", "", "no-store", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			site := testSite()
			site.Sources["shop"].CacheControl = row.configured
			r := start(t, &Server{Pictures: made(picture("body", "image/jpeg"), pipeline.Via{NoStore: row.noStore}, nil)}, site)
			target := "/shop/a.jpg"
			if row.exp != "" {
				target += "?exp=" + row.exp
			}
			if got := r.signed(target).Header.Get("Cache-Control"); got != row.want {
				t.Errorf("Cache-Control = %q, want %q", got, row.want)
			}
		})
	}
}

// Ruling 22, RFC 6266, T14.
func TestContentDisposition(t *testing.T) {
	fake := &fakePictures{}
	r := start(t, &Server{Pictures: fake}, testSite())
	for _, row := range []struct{ target, mediaType, want string }{
		{"/shop/a.png", "image/jpeg", "inline; filename*=UTF-8''a.jpg"},
		{"/shop/x/a", "image/webp", "inline; filename*=UTF-8''a.webp"},
		{"/shop/a.b.c.tiff", "image/avif", "inline; filename*=UTF-8''a.b.c.avif"},
		{"/shop/v1.2", "image/png", "inline; filename*=UTF-8''v1.2.png"},
		{"/shop/a%22%3B%20b.jpg", "image/gif", "inline; filename*=UTF-8''a%22%3B%20b.gif"},
		{"/shop/a.jpg?f=json", "application/json", "inline; filename*=UTF-8''a.json"},
		{"/shop/a.jpg?dl=holiday", "image/jpeg", "attachment; filename*=UTF-8''holiday.jpg"},
		{"/shop/a.jpg?dl=holiday.png", "image/webp", "attachment; filename*=UTF-8''holiday.webp"},
		{"/shop/a.jpg?dl=%E6%97%A5%20x.jpg", "image/jpeg", "attachment; filename*=UTF-8''%E6%97%A5%20x.jpg"},
		{"/shop/a.heic?f=raw", "image/heic", "inline; filename*=UTF-8''a.heic"},
	} {
		fake.lookup = func(*pipeline.Request) (*cache.Entry, pipeline.Via) {
			return picture("x", row.mediaType), pipeline.Via{Hit: pipeline.TierMemory}
		}
		got := r.signed(row.target)
		if value := got.Header.Get("Content-Disposition"); value != row.want {
			t.Errorf("%s: %d: Content-Disposition = %q, want %q", row.target, got.StatusCode, value, row.want)
		}
	}
}

func TestSandbox(t *testing.T) {
	fake := &fakePictures{}
	r := start(t, &Server{Pictures: fake}, testSite())
	for _, row := range []struct {
		target, mediaType string
		want              bool
	}{
		{"/shop/a.jpg?f=raw", "image/jpeg", true},
		{"/shop/a.svg?f=keep", "image/svg+xml", true},
		{"/shop/a.jpg", "image/jpeg", false},
	} {
		fake.lookup = func(*pipeline.Request) (*cache.Entry, pipeline.Via) {
			return picture("x", row.mediaType), pipeline.Via{Hit: pipeline.TierMemory}
		}
		got := r.signed(row.target).Header.Get("Content-Security-Policy")
		if row.want && got != "default-src 'none'; style-src 'unsafe-inline'; sandbox" || !row.want && got != "" {
			t.Errorf("%s: Content-Security-Policy = %q", row.target, got)
		}
	}
}

func TestServerTiming(t *testing.T) {
	via := pipeline.Via{Timing: pipeline.Timing{Queue: time.Millisecond, Fetch: 1500 * time.Microsecond, Decode: 20 * time.Millisecond, Encode: 3 * time.Millisecond}}
	want := "queue;dur=1, fetch;dur=1.5, decode;dur=20, encode;dur=3, store;dur=0"
	for _, row := range []struct {
		name   string
		site   func(*Site)
		header string
		want   string
	}{
		{"off", func(*Site) {}, "X-None: 1", ""},
		{"everywhere", func(s *Site) { s.Timing = true }, "X-None: 1", want},
		{"of the source", func(s *Site) { s.Sources["shop"].Timing = true }, "X-None: 1", want},
		{"debug token", func(s *Site) { s.DebugToken = "secret" }, "Imgedge-Debug: secret", want},
		{"wrong debug token", func(s *Site) { s.DebugToken = "secret" }, "Imgedge-Debug: secre", ""},
		{"no debug token", func(*Site) {}, "Imgedge-Debug: x", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			site := testSite()
			row.site(site)
			r := start(t, &Server{Pictures: made(picture("x", "image/jpeg"), via, nil)}, site)
			if got := r.signed("/shop/a.jpg", row.header).Header.Get("Server-Timing"); got != row.want {
				t.Errorf("Server-Timing = %q, want %q", got, row.want)
			}
		})
	}
}

// The body of an entry is sent by reference and never written to.
func TestBodyStaysWhole(t *testing.T) {
	e := picture(strings.Repeat("x", 100_000), "image/jpeg")
	r := start(t, &Server{Pictures: held(e)}, testSite())
	for range 5 {
		r.signed("/shop/a.jpg")
		r.signed("/shop/a.jpg", "Range: bytes=5-9")
		r.do(http.MethodHead, r.public, sign(t, "/shop/a.jpg"), "")
	}
	if string(e.Body) != strings.Repeat("x", 100_000) {
		t.Error("the entry's body has changed")
	}
}
