package edge

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
)

// Ruling 1: source, then signature, then expiry, then key and options.
func TestOrderOfErrors(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("body", "image/jpeg"))}, testSite())
	past, future := strconv.FormatInt(testTime.Unix()-1, 10), strconv.FormatInt(testTime.Unix()+1, 10)
	now := strconv.FormatInt(testTime.Unix(), 10)
	good := sign(t, "/shop/a.jpg?w=300")
	for _, row := range []struct {
		name, target string
		status       int
		code         string
	}{
		{"good", good, 200, ""},
		{"unknown source, unsigned", "/nowhere/a.jpg", 404, "unknown_source"},
		{"unknown source, bad options", "/nowhere/../a.jpg?w=zz", 404, "unknown_source"},
		{"unknown source, signed", sign(t, "/nowhere/a.jpg"), 404, "unknown_source"},
		{"source in upper case", sign(t, "/SHOP/a.jpg"), 404, "unknown_source"},
		{"source percent-encoded", sign(t, "/%73hop/a.jpg"), 404, "unknown_source"},
		{"unsigned", "/shop/a.jpg?w=300", 403, "bad_signature"},
		{"unsigned with bad options", "/shop/a.jpg?w=zz&exp=x", 403, "bad_signature"},
		{"unsigned with a bad key", "/shop/../a.jpg", 403, "bad_signature"},
		{"unsigned and expired", "/shop/a.jpg?exp=" + past, 403, "bad_signature"},
		{"wrong signature", "/shop/a.jpg?w=300&s=" + strings.Repeat("A", 43), 403, "bad_signature"},
		{"short signature", good[:len(good)-1], 403, "bad_signature"},
		{"padded signature", good + "=", 403, "bad_signature"},
		{"empty signature", "/shop/a.jpg?w=300&s=", 403, "bad_signature"},
		{"signature of another text", strings.Replace(good, "w=300", "w=301", 1), 403, "bad_signature"},
		{"signature after a re-encoded path", strings.Replace(good, "a.jpg", "%61.jpg", 1), 403, "bad_signature"},
		{"signature with a doubled slash", strings.Replace(good, "/a.jpg", "//a.jpg", 1), 403, "bad_signature"},
		{"signature with a dot segment", strings.Replace(good, "/a.jpg", "/./a.jpg", 1), 403, "bad_signature"},
		{"signature with %2f", strings.Replace(good, "/a.jpg", "%2fa.jpg", 1), 404, "unknown_source"},
		{"unknown kid", sign(t, "/shop/a.jpg?kid=k9"), 403, "bad_signature"},
		{"known kid", sign(t, "/shop/a.jpg?kid=k1"), 200, ""},
		{"expired", sign(t, "/shop/a.jpg?exp="+past), 410, "expired"},
		{"expired with bad options", sign(t, "/shop/a.jpg?w=zz&exp="+past), 410, "expired"},
		{"in its last second", sign(t, "/shop/a.jpg?exp="+now), 200, ""},
		{"not yet expired", sign(t, "/shop/a.jpg?exp="+future), 200, ""},
		{"bad option", sign(t, "/shop/a.jpg?w=zz"), 400, "bad_option"},
		{"bad key", sign(t, "/shop/x/../a.jpg"), 400, "bad_key"},
		{"key doubly encoded", sign(t, "/shop/%252e%252e/a.jpg"), 400, "bad_key"},
		{"no key", sign(t, "/shop"), 400, "bad_key"},
		{"empty key", sign(t, "/shop/"), 400, "bad_key"},
		{"second s after a good one", good + "&s=" + strings.Repeat("A", 43), 400, "bad_option"},
		{"second s after a bad one", "/shop/a.jpg?s=" + strings.Repeat("A", 43) + "&s=" + strings.Repeat("A", 43), 403, "bad_signature"},
		{"not opened behind s", good + "&h=320", 400, "bad_option"},
		{"opened", sign(t, "/shop/a.jpg?open=w") + "&w=320", 200, ""},
		{"opened, width not listed", sign(t, "/shop/a.jpg?open=w") + "&w=321", 400, "bad_option"},
		{"unsigned source", "/open/a.jpg?w=320", 200, ""},
		{"unsigned source, width not listed", "/open/a.jpg?w=321", 400, "bad_option"},
		{"unsigned source, other option", "/open/a.jpg?fit=cover", 400, "bad_option"},
		{"free source", "/free/a.jpg?w=321&h=55&fit=cover", 200, ""},
		{"root", "/", 404, "not_found"},
		{"metrics", "/metrics", 404, "not_found"},
		{"pprof", "/debug/pprof/", 404, "unknown_source"},
		{"api without tokens", "/v1/sign", 404, "not_found"},
	} {
		t.Run(row.name, func(t *testing.T) {
			for range 2 { // the second time the memo may know the URL
				got := r.get(row.target)
				if row.status == 200 {
					if got.StatusCode != http.StatusOK {
						t.Errorf("%s: status %d, want 200: %s", row.target, got.StatusCode, got.body)
					}
					continue
				}
				got.expect(t, row.status, row.code)
			}
		})
	}
}

