package hostile

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
)

// drawings are SVGs: they reach for files and that server, repeat themselves, carry scripts.
func drawings(server string) []File {
	svg := func(inside string) []byte {
		return []byte(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xi="http://www.w3.org/2001/XInclude" width="40" height="40">` + inside + `<rect width="20" height="20"/></svg>`)
	}
	entities := func(declared, used string) []byte {
		return append([]byte("<!DOCTYPE svg ["+declared+"]>"), svg("<text>"+used+"</text>")...)
	}
	away := "http://" + server + "/x"
	return []File{
		file("entity-file.svg", entities(`<!ENTITY a SYSTEM "file:///etc/passwd">`, "&a;"), Corrupt),
		file("entity-server.svg", entities(fmt.Sprintf(`<!ENTITY %% a SYSTEM %q> %%a;`, away), ""), Corrupt),
		file("entity-bomb.svg", entities(laughs(), "&j;"), Corrupt),
		file("doctype-server.svg", append([]byte(fmt.Sprintf(`<!DOCTYPE svg SYSTEM %q>`, away)), svg("")...), Corrupt, Picture),
		file("image-server.svg", svg(fmt.Sprintf(`<image xlink:href=%q width="9" height="9"/><image href=%q width="9" height="9"/>`, away, away)), Picture),
		file("image-file.svg", svg(`<image xlink:href="file:///etc/passwd" width="9" height="9"/><image href="/etc/passwd" width="9" height="9"/>`), Picture),
		file("use-server.svg", svg(fmt.Sprintf(`<use href="%s#a"/>`, away)), Picture),
		file("style-server.svg", svg(fmt.Sprintf(`<style>@import url(%s); rect{fill:url(%s#a)}</style>`, away, away)), Picture),
		file("filter-server.svg", svg(fmt.Sprintf(`<filter id="f"><feImage href=%q/></filter><rect filter="url(#f)" width="9" height="9"/>`, away)), Picture),
		file("stylesheet-server.svg", append([]byte(fmt.Sprintf(`<?xml-stylesheet href=%q?>`, away)), svg("")...), Picture),
		file("include-file.svg", svg(`<xi:include href="file:///etc/passwd" parse="text"/>`), Picture, Corrupt),
		file("script.svg", svg(fmt.Sprintf(`<script>fetch(%q)</script><a href="javascript:alert(1)"><rect onload="alert(1)" width="5" height="5"/></a>`, away)), Picture),
		file("foreign-object.svg", svg(fmt.Sprintf(`<foreignObject width="9" height="9"><iframe xmlns="http://www.w3.org/1999/xhtml" src=%q/></foreignObject>`, away)), Picture),
		file("bomb-size.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="1000000" height="1000000"/>`), TooManyPixels),
		file("bomb-size-infinite.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="1e999" height="-1e999"><rect/></svg>`), TooManyPixels, Corrupt, Picture),
		file("bomb-use.svg", svg(uses()), Picture, Corrupt),
		file("bomb-pattern.svg", svg(`<pattern id="p" width="0.0001" height="0.0001" patternUnits="userSpaceOnUse"><rect width="1" height="1"/></pattern><rect fill="url(#p)" width="40" height="40"/>`), Picture, Corrupt),
		file("bomb-filter.svg", svg(`<filter id="f"><feGaussianBlur stdDeviation="1e9"/><feMorphology operator="dilate" radius="1e9"/></filter><rect filter="url(#f)" width="40" height="40"/>`), Picture, Corrupt),
		file("bomb-depth.svg", svg(strings.Repeat("<g>", 50_000)+strings.Repeat("</g>", 50_000)), Corrupt),
		file("bomb.svgz", zipped(16<<20), Corrupt, NotAnImage, TooManyPixels),
		file("cut.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><g>`), Corrupt),
		file("self-use.svg", svg(`<g id="a"><use href="#a"/></g><use href="#a"/>`), Picture, Corrupt),
		file("nul.svg", svg("\x00"), Corrupt),
	}
}

// laughs declare ten entities, each ten times the one before.
func laughs() string {
	var b strings.Builder
	b.WriteString(`<!ENTITY a "ha">`)
	for c := 'b'; c <= 'j'; c++ {
		fmt.Fprintf(&b, `<!ENTITY %c "%s">`, c, strings.Repeat(fmt.Sprintf("&%c;", c-1), 10))
	}
	return b.String()
}

// uses are groups of ten references to the one before.
func uses() string {
	var b strings.Builder
	b.WriteString(`<defs><g id="g0"><circle r="9"/></g>`)
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, `<g id="g%d">%s</g>`, i, strings.Repeat(fmt.Sprintf(`<use href="#g%d"/>`, i-1), 10))
	}
	b.WriteString(`</defs><use href="#g9"/>`)
	return b.String()
}

// zipped is a drawing with n zero bytes behind it, as an svgz.
func zipped(n int64) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><!--`) // a buffer takes everything
	_, _ = io.CopyN(w, zeros{}, n)
	_ = w.Close()
	return b.Bytes()
}
