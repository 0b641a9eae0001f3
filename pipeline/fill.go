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

// answer is what a fill ends in.
type answer struct {
	entry *cache.Entry
	via   Via
}

// fill finds or makes the picture of r: memory once more, Redis, the fleet's lease, the original, the
// gate, the render. ctx is the fill's own; patience ends when nobody waits for it any more and is
// obeyed only while queueing. With refresh, a stale entry is no answer.
func (p *Pipeline) fill(ctx, patience context.Context, r *Request, refresh bool) (answer, error) {
	began := p.now()
	// The look-up before the flight and this one differ where another flight for the key ended in
	// between: its entry is found here and the work is not done twice.
	stale := p.peek(ctx, r.Key)
	if a, ok := p.usable(stale, TierMemory, refresh); ok {
		return a, nil
	}
	shared, gen := p.loadShared(ctx, r.Key)
	if shared != nil {
		p.remember(ctx, r.Key, shared)
		stale = shared
		if a, ok := p.usable(shared, TierRedis, refresh); ok {
			return a, nil
		}
	}
	var found *cache.Entry
	release, led := p.Leases.Lead(patience, r.Key, func(ctx context.Context) bool {
		found, gen = p.loadShared(ctx, r.Key)
		_, ok := p.usable(found, TierRedis, true)
		return ok
	})
	if !led {
		p.remember(ctx, r.Key, found)
		return answer{found, Via{Collapsed: true, TTL: found.Fresh.Sub(p.now())}}, nil
	}
	// The lease ends when the outcome can be found in Redis, which is after this returns; or here, where
	// there is nothing to be found.
	handed := false
	defer func() {
		if !handed {
			release()
		}
	}()
	if err := patience.Err(); err != nil {
		return answer{}, err
	}
	queued := p.now().Sub(began)
	a, err := p.produce(ctx, patience, r, gen, stale)
	a.via.Timing.Queue += queued
	if err != nil {
		if a, err = p.instead(ctx, r, stale, gen, err); err != nil {
			return answer{}, err
		}
	}
	handed = p.store(ctx, r, &a, release)
	return a, nil
}

// produce makes the picture, or confirms that a stale one still is the picture.
func (p *Pipeline) produce(ctx, patience context.Context, r *Request, gen cache.Generation, stale *cache.Entry) (answer, error) {
	orig, err := p.original(ctx, r, gen, stale)
	if err != nil {
		return answer{}, err
	}
	a := answer{via: Via{OriginalKept: orig.kept, NoStore: orig.NoStore, Timing: Timing{Fetch: orig.took}}}
	if orig.unchanged(stale) {
		a.via.Revalidated = true
		a.entry = r.Source.confirmed(stale, orig.Meta, orig.generation, orig.fetched)
		p.stats.revalidated.Add(1)
	} else if a.entry, err = p.render(ctx, patience, r, orig, &a.via.Timing); err != nil {
		return answer{}, err
	}
	a.via.TTL = a.entry.Fresh.Sub(p.now())
	return a, nil
}

// instead decides what is answered when the picture could not be made: a stale copy if the trouble is
// the origin's or ours, a remembered refusal if it is the original's, else the error itself.
func (p *Pipeline) instead(ctx context.Context, r *Request, stale *cache.Entry, gen cache.Generation, err error) (answer, error) {
	now, status := p.now(), statusOf(err)
	usable := stale != nil && stale.Status == http.StatusOK && now.Before(stale.Stale)
	// A 200 with something that is no picture, where there was one, is an outage of the origin too.
	if usable && (outage(status) || status == http.StatusUnsupportedMediaType) {
		if !outage(status) {
			status = http.StatusBadGateway
		}
		p.remember(ctx, r.Key, r.Source.postponed(stale, status, now))
		p.stats.staleServed.Add(1)
		return answer{stale, Via{StaleError: status, TTL: stale.Fresh.Sub(now)}}, nil
	}
	e := r.Source.refusal(err, gen, now)
	if e == nil {
		return answer{}, err
	}
	return answer{e, Via{TTL: e.Fresh.Sub(now)}}, nil
}

// store keeps a finished entry: in memory at once, in Redis behind the answer. It reports whether it
// will call release, when the fleet can find the entry there or never will.
func (p *Pipeline) store(ctx context.Context, r *Request, a *answer, release func()) bool {
	if a.via.NoStore || a.via.StaleError != 0 {
		return false
	}
	began := p.now()
	kept := p.remember(ctx, r.Key, a.entry)
	put := p.Writer.Put(r.Key, a.entry, release)
	a.via.Stored = kept || put && p.Shared
	a.via.Timing.Store = p.now().Sub(began)
	return true
}

// render makes the bytes of r from the original.
func (p *Pipeline) render(ctx, patience context.Context, r *Request, orig *original, t *Timing) (*cache.Entry, error) {
	if r.maxBytes > 0 && len(orig.Data) > r.maxBytes {
		return nil, resize.TooLarge(fmt.Sprintf("the original has more than %d bytes", r.maxBytes))
	}
	if err := r.Options.CheckHashsum(orig.Data); err != nil {
		return nil, err
	}
	source, err := p.probe(ctx, r.Source, orig.Data)
	if err != nil {
		return nil, err
	}
	if r.Options.Format == resize.FormatRaw || r.Options.Passes(source) {
		return r.picture(orig.Data, source.Format.MIME(), orig), nil
	}
	plan, err := r.Options.Plan(source, r.bounds())
	if err != nil {
		return nil, err
	}
	if plan, err = p.withMark(ctx, plan); err != nil {
		return nil, err
	}
	queued := p.now()
	leave, err := p.Gate.Enter(patience, plan.Memory)
	t.Queue += p.now().Sub(queued)
	if err != nil {
		return nil, err
	}
	defer leave()
	result, err := p.run(ctx, orig.Data, plan)
	if err != nil {
		return nil, err
	}
	t.Decode, t.Encode = time.Duration(result.Decode), time.Duration(result.Encode)
	p.stats.renders.Add(1)
	if p.Observe != nil {
		t.Fetch = orig.took
		p.Observe(Work{Source: r.Source.Name, Format: result.Format, OriginalBytes: len(orig.Data), Bytes: len(result.Body), Timing: *t})
	}
	return r.picture(result.Body, result.Format.MIME(), orig), nil
}

// run executes one plan within the render limit.
func (p *Pipeline) run(ctx context.Context, data []byte, plan resize.Plan) (resize.Result, error) {
	if p.RenderTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.RenderTimeout)
		defer cancel()
	}
	results, err := p.Engine.Run(ctx, data, plan)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return resize.Result{}, ErrRenderTimeout
	case err != nil:
		return resize.Result{}, err
	}
	return results[0], nil
}
