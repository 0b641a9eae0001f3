// Package origin is where originals live: a folder, a bucket or an HTTP server, behind one interface,
// each guarded by a size cap, a total timeout, bounded retries and a circuit breaker.
package origin

import (
	"context"
	"io"
	"time"
)

// Ref names one original.
type Ref struct {
	Source string // name of the configured source
	Key    string // decoded key below the source's root, or an absolute URL for an open HTTP source
}

// Conditions are the validators of a copy at hand; the zero value is an unconditional fetch.
type Conditions struct {
	ETag     string    // as the origin sent it
	Modified time.Time // as the origin sent it; zero = unknown
}

// Opener opens originals. It may be called concurrently. An absent original is an *Error of status
// 404; a copy that is still good is an Object with NotModified set and no Body. The caller closes Body.
type Opener interface {
	Open(ctx context.Context, key string, cond Conditions) (*Object, error)
}

// Object is an opened original.
type Object struct {
	Body        io.ReadCloser // nil when NotModified
	Size        int64         // bytes; −1 = unknown
	NotModified bool
	Meta
}

// Meta is what the origin says of an original besides its bytes.
type Meta struct {
	ETag     string        // "" = none
	Modified time.Time     // zero = unknown
	MaxAge   time.Duration // s-maxage, max-age or Expires; −1 = not said. no-cache is 0
	NoStore  bool          // no-store or private: kept nowhere
	Tags     []string      // Surrogate-Key or Cache-Tag
}

// Original is a fetched original.
type Original struct {
	Data        []byte // nil when NotModified
	NotModified bool   // the copy of Conditions is still good
	Place       *Place // what Data takes of the source's room, to be released by who fetched it; nil = nothing
	Meta
}
