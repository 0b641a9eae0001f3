package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/http"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
)

// answer is what a fill ends in.
type answer struct {
	entry *cache.Entry
	via   Via
}

// filling is one fill under way.
type filling struct {
	*Pipeline
	r        *Request
	refresh  bool            // behind an answer: a stale entry is no outcome
	began    time.Time       // of the look in find
	patience context.Context //nolint:containedctx // ends when nobody waits any more; obeyed only while queueing
	gen      cache.Generation
	stale    *cache.Entry // an entry that can no longer stand by itself; nil = none
	looked   bool         // Redis was read again while the fill waited for the lease
}

// do answers r through the flight of its key: memory once more and Redis, in the goroutine of whoever begins; if
// nothing usable is there, a fill.
func (p *Pipeline) do(ctx context.Context, r *Request, refresh bool) (answer, bool, error) {
	var f *filling // of this caller's turn, if it is the one who begins
	look := func(ctx context.Context) (answer, bool) {
		f = &filling{Pipeline: p, r: r, refresh: refresh, began: p.now()}
		return f.find(ctx)
	}
	return p.fills.DoAfter(ctx, during(r.Key.Variant, p.Redis.Generation(r.Key)), look, func(ctx, patience context.Context) (answer, error) {
		f.patience = patience
		return f.fill(ctx)
	})
}

