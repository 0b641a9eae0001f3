package edge

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/pipeline"
)

const (
	memoSize      = 16384 // entries, if the server does not say
	memoWays      = 8     // places that a target may take
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
}

// memo remembers verified URLs by the exact bytes of their request target, in bounded room: a target's
// hash names the few places it may take, and of their holders one that was not asked for lately makes
// way. Readers take no lock and, but for the first after a while, write nothing. A nil memo remembers
// nothing.
type memo struct {
	seed maphash.Seed
	sets []memoSet

	mu sync.Mutex // held to remember, never to look up
}

// memoSet holds the places of the targets whose hashes are alike.
type memoSet [memoWays]atomic.Pointer[memoEntry]

type memoEntry struct {
	hash   uint64
	target string
	known  *known
	used   atomic.Bool // since it was last passed over
}

// newMemo returns a memo of about size entries: 0 = memoSize, negative = none.
func newMemo(size int) *memo {
	if size < 0 {
		return nil
	}
	if size == 0 {
		size = memoSize
	}
	return &memo{seed: maphash.MakeSeed(), sets: make([]memoSet, max(1, size/memoWays))}
}

func (m *memo) set(hash uint64) *memoSet { return &m.sets[hash%uint64(len(m.sets))] }

// get returns what is known of a target; nil = nothing. It allocates nothing.
func (m *memo) get(target []byte) *known {
	if m == nil || len(target) > maxMemoTarget {
		return nil
	}
	hash := maphash.Bytes(m.seed, target)
	set := m.set(hash)
	for i := range set {
		e := set[i].Load()
		if e == nil || e.hash != hash || e.target != string(target) {
			continue
		}
		if !e.used.Load() {
			e.used.Store(true)
		}
		return e.known
	}
	return nil
}

// put remembers a verified target and returns what is to be used of it: k, or what another request
// put there meanwhile.
func (m *memo) put(target string, k *known) *known {
	if m == nil || len(target) > maxMemoTarget {
		return k
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if there := m.get([]byte(target)); there != nil {
		return there
	}
	hash := maphash.String(m.seed, target)
	m.set(hash).placeLocked().Store(&memoEntry{hash: hash, target: target, known: k})
	return k
}

// placeLocked returns the place for a new entry: an empty one, else that of the first entry that was not
// used since it was last passed over here.
func (s *memoSet) placeLocked() *atomic.Pointer[memoEntry] {
	for i := range s {
		if s[i].Load() == nil {
			return &s[i]
		}
	}
	for i := range s {
		if !s[i].Load().used.Swap(false) {
			return &s[i]
		}
	}
	return &s[0]
}

// size returns how many targets are remembered.
func (m *memo) size() int {
	if m == nil {
		return 0
	}
	n := 0
	for i := range m.sets {
		for j := range m.sets[i] {
			if m.sets[i][j].Load() != nil {
				n++
			}
		}
	}
	return n
}
