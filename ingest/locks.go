package ingest

import (
	"context"
	"slices"
	"sync"
)

// locks let one call of this process at a time change an image. Between processes the order of the objects
// alone has to do.
type locks struct {
	mu   sync.Mutex
	held map[string]chan struct{} // by id; closed when it is free again
}

// lock waits until all ids are free and holds them until unlock, or until ctx ends.
func (l *locks) lock(ctx context.Context, ids ...string) (unlock func(), err error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids))) // one order for all, so that nobody waits in a circle
	for i, id := range ids {
		if err := l.one(ctx, id); err != nil {
			l.free(ids[:i])
			return nil, err
		}
	}
	return sync.OnceFunc(func() { l.free(ids) }), nil
}

func (l *locks) one(ctx context.Context, id string) error {
	for {
		l.mu.Lock()
		busy := l.held[id]
		if busy == nil {
			if l.held == nil {
				l.held = map[string]chan struct{}{}
			}
			l.held[id] = make(chan struct{})
			l.mu.Unlock()
			return nil
		}
		l.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *locks) free(ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		close(l.held[id])
		delete(l.held, id)
	}
}
