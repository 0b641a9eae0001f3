package dialect

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// The functions of this file read single arguments as imgproxy does: with Go's strconv, and with the
// bounds of ours. name is the option as it was written, for errors.

func badArgument(name, value, allowed string) error {
	return imgproxyNotFound("bad_option", name+": "+quote(value)+" is not allowed; allowed: "+allowed)
}

// whole reads an integer between low and high; an empty argument leaves *to as it is.
func whole(name, arg string, low, high int, to *int) error {
	if arg == "" {
		return nil
	}
	n, err := strconv.Atoi(arg)
	if err != nil || n < low || n > high {
		return badArgument(name, arg, "a whole number from "+strconv.Itoa(low)+" to "+strconv.Itoa(high))
	}
	*to = n
	return nil
}

// real reads a decimal between low and high; an empty argument leaves *to as it is.
func real64(name, arg string, low, high float64, to *float64) error {
	if arg == "" {
		return nil
	}
	v, err := strconv.ParseFloat(arg, 64)
	if err != nil || !(v >= low && v <= high) { // NaN is neither
		return badArgument(name, arg, "a number from "+decimalText(low)+" to "+decimalText(high))
	}
	*to = v + 0 // −0 is 0
	return nil
}

func decimalText(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// truth reads a boolean: what Go's ParseBool does not know is false. An empty argument leaves *to as it is.
func truth(arg string, to *bool) {
	if arg != "" {
		*to, _ = strconv.ParseBool(arg)
	}
}

// hexColor reads rgb or rrggbb.
func hexColor(name, arg string) (resize.Color, error) {
	text := arg
	if len(text) == 3 {
		text = string([]byte{text[0], text[0], text[1], text[1], text[2], text[2]})
	}
	n, err := strconv.ParseUint(text, 16, 32)
	if err != nil || len(text) != 6 || text[0] == '+' {
		return resize.Color{}, badArgument(name, arg, "rgb or rrggbb in hex")
	}
	return resize.Color{R: uint8(n >> 16), G: uint8(n >> 8), B: uint8(n), A: 255}, nil
}

// base64Text reads base64url, with or without padding.
func base64Text(name, arg string) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(arg, "="))
	if err != nil {
		return "", badArgument(name, arg, "base64url")
	}
	return string(b), nil
}

// imgproxyFormat returns the format of a name: ok is false for what imgproxy does not know.
func imgproxyFormat(name string) (f resize.Format, ok bool) {
	switch name {
	case "jpg":
		return resize.FormatJPEG, true
	case "jpeg", "png", "webp", "avif", "jxl", "gif", "tiff", "best", "ico", "heic", "bmp", "svg":
		return resize.ParseFormat(name)
	default:
		return 0, false
	}
}

// imgproxyGravity is a gravity with offsets, as written: of 1 or more px, below 1 a part of the side.
type imgproxyGravity struct {
	given   bool
	gravity resize.Gravity
	x, y    float64
}

var imgproxyGravities = [...]struct {
	name    string
	gravity resize.Gravity
}{
	{"ce", resize.GravityCenter},
	{"no", resize.GravityNorth},
	{"noea", resize.GravityNorthEast},
	{"ea", resize.GravityEast},
	{"soea", resize.GravitySouthEast},
	{"so", resize.GravitySouth},
	{"sowe", resize.GravitySouthWest},
	{"we", resize.GravityWest},
	{"nowe", resize.GravityNorthWest},
	{"fp", resize.GravityFocus},
	{"sm", resize.GravitySmart},
}

// parse reads type[:x:y]. As in imgproxy, what is not given stays from an earlier option.
func (g *imgproxyGravity) parse(name string, args []string, smart bool) error {
	kind, err := gravityNamed(name, args[0], smart)
	if err != nil {
		return err
	}
	g.given, g.gravity = true, kind
	const most = 16384 // px
	low, high := -float64(most), float64(most)
	if kind == resize.GravitySmart {
		g.x, g.y = 0, 0
		return tooMany(name, args, 1)
	}
	if kind == resize.GravityFocus {
		if len(args) != 3 || args[1] == "" || args[2] == "" {
			return badArgument(name, strings.Join(args, " "), "fp with x and y from 0 to 1")
		}
		low, high = 0, 1
	}
	if err := tooMany(name, args, 3); err != nil {
		return err
	}
	if len(args) > 1 {
		if err := real64(name, args[1], low, high, &g.x); err != nil {
			return err
		}
	}
	if len(args) > 2 {
		return real64(name, args[2], low, high, &g.y)
	}
	return nil
}

