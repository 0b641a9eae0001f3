package edge

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/signing"
)

// The keys of the peers' own documentation.
func testPair() signing.Salted {
	return signing.Salted{Key: []byte("secret"), Salt: []byte("hello")}
}

func thumborGrammar(flavor dialect.ThumborFlavor, key string) *Thumbor {
	return &Thumbor{
		Mount: &dialect.ThumborMount{
			Flavor: flavor, Source: "shop",
			About: map[string]dialect.MountSource{"shop": {Limits: resize.DefaultLimits()}},
		},
		Key: signing.ThumborKey{Secret: key, Imagor: flavor == dialect.FlavorImagor},
	}
}

func imgproxyGrammar(keys signing.Imgproxy) *Imgproxy {
	return &Imgproxy{
		Mount: &dialect.ImgproxyMount{
			Sources: map[string]string{"local:///": "shop", "gone://": "gone"},
			About:   map[string]dialect.MountSource{"shop": {Limits: resize.DefaultLimits()}, "gone": {}},
		},
		Keys: keys,
	}
}

// mountedSite is testSite with a mount of each dialect.
func mountedSite() *Site {
	site := testSite()
	pairs := signing.Imgproxy{Pairs: []signing.Salted{testPair()}}
	site.Mounts = []Mount{
		{Prefix: "/imgproxy", Grammar: imgproxyGrammar(pairs)},
		{Prefix: "/t", Grammar: thumborGrammar(dialect.FlavorThumbor, "thumbor-key")},
		{Prefix: "/t2/deep", Grammar: thumborGrammar(dialect.FlavorImagor, "imagor-key")},
		{Host: "old.example.com", Grammar: imgproxyGrammar(pairs)},
		{Host: "old.example.com", Prefix: "/t", Grammar: thumborGrammar(dialect.FlavorThumbor, "host-key")},
	}
	return site
}

func signImgproxy(path string) string {
	return "/" + testPair().Sign(path, 0) + path
}

func signThumbor(key, path string) string {
	return "/" + signing.ThumborKey{Secret: key}.Sign(path) + "/" + path
}

func TestMountsServeTheSamePicture(t *testing.T) {
	fake := held(picture("px", "image/webp"))
	r := start(t, &Server{Pictures: fake}, mountedSite())
	native := sign(t, "/shop/a/b.jpg?w=300&h=200&fit=cover&enlarge=1&f=webp&q=70")
	if got := r.get(native); got.StatusCode != http.StatusOK {
		t.Fatalf("native: %d %s", got.StatusCode, got.body)
	}
	want := fake.asked().Key
	for _, row := range []struct{ name, target, host string }{
		{"imgproxy", "/imgproxy" + signImgproxy("/rs:fill:300:200:1/kcr:0/q:70/plain/local:///a/b.jpg@webp"), ""},
		{"imgproxy with a query", "/imgproxy" + signImgproxy("/rs:fill:300:200:1/kcr:0/q:70/plain/local:///a/b.jpg@webp") + "?utm=1", ""},
		{"imgproxy, colons escaped on the way", "/imgproxy/" + testPair().Sign("/rs:fill:300:200:1/kcr:0/q:70/plain/local:///a/b.jpg@webp", 0) + "/rs%3Afill%3A300%3A200%3A1/kcr%3A0/q%3A70/plain/local:/a/b.jpg@webp", ""},
		{"imgproxy at a host", signImgproxy("/rs:fill:300:200:1/kcr:0/q:70/plain/local:///a/b.jpg@webp"), "OLD.example.com:8080"},
		{"thumbor", "/t" + signThumbor("thumbor-key", "300x200/filters:format(webp):quality(70)/a/b.jpg"), ""},
		{"imagor", "/t2/deep" + signThumbor("imagor-key", "300x200/filters:format(webp):quality(70)/a/b.jpg"), ""},
		{"a host's longer prefix", "/t" + signThumbor("host-key", "300x200/filters:format(webp):quality(70)/a/b.jpg"), "old.example.com"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var header []string
			if row.host != "" {
				header = []string{"Host: " + row.host}
			}
			for range 2 { // read, then remembered
				got := r.get(row.target, header...)
				if got.StatusCode != http.StatusOK || got.body != "px" {
					t.Fatalf("%s: %d %s", row.target, got.StatusCode, got.body)
				}
				if asked := fake.asked(); asked.Key != want {
					t.Errorf("asked for %q of %s/%s, the native URL for another", asked.Options, asked.Source.Name, asked.Object)
				}
			}
		})
	}
}

