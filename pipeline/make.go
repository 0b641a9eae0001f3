package pipeline

import (
	"context"
	"sync"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

// Made is what became of one picture.
type Made struct {
	Entry *cache.Entry // nil beside an Err that is no refusal
	Via   Via
	Err   error // also of a refusal that is kept as an entry; it knows its status
}

// Make makes the pictures of an object that are in no cache yet, from one fetch and, as far as they can
// share it, one decode, in the batch lane, and keeps each as if it had been asked for: for warming, presets
// of uploads and jobs. given is the original where it is at hand, with MaxAge −1 where the origin has said
// nothing; nil = it is fetched, if it is needed. The options are negotiated. The results are in their order.
func (p *Pipeline) Make(ctx context.Context, src *Source, object string, given *origin.Original, options []resize.Options) []Made {
	requests := make([]*Request, len(options))
	for i, o := range options {
		requests[i] = NewRequest(src, object, o)
	}
	var orig *original
	if given != nil && len(requests) > 0 {
		key := originalKey(requests[0])
		_, gen := p.loadShared(ctx, key)
		orig = &original{Original: *given, generation: gen, fetched: p.now()}
		p.take(orig.Data, nil)
		defer p.drop(orig.Data)
		orig.annotate(ctx, requests[0])
		p.keep(ctx, requests[0], key, orig)
	}
	return p.together(ctx, requests, orig)
}

// together answers requests for pictures of one object, as a party.
func (p *Pipeline) together(ctx context.Context, requests []*Request, orig *original) []Made {
	all := make([]Made, len(requests))
	y := p.newParty(len(requests), orig)
	var members sync.WaitGroup
	for i, r := range requests {
		own := r.InBatch()
		own.place = y.member()
		members.Go(func() {
			defer own.place.leave()
			e, via, err := p.Get(cache.OnJoin(ctx, own.place.leave), own)
			if err == nil && e.Status >= 400 {
				err = &refused{e}
			}
			all[i] = Made{Entry: e, Via: via, Err: err}
		})
	}
	if len(requests) > 0 {
		y.run(ctx)
	}
	members.Wait()
	return all
}

// refused is a negative entry as an error.
type refused struct{ entry *cache.Entry }

func (r *refused) Error() string   { return r.entry.Detail }
func (r *refused) HTTPStatus() int { return r.entry.Status }
func (r *refused) Code() string    { return r.entry.Code }
