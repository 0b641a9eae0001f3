package cache

import (
	"context"
	"fmt"
	"maps"
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
	if g.fleet.client != nil {
		// Redis first: what is loaded in between from there is caught by the sweep.
		err = g.tell(ctx, p)
	}
	n = g.forget(p)
	if err != nil {
		return n, fmt.Errorf("%w: %w", ErrPurgeIncomplete, err)
	}
	return n, nil
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
	object := objectHash(p.Source, p.Object)
	if err := g.renew(ctx, object); err != nil {
		return err
	}
	return g.bump(ctx, "", "", "o "+object.String())
}

// tellTag renews every object of the tag's set. A set that ought to be there and is not was lost by
// Redis; what it named cannot be known.
func (g *Generations) tellTag(ctx context.Context, tag string) error {
	var members *redis.StringSliceCmd
	var known *redis.FloatCmd
	err := g.patiently(ctx, func(ctx context.Context) error {
		pipe := g.fleet.client.Pipeline()
		members = pipe.SMembers(ctx, tagKey(tagHash(tag)))
		known = pipe.ZScore(ctx, tagsKey, tagHash(tag).String())
		_, err := pipe.Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if len(members.Val()) == 0 {
		if err := g.bump(ctx, "", "", "t - "+tag); err != nil {
			return err
		}
		if known.Val() > float64(time.Now().UnixMilli()) {
			return Error("the tag's set is lost")
		}
	}
	for chunk := range slices.Chunk(members.Val(), tagChunk) {
		objects := parseHashes(chunk)
		if err := g.renew(ctx, objects...); err != nil {
			return err
		}
		if err := g.bump(ctx, "", "", "t "+strings.Join(chunk, ",")+" "+tag); err != nil {
			return err
		}
	}
	return nil
}

func parseHashes(list []string) []Hash {
	hashes := make([]Hash, 0, len(list))
	for _, s := range list {
		if h, ok := parseHash(s); ok {
			hashes = append(hashes, h)
		}
	}
	return hashes
}

// renew draws the objects' counters anew.
func (g *Generations) renew(ctx context.Context, objects ...Hash) error {
	return g.patiently(ctx, func(ctx context.Context) error {
		pipe := g.fleet.client.Pipeline()
		for _, o := range objects {
			pipe.Set(ctx, objectKey(o), format(draw()), counterLife)
		}
		_, err := pipe.Exec(ctx)
		return err
	})
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

// onPush applies a purge that came over the channel: "p SEQ TIP WHAT", where WHAT is one of
//
//	a VALUE              all; VALUE is the new generation
//	s VALUE NAME         a source
//	o OBJECT             an object
//	t OBJECT,… TAG       a tag (to the end of the message) and objects that had it; "-" = none
func (g *Generations) onPush(message string) {
	rest, ok := strings.CutPrefix(message, purgePrefix)
	if !ok {
		return
	}
	number, rest, _ := strings.Cut(rest, " ")
	tip, what, _ := strings.Cut(rest, " ")
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return
	}
	g.purges.Add(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	if seq > g.seq && g.tip != "" {
		if seq > g.seq+1 {
			g.gaps.Add(1)
			g.epoch.Add(1)
			g.contact.Store(0) // sources and all may have changed too: poll before the next hit
		}
		g.seq, g.tip = seq, tip
		g.turnLocked(what)
	}
	g.forgetPushedLocked(what)
}

// turnLocked takes a new generation into the view.
func (g *Generations) turnLocked(what string) {
	kind, rest, _ := strings.Cut(what, " ")
	value, name, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseUint(value, 10, 64)
	v := *g.view.Load()
	switch {
	case kind == "a" && err == nil:
		v.all = n
	case kind == "s" && err == nil:
		v.sources = maps.Clone(v.sources)
		if v.sources == nil {
			v.sources = map[string]uint64{}
		}
		v.sources[name] = n
	default:
		return
	}
	g.setViewLocked(v)
}

// forgetPushedLocked removes what a push names and the view does not cover.
func (g *Generations) forgetPushedLocked(what string) {
	kind, rest, _ := strings.Cut(what, " ")
	switch kind {
	case "o":
		g.forgetObjects(parseHashes([]string{rest}))
	case "t":
		objects, tag, _ := strings.Cut(rest, " ")
		g.forgetObjects(parseHashes(strings.Split(objects, ",")))
		g.forgetTag(tag)
	}
}

// forget removes from this node's memories; n is how many entries went.
func (g *Generations) forget(p Purge) (n int) {
	switch {
	case p.All:
		return g.sweep(true, func(*item) bool { return true })
	case p.Tag != "":
		return g.forgetTag(p.Tag)
	case p.Object == "":
		return g.sweep(true, func(it *item) bool { return it.key.Source == p.Source })
	}
	return g.forgetObjects([]Hash{objectHash(p.Source, p.Object)})
}

func (g *Generations) forgetObjects(objects []Hash) (n int) {
	for _, o := range objects {
		s := g.stripe(o)
		s.mu.Lock()
		s.purges++
		for _, m := range *g.memories.Load() {
			n += m.removeLocked(m.index.object(o))
		}
		s.mu.Unlock()
	}
	return n
}

// forgetTag removes every object of which one entry carries the tag.
func (g *Generations) forgetTag(tag string) int {
	objects := map[Hash]bool{}
	for _, m := range *g.memories.Load() {
		for i := range stripes {
			for _, it := range m.index.find(i, func(it *item) bool { return slices.Contains(it.entry.Tags, tag) }) {
				objects[it.key.Object] = true
			}
		}
	}
	// An entry inserted since with this tag was made before the purge too: the sweep looks again.
	return g.sweep(true, func(it *item) bool {
		return objects[it.key.Object] || slices.Contains(it.entry.Tags, tag)
	})
}

// sweep removes the matching entries of all memories, stripe by stripe. spoil: work under way is not
// stored any more.
func (g *Generations) sweep(spoil bool, match func(*item) bool) (n int) {
	for i := range stripes {
		s := &g.stripes[i]
		s.mu.Lock()
		if spoil {
			s.purges++
		}
		for _, m := range *g.memories.Load() {
			n += m.removeLocked(m.index.find(i, match))
		}
		s.mu.Unlock()
	}
	return n
}
