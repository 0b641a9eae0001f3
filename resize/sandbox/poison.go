package sandbox

import (
	"crypto/sha256"
	"sync"
	"time"
)

// maxPoison bounds how many pictures are remembered; over it the one that is forgotten first goes.
const maxPoison = 1024

// poison remembers pictures that workers died of, by their bytes, so that no other size of them is tried
// for a while. Bytes are hashed only while a picture of the same length is remembered.
type poison struct {
	life time.Duration

	mu      sync.Mutex // guards what follows
	entries map[fingerprint]time.Time
}

// fingerprint names a picture.
type fingerprint struct {
	size int
	hash [sha256.Size]byte
}

// has reports whether data is remembered.
func (p *poison) has(data []byte) bool {
	if !p.mayHave(len(data)) {
		return false
	}
	key := fingerprint{len(data), sha256.Sum256(data)}
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Before(p.entries[key])
}

// mayHave reports whether a picture of that length is remembered.
func (p *poison) mayHave(size int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.entries) == 0 {
		return false
	}
	now := time.Now()
	for key, until := range p.entries {
		if key.size == size && now.Before(until) {
			return true
		}
	}
	return false
}

// add remembers data.
func (p *poison) add(data []byte) {
	key := fingerprint{len(data), sha256.Sum256(data)}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.entries == nil {
		p.entries = make(map[fingerprint]time.Time)
	}
	p.forgetLocked(now)
	p.entries[key] = now.Add(p.life)
}

// forgetLocked makes room: what is over goes, and then what would go first.
func (p *poison) forgetLocked(now time.Time) {
	var first fingerprint
	var at time.Time
	for key, until := range p.entries {
		if !now.Before(until) {
			delete(p.entries, key)
			continue
		}
		if at.IsZero() || until.Before(at) {
			first, at = key, until
		}
	}
	if len(p.entries) >= maxPoison {
		delete(p.entries, first)
	}
}
