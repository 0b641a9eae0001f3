package pipeline

import (
	"context"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/resize"
)

// Notes are what is known of an original beside its bytes. They enter no key: who changes them purges the
// object.
type Notes struct {
	Focus *resize.Focus // what every cover of it keeps that names no gravity; nil = the center
	Tags  []string      // for purge by tag, beside the source's and the origin's
}

// notes asks for the notes on the request's original.
func (r *Request) notes(ctx context.Context) (Notes, error) {
	if r.Source.Notes == nil {
		return Notes{}, nil
	}
	return r.Source.Notes(ctx, r.Object)
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