func TestMountsRefuse(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("px", "image/webp"))}, mountedSite())
	past := strconv.FormatInt(testTime.Add(-time.Hour).Unix(), 10)
	for _, row := range []struct {
		name, target string
		status       int
		code         string
	}{
		{"imgproxy: wrong", "/imgproxy/AAAA/rs:fit:9:9/plain/local:///a.jpg", 403, "bad_signature"},
		{"imgproxy: empty", "/imgproxy//rs:fit:9:9/plain/local:///a.jpg", 403, "bad_signature"},
		{"imgproxy: an option in its place", "/imgproxy/rs:fit:9:9/plain/local:///a.jpg", 403, "bad_signature"},
		{"imgproxy: padded", "/imgproxy/" + testPair().Sign("/plain/local:///a.jpg", 0) + "=/plain/local:///a.jpg", 403, "bad_signature"},
		{"imgproxy: changed", strings.Replace("/imgproxy"+signImgproxy("/rs:fit:9:9/plain/local:///a.jpg"), ":9:9", ":9:8", 1), 403, "bad_signature"},
		{"imgproxy: prefix signed", "/imgproxy/" + testPair().Sign("/imgproxy/plain/local:///a.jpg", 0) + "/plain/local:///a.jpg", 403, "bad_signature"},
		{"imgproxy: unknown option", "/imgproxy" + signImgproxy("/nope:1/plain/local:///a.jpg"), 404, "bad_option"},
		{"imgproxy: refused option", "/imgproxy" + signImgproxy("/f:bmp/plain/local:///a.jpg"), 422, "unsupported_format"},
		{"imgproxy: no source", "/imgproxy" + signImgproxy("/plain/other:///a.jpg"), 404, "unknown_source"},
		{"imgproxy: source not configured", "/imgproxy" + signImgproxy("/plain/gone://a.jpg"), 404, "unknown_source"},
		{"imgproxy: expired", "/imgproxy" + signImgproxy("/exp:"+past+"/plain/local:///a.jpg"), 404, "expired"},
		{"imgproxy: empty path", "/imgproxy/AAAA", 404, "bad_option"},
		{"imgproxy: root", "/imgproxy", 404, "not_found"},
		{"imgproxy: root with a slash", "/imgproxy/", 404, "not_found"},
		{"a longer name is no mount", "/imgproxyx/AAAA/plain/local:///a.jpg", 404, "unknown_source"},
		{"a native URL below a mount", "/imgproxy" + sign(t, "/shop/a.jpg?w=9"), 403, "bad_signature"},
		{"a mount's URL outside", signImgproxy("/rs:fit:9:9/plain/local:///a.jpg"), 404, "unknown_source"},
		{"thumbor: wrong", "/t/AAAAAAAAAAAAAAAAAAAAAAAAAAA=/9x9/a.jpg", 400, "bad_signature"},
		{"thumbor: missing", "/t/9x9/a.jpg", 400, "bad_signature"},
		{"thumbor: unsafe", "/t/unsafe/9x9/a.jpg", 400, "bad_signature"},
		{"thumbor: imagor's key", "/t" + signThumbor("imagor-key", "9x9/a.jpg"), 400, "bad_signature"},
		{"thumbor: unknown filter", "/t" + signThumbor("thumbor-key", "9x9/filters:nope()/a.jpg"), 400, "bad_option"},
		{"thumbor: root", "/t/", 404, "not_found"},
		{"imagor: wrong", "/t2/deep/AAAAAAAAAAAAAAAAAAAAAAAAAAA=/9x9/a.jpg", 403, "bad_signature"},
		{"imagor: unpadded", "/t2/deep" + strings.Replace(signThumbor("imagor-key", "9x9/a.jpg"), "=", "", 1), 403, "bad_signature"},
		{"imagor: expired", "/t2/deep" + signThumbor("imagor-key", "9x9/filters:expire("+past+"000)/a.jpg"), 410, "expired"},
		{"imagor: above its prefix", "/t2" + signThumbor("imagor-key", "9x9/a.jpg"), 404, "unknown_source"},
	} {
		t.Run(row.name, func(t *testing.T) { r.get(row.target).expect(t, row.status, row.code) })
	}
}

