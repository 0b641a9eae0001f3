package dialect_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/signing"
)

// imgproxyMount is a mount with a source of each kind.
func imgproxyMount() *dialect.ImgproxyMount {
	limits := resize.DefaultLimits()
	return &dialect.ImgproxyMount{
		Sources: map[string]string{"local:///": "local", "s3://shop/": "shop", "https://": "cdn", "http://": "cdn", "https://assets.example.com/": "assets"},
		About: map[string]dialect.MountSource{
			"local": {Limits: limits}, "shop": {Limits: limits}, "cdn": {OpenHTTP: true, Limits: limits},
			"assets": {Base: "https://assets.example.com/img/", Limits: limits},
		},
		Presets: map[string]string{
			"card": "rs:fill:120:80", "self": "w:100/pr:self:card", "sized": "pr:card/h:60", "broken": "w:x", "loop": "pr:back/w:10", "back": "pr:loop/h:20",
		},
		Watermark: "logo",
	}
}

// askImgproxy reads the path of an image that is local:///a.jpg.
func askImgproxy(m *dialect.ImgproxyMount, options string) (dialect.Request, error) {
	return m.Request(m.Split("/sig/" + options + "/plain/local:///a.jpg"))
}

func ExampleImgproxyMount() {
	mount := dialect.ImgproxyMount{
		Sources: map[string]string{"https://": "cdn"},
		About:   map[string]dialect.MountSource{"cdn": {OpenHTTP: true}},
	}
	keys := signing.Imgproxy{Pairs: []signing.Salted{{Key: []byte("secret"), Salt: []byte("hello")}}}
	target := keys.SignPath("/rs:fill:300:400/g:no/plain/https://example.com/images/curiosity.jpg@png")
	e := mount.Split(target)
	fmt.Println(e.Check(), keys.Verify(e.Path, e.Signature))
	request, err := mount.Request(e)
	fmt.Println(request.Source, request.Key, err)
	fmt.Println(request.Options)
	// Output:
	// <nil> <nil>
	// cdn https://example.com/images/curiosity.jpg <nil>
	// w=300&h=400&fit=cover&g=north&f=png&meta=copyright
}

func TestImgproxySplit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		target string
		want   dialect.ImgproxyEnvelope
	}{
		{"/sig/w:1/plain/local:///a.jpg?x=1", dialect.ImgproxyEnvelope{Signature: "sig", Path: "/w:1/plain/local:///a.jpg", Sent: "/w:1/plain/local:///a.jpg", Query: "?x=1"}},
		{"/sig/rs%3Afill%3A300%3A200/abc/abc", dialect.ImgproxyEnvelope{Signature: "sig", Path: "/rs:fill:300:200/abc/abc", Sent: "/rs%3Afill%3A300%3A200/abc/abc"}},
		{"/sig/plain/https:/example.com/i.jpg", dialect.ImgproxyEnvelope{Signature: "sig", Path: "/plain/https://example.com/i.jpg", Sent: "/plain/https:/example.com/i.jpg"}},
		{"/sig/plain/local:/image.jpg", dialect.ImgproxyEnvelope{Signature: "sig", Path: "/plain/local:///image.jpg", Sent: "/plain/local:/image.jpg"}},
		{"/sig/plain/https%3A/example.com/i.jpg", dialect.ImgproxyEnvelope{Signature: "sig", Path: "/plain/https%3A/example.com/i.jpg", Sent: "/plain/https%3A/example.com/i.jpg"}},
		{"/sig/http:/example.com/i.jpg", dialect.ImgproxyEnvelope{Signature: "sig", Path: "/http:/example.com/i.jpg", Sent: "/http:/example.com/i.jpg"}},
		{"/sig/w%3a1/plain/a", dialect.ImgproxyEnvelope{Signature: "sig", Path: "/w%3a1/plain/a", Sent: "/w%3a1/plain/a"}},
		{"/sig/w%3A1/plain/a%3Ab", dialect.ImgproxyEnvelope{Signature: "sig", Path: "/w:1/plain/a%3Ab", Sent: "/w%3A1/plain/a%3Ab"}},
		{"/sig/plain/a/b:/c", dialect.ImgproxyEnvelope{Signature: "sig", Path: "/plain/a/b:/c", Sent: "/plain/a/b:/c"}},
		{"/info/sig/size:1/plain/http:/a", dialect.ImgproxyEnvelope{Signature: "sig", Path: "/size:1/plain/http://a", Sent: "/size:1/plain/http:/a", Info: true}},
		{"/info/", dialect.ImgproxyEnvelope{Info: true}},
		{"//w:1/plain/a", dialect.ImgproxyEnvelope{Path: "/w:1/plain/a", Sent: "/w:1/plain/a"}},
		{"/sig", dialect.ImgproxyEnvelope{Signature: "sig"}},
		{"/sig/", dialect.ImgproxyEnvelope{Signature: "sig"}},
		{"/sig/?a", dialect.ImgproxyEnvelope{Signature: "sig", Query: "?a"}},
		{"/", dialect.ImgproxyEnvelope{}},
		{"", dialect.ImgproxyEnvelope{}},
	} {
		e := (&dialect.ImgproxyMount{}).Split(test.target)
		if e != test.want {
			t.Errorf("Split(%q): %s", test.target, cmp.Diff(test.want, e))
		}
		if err := e.Check(); (err == nil) != (test.want.Path != "") {
			t.Errorf("Check of %q = %v", test.target, err)
		}
	}
}

