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
	release, err := f.hold(orig)
	if err != nil {
		return nil, err
	}
	defer release()
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
	if r.Options.Format == resize.FormatRaw || r.Options.Passes(source) {
		body, err := resize.Raw(orig.Data, source.Format)
		if err != nil {
			return nil, err
		}
		return r.picture(body, source.Format.MIME(), orig), nil
	}
	plan, err := r.Options.Plan(source, r.bounds())
	if err != nil {
		return nil, err
	}
	mark, err := f.mark(ctx, &plan)
	if err != nil {
		return nil, err
	}
	queued := f.now()
	leave, lane, err := f.admit(plan.Memory)
	t.Queue += f.now().Sub(queued)
	if err != nil {
		return nil, err
	}
	defer leave()
	if !cache.Awaited(f.patience) {
		f.stats.abandoned.Add(1)
		return nil, context.Canceled
	}
	result, err := f.run(ctx, orig.Data, plan)
	if err != nil {
		return nil, err
	}
	t.Decode, t.Encode = time.Duration(result.Decode), time.Duration(result.Encode)
	f.stats.renders.Add(1)
	if f.Observe != nil {
		f.Observe(Work{Source: r.Source.Name, Format: result.Format, Lane: lane, OriginalBytes: len(orig.Data), Bytes: len(result.Body), Timing: *t})
	}
	e := r.picture(result.Body, result.Format.MIME(), orig)
	if mark != nil {
		mark.shorten(e)
		via.NoStore = via.NoStore || mark.orig.NoStore
	}
	return e, nil
}

// run executes one plan within the render limit.
func (p *Pipeline) run(ctx context.Context, data []byte, plan resize.Plan) (resize.Result, error) {
	ctx, cancel := p.rendering(ctx)
	defer cancel()
	results, err := p.Engine.Run(ctx, data, plan)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return resize.Result{}, ErrRenderTimeout
	case err != nil:
		return resize.Result{}, err
	}
	return results[0], nil
}

// rendering is the context of work on a picture.
func (p *Pipeline) rendering(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.RenderTimeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, p.RenderTimeout)
}

// hold reserves room for an original that was fetched, until release: what waits at the gate holds its
// bytes. Variants that share a fetch share the room; what the tier of kept originals holds is counted
// there.
func (p *Pipeline) hold(o *original) (release func(), err error) {
	size := int64(len(o.Data))
	if o.kept || p.HoldMax <= 0 {
		return func() {}, nil
	}
	p.held.mu.Lock()
	defer p.held.mu.Unlock()
	if o.holders == 0 {
		if p.held.bytes > 0 && p.held.bytes+size > p.HoldMax {
			p.stats.heldRefused.Add(1)
			return nil, ErrOverloaded
		}
		p.held.bytes += size
	}
	o.holders++
	return func() {
		p.held.mu.Lock()
		defer p.held.mu.Unlock()
		if o.holders--; o.holders == 0 {
			p.held.bytes -= size
		}
	}, nil
}
