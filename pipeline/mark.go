package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

// marking is a watermark at hand for one picture.
type marking struct {
	source *Source
	orig   *original
}

// drop ends the holding of the watermark's bytes; of a nil marking nothing.
func (m *marking) drop(p *Pipeline) {
	if m != nil {
		p.drop(m.orig.Data)
	}
}

// mark fetches the watermark that a plan names, through the same origins and the same kept originals,
// and hands it to the plan; nil = it names none. The caller holds the original, and then the watermark until
// drop. A purge of the watermark does not reach the pictures it lies on, but they are never revalidated without it.
func (p *Pipeline) mark(ctx context.Context, plan *resize.Plan) (*marking, error) {
	if plan.Overlay.Image == "" {
		return nil, nil
	}
	name, object, _ := strings.Cut(plan.Overlay.Image, "/")
	var src *Source
	if p.SourceOf != nil {
		src = p.SourceOf(name)
	}
	if src == nil {
		return nil, resize.BadOption("wm: there is no source " + name)
	}
	r := NewRequest(src, object, resize.Options{})
	_, gen := p.loadShared(ctx, originalKey(r))
	orig, err := p.original(origin.Holding(ctx), r, gen, nil)
	if err != nil {
		return nil, fmt.Errorf("wm: %w", err)
	}
	m := &marking{src, orig}
	source, err := p.probe(ctx, src, orig.Data)
	if err != nil {
		m.drop(p)
		return nil, fmt.Errorf("wm: %w", err)
	}
	if *plan, err = plan.WithMark(orig.Data, source, src.Limits); err != nil {
		m.drop(p)
		return nil, err
	}
	return m, nil
}

// shorten makes the picture no longer fresh than its watermark.
func (m *marking) shorten(e *cache.Entry) {
	var own cache.Entry
	m.source.lives(&own, m.orig.Meta, m.orig.fetched)
	if own.Fresh.Before(e.Fresh) {
		e.Stored, e.Fresh, e.Swr, e.Stale = own.Stored, own.Fresh, own.Swr, own.Stale
	}
}

// probe reads the header of an original that its source may have, within the render limit.
func (p *Pipeline) probe(ctx context.Context, src *Source, data []byte) (resize.Source, error) {
	if err := src.takes(resize.Sniff(data)); err != nil {
		return resize.Source{}, err
	}
	ctx, cancel := p.rendering(ctx, 1)
	defer cancel()
	source, err := p.Engine.Probe(ctx, data)
	if errors.Is(err, context.DeadlineExceeded) {
		return source, ErrRenderTimeout
	}
	return source, err
}
