package sample

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Quadrants is a picture that shows which way it is turned: red at the top left, green at the top
// right, blue at the bottom left, white at the bottom right. Odd sides give the middle line to the
// right and the bottom.
func Quadrants(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	fill := func(r image.Rectangle, c color.RGBA) { draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src) }
	fill(image.Rect(0, 0, w/2, h/2), color.RGBA{255, 0, 0, 255})
	fill(image.Rect(w/2, 0, w, h/2), color.RGBA{0, 255, 0, 255})
	fill(image.Rect(0, h/2, w/2, h), color.RGBA{0, 0, 255, 255})
	fill(image.Rect(w/2, h/2, w, h), color.RGBA{255, 255, 255, 255})
	return img
}

// Flat is a picture of one color.
func Flat(w, h int, c color.Color) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return img
}

// Turned returns img as a camera stores it under the EXIF orientation, so that a viewer who follows
// the orientation sees img again. Orientations other than 2–8 return img as it is.
func Turned(img *image.RGBA, orientation int) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	if orientation < 2 || orientation > 8 {
		return img
	}
	out := image.NewRGBA(size)
	for y := range h {
		for x := range w {
			sx, sy := stored(x, y, w, h, orientation)
			copy(out.Pix[out.PixOffset(sx, sy):][:4], img.Pix[img.PixOffset(x, y):][:4])
		}
	}
	return out
}

// stored is where the upright pixel x, y of a w × h picture lies in the file (EXIF 2.32, 4.6.4, Orientation).
func stored(x, y, w, h, orientation int) (sx, sy int) {
	switch orientation {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, w - 1 - x
	case 7:
		return h - 1 - y, w - 1 - x
	case 8:
		return h - 1 - y, x
	}
	return x, y
}

// Gray returns img without color.
func Gray(img *image.RGBA) *image.Gray {
	out := image.NewGray(img.Rect)
	draw.Draw(out, out.Rect, img, img.Rect.Min, draw.Src)
	return out
}

// CMYK returns img as ink, in the plain way without a profile.
func CMYK(img *image.RGBA) *image.CMYK {
	out := image.NewCMYK(img.Rect)
	draw.Draw(out, out.Rect, img, img.Rect.Min, draw.Src)
	return out
}

// Deep is a dusk of 16 bits a channel, whose gradients would show steps in 8.
func Deep(w, h int) *image.NRGBA64 {
	img := image.NewNRGBA64(image.Rect(0, 0, w, h))
	f := field(77)
	bands(h, func(y0, y1 int) {
		for y := y0; y < y1; y++ {
			v := float64(y) / float64(h)
			for x := range w {
				u := float64(x) / float64(h)
				c := rgb{.05, .08, .24}.mix(rgb{.98, .62, .38}, math.Pow(v, 1.7))
				c = c.mix(rgb{.95, .45, .52}, .35*step(.1, .7, f.fractal(u*1.2, v*7, 5)))
				dune := .82 + .05*math.Sin(u*3.1) + .02*f.fractal(u*3, 4, 5)
				if v > dune {
					c = rgb{.10, .07, .12}.mix(rgb{.30, .17, .19}, clamp((v-dune)*2+.3*f.fractal(u*9, v*60, 3)))
				}
				deep := func(v float64) uint16 { return uint16(clamp(v)*65535 + 0.5) }
				img.SetNRGBA64(x, y, color.NRGBA64{deep(c.r), deep(c.g), deep(c.b), 65535})
			}
		}
	})
	return img
}

// Cutout is a fern on nothing: fine edges, holes, and a soft shadow that is half transparent.
func Cutout(w, h int, seed uint64) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	shadow(img)
	f := fern{dice: rand.New(rand.NewPCG(seed, 11))}
	f.frond(.46, .95, -math.Pi/2+.06, .80, .008, 0)
	list := make([]stroke, len(f.list))
	for i, s := range f.list {
		s.x0, s.x1 = .5+(s.x0-.5)*float64(h)/float64(w), .5+(s.x1-.5)*float64(h)/float64(w)
		list[i] = s.times(float64(h))
		list[i].x0, list[i].x1 = s.x0*float64(w), s.x1*float64(w)
	}
	strokes(img, list)
	return img
}