// The vectors of imgproxy's documentation, and what a proxy makes of them.
func TestImgproxyVectors(t *testing.T) {
	t.Parallel()
	const docs = "/oKfUtW34Dvo2BGQehJFR4Nr0_rIjOtdtzJ3QFsUcXH8/rs:fill:300:400:0/g:ce/aHR0cDovL2V4YW1w/bGUuY29tL2ltYWdl/cy9jdXJpb3NpdHku/anBn.png"
	m := imgproxyMount()
	request, err := m.Request(m.Split(docs))
	want := dialect.Request{
		Source: "cdn", Key: "http://example.com/images/curiosity.jpg",
		Options: resize.Options{Width: 300, Height: 400, Fit: resize.FitCover, Format: resize.FormatPNG, Metadata: resize.MetadataCopyright},
	}
	if err != nil || request != want {
		t.Errorf("Request(%q): %v: %s", docs, err, cmp.Diff(want, request))
	}
	keys := signing.Imgproxy{Pairs: []signing.Salted{{Key: []byte("secret"), Salt: []byte("hello")}}}
	for _, vector := range [][2]string{
		{"oKfUtW34Dvo2BGQehJFR4Nr0_rIjOtdtzJ3QFsUcXH8", "/rs:fill:300:400:0/g:sm/aHR0cDovL2V4YW1w/bGUuY29tL2ltYWdl/cy9jdXJpb3NpdHku/anBn.png"},
		{"oKfUtW34Dvo2BGQehJFR4Nr0_rIjOtdtzJ3QFsUcXH8", "/rs%3Afill%3A300%3A400%3A0/g%3Asm/aHR0cDovL2V4YW1w/bGUuY29tL2ltYWdl/cy9jdXJpb3NpdHku/anBn.png?utm=1"},
		{"v4il5rmSYrVOW341NliE_MPcqrwWLyWyeHNDz9YGFBs", "/rs:fill:300:400:0/g:sm/plain/http://example.com/images/curiosity.jpg@png"},
		{"v4il5rmSYrVOW341NliE_MPcqrwWLyWyeHNDz9YGFBs", "/rs:fill:300:400:0/g:sm/plain/http:/example.com/images/curiosity.jpg@png"},
		{"Q5C97UfJ9gfXNLXqkVaZuQrbid-m6n18CmYZ_2tO6g4", "/plain/local:///image.jpg"},
		{"Q5C97UfJ9gfXNLXqkVaZuQrbid-m6n18CmYZ_2tO6g4", "/plain/local:/image.jpg"},
	} {
		e := m.Split("/" + vector[0] + vector[1])
		if err := keys.Verify(e.Path, e.Signature); err != nil {
			t.Errorf("%q: %v", vector[1], err)
		}
	}
}

