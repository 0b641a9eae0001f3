package cache

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"
	"github.com/redis/go-redis/v9"
)

const (
	itemOverhead = 768            // bytes an entry costs beside what it points to: measured, see TestMemoryOverhead
	never        = math.MaxUint64 // the epoch of an item that was not verified
)

// Memory is the tier in this process: a Store bounded in bytes, with admission by frequency, expiry at
// each entry's Stale, and no entry that a purge has passed.
//
// Otter evicts behind its writers, so that a burst can overrun its bound by much. The gate in front
// counts what is really held, makes otter clean up at 5 % over the budget, and drops the set if that
// does not help.
type Memory struct {
	gens  *Generations
	max   int64
	cache *otter.Cache[Hash, *item] // nil = keeps nothing
	index index
	held  atomic.Int64
	stats *stats.Counter

	evictions, refused, outdated atomic.Uint64
}

var _ Store = (*Memory)(nil)

// MemoryStats is a snapshot of a Memory.
type MemoryStats struct {
	Hits, Misses uint64
	Evictions    uint64 // for room or age
	Refused      uint64 // sets dropped for want of room
	Outdated     uint64 // sets and hits older than a purge
	Bytes, Max   int64
	Entries      int
}

// NewMemory returns a memory of maxBytes, bodies, keys and overhead counted; 0 or less keeps nothing.
func NewMemory(maxBytes int64, g *Generations) *Memory {
	m := &Memory{gens: g, max: max(0, maxBytes), stats: stats.NewCounter()}
	if maxBytes > 0 {
		m.cache = otter.Must(&otter.Options[Hash, *item]{
			MaximumWeight:    uint64(maxBytes),
			Weigher:          func(_ Hash, it *item) uint32 { return uint32(it.weight) },
			ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[Hash, *item]) time.Duration { return time.Until(e.Value.entry.Stale) }),
			OnAtomicDeletion: m.onDeletion,
			StatsRecorder:    m.stats,
			Logger:           &otter.NoopLogger{},
		})
	}
	g.attach(m)
	return m
}

// onDeletion runs under otter's locks.
func (m *Memory) onDeletion(e otter.DeletionEvent[Hash, *item]) {
	m.index.remove(e.Value)
	m.held.Add(-e.Value.weight)
	if e.WasEvicted() {
		m.evictions.Add(1)
	}
}

// Get returns the entry, or ErrMiss. On the way of a hit it allocates nothing, takes no lock and asks
// nobody. After missed pushes it first asks Redis for the object's counter, once for each entry; if
// Redis does not answer within the fleet's timeout, the entry is served as it is.
func (m *Memory) Get(ctx context.Context, key Key) (*Entry, error) {
	if m.cache == nil {
		return nil, ErrMiss
	}
	it, ok := m.cache.GetIfPresent(key.Variant)
	if !ok {
		return nil, ErrMiss
	}
	if it.epoch.Load() == m.gens.epoch.Load() && m.gens.inStep() {
		return it.entry, nil
	}
	return m.verify(ctx, it)
}

// verify finds out whether an item is older than a purge that this node has missed.
func (m *Memory) verify(ctx context.Context, it *item) (*Entry, error) {
	g := m.gens
	if err := g.ensure(ctx); err != nil {
		return it.entry, nil //nolint:nilerr // cut off from Redis: availability first; Stats shows it
	}
	epoch := g.epoch.Load()
	if now, ok := m.cache.GetEntryQuietly(it.key.Variant); !ok || now.Value != it {
		return nil, ErrMiss // the poll has swept it away, or it was replaced: too rare to look again
	}
	if it.epoch.Load() == epoch {
		return it.entry, nil
	}
	object, err := g.readObject(ctx, it.key.Object)
	switch {
	case err != nil:
		return it.entry, nil //nolint:nilerr // as above
	case object != it.entry.Generation.Object:
		m.outdated.Add(1)
		m.drop(it)
		return nil, ErrMiss
	}
	it.epoch.Store(epoch) // of before the counter was read: what came after is still to be verified
	return it.entry, nil
}

// readObject asks Redis for an object's counter; 0 = there is none.
func (g *Generations) readObject(ctx context.Context, object Hash) (n uint64, err error) {
	err = g.fleet.call(ctx, opVerify, func(ctx context.Context) (err error) {
		n, err = g.fleet.client.Get(ctx, objectKey(object)).Uint64()
		if errors.Is(err, redis.Nil) {
			return nil
		}
		return err
	})
	return n, err
}

// drop removes an item unless it was replaced.
func (m *Memory) drop(it *item) {
	s := m.gens.stripe(it.key.Object)
	s.mu.Lock()
	defer s.mu.Unlock()
	if now, ok := m.cache.GetEntryQuietly(it.key.Variant); ok && now.Value == it {
		m.cache.Invalidate(it.key.Variant)
	}
}