// shadow lays a soft dark ellipse on the ground of the picture.
func shadow(img *image.RGBA) {
	w, h := float64(img.Rect.Dx()), float64(img.Rect.Dy())
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			dx, dy := (float64(x)/w-.48)/.40, (float64(y)/h-.95)/.045
			dark := .5 * step(1, .1, math.Sqrt(dx*dx+dy*dy))
			over(img.Pix[img.PixOffset(x, y):], rgb{.05, .07, .06}, dark)
		}
	}
}

// fern collects the strokes of a leaf that is made of leaves.
type fern struct {
	dice *rand.Rand
	list []stroke
}

// fernPairs is how many pairs of leaves a stem carries: the frond's, then a leaf's.
var fernPairs = [...]int{26, 19}

// frond grows a stem with a pair of leaves at each joint, and each leaf as a smaller stem.
func (f *fern) frond(x, y, angle, long, thick float64, depth int) {
	if depth == len(fernPairs) {
		tip := stroke{x, y, long * .24, x + long*math.Cos(angle), y + long*math.Sin(angle), long * .05, f.green(.5), 1}
		f.list = append(f.list, tip)
		return
	}
	pairs := float64(fernPairs[depth])
	bend := .7 * (.5 - f.dice.Float64()) / pairs
	piece := long / pairs
	reach := [...]float64{.40, .105}[depth]
	for i := range fernPairs[depth] {
		t := float64(i) / pairs
		bx, by := x+piece*math.Cos(angle), y+piece*math.Sin(angle)
		side := long * reach * math.Pow(math.Sin(math.Pi*(.14+.84*t)), .9) * (1 - .3*t)
		for _, way := range [2]float64{-1, 1} {
			f.frond(bx, by, angle+way*(1.12-.4*t), side*(.96+.08*f.dice.Float64()), max(thick*.36, .0016), depth+1)
		}
		f.list = append(f.list, stroke{x, y, thick * (1 - .85*t), bx, by, thick * (1 - .85*(t+1/pairs)), f.green(.2 * t), 1})
		x, y, angle = bx, by, angle+bend
	}
}

// green is a shade of green about t, 0 dark to 1 bright.
func (f *fern) green(t float64) rgb {
	return rgb{.13, .32, .11}.mix(rgb{.52, .74, .24}, clamp(t+.14*f.dice.NormFloat64()))
}

// Poster is black and colored text on a bright ground: thin strokes and flat areas.
func Poster(w, h int) (*image.RGBA, error) {
	img := Scene(w, h, 7)
	k := float64(h)
	for y := range h {
		veil := .90 * (1 - step(.50, .74, float64(y)/k))
		for x := range w {
			over(img.Pix[img.PixOffset(x, y):], rgb{.98, .96, .91}, veil)
		}
	}
	lines := []struct {
		text string
		data []byte
		size float64 // of the height
		y    float64 // of the height
		ink  color.RGBA
	}{
		{"imgedge", gobold.TTF, .125, .17, color.RGBA{28, 30, 36, 255}},
		{"pictures, sized on the way", goregular.TTF, .040, .235, color.RGBA{190, 60, 40, 255}},
		{"“The quick brown fox jumps over the lazy dog” 0123456789", goregular.TTF, .0175, .32, color.RGBA{28, 30, 36, 255}},
		{"äöüß éèêë çñ ø å  Ελληνικά  Кириллица  € £ ¥ © ®", goregular.TTF, .0195, .355, color.RGBA{28, 30, 36, 255}},
		{"Fine print stays readable only where edges stay sharp and colors stay where they are.", goregular.TTF, .0125, .39, color.RGBA{90, 92, 98, 255}},
	}
	for _, l := range lines {
		if err := write(img, l.text, l.data, l.size*k, image.Pt(w/12, int(l.y*k)), l.ink); err != nil {
			return nil, err
		}
	}
	return img, nil
}

// write sets a line of text; at is the left end of its base line, size its height in px.
func write(img *image.RGBA, text string, data []byte, size float64, at image.Point, ink color.Color) error {
	parsed, err := opentype.Parse(data)
	if err != nil {
		return err
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return err
	}
	d := font.Drawer{Dst: img, Src: image.NewUniform(ink), Face: face, Dot: fixed.P(at.X, at.Y)}
	d.DrawString(text)
	return face.Close()
}
