package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/signing"
)

// imgproxyPair is the pair of imgproxy's documentation: "secret" and "hello".
func imgproxyPair() signing.Salted {
	return signing.Salted{Key: []byte("secret"), Salt: []byte("hello")}
}

// mountConfig has a source with a mount of each dialect, with keys of the peers' own documentation
// where they are no defaults.
func mountConfig(dir string) string {
	return fmt.Sprintf(`
sources: {local: {dir: %q, keys: [{id: k1, secret: %s}]}}
admin: {debug_token: debug-token-0123456}
watermarks: {logo: {image: local/sub/b c.jpg, options: "wmg=southeast&wms=0.2"}}
dialects:
  - {dialect: imgproxy, prefix: /imgproxy, keys: [{key: 736563726574, salt: 68656c6c6f}], sources: {"local:///": local}, presets: {card: "rs:fill:120:80/kcr:0"}, watermark: logo}
  - {dialect: thumbor, prefix: /thumbor, key: my-security-key, source: local}
  - {dialect: thumbor, prefix: /imagor, flavor: imagor, key: "1234", algorithm: sha256, truncate: 40, sources: {"my/": local}, source: local}
  - {dialect: imgproxy, host: img.old.example, keys: [{key: 736563726574, salt: 68656c6c6f}], signature_size: 8, sources: {"local:///": local}}
  - {dialect: thumbor, host: open.old.example, unsafe: true, source: local}
`, dir, testKey)
}

func (e edgeServer) get(t *testing.T, host, target string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.base+"/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Opaque, r.Host = target, host // sent as it is
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return answer{resp, body.Bytes()}
}

// spelling is one wish in a dialect.
type spelling struct{ name, host, target string }

// spellings of one picture: 100 × 80 px, cut out of the middle, as JPEG.
func spellings(t *testing.T, e edgeServer) []spelling {
	t.Helper()
	thumbor := signing.ThumborKey{Secret: "my-security-key"}
	imagor := signing.ThumborKey{Secret: "1234", Algorithm: signing.SHA256, Truncate: 40, Imagor: true}
	imgproxy := func(size int, path string) string { return "/" + imgproxyPair().Sign(path, size) + path }
	return []spelling{
		{"native", "", strings.TrimPrefix(e.sign(t, "/local/a.jpg?w=100&h=80&fit=cover&enlarge=1&f=jpeg"), e.base)},
		{"imgproxy", "", "/imgproxy" + imgproxy(0, "/rs:fill:100:80:1/kcr:0/plain/local:///a.jpg@jpg")},
		{"imgproxy in base64", "", "/imgproxy" + imgproxy(0, "/rs:fill:100:80:1/kcr:0/bG9jYWw6Ly8vYS5qcGc.jpg")},
		{"thumbor", "", "/thumbor/" + thumbor.Sign("100x80/filters:format(jpeg)/a.jpg") + "/100x80/filters:format(jpeg)/a.jpg"},
		{"imagor", "", "/imagor/" + imagor.Sign("100x80/filters:format(jpeg)/my/a.jpg") + "/100x80/filters:format(jpeg)/my/a.jpg"},
		{"imgproxy at a host", "img.old.example", imgproxy(8, "/rs:fill:100:80:1/kcr:0/f:jpg/plain/local:///a.jpg")},
		{"thumbor at a host, unsafe", "open.old.example:80", "/unsafe/100x80/filters:format(jpeg)/a.jpg"},
	}
}

// Every dialect gives the same bytes out of the same entry, whichever made it.
func TestDialectsMeetInOneEntry(t *testing.T) {
	dir := photos(t)
	for first := range 7 {
		e := start(t, mountConfig(dir))
		all := spellings(t, e)
		made := e.get(t, all[first].host, all[first].target)
		made.wantCode(t, http.StatusOK, "")
		size, format, err := image.DecodeConfig(bytes.NewReader(made.body))
		if err != nil || format != "jpeg" || size.Width != 100 || size.Height != 80 {
			t.Fatalf("%s: %s %d × %d, %v, want jpeg 100 × 80", all[first].name, format, size.Width, size.Height, err)
		}
		if got := made.Header.Get("Cache-Status"); !strings.Contains(got, "fwd=miss") {
			t.Errorf("%s first: Cache-Status %q, want a miss", all[first].name, got)
		}
		for _, s := range all {
			got := e.get(t, s.host, s.target)
			got.wantCode(t, http.StatusOK, "")
			if status := got.Header.Get("Cache-Status"); !strings.Contains(status, "hit; detail=memory") || !bytes.Equal(got.body, made.body) {
				t.Errorf("%s after %s: Cache-Status %q, equal bytes %v; want a hit in memory", s.name, all[first].name, status, bytes.Equal(got.body, made.body))
			}
		}
		if first > 0 {
			continue
		}
		keys := map[string]bool{}
		for _, s := range all {
			keys[e.explain(t, s).CacheKey] = true
		}
		if len(keys) != 1 {
			t.Errorf("/v1/explain names %d cache keys, want one", len(keys))
		}
	}
}

