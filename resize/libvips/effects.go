package libvips

import (
	"context"
	"math"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// effects changes the px of the finished geometry, in the order of the plan's fields.
func (p *picture) effects(ctx context.Context) error {
	e := p.plan.Effects
	for _, t := range [...]resize.Tone{e.Tone, e.Duotone} {
		if err := p.tone(t); err != nil {
			return err
		}
	}
	if e.Blur > 0 {
		if err := p.blur(e.Blur); err != nil {
			return err
		}
	}
	if e.Sharpen > 0 {
		if err := p.sharpen(ctx, e.Sharpen); err != nil {
			return err
		}
	}
	if e.Pixelate > 1 {
		if err := p.edit(ctx, func(px *raster) { px.pixelate(e.Pixelate) }); err != nil {
			return err
		}
	}
	if err := p.lookBehind(ctx); err != nil {
		return err
	}
	if e.Round != (resize.Corners{}) {
		if err := p.ref.AddAlpha(); err != nil {
			return err
		}
		return p.edit(ctx, func(px *raster) { px.round(e.Round) })
	}
	return nil
}

// tone maps colors. Results outside 0–255 are clipped.
func (p *picture) tone(t resize.Tone) error {
	if !t.On {
		return nil
	}
	if err := p.threeBands(); err != nil {
		return err
	}
	matrix := make([][]float64, len(t.Rows))
	lift := make([]float64, p.ref.Bands())
	for row := range t.Rows {
		matrix[row] = append([]float64{}, t.Rows[row][:3]...)
		lift[row] = t.Rows[row][3]
	}
	if err := p.ref.Recomb(matrix); err != nil {
		return err
	}
	return p.bytes(lift)
}

// threeBands makes gray RGB.
func (p *picture) threeBands() error {
	if p.ref.Bands() >= 3 {
		return nil
	}
	return p.ref.ToColorSpace(vips.InterpretationSRGB)
}

// bytes adds lift to each band and rounds to 8 bits.
func (p *picture) bytes(lift []float64) error {
	ones := make([]float64, len(lift))
	for i := range lift {
		ones[i] = 1
		lift[i] += 0.5 // libvips' cast cuts off
	}
	if err := p.ref.Linear(ones, lift); err != nil {
		return err
	}
	return p.ref.Cast(vips.BandFormatUchar)
}

// premultiplied runs what mixes px among themselves, so that the colors of transparent px, which mean
// nothing, do not bleed into what is seen. The picture's band format stays.
func (p *picture) premultiplied(mix func() error) error {
	if err := p.ref.PremultiplyAlpha(); err != nil { // does nothing without alpha
		return err
	}
	if err := mix(); err != nil {
		return err
	}
	return p.ref.UnpremultiplyAlpha()
}

// sharpen is an unsharp mask on lightness, with a Gaussian of the given sigma in px.
func (p *picture) sharpen(ctx context.Context, sigma float64) error {
	if !p.ref.HasAlpha() {
		return p.ref.Sharpen(sigma, sharpenThreshold, sharpenSlope)
	}
	return p.sharpenOpaque(ctx, sigma)
}

// sharpenOpaque sharpens the colors as if nothing were transparent: transparent px take the color of what
// is near, else the rim of a cut-out would be held against black and become a bright line.
func (p *picture) sharpenOpaque(ctx context.Context, sigma float64) error {
	if _, err := p.keptRaster(ctx); err != nil { // it is needed three times
		return err
	}
	var copies [2]*picture
	for i := range copies {
		ref, err := p.ref.Copy()
		if err != nil {
			return err
		}
		copies[i] = &picture{ref: ref}
		defer copies[i].close()
	}
	near, alpha := copies[0], copies[1]
	colors := p.ref.Bands() - 1
	if err := near.blur(2 * sigma); err != nil {
		return err
	}
	if err := near.ref.ExtractBand(0, colors); err != nil {
		return err
	}
	if err := near.ref.Composite(p.ref, vips.BlendModeOver, 0, 0); err != nil {
		return err
	}
	if err := near.ref.ExtractBand(0, colors); err != nil {
		return err
	}
	if err := near.ref.Cast(vips.BandFormatUchar); err != nil {
		return err
	}
	if err := near.ref.Sharpen(sigma, sharpenThreshold, sharpenSlope); err != nil {
		return err
	}
	if err := alpha.ref.ExtractBand(colors, 1); err != nil {
		return err
	}
	if err := near.ref.BandJoin(alpha.ref); err != nil {
		return err
	}
	p.replace(near.ref)
	near.ref = nil
	return nil
}

// Settings of the unsharp mask, libvips' own: differences of lightness below 2 (of 100), such as grain
// and sky, stay as they are; above it they are raised by up to 3 times, which its limits bound so
// that no halo becomes white or black.
const (
	sharpenThreshold = 2
	sharpenSlope     = 3
)

// Blurring.
const (
	blurTail  = 0.02 // where the bell is cut off, of its height
	directly  = 6.0  // largest sigma, px, that is convolved at full size
	reducedTo = 3.0  // least sigma, px, in the reduced picture
)

// blur is a Gaussian of the given sigma in px. A wide one is computed on a reduced picture and scaled back
// in floats: a bell of 3 px holds nothing that the reduction has lost, and the time does not grow with
// sigma. Floats because libvips' convolution of bytes is off by up to 4 %.
func (p *picture) blur(sigma float64) error {
	if err := p.ref.Cast(vips.BandFormatFloat); err != nil {
		return err
	}
	w, h := p.ref.Width(), p.ref.Height()
	if by := math.Floor(sigma / reducedTo); sigma > directly {
		down := func(side int) int { return max(1, int(math.Ceil(float64(side)/by))) }
		if err := p.scaleTo(down(w), down(h), vips.KernelLinear); err != nil {
			return err
		}
		sigma /= by
	}
	if err := p.premultiplied(func() error { return p.ref.GaussianBlur(sigma, blurTail) }); err != nil {
		return err
	}
	if err := p.scaleTo(w, h, vips.KernelCubic); err != nil {
		return err
	}
	return p.bytes(make([]float64, p.ref.Bands()))
}

// scaleTo scales to exactly w × h px.
func (p *picture) scaleTo(w, h int, kernel vips.Kernel) error {
	if p.ref.Width() == w && p.ref.Height() == h {
		return nil
	}
	return p.ref.ResizeWithVScale(float64(w)/float64(p.ref.Width()), float64(h)/float64(p.ref.Height()), kernel)
}
