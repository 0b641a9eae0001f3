package pipeline

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

// original is an original at hand for one fill.
type original struct {
	origin.Original
	generation cache.Generation // under which work on it began
	fetched    time.Time        // when the origin last vouched for it; what is made of it is as old
	kept       bool             // no fetch was needed
	took       time.Duration    // the fetch
	notes      *Notes           // as of generation; nil = not known
}

// unchanged reports whether the picture e was made of this very original, so that no render is needed.
func (o *original) unchanged(e *cache.Entry) bool {
	if e == nil || e.Status != http.StatusOK {
		return false
	}
	if o.NotModified && o.Data == nil {
		return true
	}
	return o.ETag != "" && o.ETag == e.OriginETag
}

// original gets the original of r: kept from a moment ago, or fetched. All variants of one picture that
// are asked for at once share one fetch; so do those asked for within the source's freshness, as far
// as the original could be kept. stale is a picture made of it earlier, or nil: its validators make
// the fetch conditional where the bytes are not at hand. The caller holds the bytes, until drop. Beside an error of
// the fetch there is an original without bytes, which says under which generation it was tried.
func (p *Pipeline) original(ctx context.Context, r *Request, gen cache.Generation, stale *cache.Entry) (*original, error) {
	p.init()
	key := originalKey(r)
	kept, err := p.keptOriginal(ctx, key)
	if err != nil {
		return nil, err
	}
	if kept != nil && p.now().Before(kept.Fresh) {
		return fromKept(kept), nil
	}
	if kept != nil {
		defer p.drop(kept.Body)
	}
	var cond origin.Conditions
	switch {
	case kept != nil:
		cond = origin.Conditions{ETag: kept.OriginETag, Modified: kept.Modified}
	case stale != nil && stale.Status == http.StatusOK:
		cond = origin.Conditions{ETag: stale.OriginETag, Modified: stale.Modified}
	}
	// Callers with other validators do not share the flight: they could not use an "unchanged".
	flight := cache.NewKey(0, r.Source.Name, r.Object, cond.ETag+"\n"+cond.Modified.UTC().String()).Variant
	o, _, err := p.fetches.Do(ctx, p.sharedWith(ctx, flight, key), func(ctx, _ context.Context) (*original, error) {
		// A flight that ended between the look above and here has kept what this one would fetch.
		again, err := p.keptOriginal(ctx, key)
		if err != nil {
			return nil, err
		}
		if again != nil && p.now().Before(again.Fresh) {
			return fromKept(again), nil
		}
		if again != nil {
			p.drop(again.Body)
		}
		return p.fetch(ctx, r, key, gen, cond, kept, stale)
	})
	if err == nil && o.NotModified && o.Data == nil && kept != nil {
		// A joined fetch began for a caller that had a picture; this one has the bytes.
		o = o.with(kept)
		p.take(o.Data, nil)
	}
	return o, err
}

// sharedWith returns the hash for work on an original that is shared by those who ask for it between two purges.
// Who holds another original shares nothing with those who wait for room: they may wait for what it holds.
func (p *Pipeline) sharedWith(ctx context.Context, work cache.Hash, key cache.Key) cache.Hash {
	if origin.Holds(ctx) {
		work = cache.NewKey(0, "", "", "holding "+work.String()).Variant
	}
	return during(work, p.Redis.Generation(key))
}

// with completes an "unchanged" with the bytes it speaks of.
func (o *original) with(kept *cache.Entry) *original {
	whole := &original{Original: o.Original, generation: o.generation, fetched: o.fetched, took: o.took}
	whole.Data, whole.ETag, whole.Modified, whole.Tags = kept.Body, kept.OriginETag, kept.Modified, kept.Tags
	whole.notes = notesOf(kept)
	return whole
}

// fetch asks the origin. What it returns without an error is held once.
func (p *Pipeline) fetch(ctx context.Context, r *Request, key cache.Key, gen cache.Generation, cond origin.Conditions, kept, stale *cache.Entry) (*original, error) {
	held := kept // whose validators cond has
	if held == nil {
		held = stale
	}
	began := p.now()
	got, err := r.Source.Origin.Fetch(ctx, r.Object, cond)
	p.stats.fetches.Add(1)
	if err != nil {
		if kept != nil && worthRemembering(statusOf(err)) {
			p.dropOriginal(ctx, key)
		}
		return &original{generation: gen}, err
	}
	o := &original{Original: *got, generation: gen, fetched: p.now()}
	o.took = o.fetched.Sub(began)
	if got.NotModified && got.MaxAge < 0 {
		// A 304 that says nothing of freshness leaves what the origin said before (RFC 9111 section 4.3.4).
		o.MaxAge = r.Source.shortened(held)
	}
	if got.NotModified && kept != nil {
		o = o.with(kept)
	}
	p.take(o.Data, got.Place)
	o.annotate(ctx, r)
	p.keep(ctx, r, key, o)
	return o, nil
}

