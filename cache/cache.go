// Package cache keeps finished pictures by key: in memory, in Redis, and (one day) in a bucket. It
// also holds what keeps many askers from doing one work twice: the flight (one process), the lease
// (the fleet), and the generations by which a purge reaches every node.
//
// A node is wired bottom up, and every part works without a Redis too (a nil client):
//
//	fleet := cache.NewFleet(client, 0)
//	gens := cache.NewGenerations(fleet)
//	memory := cache.NewMemory(512<<20, gens)
//	tier := cache.NewRedis(fleet, gens, 0)
//	leases := cache.NewLeases(fleet, 0)
//	writer := cache.NewWriter(tier, 64<<20, 1000)
//
// and closed the other way round.
package cache

import (
	"context"
	"time"
)

// Hash is a truncated SHA-256.
type Hash [16]byte

// Key names one entry. Two keys are equal exactly if Variant is.
type Key struct {
	Source  string // name of the configured source; what a purge of a source matches
	Object  Hash   // of source and object key; what a purge of a picture matches
	Variant Hash   // of KeyVersion, source, object key and canonical options
}

// Entry is a finished answer: a picture, or a refusal worth remembering (Status ≥ 400). It is
// immutable once it is in a Store, Body included.
type Entry struct {
	Body         []byte
	Type         string    // Content-Type
	ETag         string    // strong, quoted, from Body
	Modified     time.Time // Last-Modified of the source; zero = unknown
	Stored       time.Time // when it was made or last found unchanged at the origin
	Fresh        time.Time // until then it is served without asking anyone
	Swr          time.Time // until then it is served while it is refreshed behind
	Stale        time.Time // until then it is served if the origin fails; then it is gone
	Generation   Generation
	OriginETag   string    // the origin's validator
	Retry        time.Time // a stale entry's refresh failed and is not tried before then; of this node only, not on the wire
	RetryStatus  int       // with Retry: the status that failure would have had
	OriginalSize int64     // bytes of the original; 0 = unknown
	Tags         []string  // for purge by tag
	Status       int       // 200; or 404, 410, 415, 422 for a negative entry
	Code         string    // of a negative entry: not_found, corrupt_image, …
	Detail       string    // of a negative entry: the public text
}

// Generation names the purges an entry was made under. An entry is good while each value equals the
// present one: they are opaque, drawn anew by each purge, so that a counter that Redis lost never
// comes back to an old value. Redis.Load hands it out before the work begins; whoever makes an entry,
// or gives one a new life, copies it into the entry whole.
type Generation struct {
	All, Source, Object uint64
	Node                uint64 // purges this node has seen, so that work under way cannot put old bytes back; not on the wire
}

// Store keeps entries. It may be called concurrently. An absent entry is ErrMiss; any other error is
// trouble of the store, which callers count and treat as a miss. Set refuses with ErrOutdated an entry
// whose Generation is older than a purge, with ErrTooLarge one over the store's bound.
type Store interface {
	Get(ctx context.Context, key Key) (*Entry, error)
	Set(ctx context.Context, key Key, e *Entry) error
	Delete(ctx context.Context, key Key) error
}
