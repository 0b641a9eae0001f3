package libvips

import (
	"context"
	"errors"
	"fmt"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/ssim"
)

// Targets are the SSIM, of luma against the resized picture before encoding, that q=auto and f=best
// reach: above 0, at most 1. A zero field is 0.98.
type Targets struct {
	JPEG, WebP, AVIF, JXL float64

	noJXL bool // JXL is no source: what was written cannot be read back
}

// defaultTarget is where most people see no difference side by side.
const defaultTarget = 0.98

func (t Targets) check() error {
	for _, v := range [...]float64{t.JPEG, t.WebP, t.AVIF, t.JXL} {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("a target of SSIM is between 0 and 1, not %v", v)
		}
	}
	return nil
}

// of returns the target of a format.
func (t Targets) of(f resize.Format) float64 {
	var v float64
	switch f {
	case resize.FormatJPEG:
		v = t.JPEG
	case resize.FormatWebP:
		v = t.WebP
	case resize.FormatAVIF:
		v = t.AVIF
	case resize.FormatJXL:
		v = t.JXL
	default:
	}
	if v == 0 {
		return defaultTarget
	}
	return v
}

// made is a result of an encoder.
type made struct {
	resize.Encoder
	body []byte
}

// finish makes the body of the result: encoded once, or as often as the plan's search needs; never larger
// than the source where that is an answer too.
func (p *picture) finish(ctx context.Context) (made, error) {
	if p.describes() {
		return p.describe(ctx)
	}
	m, err := p.search(ctx)
	if err != nil || !p.plan.Search.Reuse || m.Format != p.plan.Source.Format || len(m.body) <= len(p.data)/2 {
		return m, err
	}
	if body, ok := resize.Strip(p.data, m.Format, p.plan.Metadata, p.plan.KeepICC); ok && len(body) < len(m.body) {
		m.body = body
	}
	return m, nil
}

func (p *picture) search(ctx context.Context) (made, error) {
	s := p.plan.Search
	if !s.Tries() {
		return p.try(ctx, encoderOf(p.plan))
	}
	if err := p.materialize(ctx, everything); err != nil {
		return made{}, err
	}
	t := &tries{ctx: ctx, p: p}
	if s.Best == [6]resize.Encoder{} {
		return t.one(encoderOf(p.plan))
	}
	best, err := t.best(s.Best)
	if err != nil || s.MaxBytes == 0 || len(best.body) <= s.MaxBytes {
		return best, err
	}
	return t.fit(best)
}

func encoderOf(p resize.Plan) resize.Encoder {
	return resize.Encoder{Format: p.Format, Quality: p.Quality, Lossless: p.Lossless, Effort: p.Effort}
}

// try encodes a copy of the picture, so that another encoder finds it as it was.
func (p *picture) try(ctx context.Context, e resize.Encoder) (made, error) {
	ref, err := p.ref.Copy()
	if err != nil {
		return made{}, err
	}
	q := *p
	q.ref, q.plan, q.blurred = ref, p.plan.With(e), nil
	defer q.close()
	var body []byte
	err = q.evaluate(ctx, func() (err error) {
		body, err = q.encode()
		return err
	})
	return made{e, body}, err
}

// tries remembers what several tries on one picture share.
type tries struct {
	ctx  context.Context //nolint:containedctx // lives for one call
	p    *picture
	luma []byte // of the picture before encoding; nil = not yet
}

// best returns the smallest of what the encoders make.
func (t *tries) best(encoders [6]resize.Encoder) (made, error) {
	var best made
	for _, e := range encoders {
		if e.Format == resize.FormatAuto || e.Format == resize.FormatJXL && t.p.targets.noJXL && t.p.plan.Search.Auto {
			continue
		}
		m, err := t.auto(e)
		if err != nil {
			return made{}, err
		}
		if best.body == nil || len(m.body) < len(best.body) {
			best = m
		}
	}
	if best.body == nil {
		return made{}, errors.New("no format to choose from")
	}
	return best, nil
}

