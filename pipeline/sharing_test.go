package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

// outcome is what Get returned in another goroutine.
type outcome struct {
	entry *cache.Entry
	via   Via
	err   error
}

func (b *bench) async(ctx context.Context, r *Request) <-chan outcome {
	c := make(chan outcome, 1)
	go func() {
		e, via, err := b.Get(ctx, r)
		c <- outcome{e, via, err}
	}()
	return c
}

func (b *bench) purge(t *testing.T, p cache.Purge) {
	t.Helper()
	if _, err := b.purger.Purge(t.Context(), p); err != nil {
		t.Fatalf("Purge(%+v): %v", p, err)
	}
}

// firstSlow makes the origin answer old, once hold is closed, to the first request, and now to the others.
func (b *bench) firstSlow(old func() (*origin.Original, error)) (entered <-chan struct{}, hold chan struct{}) {
	began := make(chan struct{})
	hold = make(chan struct{})
	var calls atomic.Int64
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) {
		if calls.Add(1) == 1 {
			close(began)
			<-hold
			return old()
		}
		return &origin.Original{Data: jpeg("new"), Meta: origin.Meta{ETag: `"2"`, MaxAge: -1}}, nil
	}
	return began, hold
}

func TestRequestAfterAPurgeDoesNotJoinWorkBegunBefore(t *testing.T) {
	for name, width := range map[string]int{"same variant": 100, "another variant": 200} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			entered, hold := b.firstSlow(func() (*origin.Original, error) {
				return &origin.Original{Data: jpeg("old"), Meta: origin.Meta{ETag: `"1"`, MaxAge: -1}}, nil
			})
			early := b.async(t.Context(), b.request(100))
			<-entered
			b.purge(t, cache.Purge{Source: "shop", Object: "a.jpg"})
			if e, _ := b.get(t, b.request(width)); string(e.Body[len(e.Body)-3:]) != "new" {
				t.Errorf("asked after the purge: %q", e.Body)
			}
			close(hold)
			<-early
			if e, via := b.get(t, b.request(width)); string(e.Body[len(e.Body)-3:]) != "new" || via.Hit != TierMemory {
				t.Errorf("later: %q %+v, want the new picture kept", e.Body, via)
			}
		})
	}
}

func TestRefusalFromBeforeAPurgeIsNotKept(t *testing.T) {
	b := newBench(t)
	entered, hold := b.firstSlow(func() (*origin.Original, error) { return nil, statusError{http.StatusNotFound, "not_found"} })
	early := b.async(t.Context(), b.request(100))
	<-entered
	b.purge(t, cache.Purge{Source: "shop", Object: "a.jpg"})
	close(hold)
	if o := <-early; o.err != nil || o.entry.Status != http.StatusNotFound {
		t.Errorf("the early request: %+v, want its 404", o)
	}
	if e, via := b.get(t, b.request(100)); e.Status != http.StatusOK {
		t.Errorf("after the purge: %d %+v", e.Status, via)
	}
}

func TestClientThatLeavesTheQueueChangesNothing(t *testing.T) {
	b := newBench(t)
	b.Gate = &Gate{Slots: 1, Queue: 10, Wait: time.Minute}
	r := b.request(100)
	b.get(t, r)
	b.clock.add(3 * time.Hour) // beyond stale-while-revalidate, within stale-if-error
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) {
		return &origin.Original{Data: jpeg("two"), Meta: origin.Meta{ETag: `"2"`, MaxAge: -1}}, nil
	}
	leave := enter(t, b.Gate, 0)
	ctx, cancel := context.WithCancel(t.Context())
	gone := b.async(ctx, r)
	until(t, func() bool { return b.Gate.Stats().Waiting == 1 })
	cancel()
	<-gone
	until(t, func() bool { return b.fills.Stats().Running == 0 })
	leave()
	if e, via := b.get(t, r); via.StaleError != 0 || string(e.Body) != "100×75 of two" {
		t.Errorf("%q %+v, want the new picture", e.Body, via)
	}
}

func TestJoinedUnchangedIsUsedWithTheKeptBytes(t *testing.T) {
	b := newBench(t)
	meta := origin.Meta{ETag: `"1"`, MaxAge: 0} // no-cache: asked each time
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) {
		return &origin.Original{Data: jpeg("one"), Meta: meta}, nil
	}
	b.get(t, b.request(100))
	if err := b.Originals.Delete(t.Context(), originalKey(b.request(100))); err != nil {
		t.Fatal(err)
	}
	b.clock.add(time.Minute)
	entered, hold := make(chan struct{}), make(chan struct{})
	b.origin.fetch = func(c origin.Conditions) (*origin.Original, error) {
		if c.ETag == "" {
			return &origin.Original{Data: jpeg("one"), Meta: meta}, nil
		}
		close(entered)
		<-hold
		return &origin.Original{NotModified: true, Meta: meta}, nil
	}
	first := b.async(t.Context(), b.request(100)) // conditional, with a stale copy and no bytes
	<-entered
	b.get(t, b.request(200)) // fetches the bytes and keeps them
	third := b.async(t.Context(), b.request(300))
	until(t, func() bool { return b.fetches.Stats().Waiting == 2 })
	close(hold)
	<-first
	if o := <-third; o.err != nil || o.entry.Status != http.StatusOK {
		t.Errorf("the third variant: %+v %v, want a picture", o.entry, o.err)
	}
}

