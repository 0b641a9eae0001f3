package pipeline

import (
	"context"
	"errors"
	"sync"

	"github.com/imgedge/imgedge/cache"
)

// behind keeps track of refreshes: one a key, a bounded number at once, and whoever stops the pipeline
// waits for them.
type behind struct {
	mu      sync.Mutex // guards what follows
	running map[cache.Hash]struct{}
	wait    sync.WaitGroup
	closed  bool
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
	limit := p.Refreshes
	if limit == 0 {
		limit = 16
	}
	if _, ok := b.running[r.Key.Variant]; ok || b.closed || len(b.running) >= limit {
		return
	}
	if b.running == nil {
		b.running = make(map[cache.Hash]struct{})
	}
	b.running[r.Key.Variant] = struct{}{}
	b.wait.Go(func() {
		defer func() {
			b.mu.Lock()
			delete(b.running, r.Key.Variant)
			b.mu.Unlock()
		}()
		p.refresh(r)
	})
}

// refresh makes the picture anew. It goes through the same flight as requests, so that whoever asks
// once the grace is over joins it.
func (p *Pipeline) refresh(r *Request) {
	p.init()
	p.stats.refreshes.Add(1)
	ctx := context.Background()
	_, _, err := p.fills.Do(ctx, during(r.Key.Variant, p.Redis.Generation(r.Key)), func(ctx, patience context.Context) (answer, error) {
		return p.fill(ctx, patience, r, true)
	})
	if err != nil {
		p.stats.refreshErrors.Add(1)
		if e := p.peek(ctx, r.Key); e != nil {
			p.remember(ctx, r.Key, r.Source.postponed(e, statusOf(err), p.now()))
		}
	}
}

// Close waits for the fills and refreshes under way, at most until ctx ends, and starts no more.
func (p *Pipeline) Close(ctx context.Context) error {
	p.behind.mu.Lock()
	p.behind.closed = true
	p.behind.mu.Unlock()
	var err error
	done := make(chan struct{}) // closed, never sent on
	go func() {
		defer close(done)
		p.behind.wait.Wait()
		err = errors.Join(p.fills.Close(), p.fetches.Close())
	}()
	select {
	case <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