// one finds the settings of one encoder.
func (t *tries) one(e resize.Encoder) (made, error) {
	m, err := t.auto(e)
	if err != nil || t.p.plan.Search.MaxBytes == 0 || len(m.body) <= t.p.plan.Search.MaxBytes {
		return m, err
	}
	return t.fit(m)
}

// Qualities that q=auto tries: 31 values, 35 to 95, so that five tries find the lowest that will do.
const (
	leastAuto    = 35
	leastAutoJXL = 39 // its scale reaches further down: 95 is below what others give there
	stepAuto     = 2
	countAuto    = 31
)

// auto encodes with the lowest quality that reaches the target, or with the highest there is if none
// does; as the encoder says where quality is not searched for.
func (t *tries) auto(e resize.Encoder) (made, error) {
	if !t.p.plan.Search.Auto || e.Quality == 0 || e.Lossless || e.Format == resize.FormatJXL && t.p.targets.noJXL {
		return t.p.try(t.ctx, e)
	}
	target, least := t.p.targets.of(e.Format), leastAuto
	if e.Format == resize.FormatJXL {
		least = leastAutoJXL
	}
	var found, last made
	err := bisect(countAuto, func(i int) (bool, error) {
		e.Quality = least + stepAuto*i
		m, err := t.p.try(t.ctx, e)
		if err != nil {
			return false, err
		}
		got, err := t.similarity(m)
		if last = m; err == nil && got >= target {
			found = m
		}
		return got >= target, err
	})
	if found.body == nil {
		found = last // the highest, which bisect tries last
	}
	return found, err
}

// countFit is how many qualities below the first one mb tries to choose from, in five tries.
const countFit = 31

// fit lowers the quality of what is too large until it fits; what does not even fit at 1 is as small as
// it gets.
func (t *tries) fit(m made) (made, error) {
	if m.Quality <= 1 || m.Lossless {
		return m, nil
	}
	steps := min(countFit, m.Quality-1)
	e, top := m.Encoder, m.Quality
	var found made
	err := bisect(steps, func(i int) (bool, error) {
		e.Quality = top - 1 - i // from the highest down
		if steps < top-1 {
			e.Quality = top - 1 - (i*(top-2)+(steps-1)/2)/(steps-1)
		}
		m, err := t.p.try(t.ctx, e)
		if err != nil {
			return false, err
		}
		fits := len(m.body) <= t.p.plan.Search.MaxBytes
		if fits || found.body == nil || len(m.body) < len(found.body) && len(found.body) > t.p.plan.Search.MaxBytes {
			found = m
		}
		return fits, nil
	})
	return found, err
}

// bisect looks for the least i of 0 … n − 1 that will do, with at most ⌈log₂(n + 1)⌉ tries, and tries the last one
// if no other will do.
func bisect(n int, try func(i int) (bool, error)) error {
	low, high := 0, n
	for low < high {
		middle := (low + high) / 2
		good, err := try(middle)
		if err != nil {
			return err
		}
		if good {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return nil
}

// similarity decodes m and compares it with the picture.
func (t *tries) similarity(m made) (float64, error) {
	w, h := t.p.plan.Width, t.p.plan.Height
	if t.luma == nil {
		pixels, err := t.p.pixels(t.ctx)
		if err != nil {
			return 0, err
		}
		t.luma = ssim.Luma(pixels, t.p.ref.Bands())
	}
	ref, err := vips.LoadImageFromBuffer(m.body, vips.NewImportParams())
	if err != nil {
		return 0, withMessage(err)
	}
	q := &picture{ref: ref}
	defer q.close()
	switch {
	case ref.Interpretation() == vips.InterpretationBW:
	case ref.Interpretation() != vips.InterpretationSRGB:
		err = ref.ToColorSpace(vips.InterpretationSRGB)
	}
	if err == nil && ref.BandFormat() != vips.BandFormatUchar {
		err = ref.Cast(vips.BandFormatUchar)
	}
	if err != nil {
		return 0, err
	}
	pixels, err := q.pixels(t.ctx)
	if err != nil {
		return 0, err
	}
	return ssim.CompareLuma(t.luma, ssim.Luma(pixels, ref.Bands()), w, h), nil
}
