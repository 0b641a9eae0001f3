package pipeline

import (
	"context"

	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

// Where says in which tier a request would be answered now; TierNone = it would be made. It changes
// nothing and may be called concurrently.
func (p *Pipeline) Where(ctx context.Context, r *Request) Tier {
	if _, ok := p.usable(p.peek(ctx, r.Key), TierMemory, false); ok {
		return TierMemory
	}
	e, _ := p.loadShared(ctx, r.Key)
	if _, ok := p.usable(e, TierRedis, false); ok {
		return TierRedis
	}
	return TierNone
}

// Plan returns what a render of r would execute. The original is fetched unless it is kept.
func (p *Pipeline) Plan(ctx context.Context, r *Request) (resize.Plan, error) {
	kept, err := p.keptOriginal(ctx, originalKey(r))
	if err != nil {
		return resize.Plan{}, err
	}
	var data []byte
	if kept != nil {
		data = kept.Body
	} else {
		got, err := r.Source.Origin.Fetch(ctx, r.Object, origin.Conditions{})
		if err != nil {
			return resize.Plan{}, err
		}
		data = got.Data
		p.take(data, got.Place)
	}
	defer p.drop(data)
	source, err := p.probe(ctx, r.Source, data)
	if err != nil {
		return resize.Plan{}, err
	}
	return r.Options.Plan(source, r.bounds())
}
