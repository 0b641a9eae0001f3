package resize

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	svgHead = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">`
	svgEnd  = `</svg>`
)

func dataURL(t testing.TB, w, h int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

func zipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestCleanSVGDrops holds that nothing of an attack is left, and that what is beside it stays.
func TestCleanSVGDrops(t *testing.T) {
	picture := dataURL(t, 2, 2)
	tests := []struct{ name, inside, not string }{
		{"script", `<script>alert(1)</script>`, "alert"},
		{"script under a prefix", `<x:script xmlns:x="http://www.w3.org/2000/svg">alert(1)</x:script>`, "alert"},
		{"script by link", `<script xlink:href="data:text/javascript,alert(1)"/>`, "alert"},
		{"script in CDATA", `<script><![CDATA[alert(1)]]></script>`, "alert"},
		{"script of HTML", `<h:script xmlns:h="http://www.w3.org/1999/xhtml">alert(1)</h:script>`, "alert"},
		{"script in a title", `<title><script>alert(1)</script></title>`, "alert"},
		{"event", `<rect onload="alert(1)" ONCLICK="alert(1)" width="1"/>`, "alert"},
		{"event in an odd case", `<rect onLoad="alert(1)"/>`, "alert"},
		{"event under a prefix", `<rect xmlns:s="http://www.w3.org/2000/svg" s:onload="alert(1)"/>`, "alert"},
		{"foreign object", `<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><iframe src="http://evil.example"/></body></foreignObject>`, "evil"},
		{"iframe", `<iframe src="http://evil.example"/>`, "evil"},
		{"audio", `<audio src="http://evil.example"/>`, "evil"},
		{"link", `<a xlink:href="javascript:alert(1)"><rect id="kept"/></a>`, "alert"},
		{"link to a site", `<a href="http://evil.example"><rect/></a>`, "evil"},
		{"image of a site", `<image href="http://evil.example/a.png"/>`, "evil"},
		{"image of a site, protocol left out", `<image xlink:href="//evil.example/a.png"/>`, "evil"},
		{"image of a file", `<image xlink:href="file:///etc/passwd"/>`, "passwd"},
		{"image of a path", `<image xlink:href="../secret.png"/>`, "secret"},
		{"image that is SVG", `<image href="data:image/svg+xml;base64,PHN2Zy8+"/>`, "PHN2"},
		{"image that lies", `<image href="data:image/png;base64,PHN2Zy8+"/>`, "PHN2"},
		{"image without base64", `<image href="data:image/png,%89PNG"/>`, "PNG"},
		{"image with two addresses", `<image href="http://evil.example" xlink:href="` + picture + `"/>`, "evil"},
		{"image too large", `<image href="` + hugePNG(t) + `"/>`, "base64"},
		{"use of a file", `<use xlink:href="file:///etc/passwd#a"/>`, "passwd"},
		{"use of a site", `<use href="http://evil.example/#a"/>`, "evil"},
		{"use of data", `<use href="data:image/svg+xml,evil"/>`, "evil"},
		{"base", `<g xml:base="http://evil.example/"/>`, "evil"},
		{"feImage", `<filter id="f"><feImage xlink:href="http://evil.example"/></filter>`, "evil"},
		{"XInclude", `<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>`, "passwd"},
		{"XInclude in text", `<text><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href=".?../../../etc/passwd"/></text>`, "passwd"},
		{"animation", `<rect><set attributeName="href" to="javascript:alert(1)"/><animate attributeName="x" values="alert"/></rect>`, "alert"},
		{"instruction", `<?xml-stylesheet href="http://evil.example/a.css"?>`, "evil"},
		{"comment", `<!-- <script>alert(1)</script> -->`, "alert"},
		{"fill", `<rect fill="url(http://evil.example/#a)"/>`, "evil"},
		{"fill in quotes", `<rect fill="url( 'http://evil.example/#a' )"/>`, "evil"},
		{"mask in capitals", `<rect mask="URL(http://evil.example/#a)"/>`, "evil"},
		{"two in one", `<rect fill="url(#a) url(http://evil.example)"/>`, "evil"},
		{"style attribute", `<rect style="fill:red;background:url(http://evil.example);stroke:blue"/>`, "evil"},
		{"style escaped", `<rect style="background:\75rl(http://evil.example)"/>`, "evil"},
		{"style with an entity", `<rect style="background:&#117;rl(http://evil.example)"/>`, "evil"},
		{"style behind a comment", `<rect style="background:/**/url(http://evil.example)"/>`, "evil"},
		{"style expression", `<rect style="width:expression(alert(1))"/>`, "alert"},
		{"style binding", `<rect style="-moz-binding:url(#x);behavior:url(evil.htc)"/>`, "evil"},
		{"style image-set", `<rect style="background:image-set('http://evil.example' 1x)"/>`, "evil"},
		{"sheet import", `<style>@import url(http://evil.example/a.css);</style>`, "evil"},
		{"sheet import in quotes", `<style>@import 'http://evil.example/a;b.css';rect{fill:red}</style>`, "evil"},
		{"sheet import in capitals", `<style>@IMPORT "http://evil.example/a.css"</style>`, "evil"},
		{"sheet escaped", `<style>@\69mport "http://evil.example/a.css";</style>`, "evil"},
		{"sheet font", `<style>@font-face{font-family:a;src:url(http://evil.example/a.woff)}rect{fill:red}</style>`, "evil"},
		{"sheet font without a block", `<style>rect{}@font-face{src:url('}http://evil.example/a.woff')</style>`, "evil"},
		{"sheet address", `<style>rect{fill:url(http://evil.example/#a)}</style>`, "evil"},
		{"sheet comment left open", `<style>rect{}/* url(http://evil.example)</style>`, "evil"},
		{"sheet of another language", `<style type="text/xsl">evil</style>`, "evil"},
		{"sheet that ends early", `<style>rect{}]]&gt;&lt;/style&gt;&lt;script&gt;alert(1)</style>`, "<script"},
		{"sheet with elements", `<style><script>alert(1)</script></style>`, "alert"},
		{"text that ends early", `<text>&lt;script&gt;alert(1)&lt;/script&gt;</text>`, "<script"},
		{"attribute that ends early", `<rect class="&quot; onload=&quot;alert(1)"/>`, `onload="`},
		{"metadata", `<metadata><rdf xmlns="x">secret</rdf></metadata>`, "secret"},
		{"many octaves", `<filter id="f"><feTurbulence numOctaves="1000"/></filter>`, "1000"},
		{"large matrix", `<filter id="f"><feConvolveMatrix order="3 77"/></filter>`, "77"},
		{"morphology", `<filter id="f"><feMorphology radius="5000"/></filter>`, "5000"},
		{"long text", `<text>` + strings.Repeat("a", 20_000) + `</text>`, "aaa"},
		{"handler", `<handler type="text/ecmascript">alert(1)</handler>`, "alert"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := CleanSVG([]byte(svgHead + tt.inside + `<circle id="beside" r="3"/>` + svgEnd))
			if err != nil {
				t.Fatalf("CleanSVG: %v", err)
			}
			if strings.Contains(string(got), tt.not) {
				t.Errorf("%q is left in %s", tt.not, got)
			}
			if !strings.Contains(string(got), `<circle id="beside" r="3">`) {
				t.Errorf("what is beside it is lost: %s", got)
			}
			checkClean(t, got)
		})
	}
}