func TestImgproxySources(t *testing.T) {
	t.Parallel()
	b64 := base64.RawURLEncoding.EncodeToString
	key := signing.SourceKey(strings.Repeat("k", 32))
	encrypted, err := key.Encrypt("local:///secret.jpg")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, source, key, format string }{
		{"plain/local:///a.jpg", "local", "a.jpg", "keep"},
		{"plain/local:///dir/a%20b.jpg@webp", "local", "dir/a b.jpg", "webp"},
		{"plain/local:///a.jpg@", "local", "a.jpg", "keep"},
		{"plain/local:///a%40b.jpg@png", "local", "a@b.jpg", "png"},
		{"plain/local:///a+b.jpg", "local", "a+b.jpg", "keep"},
		{"plain/local:///100%2525.jpg", "local", "100%25.jpg", "keep"},
		{"plain/s3://shop/2026/a.jpg", "shop", "2026/a.jpg", "keep"},
		{"plain/https://example.com/a.jpg%3Fv=1", "cdn", "https://example.com/a.jpg?v=1", "keep"},
		{"plain/https://example.com/a%20%C3%A9.jpg", "cdn", "https://example.com/a%20%C3%A9.jpg", "keep"},
		{"plain/https://example.com/a%2520%25C3%25A9.jpg", "cdn", "https://example.com/a%20%C3%A9.jpg", "keep"},
		{"plain/https://assets.example.com/img/x%20y.jpg", "assets", "x y.jpg", "keep"},
		{b64([]byte("https://assets.example.com/img/x%20y.jpg")), "assets", "x y.jpg", "keep"},
		{b64([]byte("local:///a.jpg")) + ".avif", "local", "a.jpg", "avif"},
		{b64([]byte("local:///a.jpg")) + "==", "local", "a.jpg", "keep"},
		{b64([]byte("local:///a.jpg"))[:5] + "/" + b64([]byte("local:///a.jpg"))[5:], "local", "a.jpg", "keep"},
		{"enc/" + encrypted, "local", "secret.jpg", "keep"},
		{"enc/" + encrypted[:10] + "/" + encrypted[10:] + ".webp", "local", "secret.jpg", "webp"},
	} {
		m := imgproxyMount()
		m.Decrypt = key.Decrypt
		request, err := m.Request(m.Split("/sig/" + test.path))
		if err != nil || request.Source != test.source || request.Key != test.key || request.Options.Format.String() != test.format {
			t.Errorf("%q is %s %q f=%v, %v; want %s %q f=%s", test.path, request.Source, request.Key, request.Options.Format, err, test.source, test.key, test.format)
		}
	}
}

func TestImgproxySourcesRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ path, code string }{
		{"w:100", "bad_key"},
		{"w:100/plain", "bad_key"},
		{"w:100/plain/", "bad_key"},
		{"plain/@png", "bad_key"},
		{"plain/local:///a.jpg@png@webp", "bad_key"},
		{"plain/local:///%zz.jpg", "bad_key"},
		{"raw", "unknown_source"}, // an option without argument is taken for base64
		{"bG9jYWw6Ly8vYS5qcGc.png.webp", "bad_key"},
		{".png", "bad_key"},
		{"!!!", "bad_key"},
		{"enc/AAAA", "bad_key"},
		{"plain/gs://bucket/a.jpg", "unknown_source"},
		{"plain/a.jpg", "unknown_source"},
		{"plain/local:///../a.jpg", "bad_key"},
		{"plain/local:///a/%252e%252e/b.jpg", "bad_key"},
		{"plain/local:///", "bad_key"},
		{"plain/https://user%40example.com/a.jpg", "bad_key"},
		{"plain/https://user:pw%40example.com/a.jpg", "bad_key"},
		{"plain/https://assets.example.com/other/a.jpg", "bad_key"},
		{"plain/https://assets.example.com/img/a.jpg%3Fv=1", "bad_key"},
		{"fill/300/400/plain/local:///a.jpg", "bad_option"},
		{"auto/plain/local:///a.jpg", "bad_option"},
	} {
		m := imgproxyMount()
		request, err := m.Request(m.Split("/sig/" + test.path))
		var known *resize.Error
		if !errors.As(err, &known) || known.Status != 404 || known.Kind != test.code {
			t.Errorf("%q is %+v, %v; want 404 %s", test.path, request, err, test.code)
		}
	}
}