// fill makes the picture that find has not found: the fleet's lease, the original, the gate, the render.
// ctx is the fill's own.
func (f *filling) fill(ctx context.Context) (answer, error) {
	p, r := f.Pipeline, f.r
	ctx = origin.Sparing(ctx)
	found, release := f.lead()
	if found != nil {
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
	if err := f.patience.Err(); err != nil {
		return answer{}, err
	}
	if err := f.admitted(ctx); err != nil {
		return answer{}, err
	}
	if f.looked {
		f.stale = f.still(ctx) // a purge may have come while this node waited
	}
	queued := p.now().Sub(f.began)
	a, err := f.produce(ctx)
	a.via.Timing.Queue += queued
	if err != nil {
		if a, err = f.instead(ctx, err); err != nil {
			return answer{}, err
		}
	}
	handed = p.store(ctx, r, &a, release)
	return a, nil
}

// find looks into memory and Redis. It notes what is stale there, and the generation under which work
// begun now stands.
func (f *filling) find(ctx context.Context) (answer, bool) {
	// The look-up before the flight and this one differ where another flight for the key ended in
	// between: its entry is found here and the work is not done twice.
	f.stale = f.peek(ctx, f.r.Key)
	if a, ok := f.usable(f.stale, TierMemory, f.refresh); ok {
		return a, true
	}
	shared, gen := f.loadShared(ctx, f.r.Key)
	f.gen = gen
	// Memory can be ahead of Redis, where a write was dropped or failed.
	if shared == nil || f.stale != nil && !shared.Stored.After(f.stale.Stored) {
		return answer{}, false
	}
	f.remember(ctx, f.r.Key, shared)
	f.stale = shared
	return f.usable(shared, TierRedis, f.refresh)
}

// lead waits for the fleet's lease. It returns what another node has made meanwhile, or nil and the
// function that ends the lease.
func (f *filling) lead() (found *cache.Entry, release func()) {
	if f.r.batch {
		return nil, func() {} // who waits in person, on another node, waits for no batch
	}
	release, led := f.Leases.Lead(f.patience, f.r.Key, func(ctx context.Context) bool {
		f.looked = true
		found, f.gen = f.loadShared(ctx, f.r.Key)
		_, ok := f.usable(found, TierRedis, true)
		return ok
	})
	if led {
		return nil, release
	}
	return found, release
}

// still returns the stale entry if no purge has taken it since it was found.
func (f *filling) still(ctx context.Context) *cache.Entry {
	if f.stale == nil {
		return nil
	}
	if e := f.peek(ctx, f.r.Key); e != nil {
		return e
	}
	e, _ := f.loadShared(ctx, f.r.Key)
	return e
}

// produce makes the picture, or confirms that a stale one still is the picture.
func (f *filling) produce(ctx context.Context) (answer, error) {
	stale := f.stale
	if f.r.Options.Watermark.Image != "" {
		stale = nil // the original alone does not vouch for the mark on it
	}
	orig, err := f.source(ctx, stale)
	if orig != nil {
		f.gen = orig.generation // what is made, or refused, is as old as the fetch
	}
	if err != nil {
		return answer{}, err
	}
	defer f.drop(orig.Data)
	a := answer{via: Via{OriginalKept: orig.kept, NoStore: orig.NoStore, Timing: Timing{Fetch: orig.took}}}
	if orig.unchanged(stale) {
		a.via.Revalidated = true
		a.entry = f.r.Source.confirmed(stale, orig.Meta, orig.generation, orig.fetched)
		f.stats.revalidated.Add(1)
	} else if a.entry, err = f.render(ctx, orig, &a.via); err != nil {
		return answer{}, err
	} else if !a.via.NoStore {
		f.climb(f.r, orig)
	}
	a.via.TTL = a.entry.Fresh.Sub(f.now())
	return a, nil
}

// source gets the original: a party's, or one's own. The fill holds its bytes until drop.
func (f *filling) source(ctx context.Context, stale *cache.Entry) (*original, error) {
	if f.r.place != nil {
		return f.r.place.party.original(ctx, f)
	}
	return f.original(ctx, f.r, f.gen, stale)
}

// instead decides what is answered when the picture could not be made: a stale copy if the trouble is
// the origin's or ours, a remembered refusal if it is the original's, else the error itself.
func (f *filling) instead(ctx context.Context, err error) (answer, error) {
	if f.patience.Err() != nil && errors.Is(err, context.Canceled) {
		return answer{}, err // nobody is waiting: no trouble of anyone's
	}
	now, status := f.now(), statusOf(err)
	stale := f.still(ctx)
	usable := stale != nil && stale.Status == http.StatusOK && now.Before(stale.Stale)
	// A 200 with something that is no picture, where there was one, is an outage of the origin too.
	if usable && (outage(status) || status == http.StatusUnsupportedMediaType) {
		if !outage(status) {
			status = http.StatusBadGateway
		}
		f.remember(ctx, f.r.Key, f.r.Source.postponed(stale, status, now))
		if f.refresh {
			return answer{}, err
		}
		f.stats.staleServed.Add(1)
		return answer{stale, Via{StaleError: status, TTL: stale.Fresh.Sub(now)}}, nil
	}
	e := f.r.refusal(err, f.gen, now)
	if e == nil {
		return answer{}, err
	}
	return answer{e, Via{TTL: e.Fresh.Sub(now)}}, nil
}

// store keeps a finished entry: in memory at once, in Redis behind the answer. It reports whether it
// will call release, when the fleet can find the entry there or never will.
func (p *Pipeline) store(ctx context.Context, r *Request, a *answer, release func()) bool {
	began := p.now()
	defer func() { a.via.Timing.Store = p.now().Sub(began) }()
	switch {
	case a.via.StaleError != 0:
		return false
	case a.via.NoStore:
		// What was kept before the origin forbade it goes too.
		_ = p.Memory.Delete(ctx, r.Key) // memory has no trouble to report
		_ = p.Redis.Delete(ctx, r.Key)  // its trouble is counted; the entry ends with its own life
		return false
	}
	err := p.Memory.Set(ctx, r.Key, a.entry)
	if errors.Is(err, cache.ErrOutdated) {
		return false
	}
	put := p.Writer.Put(r.Key, a.entry, release)
	a.via.Stored = err == nil || put && p.Shared
	return true
}

// during returns a hash for work that may be shared by those who ask between two purges: what was begun
// before a purge is not joined by a request that comes after it.
func during(h cache.Hash, gen cache.Generation) cache.Hash {
	var text [len(h) + 24]byte
	at := copy(text[:], h[:])
	for _, n := range [...]uint64{gen.All, gen.Source, gen.Node} {
		binary.BigEndian.PutUint64(text[at:], n)
		at += 8
	}
	sum := sha256.Sum256(text[:])
	return cache.Hash(sum[:len(h)])
}
