package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/resize"
)

// render makes the bytes of the request from the original. An original that turns out to be no picture is
// not kept for the other variants: the origin may mend it at any time.
func (f *filling) render(ctx context.Context, orig *original, via *Via) (*cache.Entry, error) {
	e, err := f.make(ctx, orig, via)
	if status := statusOf(err); err != nil && (status == http.StatusUnsupportedMediaType || status == http.StatusUnprocessableEntity) {
		f.dropOriginal(ctx, originalKey(f.r))
	}
	return e, err
}

func (f *filling) make(ctx context.Context, orig *original, via *Via) (*cache.Entry, error) {
	r, t := f.r, &via.Timing
	if r.maxBytes > 0 && len(orig.Data) > r.maxBytes {
		return nil, resize.TooLarge(fmt.Sprintf("the original has more than %d bytes", r.maxBytes))
	}
	if err := r.Options.CheckHashsum(orig.Data); err != nil {
		return nil, err
	}
	source, err := f.probe(ctx, r.Source, orig.Data)
	if err != nil {
		return nil, err
	}
	notes, err := r.notes(ctx, orig)
	if err != nil {
		return nil, err
	}
	if r.Options.Format == resize.FormatRaw || r.Options.Passes(source) {
		body, err := resize.Raw(orig.Data, source.Format)
		if err != nil {
			return nil, err
		}
		return notes.tag(r.picture(body, source.Format.MIME(), orig)), nil
	}
	plan, err := r.plan(source, notes)
	if err != nil {
		return nil, err
	}
	mark, err := f.mark(ctx, &plan)
	if err != nil {
		return nil, err
	}
	defer mark.drop(f.Pipeline)
	result, lane, err := f.execute(ctx, orig.Data, plan, t)
	if err != nil {
		return nil, err
	}
	f.count(r.Source, lane, len(orig.Data), result, *t)
	e := notes.tag(r.picture(result.Body, result.Format.MIME(), orig))
	if mark != nil {
		mark.shorten(e)
		via.NoStore = via.NoStore || mark.orig.NoStore
	}
	return e, nil
}

// execute executes the plan: with those of a party, or alone, once the gate lets it in.
func (f *filling) execute(ctx context.Context, data []byte, plan resize.Plan, t *Timing) (result resize.Result, l Lane, err error) {
	queued := f.now()
	if f.r.place != nil {
		alone, stop := f.audience.absent(f.patience, f.r.Key.Variant)
		result, made := f.r.place.render(alone, data, plan)
		stop()
		if made {
			t.Decode, t.Encode = time.Duration(result.Decode), time.Duration(result.Encode)
			t.Queue += max(0, f.now().Sub(queued)-t.Decode-t.Encode)
			return result, LaneBatch, nil
		}
	}
	leave, l, err := f.admit(plan.Memory)
	t.Queue += f.now().Sub(queued)
	if err != nil {
		return result, l, err
	}
	defer leave()
	if !cache.Awaited(f.patience) {
		f.stats.abandoned.Add(1)
		return result, l, context.Canceled
	}
	results, err := f.run(ctx, data, plan)
	if err != nil {
		return result, l, err
	}
	t.Decode, t.Encode = time.Duration(results[0].Decode), time.Duration(results[0].Encode)
	return results[0], l, nil
}

// run executes plans, each within the render limit.
func (p *Pipeline) run(ctx context.Context, data []byte, plans ...resize.Plan) ([]resize.Result, error) {
	ctx, cancel := p.rendering(ctx, len(plans))
	defer cancel()
	results, err := p.Engine.Run(ctx, data, plans...)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, ErrRenderTimeout
	}
	return results, err
}

// count counts a render.
func (p *Pipeline) count(src *Source, l Lane, size int, r resize.Result, t Timing) {
	p.stats.renders.Add(1)
	if p.Observe != nil {
		p.Observe(Work{Source: src.Name, Format: r.Format, Lane: l, OriginalBytes: size, Bytes: len(r.Body), Timing: t})
	}
}

// rendering is the context of work on so many pictures.
func (p *Pipeline) rendering(ctx context.Context, pictures int) (context.Context, context.CancelFunc) {
	if p.RenderTimeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(pictures)*p.RenderTimeout)
}
