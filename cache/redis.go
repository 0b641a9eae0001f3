package cache

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const defaultMaxItem = 4 << 20

// Redis is the tier of the fleet: a Store. Without a client it always misses and keeps nothing, but
// still tells generations. Every call is bounded by the fleet's timeout and breaker.
type Redis struct {
	fleet   *Fleet
	gens    *Generations
	maxItem int64

	hits, misses, damaged, outdated, tooLarge atomic.Uint64
}

var _ Store = (*Redis)(nil)

// RedisStats is a snapshot of a Redis tier.
type RedisStats struct {
	Hits, Misses uint64
	Damaged      uint64 // wrong hash or checksum: a miss, deleted
	Outdated     uint64 // entries found or offered that were older than a purge
	TooLarge     uint64 // not stored for their size
}

// NewRedis returns the tier. Larger entries than maxItem bytes are not stored; 0 = 4 MiB, at most 48 MiB.
func NewRedis(f *Fleet, g *Generations, maxItem int64) *Redis {
	if maxItem <= 0 {
		maxItem = defaultMaxItem
	}
	return &Redis{fleet: f, gens: g, maxItem: min(maxItem, maxBulk*3/4)}
}

// Generation returns the generation of work that begins now, as far as this node knows it: what it has
// heard of purges of all and of the source, and in Node those of objects and tags that it has applied.
// Object is 0, for only Redis knows that. It asks nobody and allocates nothing. Two generations of one
// key that differ in All, Source or Node have a purge between them, which need not be of this key; after
// a purge that this node or a push has told of they do differ.
func (r *Redis) Generation(key Key) Generation { return r.gens.now(key) }

// Load returns the entry and the generation under which work begun now stands, in one round trip. The
// generation is good on a miss and on an error too: copy it into the entry that is made. The entry
// carries it already. ErrMiss: not there, or too old, or damaged. Any other error is trouble, counted,
// and to be treated as a miss.
func (r *Redis) Load(ctx context.Context, key Key) (*Entry, Generation, error) {
	gen := r.gens.now(key) // before anything is read: a purge from here on makes it outdated
	if r.fleet.client == nil {
		return nil, gen, ErrMiss
	}
	gen.Object = unknown
	if err := r.gens.ensure(ctx); err != nil {
		return nil, gen, err
	}
	gen = r.gens.now(key)
	gen.Object = unknown
	object, data, err := r.read(ctx, key)
	if err != nil {
		return nil, gen, err
	}
	gen.Object = object
	if data == nil {
		r.misses.Add(1)
		return nil, gen, ErrMiss
	}
	e, err := DecodeEntry(key, data)
	if err != nil {
		r.damaged.Add(1)
		r.misses.Add(1)
		_ = r.Delete(ctx, key) // counted by the fleet; it will be overwritten anyway
		return nil, gen, ErrMiss
	}
	made := e.Generation
	made.Node = gen.Node
	if made != gen {
		r.outdated.Add(1)
	}
	if made != gen || !e.Stale.After(time.Now()) {
		r.misses.Add(1)
		return nil, gen, ErrMiss
	}
	e.Generation = gen
	r.hits.Add(1)
	return e, gen, nil
}

// LoadWithin is Load for large entries, without the generation: admit is asked before bytes are read, where there
// are any, and its error is returned as it is. The stored bytes, which it is told, are what the entry takes.
func (r *Redis) LoadWithin(ctx context.Context, key Key, admit func(ctx context.Context, bytes int64) error) (*Entry, error) {
	if r.fleet.client == nil {
		return nil, ErrMiss
	}
	var length *redis.IntCmd
	err := r.fleet.call(ctx, opLoad, func(ctx context.Context) error {
		length = r.fleet.client.StrLen(ctx, valueKey(key))
		return length.Err()
	})
	switch {
	case redis.HasErrorPrefix(err, "WRONGTYPE"): // Load finds it damaged
	case err != nil:
		return nil, err
	case length.Val() == 0:
		r.misses.Add(1)
		return nil, ErrMiss
	}
	if err := admit(ctx, length.Val()); err != nil {
		return nil, err
	}
	return r.Get(ctx, key)
}

// read gets an object's counter and then its value, in one round trip. A purge between the two makes the
// value differ from the counter, or leaves both as they were before it. Where there is no counter it draws
// one, so that "none" never stands for a generation that Redis keeps values of.
func (r *Redis) read(ctx context.Context, key Key) (object uint64, data []byte, err error) {
	var counter, value *redis.StringCmd
	err = r.fleet.call(ctx, opLoad, func(ctx context.Context) error {
		pipe := r.fleet.client.Pipeline()
		counter = pipe.Get(ctx, objectKey(key.Object))
		value = pipe.Get(ctx, valueKey(key))
		if _, err := pipe.Exec(ctx); !answered(err) {
			return err
		}
		return cmp.Or(getError(counter), getError(value)) // Exec tells the first error only
	})
	if err != nil {
		return 0, nil, err
	}
	if counter.Err() != nil {
		object, err = r.begin(ctx, key)
		return object, nil, err
	}
	if value.Err() == nil {
		data, _ = value.Bytes() // the reply's own bytes, not a copy
		if data == nil {
			data = []byte{} // there is a value; it is damaged
		}
	}
	object, err = counter.Uint64()
	return object, data, err
}

