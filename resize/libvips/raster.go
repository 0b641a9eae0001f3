package libvips

import (
	"context"
	"image"
	"math"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// raster is px in memory, 8 bits a band, straight alpha: gray, RGB, each with or without alpha.
type raster struct {
	pix           []byte
	width, height int
	bands         int
	alpha         bool // the last band is alpha
}

// edit computes the picture, lets change its px in place, and goes on with them.
func (p *picture) edit(ctx context.Context, change func(*raster)) error {
	px, err := p.raster(ctx)
	if err != nil {
		return err
	}
	change(px)
	return p.use(px, p.ref.Interpretation())
}

// raster computes the picture.
func (p *picture) raster(ctx context.Context) (*raster, error) {
	if err := p.ref.Cast(vips.BandFormatUchar); err != nil {
		return nil, err
	}
	pix, err := p.pixels(ctx)
	if err != nil {
		return nil, err
	}
	return &raster{pix, p.ref.Width(), p.ref.Height(), p.ref.Bands(), p.ref.HasAlpha()}, nil
}

// use makes px the picture.
func (p *picture) use(px *raster, interpretation vips.Interpretation) error {
	next, err := vips.NewImageFromMemory(px.pix, px.width, px.height, px.bands, vips.BandFormatUchar, interpretation)
	if err != nil {
		return err
	}
	p.replace(next)
	return nil
}

// at returns the bands of one px.
func (r *raster) at(x, y int) []byte {
	i := (y*r.width + x) * r.bands
	return r.pix[i : i+r.bands : i+r.bands]
}

// weight returns how much a px counts where px are averaged: its alpha, 0–255.
func (r *raster) weight(px []byte) int {
	if r.alpha {
		return int(px[len(px)-1])
	}
	return 255
}

// colors returns how many bands are color.
func (r *raster) colors() int {
	if r.alpha {
		return r.bands - 1
	}
	return r.bands
}

// pixelate gives every px the mean of its block, whose side is given in px. The last blocks of a row and of
// a column are what is left.
func (r *raster) pixelate(side int) {
	for y := 0; y < r.height; y += side {
		for x := 0; x < r.width; x += side {
			block := image.Rect(x, y, min(x+side, r.width), min(y+side, r.height))
			r.fill(block, r.mean(block))
		}
	}
}

// mean returns the mean color of a block, by alpha, and its mean alpha.
func (r *raster) mean(block image.Rectangle) []byte {
	var sum [4]int
	weights, count := 0, block.Dx()*block.Dy()
	colors := r.colors()
	for y := block.Min.Y; y < block.Max.Y; y++ {
		for x := block.Min.X; x < block.Max.X; x++ {
			px := r.at(x, y)
			w := r.weight(px)
			weights += w
			for i := range colors {
				sum[i] += int(px[i]) * w
			}
		}
	}
	out := make([]byte, r.bands)
	for i := range colors {
		out[i] = byte((sum[i] + weights/2) / max(1, weights))
	}
	if r.alpha {
		out[colors] = byte((weights + count/2) / count)
	}
	return out
}

func (r *raster) fill(block image.Rectangle, px []byte) {
	for y := block.Min.Y; y < block.Max.Y; y++ {
		for x := block.Min.X; x < block.Max.X; x++ {
			copy(r.at(x, y), px)
		}
	}
}

// round makes the corners transparent, with smooth edges. Only the corners are visited.
func (r *raster) round(c resize.Corners) {
	w, h := int(math.Ceil(c.X)), int(math.Ceil(c.Y))
	alpha := r.bands - 1
	for y := range min(h, (r.height+1)/2) {
		for x := range min(w, (r.width+1)/2) {
			inside := coverage(float64(x)-c.X, float64(y)-c.Y, c)
			if inside >= 1 {
				break // the rest of the row is inside
			}
			right, bottom := r.width-1-x, r.height-1-y
			r.fade(x, y, alpha, inside)
			if right != x {
				r.fade(right, y, alpha, inside)
			}
			if bottom != y {
				r.fade(x, bottom, alpha, inside)
				if right != x {
					r.fade(right, bottom, alpha, inside)
				}
			}
		}
	}
}

func (r *raster) fade(x, y, band int, by float64) {
	px := r.at(x, y)
	px[band] = byte(float64(px[band])*by + 0.5)
}

// coverage returns how much of the px whose top left corner is at x, y, as seen from the center of an
// ellipse of the given radii, lies inside it: 0–1, on 8 × 8 points.
func coverage(x, y float64, c resize.Corners) float64 {
	const points = 8
	inside := 0
	for i := range points {
		for j := range points {
			dx, dy := (x+(float64(i)+0.5)/points)/c.X, (y+(float64(j)+0.5)/points)/c.Y
			if dx > 0 || dy > 0 || dx*dx+dy*dy <= 1 {
				inside++
			}
		}
	}
	return float64(inside) / (points * points)
}
