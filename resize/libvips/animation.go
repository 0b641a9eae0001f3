package libvips

import (
	"context"
	"fmt"
	"image"
	"slices"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// animation executes the plan for every frame by itself, so that nothing bleeds from one into the next,
// and stacks the results as libvips' encoders want them. Frames are decoded in order, once.
func (p *picture) animation(ctx context.Context) error {
	if err := p.load(); err != nil {
		return err
	}
	p.keepMetadata()
	if err := p.timing(); err != nil {
		return err
	}
	height := p.ref.PageHeight()
	if p.ref.Height() != height*p.plan.Frames {
		return fmt.Errorf("%d frames of %d px are %d px high", p.plan.Frames, height, p.ref.Height())
	}
	if err := p.onePage(); err != nil {
		return err
	}
	var strip []byte
	var first frameKind
	for i := range p.plan.Frames {
		pixels, kind, err := p.frame(ctx, i, height)
		if err != nil {
			return err
		}
		if i == 0 {
			first = kind
			strip = make([]byte, 0, len(pixels)*p.plan.Frames)
		}
		if kind != first {
			return fmt.Errorf("frame %d is of another kind than the first", i)
		}
		strip = append(strip, pixels...)
	}
	if p.plan.Format == resize.FormatWebP && !p.plan.Search.Tries() && first.interpretation == vips.InterpretationSRGB {
		p.strip = strip // the encoder takes it as it is; through libvips it would be copied three times
		return nil
	}
	return p.stack(strip, first)
}

// frameKind is what all frames must share.
type frameKind struct {
	bands          int
	interpretation vips.Interpretation
}

// frame computes the px of one frame.
func (p *picture) frame(ctx context.Context, i, height int) ([]byte, frameKind, error) {
	ref, err := p.ref.Copy()
	if err != nil {
		return nil, frameKind{}, err
	}
	f := &picture{plan: p.plan, data: p.data, ref: ref, first: p.first}
	defer f.close()
	if err := f.extract(image.Rect(0, i*height, ref.Width(), (i+1)*height)); err != nil {
		return nil, frameKind{}, err
	}
	if err := f.shape(ctx); err != nil {
		return nil, frameKind{}, err
	}
	if !f.plan.Flatten {
		if err := f.ref.AddAlpha(); err != nil {
			return nil, frameKind{}, err
		}
	}
	pixels, err := f.pixels(ctx)
	return pixels, frameKind{f.ref.Bands(), f.ref.Interpretation()}, err
}

// stack makes the picture one column of all frames.
func (p *picture) stack(strip []byte, kind frameKind) error {
	next, err := vips.NewImageFromMemory(strip, p.plan.Width, p.plan.Height*p.plan.Frames, kind.bands,
		vips.BandFormatUchar, kind.interpretation)
	if err != nil {
		return err
	}
	p.replace(next)
	if err := next.SetPages(p.plan.Frames); err != nil {
		return err
	}
	if err := next.SetPageHeight(p.plan.Height); err != nil {
		return err
	}
	if err := next.SetPageDelay(p.delays); err != nil {
		return err
	}
	return next.SetLoop(p.loop)
}

// timing takes over how often the animation repeats, and how long each of the plan's frames stays.
func (p *picture) timing() error {
	all, err := p.ref.PageDelay()
	if err != nil {
		return err
	}
	from := min(p.plan.Page, len(all))
	p.delays = slices.Clone(all[from:min(from+p.plan.Frames, len(all))])
	for len(p.delays) < p.plan.Frames {
		p.delays = append(p.delays, unknownDelay)
	}
	p.loop = p.ref.Loop()
	return nil
}

// unknownDelay is how many ms a frame stays whose time the file does not tell, as browsers have it.
const unknownDelay = 100
