package pipeline

import (
	"slices"

	"github.com/imgedge/imgedge/resize"
)

// climb starts to make the other widths of a source's ladder, behind the answer and from the original in hand,
// after one of them was rendered. What is at hand already is left; what is asked for meanwhile is
// joined. It does nothing where the object's ladder is under way, or too many others are, or where the room for
// originals is scarce: those that ladders hold while they wait are not there for who waits in person.
func (p *Pipeline) climb(r *Request, orig *original) {
	steps := r.steps()
	if len(steps) == 0 || orig.NoStore || p.Room.Scarce() {
		return
	}
	p.init()
	b, key := &p.behind, originalKey(r).Variant
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.running[key]; ok || b.closed || len(b.running) >= p.refreshes() {
		return
	}
	p.take(orig.Data, nil)
	b.startLocked(key, func() {
		defer p.drop(orig.Data)
		p.together(b.base, steps, orig)
	})
}

// steps returns the requests for the other widths of the ladder; none where the request is no step of it: it
// asks for a width alone, which is one of the source's, and is no batch work itself.
func (r *Request) steps() []*Request {
	o := r.Options
	if r.batch || !slices.Contains(r.Source.Ladder, o.Width) || o.Height != 0 || o.MinHeight != 0 || !o.Format.Raster() && !o.Format.Negotiated() && o.Format != resize.FormatKeep {
		return nil
	}
	var all []*Request
	for _, w := range r.Source.Ladder {
		if w == o.Width {
			continue
		}
		other := o
		other.Width = w
		step := NewRequest(r.Source, r.Object, other.Normalize())
		if r.Tags != nil {
			step = step.Tagged(r.Tags)
		}
		if r.maxBytes != 0 || r.limits != (resize.Limits{}) {
			step = step.Within(r.limits, r.maxBytes)
		}
		all = append(all, step)
	}
	return all
}
