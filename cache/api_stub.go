package cache

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// OpenRedis returns a client for redis://, rediss://, redis+sentinel://h1:p1,h2:p2/master/db or
// redis+cluster://h1:p1,h2:p2 (and rediss+…). It does not connect. The error names no password.
func OpenRedis(url string) (redis.UniversalClient, error) { panic("stub") }

// Fleet is what the nodes share: one Redis, reached through a breaker and short timeouts. A Fleet
// without a client is a node alone; everything built on it then works locally.
type Fleet struct{ client redis.UniversalClient }

// NewFleet returns the fleet behind client; nil = this node alone. timeout bounds each call; 0 = 50 ms.
// The caller closes the client after the Fleet.
func NewFleet(client redis.UniversalClient, timeout time.Duration) *Fleet { panic("stub") }

// Ping says whether Redis answers now; nil without a client.
func (f *Fleet) Ping(ctx context.Context) error { panic("stub") }

// Stats returns a snapshot.
func (f *Fleet) Stats() FleetStats { panic("stub") }

// Close ends the subscription. Twice is fine.
func (f *Fleet) Close() error { panic("stub") }

// FleetStats counts what went wrong with Redis.
type FleetStats struct {
	Errors map[string]uint64 // by op: load set delete lease poll purge verify tag subscribe
	Open   bool              // the breaker is open: Redis is left alone
}

// Generations is this node's view of the purges. Memory and Redis ask it what is still good.
type Generations struct{}

// NewGenerations starts following the fleet's purges.
func NewGenerations(f *Fleet) *Generations { panic("stub") }

// Purge says what to remove: exactly one of All, Tag, Source, or Source with Object.
type Purge struct {
	All    bool
	Source string
	Object string // the object's key within Source
	Tag    string
}

// Purge removes from this node and from the fleet, and returns how many entries this node's memory
// lost. Once it returns without error no node serves the old entries after 1 s. ErrPurgeIncomplete:
// this node is clean but Redis could not be told; try again.
func (g *Generations) Purge(ctx context.Context, p Purge) (n int, err error) { panic("stub") }

// Stats returns a snapshot. It walks the memories where entries wait for verification.
func (g *Generations) Stats() GenerationStats { panic("stub") }

// Close stops following. Twice is fine.
func (g *Generations) Close() error { panic("stub") }

// GenerationStats is a snapshot of Generations.
type GenerationStats struct {
	Unverified int64  // entries in memory that are served without proof that no purge was missed
	Gaps       uint64 // times pushes were missed
	Purges     uint64 // purges applied, of this node and others
}

// Memory is the tier in this process: a Store bounded in bytes.
type Memory struct{}

// NewMemory returns a memory of maxBytes, bodies, keys and overhead counted; 0 keeps nothing.
func NewMemory(maxBytes int64, g *Generations) *Memory { panic("stub") }

// Get returns the entry, or ErrMiss. It allocates nothing and takes no lock on the way of a hit. After a
// missed purge message it first asks Redis for the object's counter, once for each entry.
func (m *Memory) Get(ctx context.Context, key Key) (*Entry, error) { panic("stub") }

// Set keeps e until e.Stale, unless it is older than a purge (ErrOutdated). Admission may drop it.
func (m *Memory) Set(ctx context.Context, key Key, e *Entry) error { panic("stub") }

// Delete removes the entry.
func (m *Memory) Delete(ctx context.Context, key Key) error { panic("stub") }

// Stats returns a snapshot.
func (m *Memory) Stats() MemoryStats { panic("stub") }

// Close stops the background work. Twice is fine.
func (m *Memory) Close() error { panic("stub") }

// MemoryStats is a snapshot of a Memory.
type MemoryStats struct {
	Hits, Misses uint64
	Evictions    uint64 // for room or age
	Refused      uint64 // sets dropped at the gate
	Outdated     uint64 // sets and hits older than a purge
	Bytes, Max   int64
	Entries      int
}

// Redis is the tier of the fleet: a Store. Without a client it misses always and keeps nothing.
type Redis struct{}

// NewRedis returns the tier. Larger entries than maxItem bytes are not stored; 0 = 4 MiB.
func NewRedis(f *Fleet, g *Generations, maxItem int64) *Redis { panic("stub") }

// Load returns the entry and the generation under which work begun now stands, in one round trip. The
// generation is good on a miss and on an error too: copy it into the entry that is made. ErrMiss: not
// there, or outdated, or damaged. Any other error is trouble, counted, to be treated as a miss.
func (r *Redis) Load(ctx context.Context, key Key) (*Entry, Generation, error) { panic("stub") }

