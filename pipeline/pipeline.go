// Package pipeline is the heart of the edge, without HTTP: a request's key leads to memory, then into
// a flight that asks Redis, takes the fleet's lease, fetches the original, waits at the gate, renders
// and stores. It decides what is fresh, stale or negative, and who shares whose work.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

// Fetcher gets originals; origin.Source is the real one.
type Fetcher interface {
	Fetch(ctx context.Context, key string, cond origin.Conditions) (*origin.Original, error)
}

// Source is what the pipeline knows of a configured source.
type Source struct {
	Name      string
	Origin    Fetcher
	Limits    resize.Limits
	FormatsIn []resize.Format // what its originals may be; nil = the default list
	Fresh     time.Duration   // an entry's life without asking; the origin may shorten it
	Swr       time.Duration   // then served while refreshed behind
	Sie       time.Duration   // then served if the origin fails
	Negative  time.Duration   // life of 404, 410, 415, 422, and the pause after a failed refresh
	Tags      []string        // for purge by tag, beside the origin's
	// Notes tells of an original what does not stand in its bytes; nil = nothing. It is asked once for each that is
	// kept, so who changes notes purges the object. An error ends the fill. It may be called concurrently.
	Notes  func(ctx context.Context, object string) (Notes, error)
	Ladder []int // widths, CSS px, of which the first asked renders all; nil = off
}

// Request is one picture asked for. It is immutable, so that a memo may hold it.
type Request struct {
	Source  *Source
	Object  string         // the object's key at the origin
	Options resize.Options // negotiated
	Key     cache.Key      // KeyOf(Source.Name, Object, Options)
	Tags    []string       // for purge by tag, beside the source's and the origin's

	limits   resize.Limits // zero = the source's
	maxBytes int           // of the original; 0 = the source's
	batch    bool          // made for later; see InBatch
	admit    admission     // asked before work is begun; nil = nobody is
	place    *place        // in a party; nil = in none
}

// NewRequest returns the request for a picture of a source.
func NewRequest(src *Source, object string, o resize.Options) *Request {
	return &Request{Source: src, Object: object, Options: o, Key: KeyOf(src.Name, object, o)}
}

// Within returns the request with other limits than the source's: lim where it is not 0, maxBytes of the
// original where that is not 0. It has a key of its own, as it may be refused where others are not.
func (r *Request) Within(lim resize.Limits, maxBytes int) *Request {
	own := *r
	own.limits, own.maxBytes = lim, maxBytes
	text := fmt.Sprintf("%s#%+v#%d#%s", r.Options, lim, maxBytes, strings.Join(r.Tags, ","))
	own.Key = cache.NewKey(resize.KeyVersion, r.Source.Name, r.Object, text)
	return &own
}

// Tagged returns the request with tags for purging, beside the source's and the origin's. It has a key of
// its own, so that a purge by its tags finds every entry it was answered from.
func (r *Request) Tagged(tags []string) *Request {
	own := *r
	own.Tags = tags
	own.Key = cache.NewKey(resize.KeyVersion, r.Source.Name, r.Object, r.Options.String()+"#"+strings.Join(tags, ","))
	return &own
}

// bounds returns the limits that hold for the request.
func (r *Request) bounds() resize.Limits { return r.Source.Limits.Override(r.limits) }

// KeyOf returns the key under which every tier keeps the picture.
func KeyOf(source, object string, o resize.Options) cache.Key {
	return cache.NewKey(resize.KeyVersion, source, object, o.String())
}

// Tier says where an answer was found.
type Tier uint8

// The tiers.
const (
	TierNone   Tier = iota // made now
	TierMemory             // this node's memory
	TierRedis              // the fleet's Redis
)

// Via tells how an answer came about; edge words it as Cache-Status (RFC 9211).
type Via struct {
	Hit          Tier          // TierNone = forwarded
	Collapsed    bool          // waited for another's work
	Stored       bool          // kept for the next
	OriginalKept bool          // made from an original at hand, no fetch
	Revalidated  bool          // the origin said "unchanged": no render
	StaleError   int           // the status the origin's failure would have had, where a stale copy is served instead; 0 = none
	Timing       Timing        // of a fill; zero for hits
	TTL          time.Duration // freshness left; negative within stale-while-revalidate
	NoStore      bool          // the origin forbids keeping it; nor may the client
}

// Timing splits a fill.
type Timing struct{ Queue, Fetch, Decode, Encode, Store time.Duration }

// Pipeline answers requests for pictures. Its fields are set before use and not changed after; the
// zero value of an optional one switches that part off. It may be used concurrently.
type Pipeline struct {
	Engine          Engine
	Gate            *Gate
	Memory          *cache.Memory             // this node's entries
	Redis           *cache.Redis              // the fleet's entries; it also tells the generation, so a node alone has one too, without a client
	Writer          *cache.Writer             // into Redis, behind the answer
	Shared          bool                      // there is a Redis
	Leases          *cache.Leases             // one filler a key in the fleet
	Originals       *cache.Memory             // this node's kept originals; nil = off
	RedisOriginals  *cache.Redis              // the fleet's kept originals; nil = off
	OriginalsWriter *cache.Writer             // into RedisOriginals
	SourceOf        func(name string) *Source // finds the source of a watermark, nil = there is none; nil = no watermarks
	KeepFor         time.Duration             // how long an original is kept
	KeepMaxItem     int64                     // bytes; a larger original is not kept
	Room            *origin.Room              // of the origins' fetches; all that fills hold of originals counts; nil = no bound
	FillTimeout     time.Duration             // of a whole fill; 0 = none
	MaxWaiters      int                       // requests that may wait for one fill; 0 = no bound
	RenderTimeout   time.Duration             // of one render; 0 = none
	Refreshes       int                       // refreshes and ladders behind at once; 0 = 16
	Now             func() time.Time          // nil = time.Now
	Observe         func(Work)                // told of every fill that made something; nil = nobody is

	fills    cache.Flight[answer]
	fetches  cache.Flight[*original]
	loads    cache.Flight[*cache.Entry] // of kept originals, from Redis
	stats    counters
	setup    sync.Once
	bodies   bodies
	behind   behind
	audience audience
}

