package resize

import (
	"errors"
	"image"
	"math"
	"strings"
	"unicode/utf8"
)

// Overlay is a watermark on its way to the result. A plan names the picture in Image; whoever fetches it
// hands it in with Plan.WithMark, and only then can the plan be executed.
type Overlay struct {
	Image string // "source/key"; "" = no watermark
	Wish  Watermark

	Data    []byte // the watermark's file; the engine takes its first frame
	Picture *Plan  // makes the mark: size, color and turn; nil = not fetched yet
	Opacity float64
	Place   Place
	TileX   bool        // repeated to both sides, one mark being at Place
	TileY   bool        // repeated up and down
	Gap     image.Point // between repetitions, output px
}

// Caption is a text laid over the result; Value "" = none. Its size in px is known once it is rendered.
type Caption struct {
	Value   string
	Size    int // of the font, output px
	Wrap    int // lines longer than this are broken, output px
	Color   Color
	Opacity float64
	Place   Place
}

// Place says where something lies on the result. Other than a crop, it may lie partly outside.
type Place struct {
	Gravity Gravity
	X, Y    Length  // inward from the side the gravity names; negative is outward. Percent is of the result's side
	DPR     float64 // output px per px of X and Y
}

// In returns the top left corner of what has the inner size.
func (p Place) In(outer, inner image.Point) image.Point {
	h, v := p.Gravity.towards()
	return image.Pt(
		lie(h, outer.X-inner.X, p.X.px(outer.X, p.DPR)),
		lie(v, outer.Y-inner.Y, p.Y.px(outer.Y, p.DPR)),
	)
}

func lie(d direction, slack, offset int) int {
	switch d {
	case start:
		return offset
	case end:
		return slack - offset
	default:
		return floorHalf(slack+1) + offset
	}
}

// floorHalf halves, also below 0, toward −∞.
func floorHalf(n int) int { return (n - n&1) / 2 }

// overlay returns what the options say of the watermark, before it is known.
func (o Options) overlay(dpr float64) Overlay {
	w := o.Watermark
	if w.Image == "" {
		return Overlay{}
	}
	return Overlay{
		Image: w.Image, Wish: w, Opacity: orOne(w.Opacity),
		Place: Place{Gravity: w.Gravity, X: w.X, Y: w.Y, DPR: dpr},
		TileX: w.Tiled || w.Along == AxisHorizontal, TileY: w.Tiled || w.Along == AxisVertical,
	}
}

// WithMark returns the plan with the watermark's file and what a probe says of it. Its own orientation is
// followed and its own profile obeyed; lim bounds it as any source. Errors are *Error and begin with wm.
func (p Plan) WithMark(data []byte, src Source, lim Limits) (Plan, error) {
	if p.Overlay.Image == "" {
		return p, nil
	}
	mark, err := p.Overlay.Wish.options(image.Pt(p.Width, p.Height), p.DPR).Plan(src, lim)
	if err != nil {
		var known *Error
		if errors.As(err, &known) {
			return p, &Error{Status: known.Status, Kind: known.Kind, Text: "wm: " + known.Text}
		}
		return p, err
	}
	o := &p.Overlay
	o.Data, o.Picture = data, &mark
	if o.TileX || o.TileY {
		// Offsets are the gaps of a pattern.
		o.Gap = image.Pt(max(0, o.Place.X.px(p.Width, p.DPR)), max(0, o.Place.Y.px(p.Height, p.DPR)))
		if !o.TileX {
			o.Gap.X = 0
		} else {
			o.Place.X = Length{}
		}
		if !o.TileY {
			o.Gap.Y = 0
		} else {
			o.Place.Y = Length{}
		}
	}
	p.Memory += mark.Memory + int64(mark.Width)*int64(mark.Height)*4*2
	return p, lim.checkPlan(p)
}

// options returns how the mark itself is made for a result of the given size. Scales speak of the mark
// before it is turned.
func (w Watermark) options(size image.Point, dpr float64) Options {
	o := Options{Still: true, Enlarge: true, Rotate: w.Rotate, Format: FormatPNG}
	switch {
	case w.Scale > 0 || w.ScaleY > 0:
		o.Width, o.Height = scaled(w.Scale, size.X), scaled(w.ScaleY, size.Y)
		if w.Within {
			o.Height = scaled(w.Scale, size.Y)
		}
	case w.Width > 0 || w.Height > 0:
		o.Width, o.Height = scaled(dpr, w.Width), scaled(dpr, w.Height)
	default:
		o.Zoom = dpr
	}
	if math.Mod(w.Rotate, 180) == 90 {
		o.Width, o.Height = o.Height, o.Width
	}
	return o.Normalize()
}

// scaled returns a share of a side; 0 for none.
func scaled(by float64, px int) int {
	if by <= 0 || px <= 0 {
		return 0
	}
	return side(by * float64(px))
}

// defaultTextSize is txts where it is not given, CSS px.
const defaultTextSize = 32

// caption returns the text for a result of the given size, or a 422 for one that would be far larger
// than the result.
func (o Options) caption(size image.Point, dpr float64) (Caption, error) {
	t := o.Text
	if strings.TrimSpace(t.Value) == "" {
		return Caption{}, nil
	}
	c := Caption{
		Value: t.Value, Size: t.Size, Wrap: size.X, Color: white, Opacity: orOne(t.Opacity),
		Place: Place{Gravity: t.Gravity, X: t.X, Y: t.Y, DPR: dpr},
	}
	if c.Size == 0 {
		c.Size = defaultTextSize
	}
	c.Size = side(float64(c.Size) * dpr)
	if t.Colored {
		c.Color = t.Color
	}
	if c.squares() > max(2*int64(size.X)*int64(size.Y), leastCaption) {
		return c, Unprocessable("unsupported_size", "txts: a text of this size and length does not fit into the result")
	}
	return c, nil
}

// leastCaption is how many px² of letters any result may have.
const leastCaption = 1 << 20

// squares returns the area of the letters if each were a square of the font's size.
func (c Caption) squares() int64 {
	return int64(utf8.RuneCountInString(c.Value)) * int64(c.Size) * int64(c.Size)
}

// overlayBytes returns what overlays hold: the result in Go and in C, and the text. The watermark is added
// once it is known.
func (p Plan) overlayBytes() int64 {
	if p.Overlay.Image == "" && p.Caption.Value == "" {
		return 0
	}
	return 2*4*int64(p.Width)*int64(p.Height) + 5*p.Caption.squares()
}