// getError is the error of a GET; nil where there is no string.
func getError(c *redis.StringCmd) error {
	err := c.Err()
	if err == nil || errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil
	}
	return err
}

// begin draws the counter of an object that has none. A Redis that takes no writes (full, read-only) leaves
// it at 0: Redis stores nothing under that, but memories may, and a purge differs from it.
func (r *Redis) begin(ctx context.Context, key Key) (object uint64, err error) {
	err = r.fleet.call(ctx, opLoad, func(ctx context.Context) error {
		name := objectKey(key.Object)
		pipe := r.fleet.client.Pipeline()
		pipe.SetNX(ctx, name, format(draw()), counterLife)
		counter := pipe.Get(ctx, name)
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		object, err = counter.Uint64()
		return err
	})
	if err != nil && answered(err) {
		return 0, nil
	}
	return object, err
}

// Get is Load without the generation, which the entry carries.
func (r *Redis) Get(ctx context.Context, key Key) (*Entry, error) {
	e, _, err := r.Load(ctx, key)
	return e, err
}

// storeValue stores a value if its object's counter is still what it was made under. The counter lives
// as long as the value.
//
// KEYS objectKey valueKey  ARGV counter value life-in-ms
var storeValue = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1`)

// Set stores e until e.Stale if no purge has come since e.Generation, and enters its object under its
// tags (of an entry that is too large too, for the sake of the memories). Without a client it does nothing.
func (r *Redis) Set(ctx context.Context, key Key, e *Entry) error {
	life := time.Until(e.Stale)
	if r.fleet.client == nil || life < time.Millisecond {
		return nil
	}
	if e.Generation.Object == unknown || r.gens.judge(key, e) == outdated { // unsure: Redis knows
		r.outdated.Add(1)
		return ErrOutdated
	}
	// The tags first: a value that a purge by tag cannot find must not be stored.
	if err := r.enterTags(ctx, key, e, life); err != nil {
		if errors.Is(err, ErrOutdated) {
			r.outdated.Add(1)
		}
		return err
	}
	if weigh(key, e) > r.maxItem {
		r.tooLarge.Add(1)
		return ErrTooLarge
	}
	data := AppendEntry(make([]byte, 0, len(e.Body)+itemOverhead), key, e)
	var stored bool
	err := r.fleet.callPatiently(ctx, opSet, func(ctx context.Context) (err error) {
		stored, err = storeValue.Run(ctx, r.fleet.client, []string{objectKey(key.Object), valueKey(key)},
			format(e.Generation.Object), data, life.Milliseconds()).Bool()
		return err
	})
	if err == nil && !stored {
		r.outdated.Add(1)
		return ErrOutdated
	}
	return err
}

// enterTag adds an object to a tag's set, which lives as long as the longest of its entries.
//
// KEYS tagKey  ARGV object life-in-ms
var enterTag = redis.NewScript(`
redis.call('SADD', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`)

// enterTags adds the object to the sets of its tags, and the tags to the set of known ones. A purge by tag
// is counted and then reads the set. So where it read the set before the object was in it, the count
// read here, after that, is past the purge: ErrOutdated, unless this node has applied as many and knows
// that none was of e. (Where it reads the set later, it renews the object, and the value is not stored.)
func (r *Redis) enterTags(ctx context.Context, key Key, e *Entry, life time.Duration) error {
	if len(e.Tags) == 0 {
		return nil
	}
	c := r.fleet.client
	var counted *redis.StringCmd
	err := r.fleet.callPatiently(ctx, opTag, func(ctx context.Context) error {
		until := float64(time.Now().Add(life).UnixMilli())
		known := make([]redis.Z, 0, len(e.Tags))
		for _, tag := range e.Tags {
			h := tagHash(tag)
			known = append(known, redis.Z{Score: until, Member: h.String()})
			if err := enterTag.Run(ctx, c, []string{tagKey(h)}, key.Object.String(), life.Milliseconds()).Err(); err != nil {
				return err
			}
		}
		pipe := c.Pipeline()
		pipe.ZAddGT(ctx, tagsKey, known...)
		pipe.ZRemRangeByScore(ctx, tagsKey, "-inf", strconv.FormatInt(time.Now().UnixMilli(), 10))
		counted = pipe.HGet(ctx, purgeKey, fieldSeq)
		if _, err := pipe.Exec(ctx); !errors.Is(err, redis.Nil) {
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	// No number: Redis has lost it, and the purges with it.
	if seq, err := counted.Uint64(); err != nil || !r.gens.applied(seq) || r.gens.judge(key, e) != good {
		return ErrOutdated
	}
	return nil
}

// Delete removes the entry.
func (r *Redis) Delete(ctx context.Context, key Key) error {
	if r.fleet.client == nil {
		return nil
	}
	return r.fleet.call(ctx, opDelete, func(ctx context.Context) error {
		return r.fleet.client.Del(ctx, valueKey(key)).Err()
	})
}

// Stats returns a snapshot.
func (r *Redis) Stats() RedisStats {
	return RedisStats{
		Hits: r.hits.Load(), Misses: r.misses.Load(), Damaged: r.damaged.Load(),
		Outdated: r.outdated.Load(), TooLarge: r.tooLarge.Load(),
	}
}