// Set keeps e until e.Stale. ErrOutdated: a purge has come since e.Generation, or may have. ErrTooLarge: e does not
// fit at all. Admission may drop it for others that are asked for more; that is no error.
func (m *Memory) Set(_ context.Context, key Key, e *Entry) error {
	it := &item{key: key, entry: e, weight: weigh(key, e)}
	if it.weight > m.max || it.weight > math.MaxUint32 {
		return ErrTooLarge
	}
	if !e.Stale.After(time.Now()) {
		return nil // over already
	}
	if !m.reserve(it.weight) {
		m.refused.Add(1)
		return nil
	}
	s := m.gens.stripe(key.Object)
	s.mu.Lock()
	defer s.mu.Unlock()
	it.epoch.Store(m.gens.epoch.Load()) // before the check: a later epoch would not have verified it
	if e.Generation.Object == unknown {
		it.epoch.Store(never)
	}
	v := m.gens.judgeLocked(s, key, e)
	if v == outdated || v == unsure && !m.gens.vouchLocked(it) {
		m.held.Add(-it.weight)
		m.outdated.Add(1)
		return ErrOutdated
	}
	m.index.add(it)
	m.cache.Set(key.Variant, it)
	return nil
}

// vouchLocked looks for an entry of the same object and generation that every purge since has left
// standing: the item is as good as that one, and as far verified. A variant made from a kept original long after
// it was fetched has such a one, and a changed copy of what is there.
func (g *Generations) vouchLocked(it *item) bool {
	is := it.entry.Generation
	for _, m := range *g.memories.Load() {
		for _, other := range m.index.object(it.key.Object) {
			was := other.entry.Generation
			if g.fleet.client != nil && is.Object != unknown { // alone, Object says nothing
				was.Node = is.Node
			}
			if is == was {
				it.epoch.Store(other.epoch.Load())
				return true
			}
		}
	}
	return false
}

// reserve counts w bytes in, unless there is no room for them.
func (m *Memory) reserve(w int64) bool {
	if m.tryReserve(w) {
		return true
	}
	m.cache.CleanUp() // otter evicts what is over its bound
	return m.tryReserve(w)
}

// tryReserve never raises the count over its limit, not even for a moment.
func (m *Memory) tryReserve(w int64) bool {
	for limit := m.max + m.max/20; ; {
		held := m.held.Load()
		if held+w > limit {
			return false
		}
		if m.held.CompareAndSwap(held, held+w) {
			return true
		}
	}
}

// weigh returns the bytes that an entry costs.
func weigh(key Key, e *Entry) int64 {
	n := itemOverhead + len(key.Source) + cap(e.Body) + len(e.Type) + len(e.ETag) + len(e.OriginETag) + len(e.Code) + len(e.Detail)
	for _, t := range e.Tags {
		n += 16 + len(t)
	}
	return int64(n)
}

// Delete removes the entry.
func (m *Memory) Delete(_ context.Context, key Key) error {
	if m.cache != nil {
		m.cache.Invalidate(key.Variant)
	}
	return nil
}

// removeLocked removes items of one stripe, whose lock the caller holds, but for those made under the
// object's counter good (0 = none).
func (m *Memory) removeLocked(items []*item, good uint64) {
	for _, it := range items {
		if good == 0 || it.entry.Generation.Object != good {
			m.cache.Invalidate(it.key.Variant)
		}
	}
}

// unverified counts the entries that are served without proof: those of an older epoch, or all while
// this node is out of step.
func (m *Memory) unverified() (n int64) {
	if m.cache == nil {
		return 0
	}
	if !m.gens.inStep() {
		return int64(m.cache.EstimatedSize())
	}
	epoch := m.gens.epoch.Load()
	for i := range stripes {
		n += int64(len(m.index.find(i, func(it *item) bool { return it.epoch.Load() != epoch })))
	}
	return n
}

// Stats returns a snapshot.
func (m *Memory) Stats() MemoryStats {
	s := MemoryStats{
		Evictions: m.evictions.Load(), Refused: m.refused.Load(), Outdated: m.outdated.Load(),
		Bytes: m.held.Load(), Max: m.max,
	}
	if m.cache != nil {
		seen := m.stats.Snapshot()
		s.Hits, s.Misses, s.Entries = seen.Hits, seen.Misses, m.cache.EstimatedSize()
	}
	return s
}

// Close stops the background work. Twice is fine.
func (m *Memory) Close() error {
	if m.cache != nil {
		m.cache.StopAllGoroutines()
	}
	return nil
}
