package cache

import (
	"sync"
	"sync/atomic"
)

// item is an entry in memory. It is linked with the other variants of its object.
type item struct {
	key        Key
	entry      *Entry
	weight     int64
	epoch      atomic.Uint64 // of the generations when it was found good; never = not yet
	next, prev *item         // guarded by the index's shard
	linked     bool
}

// index finds the variants of an object, and walks all. Its locks are leaves: nothing is called
// while one is held, so the cache may report deletions from under its own locks.
type index struct {
	shards [stripes]indexShard
}

type indexShard struct {
	mu      sync.Mutex
	objects map[Hash]*item // the first of each object's list
}

func (x *index) add(it *item) {
	s := &x.shards[stripeOf(it.key.Object)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects == nil {
		s.objects = map[Hash]*item{}
	}
	first := s.objects[it.key.Object]
	it.next, it.linked = first, true
	if first != nil {
		first.prev = it
	}
	s.objects[it.key.Object] = it
}

// remove takes it out; it may be out already.
func (x *index) remove(it *item) {
	s := &x.shards[stripeOf(it.key.Object)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if !it.linked {
		return
	}
	if it.next != nil {
		it.next.prev = it.prev
	}
	switch {
	case it.prev != nil:
		it.prev.next = it.next
	case it.next != nil:
		s.objects[it.key.Object] = it.next
	default:
		delete(s.objects, it.key.Object)
	}
	it.next, it.prev, it.linked = nil, nil, false
}

// object returns the variants of an object.
func (x *index) object(object Hash) (found []*item) {
	s := &x.shards[stripeOf(object)]
	s.mu.Lock()
	defer s.mu.Unlock()
	for it := s.objects[object]; it != nil; it = it.next {
		found = append(found, it)
	}
	return found
}

// find returns the matching items of a stripe.
func (x *index) find(stripe int, match func(*item) bool) (found []*item) {
	s := &x.shards[stripe]
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, first := range s.objects {
		for it := first; it != nil; it = it.next {
			if match(it) {
				found = append(found, it)
			}
		}
	}
	return found
}
