package cache

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// onPush applies a purge that came over the channel: "p SEQ TIP WHAT", where WHAT is one of
//
//	a VALUE                 all; VALUE is the new generation
//	s VALUE NAME            a source
//	o OBJECT=VALUE          an object
//	t OBJECT=VALUE,… TAG    a tag (to the end of the message) and the objects that had it; "-" = none
//
// A node hears of its own purges too, which changes nothing. Anything else means that messages may be
// missing.
func (g *Generations) onPush(message string) {
	rest, ok := strings.CutPrefix(message, purgePrefix)
	if !ok {
		g.distrust()
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
			g.distrust() // sources and all may have changed too
		}
		g.seq, g.tip = seq, tip
		g.turnLocked(what)
	}
	g.forgetLocked(tip, what)
}

// turnLocked takes a new generation of all or of a source into the view.
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

// forgetLocked removes what a purge of an object or a tag names.
func (g *Generations) forgetLocked(tip, what string) {
	kind, rest, _ := strings.Cut(what, " ")
	if kind != "o" && kind != "t" {
		return
	}
	objects, tag, _ := strings.Cut(rest, " ")
	for m := range strings.SplitSeq(objects, ",") {
		if object, value, ok := parseMark(m); ok {
			g.forgetObject(note{object: object, value: value, tip: tip})
		}
	}
	if kind == "t" {
		g.forgetTag(note{tag: tag, tip: tip})
	}
}

func (g *Generations) forgetObject(n note) {
	s := g.stripe(n.object)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noteLocked(n)
	for _, m := range *g.memories.Load() {
		m.removeLocked(m.index.object(n.object), n.value)
	}
}

// forgetTag removes every object of which one entry carries the tag.
func (g *Generations) forgetTag(n note) {
	for i := range stripes {
		s := &g.stripes[i]
		s.mu.Lock()
		s.noteLocked(n)
		objects := map[Hash]bool{}
		for _, m := range *g.memories.Load() {
			for _, it := range m.index.find(i, func(it *item) bool { return slices.Contains(it.entry.Tags, n.tag) }) {
				objects[it.key.Object] = true
			}
		}
		for _, m := range *g.memories.Load() {
			m.removeLocked(m.index.find(i, func(it *item) bool { return objects[it.key.Object] }), 0)
		}
		s.mu.Unlock()
	}
}

// sweep removes the matching entries of all memories, stripe by stripe.
func (g *Generations) sweep(match func(*item) bool) {
	for i := range stripes {
		s := &g.stripes[i]
		s.mu.Lock()
		for _, m := range *g.memories.Load() {
			m.removeLocked(m.index.find(i, match), 0)
		}
		s.mu.Unlock()
	}
}