// explained is what these tests look at of an answer of /v1/explain.
type explained struct {
	Dialect, Signature, Options, Code string
	CacheKey                          string `json:"cache_key"`
	Found                             string
	Status                            int
	Hints                             []string
}

func (e edgeServer) explain(t *testing.T, s spelling) explained {
	t.Helper()
	url := s.target
	if s.host != "" {
		url = "http://" + s.host + s.target
	}
	body, err := json.Marshal(map[string]string{"url": url})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.admin+"/v1/explain", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got explained
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v", s.name, resp.StatusCode, err)
	}
	return got
}

func TestMountsRefuseAsTheirPeersDo(t *testing.T) {
	e := start(t, mountConfig(photos(t)))
	imgproxy := func(path string) string { return "/imgproxy/" + imgproxyPair().Sign(path, 0) + path }
	thumbor := func(path string) string {
		return "/thumbor/" + signing.ThumborKey{Secret: "my-security-key"}.Sign(path) + "/" + path
	}
	imagorKey := signing.ThumborKey{Secret: "1234", Algorithm: signing.SHA256, Truncate: 40, Imagor: true}
	imagor := func(path string) string { return "/imagor/" + imagorKey.Sign(path) + "/" + path }
	native := strings.TrimPrefix(e.sign(t, "/local/a.jpg?w=10"), e.base)
	for _, row := range []struct {
		name, host, target string
		status             int
		code               string
	}{
		{"imgproxy: good", "", imgproxy("/rs:fit:10/plain/local:///a.jpg"), 200, ""},
		{"imgproxy: preset", "", imgproxy("/pr:card/plain/local:///a.jpg"), 200, ""},
		{"imgproxy: info", "", "/imgproxy/info/" + imgproxyPair().Sign("/plain/local:///a.jpg", 0) + "/plain/local:///a.jpg", 200, ""},
		{"imgproxy: wrong", "", "/imgproxy/AAAA/plain/local:///a.jpg", 403, "bad_signature"},
		{"imgproxy: empty", "", "/imgproxy//plain/local:///a.jpg", 403, "bad_signature"},
		{"imgproxy: expired", "", imgproxy("/exp:1000000000/plain/local:///a.jpg"), 404, "expired"},
		{"imgproxy: not there", "", imgproxy("/plain/local:///zzz.jpg"), 404, "not_found"},
		{"imgproxy: climbing", "", imgproxy("/plain/local:///..%2Fa.jpg"), 404, "bad_key"},
		{"imgproxy: no picture", "", imgproxy("/plain/local:///text.jpg"), 415, "not_an_image"},
		{"imgproxy: root", "", "/imgproxy/", 404, "not_found"},
		{"thumbor: wrong", "", "/thumbor/AAAA/10x10/a.jpg", 400, "bad_signature"},
		{"thumbor: unsafe", "", "/thumbor/unsafe/10x10/a.jpg", 400, "bad_signature"},
		{"thumbor: good", "", thumbor("10x10/a.jpg"), 200, ""},
		{"thumbor: meta", "", thumbor("meta/10x10/a.jpg"), 200, ""},
		{"thumbor: unknown filter", "", thumbor("10x10/filters:nope()/a.jpg"), 400, "bad_option"},
		{"thumbor: root", "", "/thumbor", 404, "not_found"},
		{"imagor: wrong", "", "/imagor/AAAAAAAAAAAAAAAAAAAA/10x10/a.jpg", 403, "bad_signature"},
		{"imagor: not cut", "", "/imagor/" + signing.ThumborKey{Secret: "1234", Algorithm: signing.SHA256}.Sign("10x10/a.jpg") + "/10x10/a.jpg", 403, "bad_signature"},
		{"imagor: expired", "", imagor("10x10/filters:expire(1000000000000)/a.jpg"), 410, "expired"},
		{"imagor: good", "", imagor("10x10/a.jpg"), 200, ""},
		{"a mount's key opens no source", "", strings.TrimPrefix(imgproxy("/plain/local:///a.jpg"), "/imgproxy"), 404, "unknown_source"},
		{"a mount's hash opens no source", "", "/local/a.jpg?s=" + imgproxyPair().Sign("/local/a.jpg", 0), 403, "bad_signature"},
		{"a source's key opens no mount", "", "/imgproxy" + native, 403, "bad_signature"},
		{"a host has nothing native", "img.old.example", native, 403, "bad_signature"},
		{"a host's root", "img.old.example", "/", 404, "not_found"},
		{"a host's size of signature", "img.old.example", strings.TrimPrefix(imgproxy("/plain/local:///a.jpg"), "/imgproxy"), 403, "bad_signature"},
		{"another host", "other.example", "/unsafe/10x10/a.jpg", 404, "unknown_source"},
		{"health under a host", "img.old.example", "/healthz", 200, ""},
	} {
		t.Run(row.name, func(t *testing.T) { e.get(t, row.host, row.target).wantCode(t, row.status, row.code) })
	}
}