func TestPurgeByTagReachesOriginalsAndRefusals(t *testing.T) {
	t.Run("source's tag, kept original", func(t *testing.T) {
		b := newBench(t)
		b.source.Tags = []string{"summer"}
		r := b.request(100)
		b.get(t, r)
		if err := b.Memory.Delete(t.Context(), r.Key); err != nil {
			t.Fatal(err)
		}
		b.purge(t, cache.Purge{Tag: "summer"})
		b.get(t, r)
		b.counts(t, 2, 2)
	})
	t.Run("request's tag, refusal", func(t *testing.T) {
		b := newBench(t)
		b.origin.fetch = func(origin.Conditions) (*origin.Original, error) { return nil, statusError{http.StatusNotFound, "x"} }
		r := b.request(100).Tagged([]string{"mount"})
		b.get(t, r)
		b.purge(t, cache.Purge{Tag: "mount"})
		b.get(t, r)
		b.counts(t, 2, 0)
	})
	t.Run("request's tag, beside an untagged twin", func(t *testing.T) {
		b := newBench(t)
		b.get(t, b.request(100))
		r := b.request(100).Tagged([]string{"mount"})
		b.get(t, r)
		b.purge(t, cache.Purge{Tag: "mount"})
		if _, via := b.get(t, r); via.Hit == TierMemory {
			t.Errorf("after the purge of its tag: %+v", via)
		}
	})
}

// Bytes that are no picture are not kept for the other variants, so that a 415 ends with its negative life.
func TestGarbageIsNotKept(t *testing.T) {
	page := func(origin.Conditions) (*origin.Original, error) {
		return &origin.Original{Data: []byte("<html>be back soon"), Meta: origin.Meta{MaxAge: -1}}, nil
	}
	for _, stale := range []bool{false, true} {
		b := newBench(t)
		plain := b.origin.fetch
		if stale {
			b.get(t, b.request(100))
			b.clock.add(3 * time.Hour)
		}
		b.origin.fetch = page
		b.get(t, b.request(100))
		b.origin.fetch = plain
		b.clock.add(31 * time.Second)
		if e, via := b.get(t, b.request(100)); e.Status != http.StatusOK || via.StaleError != 0 {
			t.Errorf("stale %v: %d %+v after the origin healed", stale, e.Status, via)
		}
	}
	// What only the engine finds broken is not kept either.
	b := newBench(t)
	b.engine.probe = func([]byte) (resize.Source, error) {
		return resize.Source{}, resize.Unprocessable("corrupt_image", "broken")
	}
	b.get(t, b.request(100))
	b.get(t, b.request(200))
	b.counts(t, 2, 0)
}

func TestBare304WithTheKeptOriginal(t *testing.T) {
	b := newBench(t)
	b.source.Swr = 0
	b.origin.fetch = func(c origin.Conditions) (*origin.Original, error) {
		if c.ETag != "" {
			return &origin.Original{NotModified: true, Meta: origin.Meta{ETag: `"1"`, MaxAge: -1}}, nil
		}
		return &origin.Original{Data: jpeg("one"), Meta: origin.Meta{ETag: `"1"`, MaxAge: time.Minute}}, nil
	}
	b.get(t, b.request(100))
	b.clock.add(2 * time.Minute)
	if _, via := b.get(t, b.request(100)); via.TTL != time.Minute {
		t.Errorf("confirmed for %v, want the minute that the origin gave", via.TTL)
	}
}

func TestNoStoreTakesWhatWasKeptBefore(t *testing.T) {
	b := newBench(t)
	b.get(t, b.request(100))
	b.clock.add(90 * time.Minute)
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) {
		return &origin.Original{Data: jpeg("secret"), Meta: origin.Meta{ETag: `"2"`, NoStore: true}}, nil
	}
	b.get(t, b.request(100))
	b.behind.wait.Wait()
	if e, via := b.get(t, b.request(100)); string(e.Body) != "100×75 of secret" || via.Hit != TierNone {
		t.Errorf("after the origin was found to forbid keeping: %q %+v", e.Body, via)
	}
}

