// Package sandbox renders in worker processes of the same binary, so that what a hostile picture does to
// a decoder it does to a process that holds nothing, may open nothing and is replaced at once.
//
//	engine, err := sandbox.New(sandbox.Config{
//		Command: []string{"edge", "worker"},
//		Env:     sandbox.Environment(os.Environ()),
//		Workers: 2,
//	})
//	source, err := engine.Probe(ctx, data)
//	results, err := engine.Run(ctx, data, plan)
//
// and in main of that binary, where it was called as "edge worker":
//
//	err := sandbox.Serve(func(setup []byte) (sandbox.Renderer, error) { return libvips.New(libvips.Config{}) })
//
// The original is copied once, into memory that the supervisor shares with one worker and that the worker
// can only read. The worker writes pictures into memory of its own that the supervisor copies them out of.
// Everything else goes over a socket pair as small messages. The supervisor takes a worker's word for
// nothing: sizes, formats and texts of its answers are checked.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imgedge/imgedge/resize"
)

// Renderer is what a worker does its work with; pipeline.Engine has the same methods.
type Renderer interface {
	// Probe reads the header alone.
	Probe(ctx context.Context, data []byte) (resize.Source, error)
	// Run makes one picture for each plan, in order.
	Run(ctx context.Context, data []byte, plans ...resize.Plan) ([]resize.Result, error)
}

// Config says what workers are and what they may have.
type Config struct {
	// Command is what a worker is called as, its name first: it is seen in the list of processes,
	// with the worker's number behind it. The program is always this process' own.
	Command []string

	// Env is the whole environment of a worker; see Environment.
	Env []string

	// Setup is handed to the worker's start, which alone knows what it means.
	Setup []byte

	// Workers is how many pictures are made at a time; 0 is one. One more process stands by, for
	// probes and to step in when another ends.
	Workers int

	// Memory bounds what a worker may allocate (RLIMIT_DATA), in bytes; 0 is no bound.
	Memory int64

	// RecycleAfter is how many pictures a worker makes before it is replaced; 0 is never.
	RecycleAfter int

	// Lull is how long no work has to come until all workers but one end; they start again with the next work.
	// 0 is never.
	Lull time.Duration

	// Negative is how long a picture is refused that two workers have died of; 0 is 30 s.
	Negative time.Duration

	// Log receives what workers say and what became of them. It may be called concurrently; nil drops
	// it.
	Log func(Event)
}

// Event is something to log about a worker.
type Event struct {
	Worker int    // its number
	Reason Reason // why it has ended; "" = it lives and Text is its own
	Text   string // may contain what a file says; one line, at most 1 KiB
}

// Reason is why a worker was replaced.
type Reason string

// The reasons.
const (
	ReasonCrash    Reason = "crash"    // it died of a picture, or of something outside
	ReasonDeadline Reason = "deadline" // killed: the picture took too long, or nobody wanted it any more
	ReasonAge      Reason = "age"      // it had made enough pictures
	ReasonGrowth   Reason = "growth"   // it held on to too much memory
	ReasonProtocol Reason = "protocol" // it said what no worker says
	ReasonStart    Reason = "start"    // it did not get ready
	reasonClose    Reason = "close"    // the engine closes
	reasonLull     Reason = "lull"     // there is little to do
)

// Reasons returns all that can stand in Stats.Restarts.
func Reasons() []Reason {
	return []Reason{ReasonCrash, ReasonDeadline, ReasonAge, ReasonGrowth, ReasonProtocol, ReasonStart}
}

// Engine renders in workers. It may be used concurrently.
type Engine struct {
	config Config
	pool   *pool
	poison poison

	poisoned atomic.Uint64
	closing  sync.Once
}

// New starts the workers and returns when the first is ready; the others follow. The error is that of the
// first worker's start.
func New(c Config) (*Engine, error) {
	if c.Negative == 0 {
		c.Negative = 30 * time.Second
	}
	c.Workers = max(c.Workers, 1)
	if err := smallStacks(); err != nil {
		return nil, err
	}
	e := &Engine{config: c, poison: poison{life: c.Negative}}
	e.pool = newPool(&e.config)
	if err := e.pool.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start a worker: %w", err), e.Close())
	}
	return e, nil
}