// The vectors of the peers' own documentation, laid under mounts with their keys, verify: what comes
// is no 400 or 403.
func TestVectorsVerifyUnderMounts(t *testing.T) {
	file := writeConfig(t, `
sources: {any: {dir: photos, unsigned: true}, web: {http: {allow: ["https://*.example.com/", "http://example.com/"]}, unsigned: true}}
dialects:
  - {dialect: imgproxy, prefix: /a, keys: [{key: "746573742d6b6579", salt: "746573742d73616c74"}, {key: 736563726574, salt: 68656c6c6f}], sources: {"local:///": any, "http://": web}}
  - {dialect: thumbor, prefix: /b, key: my-security-key, source: any}
  - {dialect: thumbor, prefix: /c, flavor: imagor, key: "1234", source: any}
`)
	for _, target := range []string{
		"/a/oKfUtW34Dvo2BGQehJFR4Nr0_rIjOtdtzJ3QFsUcXH8/rs:fill:300:400:0/g:sm/aHR0cDovL2V4YW1w/bGUuY29tL2ltYWdl/cy9jdXJpb3NpdHku/anBn.png",
		"/a/v4il5rmSYrVOW341NliE_MPcqrwWLyWyeHNDz9YGFBs/rs:fill:300:400:0/g:sm/plain/http://example.com/images/curiosity.jpg@png",
		"/a/Q5C97UfJ9gfXNLXqkVaZuQrbid-m6n18CmYZ_2tO6g4/plain/local:///image.jpg",
		"/a/Q5C97UfJ9gfXNLXqkVaZuQrbid-m6n18CmYZ_2tO6g4/plain/local:/image.jpg",
		"/a/oWaL7QoW5TsgbuiS9-5-DI8S3Ibbo1gdB2SteJh3a20/asd",
		"/b/8ammJH8D-7tXy6kU3lTvoXlhu4o=/300x200/my.server.com/some/path/to/image.jpg",
		"/b/B35oBEIwztbc3jm7vsdqLez2C78=/10x10:200x200/300x200/my.server.com/some/path/to/image.jpg",
		"/b/as8U2DbUUtTMgvPF26LkjS3MocY=/10x10:200x200/300x200/filters:brightness(20):contrast(10)/my.server.com/some/path/to/image.jpg",
		"/c/VTAq7YIRbEXgtwAcsTMhAjvBuT8=/meta/10x11:12x13/fit-in/-300x-200/5x6/left/top/smart/filters:some_filter()/img",
	} {
		if stdout, stderr, code := run(t, nil, "verify", "--config", file, target); code != exitOK {
			t.Errorf("verify %s: exit %d: %s%s", target, code, stdout, stderr)
		}
		changed := target + "x"
		if stdout, _, code := run(t, nil, "verify", "--config", file, changed); code != exitFailed {
			t.Errorf("verify %s: exit %d: %s", changed, code, stdout)
		}
	}
}