func TestWatermarkIsAskedForAgain(t *testing.T) {
	b := newBench(t)
	b.Originals = nil
	logo := &fakeOrigin{fetch: func(origin.Conditions) (*origin.Original, error) {
		return &origin.Original{Data: jpeg("logo"), Meta: origin.Meta{ETag: `"l"`, MaxAge: 10 * time.Minute}}, nil
	}}
	marks := &Source{Name: "marks", Origin: logo, Limits: b.source.Limits, Fresh: b.source.Fresh}
	b.SourceOf = func(name string) *Source {
		if name != "marks" {
			t.Errorf("source %q is looked for, want marks", name)
		}
		return marks
	}
	b.origin.fetch = func(c origin.Conditions) (*origin.Original, error) {
		if c.ETag != "" {
			return &origin.Original{NotModified: true, Meta: origin.Meta{ETag: c.ETag, MaxAge: -1}}, nil
		}
		return &origin.Original{Data: jpeg("one"), Meta: origin.Meta{ETag: `"1"`, MaxAge: -1}}, nil
	}
	o, err := resize.Parse("w=100&f=jpeg&wm=marks%2Flogo.jpg")
	if err != nil {
		t.Fatal(err)
	}
	r := NewRequest(b.source, "a.jpg", o)
	if e, _ := b.get(t, r); e.Fresh.Sub(e.Stored) != 10*time.Minute {
		t.Errorf("fresh for %v, want no longer than the watermark", e.Fresh.Sub(e.Stored))
	}
	b.clock.add(3 * time.Hour)
	b.get(t, r)
	if n := logo.calls.Load(); n != 2 {
		t.Errorf("the watermark was fetched %d times, want again when nothing is fresh", n)
	}
}

// What queues at the gate holds its originals, and the next ones are not fetched while there is no room.
func TestOriginalsHeldAreBounded(t *testing.T) {
	b := newBench(t)
	b.Originals, b.Room = nil, &origin.Room{Bytes: 3<<20 + 3, Wait: time.Millisecond}
	b.Gate = &Gate{Slots: 1, Queue: 100}
	body := append(jpeg("x"), make([]byte, 1<<20-5)...)
	b.source.Origin = &origin.Source{Room: b.Room, Opener: openFunc(func() *origin.Object {
		return &origin.Object{Body: io.NopCloser(bytes.NewReader(body)), Size: int64(len(body)), Meta: origin.Meta{MaxAge: -1}}
	})}
	leave := enter(t, b.Gate, 0)
	var all []<-chan outcome
	for _, object := range []string{"a", "b"} {
		all = append(all, b.async(t.Context(), NewRequest(b.source, object, resize.Options{Format: resize.FormatJPEG})))
		until(t, func() bool { return b.Gate.Stats().Waiting == len(all) })
	}
	all = append(all, b.async(t.Context(), NewRequest(b.source, "a", resize.Options{Width: 10, Format: resize.FormatJPEG})))
	until(t, func() bool { return b.Gate.Stats().Waiting == 3 })
	_, _, err := b.Get(t.Context(), NewRequest(b.source, "d", resize.Options{Format: resize.FormatJPEG}))
	var c coded
	if !errors.As(err, &c) || c.HTTPStatus() != http.StatusServiceUnavailable || c.Code() != "overloaded" {
		t.Errorf("a fourth megabyte: %v, want 503", err)
	}
	if n := b.Stats().Gate.Refused[RefusedOriginals]; n != 1 {
		t.Errorf("%d counted as refused, want 1", n)
	}
	leave()
	for _, c := range all {
		if o := <-c; o.err != nil {
			t.Errorf("one that queued: %v", o.err)
		}
	}
	if s := b.Room.Stats(); s.Used != 0 {
		t.Errorf("%d bytes are held at the end", s.Used)
	}
}

// openFunc is an Opener.
type openFunc func() *origin.Object

func (f openFunc) Open(context.Context, string, origin.Conditions) (*origin.Object, error) {
	return f(), nil
}

func TestCloseWaitsForWorkThatNobodyWaitsFor(t *testing.T) {
	b := newBench(t)
	entered, hold := make(chan struct{}), make(chan struct{})
	b.engine.run = func(context.Context) error {
		close(entered)
		<-hold
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := b.async(ctx, b.request(100))
	<-entered
	cancel()
	<-c
	short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if err := b.Close(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close with a render under way: %v, want DeadlineExceeded", err)
	}
	close(hold)
	if err := b.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestFailedRefreshIsCounted(t *testing.T) {
	b := newBench(t)
	b.get(t, b.request(100))
	b.clock.add(90 * time.Minute)
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) { return nil, errors.New("down") }
	b.get(t, b.request(100))
	b.behind.wait.Wait()
	if s := b.Stats(); s.RefreshErrors != 1 || s.StaleServed != 0 {
		t.Errorf("%d refresh errors and %d stale served, want 1 and 0", s.RefreshErrors, s.StaleServed)
	}
}