// hugePNG is a PNG that claims 20000 × 20000 px.
func hugePNG(t testing.TB) string {
	t.Helper()
	_, body, _ := strings.Cut(dataURL(t, 2, 2), ",")
	data, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		t.Fatal(err)
	}
	copy(data[16:], "\x00\x00\x4e\x20\x00\x00\x4e\x20")
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(data)
}

// TestCleanSVGKeeps holds that drawings stay what they are.
func TestCleanSVGKeeps(t *testing.T) {
	picture := dataURL(t, 3, 2)
	for _, inside := range []string{
		`<path d="M0 0L9 9" fill="#f00" stroke="rgb(1,2,3)"></path>`,
		`<g transform="translate(1 2)" opacity="0.5"><rect width="3"></rect></g>`,
		`<defs><linearGradient id="a" x1="0"><stop offset="0" stop-color="red"></stop></linearGradient></defs><rect fill="url(#a)"></rect>`,
		`<rect fill="url(&#34;#a&#34;) red"></rect>`,
		`<style>.a{fill:url(#g);stroke:#123456}</style><rect class="a b"></rect>`,
		`<rect style="fill:#fff;stroke:url(#g)"></rect>`,
		`<symbol id="s" viewBox="0 0 2 2"></symbol><use xlink:href="#s" x="1"></use>`,
		`<text x="1" font-family="Arial, sans-serif" xml:space="preserve"> A &amp; <tspan dy="1">ü&lt;</tspan></text>`,
		`<image xlink:href="` + picture + `" width="3"></image>`,
		`<filter id="f"><feGaussianBlur stdDeviation="2" in="SourceGraphic"></feGaussianBlur></filter><rect filter="url(#f)"></rect>`,
		`<clipPath id="c" clipPathUnits="userSpaceOnUse"><rect></rect></clipPath><mask id="m"></mask><g mask="url(#m)" clip-path="url(#c)"></g>`,
		`<title>Ada &amp; co</title>`,
	} {
		want := svgHead[:4] + ` xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">` + inside + svgEnd + "\n"
		got, err := CleanSVG([]byte(svgHead + inside + svgEnd))
		if err != nil || string(got) != want {
			t.Errorf("CleanSVG = %s, %v; want %s", got, err, want)
		}
	}
}