// A remembered URL is no longer served once it has expired, and no longer remembered after a reload.
func TestMountsForget(t *testing.T) {
	now := testTime
	s := &Server{Pictures: held(picture("px", "image/webp")), Now: func() time.Time { return now }}
	r := start(t, s, mountedSite())
	end := strconv.FormatInt(testTime.Add(time.Minute).Unix(), 10)
	imgproxy := "/imgproxy" + signImgproxy("/exp:"+end+"/plain/local:///a.jpg")
	imagor := "/t2/deep" + signThumbor("imagor-key", "9x9/filters:expire("+end+"000)/a.jpg")
	for _, target := range []string{imgproxy, imagor} {
		if got := r.get(target); got.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", target, got.StatusCode, got.body)
		}
	}
	now = testTime.Add(2 * time.Minute)
	r.get(imgproxy).expect(t, 404, "expired")
	r.get(imagor).expect(t, 410, "expired")
	now = testTime
	site := mountedSite()
	site.Mounts[0].Grammar = imgproxyGrammar(signing.Imgproxy{Pairs: []signing.Salted{{Key: []byte("other"), Salt: []byte("salt")}}})
	site.Mounts = append(site.Mounts[:2], site.Mounts[3:]...)
	s.Reload(site)
	r.get(imgproxy).expect(t, 403, "bad_signature")
	r.get(imagor).expect(t, 404, "unknown_source")
}

// The debug token shows what was checked, and the likely mistake.
func TestMountsExplainToTheDebugToken(t *testing.T) {
	site := mountedSite()
	site.DebugToken = "debug-token-0123456"
	r := start(t, &Server{Pictures: held(picture("px", "image/webp"))}, site)
	for _, row := range []struct{ name, target, checked, hint string }{
		{
			"imgproxy padded", "/imgproxy/" + testPair().Sign("/plain/local:///a.jpg", 0) + "=/plain/local:///a.jpg",
			"/plain/local:///a.jpg", "padded",
		},
		{
			"imgproxy with its query", "/imgproxy/" + testPair().Sign("/plain/local:///a.jpg?v=1", 0) + "/plain/local:///a.jpg?v=1",
			"/plain/local:///a.jpg", "query",
		},
		{
			"imgproxy without the salt", "/imgproxy/" + signing.Salted{Key: []byte("secret")}.Sign("/plain/local:///a.jpg", 0) + "/plain/local:///a.jpg",
			"/plain/local:///a.jpg", "salt",
		},
		{"thumbor's leading slash", "/t/" + signing.ThumborKey{Secret: "thumbor-key"}.Sign("/9x9/a.jpg") + "/9x9/a.jpg", "9x9/a.jpg", "leading slash"},
		{"thumbor's prefix", "/t/" + signing.ThumborKey{Secret: "thumbor-key"}.Sign("t/9x9/a.jpg") + "/9x9/a.jpg", "9x9/a.jpg", "prefix"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := r.get(row.target, "Imgedge-Debug: debug-token-0123456").problem(t)
			if d.Checked != row.checked || !strings.Contains(strings.Join(d.Hints, "\n"), row.hint) {
				t.Errorf("checked %q, hints %q; want %q, %q", d.Checked, d.Hints, row.checked, row.hint)
			}
			if d := r.get(row.target).problem(t); d.Checked != "" || d.Hints != nil {
				t.Errorf("without the token: checked %q, hints %q", d.Checked, d.Hints)
			}
		})
	}
}

