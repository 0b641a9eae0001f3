package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

// coldPage is a request for a picture that nobody has asked for yet.
func (b *bench) coldPage(i int) *Request {
	return NewRequest(b.source, fmt.Sprintf("cold/%d.jpg", i), resize.Options{Width: 100, Format: resize.FormatJPEG})
}

// Five hundred cold pictures at once, while the engine stands still: those beyond slots and queue are told
// at once when to come back, the others get their picture, and hits do not notice.
func TestStampedeOfColdPictures(t *testing.T) {
	const cold, queue = 500, 50
	b := newBench(t)
	b.get(t, b.request(100))
	b.Gate = &Gate{Slots: 2, Memory: 512 << 20, Queue: queue, Wait: time.Minute}
	open := make(chan struct{})
	b.engine.run = func(context.Context) error { <-open; return nil }
	var ok, refused atomic.Int64
	var wait sync.WaitGroup
	for i := range cold {
		wait.Go(func() {
			_, _, err := b.Get(t.Context(), b.coldPage(i))
			var later interface{ RetryAfter() time.Duration }
			switch {
			case err == nil:
				ok.Add(1)
			case errors.Is(err, ErrOverloaded) && statusOf(err) == http.StatusServiceUnavailable && errors.As(err, &later) && later.RetryAfter() > 0:
				refused.Add(1)
			default:
				t.Errorf("cold picture %d: %v", i, err)
			}
		})
	}
	until(t, func() bool { return refused.Load() == cold-queue-2 })
	for range 1000 {
		if e, via := b.Lookup(b.request(100)); e == nil || via.Hit != TierMemory {
			t.Fatalf("a hit in between: %+v", via)
		}
	}
	close(open)
	wait.Wait()
	if ok.Load() != queue+2 {
		t.Errorf("%d pictures, want %d of the queue and 2 of the slots", ok.Load(), queue)
	}
}

// Sixty-four bombs, each just under the limit: decoded bytes stay within the budget, nobody is left.
func TestBombsUnderTheLimit(t *testing.T) {
	const budget = 512 << 20
	b := newBench(t)
	b.Gate = &Gate{Slots: 8, Memory: budget, Queue: 100, Wait: time.Minute}
	b.engine.probe = func(data []byte) (resize.Source, error) {
		return resize.Source{Format: resize.FormatPNG, Width: 7000, Height: 7000, Pages: 1, Bands: 4, Depth: 16, Progressive: true, Bytes: int64(len(data))}, nil
	}
	b.engine.run = func(context.Context) error {
		if s := b.Gate.Stats(); s.Reserved > budget || s.Reserved < 7000*7000*8 || s.Lanes[LaneHuge].Busy != 1 {
			t.Errorf("%+v reserved while a bomb is decoded", s)
		}
		return nil
	}
	b.source.Limits.Memory = budget
	var wait sync.WaitGroup
	for i := range 64 {
		wait.Go(func() {
			if _, _, err := b.Get(t.Context(), b.coldPage(i)); err != nil && !errors.Is(err, ErrOverloaded) {
				t.Errorf("bomb %d: %v", i, err)
			}
		})
	}
	wait.Wait()
	if s := b.Gate.Stats(); s.Busy != 0 || s.Reserved != 0 || s.Waiting != 0 {
		t.Errorf("at the end %+v", s)
	}
}

func TestKeepMaxItem(t *testing.T) {
	for name, tt := range map[string]struct {
		max     int64
		fetches int64
	}{"kept": {7, 1}, "one byte too large": {6, 2}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.KeepMaxItem = tt.max // the original has 7 bytes
			b.get(t, b.request(100))
			b.get(t, b.request(200))
			b.counts(t, tt.fetches, 2)
		})
	}
}

// An original that is gone at the origin is not the answer for other variants.
func TestGoneOriginalIsDropped(t *testing.T) {
	b := newBench(t)
	b.source.Fresh, b.source.Sie, b.source.Swr = time.Minute, 0, 0
	b.get(t, b.request(100))
	b.clock.add(2 * time.Minute)
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) {
		return nil, statusError{http.StatusNotFound, "not_found"}
	}
	if e, _ := b.get(t, b.request(200)); e.Status != http.StatusNotFound {
		t.Errorf("status %d, want 404", e.Status)
	}
	if kept, err := b.keptOriginal(t.Context(), originalKey(b.request(100))); kept != nil || err != nil {
		t.Errorf("the original is kept though it is gone (%v)", err)
	}
	b.origin.fetch = func(c origin.Conditions) (*origin.Original, error) {
		if c != (origin.Conditions{}) {
			t.Errorf("asked with %+v, want without validators of what is gone", c)
		}
		return &origin.Original{Data: jpeg("two"), Meta: origin.Meta{ETag: `"2"`, MaxAge: -1}}, nil
	}
	if e, _ := b.get(t, b.request(300)); string(e.Body) != "300×225 of two" {
		t.Errorf("made %q", e.Body)
	}
}

