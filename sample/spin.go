package sample

import (
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"math"
	"sync"
)

// spinDelay is how long a frame of Spin stays, in 1/100 s.
const spinDelay = 5

// Spin is a pinwheel that turns once in the given number of frames (at least 1) and loops for ever.
// The first frame is whole; the others cover only the wheel's square and leave the rest as it is.
func Spin(w, h, frames int) *gif.GIF {
	sky := Scene(w, h, 8)
	list := make([]*image.Paletted, frames)
	var wg sync.WaitGroup
	for i := range list {
		wg.Go(func() { list[i] = spinFrame(sky, i, frames) })
	}
	wg.Wait()
	g := &gif.GIF{Image: list, Config: image.Config{Width: w, Height: h, ColorModel: color.Palette(palette.Plan9)}}
	for range list {
		g.Delay = append(g.Delay, spinDelay)
		g.Disposal = append(g.Disposal, gif.DisposalNone)
	}
	return g
}

func spinFrame(sky *image.RGBA, i, frames int) *image.Paletted {
	frame := image.NewRGBA(sky.Rect)
	copy(frame.Pix, sky.Pix)
	size := float64(min(sky.Rect.Dx(), sky.Rect.Dy()))
	x, y, r := float64(sky.Rect.Dx())/2, size*.42, size*.36
	strokes(frame, []stroke{{x, y, size * .012, x, float64(sky.Rect.Dy()), size * .016, rgb{.93, .90, .84}, 1}})
	pinwheel(frame, x, y, r, 2*math.Pi*float64(i)/float64(frames))
	part := sky.Rect
	if i > 0 {
		part = image.Rect(int(x-r)-2, int(y-r)-2, int(x+r)+3, int(y+r)+3).Intersect(sky.Rect)
	}
	out := image.NewPaletted(part, palette.Plan9)
	draw.FloydSteinberg.Draw(out, part, frame, part.Min)
	return out
}

// vanes are the colors of the pinwheel.
var vanes = [...]rgb{{.93, .26, .21}, {.98, .74, .18}, {.30, .69, .31}, {.13, .59, .95}, {.61, .35, .71}, {.96, .51, .19}}

// pinwheel paints six vanes around x, y, turned clockwise by the angle in radians.
func pinwheel(img *image.RGBA, x, y, r, angle float64) {
	for py := int(y - r - 1); py <= int(y+r+1); py++ {
		for px := int(x - r - 1); px <= int(x+r+1); px++ {
			if !image.Pt(px, py).In(img.Rect) {
				continue
			}
			dx, dy := float64(px)+.5-x, float64(py)+.5-y
			far := math.Hypot(dx, dy) / r
			turn := math.Mod(math.Atan2(dy, dx)-angle+4*math.Pi+far*.5, 2*math.Pi) / (2 * math.Pi) * float64(len(vanes))
			i := min(int(turn), len(vanes)-1)
			edge := 1 - .42*(turn-float64(i))
			cover := clamp((edge - far) * r)
			over(img.Pix[img.PixOffset(px, py):], vanes[i].scale(.72+.36*(turn-float64(i))), cover)
		}
	}
	strokes(img, []stroke{{x, y, r * .07, x, y, r * .07, rgb{.97, .95, .90}, 1}})
}
