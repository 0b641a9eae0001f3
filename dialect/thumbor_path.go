package dialect

import (
	"math"
	"strconv"
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// thumborPath is a path cut into what its segments say.
type thumborPath struct {
	meta      bool
	trim      bool
	tolerance int  // of trim, as written; 0 = not given
	lastPixel bool // trim's color is that of the pixel at the bottom right
	cropped   bool
	crop      [4]float64 // left, top, right, bottom: px, or fractions
	fitIn     bool
	full      bool
	adaptive  bool
	stretch   bool
	flipH     bool
	flipV     bool
	width     thumborSide
	height    thumborSide
	pad       [4]int // left, top, right, bottom
	h, v      int    // alignment: −1 left or top, 0 center, 1 right or bottom
	smart     bool
	filters   []thumborFilter
	image     string
}

// thumborSide is one side of the size.
type thumborSide struct {
	px   int  // 0 = derived
	orig bool // the source's
}

// flip returns the turn that the minus signs ask for.
func (p thumborPath) flip() resize.Turn {
	var t resize.Turn
	if p.flipH {
		t = t.Then(resize.Turn{FlipH: true})
	}
	if p.flipV {
		t = t.Then(resize.Turn{Angle: 180, FlipH: true})
	}
	return t
}

// thumborReader reads paths.
type thumborReader struct {
	imagor  bool
	decoded bool // the text is decoded already
}

// read reads a path over what p says already.
func (r thumborReader) read(p thumborPath, text string) (thumborPath, error) {
	sized := false
	for _, segment := range [...]func(p *thumborPath, s string) (bool, error){
		r.debug, r.meta, r.trim, r.crop, r.fitIn, r.stretch,
		func(p *thumborPath, s string) (ok bool, err error) {
			sized, err = r.size(p, s)
			return sized, err
		},
		func(p *thumborPath, s string) (bool, error) {
			if !sized || !r.imagor {
				return false, nil
			}
			return r.padding(p, s)
		},
		r.align, r.valign, r.smart,
	} {
		first, rest, more := strings.Cut(text, "/")
		if !more {
			break
		}
		ok, err := segment(&p, first)
		if err != nil {
			return p, err
		}
		if ok {
			text = rest
		}
	}
	filters, image, err := r.filters(text)
	if err != nil {
		return p, err
	}
	p.filters = append(p.filters[:len(p.filters):len(p.filters)], filters...)
	p.image, err = r.image(image)
	return p, err
}

func (r thumborReader) debug(_ *thumborPath, s string) (bool, error) {
	if s == "debug" && !r.imagor {
		return false, resize.BadOption("debug/ is not served")
	}
	return false, nil
}

func (thumborReader) meta(p *thumborPath, s string) (bool, error) {
	if s != "meta" {
		return false, nil
	}
	p.meta = true
	return true, nil
}

// trim reads trim[:top-left|:bottom-right][:tolerance].
func (r thumborReader) trim(p *thumborPath, s string) (bool, error) {
	rest, ok := strings.CutPrefix(s, "trim")
	if !ok {
		return false, nil
	}
	last := false
	if after, ok := strings.CutPrefix(rest, ":top-left"); ok {
		rest = after
	} else if after, ok := strings.CutPrefix(rest, ":bottom-right"); ok {
		rest, last = after, true
	}
	tolerance := 0
	if rest != "" {
		digits, ok := strings.CutPrefix(rest, ":")
		if !ok || !digitsOnly(digits) {
			return false, nil
		}
		tolerance = clampInt(digits)
	}
	most := 442
	if r.imagor {
		most = 255
	}
	if tolerance > most {
		return false, badSegment("trim", s, "a tolerance of 0 to "+strconv.Itoa(most))
	}
	p.trim, p.tolerance, p.lastPixel = true, tolerance, last
	return true, nil
}

// crop reads AxB:CxD.
func (r thumborReader) crop(p *thumborPath, s string) (bool, error) {
	from, to, ok := strings.Cut(s, ":")
	if !ok {
		return false, nil
	}
	var crop [4]float64
	for i, corner := range [...]string{from, to} {
		x, y, ok := strings.Cut(corner, "x")
		if !ok {
			return false, nil
		}
		for j, text := range [...]string{x, y} {
			if crop[2*i+j], ok = r.coordinate(text); !ok {
				return false, nil
			}
		}
	}
	p.cropped, p.crop = true, crop
	return true, nil
}

// coordinate reads digits, for imagor also [0-1].digits and .digits.
func (r thumborReader) coordinate(s string) (float64, bool) {
	whole, fraction, dot := strings.Cut(s, ".")
	if !dot {
		return float64(clampInt(s)), digitsOnly(s)
	}
	if !r.imagor || len(fraction) > 15 || !digitsOnly(fraction) || (whole != "" && whole != "0" && whole != "1") {
		return 0, false
	}
	v, err := strconv.ParseFloat("0"+s, 64)
	return v, err == nil
}

func (thumborReader) fitIn(p *thumborPath, s string) (bool, error) {
	rest, adaptive := strings.CutPrefix(s, "adaptive-")
	rest, full := strings.CutPrefix(rest, "full-")
	if rest != "fit-in" {
		return false, nil
	}
	p.fitIn, p.adaptive, p.full = true, adaptive, full
	return true, nil
}

func (r thumborReader) stretch(p *thumborPath, s string) (bool, error) {
	if s != "stretch" || !r.imagor {
		return false, nil
	}
	p.stretch = true
	return true, nil
}

// size reads [-]Wx[-]H.
func (r thumborReader) size(p *thumborPath, s string) (bool, error) {
	left, right, ok := strings.Cut(s, "x")
	if !ok {
		return false, nil
	}
	left, flipH := strings.CutPrefix(left, "-")
	right, flipV := strings.CutPrefix(right, "-")
	width, okW := r.side(left)
	height, okH := r.side(right)
	if !okW || !okH {
		return false, nil
	}
	const most = 16384
	if width.px > most || height.px > most {
		return false, badSegment("size", s, "sides of up to 16384 px")
	}
	p.width, p.height, p.flipH, p.flipV = width, height, flipH, flipV
	return true, nil
}

func (r thumborReader) side(s string) (thumborSide, bool) {
	switch {
	case s == "":
		return thumborSide{}, true
	case s == "orig" && !r.imagor:
		return thumborSide{orig: true}, true
	default:
		return thumborSide{px: clampInt(s)}, digitsOnly(s)
	}
}

// padding reads LxT[:RxB].
func (thumborReader) padding(p *thumborPath, s string) (bool, error) {
	from, to, two := strings.Cut(s, ":")
	if !two {
		to = from
	}
	var pad [4]int
	for i, corner := range [...]string{from, to} {
		x, y, ok := strings.Cut(corner, "x")
		if !ok || !digitsOnly(x) || !digitsOnly(y) {
			return false, nil
		}
		pad[2*i], pad[2*i+1] = clampInt(x), clampInt(y)
	}
	for _, px := range pad {
		if px > maxPad {
			return false, badSegment("padding", s, "up to 16384 px")
		}
	}
	p.pad = pad
	return true, nil
}

func (thumborReader) align(p *thumborPath, s string) (ok bool, err error) {
	p.h, ok = place(p.h, s, "left", "center", "right")
	return ok, nil
}

func (thumborReader) valign(p *thumborPath, s string) (ok bool, err error) {
	p.v, ok = place(p.v, s, "top", "middle", "bottom")
	return ok, nil
}

// place returns −1, 0 or 1 for the word that s is; before if it is none of them.
func place(before int, s, first, middle, last string) (int, bool) {
	switch s {
	case first:
		return -1, true
	case middle:
		return 0, true
	case last:
		return 1, true
	default:
		return before, false
	}
}

func (thumborReader) smart(p *thumborPath, s string) (bool, error) {
	if s != "smart" {
		return false, nil
	}
	p.smart = true
	return true, nil
}

func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// clampInt reads digits; what passes a million million is that.
func clampInt(s string) int {
	const most = 1_000_000_000_000
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > most {
		return most
	}
	return int(n)
}

// tidy drops what computing with decimals leaves behind their ninth place, and below 0.
func tidy(v float64) float64 { return max(0, math.Round(v*1e9)/1e9) }

func badSegment(name, value, allowed string) error {
	return resize.BadOption(name + ": " + quote(value) + " is not allowed; allowed: " + allowed)
}
