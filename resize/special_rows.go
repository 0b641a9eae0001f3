package resize

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// The functions of this file are the rows of the option table that only dialects use.

var (
	extendNames    = [...]string{"none", "box", "ratio"}
	trimEqualNames = [...]string{"none", "h", "v", "hv"}
)

func setCropSize(o *Options, value string) bool {
	w, h, ok := strings.Cut(value, ",")
	if !ok {
		return false
	}
	var okW, okH bool
	o.CropSize.W, okW = parseCropSide(w)
	o.CropSize.H, okH = parseCropSide(h)
	return okW && okH && (o.CropSize.W.Value > 0 || o.CropSize.H.Value > 0)
}

func parseCropSide(s string) (Length, bool) {
	if number, percent := strings.CutSuffix(s, "p"); percent {
		v, ok := parseDecimal(number, 0, 100)
		return Length{Value: v, Percent: true}, ok
	}
	n, ok := parseWhole(s, 0, maxRegion)
	return Length{Value: float64(n)}, ok
}

func cropSizeText(b []byte, o *Options) []byte {
	if o.CropSize != (Extent{}) {
		b = appendLength(b, o.CropSize.W)
		b = append(b, ',')
		b = appendLength(b, o.CropSize.H)
	}
	return b
}

// anchored is a row of gravity[,x,y]; for fp the coordinates are those of the focal point. picks allows
// the gravities that only the pixels can resolve.
func anchored(name string, picks bool, field func(*Options) *Anchor) option {
	return option{
		name:   name,
		values: "gravity, or gravity,x,y",
		set: func(o *Options, value string) (ok bool) {
			*field(o), ok = parseAnchor(value)
			return ok && (picks || !field(o).Gravity.picked())
		},
		text: func(b []byte, o *Options) []byte { return appendAnchor(b, *field(o)) },
	}
}

func parseAnchor(s string) (Anchor, bool) {
	name, rest, located := strings.Cut(s, ",")
	a := Anchor{Given: true}
	if !setGravity(&a.Gravity, name) {
		return a, false
	}
	if !located {
		return a, a.Gravity != GravityFocus
	}
	x, y, ok := strings.Cut(rest, ",")
	if !ok {
		return a, false
	}
	var okX, okY bool
	if a.Gravity == GravityFocus {
		a.FocusX, okX = parseDecimal(x, 0, 1)
		a.FocusY, okY = parseDecimal(y, 0, 1)
		return a, okX && okY
	}
	a.X, okX = parseLength(x)
	a.Y, okY = parseLength(y)
	return a, okX && okY
}

func setGravity(g *Gravity, name string) bool {
	for i := range gravityNames {
		if gravityNames[i] == name {
			*g = Gravity(i)
			return true
		}
	}
	return false
}

func appendAnchor(b []byte, a Anchor) []byte {
	if !a.Given {
		return b
	}
	b = append(b, a.Gravity.String()...)
	switch {
	case a.Gravity == GravityFocus:
		b = appendDecimal(append(b, ','), a.FocusX)
		b = appendDecimal(append(b, ','), a.FocusY)
	case a.X != (Length{}) || a.Y != (Length{}):
		b = appendLength(append(b, ','), a.X)
		b = appendLength(append(b, ','), a.Y)
	}
	return b
}

func setTrimColor(o *Options, value string) (ok bool) {
	o.TrimColor.Color, ok = parseColor(value, false)
	o.TrimColor.Given = true
	return ok
}

func trimColorText(b []byte, o *Options) []byte {
	if o.TrimColor.Given {
		b = appendColor(b, o.TrimColor.Color)
	}
	return b
}

// formatSet is a row of format names joined by dots.
func formatSet(name string, field func(*Options) *FormatSet) option {
	return option{
		name:   name,
		values: "names of formats, joined by dots",
		set: func(o *Options, value string) bool {
			*field(o) = 0
			for more := true; more; {
				var item string
				item, value, more = strings.Cut(value, ".")
				f, ok := ParseFormat(item)
				if !ok || f < FormatJPEG || f > FormatICO {
					return false
				}
				*field(o) |= 1 << f
			}
			return true
		},
		text: func(b []byte, o *Options) []byte {
			start := len(b)
			for f := FormatJPEG; f <= FormatICO; f++ {
				if field(o).Has(f) {
					if len(b) > start {
						b = append(b, '.')
					}
					b = append(b, f.String()...)
				}
			}
			return b
		},
	}
}

func setQualities(o *Options, value string) bool {
	o.Qualities = Qualities{}
	for more := true; more; {
		var item string
		item, value, more = strings.Cut(value, ",")
		name, number, _ := strings.Cut(item, ".")
		f, okF := ParseFormat(name)
		n, okN := parseWhole(number, 1, 100)
		if !okF || !okN || o.Qualities.at(f) == nil {
			return false
		}
		o.Qualities.Set(f, n)
	}
	return true
}

func qualitiesText(b []byte, o *Options) []byte {
	start := len(b)
	for _, f := range [...]Format{FormatJPEG, FormatWebP, FormatAVIF, FormatJXL} {
		if n := o.Qualities.Of(f); n != 0 {
			if len(b) > start {
				b = append(b, ',')
			}
			b = append(append(b, f.String()...), '.')
			b = strconv.AppendInt(b, int64(n), 10)
		}
	}
	return b
}

func setHashsum(o *Options, value string) bool {
	o.Hashsum = value
	name, sum, _ := strings.Cut(value, ".")
	h := hashOf(name)
	if h == nil || len(sum) != 2*h.Size() {
		return false
	}
	_, err := hex.DecodeString(sum)
	return err == nil && strings.ToLower(sum) == sum
}

func hashsumText(b []byte, o *Options) []byte { return append(b, o.Hashsum...) }
