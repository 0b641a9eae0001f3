package libvips

import (
	"context"
	"image"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// Faces reports whether there is a detector for g=face. None that is kept well can be had, so there is
// none.
func Faces() bool { return false }

// window returns what is kept of the scaled picture, in its stored orientation. Where the plan leaves
// the place to the pixels, libvips looks for it, once for all frames of an animation.
func (p *picture) window(ctx context.Context) (image.Rectangle, error) {
	planned := p.plan.Turn.Stored(p.plan.Window, p.plan.Scaled)
	if p.plan.Pick == resize.GravityCenter || planned.Size() == p.plan.Scaled {
		return planned, nil
	}
	if p.first.picked.Empty() {
		found, err := p.pick(ctx, planned.Size())
		if err != nil {
			return planned, err
		}
		p.first.picked = found
	}
	return p.first.picked, nil
}

// pick finds the place of a window.
func (p *picture) pick(ctx context.Context, size image.Point) (image.Rectangle, error) {
	if err := p.materialize(ctx, everything); err != nil { // it is looked at, then cut
		return image.Rectangle{}, err
	}
	look, err := p.ref.Copy()
	if err != nil {
		return image.Rectangle{}, err
	}
	defer look.Close()
	interest := vips.InterestingAttention
	if p.plan.Pick == resize.GravityEntropy {
		interest = vips.InterestingEntropy
	}
	if err := look.SmartCrop(size.X, size.Y, interest); err != nil {
		return image.Rectangle{}, withMessage(err)
	}
	at := image.Pt(-look.OffsetX(), -look.OffsetY()) // extract_area leaves where it was
	return image.Rectangle{Min: at, Max: at.Add(size)}, nil
}
