package libvips

import (
	"context"
	"encoding/base64"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// describes reports whether the result is text about the picture.
func (p *picture) describes() bool {
	switch p.plan.Format {
	case resize.FormatJSON, resize.FormatBlurHash, resize.FormatThumbHash:
		return true
	default:
		return false
	}
}

// describe makes the text.
func (p *picture) describe(ctx context.Context) (made, error) {
	s, err := p.small(ctx)
	if err != nil {
		return made{}, err
	}
	var body []byte
	switch p.plan.Format {
	case resize.FormatJSON:
		body = p.plan.Source.Describe(s)
	case resize.FormatBlurHash:
		body = []byte(s.BlurHash(0, 0))
	default:
		body = []byte(base64.StdEncoding.EncodeToString(s.ThumbHash()))
	}
	return made{encoderOf(p.plan), body}, nil
}

// small returns the picture with at most resize.SmallSide px a side.
func (p *picture) small(ctx context.Context) (resize.Small, error) {
	if err := p.ref.ToColorSpace(vips.InterpretationSRGB); err != nil {
		return resize.Small{}, err
	}
	if err := p.ref.AddAlpha(); err != nil {
		return resize.Small{}, err
	}
	if long := max(p.ref.Width(), p.ref.Height()); long > resize.SmallSide {
		if err := p.shrinkTo(long); err != nil {
			return resize.Small{}, err
		}
	}
	pixels, err := p.pixels(ctx)
	return resize.Small{Width: p.ref.Width(), Height: p.ref.Height(), Pix: pixels}, err
}

// shrinkTo scales the longer side to resize.SmallSide.
func (p *picture) shrinkTo(long int) error {
	w, h := p.ref.Width(), p.ref.Height()
	to := func(side int) float64 { return float64(max(1, (side*resize.SmallSide+long/2)/long)) / float64(side) }
	if err := p.ref.ResizeWithVScale(to(w), to(h), vips.KernelLanczos3); err != nil {
		return err
	}
	return p.ref.Cast(vips.BandFormatUchar)
}