func TestImgproxyMountSettings(t *testing.T) {
	t.Parallel()
	replace := func(text string) dialect.Replacement {
		r, err := dialect.ParseReplacement(text)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, test := range []struct {
		name   string
		set    func(*dialect.ImgproxyMount)
		path   string
		key    string // with the source
		o      string
		status int
	}{
		{"base URL", func(m *dialect.ImgproxyMount) { m.BaseURL = "s3://shop/" }, "plain/a.jpg@png", "shop/a.jpg", "f=png&meta=copyright", 0},
		{"base URL is there", func(m *dialect.ImgproxyMount) { m.BaseURL = "s3://shop/" }, "plain/s3://shop/a.jpg@png", "shop/a.jpg", "f=png&meta=copyright", 0},
		{"replacement", func(m *dialect.ImgproxyMount) {
			m.Replacements = []dialect.Replacement{replace("my*://*.x/=s3://shop/${2}-${1}/")}
		}, "plain/mys3://pics.x/a.jpg@png", "shop/pics-s3/a.jpg", "f=png&meta=copyright", 0},
		{"replacement only at the start", func(m *dialect.ImgproxyMount) {
			m.Replacements = []dialect.Replacement{replace("a.jpg=b.jpg")}
		}, "plain/s3://shop/a.jpg@png", "shop/a.jpg", "f=png&meta=copyright", 0},
		{"file name", func(m *dialect.ImgproxyMount) { m.Base64Filename = true }, "bG9jYWw6Ly8vYS5qcGc.png/nice-name.jpg", "local/a.jpg", "f=png&meta=copyright", 0},
		{"separator", func(m *dialect.ImgproxyMount) { m.Separator = "," }, "rs,fill,30,20/plain/local:///a:b.jpg@png", "local/a:b.jpg", "w=30&h=20&fit=cover&f=png&meta=copyright", 0},
		{"presets only", func(m *dialect.ImgproxyMount) { m.PresetsOnly = true }, "card:sized/plain/local:///a.jpg@png", "local/a.jpg", "w=120&h=60&fit=cover&f=png&meta=copyright", 0},
		{"presets only: unknown", func(m *dialect.ImgproxyMount) { m.PresetsOnly = true }, "cards/plain/local:///a.jpg", "", "", 404},
		{"presets only: an option", func(m *dialect.ImgproxyMount) { m.PresetsOnly = true }, "w:100/plain/local:///a.jpg", "", "", 403},
		{"presets only: nothing else", func(m *dialect.ImgproxyMount) { m.PresetsOnly = true }, "card", "", "", 404},
		{"default preset", func(m *dialect.ImgproxyMount) { m.Presets["default"] = "q:60/w:50" }, "w:70/plain/local:///a.jpg@jpg", "local/a.jpg", "w=70&f=jpeg&q=60&meta=copyright", 0},
		{"default preset, presets only", func(m *dialect.ImgproxyMount) { m.Presets["default"] = "q:60/w:50"; m.PresetsOnly = true }, "card/plain/local:///a.jpg@jpg", "local/a.jpg", "w=120&h=80&fit=cover&f=jpeg&q=60&meta=copyright", 0},
		{"allowed", func(m *dialect.ImgproxyMount) { m.Allowed = []string{"pr", "w"} }, "pr:card/w:50/plain/local:///a.jpg@jpg", "local/a.jpg", "w=50&h=80&fit=cover&f=jpeg&meta=copyright", 0},
		{"not allowed", func(m *dialect.ImgproxyMount) { m.Allowed = []string{"pr"} }, "width:50/plain/local:///a.jpg@jpg", "", "", 403},
		{"no security options", func(*dialect.ImgproxyMount) {}, "maf:5/plain/local:///a.jpg", "", "", 403},
		{"security options", func(m *dialect.ImgproxyMount) { m.AllowSecurity = true }, "maf:5/mrd:400/w:500/msr:1.5/mafr:1/msfs:1000/plain/local:///a.jpg@jpg", "local/a.jpg", "w=500&_md=400&f=jpeg&frames=5&meta=copyright", 0},
		{"format by Accept", func(m *dialect.ImgproxyMount) { m.AutoFormat = true }, "plain/local:///a.jpg", "local/a.jpg", "_kf=jpeg.png.gif&meta=copyright", 0},
		{"preferred formats", func(m *dialect.ImgproxyMount) { m.Preferred = resize.Formats(resize.FormatWebP) }, "plain/local:///a.jpg", "local/a.jpg", "f=keep&_kf=webp&meta=copyright", 0},
		{"orientation", func(m *dialect.ImgproxyMount) { m.NoOrient = true }, "plain/local:///a.jpg@jpg", "local/a.jpg", "orient=0&f=jpeg&meta=copyright", 0},
		{"orientation asked for", func(m *dialect.ImgproxyMount) { m.NoOrient = true }, "ar:1/plain/local:///a.jpg@jpg", "local/a.jpg", "f=jpeg&meta=copyright", 0},
		{"no such encrypted sources", func(*dialect.ImgproxyMount) {}, "enc/AAAA", "", "", 404},
		{"too large a box", func(*dialect.ImgproxyMount) {}, "w:16384/dpr:2/plain/local:///a.jpg", "", "", 400},
	} {
		m := imgproxyMount()
		test.set(m)
		r, err := m.Request(m.Split("/sig/" + test.path))
		if test.status != 0 {
			var known *resize.Error
			if !errors.As(err, &known) || known.Status != test.status {
				t.Errorf("%s: %q is %v, %v; want %d", test.name, test.path, r.Options, err, test.status)
			}
			continue
		}
		if err != nil || r.Source+"/"+r.Key != test.key || r.Options.String() != test.o {
			t.Errorf("%s: %q is %s/%s %q, %v; want %s %q", test.name, test.path, r.Source, r.Key, r.Options, err, test.key, test.o)
		}
	}
}

// What surrounds the picture, and is no part of the cache key.
func TestImgproxySurroundings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		options string
		want    dialect.Request
	}{
		{"exp:1893456000", dialect.Request{Expires: 1893456000}},
		{"expires:0", dialect.Request{}},
		{"exp:-5", dialect.Request{}},
		{"fn:nice%20name", dialect.Request{Name: "nice name"}},
		{"filename:bmFtZQ:1", dialect.Request{Name: "name"}},
		{"fn:bmFtZQ:0", dialect.Request{Name: "bmFtZQ"}},
		{"att:1", dialect.Request{Download: "a.jpg"}},
		{"att:1/fn:x.png", dialect.Request{Download: "x.png"}},
		{"att:1/att:junk", dialect.Request{}},
		{"ct:red:blue:red", dialect.Request{Tags: "red,blue"}},
		{"fiu:czM6Ly9zaG9wL25vbmUuanBn", dialect.Request{Fallback: "shop/none.jpg"}},
	} {
		m := imgproxyMount()
		r, err := askImgproxy(m, test.options)
		want := test.want
		want.Source, want.Key, want.Options = "local", "a.jpg", r.Options
		if err != nil || r != want {
			t.Errorf("%q: %v: %s", test.options, err, cmp.Diff(want, r))
		}
		if got := m.Expires(m.Split("/sig/" + test.options + "/plain/local:///a.jpg")); got != want.Expires {
			t.Errorf("Expires of %q = %d, want %d", test.options, got, want.Expires)
		}
		plain, err := askImgproxy(m, "w:0")
		if err != nil || plain.Options != r.Options {
			t.Errorf("%q changes the picture: %s", test.options, cmp.Diff(plain.Options, r.Options))
		}
	}
	var known *resize.Error
	if !errors.As(dialect.ImgproxyExpired(), &known) || known.Status != 404 || known.Kind != "expired" {
		t.Errorf("ImgproxyExpired() = %v", known)
	}
}

