package pipeline

import (
	"context"
	"time"

	"github.com/imgedge/imgedge/resize"
)

// Render makes pictures of data, in the batch lane, as far as they can share it from one decode, and keeps none:
// for the outputs of jobs. Those with different watermarks do not share it. The options are negotiated, the limits
// are the source's, and the results are in the options' order. One error refuses all.
func (p *Pipeline) Render(ctx context.Context, src *Source, data []byte, options []resize.Options) ([]resize.Result, error) {
	p.take(data, nil)
	defer p.drop(data)
	source, err := p.probe(ctx, src, data)
	if err != nil {
		return nil, err
	}
	results := make([]resize.Result, len(options))
	for _, some := range byMark(options) {
		if err := p.renderSome(ctx, src, data, source, options, some, results); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// byMark groups the indexes of options by their watermark; those without one are in the first group. One group is
// made after the other: who holds one watermark and waits for another may wait for the room that the first one takes.
func byMark(options []resize.Options) [][]int {
	groups := make([][]int, 1)
	at := map[string]int{}
	for i, o := range options {
		g, name := 0, o.Watermark.Image
		if name != "" {
			var ok bool
			if g, ok = at[name]; !ok {
				g = len(at)
				at[name] = g
			}
		}
		if g == len(groups) {
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// renderSome makes those of the options that some lists, which have one watermark at most.
func (p *Pipeline) renderSome(ctx context.Context, src *Source, data []byte, source resize.Source, options []resize.Options, some []int, results []resize.Result) error {
	var plans []resize.Plan
	var at []int // the option of each plan
	for _, i := range some {
		o := options[i]
		if err := o.CheckHashsum(data); err != nil {
			return err
		}
		if o.Format == resize.FormatRaw || o.Passes(source) {
			var err error
			if results[i], err = rawResult(data, source); err != nil {
				return err
			}
			continue
		}
		plan, err := o.Plan(source, src.Limits)
		if err != nil {
			return err
		}
		mark, err := p.mark(ctx, &plan)
		if err != nil {
			return err
		}
		defer mark.drop(p)
		plans, at = append(plans, plan), append(at, i)
	}
	made, err := p.renderAll(ctx, src, data, plans)
	for i := range made {
		results[at[i]] = made[i]
	}
	return err
}

// rawResult is the original as it is.
func rawResult(data []byte, source resize.Source) (resize.Result, error) {
	body, err := resize.Raw(data, source.Format)
	w, h := source.Upright()
	return resize.Result{Body: body, Format: source.Format, Width: w, Height: h, Frames: source.Pages}, err
}

// renderAll executes plans in the batch lane: at once, or one by one where they would take more memory than
// there is.
func (p *Pipeline) renderAll(ctx context.Context, src *Source, data []byte, plans []resize.Plan) ([]resize.Result, error) {
	if len(plans) == 0 {
		return nil, nil
	}
	memory := resize.Together(plans...).Memory
	if half := len(plans) / 2; half > 0 && p.Gate.Memory > 0 && memory > p.Gate.Memory {
		first, err := p.renderAll(ctx, src, data, plans[:half])
		if err != nil {
			return nil, err
		}
		rest, err := p.renderAll(ctx, src, data, plans[half:])
		return append(first, rest...), err
	}
	queued := p.now()
	leave, err := p.Gate.Enter(ctx, LaneBatch, memory)
	if err != nil {
		return nil, err
	}
	defer leave()
	t := Timing{Queue: p.now().Sub(queued)}
	results, err := p.run(ctx, data, plans...)
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		t.Decode, t.Encode = time.Duration(r.Decode), time.Duration(r.Encode)
		p.count(src, LaneBatch, len(data), r, t)
		t.Queue = 0
	}
	return results, nil
}
