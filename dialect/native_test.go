package dialect_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/resize"
)

func Example() {
	e := dialect.Split("/shop/a.jpg?fit=cover&ar=4:3&open=w&s=RkSPslI8uCKwBYaY7HzhbjO4i-lDD7J6GcU6Zfd2SvY&w=320")
	fmt.Println(e.Source)
	fmt.Println(e.Signed)
	// here the signature is checked: keyring.Verify(e.Signed, e.Signature, e.KeyID)
	request, err := e.Request(dialect.Rules{Widths: []int{320, 640}, Limits: resize.DefaultLimits()})
	fmt.Println(request.Key, request.Options, err)
	// Output:
	// shop
	// /shop/a.jpg?fit=cover&ar=4:3&open=w
	// a.jpg w=320&fit=cover&ar=4:3 <nil>
}

func ExampleTarget() {
	fmt.Println(dialect.Target("shop", "2026/summer sale/héro.png", "w=640"))
	fmt.Println(dialect.Target("cdn", "https://assets.example.com/a/b.jpg", ""))
	// Output:
	// /shop/2026/summer%20sale/h%C3%A9ro.png?w=640
	// /cdn/https%3A%2F%2Fassets.example.com%2Fa%2Fb.jpg
}

func ExampleParseOptions() {
	o, err := dialect.ParseOptions("p=thumb&w=300", dialect.Rules{Presets: map[string]string{"thumb": "w=200&h=200&fit=cover"}})
	fmt.Println(o, err)
	// Output: w=300&h=200&fit=cover <nil>
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ target, source, signed, signature, kid string }{
		{"/shop/a.jpg?w=300&s=SIG", "shop", "/shop/a.jpg?w=300", "SIG", ""},
		{"/shop/a.jpg?s=SIG", "shop", "/shop/a.jpg", "SIG", ""},
		{"/shop/a.jpg?s=SIG&w=5", "shop", "/shop/a.jpg", "SIG", ""},
		{"/shop/a.jpg?w=300&s=SIG&w=5&s=TWO", "shop", "/shop/a.jpg?w=300", "SIG", ""},
		{"/shop/a.jpg?&s=SIG", "shop", "/shop/a.jpg?", "SIG", ""},
		{"/shop/a.jpg?w=300&kid=k2&s=SIG&kid=k3", "shop", "/shop/a.jpg?w=300&kid=k2", "SIG", "k2"},
		{"/shop/a.jpg?kid=k1&kid=k2&s=SIG", "shop", "/shop/a.jpg?kid=k1&kid=k2", "SIG", "k1"},
		{"/shop/a.jpg?w=300&s=SIG&kid=k3", "shop", "/shop/a.jpg?w=300", "SIG", ""},
		{"/shop/a.jpg?w=300", "shop", "/shop/a.jpg?w=300", "", ""},
		{"/shop/a.jpg", "shop", "/shop/a.jpg", "", ""},
		{"/shop/a&s=b.jpg?w=1&s=SIG", "shop", "/shop/a&s=b.jpg?w=1", "SIG", ""},
		{"/shop/a.jpg?txt=a?s=b&s=SIG", "shop", "/shop/a.jpg?txt=a?s=b", "SIG", ""},
		{"/shop/a.jpg?us=1&s=SIG", "shop", "/shop/a.jpg?us=1", "SIG", ""},
		{"/shop/a.jpg?w=1&s=", "shop", "/shop/a.jpg?w=1", "", ""},
		{"/shop/a.jpg?w=1&s", "shop", "/shop/a.jpg?w=1&s", "", ""},
		{"/shop", "shop", "/shop", "", ""},
		{"/shop?s=SIG", "shop", "/shop", "SIG", ""},
		{"/", "", "/", "", ""},
		{"//shop/a.jpg", "", "//shop/a.jpg", "", ""},
		{"", "", "", "", ""},
		{"shop/a.jpg", "", "shop/a.jpg", "", ""},
		{"?s=SIG", "", "", "SIG", ""},
	} {
		e := dialect.Split(test.target)
		if e.Target != test.target || e.Source != test.source || e.Signed != test.signed || e.Signature != test.signature || e.KeyID != test.kid {
			t.Errorf("Split(%q) = %+v, want %+v", test.target, e, test)
		}
	}
}

