package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	counterLife = time.Hour // of an object's counter without an entry; Redis.Set prolongs it
	tagChunk    = 500       // objects in one message of a tag's purge
)

// Purge says what to remove: exactly one of All, Tag, Source, or Source with Object. Kept originals
// and negative entries go too.
type Purge struct {
	All    bool
	Source string
	Object string // the object's key within Source
	Tag    string
}

func (p Purge) valid() bool {
	switch {
	case p.All:
		return p == Purge{All: true}
	case p.Tag != "":
		return p == Purge{Tag: p.Tag}
	}
	return p.Source != ""
}

// Purge removes from this node and from the fleet, and returns how many entries this node's memories
// lost. After it has returned without error, no node that Redis answers serves an older entry once 1 s
// has passed, and none stores what was begun before. ErrPurgeIncomplete: this node is clean, but not
// all that is needed is written in Redis; doing it again does no harm. ErrBadPurge: p is not one thing.
func (g *Generations) Purge(ctx context.Context, p Purge) (n int, err error) {
	if !p.valid() {
		return 0, ErrBadPurge
	}
	n = g.count(p)
	if g.fleet.client == nil {
		g.purges.Add(1)
		g.applyAlone(p)
		return n, nil
	}
	// Redis first: what this node loads from there meanwhile is caught when the purge is applied here.
	if err := g.tell(ctx, p); err != nil {
		g.applyAlone(p)
		return n, fmt.Errorf("%w: %w", ErrPurgeIncomplete, err)
	}
	return n, nil
}

// count returns how many entries in this node's memories a purge concerns.
func (g *Generations) count(p Purge) (n int) {
	match := func(*item) bool { return true }
	switch {
	case p.All:
	case p.Tag != "":
		match = func(it *item) bool { return slices.Contains(it.entry.Tags, p.Tag) }
	case p.Object == "":
		match = func(it *item) bool { return it.key.Source == p.Source }
	default:
		object := objectHash(p.Source, p.Object)
		for _, m := range *g.memories.Load() {
			n += len(m.index.object(object))
		}
		return n
	}
	for _, m := range *g.memories.Load() {
		for i := range stripes {
			n += len(m.index.find(i, match))
		}
	}
	return n
}

// applyAlone applies a purge to this node, with generations that are drawn here.
func (g *Generations) applyAlone(p Purge) {
	g.mu.Lock()
	defer g.mu.Unlock()
	value := draw()
	what := "o " + mark(objectHash(p.Source, p.Object), value)
	switch {
	case p.All:
		what = "a " + format(value)
	case p.Tag != "":
		what = "t - " + p.Tag
	case p.Object == "":
		what = "s " + format(value) + " " + p.Source
	}
	g.turnLocked(what)
	g.forgetLocked(format(draw()), what)
}

// tell writes the purge into Redis.
func (g *Generations) tell(ctx context.Context, p Purge) error {
	value := format(draw())
	switch {
	case p.All:
		return g.bump(ctx, fieldAll, value, "a "+value)
	case p.Tag != "":
		return g.tellTag(ctx, p.Tag)
	case p.Object == "":
		return g.bump(ctx, fieldSource+p.Source, value, "s "+value+" "+p.Source)
	}
	marks, err := g.renew(ctx, objectHash(p.Source, p.Object))
	if err != nil {
		return err
	}
	return g.bump(ctx, "", "", "o "+marks)
}

// tellTag renews every object of the tag's set. First it counts the purge, so that a store that enters
// its object too late for the set that is read here finds the purge counted: see Redis.enterTags. A set
// that ought to be there and is not was lost by Redis; what it named cannot be known.
func (g *Generations) tellTag(ctx context.Context, tag string) error {
	if err := g.bump(ctx, "", "", "t - "+tag); err != nil {
		return err
	}
	objects, err := g.tagged(ctx, tag)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(objects, tagChunk) {
		marks, err := g.renew(ctx, chunk...)
		if err != nil {
			return err
		}
		if err := g.bump(ctx, "", "", "t "+marks+" "+tag); err != nil {
			return err
		}
	}
	return nil
}