func gravityNamed(name, arg string, smart bool) (resize.Gravity, error) {
	for _, g := range imgproxyGravities {
		if g.name == arg && (smart || g.gravity != resize.GravitySmart) {
			return g.gravity, nil
		}
	}
	allowed := "ce, no, so, ea, we, noea, nowe, soea, sowe, fp"
	if smart {
		allowed += ", sm"
	}
	return 0, badArgument(name, arg, allowed)
}

// anchor returns the gravity as Options has it. A focal point outside 0–1 is one that an offset of
// another gravity left behind.
func (g imgproxyGravity) anchor() resize.Anchor {
	a := resize.Anchor{Given: true, Gravity: g.gravity}
	switch g.gravity {
	case resize.GravityFocus:
		a.FocusX, a.FocusY = g.x, g.y
	case resize.GravitySmart:
	default:
		a.X, a.Y = offsetLength(g.x), offsetLength(g.y)
	}
	return a
}

// mirrored returns the anchor that keeps the same part of a picture mirrored before it.
func mirrored(a resize.Anchor, horizontal, vertical bool) resize.Anchor {
	if horizontal {
		a.Gravity, a.FocusX = swapGravity(a.Gravity, resize.GravityEast, resize.GravityWest), mirrorFocus(a, a.FocusX)
		if middle := a.Gravity == resize.GravityCenter || a.Gravity == resize.GravityNorth || a.Gravity == resize.GravitySouth; middle {
			a.X.Value = 0 - a.X.Value
		}
	}
	if vertical {
		a.Gravity, a.FocusY = swapGravity(a.Gravity, resize.GravityNorth, resize.GravitySouth), mirrorFocus(a, a.FocusY)
		if middle := a.Gravity == resize.GravityCenter || a.Gravity == resize.GravityEast || a.Gravity == resize.GravityWest; middle {
			a.Y.Value = 0 - a.Y.Value
		}
	}
	return a
}

func mirrorFocus(a resize.Anchor, v float64) float64 {
	if a.Gravity == resize.GravityFocus {
		return math.Round((1-v)*1e9) / 1e9
	}
	return v
}

// swapGravity exchanges two opposite directions, in corners too.
func swapGravity(g, one, other resize.Gravity) resize.Gravity {
	pairs := [...][2]resize.Gravity{
		{resize.GravityNorthEast, resize.GravityNorthWest},
		{resize.GravitySouthEast, resize.GravitySouthWest},
		{resize.GravityEast, resize.GravityWest},
	}
	if one == resize.GravityNorth {
		pairs = [...][2]resize.Gravity{
			{resize.GravityNorthEast, resize.GravitySouthEast},
			{resize.GravityNorthWest, resize.GravitySouthWest},
			{one, other},
		}
	}
	for _, p := range pairs {
		if g == p[0] {
			return p[1]
		}
		if g == p[1] {
			return p[0]
		}
	}
	return g
}

// offsetLength returns px for 1 or more, percent for less.
func offsetLength(v float64) resize.Length {
	switch {
	case v == 0:
		return resize.Length{}
	case math.Abs(v) < 1:
		return percentOf(v)
	default:
		return resize.Length{Value: v}
	}
}

// percentOf returns a part of 1 as percent, without the noise that decimals have in binary.
func percentOf(v float64) resize.Length {
	return resize.Length{Value: math.Round(v*1e11)/1e9 + 0, Percent: true}
}

// tooMany refuses more arguments than the option has.
func tooMany(name string, args []string, most int) error {
	if len(args) > most {
		return imgproxyNotFound("bad_option", name+": "+strconv.Itoa(len(args))+" arguments are too many; allowed: "+strconv.Itoa(most))
	}
	return nil
}

// argument returns an argument; "" if there are fewer.
func argument(args []string, i int) string {
	if i < len(args) {
		return args[i]
	}
	return ""
}
