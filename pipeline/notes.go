package pipeline

import (
	"context"
	"encoding/json"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/resize"
)

// Notes are what is known of an original beside its bytes. They enter no key: who changes them purges the
// object.
type Notes struct {
	Focus *resize.Focus // what every cover of it keeps that names no gravity; nil = the center
	Tags  []string      // for purge by tag, beside the source's and the origin's
}

// notes returns the notes on the request's original: those that are kept with it, else it asks.
func (r *Request) notes(ctx context.Context, orig *original) (Notes, error) {
	if r.Source.Notes == nil {
		return Notes{}, nil
	}
	if orig.notes != nil {
		return *orig.notes, nil
	}
	return r.Source.Notes(ctx, r.Object)
}

// annotate asks for the notes on an original, to be kept with it. Where they cannot be had, each fill asks again.
func (o *original) annotate(ctx context.Context, r *Request) {
	if r.Source.Notes == nil || o.notes != nil || o.Data == nil {
		return
	}
	if n, err := r.Source.Notes(ctx, r.Object); err == nil {
		o.notes = &n
	}
}

// text is how notes are kept, in the field of an entry that only refusals have a use for; "" = they are not known.
func (n *Notes) text() string {
	if n == nil {
		return ""
	}
	text, err := json.Marshal(n)
	if err != nil {
		return "" // numbers that JSON does not have: they are asked for each time
	}
	return string(text)
}

// notesOf reads what text has written; nil = nothing.
func notesOf(e *cache.Entry) *Notes {
	var n Notes
	if e.Detail == "" || json.Unmarshal([]byte(e.Detail), &n) != nil {
		return nil
	}
	return &n
}

// plan is the plan of the request, with the original's focal point in place.
func (r *Request) plan(source resize.Source, n Notes) (resize.Plan, error) {
	o := r.Options
	if n.Focus != nil {
		o = o.Around(*n.Focus)
	}
	return o.Plan(source, r.bounds())
}

// tag adds the original's tags to an entry that is not stored yet.
func (n Notes) tag(e *cache.Entry) *cache.Entry {
	e.Tags = append(e.Tags, n.Tags...)
	return e
}