// request reads a target whose signature counts as good.
func request(target string, rules dialect.Rules) (dialect.Request, error) {
	return dialect.Split(target).Request(rules)
}

func checkRefused(t *testing.T, target string, got dialect.Request, err error, code, says string) {
	t.Helper()
	var refusal *resize.Error
	if !errors.As(err, &refusal) || refusal.HTTPStatus() != 400 || refusal.Code() != code || !strings.Contains(err.Error(), says) {
		t.Errorf("%q = %+v, %v; want a 400 %s that says %q", target, got, err, code, says)
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		query    string
		options  string
		download string
		expires  int64
	}{
		{"", "", "", 0},
		{"?", "", "", 0},
		{"?w=300&h=200&fit=cover", "w=300&h=200&fit=cover", "", 0},
		{"?ar=4%3A3&crop=1%2C2,3%2c4", "crop=1,2,3,4&ar=4:3", "", 0},
		{"?w=300&exp=1893456000&kid=k2&v=a%2Fb", "w=300&v=a%2Fb", "", 1893456000},
		{"?v=a+b", "v=a%2Bb", "", 0},
		{"?dl=caf%C3%A9%20%221%22.jpg", "", `café "1".jpg`, 0},
		{"?f=raw&dl=a.jpg&exp=9&kid=k&v=1", "f=raw&v=1", "a.jpg", 9},
		{"?w=100&open=w,h,dpr,q,f", "w=100", "", 0},
	} {
		target := "/shop/a.jpg" + test.query
		got, err := request(target+"&s=x", dialect.Rules{})
		if !strings.Contains(target, "?") {
			got, err = request(target+"?s=x", dialect.Rules{})
		}
		if err != nil || got.Source != "shop" || got.Key != "a.jpg" || got.Options.String() != test.options || got.Download != test.download || got.Expires != test.expires {
			t.Errorf("%q = %+v (%s), %v; want %+v", target, got, got.Options, err, test)
		}
	}
}

func TestRequestRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ query, says string }{
		{"w=0", `w: "0" is not allowed; allowed: a whole number from 1 to 16384 (px)`},
		{"w=300&w=300", "w: the option occurs twice"},
		{"w=", "w: the value is empty"},
		{"w", "w: the value is empty"},
		{"dl=", `"dl": the value is empty`},
		{"width=3", `unknown option "width"`},
		{"&w=3", "an option is empty"},
		{"w=3&", "an option is empty"},
		{"w=3&&h=4", "an option is empty"},
		{"=3", "an option is empty"},
		{"w=%3", "percent-encoded"},
		{"%77=3", `unknown option "%77"`},
		{"exp=0", "exp"},
		{"exp=x", "exp"},
		{"exp=-1", "exp"},
		{"exp=+1", "exp"},
		{"exp=01", "exp"},
		{"exp=10000000000", "exp"},
		{"exp=1&exp=1", "exp: the option occurs twice"},
		{"kid=a&kid=b", "kid: the option occurs twice"},
		{"dl=a&dl=b", "dl: the option occurs twice"},
		{"p=a&p=a", ""},
		{"open=w&open=h", "open: the option occurs twice"},
		{"dl=a%2Fb", "dl"},
		{"dl=a%5Cb", "dl"},
		{"dl=a%0D%0ASet-Cookie:%20x", "dl"},
		{"dl=%00", "dl"},
		{"dl=%FF", "dl"},
		{"dl=..", "dl"},
		{"dl=" + strings.Repeat("a", 256), "dl"},
		{"gx=-5", "gx"},
		{"g=face", "g=face: "},
		{"wm=shop%2F..%2Fa.png", "wm"},
		{"wm=Shop%2Fa.png", "wm"},
		{"f=raw&w=3", "w: f=raw"},
		{"f=raw&open=w", "open: f=raw"},
		{"f=png&q=80", "q: f=png"},
	} {
		target := "/shop/a.jpg?" + test.query + "&s=x"
		got, err := request(target, dialect.Rules{})
		checkRefused(t, target, got, err, "bad_option", test.says)
	}
}