func TestExplainMounts(t *testing.T) {
	site := mountedSite()
	site.BaseURL = "https://img.example.com"
	r := start(t, &Server{Pictures: &fakePictures{}, Explainer: fakeExplainer{}}, site)
	ask := func(url string) explanation {
		t.Helper()
		body, err := json.Marshal(explainOrder{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		got := r.do("POST", r.admin, "/v1/explain", string(body))
		var e explanation
		if err := json.Unmarshal([]byte(got.body), &e); err != nil || got.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", url, got.StatusCode, got.body)
		}
		return e
	}
	want := ask(sign(t, "/shop/b.jpg?w=300&h=200&fit=cover&enlarge=1&f=webp"))
	past := strconv.FormatInt(testTime.Add(-time.Hour).Unix(), 10)
	for _, row := range []struct {
		name, url, dialect, signature string
		status                        int
	}{
		{"imgproxy", "/imgproxy" + signImgproxy("/rs:fill:300:200:1/kcr:0/plain/local:///b.jpg@webp"), "imgproxy", "good", 200},
		{"imgproxy below the base", site.BaseURL + "/imgproxy" + signImgproxy("/rs:fill:300:200:1/kcr:0/plain/local:///b.jpg@webp"), "imgproxy", "good", 200},
		{"imgproxy at its host", "https://old.example.com" + signImgproxy("/rs:fill:300:200:1/kcr:0/plain/local:///b.jpg@webp"), "imgproxy", "good", 200},
		{"imgproxy, bad", "/imgproxy/AAAA/rs:fill:300:200:1/kcr:0/plain/local:///b.jpg@webp", "imgproxy", "bad", 403},
		{"imgproxy, missing", "/imgproxy//rs:fill:300:200:1/kcr:0/plain/local:///b.jpg@webp", "imgproxy", "missing", 403},
		{"imgproxy, expired", "/imgproxy" + signImgproxy("/exp:"+past+"/rs:fill:300:200:1/kcr:0/plain/local:///b.jpg@webp"), "imgproxy", "good", 404},
		{"thumbor", "/t" + signThumbor("thumbor-key", "300x200/filters:format(webp)/b.jpg"), "thumbor", "good", 200},
		{"thumbor, unsafe", "/t/unsafe/300x200/filters:format(webp)/b.jpg", "thumbor", "missing", 400},
		{"imagor", "/t2/deep" + signThumbor("imagor-key", "300x200/filters:format(webp)/b.jpg"), "imagor", "good", 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := ask(row.url)
			if got.Dialect != row.dialect || got.Signature != row.signature || got.Status != row.status || got.Source != "shop" {
				t.Errorf("dialect %q, signature %q, status %d, source %q; want %q, %q, %d", got.Dialect, got.Signature, got.Status, got.Source, row.dialect, row.signature, row.status)
			}
			if got.CacheKey != want.CacheKey || got.Options != want.Options || got.Plan == nil {
				t.Errorf("options %q, plan %v; want %q as the native URL", got.Options, got.Plan, want.Options)
			}
		})
	}
	if got := ask("/imgproxy/"); got.Status != http.StatusNotFound {
		t.Errorf("a mount's root: %+v", got)
	}
}

