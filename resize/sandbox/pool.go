package sandbox

import (
	"context"
	"slices"
	"sync"
	"time"
)

// pool keeps workers: as many as render at a time, and one more.
type pool struct {
	config *Config
	size   int
	stop   chan struct{} // closed when the pool closes
	wanted chan struct{} // closed when the first worker is not enough any more
	want   sync.Once
	tasks  sync.WaitGroup

	mu       sync.Mutex // guards what follows
	closed   bool
	number   int               // of the last worker started
	alive    map[*worker]bool  // ready, at work or not
	idle     []*worker         // the last one was used last
	waiting  []chan *worker    // those who wait, the first first; each holds one, so that handing over never blocks
	broken   bool              // the last start went wrong
	restarts map[Reason]uint64 // workers that have ended
	layers   []Layer           // of the worker started last
	asked    time.Time         // when a worker was wanted last
	asleep   int               // workers that a lull has ended
}

func newPool(c *Config) *pool {
	return &pool{
		config: c, size: c.Workers + 1, stop: make(chan struct{}), wanted: make(chan struct{}),
		alive: map[*worker]bool{}, restarts: map[Reason]uint64{}, asked: time.Now(),
	}
}

// start starts one worker, and the others behind it.
func (p *pool) start() error {
	w, err := startWorker(p.config, p.next(), p.stop)
	if err != nil {
		return err
	}
	p.add(w)
	p.tasks.Go(func() {
		p.headStart()
		for range p.size - 1 { // one by one: the first requests want processors too
			p.boot()
		}
	})
	p.tasks.Go(p.tend)
	return nil
}

// headStart waits until the first picture is made, so that its answer has the processors to itself, until
// somebody has to wait for a worker, or until it is plain that nobody is in a hurry.
func (p *pool) headStart() {
	const patience = 300 * time.Millisecond
	select {
	case <-p.wanted:
	case <-p.stop:
	case <-time.After(patience):
	}
}

// wantMore ends the head start.
func (p *pool) wantMore() { p.want.Do(func() { close(p.wanted) }) }

func (p *pool) next() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.number++
	return p.number
}

// boot starts one worker, trying until it succeeds or the pool closes.
func (p *pool) boot() {
	const least, most = 100 * time.Millisecond, 5 * time.Second
	for pause := least; ; pause = min(2*pause, most) {
		select {
		case <-p.stop:
			return
		default:
		}
		number := p.next()
		w, err := startWorker(p.config, number, p.stop)
		if err == nil {
			p.add(w)
			return
		}
		p.failed(number, err)
		select {
		case <-p.stop:
			return
		case <-time.After(pause):
		}
	}
}

// failed notes that a worker did not get ready. If there is none at all, nobody is kept waiting.
func (p *pool) failed(number int, err error) {
	p.mu.Lock()
	p.restarts[ReasonStart]++
	p.broken = true
	var waiting []chan *worker
	if len(p.alive) == 0 {
		waiting, p.waiting = p.waiting, nil
	}
	p.mu.Unlock()
	for _, ready := range waiting {
		close(ready)
	}
	p.log(Event{number, ReasonStart, err.Error()})
}

func (p *pool) log(e Event) {
	if p.config.Log != nil {
		p.config.Log(e)
	}
}

// add takes a new worker in.
func (p *pool) add(w *worker) {
	p.mu.Lock()
	p.alive[w] = true
	p.layers, p.broken = w.layers, false
	if p.closed {
		w.kill(reasonClose)
	}
	p.offerLocked(w)
	p.mu.Unlock()
	p.tasks.Go(func() {
		<-w.ended
		p.lost(w)
	})
}

// lost takes a worker that has ended out, and starts another.
func (p *pool) lost(w *worker) {
	why := w.why()
	p.mu.Lock()
	delete(p.alive, w)
	unused := slices.Contains(p.idle, w)
	p.idle = slices.DeleteFunc(p.idle, func(other *worker) bool { return other == w })
	if why != reasonClose && why != reasonLull {
		p.restarts[why]++
	}
	closed := p.closed
	p.mu.Unlock()
	if unused {
		w.free() // else give does
	}
	if closed || why == reasonLull {
		return
	}
	p.log(Event{w.number, why, w.epitaph()})
	p.boot()
}

// take waits for a worker: best the one that has the job's bytes already. fresh asks for the one that has
// done least.
func (p *pool) take(ctx context.Context, j *job, fresh bool) (*worker, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	if !p.closed {
		p.wakeLocked()
	}
	if w := p.pickLocked(j, fresh); w != nil {
		p.mu.Unlock()
		return w, nil
	}
	if p.closed || p.broken && len(p.alive) == 0 {
		p.mu.Unlock()
		return nil, errNoWorker
	}
	ready := make(chan *worker, 1)
	p.waiting = append(p.waiting, ready)
	p.mu.Unlock()
	p.wantMore()
	select {
	case w, ok := <-ready:
		if !ok {
			return nil, errNoWorker
		}
		return w, nil
	case <-ctx.Done():
		p.withdraw(ready)
		return nil, ctx.Err()
	}
}

// withdraw ends a wait. What was handed over meanwhile is given back.
func (p *pool) withdraw(ready chan *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = slices.DeleteFunc(p.waiting, func(other chan *worker) bool { return other == ready })
	select {
	case w, ok := <-ready:
		if ok {
			p.offerLocked(w)
		}
	default:
	}
}

// pickLocked takes an idle worker; nil = there is none.
func (p *pool) pickLocked(j *job, fresh bool) *worker {
	best, value := -1, -1
	for i, w := range p.idle {
		var v int
		switch {
		case w.doomed():
			continue // lost will take it out
		case fresh:
			v = 1<<30 - w.used
		case w.held.is(j):
			v = 2
		case !w.held.wanted:
			v = 1
		}
		if v >= value {
			best, value = i, v
		}
	}
	if best < 0 {
		return nil
	}
	w := p.idle[best]
	p.idle = slices.Delete(p.idle, best, best+1)
	return w
}

// give takes a worker back after a job.
func (p *pool) give(w *worker, done kind) {
	if done == kindRun {
		p.wantMore()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if why := p.retireLocked(w, done); why != "" {
		w.kill(why)
	}
	p.offerLocked(w)
}

// retireLocked says why a worker should end after a job; "" = it should not. Only one at a time does.
func (p *pool) retireLocked(w *worker, done kind) Reason {
	if w.doomed() || len(p.alive) < p.size {
		return ""
	}
	switch {
	case p.config.RecycleAfter > 0 && done == kindRun && w.pictures >= p.config.RecycleAfter:
		return ReasonAge
	case w.grown.Load() && w.look():
		return ReasonGrowth
	default:
		return ""
	}
}

// offerLocked gives a worker to the first who waits, or makes it idle. Of one that is to end nothing is
// kept.
func (p *pool) offerLocked(w *worker) {
	if w.doomed() {
		w.free()
		return
	}
	if len(p.waiting) > 0 {
		p.waiting[0] <- w
		p.waiting = slices.Delete(p.waiting, 0, 1)
		return
	}
	p.idle = append(p.idle, w)
}

// close ends all workers and waits for them.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	close(p.stop)
	for w := range p.alive {
		w.kill(reasonClose)
	}
	waiting := p.waiting
	p.waiting = nil
	p.mu.Unlock()
	for _, ready := range waiting {
		close(ready)
	}
	p.tasks.Wait()
}