// Ruling 10: names that only dialects can say are unknown to a native URL.
func TestRuling10CanonicalOnlyNames(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"_ac=avif", "_cg=north", "_=1", "p=x"} {
		target := "/shop/a.jpg?" + query
		got, err := request(target, dialect.Rules{Unsigned: true, Free: true, Presets: map[string]string{"x": "_ac=avif"}})
		checkRefused(t, target, got, err, "bad_option", "unknown option")
	}
}

// Ruling 5: the box against the limits, before any fetch.
func TestRuling5BoxLimits(t *testing.T) {
	t.Parallel()
	rules := dialect.Rules{Limits: resize.DefaultLimits()}
	for query, says := range map[string]string{
		"w=16384&dpr=2":   "limits.output_side is 16384",
		"w=16384&h=16384": "limits.output_pixels is 50000000",
	} {
		got, err := request("/shop/a.jpg?"+query+"&s=x", rules)
		checkRefused(t, query, got, err, "bad_option", says)
	}
	if _, err := request("/shop/a.jpg?w=8192&dpr=2&s=x", rules); err != nil {
		t.Errorf("a box of 16384 px: %v", err)
	}
}

// Ruling 6: one value, one spelling, in URLs as in presets.
func TestRuling6Spelling(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"w=05", "w=+5", "w=5.0", "w=1e2", "w=%205", "dpr=.5", "dpr=2.", "rot=-90", "bri=+5", "enlarge=true", "exp=1.0"} {
		got, err := request("/shop/a.jpg?"+query+"&s=x", dialect.Rules{})
		checkRefused(t, query, got, err, "bad_option", "not allowed")
	}
	upper, err := request("/shop/a.jpg?bg=FFAA00&s=x", dialect.Rules{})
	lower, errLower := request("/shop/a.jpg?bg=ffaa00&s=x", dialect.Rules{})
	if err != nil || errLower != nil || upper != lower {
		t.Errorf("bg in upper and lower case: %v %v, %v %v", upper, err, lower, errLower)
	}
}

