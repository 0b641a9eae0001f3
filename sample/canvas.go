package sample

import (
	"image"
	"math"
)

// rgb is a color, each channel 0–1 in the gamma of the picture.
type rgb struct{ r, g, b float64 }

func (c rgb) mix(d rgb, t float64) rgb {
	return rgb{lerp(c.r, d.r, t), lerp(c.g, d.g, t), lerp(c.b, d.b, t)}
}

func (c rgb) scale(k float64) rgb { return rgb{c.r * k, c.g * k, c.b * k} }

func (c rgb) add(d rgb, k float64) rgb { return rgb{c.r + d.r*k, c.g + d.g*k, c.b + d.b*k} }

// set writes an opaque pixel.
func set(img *image.RGBA, x, y int, c rgb) {
	p := img.Pix[img.PixOffset(x, y):][:4:4]
	p[0], p[1], p[2], p[3] = level(c.r), level(c.g), level(c.b), 255
}

func level(v float64) uint8 { return uint8(clamp(v)*255 + 0.5) }

// stroke is a straight line with round ends whose radius changes from one end to the other, in px.
type stroke struct {
	x0, y0, r0 float64
	x1, y1, r1 float64
	color      rgb
	alpha      float64 // 0–1
}

// strokes paints in order, later ones over earlier ones, on all cores.
func strokes(img *image.RGBA, list []stroke) {
	bands(img.Rect.Dy(), func(y0, y1 int) {
		for i := range list {
			list[i].paint(img, y0, y1)
		}
	})
}

// paint draws the rows y0 to y1 of s.
func (s *stroke) paint(img *image.RGBA, y0, y1 int) {
	reach := max(s.r0, s.r1) + 1
	top := max(y0, int(min(s.y0, s.y1)-reach))
	bottom := min(y1, int(max(s.y0, s.y1)+reach)+1)
	if top >= bottom {
		return
	}
	left := max(0, int(min(s.x0, s.x1)-reach))
	right := min(img.Rect.Dx(), int(max(s.x0, s.x1)+reach)+1)
	dx, dy := s.x1-s.x0, s.y1-s.y0
	inverse := 1 / max(dx*dx+dy*dy, 1e-9)
	for y := top; y < bottom; y++ {
		for x := left; x < right; x++ {
			px, py := float64(x)+0.5-s.x0, float64(y)+0.5-s.y0
			t := clamp((px*dx + py*dy) * inverse)
			ex, ey := px-t*dx, py-t*dy
			cover := lerp(s.r0, s.r1, t) + 0.5 - math.Sqrt(ex*ex+ey*ey)
			if cover > 0 {
				over(img.Pix[img.PixOffset(x, y):], s.color, min(cover, 1)*s.alpha)
			}
		}
	}
}

// over lays c with the given alpha over a premultiplied pixel.
func over(p []uint8, c rgb, alpha float64) {
	p = p[:4:4]
	keep := 1 - alpha
	p[0] = uint8(float64(p[0])*keep + clamp(c.r)*255*alpha + 0.5)
	p[1] = uint8(float64(p[1])*keep + clamp(c.g)*255*alpha + 0.5)
	p[2] = uint8(float64(p[2])*keep + clamp(c.b)*255*alpha + 0.5)
	p[3] = uint8(min(float64(p[3])*keep+255*alpha+0.5, 255))
}

// develop adds what a camera adds: darker corners and grain of the given strength (levels of 255).
func develop(img *image.RGBA, grain float64, f field) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	bands(h, func(y0, y1 int) {
		for y := y0; y < y1; y++ {
			fy := 2*float64(y)/float64(h) - 1
			for x := range w {
				fx := 2*float64(x)/float64(w) - 1
				light := 1 - 0.07*(fx*fx+fy*fy)
				b := f.bits(x, y)
				noise := grain * (float64(b&0xffff) + float64(b>>16&0xffff) - 65535) / 65535
				p := img.Pix[img.PixOffset(x, y):][:4:4]
				for i := range 3 {
					p[i] = uint8(min(max(float64(p[i])*light+noise+0.5, 0), 255))
				}
			}
		}
	})
}
