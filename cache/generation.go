package cache

import (
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	pollEvery = 250 * time.Millisecond
	// trust is how long what the last poll showed may stand for the present. A purge is answered once
	// its number is in Redis; a hit served longer than trust after that rests on a poll that began after
	// the answer, and so knew of it.
	trust   = time.Second
	unknown = math.MaxUint64 // the Object of a generation that Redis could not be asked for
)

// Generations is this node's view of the fleet's purges. Memory and Redis ask it what is still good.
//
// Every purge of any kind gets a number (seq) and a random mark (tip) in Redis, in one step with its
// message on the push channel. A node polls both four times a second. While they are what the node has
// applied, it is in step: nothing in its memory is older than a purge. When the number has moved on
// and no push explains it until the next poll, pushes were lost: the epoch moves on, and each entry of
// an older epoch asks for its object's counter before it is used. When the last good poll is more than
// 1 s old (Redis silent, or this process frozen), a hit polls by itself first. If Redis cannot be
// asked at all, the hit is served: availability first.
//
// The generations themselves are random, not counted, and any difference means "purged": a Redis that
// lost or rolled back its data can make good entries look old, never old ones good. A poll that finds
// seq going back to a state of the past purges all, since the purges after that state are lost.
type Generations struct {
	fleet   *Fleet
	base    time.Time
	contact atomic.Int64  // since base: begin of the last poll that found this node in step
	epoch   atomic.Uint64 // number of times pushes were missed
	view    atomic.Pointer[view]
	polling singleflight.Group
	cancel  context.CancelFunc
	done    sync.WaitGroup

	gaps, purges atomic.Uint64

	memories atomic.Pointer[[]*Memory]

	mu      sync.Mutex // orders what is applied
	seq     uint64     // the last purge applied; tip "" = not yet in touch
	tip     string
	pending uint64 // a later seq that a poll saw before its push came; 0 = none

	stripes [stripes]stripe
}

// view is the generations that are not of one object. It is immutable.
type view struct {
	all     uint64
	sources map[string]uint64
}

// GenerationStats is a snapshot of Generations.
type GenerationStats struct {
	Unverified int64  // entries in memory that are served without proof that no purge was missed
	Gaps       uint64 // times pushes were missed
	Purges     uint64 // purges applied, of this node and others
}

// NewGenerations starts following the fleet's purges.
func NewGenerations(f *Fleet) *Generations {
	g := &Generations{fleet: f, base: time.Now()}
	g.view.Store(&view{})
	g.memories.Store(new([]*Memory))
	g.distrust()
	if f.client == nil {
		g.contact.Store(math.MaxInt64) // alone, always in step
		g.cancel = func() {}
		return g
	}
	f.mu.Lock()
	f.onPush = g.onPush
	f.mu.Unlock()
	var ctx context.Context
	ctx, g.cancel = context.WithCancel(context.Background())
	g.done.Go(func() { g.follow(ctx) })
	return g
}

// follow polls until ctx ends.
func (g *Generations) follow(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		_ = g.poll(ctx) // counted by the fleet; contact tells the rest
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Close stops following. Twice is fine.
func (g *Generations) Close() error {
	g.cancel()
	g.done.Wait()
	return nil
}

// Stats returns a snapshot. It walks the memories while entries wait for verification.
func (g *Generations) Stats() GenerationStats {
	s := GenerationStats{Gaps: g.gaps.Load(), Purges: g.purges.Load()}
	for _, m := range *g.memories.Load() {
		s.Unverified += m.unverified()
	}
	return s
}

// inStep says that every purge up to trust ago has been applied here.
func (g *Generations) inStep() bool {
	return int64(time.Since(g.base))-g.contact.Load() < int64(trust)
}

// applied says that this node has applied every purge up to number seq, or knows in its epoch of those
// that it has not.
func (g *Generations) applied(seq uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.tip != "" && seq <= g.seq
}

// distrust makes the next hit poll first.
func (g *Generations) distrust() { g.contact.Store(math.MinInt64 / 2) }

// ensure polls unless the node is in step. Many callers share one poll; a poll that began too long ago
// to prove anything (the process was frozen within) is followed by a second.
func (g *Generations) ensure(ctx context.Context) error {
	var err error
	for range 3 {
		if g.inStep() {
			return nil
		}
		if g.fleet.open.Load() {
			return ErrBreaker
		}
		// Detached: who shares the poll must not suffer from the first one's leaving.
		_, err, _ = g.polling.Do("", func() (any, error) { return nil, g.poll(context.WithoutCancel(ctx)) })
	}
	return err
}

// attach makes a memory take part in purges.
func (g *Generations) attach(m *Memory) {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := append(slices.Clone(*g.memories.Load()), m)
	g.memories.Store(&list)
}

// poll compares the fleet's counters with what this node has applied.
func (g *Generations) poll(ctx context.Context) error {
	start := time.Since(g.base)
	g.mu.Lock()
	seq, tip := g.seq, g.tip
	g.mu.Unlock()
	seen, err := g.readCounters(ctx)
	if err != nil {
		return err
	}
	if rolledBack := g.apply(start, seq, tip, seen); !rolledBack {
		return nil
	}
	value := format(draw())
	if err := g.bump(ctx, fieldAll, value, "a "+value); err != nil {
		return err // and the next poll finds the same
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gaps.Add(1)
	g.seq, g.tip, g.pending = 0, "", 0 // the next poll begins anew
	return nil
}

// apply takes over what a poll saw that began at start, when seq and tip were the last applied. Where
// Redis lost the counters or went back to a state of the past, it takes over nothing: first all is to
// be purged, since purges after that state are lost.
func (g *Generations) apply(start time.Duration, seq uint64, tip string, seen counters) (rolledBack bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := g.tip == ""
	switch {
	case seen.seq == g.seq && seen.tip == g.tip:
		g.adoptLocked(seen)
	case !first && (seen.seq < seq || seen.seq == seq && seen.tip != tip):
		return true
	case seen.seq < g.seq:
		// Pushes came during the poll: up to its start this node is in step.
	case first || g.pending > g.seq || int64(start)-g.contact.Load() > int64(trust):
		g.gapLocked(seen)
	default: // The push is on its way, most likely. If not, the next poll finds the same.
		g.pending = seen.seq
		g.setViewLocked(seen.view)
		return false
	}
	g.contact.Store(max(int64(start), g.contact.Load()))
	return false
}

// gapLocked accepts that pushes were missed: every entry is to be verified before use.
func (g *Generations) gapLocked(seen counters) {
	if g.tip != "" {
		g.gaps.Add(1)
	}
	g.epoch.Add(1)
	g.adoptLocked(seen)
}

func (g *Generations) adoptLocked(seen counters) {
	g.seq, g.tip, g.pending = seen.seq, seen.tip, 0
	g.setViewLocked(seen.view)
}

// setViewLocked changes the view and then removes what it makes outdated: a store that did not see the
// new view has inserted before the sweep comes by.
func (g *Generations) setViewLocked(seen view) {
	old := g.view.Load()
	if seen.all == old.all && maps.Equal(seen.sources, old.sources) {
		return
	}
	g.view.Store(&seen)
	g.sweep(func(it *item) bool {
		return seen.all != old.all || seen.sources[it.key.Source] != old.sources[it.key.Source]
	})
}