// Purge by a mount's URL is purge of the picture it names.
func TestPurgeByMountedURL(t *testing.T) {
	purger := &fakePurger{}
	r := start(t, &Server{Pictures: held(picture("px", "image/webp")), Purger: purger}, mountedSite())
	body, err := json.Marshal(purgeOrder{URLs: []string{
		"/imgproxy" + signImgproxy("/rs:fill:300:200/plain/local:///a/b.jpg"), "/t/unsafe/9x9/a/b.jpg", "/t/unsafe/c.jpg", sign(t, "/shop/c.jpg?w=3"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.do("POST", r.admin, "/v1/purge", string(body)); got.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", got.StatusCode, got.body)
	}
	if len(purger.got) != 2 || purger.got[0] != (Purge{Source: "shop", Key: "a/b.jpg"}) || purger.got[1] != (Purge{Source: "shop", Key: "c.jpg"}) {
		t.Errorf("purged %+v", purger.got)
	}
}

// What Sign makes, Read takes.
func TestGrammarsSign(t *testing.T) {
	pairs := signing.Imgproxy{Pairs: []signing.Salted{testPair(), {Key: []byte("old"), Salt: []byte("old")}}, Size: 16}
	for _, row := range []struct {
		name   string
		g      Inspector
		target string
	}{
		{"imgproxy", imgproxyGrammar(pairs), "/rs:fit:9:9/plain/local:///a.jpg"},
		{"imgproxy to be repaired", imgproxyGrammar(pairs), "/rs%3Afit%3A9%3A9/plain/local:/a.jpg"},
		{"imgproxy with unsafe", imgproxyGrammar(pairs), "/unsafe/rs:fit:9:9/plain/local:///a.jpg"},
		{"imgproxy's info", imgproxyGrammar(pairs), "/info/size:1/plain/local:///a.jpg"},
		{"thumbor", thumborGrammar(dialect.FlavorThumbor, "k"), "/9x9/a.jpg"},
		{"thumbor with unsafe", thumborGrammar(dialect.FlavorThumbor, "k"), "/unsafe/9x9/a.jpg"},
		{"imagor", thumborGrammar(dialect.FlavorImagor, "k"), "/9x9/filters:fill(white)/a%20b.jpg"},
	} {
		t.Run(row.name, func(t *testing.T) {
			signed, err := row.g.Sign(row.target)
			if err != nil {
				t.Fatal(err)
			}
			if state, err := row.g.Signed(signed); state != signatureGood || err != nil {
				t.Errorf("%s: %s, %v", signed, state, err)
			}
			if _, err := row.g.(Grammar).Read(signed, testTime); err != nil {
				t.Errorf("%s: %v", signed, err)
			}
		})
	}
	for _, target := range []string{"", "a.jpg", "//a.jpg", "/a b.jpg", "/a.jpg?w=1", "/a.jpg#x"} {
		if signed, err := thumborGrammar("", "k").Sign(target); err == nil {
			t.Errorf("Sign(%q) = %q, want an error", target, signed)
		}
	}
	if _, err := imgproxyGrammar(signing.Imgproxy{Unsigned: true}).Sign("/plain/local:///a.jpg"); err == nil {
		t.Error("a mount without keys signs")
	}
	if _, err := thumborGrammar("", "").Sign("/a.jpg"); err == nil {
		t.Error("a mount without a key signs")
	}
}

// A URL that sets limits of its own has an entry of its own.
func TestMountsKeepLimitsApart(t *testing.T) {
	site := mountedSite()
	site.Mounts[0].Grammar.(*Imgproxy).Mount.AllowSecurity = true
	var keys []cache.Key
	fake := &fakePictures{lookup: func(r *pipeline.Request) (*cache.Entry, pipeline.Via) {
		keys = append(keys, r.Key)
		return picture("px", "image/webp"), pipeline.Via{Hit: pipeline.TierMemory}
	}}
	r := start(t, &Server{Pictures: fake}, site)
	for _, path := range []string{"/rs:fit:9:9/plain/local:///a.jpg", "/rs:fit:9:9/msr:1/plain/local:///a.jpg", "/rs:fit:9:9/msfs:1000/plain/local:///a.jpg"} {
		if got := r.get("/imgproxy" + signImgproxy(path)); got.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", path, got.StatusCode, got.body)
		}
	}
	if len(keys) != 3 || keys[0] == keys[1] || keys[0] == keys[2] || keys[1] == keys[2] {
		t.Errorf("keys %v, want three", keys)
	}
}
