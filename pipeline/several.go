package pipeline

import (
	"context"
	"errors"
	"time"

	"github.com/imgedge/imgedge/resize"
)

// Render makes a picture of data for each of the options, within the limits of a source, from one decode and
// in the batch lane. Nothing is looked up and nothing is kept: that is the caller's. Several options share
// the decode, so their bytes may differ from those of a single render, never their sizes.
func (p *Pipeline) Render(ctx context.Context, src *Source, data []byte, outputs []resize.Options) ([]resize.Result, error) {
	source, err := p.probe(ctx, src, data)
	if err != nil {
		return nil, err
	}
	results := make([]resize.Result, len(outputs))
	var plans []resize.Plan
	var places []int // of the plans' results
	var memory int64
	for i, o := range outputs {
		if o.Passes(source) {
			body, err := resize.Raw(data, source.Format)
			if err != nil {
				return nil, err
			}
			results[i] = resize.Result{Body: body, Format: source.Format, Width: source.Width, Height: source.Height, Frames: source.Pages}
			continue
		}
		plan, err := o.Plan(source, src.Limits)
		if err != nil {
			return nil, err
		}
		if _, err := p.mark(ctx, &plan); err != nil {
			return nil, err
		}
		plans, places, memory = append(plans, plan), append(places, i), max(memory, plan.Memory)
	}
	if len(plans) == 0 {
		return results, nil
	}
	leave, err := p.Gate.Enter(ctx, LaneBatch, memory)
	if err != nil {
		return nil, err
	}
	defer leave()
	made, err := p.runAll(ctx, data, plans)
	if err != nil {
		return nil, err
	}
	for i, result := range made {
		results[places[i]] = result
		p.stats.renders.Add(1)
		if p.Observe != nil {
			p.Observe(Work{
				Source: src.Name, Format: result.Format, Lane: LaneBatch, OriginalBytes: len(data), Bytes: len(result.Body),
				Timing: Timing{Decode: time.Duration(result.Decode), Encode: time.Duration(result.Encode)},
			})
		}
	}
	return results, nil
}

// runAll executes plans within the render limit of each.
func (p *Pipeline) runAll(ctx context.Context, data []byte, plans []resize.Plan) ([]resize.Result, error) {
	if p.RenderTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(len(plans))*p.RenderTimeout)
		defer cancel()
	}
	results, err := p.Engine.Run(ctx, data, plans...)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, ErrRenderTimeout
	}
	return results, err
}