// Ruling 7: what may stand behind the signature.
func TestRuling7Open(t *testing.T) {
	t.Parallel()
	widths := dialect.Rules{Widths: []int{320, 640, 4000}, Limits: resize.DefaultLimits()}
	for _, test := range []struct {
		target string
		rules  dialect.Rules
		want   string
		says   string
	}{
		{"/shop/a.jpg?open=w&s=x&w=320", widths, "w=320", ""},
		{"/shop/a.jpg?open=w&s=x", widths, "", ""},
		{"/shop/a.jpg?fit=cover&ar=4:3&open=w,h,dpr,q,f&s=x&f=webp&q=75&dpr=1.5&h=640&w=320", widths, "w=320&h=640&dpr=1.5&fit=cover&ar=4:3&f=webp&q=75", ""},
		{"/shop/a.jpg?open=w%2Ch&s=x&h=640", widths, "h=640", ""},
		{"/shop/a.jpg?open=w,dpr&s=x&dpr=1", widths, "", ""},
		{"/shop/a.jpg?open=f&s=x&f=auto", widths, "", ""},
		{"/shop/a.jpg?open=f&s=x&f=gif", widths, "f=gif", ""},
		{"/shop/a.jpg?w=55&open=h&s=x&h=320", widths, "w=55&h=320", ""},
		{"/shop/a.jpg?open=w&s=x&w=300", widths, "", "w: 300 is not allowed without a signature; allowed: 320, 640, 4000"},
		{"/shop/a.jpg?open=w&s=x&w=320", dialect.Rules{}, "", "no widths"},
		{"/shop/a.jpg?open=w&s=x&h=320", widths, "", "not opened"},
		{"/shop/a.jpg?s=x&w=320", widths, "", "not opened"},
		{"/shop/a.jpg?open=w&w=320&s=x&w=320", widths, "", "w: the option occurs twice"},
		{"/shop/a.jpg?open=w&s=x&w=320&w=320", widths, "", "w: the option occurs twice"},
		{"/shop/a.jpg?open=fit&s=x&fit=cover", widths, "", "open"},
		{"/shop/a.jpg?open=p&s=x&p=a", widths, "", "open"},
		{"/shop/a.jpg?open=w,w&s=x&w=320", widths, "", "open"},
		{"/shop/a.jpg?open=w,&s=x&w=320", widths, "", "open"},
		{"/shop/a.jpg?open=&s=x", widths, "", "open"},
		{"/shop/a.jpg?open=w&s=x&fit=cover", widths, "", "not opened"},
		{"/shop/a.jpg?open=w&s=x&exp=9", widths, "", "not opened"},
		{"/shop/a.jpg?open=w&s=x&kid=k1", widths, "", "not opened"},
		{"/shop/a.jpg?s=x&open=w&w=320", widths, "", "not opened"},
		{"/shop/a.jpg?open=w&s=x&", widths, "", "empty"},
		{"/shop/a.jpg?open=w&s=x&&w=320", widths, "", "empty"},
		{"/shop/a.jpg?open=w&s=x&w=", widths, "", "empty"},
		{"/shop/a.jpg?open=dpr&s=x&dpr=1.25", widths, "", "1, 1.5, 2 and 3"},
		{"/shop/a.jpg?open=q&s=x&q=72", widths, "", "multiples of 5"},
		{"/shop/a.jpg?open=q&s=x&q=auto", widths, "", "multiples of 5"},
		{"/shop/a.jpg?open=f&s=x&f=json", widths, "", "f: json"},
		{"/shop/a.jpg?open=f&s=x&f=raw", widths, "", "f: raw"},
		{"/shop/a.jpg?open=f&s=x&f=best", widths, "", "f: best"},
		{"/shop/a.jpg?open=w,dpr&s=x&w=4000&dpr=3", dialect.Rules{Widths: []int{4000}, Limits: resize.Limits{OutputSide: 10000}}, "", "limits.output_side"},
	} {
		got, err := request(test.target, test.rules)
		if test.says != "" {
			checkRefused(t, test.target, got, err, "bad_option", test.says)
			continue
		}
		if err != nil || got.Options.String() != test.want {
			t.Errorf("%q = %q, %v; want %q", test.target, got.Options, err, test.want)
		}
	}
	open, err := request("/shop/a.jpg?fit=cover&open=w&s=x&w=320", widths)
	closed, errClosed := request("/shop/a.jpg?w=320&fit=cover&s=x", widths)
	if err != nil || errClosed != nil || open != closed {
		t.Errorf("open and closed URL of one meaning differ: %s", cmp.Diff(open, closed))
	}
}

// Ruling 8: default first, then p left to right, then the URL's own options.
func TestRuling8Presets(t *testing.T) {
	t.Parallel()
	rules := dialect.Rules{Presets: map[string]string{
		"default": "q=70&meta=copyright", "thumb": "w=200&h=200&fit=cover", "big": "w=1000", "png": "f=png", "text": "v=a%26b", "bad": "exp=5",
	}}
	for query, want := range map[string]string{
		"":                      "q=70&meta=copyright",
		"q=60":                  "q=60&meta=copyright",
		"p=thumb":               "w=200&h=200&fit=cover&q=70&meta=copyright",
		"p=thumb,big":           "w=1000&h=200&fit=cover&q=70&meta=copyright",
		"p=big,thumb":           "w=200&h=200&fit=cover&q=70&meta=copyright",
		"p=big%2Cthumb":         "w=200&h=200&fit=cover&q=70&meta=copyright",
		"h=5&p=thumb&meta=none": "w=200&h=5&fit=cover&q=70",
		"f=png":                 "f=png&meta=copyright",
		"p=png":                 "f=png&meta=copyright",
		"f=raw":                 "f=raw",
		"p=text":                "q=70&meta=copyright&v=a%26b",
	} {
		separator := "?"
		if query != "" {
			separator = "&"
		}
		target := strings.TrimSuffix("/shop/a.jpg?"+query, "?") + separator + "s=x"
		got, err := request(target, rules)
		if err != nil || got.Options.String() != want {
			t.Errorf("%q = %q, %v; want %q", target, got.Options, err, want)
		}
	}
	for query, says := range map[string]string{
		"p=nope": `p: "nope"`, "p=thumb,": `p: ""`, "p=": "empty", "p=bad": "a preset may not use it", "p=thumb&p=big": "twice", "p=big&f=raw": "p: f=raw",
		"p=png&q=5": "q: f=png", "p=%zz": "percent",
	} {
		got, err := request("/shop/a.jpg?"+query+"&s=x", rules)
		checkRefused(t, query, got, err, "bad_option", says)
	}
}

