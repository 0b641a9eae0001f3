package libvips

import (
	"context"
	"fmt"
	"image"
	"time"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// Run makes one picture for each plan, in order, with as few decodes as resize.Together finds. The plans must
// be those of this data's probe. When ctx ends, libvips stops at its next band of lines and Run returns
// ctx.Err(); a decoder or encoder that works on a whole picture at once is waited for.
func (e *Engine) Run(ctx context.Context, data []byte, plans ...resize.Plan) ([]resize.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, err := e.allow(data); err != nil {
		return nil, err
	}
	if err := handedIn(plans); err != nil {
		return nil, err
	}
	results := make([]resize.Result, len(plans))
	for _, group := range resize.Together(plans...).Groups {
		if len(group.Parts) > 1 {
			if err := e.renderGroup(ctx, data, plans, group, results); err != nil {
				return nil, err
			}
			continue
		}
		i := group.Parts[0].Index
		result, err := e.render(ctx, data, plans[i])
		if err != nil {
			return nil, err
		}
		results[i] = result
	}
	return results, nil
}

func (e *Engine) render(ctx context.Context, data []byte, p resize.Plan) (resize.Result, error) {
	start := time.Now()
	p, err := settle(ctx, data, p)
	if err != nil {
		return resize.Result{}, err
	}
	pic := &picture{plan: p, data: data, targets: e.targets, first: &decided{}}
	steps := pic.still
	if p.Animated() {
		steps = pic.animation
	}
	return pic.result(ctx, start, func() error { return steps(ctx) })
}

// result executes the steps up to the encoder, which began at start, and encodes. It closes the picture.
func (p *picture) result(ctx context.Context, start time.Time, steps func() error) (resize.Result, error) {
	defer p.close()
	if err := steps(); err != nil {
		return resize.Result{}, broken(ctx, "render", err)
	}
	decoded := time.Now()
	made, err := p.finish(ctx)
	if err != nil {
		return resize.Result{}, broken(ctx, "encode", err)
	}
	return resize.Result{
		Body: made.body, Format: made.Format, Width: p.plan.Width, Height: p.plan.Height, Frames: p.plan.Frames,
		Decode: decoded.Sub(start).Nanoseconds(), Encode: time.Since(decoded).Nanoseconds(),
	}, nil
}

// picture is one picture on its way through a plan.
type picture struct {
	plan    resize.Plan
	data    []byte
	targets Targets
	ref     *vips.ImageRef
	profile []byte // embedded in the result; nil = none
	kept    kept   // metadata for the result
	delays  []int  // of an animation's frames, ms
	strip   []byte // all frames of an animation, one below the other, sRGB; nil = ref has the px
	loop    int    // how often an animation repeats, as libvips counts it
	first   *decided
	blurred *vips.ImageRef // for bg=blur
}

// decided is what the first frame decides for all others, so that nothing jumps or flickers.
type decided struct {
	picked image.Rectangle // window found by the pixels, stored px of the scaled picture; empty = not yet
	border resize.Color    // for bg=auto; A = 0 is not yet
	laid   bool            // mark and text are made
	mark   *raster         // nil = none
	text   *raster         // nil = none, or no ink
}

func (p *picture) close() {
	if p.ref != nil {
		p.ref.Close()
	}
	if p.blurred != nil {
		p.blurred.Close()
		p.blurred = nil
	}
}

// replace makes next the picture.
func (p *picture) replace(next *vips.ImageRef) {
	if p.ref != nil {
		p.ref.Close()
	}
	p.ref = next
}

// still executes the plan up to the encoder.
func (p *picture) still(ctx context.Context) error {
	if err := p.load(); err != nil {
		return err
	}
	p.keepMetadata()
	if err := p.shape(ctx); err != nil {
		return err
	}
	return p.materialize(ctx, smallBytes)
}

// smallBytes is up to which size a result is put into memory before it is encoded, so that the time
// of the decoder and that of the encoder can be told apart; a larger one streams.
const smallBytes = 16 << 20

// load opens the file at the plan's page and reduction. No pixel is decoded yet.
func (p *picture) load() error {
	if p.plan.Source.Format == resize.FormatSVG {
		return p.loadSVG()
	}
	params := importParams(p.plan.Source.Format, p.plan.Page, p.plan.Frames)
	if p.plan.Shrink > 1 {
		params.JpegShrinkFactor.Set(p.plan.Shrink)
	}
	if p.plan.Scale > 0 && p.plan.Scale < 1 {
		params.WebpScaleFactor.Set(p.plan.Scale)
	}
	ref, err := vips.LoadImageFromBuffer(p.data, params)
	if err != nil {
		return err
	}
	p.ref = ref
	return nil
}

// shape takes one frame from the loaded picture to the finished one.
func (p *picture) shape(ctx context.Context) error {
	if err := p.extract(p.plan.Loaded); err != nil {
		return err
	}
	if err := p.resample(); err != nil {
		return err
	}
	return p.compose(ctx)
}

// compose takes the scaled picture to the finished one.
func (p *picture) compose(ctx context.Context) error {
	if err := p.color(); err != nil {
		return err
	}
	window, err := p.window(ctx)
	if err != nil {
		return err
	}
	if err := p.extract(window); err != nil {
		return err
	}
	if err := p.turn(ctx); err != nil {
		return err
	}
	if err := p.rotate(ctx); err != nil {
		return err
	}
	if err := p.effects(ctx); err != nil {
		return err
	}
	if err := p.background(); err != nil {
		return err
	}
	if err := p.overlay(ctx); err != nil {
		return err
	}
	if p.ref.Width() != p.plan.Width || p.ref.Height() != p.plan.Height {
		return fmt.Errorf("%d×%d px came out of a plan for %d×%d", p.ref.Width(), p.ref.Height(), p.plan.Width, p.plan.Height)
	}
	return nil
}

// extract cuts the picture to r, which is moved inside if a decoder rounded its size another way.
func (p *picture) extract(r image.Rectangle) error {
	whole := image.Rect(0, 0, p.ref.Width(), p.ref.Height())
	r = inside(r, whole)
	if r == whole {
		return nil
	}
	if r.Empty() {
		return fmt.Errorf("nothing is left of %v", whole)
	}
	if err := p.onePage(); err != nil {
		return err
	}
	return p.ref.ExtractArea(r.Min.X, r.Min.Y, r.Dx(), r.Dy())
}

// inside moves r into whole, which begins at 0, and cuts off what does not fit.
func inside(r, whole image.Rectangle) image.Rectangle {
	if over := r.Max.X - whole.Max.X; over > 0 {
		r = r.Sub(image.Pt(min(over, r.Min.X), 0))
	}
	if over := r.Max.Y - whole.Max.Y; over > 0 {
		r = r.Sub(image.Pt(0, min(over, r.Min.Y)))
	}
	return r.Intersect(whole)
}

// onePage makes the picture one page for govips, which takes what is higher than its recorded page for
// an animation.
func (p *picture) onePage() error {
	if p.ref.PageHeight() == p.ref.Height() {
		return nil
	}
	return p.ref.SetPageHeight(p.ref.Height())
}

// resample scales to the plan's size. Alpha is premultiplied, and in 8 bits where the source is: libvips
// would resample in floats, which takes twice as long.
func (p *picture) resample() error {
	to := p.plan.Scaled
	w, h := p.ref.Width(), p.ref.Height()
	if w == to.X && h == to.Y {
		return nil
	}
	if p.ref.HasAlpha() && p.ref.BandFormat() == vips.BandFormatUchar {
		if err := p.ref.PremultiplyAlpha(); err != nil {
			return err
		}
		if err := p.ref.Cast(vips.BandFormatUchar); err != nil {
			return err
		}
	}
	return p.ref.ResizeWithVScale(float64(to.X)/float64(w), float64(to.Y)/float64(h), vips.KernelLanczos3)
}

// turn places the picture upright. What reads px in another order than they are decoded in works on a
// copy in memory.
func (p *picture) turn(ctx context.Context) error {
	t := p.plan.Turn
	if t.Angle != 0 {
		if err := p.materialize(ctx, everything); err != nil {
			return err
		}
		if err := p.ref.Rotate(angle(t.Angle)); err != nil {
			return err
		}
	}
	if t.FlipH {
		return p.ref.Flip(vips.DirectionHorizontal)
	}
	return nil
}

func angle(degrees int) vips.Angle {
	switch degrees {
	case 90:
		return vips.Angle90
	case 180:
		return vips.Angle180
	case 270:
		return vips.Angle270
	default:
		return vips.Angle0
	}
}

// everything lifts materialize's limit.
const everything = 1 << 62

// materialize computes all px into memory if they take no more than limit bytes. What comes back
// has lost its metadata.
func (p *picture) materialize(ctx context.Context, limit int64) error {
	if int64(p.ref.Width())*int64(p.ref.Height())*int64(p.ref.Bands()) > limit {
		return nil
	}
	pixels, err := p.pixels(ctx)
	if err != nil {
		return err
	}
	next, err := vips.NewImageFromMemory(pixels, p.ref.Width(), p.ref.Height(), p.ref.Bands(),
		p.ref.BandFormat(), p.ref.Interpretation())
	if err != nil {
		return err
	}
	p.replace(next)
	return nil
}

// pixels computes the picture.
func (p *picture) pixels(ctx context.Context) (pixels []byte, err error) {
	err = p.evaluate(ctx, func() (err error) {
		pixels, err = p.ref.ToBytes()
		return withMessage(err)
	})
	return pixels, err
}

// evaluate runs what computes px and stops it when ctx ends.
func (p *picture) evaluate(ctx context.Context, compute func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ref := p.ref
	stop := context.AfterFunc(ctx, func() { ref.SetKill(true) })
	defer stop()
	err := compute()
	if ended := ctx.Err(); ended != nil && err != nil {
		return ended
	}
	return err
}