func TestSignAndVerifyUnderMounts(t *testing.T) {
	dir := photos(t)
	e := start(t, mountConfig(dir))
	file := writeConfig(t, mountConfig(dir))
	for _, row := range []struct{ name, url, want string }{
		{"imgproxy", "/imgproxy/rs:fit:10/plain/local:///a.jpg", "/imgproxy/"},
		{"imgproxy, unsafe in its place", "/imgproxy/unsafe/rs:fit:10/plain/local:///a.jpg", "/imgproxy/"},
		{"thumbor", "/thumbor/10x10/a.jpg", "/thumbor/"},
		{"thumbor, unsafe in its place", "/thumbor/unsafe/10x10/a.jpg", "/thumbor/"},
		{"imagor", "/imagor/10x10/filters:quality(50)/a.jpg", "/imagor/"},
		{"host", "http://img.old.example/rs:fit:10/plain/local:///a.jpg", "http://img.old.example/"},
	} {
		t.Run(row.name, func(t *testing.T) {
			stdout, stderr, code := run(t, nil, "sign", "--config", file, row.url)
			signed := strings.TrimSpace(stdout)
			if code != exitOK || !strings.HasPrefix(signed, row.want) || strings.Contains(signed, "unsafe") {
				t.Fatalf("sign %s: exit %d, %q %q", row.url, code, stdout, stderr)
			}
			host, target := "", signed
			if rest, ok := strings.CutPrefix(signed, "http://img.old.example"); ok {
				host, target = "img.old.example", rest
			}
			e.get(t, host, target).wantCode(t, http.StatusOK, "")
			if stdout, stderr, code := run(t, nil, "verify", "--config", file, signed); code != exitOK || stdout != "good\n" {
				t.Errorf("verify %s: exit %d, %q %q", signed, code, stdout, stderr)
			}
		})
	}
	imgproxy := func(signed, path string) string { return "/imgproxy/" + imgproxyPair().Sign(signed, 0) + path }
	thumbor := signing.ThumborKey{Secret: "my-security-key"}
	for _, row := range []struct{ name, url, want string }{
		{"padding", "/imgproxy/" + imgproxyPair().Sign("/plain/local:///a.jpg", 0) + "=/plain/local:///a.jpg", "padded"},
		{"escaped colons", imgproxy("/rs%3Afit%3A10/plain/local:///a.jpg", "/rs:fit:10/plain/local:///a.jpg"), "%3A"},
		{"folded slash", imgproxy("/rs:fit:10/plain/https:/a.example/a.jpg", "/rs:fit:10/plain/https://a.example/a.jpg"), "folded"},
		{"query", imgproxy("/plain/local:///a.jpg?x=1", "/plain/local:///a.jpg?x=1"), "query"},
		{"salt", "/imgproxy/" + signing.Salted{Key: []byte("secret")}.Sign("/plain/local:///a.jpg", 0) + "/plain/local:///a.jpg", "salt"},
		{"expired", imgproxy("/exp:1000000000/plain/local:///a.jpg", "/exp:1000000000/plain/local:///a.jpg"), "expired at 2001-09-09"},
		{"thumbor's slash", "/thumbor/" + thumbor.Sign("/10x10/a.jpg") + "/10x10/a.jpg", "leading slash"},
		{"thumbor's algorithm", "/thumbor/" + signing.ThumborKey{Secret: "my-security-key", Algorithm: signing.SHA256}.Sign("10x10/a.jpg") + "/10x10/a.jpg", "sha256"},
		{"thumbor, unsafe", "/thumbor/unsafe/10x10/a.jpg", "unsafe"},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, command := range []string{"verify", "explain"} {
				stdout, stderr, code := run(t, nil, command, "--config", file, row.url)
				if !strings.Contains(stdout+stderr, row.want) || command == "verify" && code != exitFailed {
					t.Errorf("%s %s: exit %d, %q %q; want %q", command, row.url, code, stdout, stderr, row.want)
				}
			}
		})
	}
}

