package resize

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parseWhole reads `0|[1-9][0-9]{0,9}`, with a minus only where low is negative.
func parseWhole(s string, low, high int) (int, bool) {
	digits := s
	if low < 0 {
		digits = strings.TrimPrefix(s, "-")
	}
	if !isWhole(digits) || len(digits) > 10 || (len(digits) < len(s) && digits == "0") {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= low && n <= high
}

// parseDecimal reads `(0|[1-9][0-9]*)(\.[0-9]+)?`, with a minus only where low is negative.
func parseDecimal(s string, low, high float64) (float64, bool) {
	digits := s
	if low < 0 {
		digits = strings.TrimPrefix(s, "-")
	}
	whole, fraction, dot := strings.Cut(digits, ".")
	if !isWhole(whole) || (dot && !isDigits(fraction)) {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v < low || v > high || (v == 0 && math.Signbit(v)) {
		return 0, false
	}
	return v, true
}

func isWhole(s string) bool {
	return isDigits(s) && (s[0] != '0' || len(s) == 1)
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func appendDecimal(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'f', -1, 64) }

// parseAngle reads degrees clockwise, 0 ≤ angle < 360.
func parseAngle(s string) (float64, bool) {
	v, ok := parseDecimal(s, 0, 360)
	return v, ok && v < 360
}

// parseLength reads px (`12.5`) or percent (`10p`).
func parseLength(s string) (Length, bool) {
	if number, percent := strings.CutSuffix(s, "p"); percent {
		v, ok := parseDecimal(number, -100, 100)
		return Length{Value: v, Percent: true}, ok
	}
	v, ok := parseDecimal(s, -maxSide, maxSide)
	return Length{Value: v}, ok
}

func appendLength(b []byte, l Length) []byte {
	b = appendDecimal(b, l.Value)
	if l.Percent {
		b = append(b, 'p')
	}
	return b
}

// parseRegion reads x,y,w,h: four whole px, or four percentages.
func parseRegion(s string) (Region, bool) {
	var parts [4]float64
	percent := strings.HasSuffix(s, "p")
	for i := range parts {
		part, rest, more := strings.Cut(s, ",")
		if more != (i < 3) {
			return Region{}, false
		}
		s = rest
		var ok bool
		if parts[i], ok = parseRegionPart(part, percent); !ok {
			return Region{}, false
		}
	}
	r := Region{X: parts[0], Y: parts[1], W: parts[2], H: parts[3], Percent: percent}
	return r, r.W > 0 && r.H > 0 && (!percent || (r.X < 100 && r.Y < 100))
}

func parseRegionPart(s string, percent bool) (float64, bool) {
	if !percent {
		n, ok := parseWhole(s, 0, maxRegion)
		return float64(n), ok
	}
	number, ok := strings.CutSuffix(s, "p")
	if !ok {
		return 0, false
	}
	return parseDecimal(number, 0, 100)
}

func appendRegion(b []byte, r Region) []byte {
	for i, v := range [...]float64{r.X, r.Y, r.W, r.H} {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendLength(b, Length{Value: v, Percent: r.Percent})
	}
	return b
}

// parseRatio reads W:H and reduces it to whole numbers without a common divisor.
func parseRatio(s string) (Ratio, bool) {
	left, right, ok := strings.Cut(s, ":")
	if !ok || decimals(left) > 4 || decimals(right) > 4 {
		return Ratio{}, false
	}
	w, okW := parseDecimal(left, 0.0001, maxTerm)
	h, okH := parseDecimal(right, 0.0001, maxTerm)
	if !okW || !okH {
		return Ratio{}, false
	}
	r := Ratio{W: w, H: h}.reduce()
	return r, r.W <= maxTerm && r.H <= maxTerm
}

func decimals(s string) int {
	_, fraction, _ := strings.Cut(s, ".")
	return len(fraction)
}

// reduce makes both terms whole numbers without a common divisor, to the fourth decimal of the terms
// given.
func (r Ratio) reduce() Ratio {
	w, h := int64(math.Round(r.W*1e4)), int64(math.Round(r.H*1e4))
	if w <= 0 || h <= 0 {
		return Ratio{}
	}
	a, b := w, h
	for b != 0 {
		a, b = b, a%b
	}
	return Ratio{W: float64(w / a), H: float64(h / a)}
}

// parsePadding reads t[,r[,b[,l]]] as CSS does.
func parsePadding(s string) (Padding, bool) {
	var sides [4]int
	count := 0
	for more := true; more; count++ {
		var part string
		part, s, more = strings.Cut(s, ",")
		if count == len(sides) {
			return Padding{}, false
		}
		var ok bool
		if sides[count], ok = parseWhole(part, 0, maxSide); !ok {
			return Padding{}, false
		}
	}
	switch count {
	case 1:
		sides[1], sides[2], sides[3] = sides[0], sides[0], sides[0]
	case 2:
		sides[2], sides[3] = sides[0], sides[1]
	case 3:
		sides[3] = sides[1]
	}
	return Padding{Top: sides[0], Right: sides[1], Bottom: sides[2], Left: sides[3]}, true
}

// appendPadding writes the shortest form that parsePadding reads back.
func appendPadding(b []byte, p Padding) []byte {
	sides := [...]int{p.Top, p.Right, p.Bottom, p.Left}
	count := 4
	if p.Left == p.Right {
		count = 3
		if p.Bottom == p.Top {
			count = 2
			if p.Right == p.Top {
				count = 1
			}
		}
	}
	for i, side := range sides[:count] {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(side), 10)
	}
	return b
}

// parseColor reads rrggbb, or rrggbbaa where alpha says so, in either case.
func parseColor(s string, alpha bool) (Color, bool) {
	if len(s) != 6 && (!alpha || len(s) != 8) {
		return Color{}, false
	}
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil || s[0] == '+' {
		return Color{}, false
	}
	if len(s) == 6 {
		n = n<<8 | 0xff
	}
	return Color{R: uint8(n >> 24), G: uint8(n >> 16), B: uint8(n >> 8), A: uint8(n)}, true
}

func appendColor(b []byte, c Color) []byte {
	const hex = "0123456789abcdef"
	for _, v := range [...]uint8{c.R, c.G, c.B} {
		b = append(b, hex[v>>4], hex[v&15])
	}
	if c.A != 0xff {
		b = append(b, hex[c.A>>4], hex[c.A&15])
	}
	return b
}

func parseDuotone(s string) (Duotone, bool) {
	dark, light, ok := strings.Cut(s, ",")
	if !ok {
		return Duotone{}, false
	}
	a, okA := parseColor(dark, false)
	b, okB := parseColor(light, false)
	return Duotone{On: true, Dark: a, Light: b}, okA && okB
}

// isText tells whether s is UTF-8 of 1 to limit characters, none of them a control character.
func isText(s string, limit int) bool {
	if s == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > limit {
		return false
	}
	return strings.IndexFunc(s, unicode.IsControl) < 0
}

// appendEscaped writes s with every byte but the unreserved ones (RFC 3986, 2.3) percent-encoded.
func appendEscaped(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c == '-', c == '.', c == '_', c == '~':
			b = append(b, c)
		default:
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}