func TestRuling8ValidatePreset(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "w=200&h=200&fit=cover", "q=80", "wmg=north&wmo=0.5", "f=webp&lossless=1", "g=fp&fx=0.5&fy=0.5", "fx=0.5&fy=0.5", "f=raw"} {
		if err := dialect.ValidatePreset(text); err != nil {
			t.Errorf("ValidatePreset(%q): %v", text, err)
		}
	}
	for text, says := range map[string]string{
		"p=a": "may not", "exp=5": "may not", "kid=a": "may not", "open=w": "may not", "dl=a": "may not", "s=abc": "unknown option", "_ac=avif": "unknown option",
		"w=0": "w", "w=5&w=6": "twice", "w=5&": "empty", "f=png&q=80": "q: f=png", "g=face": "g=face: ", "gx=-5": "gx", "nope=1": "unknown option",
	} {
		if err := dialect.ValidatePreset(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("ValidatePreset(%q) = %v, want %q", text, err, says)
		}
	}
}

// Ruling 11: keys are decoded once, and nothing in them leads elsewhere.
func TestRuling11Keys(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"a.jpg": "a.jpg", "2026/summer%20sale/h%C3%A9ro.png": "2026/summer sale/héro.png", "100%25.jpg": "100%.jpg", "a%2Fb.jpg": "a/b.jpg",
		"a+b.jpg": "a+b.jpg", "%E6%BC%A2.png": "漢.png", ".hidden/a.jpg": ".hidden/a.jpg", "...": "...", "a..b/..c": "a..b/..c", "50%25%20off.jpg": "50% off.jpg",
		"a%2520b.jpg": "a%20b.jpg", "a;b=c,d.jpg": "a;b=c,d.jpg", "a%3Fb%23c.jpg": "a?b#c.jpg", "C%3A/x": "C:/x", strings.Repeat("a", 1024): strings.Repeat("a", 1024),
		"a%25zz.jpg": "a%zz.jpg", "é.jpg": "é.jpg",
	} {
		got, err := request("/shop/"+raw+"?s=x", dialect.Rules{})
		if err != nil || got.Key != want {
			t.Errorf("key %q = %q, %v; want %q", raw, got.Key, err, want)
		}
	}
	for raw, says := range map[string]string{
		"": "empty", "/a.jpg": "empty segment", "a//b.jpg": "empty segment", "a/": "empty segment", "%2Fa.jpg": "empty segment", "a%2F%2Fb": "empty segment",
		".": "segment", "..": "segment", "a/../b": "segment", "a/./b": "segment", "%2e%2e/a": "segment", "%2E": "segment", "a%2f..%2fb": "segment",
		"%252e%252e/a": "segment", "%252e": "segment", "..%252fa": "encoded twice", "a%252Fb": "encoded twice", "a%255cb": "backslash", `a\b`: "backslash", "a%5Cb": "backslash",
		"a%00b": "control", "a%0ab": "control", "a%7Fb": "control", "a%2500b": "control", "a%C2%85b": "control", "a\x01b": "control",
		"%FF": "UTF-8", "a%25FFb": "UTF-8", "%C3%28": "UTF-8", "a%zz": "percent-encoded", "a%": "percent-encoded", "a%2": "percent-encoded",
		"%25%252e%252e%25": "", strings.Repeat("a", 1025): "1024", "%25zz%25%25%35%63": "",
	} {
		got, err := request("/shop/"+raw+"?s=x", dialect.Rules{})
		if says == "" {
			continue // either answer is sound; it must only be one
		}
		checkRefused(t, raw, got, err, "bad_key", says)
	}
	for _, target := range []string{"/shop?s=x", "/shop/?s=x"} {
		got, err := request(target, dialect.Rules{})
		checkRefused(t, target, got, err, "bad_key", "empty")
	}
}

