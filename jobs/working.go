package jobs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/hibiken/asynq"
)

// working is what a node that takes items runs.
type working struct {
	engine *Engine
	name   string          // of this worker, new at each start
	base   context.Context //nolint:containedctx // of all items; ends when the node leaves
	stop   context.CancelFunc
	items  *asynq.Server
	hooks  *asynq.Server
	wg     sync.WaitGroup
	once   sync.Once

	mu     sync.Mutex     // guards claims
	claims map[claim]bool // items under way
}

// claim is an item that this worker has.
type claim struct {
	id   string
	item int
}

const (
	checkInterval   = 50 * time.Millisecond // between two looks into empty queues
	delayedInterval = time.Second           // between two looks for tasks whose pause is over
	hookWorkers     = 4
	shutdownTime    = 20 * time.Second // for items under way, where Close's context gives more
)

// Work makes this node take items until Close. It may be called once.
func (e *Engine) Work() error {
	e.setup()
	if e.Lazy {
		e.lazily.Store(true)
		return nil
	}
	return e.startWork()
}

// workNow makes a lazy node take items from now on.
func (e *Engine) workNow() error {
	if !e.lazily.CompareAndSwap(true, false) {
		return nil
	}
	return e.startWork()
}

func (e *Engine) startWork() error {
	name := make([]byte, 8)
	_, _ = rand.Read(name) // never fails, as its documentation says
	w := &working{engine: e, name: hex.EncodeToString(name), claims: map[claim]bool{}}
	w.base, w.stop = context.WithCancel(context.Background())
	w.items = w.server(e.Concurrency, map[string]int{renderQueue: 3, warmQueue: 1})
	w.hooks = w.server(hookWorkers, map[string]int{hookQueue: 1})
	if err := w.items.Start(asynq.HandlerFunc(w.item)); err != nil {
		w.stop()
		return err
	}
	if err := w.hooks.Start(asynq.HandlerFunc(w.hook)); err != nil {
		w.items.Shutdown()
		w.stop()
		return err
	}
	e.work.Store(w)
	w.every(e.pace.renew, w.renew)
	w.every(e.pace.recover, e.recoverLost)
	w.every(e.pace.recover, e.auditIfDue)
	return nil
}

func (w *working) server(concurrency int, queues map[string]int) *asynq.Server {
	return asynq.NewServerFromRedisClient(w.engine.Redis, asynq.Config{
		Concurrency:              concurrency,
		BaseContext:              func() context.Context { return w.base },
		TaskCheckInterval:        checkInterval,
		DelayedTaskCheckInterval: delayedInterval,
		RetryDelayFunc:           w.engine.pause,
		IsFailure:                func(err error) bool { return !crowded(err) },
		Queues:                   queues,
		Logger:                   quiet{},
		ShutdownTimeout:          shutdownTime,
	})
}

// every runs do now and then at that pace until the node leaves.
func (w *working) every(pause time.Duration, do func(context.Context)) {
	w.wg.Go(func() {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for {
			do(w.base)
			select {
			case <-tick.C:
			case <-w.base.Done():
				return
			}
		}
	})
}

// close stops taking tasks, waits for those under way until ctx ends, and puts back what is left.
func (w *working) close(ctx context.Context) (err error) {
	w.once.Do(func() {
		w.items.Stop()
		w.hooks.Stop()
		idle := make(chan struct{})
		go func() {
			defer close(idle)
			var both sync.WaitGroup
			both.Go(w.items.Shutdown)
			both.Go(w.hooks.Shutdown)
			both.Wait()
		}()
		select {
		case <-idle:
			w.stop()
		case <-ctx.Done():
			w.stop()
			<-idle
			err = ctx.Err()
		}
		w.wg.Wait()
		err = errors.Join(err, w.putBack(context.WithoutCancel(ctx)))
	})
	return err
}

// putBack releases the items that were not finished, so that another node need not wait for their leases.
func (w *working) putBack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	held := w.held()
	errs := make([]error, 0, len(held))
	for c := range held {
		errs = append(errs, w.engine.state.release(ctx, c.id, c.item, w.name))
	}
	return errors.Join(errs...)
}

// held returns the items under way.
func (w *working) held() map[claim]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make(map[claim]bool, len(w.claims))
	for c := range w.claims {
		all[c] = true
	}
	return all
}

func (w *working) hold(c claim) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claims[c] = true
}

func (w *working) letGo(c claim) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.claims, c)
}

// renew prolongs the leases of the items under way. One that is lost is still worked on: who ends it
// first is counted.
func (w *working) renew(ctx context.Context) {
	for c := range w.held() {
		if _, err := w.engine.state.renew(ctx, c.id, c.item, w.name); err != nil {
			w.engine.log("a lease was not renewed", c.id, err)
			return // Redis is away, for the others too
		}
	}
}

// pause is how long a task waits for its next try.
func (e *Engine) pause(tried int, err error, task *asynq.Task) time.Duration {
	switch {
	case task.Type() == hookTask && tried < len(e.HookRetry):
		return e.HookRetry[tried]
	case errors.Is(err, asynq.ErrLeaseExpired):
		return 0
	case crowded(err):
		return time.Second
	default:
		return min(time.Second<<min(tried, 5), 30*time.Second)
	}
}
