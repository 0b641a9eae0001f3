package edge

import (
	"context"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
)

// Pictures makes or finds pictures; pipeline.Pipeline is the real one. Both methods may be called
// concurrently. Entries are immutable. A request is not kept longer than a fill of it takes.
type Pictures interface {
	// Lookup asks memory alone and allocates nothing. nil = not there, or the slow path has to
	// decide. A stale entry that may still be served is returned, and refreshed behind.
	Lookup(r *pipeline.Request) (*cache.Entry, pipeline.Via)
	// Get finds or makes the picture. A refusal worth remembering comes back as an entry with Status
	// ≥ 400; any other failure is an error, which may know HTTPStatus, Code and RetryAfter.
	Get(ctx context.Context, r *pipeline.Request) (*cache.Entry, pipeline.Via, error)
}

var (
	_ Pictures  = (*pipeline.Pipeline)(nil)
	_ Explainer = (*pipeline.Pipeline)(nil)
)

// Purger makes what was cached be forgotten on every node. It may be called concurrently. n counts
// what was named (objects, or 1 for a source, a tag or everything). Where this node is clean but the
// fleet could not be told, the error is a 503 purge_incomplete.
type Purger interface {
	Purge(ctx context.Context, p Purge) (n int, err error)
}

// Purge says what to forget: everything (All), one picture with all its variants (Source and Key), a
// source (Source alone), or whatever carries a tag (Tag). Exactly one form is set.
type Purge struct {
	All    bool
	Source string
	Key    string // decoded object key
	Tag    string
}

// Explainer tells what would happen to a request, for /v1/explain. It may be called concurrently.
type Explainer interface {
	// Where says in which tier the picture is now; TierNone = it would be made.
	Where(ctx context.Context, r *pipeline.Request) pipeline.Tier
	// Plan returns what would be executed. It may fetch the original's header.
	Plan(ctx context.Context, r *pipeline.Request) (resize.Plan, error)
}

// Dependency is something a node uses and can do without for a while; /readyz names those that fail.
type Dependency struct {
	Name  string                      // redis, a source's name, …; public
	Check func(context.Context) error // nil = well. Returns before its context ends; called at most once a second
}