func TestExplainCommandNamesTheDialect(t *testing.T) {
	dir := photos(t)
	e := start(t, mountConfig(dir))
	file := writeConfig(t, mountConfig(dir))
	keys := map[string]bool{}
	for _, s := range spellings(t, e) {
		url := s.target
		if s.host != "" {
			url = "https://" + s.host + s.target
		}
		stdout, stderr, code := run(t, nil, "explain", "--config", file, url)
		name, _, _ := strings.Cut(s.name, " ")
		for _, want := range []string{"dialect:    " + name, "source:     local\n", "key:        a.jpg\n", "result:     jpeg 100 × 80"} {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s: lacks %q:\n%s%s", s.name, want, stdout, stderr)
			}
		}
		if code != exitOK {
			t.Errorf("%s: exit %d", s.name, code)
		}
		_, key, _ := strings.Cut(stdout, "cache key:")
		key, _, _ = strings.Cut(key, "\n")
		keys[strings.TrimSpace(key)] = true
	}
	if len(keys) != 1 || keys[""] {
		t.Errorf("cache keys %v, want one", keys)
	}
}

// A watermark by its name, by its picture, and by imgproxy's watermark is the same picture.
func TestWatermarkByName(t *testing.T) {
	dir := photos(t)
	e := start(t, mountConfig(dir))
	plain := ask(t, http.MethodGet, e.sign(t, "/local/a.jpg?w=200&f=png"))
	plain.wantCode(t, http.StatusOK, "")
	named := ask(t, http.MethodGet, e.sign(t, "/local/a.jpg?w=200&f=png&wm=logo"))
	named.wantCode(t, http.StatusOK, "")
	if bytes.Equal(plain.body, named.body) {
		t.Error("the watermark is not to be seen")
	}
	direct := ask(t, http.MethodGet, e.sign(t, "/local/a.jpg?w=200&f=png&wm=local/sub/b%20c.jpg&wmg=southeast&wms=0.2"))
	direct.wantCode(t, http.StatusOK, "")
	if got := direct.Header.Get("Cache-Status"); !strings.Contains(got, "hit; detail=memory") {
		t.Errorf("by its picture: Cache-Status %q, want a hit", got)
	}
	out := filepath.Join(t.TempDir(), "out.png")
	if stdout, stderr, code := run(t, nil, "convert", "--config", writeConfig(t, mountConfig(dir)), filepath.Join(dir, "a.jpg"), out, "w=200&wm=logo"); code != exitOK {
		t.Fatalf("edge convert: exit %d: %s%s", code, stdout, stderr)
	}
	if converted, err := os.ReadFile(out); err != nil || !bytes.Equal(converted, named.body) {
		t.Errorf("edge convert gives %d bytes, %v, the server other %d", len(converted), err, len(named.body))
	}
	path := "/rs:fit:200/wm:1:soea:0:0:0.2/plain/local:///a.jpg@png"
	e.get(t, "", "/imgproxy/"+imgproxyPair().Sign(path, 0)+path).wantCode(t, http.StatusOK, "")
}

func TestTextIsSet(t *testing.T) {
	e := start(t, mountConfig(photos(t)))
	plain := ask(t, http.MethodGet, e.sign(t, "/local/a.jpg?w=200&f=png"))
	text := ask(t, http.MethodGet, e.sign(t, "/local/a.jpg?w=200&f=png&txt=Hello%20%3Cb%3E"))
	text.wantCode(t, http.StatusOK, "")
	if bytes.Equal(plain.body, text.body) {
		t.Error("the text is not to be seen")
	}
}

func TestPurgeDirectByMountedURL(t *testing.T) {
	cfg, err := Load(writeConfig(t, mountConfig(photos(t))), nil, Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"/imgproxy/x/plain/local:///sub/b%20c.jpg", "/thumbor/unsafe/10x10/sub/b%20c.jpg", "http://open.old.example/unsafe/sub/b%20c.jpg", "/local/sub/b%20c.jpg?w=3"} {
		if p, err := cfg.purgeOf(url); err != nil || p.Source != "local" || p.Object != "sub/b c.jpg" {
			t.Errorf("purgeOf(%s) = %+v, %v", url, p, err)
		}
	}
}

