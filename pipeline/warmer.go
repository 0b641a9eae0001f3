package pipeline

import (
	"context"
	"sync"
	"time"
)

// Place names an original.
type Place struct{ Source, Object string }

// What a Warmer does where its fields are zero.
const (
	DefaultWarmRoom = 1000
	DefaultWarmTime = 2 * time.Minute
)

// Warmer makes pictures of originals that have changed, one original after the other and behind the caller's
// back. An original that waits already is not put in line again; one that changes while it is worked on is. Its
// fields are set before use and not changed after; Close ends it.
type Warmer struct {
	Make func(ctx context.Context, p Place) error // the pictures of one original; called by one goroutine at a time
	Room int                                      // originals that may wait; more are dropped; 0 = DefaultWarmRoom
	Time time.Duration                            // of one original; 0 = DefaultWarmTime

	mu      sync.Mutex // guards what follows
	line    []Place    // who waits, the first first
	waits   map[Place]bool
	working bool
	stop    context.CancelFunc // of the goroutine that works
	done    sync.WaitGroup
	closed  bool
	stats   WarmerStats
}

// WarmerStats counts originals.
type WarmerStats struct {
	Done    uint64 // all their pictures are made
	Failed  uint64 // some are not; they are made when they are asked for
	Dropped uint64 // there was no room to wait
	Waiting int    // now
}

// Warm puts an original in line. It does not wait.
func (w *Warmer) Warm(p Place) {
	w.mu.Lock()
	defer w.mu.Unlock()
	room := w.Room
	if room == 0 {
		room = DefaultWarmRoom
	}
	switch {
	case w.waits[p]:
		return
	case w.closed, len(w.line) >= room:
		w.stats.Dropped++
		return
	}
	if w.waits == nil {
		w.waits = map[Place]bool{}
	}
	w.line, w.waits[p] = append(w.line, p), true
	if !w.working {
		ctx, stop := context.WithCancel(context.Background())
		w.working, w.stop = true, stop
		w.done.Go(func() { w.work(ctx) })
	}
}

// work goes on until nobody waits.
func (w *Warmer) work(ctx context.Context) {
	for {
		p, ok := w.next()
		if !ok {
			return
		}
		err := w.one(ctx, p)
		w.mu.Lock()
		if err == nil {
			w.stats.Done++
		} else {
			w.stats.Failed++
		}
		w.mu.Unlock()
	}
}

// next takes who waits longest out of the line.
func (w *Warmer) next() (p Place, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.line) == 0 || w.closed {
		w.working = false
		w.stop()
		return Place{}, false
	}
	p = w.line[0]
	w.line = w.line[1:]
	delete(w.waits, p)
	return p, true
}

func (w *Warmer) one(ctx context.Context, p Place) error {
	limit := w.Time
	if limit == 0 {
		limit = DefaultWarmTime
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return w.Make(ctx, p)
}

// Stats returns the counters.
func (w *Warmer) Stats() WarmerStats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stats
	s.Waiting = len(w.line)
	return s
}

// Close gives up what waits and what is under way, and waits for its end. Twice is fine.
func (w *Warmer) Close() error {
	w.mu.Lock()
	w.closed = true
	if w.working {
		w.stop()
	}
	w.mu.Unlock()
	w.done.Wait()
	return nil
}
