package libvips

import (
	"context"
	"encoding/binary"
	"image"
	"math"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// lookBehind derives the background from the picture, while it still has its corners.
func (p *picture) lookBehind(ctx context.Context) error {
	switch p.plan.Behind {
	case resize.BackgroundAuto:
		if p.first.border.A != 0 {
			return nil
		}
		px, err := p.keptRaster(ctx)
		if err != nil {
			return err
		}
		p.first.border = px.borderMean()
	case resize.BackgroundBlur:
		if p.plan.Canvas.X == 0 && !p.ref.HasAlpha() && p.plan.Effects.Round == (resize.Corners{}) {
			return nil
		}
		return p.makeBlur(ctx)
	default:
	}
	return nil
}

// keptRaster computes the picture, and keeps the px as the picture.
func (p *picture) keptRaster(ctx context.Context) (*raster, error) {
	px, err := p.raster(ctx)
	if err != nil {
		return nil, err
	}
	return px, p.use(px, p.ref.Interpretation())
}

// borderMean is the color for bg=auto: the mean, by alpha, of a rim a fiftieth of the shorter side wide, at
// least 1 px; of the whole picture where the rim is transparent; white where all is.
func (r *raster) borderMean() resize.Color {
	rim := max(1, min(r.width, r.height)/50)
	inner := image.Rect(rim, rim, r.width-rim, r.height-rim)
	for _, skip := range [...]image.Rectangle{inner, {}} {
		var sum [3]int
		weights := 0
		for y := range r.height {
			for x := 0; x < r.width; x++ {
				if image.Pt(x, y).In(skip) {
					x = skip.Max.X - 1
					continue
				}
				px := r.at(x, y)
				w := r.weight(px)
				weights += w
				for i := range sum {
					sum[i] += int(px[min(i, r.colors()-1)]) * w
				}
			}
		}
		if weights > 0 {
			mean := func(i int) uint8 { return uint8((sum[i] + weights/2) / weights) }
			return resize.Color{R: mean(0), G: mean(1), B: mean(2), A: 255}
		}
	}
	return resize.Color{R: 255, G: 255, B: 255, A: 255}
}

// The blurred background: the part of the picture that has the canvas' ratio, reduced until its longer
// side has blurSide px, blurred there, and scaled to the canvas.
const (
	blurSide  = 48
	blurSigma = 1.5 // px of the reduced picture: a thirtieth of the canvas' longer side
)

// makeBlur makes the background for bg=blur.
func (p *picture) makeBlur(ctx context.Context) error {
	if _, err := p.keptRaster(ctx); err != nil { // it is needed twice
		return err
	}
	canvas := p.plan.Canvas
	if canvas.X == 0 {
		canvas = image.Pt(p.plan.Width, p.plan.Height)
	}
	ref, err := p.ref.Copy()
	if err != nil {
		return err
	}
	small := &picture{ref: ref}
	defer small.close()
	whole := image.Pt(ref.Width(), ref.Height())
	part := resize.Cover(whole, canvas)
	if err := small.extract(image.Rectangle{Max: part}.Add(whole.Sub(part).Div(2))); err != nil {
		return err
	}
	by := float64(blurSide) / float64(max(canvas.X, canvas.Y))
	side := func(n int) int { return max(1, int(math.Round(float64(n)*by))) }
	if err := small.scaleTo(side(canvas.X), side(canvas.Y), vips.KernelLinear); err != nil {
		return err
	}
	px, err := small.raster(ctx)
	if err != nil {
		return err
	}
	next, err := vips.NewImageFromMemory(px.soft(blurSigma), px.width, px.height, px.colors(), vips.BandFormatFloat, p.ref.Interpretation())
	if err != nil {
		return err
	}
	if p.blurred != nil {
		p.blurred.Close()
	}
	p.blurred = next
	back := &picture{ref: next}
	if err := back.scaleTo(canvas.X, canvas.Y, vips.KernelCubic); err != nil {
		return err
	}
	return back.bytes(make([]float64, px.colors()))
}

// soft returns the px under a Gaussian as opaque floats, transparent px having no say. Far from all others
// stands the mean.
func (r *raster) soft(sigma float64) []byte {
	mean := r.mean(image.Rect(0, 0, r.width, r.height))
	colors := r.colors()
	const faint = 1e-3 // the weight of the mean
	reach := int(math.Ceil(4 * sigma))
	out := make([]byte, 0, r.width*r.height*colors*4)
	for y := range r.height {
		for x := range r.width {
			var sum [3]float64
			weights := faint * 255
			for i := range colors {
				sum[i] = float64(mean[i]) * weights
			}
			for dy := -reach; dy <= reach; dy++ {
				for dx := -reach; dx <= reach; dx++ {
					px := r.at(min(max(x+dx, 0), r.width-1), min(max(y+dy, 0), r.height-1))
					w := float64(r.weight(px)) * math.Exp(-float64(dx*dx+dy*dy)/(2*sigma*sigma))
					weights += w
					for i := range colors {
						sum[i] += w * float64(px[i])
					}
				}
			}
			for i := range colors {
				out = binary.NativeEndian.AppendUint32(out, math.Float32bits(float32(sum[i]/weights)))
			}
		}
	}
	return out
}

// layOnBlur puts the picture on its blurred self.
func (p *picture) layOnBlur() error {
	if p.blurred == nil {
		return nil
	}
	back := &picture{ref: p.blurred}
	if !p.ref.HasAlpha() {
		if err := back.ref.Insert(p.ref, p.plan.Offset.X, p.plan.Offset.Y, false, nil); err != nil {
			return err
		}
	} else {
		if err := p.threeBands(); err != nil {
			return err
		}
		if err := back.threeBands(); err != nil {
			return err
		}
		if err := back.ref.Composite(p.ref, vips.BlendModeOver, p.plan.Offset.X, p.plan.Offset.Y); err != nil {
			return err
		}
		if err := back.ref.ExtractBand(0, 3); err != nil {
			return err
		}
		if err := back.ref.Cast(vips.BandFormatUchar); err != nil {
			return err
		}
	}
	p.blurred = nil
	p.replace(back.ref)
	return nil
}