// tagged reads a tag's set.
func (g *Generations) tagged(ctx context.Context, tag string) (objects []Hash, err error) {
	var members *redis.StringSliceCmd
	var known *redis.FloatCmd
	err = g.patiently(ctx, func(ctx context.Context) error {
		pipe := g.fleet.client.Pipeline()
		members = pipe.SMembers(ctx, tagKey(tagHash(tag)))
		known = pipe.ZScore(ctx, tagsKey, tagHash(tag).String())
		if _, err := pipe.Exec(ctx); !errors.Is(err, redis.Nil) { // an unknown tag has no score
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(members.Val()) == 0 && known.Val() > float64(time.Now().UnixMilli()) {
		return nil, Error("the tag's set is lost")
	}
	for _, member := range members.Val() {
		if h, ok := parseHash(member); ok {
			objects = append(objects, h)
		}
	}
	return objects, nil
}

// renew draws the objects' counters anew, and returns their marks, separated by commas.
func (g *Generations) renew(ctx context.Context, objects ...Hash) (marks string, err error) {
	values := make([]uint64, len(objects))
	list := make([]string, len(objects))
	for i, o := range objects {
		values[i] = draw()
		list[i] = mark(o, values[i])
	}
	err = g.patiently(ctx, func(ctx context.Context) error {
		pipe := g.fleet.client.Pipeline()
		for i, o := range objects {
			pipe.Set(ctx, objectKey(o), format(values[i]), counterLife)
		}
		_, err := pipe.Exec(ctx)
		return err
	})
	return strings.Join(list, ","), err
}

// mark says that an object's counter is value from now on: OBJECT=VALUE.
func mark(object Hash, value uint64) string { return object.String() + "=" + format(value) }

func parseMark(s string) (object Hash, value uint64, ok bool) {
	name, number, _ := strings.Cut(s, "=")
	object, ok = parseHash(name)
	value, err := strconv.ParseUint(number, 10, 64)
	return object, value, ok && err == nil
}

// bumpCounters counts a purge and tells it to the fleet in one step, so that the messages come in the
// order of their numbers.
//
// KEYS purgeKey  ARGV seq0 all0 tip field value channel message-without-seq-and-tip
var bumpCounters = redis.NewScript(`
if redis.call('HSETNX', KEYS[1], 'seq', ARGV[1]) == 1 then
  redis.call('HSET', KEYS[1], 'all', ARGV[2])
end
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], ARGV[4], ARGV[5]) end
redis.call('HINCRBY', KEYS[1], 'seq', 1)
redis.call('HSET', KEYS[1], 'tip', ARGV[3])
local seq = redis.call('HGET', KEYS[1], 'seq')
redis.call('PUBLISH', ARGV[6], 'p ' .. seq .. ' ' .. ARGV[3] .. ' ' .. ARGV[7])
return seq`)

// bump counts a purge that sets field (may be "") to value, tells it, and applies it to this node's view.
func (g *Generations) bump(ctx context.Context, field, value, what string) error {
	seq0, tip, all0 := beginArgs()
	var seq uint64
	err := g.patiently(ctx, func(ctx context.Context) error {
		text, err := bumpCounters.Run(ctx, g.fleet.client, []string{purgeKey},
			seq0, all0, tip, field, value, pushChannel, what).Text()
		if err != nil {
			return err
		}
		seq, err = strconv.ParseUint(text, 10, 64)
		return err
	})
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if seq > g.seq { // else the push was quicker, or a later one has been applied
		g.turnLocked(what)
	}
	g.forgetLocked(tip, what)
	return nil
}

// patiently asks twice: a purge is rare, waited for, and harmless to repeat, and the first try may
// meet a connection that has died since it was last used.
func (g *Generations) patiently(ctx context.Context, fn func(ctx context.Context) error) error {
	err := g.fleet.callPatiently(ctx, opPurge, fn)
	if err != nil && ctx.Err() == nil {
		err = g.fleet.callPatiently(ctx, opPurge, fn)
	}
	return err
}