func TestImgproxyValidate(t *testing.T) {
	t.Parallel()
	good := imgproxyMount()
	delete(good.Presets, "broken")
	if err := good.Validate(); err != nil {
		t.Errorf("Validate: %v", err)
	}
	for name, m := range map[string]*dialect.ImgproxyMount{
		"needs at least one": {},
		"unknown source":     {Sources: map[string]string{"local:///": "nowhere"}},
		"\"broken\"":         imgproxyMount(),
		"there are no":       {Sources: good.Sources, About: good.About, PresetsOnly: true},
	} {
		if err := m.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("Validate = %v, want %q", err, name)
		}
	}
	for _, text := range []string{"", "a", "=b"} {
		if _, err := dialect.ParseReplacement(text); err == nil {
			t.Errorf("ParseReplacement(%q) takes it", text)
		}
	}
}

// A long URL costs little.
func TestImgproxyLongTarget(t *testing.T) {
	t.Parallel()
	m := imgproxyMount()
	m.Presets["wide"] = strings.Repeat("w:1/", 500) + "w:1"
	for _, target := range []string{
		"/sig/" + strings.Repeat("w:1/", 4096),
		"/sig/" + strings.Repeat("pr:wide/", 2048),
		"/sig/pr" + strings.Repeat(":wide", 3000),
		"/sig/" + strings.Repeat(":", 16384),
		"/sig/" + strings.Repeat("a/", 8192),
		"/sig/plain/" + strings.Repeat("%41", 5000),
		"/sig/" + strings.Repeat("%3A", 5000),
	} {
		least := time.Hour
		for range 20 {
			start := time.Now()
			_, _ = m.Request(m.Split(target)) // most are refused
			least = min(least, time.Since(start))
		}
		if least > 5*time.Millisecond { // a fifth of it without the race detector
			t.Errorf("%q… takes %v", target[:20], least)
		}
	}
}

func TestImgproxyInfo(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/info/sig/plain/local:///a.jpg":                                "f=json",
		"/info/sig/size:1/f:0/bh:4:3/avg:1/cb:7/plain/local:///a.jpg@x": "f=json&v=7",
		"/info/sig/bG9jYWw6Ly8vYS5qcGc":                                 "f=json",
		"/info/sig/detect_objects:1/plain/local:///a.jpg":               "",
		"/info/sig/w:100/plain/local:///a.jpg":                          "",
		"/info/sig/msr:5/plain/local:///a.jpg":                          "",
		"/info/sig/size:1":                                              "",
	} {
		m := imgproxyMount()
		m.Presets["default"] = "w:5"
		r, err := m.Request(m.Split(target))
		if (err != nil) != (want == "") || (err == nil && (r.Options.String() != want || r.Source+"/"+r.Key != "local/a.jpg")) {
			t.Errorf("%q is %s/%s %q, %v; want %q", target, r.Source, r.Key, r.Options, err, want)
		}
	}
	e := dialect.ImgproxyMount{}
	if got := e.Expires(e.Split("/info/sig/exp:99/plain/local:///a.jpg")); got != 99 {
		t.Errorf("Expires = %d", got)
	}
}
