// Package pipeline is the heart of the edge, without HTTP: a request's key leads to memory, then into
// a flight that asks Redis, takes the fleet's lease, fetches the original, waits at the gate, renders
// and stores. It decides what is fresh, stale or negative, and who shares whose work.
package pipeline

import (
	"context"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

// Fetcher gets originals; origin.Source is the real one.
type Fetcher interface {
	Fetch(ctx context.Context, key string, cond origin.Conditions) (*origin.Original, error)
}

// Source is what the pipeline knows of a configured source.
type Source struct {
	Name      string
	Origin    Fetcher
	Limits    resize.Limits
	FormatsIn []resize.Format // what its originals may be; nil = the default list
	Fresh     time.Duration   // an entry's life without asking; the origin may shorten it
	Swr       time.Duration   // then served while refreshed behind
	Sie       time.Duration   // then served if the origin fails
	Negative  time.Duration   // life of 404, 410, 415, 422, and the pause after a failed refresh
	Tags      []string        // for purge by tag, beside the origin's
}

// Request is one picture asked for. It is immutable, so that a memo may hold it.
type Request struct {
	Source  *Source
	Object  string         // the object's key at the origin
	Options resize.Options // negotiated
	Key     cache.Key      // KeyOf(Source.Name, Object, Options)
}

// KeyOf returns the key under which every tier keeps the picture.
func KeyOf(source, object string, o resize.Options) cache.Key {
	return cache.NewKey(resize.KeyVersion, source, object, o.String())
}

// Tier says where an answer was found.
type Tier uint8

// The tiers.
const (
	TierNone   Tier = iota // made now
	TierMemory             // this node's memory
	TierRedis              // the fleet's Redis
)

// Via tells how an answer came about; edge words it as Cache-Status (RFC 9211).
type Via struct {
	Hit          Tier          // TierNone = forwarded
	Collapsed    bool          // waited for another's work
	Stored       bool          // kept for the next
	OriginalKept bool          // made from an original at hand, no fetch
	Revalidated  bool          // the origin said "unchanged": no render
	StaleError   int           // the status the origin's failure would have had, where a stale copy is served instead; 0 = none
	Timing       Timing        // of a fill; zero for hits
	TTL          time.Duration // freshness left; negative within stale-while-revalidate
}

// Timing splits a fill.
type Timing struct{ Queue, Fetch, Decode, Encode, Store time.Duration }
