package resize

import (
	"image"
	"math"
)

// Effects is what is done to the picture between its scaling and its padding, in the order of the
// fields. Lengths are output px. The zero value does nothing.
//
// Colors are computed on sRGB numbers as they are, not on linear light, with the formulas of CSS'
// filter functions (Filter Effects 1, 13.1), so that a picture and a style sheet agree.
type Effects struct {
	Tone     Tone    // bri, con, sat, hue and gray in one
	Duotone  Tone    // maps luma to a color between two; after Tone has been clipped to 0–255
	Blur     float64 // sigma of a Gaussian; 0 = none
	Sharpen  float64 // sigma of an unsharp mask on lightness; 0 = none
	Pixelate int     // side of the blocks, counted from the top left; 0 = none
	Round    Corners // transparent corners; zero = none
}

// Tone is an affine map of colors: each row gives one of R, G and B from R, G, B (0–255) and 1. Alpha
// is not touched.
type Tone struct {
	On   bool // false in the zero value, which changes nothing
	Rows [3][4]float64
}

// Corners are the radii of an elliptic corner in output px; zero = square.
type Corners struct{ X, Y float64 }

// Weights of R, G and B in luma (Rec. 709), as CSS has them.
const (
	lumaR = 0.2126
	lumaG = 0.7152
	lumaB = 0.0722
)

// effects resolves what is done to a picture of the given size at the dpr that was reached. blur,
// sharpen and pixelate are output px by contract and are not multiplied; round is CSS px and is.
func (o Options) effects(width, height int, dpr float64) Effects {
	return Effects{
		Tone: o.tone(), Duotone: o.Duotone.tone(),
		Blur: o.Blur, Sharpen: o.Sharpen, Pixelate: o.Pixelate,
		Round: o.Round.corners(width, height, dpr),
	}
}

// tone joins bri, con, sat, hue and gray, in this order, without clipping in between.
func (o Options) tone() Tone {
	t := Tone{Rows: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}
	if o.Brightness != 0 {
		t = t.then(levels(1, float64(o.Brightness)*255/100))
	}
	if o.Contrast != 0 {
		c := float64(o.Contrast) * 255 / 100
		slope := 259 * (c + 255) / (255 * (259 - c)) // 0 at −100, 1 at 0, 129.5 at 100
		t = t.then(levels(slope, 128-128*slope))
	}
	if o.Saturation != 0 {
		t = t.then(saturate(1 + float64(o.Saturation)/100))
	}
	if o.Hue != 0 {
		t = t.then(turnHue(float64(o.Hue)))
	}
	if o.Gray {
		t = t.then(saturate(0))
	}
	if !t.On {
		return Tone{}
	}
	return t
}

// levels is x → slope·x + lift for each channel.
func levels(slope, lift float64) Tone {
	return Tone{On: true, Rows: [3][4]float64{{slope, 0, 0, lift}, {0, slope, 0, lift}, {0, 0, slope, lift}}}
}

// saturate moves colors away from their gray: 0 is gray, 1 changes nothing.
func saturate(s float64) Tone {
	t := Tone{On: true}
	for row := range t.Rows {
		t.Rows[row] = [4]float64{lumaR * (1 - s), lumaG * (1 - s), lumaB * (1 - s)}
		t.Rows[row][row] += s
	}
	return t
}

// turnHue turns colors around gray, keeping luma.
func turnHue(degrees float64) Tone {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return Tone{On: true, Rows: [3][4]float64{
		{0.213 + 0.787*cos - 0.213*sin, 0.715 - 0.715*cos - 0.715*sin, 0.072 - 0.072*cos + 0.928*sin},
		{0.213 - 0.213*cos + 0.143*sin, 0.715 + 0.285*cos + 0.140*sin, 0.072 - 0.072*cos - 0.283*sin},
		{0.213 - 0.213*cos - 0.787*sin, 0.715 - 0.715*cos + 0.715*sin, 0.072 + 0.928*cos + 0.072*sin},
	}}
}

// tone is the line from Dark, for black, to Light, for white.
func (d Duotone) tone() Tone {
	if !d.On {
		return Tone{}
	}
	t := Tone{On: true}
	dark, light := [...]uint8{d.Dark.R, d.Dark.G, d.Dark.B}, [...]uint8{d.Light.R, d.Light.G, d.Light.B}
	for row := range t.Rows {
		span := (float64(light[row]) - float64(dark[row])) / 255
		t.Rows[row] = [4]float64{lumaR * span, lumaG * span, lumaB * span, float64(dark[row])}
	}
	return t
}

// then returns the map that does t first and u after it.
func (t Tone) then(u Tone) Tone {
	out := Tone{On: true}
	for row := range out.Rows {
		for col := range 4 {
			for k := range 3 {
				out.Rows[row][col] += u.Rows[row][k] * t.Rows[k][col]
			}
		}
		out.Rows[row][3] += u.Rows[row][3]
	}
	return out
}

// corners returns the radii for a picture of the given size, at most half its sides. As in CSS, radii
// that do not fit are reduced together.
func (r Round) corners(width, height int, dpr float64) Corners {
	half := Corners{float64(width) / 2, float64(height) / 2}
	if r.Max {
		return half
	}
	radius := min(float64(r.Radius)*dpr, half.X, half.Y)
	return Corners{radius, radius}
}

// Colored reports whether something may put color on a gray picture, its Background aside.
func (p Plan) Colored() bool {
	return p.Effects.Duotone.On || p.Overlay.Image != "" || p.Caption.Value != ""
}

// effectBytes returns what effects hold beyond the lines of the pipeline: px that are looked at twice or
// changed in place exist in Go and in C; convolutions hold lines of floats.
func (p Plan) effectBytes() int64 {
	out := int64(p.Width) * int64(p.Height) * 4
	lines := min(out, int64(p.Width)*4*finalLines) * 4
	n := int64(0)
	if e := p.Effects; e.Pixelate > 0 || e.Round != (Corners{}) || p.Behind != BackgroundNone {
		n += 2 * out
	}
	if p.Angle != 0 {
		n += 3*out + lines
	}
	if p.Pick != GravityCenter {
		n += 2 * 4 * int64(p.Scaled.X) * int64(p.Scaled.Y)
	}
	if p.Effects.Blur > 0 {
		n += lines
	}
	if p.Effects.Sharpen > 0 {
		n += lines
	}
	return n
}

// Cover returns the largest size inside the first that has the ratio of the second.
func Cover(size, ratio image.Point) image.Point {
	e := Ratio{float64(ratio.X), float64(ratio.Y)}.within(size.X, size.Y)
	return image.Pt(side(e.w), side(e.h))
}
