package jobs

import (
	"cmp"
	"context"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/imgedge/imgedge/resize"
)

// Pictures is what a worker needs of the server: originals, renders in the batch lane, and fills of the
// cache. Calls may overlap. Errors that know their status have HTTPStatus and Code: 502, 503 and 504
// origin_timeout are tried again here, everything else below 500 is the item's end.
type Pictures interface {
	// Original returns the bytes of an object of a source.
	Original(ctx context.Context, source, key string) ([]byte, error)
	// Render makes a picture for each of the options from one decode, within the source's limits.
	Render(ctx context.Context, source string, data []byte, outputs []resize.Options) ([]resize.Result, error)
	// Warm makes pictures of an object as if they were asked for, and returns the bytes of each.
	Warm(ctx context.Context, source, key string, outputs []resize.Options) ([]int64, error)
}

// What holds where a field of an Engine is zero.
const (
	DefaultRetention = 72 * time.Hour
	DefaultMaxItems  = 50
	DefaultMaxItem   = 20 << 20
)

const (
	auditTime   = 10 * time.Minute // between two looks through the records, over the fleet
	itemTimeout = 5 * time.Minute  // of one try of one item
	maxTries    = 6                // of an item whose trouble can pass
	maxEpochs   = 5                // times an item is queued because its worker died; a picture that kills is not tried for ever
	maxEvents   = 100_000          // of one job
)

// Engine submits, runs and watches jobs. Set the fields, then call what is needed; Work on nodes that
// take items, Close at the end. It may be used concurrently and must not be copied. Zero values are as
// the comments say.
type Engine struct {
	Redis    redis.UniversalClient // of the queue; it must not evict
	Bucket   Bucket                // nil = jobs that warm alone
	Pictures Pictures              // nil on nodes that do not work

	Retention   time.Duration   // of outputs and records, from the submission; 0 = DefaultRetention
	MaxItems    int             // of a job; 0 = DefaultMaxItems
	MaxItem     int64           // bytes of an uploaded file; 0 = DefaultMaxItem
	Lazy        bool            // taking items begins with the first submission on this node, not with Work; for a queue that this process alone has
	Concurrency int             // items at once on this node; 0 = CPU cores + 2, as some wait for the bucket
	HookRetry   []time.Duration // pauses before each further delivery; nil = one delivery
	HookSecret  string          // signs deliveries; "" = they are not signed
	HookSender  http.RoundTripper

	// CheckHook refuses a webhook's URL that may not be asked; nil = none is refused.
	CheckHook func(ctx context.Context, url string) error
	// Log is told of trouble that no caller sees; nil = nobody is.
	Log func(event, job string, cause error)
	// Now is the clock; nil = time.Now.
	Now func() time.Time

	pace pace // zero = defaultPace

	state   *state
	records recent
	queue   *queue
	hub     *hub
	counts  counters
	once    sync.Once
	work    atomic.Pointer[working] // nil = this node takes no items
	lazily  atomic.Bool             // it will with the first submission
}

// pace is how soon a dead worker is noticed.
type pace struct {
	lease   time.Duration // a worker that is silent for so long has lost its items
	renew   time.Duration // between two signs of life
	recover time.Duration // between two looks for lost items, of the fleet
}

func defaultPace() pace {
	return pace{lease: 10 * time.Second, renew: 3 * time.Second, recover: 4 * time.Second}
}

// setup makes what the fields describe, once.
func (e *Engine) setup() {
	e.once.Do(func() {
		e.Retention = cmp.Or(e.Retention, DefaultRetention)
		e.MaxItems = cmp.Or(e.MaxItems, DefaultMaxItems)
		e.MaxItem = cmp.Or(e.MaxItem, DefaultMaxItem)
		e.Concurrency = cmp.Or(e.Concurrency, runtime.GOMAXPROCS(0)+2)
		if e.pace == (pace{}) {
			e.pace = defaultPace()
		}
		if e.Now == nil {
			e.Now = time.Now
		}
		if e.HookSender == nil {
			e.HookSender = http.DefaultTransport
		}
		e.Redis.AddHook(calmDial{})
		e.state = &state{redis: e.Redis, keep: e.Retention + 24*time.Hour, lease: e.pace.lease}
		e.queue = &queue{client: asynq.NewClientFromRedisClient(e.Redis), inspector: asynq.NewInspectorFromRedisClient(e.Redis), retry: e.HookRetry}
		e.hub = newHub(e)
	})
}

// Close stops taking items, lets those under way end until ctx does, puts the others back into the queue,
// and ends all watchers. The Redis client stays open. Twice is fine.
func (e *Engine) Close(ctx context.Context) error {
	if e.state == nil {
		return nil
	}
	var err error
	if w := e.work.Load(); w != nil {
		err = w.close(ctx)
	}
	e.hub.close()
	return err
}

func (e *Engine) log(event, job string, cause error) {
	if e.Log != nil {
		e.Log(event, job, cause)
	}
}

// expires returns the time after which a job's outputs and records go.
func (e *Engine) expires(created time.Time) time.Time { return created.Add(e.Retention) }