// A flight that ends between a look at what is kept and the next flight's beginning has kept what that one
// would fetch.
func TestSecondLookInTheFetchFlight(t *testing.T) {
	b := newBench(t)
	r := b.request(100)
	key := originalKey(r)
	keep := func(fresh time.Duration) {
		now := b.clock.Now()
		e := &cache.Entry{
			Status: http.StatusOK, Body: jpeg("kept"), OriginETag: `"k"`, Stored: now, Fresh: now.Add(fresh),
			Stale: now.Add(time.Hour), Generation: b.Redis.Generation(key),
		}
		if err := b.Originals.Set(t.Context(), key, e); err != nil {
			t.Fatal(err)
		}
	}
	keep(-time.Minute) // so that the first look asks for the time twice: is it kept, is it fresh
	asked := 0
	b.Now = func() time.Time {
		if asked++; asked == 2 {
			keep(time.Minute)
		}
		return b.clock.Now()
	}
	o, err := b.original(t.Context(), r, b.Redis.Generation(key), nil)
	if err != nil || !o.kept {
		t.Fatalf("original: %+v %v, want what was kept in between", o, err)
	}
	b.drop(o.Data)
	b.counts(t, 0, 0)
}

func TestMaxWaiters(t *testing.T) {
	b := newBench(t)
	b.MaxWaiters = 2
	entered, hold := make(chan struct{}), make(chan struct{})
	b.engine.run = func(context.Context) error { close(entered); <-hold; return nil }
	first := b.async(t.Context(), b.request(100))
	<-entered
	second := b.async(t.Context(), b.request(100))
	until(t, func() bool { return b.fills.Stats().Waiting == 2 })
	if _, _, err := b.Get(t.Context(), b.request(100)); statusOf(err) != http.StatusServiceUnavailable {
		t.Errorf("a third: %v, want 503", err)
	}
	close(hold)
	for _, c := range []<-chan outcome{first, second} {
		if o := <-c; o.err != nil {
			t.Errorf("one that waited: %v", o.err)
		}
	}
}

func TestRefreshesAreBounded(t *testing.T) {
	for name, tt := range map[string]struct{ limit, want int }{"two": {2, 2}, "default": {0, 16}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.Refreshes, b.Gate = tt.limit, &Gate{Slots: 100, Queue: 100}
			for i := range 20 {
				b.get(t, b.coldPage(i))
			}
			b.clock.add(90 * time.Minute)
			hold := make(chan struct{})
			b.origin.fetch = func(origin.Conditions) (*origin.Original, error) {
				<-hold
				return &origin.Original{Data: jpeg("two"), Meta: origin.Meta{ETag: `"2"`, MaxAge: -1}}, nil
			}
			for i := range 20 {
				if _, via := b.get(t, b.coldPage(i)); via.Hit != TierMemory {
					t.Errorf("%d: %+v, want it served stale", i, via)
				}
			}
			close(hold)
			b.behind.wait.Wait()
			if n := b.Stats().Refreshes; n != uint64(tt.want) {
				t.Errorf("%d refreshes, want %d", n, tt.want)
			}
		})
	}
}

// Both graces count from the end of freshness: the longer one ends the entry, whichever it is.
func TestGracesAreNotAdded(t *testing.T) {
	for name, tt := range map[string]struct{ swr, sie, stale time.Duration }{
		"error longer":      {time.Hour, 10 * time.Hour, 11 * time.Hour},
		"revalidate longer": {10 * time.Hour, time.Hour, 11 * time.Hour},
		"none":              {0, 0, time.Hour},
	} {
		s := &Source{Fresh: time.Hour, Swr: tt.swr, Sie: tt.sie}
		var e cache.Entry
		now := time.Now()
		s.lives(&e, origin.Meta{MaxAge: -1}, now)
		if got := [...]time.Duration{e.Fresh.Sub(now), e.Swr.Sub(now), e.Stale.Sub(now)}; got != [...]time.Duration{time.Hour, time.Hour + tt.swr, tt.stale} {
			t.Errorf("%s: fresh, swr, stale after %v", name, got)
		}
	}
}

// What the origin has confirmed is refreshed again when its new time is over, however a refresh failed
// before.
func TestConfirmationEndsThePause(t *testing.T) {
	b := newBench(t)
	b.source.Negative = 10 * time.Hour
	r := b.request(100)
	b.get(t, r)
	b.clock.add(3 * time.Hour) // past stale-while-revalidate
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) { return nil, errors.New("down") }
	if _, via := b.get(t, r); via.StaleError == 0 {
		t.Fatalf("with the origin down: %+v, want the stale copy", via)
	}
	e := b.peek(t.Context(), r.Key)
	if e.Retry.IsZero() {
		t.Fatal("no pause after a failure")
	}
	again := b.source.confirmed(e, origin.Meta{MaxAge: -1}, e.Generation, b.clock.Now())
	if !again.Retry.IsZero() || again.RetryStatus != 0 {
		t.Errorf("confirmed, yet not asked before %v (%d)", again.Retry, again.RetryStatus)
	}
}

// The one who came first leaves while the picture is made: it is finished, and the next finds it.
func TestLeaderLeavesWhileRendering(t *testing.T) {
	b := newBench(t)
	entered, hold := make(chan struct{}), make(chan struct{})
	b.engine.run = func(context.Context) error { close(entered); <-hold; return nil }
	ctx, leave := context.WithCancel(t.Context())
	first := b.async(ctx, b.request(100))
	<-entered
	leave()
	if o := <-first; !errors.Is(o.err, context.Canceled) {
		t.Errorf("who left: %v", o.err)
	}
	close(hold)
	until(t, func() bool { return b.fills.Stats().Running == 0 })
	if _, via := b.get(t, b.request(100)); via.Hit != TierMemory {
		t.Errorf("afterwards: %+v, want a hit", via)
	}
	b.counts(t, 1, 1)
}