// Every changed byte of a signed target is refused.
func TestEveryByteCounts(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("body", "image/jpeg"))}, testSite())
	good := sign(t, "/shop/a.jpg?w=300")
	if got := r.get(good); got.StatusCode != http.StatusOK {
		t.Fatalf("status %d", got.StatusCode)
	}
	for i := len("/shop/"); i < len(good); i++ {
		bad := []byte(good)
		if bad[i]++; bad[i] == '#' || bad[i] == '?' {
			bad[i]++
		}
		if got := r.get(string(bad)); got.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d, want 403", bad, got.StatusCode)
		}
	}
}

// The memo knows exact bytes, checks the end of a URL each time, and is emptied by a reload.
func TestMemo(t *testing.T) {
	clock := newClock()
	fake := held(picture("body", "image/jpeg"))
	site := testSite()
	r := start(t, &Server{Pictures: fake, Now: clock.now}, site)
	target := sign(t, "/shop/a.jpg?w=300&exp="+strconv.FormatInt(testTime.Unix()+10, 10))
	for range 2 {
		if got := r.get(target); got.StatusCode != http.StatusOK {
			t.Fatalf("status %d, want 200", got.StatusCode)
		}
	}
	if n := r.state.Load().memo.size(); n != 1 {
		t.Errorf("%d URLs are remembered, want 1", n)
	}
	clock.add(11 * time.Second)
	r.get(target).expect(t, 410, "expired")
	clock.add(-11 * time.Second)

	other := testSite()
	other.Sources["shop"].Keys[0].Secret = []byte("llllllllllllllllllllllllllllllll")
	r.Reload(other)
	r.get(target).expect(t, 403, "bad_signature")
	if n := r.state.Load().memo.size(); n != 0 {
		t.Errorf("%d refused URLs are remembered, want 0", n)
	}
}

func TestMethods(t *testing.T) {
	fake := held(picture("body", "image/jpeg"))
	site := testSite()
	site.Sources["shop"].AllowOrigin = "*"
	r := start(t, &Server{Pictures: fake}, site)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "TRACE", "PURGE"} {
		got := r.do(method, r.public, sign(t, "/shop/a.jpg"), "")
		got.expect(t, 405, "method_not_allowed")
		if allow := got.Header.Get("Allow"); allow != "GET, HEAD, OPTIONS" {
			t.Errorf("%s: Allow = %q", method, allow)
		}
	}
	got := r.do("OPTIONS", r.public, "/shop/a.jpg", "")
	if got.StatusCode != http.StatusNoContent || got.Header.Get("Allow") == "" || got.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("OPTIONS: %d %v", got.StatusCode, got.Header)
	}
	head := r.do("HEAD", r.public, sign(t, "/shop/a.jpg"), "")
	if head.StatusCode != http.StatusOK || head.ContentLength != 4 || head.body != "" || head.Header.Get("ETag") == "" {
		t.Errorf("HEAD: %d, length %d, body %q, %v", head.StatusCode, head.ContentLength, head.body, head.Header)
	}
}

