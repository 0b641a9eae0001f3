package jobs

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Event is one step of a job.
type Event struct {
	ID   int64  // rises within a job, also over a Redis that lost it
	Type string // item, or done, the last
	Data string // JSON

	at string // the id in the stream; "" = it is in none
}

// hub reads the events of all jobs that are watched on this node, each once, whatever the number of
// watchers: one subscription says which job has news, and the news is read from its stream. Events are
// kept while somebody watches the job; a watcher reads them at its own pace and nobody waits for it.
type hub struct {
	engine *Engine
	ctx    context.Context //nolint:containedctx // of the subscription; ends at Close
	stop   context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex // guards what follows
	started  bool
	closed   bool
	feeds    map[string]*feed
	watchers int
}

// pollTime is the pace at which jobs are asked after even without a message: one may be lost.
const pollTime = time.Second

func newHub(e *Engine) *hub {
	h := &hub{engine: e, feeds: map[string]*feed{}}
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h
}

// close ends all watchers.
func (h *hub) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.stop()
	h.wg.Wait()
}

func (h *hub) size() (watchers, feeds int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.watchers, len(h.feeds)
}

// run hears which jobs have news, until the hub is closed.
func (h *hub) run(subscription *redis.PubSub) {
	defer func() { _ = subscription.Close() }() // the process needs it no more
	news := subscription.Channel()
	poll := time.NewTicker(pollTime)
	defer poll.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case m, ok := <-news:
			if !ok {
				return
			}
			h.refresh(m.Payload)
		case <-poll.C:
			h.refreshAll()
		}
	}
}

func (h *hub) refresh(id string) {
	h.mu.Lock()
	f := h.feeds[id]
	h.mu.Unlock()
	if f != nil {
		f.refresh(h.ctx)
	}
}

func (h *hub) refreshAll() {
	h.mu.Lock()
	all := make([]*feed, 0, len(h.feeds))
	for _, f := range h.feeds {
		all = append(all, f)
	}
	h.mu.Unlock()
	for _, f := range all {
		f.refresh(h.ctx)
	}
}

// join returns the feed of a job, with one watcher more.
func (h *hub) join(id string) (*feed, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errHubClosed
	}
	if !h.started {
		h.started = true
		subscription := h.engine.Redis.Subscribe(h.ctx, pushChannel)
		h.wg.Go(func() { h.run(subscription) })
	}
	f := h.feeds[id]
	if f == nil {
		f = &feed{hub: h, id: id, changed: make(chan struct{})}
		h.feeds[id] = f
	}
	f.watchers++
	h.watchers++
	return f, nil
}

func (h *hub) leave(f *feed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watchers--
	if f.watchers--; f.watchers == 0 && h.feeds[f.id] == f {
		delete(h.feeds, f.id)
	}
}

// reopen forgets the events of a job that begins again, for those who come now.
func (h *hub) reopen(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.feeds, id)
}

var errHubClosed = errors.New("the node is leaving")

// feed is the events of one watched job.
type feed struct {
	hub      *hub
	id       string
	watchers int // guarded by the hub's mu

	reading sync.Mutex // one reader of the stream at a time

	mu      sync.Mutex // guards what follows
	log     []Event
	ended   bool          // the last of log is the job's end
	changed chan struct{} // closed when there is more
}

// refresh reads what is new in the stream.
func (f *feed) refresh(ctx context.Context) {
	f.reading.Lock()
	defer f.reading.Unlock()
	f.mu.Lock()
	from, ended := "-", f.ended
	if len(f.log) > 0 {
		from = "(" + f.log[len(f.log)-1].at
	}
	f.mu.Unlock()
	if ended {
		return
	}
	messages, err := f.hub.engine.Redis.XRange(ctx, eventsKey(f.id), from, "+").Result()
	if err != nil || len(messages) == 0 {
		return // the poll asks again
	}
	more := make([]Event, len(messages))
	for i, m := range messages {
		more[i] = Event{ID: eventID(m.ID), at: m.ID}
		more[i].Type, _ = m.Values["type"].(string) // written by a script
		more[i].Data, _ = m.Values["data"].(string)
	}
	f.add(more)
}

func (f *feed) add(more []Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, more...)
	f.ended = f.log[len(f.log)-1].Type == eventDone
	close(f.changed)
	f.changed = make(chan struct{})
}

// next returns the first event after the id last; else a channel that says when to ask again, nil where
// the job has ended and nothing will come.
func (f *feed) next(last int64) (e Event, ok bool, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i, seen := slices.BinarySearchFunc(f.log, last, func(e Event, id int64) int { return cmp.Compare(e.ID, id) })
	if seen {
		i++
	}
	switch {
	case i < len(f.log):
		return f.log[i], true, nil
	case f.ended:
		return Event{}, false, nil
	default:
		return Event{}, false, f.changed
	}
}

// eventDone is the type of the last event.
const eventDone = "done"

// eventID numbers an event by the id that Redis gave it, its ms and a number within: ms × 1000 + number. So
// numbers go on rising also where Redis lost a stream. What is no id is before all others.
func eventID(text string) int64 {
	left, right, _ := strings.Cut(text, "-")
	ms, err1 := strconv.ParseInt(left, 10, 64)
	seq, err2 := strconv.ParseInt(right, 10, 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	return ms*idsPerMs + min(seq, idsPerMs-1)
}

const idsPerMs = 1000

// Watcher reads the events of a job. Close it at the end. One goroutine at a time may use it.
type Watcher struct {
	feed   *feed
	last   int64
	over   bool
	closed bool
}

// Watch returns the events of a job after the one numbered last, 0 = from the first. It works on any node.
func (e *Engine) Watch(ctx context.Context, id string, last int64) (*Watcher, error) {
	e.setup()
	j, err := e.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	f, err := e.hub.join(id)
	if err != nil {
		return nil, err
	}
	f.refresh(ctx)
	w := &Watcher{feed: f, last: last}
	if j.State.Ended() {
		f.fill(&j)
	}
	return w, nil
}

// Next waits for the next event. After the event done it returns io.EOF; it returns ctx's error when that
// ends, and another where the node leaves.
func (w *Watcher) Next(ctx context.Context) (Event, error) {
	if w.over {
		return Event{}, io.EOF
	}
	for {
		e, ok, changed := w.feed.next(w.last)
		if ok {
			w.last, w.over = e.ID, e.Type == eventDone
			return e, nil
		}
		if changed == nil {
			w.over = true
			return Event{}, io.EOF
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Event{}, ctx.Err()
		case <-w.feed.hub.ctx.Done():
			return Event{}, errHubClosed
		}
	}
}

// Over reports whether the job has ended and no event is left.
func (w *Watcher) Over() bool {
	_, ok, changed := w.feed.next(w.last)
	return !ok && changed == nil
}

// Close leaves the job. Twice is fine.
func (w *Watcher) Close() {
	if !w.closed {
		w.closed = true
		w.feed.hub.leave(w.feed)
	}
}