// Get is Load without the generation (the entry carries it).
func (r *Redis) Get(ctx context.Context, key Key) (*Entry, error) { panic("stub") }

// Set stores e until e.Stale if no purge has come since e.Generation, and enters its tags. ErrOutdated,
// ErrTooLarge: not stored. Without a client it does nothing.
func (r *Redis) Set(ctx context.Context, key Key, e *Entry) error { panic("stub") }

// Delete removes the entry.
func (r *Redis) Delete(ctx context.Context, key Key) error { panic("stub") }

// Stats returns a snapshot.
func (r *Redis) Stats() RedisStats { panic("stub") }

// RedisStats is a snapshot of a Redis tier.
type RedisStats struct {
	Hits, Misses       uint64
	Damaged            uint64 // wrong hash or checksum: deleted, a miss
	Outdated, TooLarge uint64 // not stored
}

// Writer stores in the background, bounded in bytes and count.
type Writer struct{}

// NewWriter returns a writer into store with room for maxBytes and maxCount waiting entries.
func NewWriter(store Store, maxBytes int64, maxCount int) *Writer { panic("stub") }

// Put hands e over; false = dropped, the queue is full. done (may be nil) is called exactly once when the
// entry is stored, refused or dropped: the place to release a lease, so that others find the value.
func (w *Writer) Put(key Key, e *Entry, done func()) bool { panic("stub") }

// Flush waits until what was put before is written.
func (w *Writer) Flush(ctx context.Context) error { panic("stub") }

// Close refuses further entries and waits for those under way; Flush first. Twice is fine.
func (w *Writer) Close() error { panic("stub") }

// Stats returns a snapshot.
func (w *Writer) Stats() WriterStats { panic("stub") }

// WriterStats is a snapshot of a Writer.
type WriterStats struct {
	Stored, Failed, Dropped uint64
	Waiting                 int
	Bytes                   int64
}

// Flight lets one caller do the work that many ask for at once. The zero value works.
type Flight[T any] struct {
	Timeout    time.Duration // of a fill; 0 = none
	MaxWaiters int           // on one key, the first included; 0 = no bound
}

// Do returns what fill returns for key, running it once however many ask meanwhile; shared says that
// another caller began it. fill's ctx outlives the callers and ends with Timeout. patience ends when
// the last waiter has left: fill heeds it only while it queues, and then returns patience's error;
// whoever came in between starts afresh. A caller leaves with its own ctx's error. A panic is a *PanicError
// for all. ErrOverloaded: MaxWaiters already wait.
func (f *Flight[T]) Do(ctx context.Context, key Hash, fill func(ctx, patience context.Context) (T, error)) (v T, shared bool, err error) {
	panic("stub")
}

// Close refuses new fills and waits for those that run.
func (f *Flight[T]) Close() error { panic("stub") }

// Stats returns a snapshot.
func (f *Flight[T]) Stats() FlightStats { panic("stub") }

// FlightStats is a snapshot of a Flight.
type FlightStats struct {
	Fills, Collapsed, Refused uint64
	Running, Waiting          int
}

// Leases let one node of the fleet do the work that many nodes ask for at once.
type Leases struct{}

// NewLeases returns the fleet's leases. ttl is the longest delay a dead holder causes; 0 = 10 s.
func NewLeases(f *Fleet, ttl time.Duration) *Leases { panic("stub") }

// Lead returns led = true to the one that is to do the work, which calls release when the value is in
// Redis (or never will be; any number of times). The others wait until look, which reads Redis, says that the value
// is there (led = false, release is a no-op). Trouble with Redis, or a ctx that ends while waiting: led at once, alone.
func (l *Leases) Lead(ctx context.Context, key Key, look func(context.Context) bool) (release func(), led bool) {
	panic("stub")
}

// Close ends the renewals. Twice is fine.
func (l *Leases) Close() error { panic("stub") }

// Stats returns a snapshot.
func (l *Leases) Stats() LeaseStats { panic("stub") }

// LeaseStats is a snapshot of Leases.
type LeaseStats struct {
	Led       uint64 // work taken on with the lease
	Collapsed uint64 // work another node did
	Alone     uint64 // work taken on without: Redis in trouble
}

// The errors that know their HTTP status.
const (
	ErrOverloaded      = statusError("overloaded")
	ErrPurgeIncomplete = statusError("purge_incomplete")
)

type statusError string

// Error returns the public text.
func (e statusError) Error() string { return string(e) }

// HTTPStatus is 503.
func (e statusError) HTTPStatus() int { return 503 }

// Code is the code of the problem.
func (e statusError) Code() string { return string(e) }