// Ruling 9: what enters the request is the set of formats, in the source's order; Vary says so.
func TestNegotiation(t *testing.T) {
	fake := held(picture("body", "image/webp"))
	site := testSite()
	site.Sources["free"].Accept = []resize.Format{resize.FormatWebP, resize.FormatAVIF, resize.FormatJXL}
	r := start(t, &Server{Pictures: fake}, site)
	avif, webp, jxl := resize.FormatAVIF, resize.FormatWebP, resize.FormatJXL
	for _, row := range []struct {
		name, target string
		accept       []string
		want         resize.Offer
		varies       bool
	}{
		{"none", "/shop/a.jpg", nil, resize.Offer{}, true},
		{"wildcard", "/shop/a.jpg", []string{"*/*"}, resize.Offer{}, true},
		{"webp", "/shop/a.jpg", []string{"image/webp,*/*;q=0.8"}, resize.Offer{webp}, true},
		{"both", "/shop/a.jpg", []string{"image/webp,image/avif"}, resize.Offer{avif, webp}, true},
		{"jxl is not offered by default", "/shop/a.jpg", []string{"image/jxl,image/avif"}, resize.Offer{avif}, true},
		{"q=0", "/shop/a.jpg", []string{"image/avif;q=0,image/webp;q=0.1"}, resize.Offer{webp}, true},
		{"two lines", "/shop/a.jpg", []string{"image/webp", "image/avif"}, resize.Offer{avif, webp}, true},
		{"the source's order", "/free/a.jpg", []string{"image/avif,image/webp,image/jxl"}, resize.Offer{webp, avif, jxl}, true},
		{"fixed", "/shop/a.jpg?f=webp", []string{"image/avif"}, resize.Offer{}, false},
		{"keep", "/shop/a.jpg?f=keep", []string{"image/avif"}, resize.Offer{}, false},
		{"raw", "/shop/a.jpg?f=raw", []string{"image/avif"}, resize.Offer{}, false},
		{"json", "/shop/a.jpg?f=json", []string{"image/avif"}, resize.Offer{}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var header []string
			for _, a := range row.accept {
				header = append(header, "Accept: "+a)
			}
			target := row.target
			if strings.HasPrefix(target, "/shop") {
				target = sign(t, target)
			}
			for range 2 {
				got := r.get(target, header...)
				if asked := fake.asked().Options.Offer; asked != row.want {
					t.Errorf("offer = %v, want %v", asked, row.want)
				}
				etag := got.Header.Get("ETag")
				again := r.get(target, append(header, "If-None-Match: "+etag)...)
				if again.StatusCode != http.StatusNotModified {
					t.Errorf("If-None-Match: status %d, want 304", again.StatusCode)
				}
				for _, a := range []answerOf{got, again} {
					if varies := a.Header.Get("Vary") == "Accept"; varies != row.varies {
						t.Errorf("%d: Vary = %q, want it: %v", a.StatusCode, a.Header.Get("Vary"), row.varies)
					}
				}
			}
		})
	}
}

// T15: nothing of a request but its target and the Accept bits reaches the pipeline.
func TestUnkeyedInput(t *testing.T) {
	fake := held(picture("body", "image/jpeg"))
	r := start(t, &Server{Pictures: fake}, testSite())
	target := sign(t, "/shop/a.jpg?w=300")
	r.get(target)
	want := fake.asked()
	for _, name := range []string{
		"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override",
		"X-Forwarded-Prefix", "Forwarded", "Origin", "Referer", "User-Agent", "Accept-Language", "Accept-Encoding", "Cookie",
		"DPR", "Sec-CH-DPR", "Width", "Viewport-Width", "Save-Data", "Authorization", "X-Host", "Cache-Control",
	} {
		got := r.get(target, name+": evil.example.com", "Connection: keep-alive")
		if fake.asked() != want {
			t.Errorf("%s changes the request", name)
		}
		for header, values := range got.Header {
			if strings.Contains(strings.Join(values, ""), "evil") {
				t.Errorf("%s is echoed in %s", name, header)
			}
		}
	}
}

func TestStarting(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("body", "image/jpeg"))}, nil)
	for _, target := range []string{"/shop/a.jpg", "/v1/sign"} {
		got := r.get(target)
		got.expect(t, 503, "starting")
		if got.Header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After = %q, want 1", got.Header.Get("Retry-After"))
		}
	}
}

// A request ends by its own deadline.
func TestRequestTimeout(t *testing.T) {
	fake := &fakePictures{get: func(ctx context.Context, _ *pipeline.Request) (*cache.Entry, pipeline.Via, error) {
		<-ctx.Done()
		return nil, pipeline.Via{}, ctx.Err()
	}}
	r := start(t, &Server{Pictures: fake, RequestTimeout: 20 * time.Millisecond}, testSite())
	r.signed("/shop/a.jpg").expect(t, 504, "render_timeout")
}

// One request is one look and at most one Get.
func TestSlowPath(t *testing.T) {
	fake := made(picture("made", "image/webp"), pipeline.Via{Stored: true}, nil)
	r := start(t, &Server{Pictures: fake}, testSite())
	got := r.signed("/shop/a%20b.jpg?w=20")
	if got.StatusCode != http.StatusOK || got.body != "made" || fake.gets.Load() != 1 {
		t.Errorf("status %d, body %q, %d gets", got.StatusCode, got.body, fake.gets.Load())
	}
	if asked := fake.asked(); asked.Object != "a b.jpg" || asked.Options.Width != 20 || asked.Source.Name != "shop" ||
		asked.Key != pipeline.KeyOf("shop", "a b.jpg", asked.Options) {
		t.Errorf("asked for %+v", asked)
	}
}
