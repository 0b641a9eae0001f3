package check

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Expect is what an answer's picture has to be. The zero value expects nothing.
type Expect struct {
	Format              string // as Picture.Format; "" = any
	Width, Height       int    // px, exact; 0 = any
	MaxWidth, MaxHeight int    // px; 0 = any
	Accept              string // when set: AVIF, WebP and JPEG XL only if it names them
}

// WithSize returns e with the exact size of text: "300x200", "300x" or "x200"; "" changes nothing.
func (e Expect) WithSize(text string) (Expect, error) {
	if text == "" {
		return e, nil
	}
	w, h, both := strings.Cut(text, "x")
	var errW, errH error
	if w != "" {
		e.Width, errW = strconv.Atoi(w)
	}
	if h != "" {
		e.Height, errH = strconv.Atoi(h)
	}
	if !both || errW != nil || errH != nil || e.Width < 0 || e.Height < 0 {
		return Expect{}, fmt.Errorf("size %q: want 300x200, 300x or x200", text)
	}
	return e, nil
}

// FromTarget returns what a native URL says of its picture: the format it names, and the box that a plain
// fit stays in. Whatever it does not understand, other grammars too, it expects nothing of.
func FromTarget(target, accept string) Expect {
	_, query, _ := strings.Cut(target, "?")
	options, err := url.ParseQuery(query)
	if err != nil {
		return Expect{}
	}
	var e Expect
	switch f := options.Get("f"); {
	case slices.Contains([]string{"jpeg", "png", "webp", "avif", "jxl", "gif", "tiff"}, f):
		e.Format = f
	case f == "auto":
		e.Accept = accept
		if accept == "" {
			e.Accept = "*/*"
		}
	}
	if staysInBox(options) {
		dpr := 1.0
		if text := options.Get("dpr"); text != "" {
			dpr, _ = strconv.ParseFloat(text, 64) // 0 bounds nothing
		}
		e.MaxWidth, e.MaxHeight = side(options.Get("w"), dpr), side(options.Get("h"), dpr)
	}
	return e
}

// staysInBox tells that nothing makes the picture larger than w and h.
func staysInBox(options url.Values) bool {
	for _, name := range []string{"zoom", "mw", "mh", "pad", "rot", "p"} {
		if options.Has(name) {
			return false
		}
	}
	return true
}

// side returns px × dpr, rounded half away from zero; 0 = no number.
func side(text string, dpr float64) int {
	v, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return int(math.Round(float64(v) * dpr))
}

// fault says what about p differs from what is expected; "" = nothing. kind is the same for all faults of
// one sort.
func (e Expect) fault(p Picture) (kind, text string) {
	switch {
	case e.Format != "" && p.Format != e.Format:
		return "wrong format", fmt.Sprintf("%s, want %s", p.Format, e.Format)
	case e.Accept != "" && slices.Contains([]string{"avif", "webp", "jxl"}, p.Format) && !strings.Contains(e.Accept, "image/"+p.Format):
		return "wrong format", fmt.Sprintf("%s, which Accept %q does not name", p.Format, e.Accept)
	case p.Width < 1 || p.Height < 1:
		return "wrong size", "no pixels"
	case e.Width > 0 && p.Width != e.Width, e.Height > 0 && p.Height != e.Height:
		return "wrong size", fmt.Sprintf("%dx%d, want %dx%d (0 = any)", p.Width, p.Height, e.Width, e.Height)
	case e.MaxWidth > 0 && p.Width > e.MaxWidth, e.MaxHeight > 0 && p.Height > e.MaxHeight:
		return "wrong size", fmt.Sprintf("%dx%d, want at most %dx%d (0 = any)", p.Width, p.Height, e.MaxWidth, e.MaxHeight)
	}
	return "", ""
}