// Ruling 11: the key of an open HTTP source.
func TestRuling11OpenHTTP(t *testing.T) {
	t.Parallel()
	rules := dialect.Rules{OpenHTTP: true}
	for raw, want := range map[string]string{
		"https%3A%2F%2Fassets.example.com%2Fa%2Fb.jpg":  "https://assets.example.com/a/b.jpg",
		"http%3A%2F%2F%5B%3A%3A1%5D%3A8080%2Fa.jpg":     "http://[::1]:8080/a.jpg",
		"https://assets.example.com/a/b.jpg":            "https://assets.example.com/a/b.jpg",
		"https%3A%2F%2Fh%2Fa.jpg%3Fx%3D1%26y%3D..%2F..": "https://h/a.jpg?x=1&y=../..",
		"https%3A%2F%2Fh":               "https://h",
		"https%3A%2F%2Fh%2F":            "https://h/",
		"https%3A%2F%2Fh%2Fa%2520b.jpg": "https://h/a%20b.jpg",
	} {
		got, err := request("/cdn/"+raw+"?s=x", rules)
		if err != nil || got.Key != want {
			t.Errorf("key %q = %q, %v; want %q", raw, got.Key, err, want)
		}
	}
	for raw, says := range map[string]string{
		"": "empty", "a.jpg": "absolute", "%2F%2Fh%2Fa.jpg": "absolute", "ftp%3A%2F%2Fh%2Fa.jpg": "absolute", "file%3A%2F%2F%2Fetc%2Fpasswd": "absolute",
		"https%3A%2F%2F%2Fa.jpg": "absolute", "https%3Ah%2Fa": "absolute", "https%3A%2F%2Fh%3Axx%2Fa": "absolute", "gopher%3A%2F%2Fh%2F": "absolute",
		"https%3A%2F%2Fu%3Ap@h%2Fa.jpg": "user-info", "https%3A%2F%2Fu@h%2Fa.jpg": "user-info", "https%3A%2F%2F@h%2Fa.jpg": "user-info", "https%3A%2F%2Fh%2Fa.jpg%23x": "fragment", "https%3A%2F%2Fh%2Fa.jpg%23": "fragment",
		"https%3A%2F%2Fh%2F..%2Fa": "segment", "https%3A%2F%2Fh%2F%252e%252e%2Fa": "segment", "https%3A%2F%2Fh%2F%2Fa": "segment", "https%3A%2F%2Fh%2Fa%5Cb": "backslash",
		"https%3A%2F%2Fh%5C@x%2Fa": "backslash", "https%3A%2F%2Fh%2Fa%252Fb": "encoded twice", "https%3A%2F%2Fh%2Fa%0Ab": "control", "https%3A%2F%2Fh%2Fa%250Ab": "control", "https%3A%2F%2Fh%2F%FF": "UTF-8",
		"https%3A%2F%2Fh%2F" + strings.Repeat("a", 1024): "1024",
	} {
		got, err := request("/cdn/"+raw+"?s=x", rules)
		checkRefused(t, raw, got, err, "bad_key", says)
	}
}