func TestCleanSVGReads(t *testing.T) {
	plain := svgHead + `<rect width="1"></rect>` + svgEnd
	want, err := CleanSVG([]byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"svgz":           zipped(t, []byte(plain)),
		"declaration":    []byte(`<?xml version="1.0" encoding="UTF-8"?>` + plain),
		"doctype":        []byte(`<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">` + plain),
		"latin 1":        []byte(`<?xml version="1.0" encoding="ISO-8859-1"?>` + plain),
		"prefix":         []byte(`<s:svg xmlns:s="http://www.w3.org/2000/svg" width="9" height="9"><s:rect width="1"/></s:svg>`),
		"no namespace":   []byte(`<svg width="9" height="9"><rect width="1"/></svg>`),
		"mark and space": []byte("\xef\xbb\xbf \n" + plain),
		"more behind":    []byte(plain + "<!-- x --><rest>"),
	} {
		got, err := CleanSVG(data)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %s, %v; want %s", name, got, err, want)
		}
		if Sniff(data) != FormatSVG && name != "prefix" {
			t.Errorf("%s: Sniff = %v", name, Sniff(data))
		}
	}
}

// TestCleanSVGRefuses holds what is an error, and that finding out is quick and takes little memory.
func TestCleanSVGRefuses(t *testing.T) {
	repeat := strings.Repeat
	uses := func(n, times int) string { // each level uses the one before several times
		var b strings.Builder
		b.WriteString(`<defs><g id="a0"><rect/></g>`)
		for i := 1; i <= n; i++ {
			b.WriteString(`<g id="a` + strconv.Itoa(i) + `">` + repeat(`<use href="#a`+strconv.Itoa(i-1)+`"/>`, times) + `</g>`)
		}
		return b.String() + `</defs><use href="#a` + strconv.Itoa(n) + `"/>`
	}
	patterns := func(class bool) string {
		var b, sheet strings.Builder
		for i := range 12 {
			fill := `fill="url(#p` + strconv.Itoa(i+1) + `)"`
			if class {
				fill = `class="c` + strconv.Itoa(i) + `"`
				sheet.WriteString(`.c` + strconv.Itoa(i) + `{fill:url(#p` + strconv.Itoa(i+1) + `)}`)
			}
			b.WriteString(`<pattern id="p` + strconv.Itoa(i) + `">` + repeat(`<rect `+fill+`/>`, 10) + `</pattern>`)
		}
		return `<style>` + sheet.String() + `</style>` + b.String() + `<rect fill="url(#p0)"/>`
	}
	whole := func(inside string) []byte { return []byte(svgHead + inside + svgEnd) }
	tests := []struct {
		name string
		data []byte
	}{
		{"nothing", nil},
		{"HTML", []byte(`<html><svg/></html>`)},
		{"cut off", []byte(svgHead + `<rect`)},
		{"not closed", []byte(svgHead + `<g>`)},
		{"wrongly closed", whole(`<g></rect>`)},
		{"foreign root", []byte(`<svg xmlns="http://www.w3.org/1999/xhtml"/>`)},
		{"external entity", []byte(`<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + svgHead + `<text>&x;</text></svg>`)},
		{"parameter entity", []byte(`<!DOCTYPE svg [<!ENTITY % x SYSTEM "http://evil.example/a.dtd">%x;]>` + svgHead + svgEnd)},
		{"billion laughs", []byte(`<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>` + svgHead + `<text>&b;</text></svg>`)},
		{"unknown entity", whole(`<text>&nbsp;</text>`)},
		{"unknown encoding", []byte(`<?xml version="1.0" encoding="UTF-7"?>` + svgHead + svgEnd)},
		{"not UTF-8", whole("<text>\xff\xfe</text>")},
		{"deep", whole(repeat("<g>", 300) + repeat("</g>", 300))},
		{"deep in what is dropped", whole(repeat("<x>", 300) + repeat("</x>", 300))},
		{"deep svg", whole(repeat("<svg>", 300) + repeat("</svg>", 300))},
		{"many elements", whole(repeat("<g/>", 100_001))},
		{"many dropped elements", whole(repeat("<script/>", 100_001))},
		{"use bomb", whole(uses(20, 10))},
		{"use bomb, wide", whole(uses(3, 100))},
		{"uses itself", whole(`<g id="a"><use href="#a"/></g>`)},
		{"uses each other", whole(`<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>`)},
		{"fills itself", whole(`<pattern id="a"><rect fill="url(#a)"/></pattern>`)},
		{"pattern bomb", whole(patterns(false))},
		{"pattern bomb in a sheet", whole(patterns(true))},
		{"filter bomb", whole(`<filter id="f">` + repeat(`<feTurbulence/>`, 100) + `</filter>` + repeat(`<rect filter="url(#f)"/>`, 100))},
		{"layers", whole(repeat(`<g opacity="0.5">`, 20) + repeat("</g>", 20))},
		{"layers in a style", whole(repeat(`<g style="x:1; opacity : 0.5">`, 20) + repeat("</g>", 20))},
		{"layers in a sheet", whole(`<style>g.a{opacity:0.5}</style>` + repeat(`<g class="a">`, 20) + repeat("</g>", 20))},
		{"large", whole(repeat(" ", maxSVGBytes))},
		{"large sheet", whole(`<style>` + repeat("a{}", maxSVGStyles) + `</style>`)},
		{"gzip bomb", zipped(t, whole(repeat(" ", 64<<20)))},
		{"broken gzip", []byte("\x1f\x8b\x08\x00 not gzip")},
		{"cut gzip", zipped(t, whole("<rect/>"))[:40]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := CleanSVG(tt.data)
			var refusal *Error
			if !errors.As(err, &refusal) || refusal.Status != 422 || refusal.Kind != "corrupt_image" {
				t.Errorf("CleanSVG = %.200s, %v; want 422", got, err)
			}
		})
	}
}

// checkClean reads what was cleaned with a parser that resolves nothing, and holds it against the rules once
// more, told in another way.
func checkClean(t *testing.T, text []byte) {
	t.Helper()
	again, err := CleanSVG(text)
	if err != nil || !bytes.Equal(again, text) {
		t.Fatalf("cleaning twice: %v\n%s\n%s", err, text, again)
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		switch e := token.(type) {
		case xml.Comment, xml.Directive, xml.ProcInst:
			t.Fatalf("%T in %s", token, text)
		case xml.StartElement:
			if e.Name.Space != "" || !svgElement(e.Name.Local) || e.Name.Local == "a" {
				t.Fatalf("element %v in %s", e.Name, text)
			}
			for _, a := range e.Attr {
				checkAttribute(t, a)
			}
		default:
		}
	}
}

func checkAttribute(t *testing.T, a xml.Attr) {
	t.Helper()
	low := strings.ToLower(a.Value)
	switch {
	case a.Name.Space == "xlink" && a.Name.Local == "href":
		if !strings.HasPrefix(a.Value, "#") && !strings.HasPrefix(a.Value, "data:image/") {
			t.Fatalf("reference %s", a.Value)
		}
	case a.Name.Space == "" && a.Name.Local == "xmlns", a.Name.Space == "xmlns", a.Name.Space == "xml":
	case a.Name.Space != "" || strings.HasPrefix(strings.ToLower(a.Name.Local), "on"):
		t.Fatalf("attribute %v", a.Name)
	case strings.Contains(low, "javascript:") || strings.Contains(strings.ReplaceAll(low, " ", ""), "url(http"):
		t.Fatalf("value %s", a.Value)
	}
}

func TestCleanSVGOfHostileFiles(t *testing.T) {
	dir := os.Getenv("IMGEDGE_HOSTILE")
	if dir == "" {
		return
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if Sniff(data) == FormatSVG {
			if text, err := CleanSVG(data); err == nil {
				checkClean(t, text)
			} else {
				t.Logf("%s: %v", filepath.Base(path), err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzSVG(f *testing.F) {
	f.Add([]byte(svgHead + `<style>@import 'a';.b{fill:url(#c)}</style><a href="x"><use xlink:href="#c"/></a>` + svgEnd))
	f.Add([]byte(`<?xml version="1.0"?><!DOCTYPE svg><s:svg xmlns:s="http://www.w3.org/2000/svg"><s:g style="fill:url( '#a' )"/></s:svg>`))
	f.Add([]byte(svgHead + `<text>&amp;&#x41;<![CDATA[<b>]]></text><image href="data:image/png;base64,AAAA"/>` + svgEnd))
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := CleanSVG(data)
		if err == nil {
			checkClean(t, text)
		}
	})
}