func TestMountProblems(t *testing.T) {
	file := writeConfig(t, `sources:
  shop: {dir: photos, unsigned: true, overlays: [nowhere]}
watermarks:
  Logo: {image: nowhere/a.png, options: "wms=0.2"}
  mark: {image: shop/a.png, options: "w=20"}
text: {fonts: [Inter, "a,b"], default: Other}
render: {ssim: 1.5, ssim_of: {png: 0.9}}
dialects:
  - {dialect: imgproxi, prefix: /x, sources: {"a://": shop}}
  - dialect: imgproxy
    prefix: /shop
    sources: {"s3://x/": nowhere}
    keys:
      - {key: zz, salt: "00"}
      - {key: "00"}
    signature_size: 40
    source_key: "0011"
    presets: {a: "nope:1", b: "rs:fill:1:1/pr:a", c: "pr:missing"}
    replacements: [broken]
    preferred_formats: [bmp]
    watermark: missing
    flavor: imagor
  - {dialect: imgproxy, prefix: /v1/x, sources: {"a://": shop}}
  - {dialect: imgproxy, prefix: no-slash/, sources: {"a://": shop}, unsigned: true, keys: [{key: "00", salt: "00"}]}
  - dialect: thumbor
    key: MY_SECURE_KEY
    algorithm: md5
    truncate: 3
    flavor: both
    scheme: ftp
    source: nowhere
    presets_only: true
  - {dialect: thumbor, host: "img.example.com:80", key: mysecret, source: shop}
  - {dialect: thumbor, prefix: /t, source: shop}
  - {dialect: thumbor, prefix: /t/deep, unsafe: true, source: shop}
  - {dialect: thumbor, prefix: /T, host: A.example, unsafe: true, source: shop}
  - {dialect: thumbor, prefix: /T, host: a.example, unsafe: true, source: shop}
  - {dialect: thumbor, prefix: /u, unsafe: true, source: shop, base_params: "filters:nope()"}
  - {dialect: imgproxy, prefix: /none, unsigned: true}
  - {dialect: thumbor, prefix: /dots/.., unsafe: true, source: shop}
  - {dialect: thumbor, prefix: /kez, kez: x, source: shop}
`)
	_, err := Load(file, nil, Overrides{})
	if err == nil {
		t.Fatal("Load took it")
	}
	got := err.Error()
	for _, want := range []string{
		`edge.yaml:2: sources.shop.overlays[0]: there is no source "nowhere"`,
		`edge.yaml:4: watermarks.Logo: a name has`,
		`edge.yaml:4: watermarks.Logo.image: "nowhere/a.png" is no source/key`,
		`edge.yaml:5: watermarks.mark.options: "w"`,
		`edge.yaml:6: text.fonts[1]: "a,b" is no name`,
		`edge.yaml:6: text.default: "Other" is none of text.fonts`,
		`edge.yaml:7: render.ssim: 1.5 is not`,
		`edge.yaml:7: render.ssim_of.png: "png" is none of`,
		`edge.yaml:9: dialects[0].dialect: "imgproxi" is none of imgproxy, thumbor`,
		`edge.yaml:11: dialects[1].prefix: "/shop" would hide the source "shop"`,
		`edge.yaml:12: dialects[1].sources.s3://x/: there is no source "nowhere"`,
		`edge.yaml:14: dialects[1].keys[0].key: 2 characters that are not hex`,
		`edge.yaml:15: dialects[1].keys[1].salt: is missing`,
		`edge.yaml:16: dialects[1].signature_size: 40 is not within 0–32`,
		`edge.yaml:17: dialects[1].source_key: 4 characters that are no key`,
		`edge.yaml:18: dialects[1].presets.a: unknown option "nope"`,
		`edge.yaml:18: dialects[1].presets.c: `,
		`edge.yaml:19: dialects[1].replacements[0]: `,
		`edge.yaml:20: dialects[1].preferred_formats[0]: "bmp" is none of`,
		`edge.yaml:21: dialects[1].watermark: "missing" is no source/key`,
		`edge.yaml:22: dialects[1].flavor: is no setting of a mount of imgproxy`,
		`edge.yaml:23: dialects[2].prefix: "/v1/x" lies under a path of the server's own`,
		`edge.yaml:23: dialects[2]: has no keys`,
		`edge.yaml:24: dialects[3].prefix: "no-slash/" is no prefix`,
		`edge.yaml:24: dialects[3].unsigned: contradicts keys`,
		`edge.yaml:25: dialects[4]: needs a prefix, a host, or both`,
		`edge.yaml:26: dialects[4].key: "MY_SECURE_KEY" is a published example`,
		`edge.yaml:27: dialects[4].algorithm: `,
		`edge.yaml:28: dialects[4].truncate: `,
		`edge.yaml:29: dialects[4].flavor: "both" is none of`,
		`edge.yaml:30: dialects[4].scheme: "ftp" is none of`,
		`edge.yaml:31: dialects[4].source: there is no source "nowhere"`,
		`edge.yaml:32: dialects[4].presets_only: is no setting of a mount of thumbor`,
		`edge.yaml:33: dialects[5].host: "img.example.com:80" is no host`,
		`edge.yaml:33: dialects[5].key: "mysecret" is a published example`,
		`edge.yaml:34: dialects[6].key: is missing; give one, or say unsafe: true`,
		`edge.yaml:35: dialects[7]: one of this and dialects[6] lies below the other: "/t/deep", "/t"`,
		`edge.yaml:37: dialects[9]: one of this and dialects[8] lies below the other`,
		`edge.yaml:38: dialects[10].base_params: `,
		`edge.yaml:39: dialects[11].sources: is empty`,
		`edge.yaml:40: dialects[12].prefix: "/dots/.." is no prefix`,
		`edge.yaml:41: dialects[13].kez: is no setting; did you mean "key"?`,
		`edge.yaml:41: dialects[13].key: is missing`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("problems lack %q", want)
		}
	}
	if strings.Contains(got, "dialects[1].presets.b") {
		t.Error("a preset that names a bad one is called bad itself")
	}
	if strings.Contains(got, `lies below the other: ""`) {
		t.Error("a mount without a place is said to hide others")
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestMountSecrets(t *testing.T) {
	file := writeConfig(t, `sources: {shop: {dir: photos, unsigned: true}}
dialects:
  - {dialect: imgproxy, prefix: /a, keys: [{key_file: key, salt: 68756e74657232}], source_key_file: source, trusted_signatures_file: trusted, sources: {"local:///": shop}}
  - {dialect: thumbor, prefix: /b, key_file: thumbor, source: shop}
  - {dialect: imgproxy, prefix: /c, trusted_signatures: [hunter2hunter2], sources: {"local:///": shop}}
`)
	for name, text := range map[string]string{
		"key": "68756e74657232\n", "source": strings.Repeat("68756e7465723200", 2), "trusted": "hunter2a\nhunter2b\n", "thumbor": "hunter2\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := Load(file, []string{"EDGE_DIALECTS_1_TRUNCATE=20", "EDGE_DIALECTS_0_KEYS_1_KEY=6f6c6465", "EDGE_DIALECTS_0_KEYS_1_SALT=6f6c64"}, Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	a, b := &cfg.Dialects[0], &cfg.Dialects[1]
	if string(a.Keys[0].Key) != "68756e74657232" || len(a.Keys) != 2 || string(a.Keys[1].Key) != "6f6c6465" || len(a.TrustedSignatures) != 2 || string(a.TrustedSignatures[1]) != "hunter2b" || len(a.SourceKey) != 32 {
		t.Errorf("imgproxy: %d keys, %d trusted signatures, a source key of %d characters", len(a.Keys), len(a.TrustedSignatures), len(a.SourceKey))
	}
	if string(b.Key) != "hunter2" || b.Truncate != 20 {
		t.Errorf("thumbor: key of %d characters, truncate %d", len(b.Key), b.Truncate)
	}
	stdout, stderr, code := run(t, nil, "config", "show", "--config", file)
	if code != exitOK || strings.Contains(stdout, "hunter2") || strings.Contains(stdout, "68756e74657232") || !strings.Contains(stdout, "prefix: /a") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
}

// The memo of verified URLs ends with its configuration.
func TestMountsReload(t *testing.T) {
	dir := photos(t)
	e := start(t, mountConfig(dir))
	all := spellings(t, e)
	for _, s := range all {
		e.get(t, s.host, s.target).wantCode(t, http.StatusOK, "")
	}
	changed := strings.NewReplacer("736563726574", "6f74686572", "my-security-key", "another-key", `"1234"`, `"12345"`, "unsafe: true", "key: another-key").Replace(mountConfig(dir))
	file := filepath.Join(t.TempDir(), "edge.yaml")
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(file, nil, Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Node.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	for _, s := range all[1:] {
		got := e.get(t, s.host, s.target)
		if got.StatusCode != http.StatusForbidden && got.StatusCode != http.StatusBadRequest {
			t.Errorf("%s with the old key: status %d, want 403 or 400", s.name, got.StatusCode)
		}
	}
	e.get(t, "", all[0].target).wantCode(t, http.StatusOK, "")
}