// Ruling 43: what an unsigned source takes.
func TestRuling43Unsigned(t *testing.T) {
	t.Parallel()
	strict := dialect.Rules{Unsigned: true, Widths: []int{320, 640}, Presets: map[string]string{"thumb": "w=200&blur=0.5", "card": "w=200&fit=cover"}}
	free := strict
	free.Free = true
	for query, want := range map[string]string{
		"": "", "w=320": "w=320", "h=640&dpr=2&q=75&f=webp": "h=640&dpr=2&f=webp&q=75", "p=card": "w=200&fit=cover", "p=card&w=640": "w=640&fit=cover", "f=auto": "",
	} {
		got, err := request("/local/a.jpg?"+query, strict)
		if err != nil || got.Options.String() != want {
			t.Errorf("unsigned %q = %q, %v; want %q", query, got.Options, err, want)
		}
	}
	for query, says := range map[string]string{
		"w=300": "320, 640", "h=1": "320, 640", "dpr=1.1": "1.5", "q=81": "multiples of 5", "f=raw": "f: raw", "f=json": "f: json", "fit=cover": "unsigned",
		"v=1": "unsigned", "dl=a": "unsigned", "exp=9": "unsigned", "kid=k": "unsigned", "open=w": "unsigned", "s=x": "no signature", "w=320&s=x": "no signature", "p=nope": "p",
		"nope=1": "unsigned", "blur=5": "unsigned",
	} {
		got, err := request("/local/a.jpg?"+query, strict)
		checkRefused(t, query, got, err, "bad_option", says)
	}
	for query, want := range map[string]string{
		"w=300&fit=cover&h=7": "w=300&h=7&fit=cover", "f=raw&v=1&dl=a&exp=5": "f=raw&v=1", "f=json": "f=json", "q=81": "q=81", "dpr=1.1": "dpr=1.1",
	} {
		got, err := request("/local/a.jpg?"+query, free)
		if err != nil || got.Options.String() != want {
			t.Errorf("free %q = %q, %v; want %q", query, got.Options, err, want)
		}
	}
	for query, says := range map[string]string{"kid=k": "without a signature", "open=w": "without a signature", "s=x": "no signature", "w=0": "w"} {
		got, err := request("/local/a.jpg?"+query, free)
		checkRefused(t, query, got, err, "bad_option", says)
	}
}

// Ruling 55: no source in front of an empty segment; one signature.
func TestRuling55(t *testing.T) {
	t.Parallel()
	if e := dialect.Split("//shop/a.jpg?s=x"); e.Source != "" {
		t.Errorf("Split of a double slash has source %q", e.Source)
	}
	got, err := request("//shop/a.jpg?s=x", dialect.Rules{})
	checkRefused(t, "//shop/a.jpg", got, err, "bad_key", "source")
	for _, target := range []string{"/shop/a.jpg?w=5&s=x&s=x", "/shop/a.jpg?s=x&s=y", "/shop/a.jpg?open=w&s=x&w=320&s=x"} {
		got, err := request(target, dialect.Rules{Widths: []int{320}})
		checkRefused(t, target, got, err, "bad_option", "s: the option occurs twice")
	}
}

// Ruling 1: what is wrong with a URL is not said before its signature is known to be good, and the
// expiry is known before anything else is read.
func TestRuling1ExpiresFirst(t *testing.T) {
	t.Parallel()
	e := dialect.Split("/shop/%zz?nonsense&exp=5&w=0&s=x")
	if exp, err := e.Expires(); err != nil || exp != 5 {
		t.Errorf("Expires of a bad URL = %d, %v; want 5", exp, err)
	}
	if exp, err := dialect.Split("/shop/a.jpg?w=5&s=x&exp=5").Expires(); err != nil || exp != 0 {
		t.Errorf("Expires reads an unsigned exp: %d, %v", exp, err)
	}
	if exp, err := dialect.Split("/shop/a.jpg?exp=5x&s=x").Expires(); err == nil {
		t.Errorf("Expires of 5x = %d, want a refusal", exp)
	}
}

func TestParseOptions(t *testing.T) {
	t.Parallel()
	rules := dialect.Rules{Presets: map[string]string{"default": "q=70"}, Limits: resize.DefaultLimits(), Unsigned: true}
	for query, want := range map[string]string{"": "q=70", "w=300&f=webp": "w=300&f=webp&q=70"} {
		if o, err := dialect.ParseOptions(query, rules); err != nil || o.String() != want {
			t.Errorf("ParseOptions(%q) = %q, %v; want %q", query, o, err, want)
		}
	}
	for _, query := range []string{"w=0", "exp=5", "kid=a", "open=w", "dl=a", "s=x", "w=1&s=x", "_ac=avif", "?w=5", "w=16384&h=16384", "w=5&"} {
		if o, err := dialect.ParseOptions(query, rules); err == nil {
			t.Errorf("ParseOptions(%q) = %q, want a refusal", query, o)
		}
	}
}

