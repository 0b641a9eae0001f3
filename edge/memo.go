package edge

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/pipeline"
)

const (
	memoShards    = 16
	memoSize      = 16384 // entries, if the server does not say
	maxMemoTarget = 2048  // bytes; longer targets are verified each time
)

// known is a URL that was verified and read. It is immutable but for what is prepared of it.
type known struct {
	source   *served
	request  dialect.Request
	varies   bool     // the answer depends on Accept
	filename string   // Content-Disposition up to the extension
	expired  error    // what a request after the last second is answered
	tags     []string // of the cache entry, beside the source's

	fallback    *pipeline.Source // of the picture that stands in; nil = none
	fallbackKey string

	prepared [capabilitySets]atomic.Pointer[pipeline.Request] // by what the client takes
	used     atomic.Bool                                      // since the clock's hand last passed
}

// memo remembers verified URLs by the exact bytes of their request target, in bounded room: a clock in
// each of a few shards. A nil memo remembers nothing.
type memo struct {
	seed   maphash.Seed
	shards [memoShards]memoShard
}

type memoShard struct {
	mu      sync.RWMutex
	entries map[string]*known
	ring    []memoSlot // grows to its capacity, then the hand goes round
	hand    int
}

type memoSlot struct {
	target string
	known  *known
}

// newMemo returns a memo of about size entries: 0 = memoSize, negative = none.
func newMemo(size int) *memo {
	if size < 0 {
		return nil
	}
	if size == 0 {
		size = memoSize
	}
	m := &memo{seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].entries = make(map[string]*known)
		m.shards[i].ring = make([]memoSlot, 0, max(1, size/memoShards))
	}
	return m
}

// get returns what is known of a target; nil = nothing. It allocates nothing.
func (m *memo) get(target []byte) *known {
	if m == nil {
		return nil
	}
	sh := &m.shards[maphash.Bytes(m.seed, target)%memoShards]
	sh.mu.RLock()
	k := sh.entries[string(target)]
	sh.mu.RUnlock()
	if k != nil && !k.used.Load() {
		k.used.Store(true)
	}
	return k
}

// put remembers a verified target and returns what is to be used of it: k, or what another request
// put there meanwhile.
func (m *memo) put(target string, k *known) *known {
	if m == nil || len(target) > maxMemoTarget {
		return k
	}
	sh := &m.shards[maphash.String(m.seed, target)%memoShards]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if there := sh.entries[target]; there != nil {
		return there
	}
	sh.entries[target] = k
	if len(sh.ring) < cap(sh.ring) {
		sh.ring = append(sh.ring, memoSlot{target, k})
		return k
	}
	sh.evictLocked()
	sh.ring[sh.hand] = memoSlot{target, k}
	sh.hand = (sh.hand + 1) % len(sh.ring)
	return k
}

// evictLocked moves the hand to an entry that was not used since it last passed, and drops it.
func (sh *memoShard) evictLocked() {
	for sh.ring[sh.hand].known.used.Swap(false) {
		sh.hand = (sh.hand + 1) % len(sh.ring)
	}
	delete(sh.entries, sh.ring[sh.hand].target)
}

// size returns how many targets are remembered.
func (m *memo) size() int {
	if m == nil {
		return 0
	}
	n := 0
	for i := range m.shards {
		sh := &m.shards[i]
		sh.mu.RLock()
		n += len(sh.entries)
		sh.mu.RUnlock()
	}
	return n
}