// Lookup answers from memory alone, without allocating: an entry that is fresh, or stale and either
// being refreshed behind or waiting for the origin to recover. nil means that Get has to be asked.
func (p *Pipeline) Lookup(r *Request) (*cache.Entry, Via) {
	a, ok := p.usable(p.peek(context.Background(), r.Key), TierMemory, false)
	if !ok {
		return nil, Via{}
	}
	p.refreshIfDue(r, a)
	return a.entry, a.via
}

// Get answers from wherever the picture is found, or makes it. It returns an entry (which may be a
// negative one, Status ≥ 400) or an error, and how it came about.
func (p *Pipeline) Get(ctx context.Context, r *Request) (*cache.Entry, Via, error) {
	if e, via := p.Lookup(r); e != nil {
		return e, via, nil
	}
	p.init()
	if !r.batch {
		defer p.audience.enter(r.Key.Variant)()
	}
	a, joined, err := p.join(ctx, r)
	if joined {
		a.via.Collapsed = true
		p.stats.collapsedNode.Add(1)
	}
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return nil, a.via, err // who has gone needs no stale copy
	}
	if err != nil {
		if e := p.peek(ctx, r.Key); e != nil && e.Status < 400 && outage(statusOf(err)) && p.now().Before(e.Stale) {
			p.stats.staleServed.Add(1)
			return e, Via{StaleError: statusOf(err), TTL: e.Fresh.Sub(p.now())}, nil
		}
		return nil, a.via, err
	}
	p.refreshIfDue(r, a)
	return a.entry, a.via, nil
}

// join fills, or waits for the fill under way. Where whoever began that one was not admitted, the refusal
// is theirs alone, and r begins another.
func (p *Pipeline) join(ctx context.Context, r *Request) (a answer, joined bool, err error) {
	for {
		a, joined, err = p.do(ctx, r, false)
		if refused := (*admissionError)(nil); !joined || !errors.As(err, &refused) {
			return a, joined, err
		}
	}
}

// usable says whether e can be the answer as it stands, and how it is then described. With refresh only
// a fresh entry can.
func (p *Pipeline) usable(e *cache.Entry, tier Tier, refresh bool) (answer, bool) {
	if e == nil {
		return answer{}, false
	}
	now := p.now()
	via := Via{Hit: tier, TTL: e.Fresh.Sub(now)}
	switch {
	case now.Before(e.Fresh):
		return answer{e, via}, true
	case refresh:
		return answer{}, false
	case now.Before(e.Swr):
		return answer{e, via}, true
	case now.Before(e.Retry) && now.Before(e.Stale):
		via.Hit, via.StaleError = TierNone, e.RetryStatus
		return answer{e, via}, true
	default:
		return answer{}, false
	}
}

// peek returns the entry in memory whatever its age; nil = none. It blocks only after a missed purge
// message, to ask Redis once for each entry.
func (p *Pipeline) peek(ctx context.Context, key cache.Key) *cache.Entry {
	e, err := p.Memory.Get(ctx, key)
	if err != nil {
		return nil
	}
	return e
}

// remember keeps an entry in memory. Where a purge has come since its generation, or there is no room
// for it, it is not kept; whoever waits for it has it all the same.
func (p *Pipeline) remember(ctx context.Context, key cache.Key, e *cache.Entry) {
	_ = p.Memory.Set(ctx, key, e) // the tier counts what it refuses
}

// loadShared asks Redis. Its trouble is a miss that the tier counts; the generation is good in any case.
func (p *Pipeline) loadShared(ctx context.Context, key cache.Key) (*cache.Entry, cache.Generation) {
	e, gen, err := p.Redis.Load(ctx, key)
	if err != nil {
		return nil, gen
	}
	return e, gen
}

// init passes the limits on to the flights, and gives what runs behind its life, once.
func (p *Pipeline) init() {
	p.setup.Do(func() {
		p.fills.Timeout, p.fetches.Timeout, p.loads.Timeout = p.FillTimeout, p.FillTimeout, p.FillTimeout
		p.fetches.Take = func(o *original) { p.take(o.Data, nil) }
		p.fetches.Drop = func(o *original) { p.drop(o.Data) }
		p.loads.Take = func(e *cache.Entry) { p.take(e.Body, nil) }
		p.loads.Drop = func(e *cache.Entry) { p.drop(e.Body) }
		p.fills.MaxWaiters = p.MaxWaiters
		p.behind.base, p.behind.stop = context.WithCancel(context.Background())
	})
}

func (p *Pipeline) now() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}

// takes is nil for a format the source's originals may have.
func (s *Source) takes(f resize.Format) error {
	if f == resize.FormatAuto {
		return resize.Unsupported("not_an_image", "the original is not a picture of a known format")
	}
	formats := s.FormatsIn
	if formats == nil {
		formats = resize.DefaultFormatsIn()
	}
	if !slices.Contains(formats, f) {
		return resize.Unsupported("unsupported_format", fmt.Sprintf("originals of format %s are not taken", f))
	}
	return nil
}
