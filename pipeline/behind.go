package pipeline

import (
	"context"
	"errors"
	"sync"

	"github.com/imgedge/imgedge/cache"
)

// behind keeps track of refreshes and ladders: one a key, a bounded number at once, and whoever stops the
// pipeline waits for them.
type behind struct {
	mu      sync.Mutex // guards what follows
	running map[cache.Hash]struct{}
	wait    sync.WaitGroup
	closed  bool
	base    context.Context    //nolint:containedctx // the life of ladders, which belong to no caller
	stop    context.CancelFunc // ends base
}

// refreshIfDue starts the refresh of a picture that was just served stale-while-revalidate. It does
// nothing where one is under way, has failed a moment ago, or too many others are running.
func (p *Pipeline) refreshIfDue(r *Request, a answer) {
	if a.via.TTL > 0 || a.via.StaleError != 0 || a.via.Hit == TierNone || p.now().Before(a.entry.Retry) {
		return
	}
	b := &p.behind
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.running[r.Key.Variant]; ok || b.closed || len(b.running) >= p.refreshes() {
		return
	}
	b.startLocked(r.Key.Variant, func() { p.refresh(r) })
}

// refreshes returns how much may run behind at once.
func (p *Pipeline) refreshes() int {
	if p.Refreshes == 0 {
		return 16
	}
	return p.Refreshes
}

// startLocked does work under a key.
func (b *behind) startLocked(key cache.Hash, work func()) {
	if b.running == nil {
		b.running = make(map[cache.Hash]struct{})
	}
	b.running[key] = struct{}{}
	b.wait.Go(func() {
		defer func() {
			b.mu.Lock()
			delete(b.running, key)
			b.mu.Unlock()
		}()
		work()
	})
}

// refresh makes the picture anew. It goes through the same flight as requests, so that whoever asks
// once the grace is over joins it.
func (p *Pipeline) refresh(r *Request) {
	p.init()
	p.stats.refreshes.Add(1)
	ctx := context.Background()
	_, _, err := p.do(ctx, r, true)
	if err != nil {
		p.stats.refreshErrors.Add(1)
		if e := p.peek(ctx, r.Key); e != nil {
			p.remember(ctx, r.Key, r.Source.postponed(e, statusOf(err), p.now()))
		}
	}
}

// Close gives ladders up and waits for the fills and refreshes under way, at most until ctx ends. It starts no
// more.
func (p *Pipeline) Close(ctx context.Context) error {
	p.init()
	p.behind.stop()
	p.behind.mu.Lock()
	p.behind.closed = true
	p.behind.mu.Unlock()
	var err error
	done := make(chan struct{}) // closed, never sent on
	go func() {
		defer close(done)
		p.behind.wait.Wait()
		err = errors.Join(p.fills.Close(), p.fetches.Close(), p.loads.Close())
	}()
	select {
	case <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
