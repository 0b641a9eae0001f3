package pipeline

import (
	"context"

	"github.com/imgedge/imgedge/origin"
)

// Give keeps an original that passed through our hands on its way to the source, so that its first variants
// cost no fetch, nor a question for its notes. data must not change any more. It is kept as one that was fetched would be; where it is too
// large for that, nothing happens.
func (p *Pipeline) Give(ctx context.Context, src *Source, object string, data []byte, notes Notes) {
	r := &Request{Source: src, Object: object}
	key := originalKey(r)
	gen := p.Redis.Generation(key)
	if p.RedisOriginals != nil {
		_, gen, _ = p.RedisOriginals.Load(ctx, key) // the generation is good on a miss too
	}
	now := p.now()
	o := &original{Original: origin.Original{Data: data, Meta: origin.Meta{MaxAge: -1, Modified: now}}, generation: gen, fetched: now, notes: &notes}
	p.keep(ctx, r, key, o)
}
