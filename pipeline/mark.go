package pipeline

import (
	"context"
	"fmt"
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// withMark fetches the watermark that a plan names, through the same origins and the same kept
// originals, and hands it to the plan. A purge of the watermark does not reach the pictures it lies on.
func (p *Pipeline) withMark(ctx context.Context, plan resize.Plan) (resize.Plan, error) {
	if plan.Overlay.Image == "" {
		return plan, nil
	}
	name, object, _ := strings.Cut(plan.Overlay.Image, "/")
	var src *Source
	if p.SourceOf != nil {
		src = p.SourceOf(name)
	}
	if src == nil {
		return plan, resize.BadOption("wm: there is no source " + name)
	}
	r := NewRequest(src, object, resize.Options{})
	_, gen := p.loadShared(ctx, originalKey(r))
	orig, err := p.original(ctx, r, gen, nil)
	if err != nil {
		return plan, fmt.Errorf("wm: %w", err)
	}
	source, err := p.probe(ctx, src, orig.Data)
	if err != nil {
		return plan, fmt.Errorf("wm: %w", err)
	}
	return plan.WithMark(orig.Data, source, src.Limits)
}

// probe reads the header of an original that its source may have.
func (p *Pipeline) probe(ctx context.Context, src *Source, data []byte) (resize.Source, error) {
	if err := src.takes(resize.Sniff(data)); err != nil {
		return resize.Source{}, err
	}
	return p.Engine.Probe(ctx, data)
}