func TestTargetIsRead(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"a.jpg", "a b/c+d&e=f?g#h%.jpg", "é/漢.png", "100%25.jpg", "a;b,c:d@e!'().jpg"} {
		target := dialect.Target("shop", key, "w=5")
		got, err := request(target, dialect.Rules{Unsigned: true, Free: true})
		if err != nil || got.Key != key || got.Options.Width != 5 {
			t.Errorf("Target of %q = %q, read as %+v, %v", key, target, got, err)
		}
	}
	const absolute = "https://assets.example.com/a%20b.jpg?x=1&y=2"
	if got, err := request(dialect.Target("cdn", absolute, ""), dialect.Rules{OpenHTTP: true, Unsigned: true, Free: true}); err != nil || got.Key != absolute {
		t.Errorf("Target of %q read as %q, %v", absolute, got.Key, err)
	}
}

func TestValidSource(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"shop": true, "0": true, "a-b-": true, strings.Repeat("a", 32): true, strings.Repeat("a", 33): false, "": false, "-a": false, "Shop": false, "a_b": false, "a.b": false, "é": false,
	} {
		if got := dialect.ValidSource(name); got != want {
			t.Errorf("ValidSource(%q) = %t, want %t", name, got, want)
		}
	}
}

const ordinary = "/shop/2026/summer/hero.png?w=640&h=480&fit=cover&f=webp&q=85&open=dpr&s=RkSPslI8uCKwBYaY7HzhbjO4i-lDD7J6GcU6Zfd2SvY&dpr=2"

func TestAllocations(t *testing.T) {
	rules := dialect.Rules{Widths: []int{320}, Limits: resize.DefaultLimits()}
	if n := testing.AllocsPerRun(100, func() { _ = dialect.Split(ordinary) }); n != 0 {
		t.Errorf("Split allocates %v times, want 0", n)
	}
	const ceiling = 2
	n := testing.AllocsPerRun(100, func() {
		if _, err := request(ordinary, rules); err != nil {
			t.Fatal(err)
		}
	})
	if n > ceiling {
		t.Errorf("Split and Request allocate %v times, want at most %d", n, ceiling)
	}
}

func BenchmarkNative(b *testing.B) {
	rules := dialect.Rules{Widths: []int{320}, Limits: resize.DefaultLimits()}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := request(ordinary, rules); err != nil {
			b.Fatal(err)
		}
	}
}

// The targets of the published vectors are cut where their signed text ends, and are served.
func TestVectorsAreRead(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ signed, signature, key, options string }{
		{"/shop/a.jpg?w=300", "&s=dq0g2YUAXYq-x4bripmOF0cKp5USoLJaH74FGV9RN6s", "a.jpg", "w=300"},
		{"/shop/a.jpg", "?s=Ehpm1ZhHbLm1e8k1d-zZhIEQZUTFdwWPa27Nft5IrTU", "a.jpg", ""},
		{"/shop/2026/summer%20sale/h%C3%A9ro.png?w=640&h=480&fit=cover&f=webp&q=80", "&s=-AaumlwC-DmZ62X-RiXQ99hpDaptYy0MWH8hEEIC3Os", "2026/summer sale/héro.png", "w=640&h=480&fit=cover&f=webp&q=80"},
		{"/shop/a.jpg?fit=cover&ar=4:3&open=w", "&s=RkSPslI8uCKwBYaY7HzhbjO4i-lDD7J6GcU6Zfd2SvY", "a.jpg", "fit=cover&ar=4:3"},
		{"/cdn/https%3A%2F%2Fassets.example.com%2Fa%2Fb.jpg?w=200&exp=1893456000", "&s=f8--e-sjzs7Td4PAX8WAZ3dMBYJBZRsHuhrWMTDhdB4", "https://assets.example.com/a/b.jpg", "w=200"},
		{"/shop/a.jpg?w=300&kid=k2", "&s=Q_ekVeQUV8RjJmrcxeO7algOk2XbOhm05xUtAO3_Isg", "a.jpg", "w=300"},
	} {
		e := dialect.Split(test.signed + test.signature)
		got, err := e.Request(dialect.Rules{OpenHTTP: e.Source == "cdn"})
		if e.Signed != test.signed || e.Signature != test.signature[3:] || err != nil || got.Key != test.key || got.Options.String() != test.options {
			t.Errorf("%s%s = %+v, %+v, %v", test.signed, test.signature, e, got, err)
		}
	}
}