// originalKey is where the original of r is kept.
func originalKey(r *Request) cache.Key {
	return cache.OriginalKey(r.Source.Name, r.Object)
}

// keep remembers an original's bytes for the other variants, until the source's freshness or the
// tier's own life ends.
func (p *Pipeline) keep(ctx context.Context, r *Request, key cache.Key, o *original) {
	switch {
	case o.NoStore:
		p.dropOriginal(ctx, key)
		return
	case len(o.Data) == 0, int64(len(o.Data)) > p.KeepMaxItem, r.Source.takes(resize.Sniff(o.Data)) != nil:
		return
	}
	e := &cache.Entry{
		Status: http.StatusOK, Body: o.Data, Modified: o.Modified, OriginETag: o.ETag,
		Tags: slices.Concat(r.Source.Tags, r.Tags, o.Tags), Generation: o.generation,
		Detail: o.notes.text(),
	}
	r.Source.lives(e, o.Meta, o.fetched)
	e.Stale = o.fetched.Add(p.KeepFor)
	e.Swr = e.Fresh
	if p.Originals != nil {
		_ = p.Originals.Set(ctx, key, e) // the tier counts what it refuses
	}
	if p.RedisOriginals != nil {
		p.OriginalsWriter.Put(key, e, nil)
	}
}

// keptOriginal returns what is kept of an original, fresh or not, which the caller holds until drop; nil =
// nothing. The error is that there is no room for it, or the context's.
func (p *Pipeline) keptOriginal(ctx context.Context, key cache.Key) (*cache.Entry, error) {
	if e := p.rememberedOriginal(ctx, key); e != nil || p.RedisOriginals == nil {
		return e, nil
	}
	p.init()
	e, _, err := p.loads.Do(ctx, p.sharedWith(ctx, key.Variant, key), func(ctx, _ context.Context) (*cache.Entry, error) {
		if e := p.rememberedOriginal(ctx, key); e != nil {
			return e, nil // another flight has ended just now
		}
		return p.loadOriginal(ctx, key)
	})
	if errors.Is(err, cache.ErrMiss) {
		return nil, nil //nolint:nilnil // there is none
	}
	return e, err
}

// rememberedOriginal is keptOriginal for this node's memory.
func (p *Pipeline) rememberedOriginal(ctx context.Context, key cache.Key) *cache.Entry {
	if p.Originals == nil {
		return nil
	}
	e, err := p.Originals.Get(ctx, key)
	if err != nil || !p.now().Before(e.Stale) {
		return nil
	}
	p.take(e.Body, nil)
	return e
}

// loadOriginal is keptOriginal for Redis, where what it lacks or does not tell is an ErrMiss.
func (p *Pipeline) loadOriginal(ctx context.Context, key cache.Key) (*cache.Entry, error) {
	var place *origin.Place
	var refused error
	e, err := p.RedisOriginals.LoadWithin(ctx, key, func(ctx context.Context, bytes int64) error {
		place, refused = p.Room.Enter(ctx, bytes)
		return refused
	})
	switch {
	case refused != nil:
		return nil, refused
	case err != nil:
		place.Release()
		return nil, cache.ErrMiss // the tier counts trouble
	}
	p.take(e.Body, place)
	if p.Originals != nil {
		_ = p.Originals.Set(ctx, key, e) // the tier counts what it refuses
	}
	return e, nil
}

// dropOriginal forgets an original that is gone.
func (p *Pipeline) dropOriginal(ctx context.Context, key cache.Key) {
	if p.Originals != nil {
		_ = p.Originals.Delete(ctx, key) // memory has no trouble to report
	}
	if p.RedisOriginals != nil {
		_ = p.RedisOriginals.Delete(ctx, key) // its trouble is counted; the entry ends with its own life
	}
}

// fromKept makes an original of what was kept. It carries the generation it was fetched under, so that
// a purge since then keeps what is made of it out of the cache.
func fromKept(e *cache.Entry) *original {
	return &original{
		Original: origin.Original{
			Data: e.Body,
			Meta: origin.Meta{ETag: e.OriginETag, Modified: e.Modified, MaxAge: e.Fresh.Sub(e.Stored), Tags: e.Tags},
		},
		generation: e.Generation, fetched: e.Stored, kept: true, notes: notesOf(e),
	}
}
