package edge

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/imgedge/imgedge/cache"
)

const (
	cellShards = 16
	cellsEach  = 4096 // clients a shard remembers
	cellsSeen  = 8    // that are looked at to make room for one
)

// cells remembers of each client when all that it did would be done at an even pace (the generic cell rate
// algorithm), in bounded room. A client that is ahead of nothing is forgotten first; forgetting another
// forgives it what it did. The zero value is ready.
type cells struct {
	shards [cellShards]cellShard
	setup  sync.Once
	seed   maphash.Seed
}

type cellShard struct {
	mu  sync.Mutex // guards all
	all map[spender]cell
}

type cell struct {
	done    time.Time // when what was counted would be done at an even pace
	pending int       // events that the fleet was not told of
	queued  bool      // the fleet will be told
}

func (c *cells) shard(who spender) *cellShard {
	c.setup.Do(func() { c.seed = maphash.MakeSeed() })
	address := who.from.Addr().As16()
	return &c.shards[(maphash.Bytes(c.seed, address[:])^maphash.String(c.seed, who.token))%cellShards]
}

// take counts an event, unless that passes the rate: then wait is when it will not. With shared the event
// is noted for the fleet, and tell asks the caller to have it told.
func (c *cells) take(who spender, rate cache.Rate, now time.Time, shared bool) (wait time.Duration, tell bool) {
	sh := c.shard(who)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	one, known := sh.all[who]
	if one.done.Before(now) {
		one.done = now
	}
	if most := now.Add(rate.Window); one.done.After(most) { // the window was longer before a reload
		one.done = most
		sh.all[who] = one
	}
	next := one.done.Add(rate.Window / time.Duration(rate.Events))
	if over := next.Sub(now) - rate.Window; over > 0 {
		return over, false
	}
	one.done = next
	if shared {
		one.pending++
		tell, one.queued = !one.queued, true
	}
	if !known {
		sh.makeRoomLocked(now)
	}
	sh.all[who] = one
	return 0, tell
}

// lead notes how far the fleet has seen a spender ahead of an even pace.
func (c *cells) lead(who spender, now time.Time, lead time.Duration) {
	c.change(who, func(one *cell) {
		if done := now.Add(lead); done.After(one.done) {
			one.done = done
		}
	})
}

// change lets f change what is remembered of a spender; nothing where nothing is.
func (c *cells) change(who spender, f func(one *cell)) {
	sh := c.shard(who)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if one, known := sh.all[who]; known {
		f(&one)
		sh.all[who] = one
	}
}

// makeRoomLocked drops a client where the shard is full: of a few, the one that is the least ahead.
func (sh *cellShard) makeRoomLocked(now time.Time) {
	if sh.all == nil {
		sh.all = make(map[spender]cell)
	}
	if len(sh.all) < cellsEach {
		return
	}
	var least spender
	seen, done := 0, time.Time{}
	for who, one := range sh.all { // in no order
		if one.done.Before(now) {
			delete(sh.all, who)
		} else if done.IsZero() || one.done.Before(done) {
			least, done = who, one.done
		}
		if seen++; seen == cellsSeen {
			break
		}
	}
	if len(sh.all) >= cellsEach {
		delete(sh.all, least)
	}
}

// size returns how many clients are remembered.
func (c *cells) size() (n int) {
	for i := range c.shards {
		c.shards[i].mu.Lock()
		n += len(c.shards[i].all)
		c.shards[i].mu.Unlock()
	}
	return n
}
