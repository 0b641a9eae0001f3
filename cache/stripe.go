package cache

import (
	"slices"
	"sync"
)

const (
	stripes    = 256
	lastPurges = 64
)

// stripe orders the stores and purges of the objects that fall to it: a store checks the purges and
// inserts under the lock, a purge is noted and removes under it. So nothing older than a purge is
// inserted after the purge has passed.
type stripe struct {
	mu     sync.Mutex
	purges uint32           // purges of an object or a tag so far
	last   [lastPurges]note // the last of them, number n at n % lastPurges
}

// note is a purge of an object or a tag that went through a stripe. (Purges of all and of a source
// change the view instead.)
type note struct {
	object Hash
	value  uint64 // the object's counter from then on
	tag    string // if not "", the purge of a tag
	tip    string // which purge it was
}

// concerns says whether an entry of key was begun before the purge, in Redis' order, which it concerns.
func (n note) concerns(key Key, e *Entry) bool {
	if n.tag != "" {
		return slices.Contains(e.Tags, n.tag)
	}
	return n.object == key.Object && n.value != e.Generation.Object
}

// noteLocked remembers a purge, once: a node may hear of one twice.
func (s *stripe) noteLocked(n note) {
	if slices.Contains(s.last[:], n) {
		return
	}
	s.last[s.purges%lastPurges] = n
	s.purges++
}

// verdict is what a node knows of an entry that is to be stored.
type verdict int

const (
	outdated verdict = iota // a purge has come since its generation
	unsure                  // too much has happened since to tell
	good
)

// judgeLocked says what has become of an entry since its generation.
func (g *Generations) judgeLocked(s *stripe, key Key, e *Entry) verdict {
	is, was := g.presentLocked(s, key), e.Generation
	if is.All != was.All || is.Source != was.Source {
		return outdated
	}
	v := good
	then := uint32(was.Node)
	if s.purges-then > lastPurges {
		v, then = unsure, s.purges-lastPurges
	}
	for i := then; i != s.purges; i++ {
		if s.last[i%lastPurges].concerns(key, e) {
			return outdated
		}
	}
	if is.Node>>32 != was.Node>>32 { // pushes were missed
		v = unsure
	}
	return v
}

// judge is judgeLocked for those who only want to spare themselves work.
func (g *Generations) judge(key Key, e *Entry) verdict {
	s := g.stripe(key.Object)
	s.mu.Lock()
	defer s.mu.Unlock()
	return g.judgeLocked(s, key, e)
}

// now returns the generation work begun now stands under, as far as this node knows.
func (g *Generations) now(key Key) Generation {
	s := g.stripe(key.Object)
	s.mu.Lock()
	defer s.mu.Unlock()
	return g.presentLocked(s, key)
}

func (g *Generations) presentLocked(s *stripe, key Key) Generation {
	v := g.view.Load()
	return Generation{All: v.all, Source: v.sources[key.Source], Node: g.epoch.Load()<<32 | uint64(s.purges)}
}

func (g *Generations) stripe(object Hash) *stripe { return &g.stripes[stripeOf(object)] }

func stripeOf(object Hash) int { return int(object[0]) }
