package ingest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/imgedge/imgedge/resize"
)

// What a Store does where its fields are zero.
const (
	DefaultMaxFiles = 50
	DefaultMaxFile  = 50 << 20
	DefaultGrace    = 24 * time.Hour
	DefaultParallel = 4
)

// tidyTime is what clean-up after a failure may take; what it does not reach is left to the sweep.
const (
	tidyTime = 20 * time.Second
	hungTime = 2 * time.Second // where the bucket does not answer
)

// Store keeps uploaded images in a bucket. Bucket, Engine and Limits are required. Its fields are set before
// use and not changed after; it is safe for concurrent use and must not be copied.
type Store struct {
	Source    string          // name of the source that serves the images; for who makes their URLs
	Bucket    Bucket          // where images, manifests and records lie
	Archive   Bucket          // where untouched originals lie; nil = they are not kept
	Presigner Presigner       // of Bucket; nil = clients cannot put files there themselves
	Engine    Engine          //
	Limits    resize.Limits   // of a picture
	Normalize *resize.Options // how stills are encoded anew; nil = they are stored as they came, cleaned
	MaxFiles  int             // of one upload; 0 = DefaultMaxFiles
	MaxFile   int64           // bytes of one file; 0 = DefaultMaxFile
	Parallel  int             // files of one upload that are worked on at once; 0 = DefaultParallel
	Grace     time.Duration   // age from which on an orphan may be removed; 0 = DefaultGrace
	TempDir   string          // of received files; "" = the system's
	Presets   *Presets        // made of new images in the background; nil = none
	Now       func() time.Time

	// Purge makes every node forget the variants of an image; nil = nobody remembers any. Its error is not
	// the upload's.
	Purge func(ctx context.Context, key string) error

	// Given is told of the bytes of each new image, so that what is asked of it next costs no fetch; nil = nobody
	// is. It may keep data, and is called before the upload is answered. Images of more than GivenMax bytes are not
	// given.
	Given    func(ctx context.Context, image *Image, data []byte)
	GivenMax int64

	markLife time.Duration // 0 = defaultMarkLife

	locks locks
	stats counters
	held  atomic.Int64 // bytes of made files in memory

	setup   sync.Once
	working *semaphore.Weighted // see room
}

// Stats counts what a Store did.
type Stats struct {
	Uploads uint64 // requests that were committed
	Refused uint64 // requests of which nothing was taken
	Images  uint64 // images stored
	Bytes   uint64 // bytes stored
	Orphans uint64 // objects removed by sweeps
	Found   uint64 // orphans that sweeps found
}

type counters struct{ uploads, refused, images, bytes, orphans, found atomic.Uint64 }

// Stats returns a snapshot.
func (s *Store) Stats() Stats {
	return Stats{
		Uploads: s.stats.uploads.Load(), Refused: s.stats.refused.Load(), Images: s.stats.images.Load(),
		Bytes: s.stats.bytes.Load(), Orphans: s.stats.orphans.Load(), Found: s.stats.found.Load(),
	}
}

func (s *Store) maxFile() int64 {
	if s.MaxFile > 0 {
		return s.MaxFile
	}
	return DefaultMaxFile
}

func (s *Store) maxFiles() int {
	if s.MaxFiles > 0 {
		return s.MaxFiles
	}
	return DefaultMaxFiles
}

func (s *Store) parallel() int {
	if s.Parallel > 0 {
		return s.Parallel
	}
	return DefaultParallel
}

func (s *Store) grace() time.Duration {
	if s.Grace > 0 {
		return s.Grace
	}
	return DefaultGrace
}

func (s *Store) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// forget purges an image. That the fleet could not be told is not the caller's failure: what is cached
// under a name made from its bytes is never wrong, only there for longer.
func (s *Store) forget(ctx context.Context, key string) {
	if s.Purge != nil {
		_ = s.Purge(ctx, key)
	}
}

// afterwards returns a context for what has to be done although the caller has left.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
}