// stackBytes is what codecs are content with: libvips gives its own threads no more.
const stackBytes = 2 << 20

// smallStacks lowers what this process' children give each of their threads, which counts in full as memory
// that they have allocated. Threads of this process are not concerned, but for the first one, which does
// not need more either.
func smallStacks() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_STACK, &limit); err != nil {
		return fmt.Errorf("read the limit of stacks: %w", err)
	}
	if limit.Cur <= stackBytes {
		return nil
	}
	limit.Cur = stackBytes
	if err := unix.Setrlimit(unix.RLIMIT_STACK, &limit); err != nil {
		return fmt.Errorf("lower the limit of stacks: %w", err)
	}
	return nil
}

// Close ends all workers, also those at work, and waits for them. Twice is fine.
func (e *Engine) Close() error {
	e.closing.Do(e.pool.close)
	return nil
}

// Probe reads the header of data in a worker.
func (e *Engine) Probe(ctx context.Context, data []byte) (resize.Source, error) {
	return e.probe(ctx, &job{kind: kindProbe, data: data})
}

func (e *Engine) probe(ctx context.Context, j *job) (resize.Source, error) {
	a, err := e.do(ctx, j)
	return a.source, err
}

// Run makes one picture for each plan, in order; of many plans, some at a time from one decode. When ctx ends, the worker is killed, whatever it is at,
// and ctx.Err() returned. A picture that ends two workers, one after the other, is a 422.
func (e *Engine) Run(ctx context.Context, data []byte, plans ...resize.Plan) ([]resize.Result, error) {
	return e.run(ctx, &job{kind: kindRun, data: data, plans: plans})
}

func (e *Engine) run(ctx context.Context, j *job) ([]resize.Result, error) {
	if len(j.plans) <= maxPlans {
		a, err := e.do(ctx, j)
		return a.results, err
	}
	results := make([]resize.Result, 0, len(j.plans))
	for some := range slices.Chunk(j.plans, maxPlans) {
		part := *j
		part.plans = some
		a, err := e.do(ctx, &part)
		if err != nil {
			return nil, err
		}
		results = append(results, a.results...)
	}
	return results, nil
}

// job is one call on its way through a worker.
type job struct {
	kind    kind
	data    []byte
	plans   []resize.Plan
	passing bool // data is no memory of Go's, see Passing
}

// answer is what came of it.
type answer struct {
	source  resize.Source
	results []resize.Result
}

// gone bounds how often a job is given to workers that had ended before they could take it.
const gone = 8

// do gives a job to a worker; to a second one if the first dies of it (ruling 30).
func (e *Engine) do(ctx context.Context, j *job) (answer, error) {
	if len(j.data) == 0 {
		return answer{}, resize.Unsupported("not_an_image", "the source is not an image")
	}
	if e.poison.has(j.data) {
		return answer{}, &refusal{what: corrupt(), cause: "two workers have died of it lately"}
	}
	deaths := 0
	for range gone {
		w, err := e.pool.take(ctx, j, deaths > 0)
		if err != nil {
			return answer{}, err
		}
		a, err := w.work(ctx, j)
		e.pool.give(w, j.kind)
		var death *deathError
		switch {
		case !errors.As(err, &death):
			return a, err
		case ctx.Err() != nil:
			return answer{}, ctx.Err()
		case death.idle:
			continue // it never saw the picture
		}
		if deaths++; deaths == 2 {
			e.poison.add(j.data)
			e.poisoned.Add(1)
			return answer{}, &refusal{what: corrupt(), cause: "two workers died of it: " + death.Error()}
		}
	}
	return answer{}, errNoWorker
}

// corrupt is the answer for a picture that ends workers.
func corrupt() *resize.Error { return resize.Unprocessable("corrupt_image", "the image is broken") }
