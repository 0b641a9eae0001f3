package cache

import (
	"context"
	"sync"
)

// Writer stores in the background, so that nobody waits for Redis or a bucket to take what is served
// already. What waits is bounded in bytes and count; what does not fit is dropped.
type Writer struct {
	store    Store
	maxBytes int64
	maxCount int
	done     sync.WaitGroup

	mu     sync.Mutex
	more   *sync.Cond // signals queue and closed to the worker, idle to Flush
	queue  []write
	bytes  int64
	busy   bool
	closed bool
	stats  WriterStats
}

type write struct {
	key   Key
	entry *Entry
	done  func()
}

// WriterStats is a snapshot of a Writer.
type WriterStats struct {
	Stored, Failed, Dropped uint64
	Waiting                 int
	Bytes                   int64
}

// NewWriter returns a writer into store with room for maxBytes of bodies and maxCount entries.
func NewWriter(store Store, maxBytes int64, maxCount int) *Writer {
	w := &Writer{store: store, maxBytes: maxBytes, maxCount: maxCount}
	w.more = sync.NewCond(&w.mu)
	w.done.Go(w.work)
	return w
}

// Put hands e over; false = dropped, the queue is full or closed. done (may be nil) is called exactly
// once, when the entry is stored, refused or dropped: the place to release a lease, so that others find
// the value. It may be called before Put returns.
func (w *Writer) Put(key Key, e *Entry, done func()) bool {
	if done == nil {
		done = func() {}
	}
	if w.enqueue(write{key, e, done}) {
		return true
	}
	done()
	return false
}

func (w *Writer) enqueue(j write) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	size := int64(cap(j.entry.Body))
	if w.closed || len(w.queue) >= w.maxCount || w.bytes+size > w.maxBytes {
		w.stats.Dropped++
		return false
	}
	w.queue = append(w.queue, j)
	w.bytes += size
	w.more.Broadcast()
	return true
}

// work stores one after another until Close.
func (w *Writer) work() {
	for {
		j, ok := w.next()
		if !ok {
			return
		}
		// The store bounds its calls itself. A writer has no caller whose context could end.
		err := w.store.Set(context.Background(), j.key, j.entry)
		j.done()
		w.finish(j, err)
	}
}

func (w *Writer) next() (write, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) == 0 {
		if w.closed {
			return write{}, false
		}
		w.more.Wait()
	}
	j := w.queue[0]
	w.queue[0] = write{} // let go of the body
	w.queue = w.queue[1:]
	w.busy = true
	return j, true
}

func (w *Writer) finish(j write, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = false
	w.bytes -= int64(cap(j.entry.Body))
	if err != nil {
		w.stats.Failed++
	} else {
		w.stats.Stored++
	}
	w.more.Broadcast()
}

// Flush waits until the queue is empty, or ctx ends, whose error it returns.
func (w *Writer) Flush(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.more.Broadcast()
	})
	defer stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) > 0 || w.busy {
		if err := ctx.Err(); err != nil {
			return err
		}
		w.more.Wait()
	}
	return nil
}

// Close refuses further entries, drops those that wait (Flush first) and waits for the one under way.
// Twice is fine.
func (w *Writer) Close() error {
	w.mu.Lock()
	w.closed = true
	left := w.queue
	w.queue = nil
	for _, j := range left {
		w.bytes -= int64(cap(j.entry.Body))
		w.stats.Dropped++
	}
	w.more.Broadcast()
	w.mu.Unlock()
	for _, j := range left {
		j.done()
	}
	w.done.Wait()
	return nil
}

// Stats returns a snapshot.
func (w *Writer) Stats() WriterStats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stats
	s.Waiting, s.Bytes = len(w.queue), w.bytes
	return s
}
