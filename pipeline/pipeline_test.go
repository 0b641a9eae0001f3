package pipeline

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

func TestColdRequestsShareOneFetchAndOneRender(t *testing.T) {
	b := newBench(t)
	r := b.request(100)
	const clients = 100
	plain := b.origin.fetch
	b.origin.fetch = func(c origin.Conditions) (*origin.Original, error) {
		until(t, func() bool { return b.fills.Stats().Waiting == clients })
		return plain(c)
	}
	var wait sync.WaitGroup
	for range clients {
		wait.Go(func() {
			if e, _, err := b.Get(t.Context(), r); err != nil || string(e.Body) != "100×75 of one" {
				t.Errorf("Get: %v, %v", e, err)
			}
		})
	}
	wait.Wait()
	b.counts(t, 1, 1)
	if s := b.Stats(); s.CollapsedNode != clients-1 {
		t.Errorf("%d collapsed, want %d", s.CollapsedNode, clients-1)
	}
	if _, via := b.get(t, r); via.Hit != TierMemory || via.TTL != time.Hour {
		t.Errorf("afterwards %+v, want a memory hit with an hour left", via)
	}
}

func TestVariantsAskedAtOnceShareOneFetch(t *testing.T) {
	b := newBench(t)
	b.Originals = nil // the flight alone has to do it
	const variants = 8
	plain := b.origin.fetch
	b.origin.fetch = func(c origin.Conditions) (*origin.Original, error) {
		until(t, func() bool { return b.fetches.Stats().Waiting == variants })
		return plain(c)
	}
	var wait sync.WaitGroup
	for i := range variants {
		wait.Go(func() {
			if _, _, err := b.Get(t.Context(), b.request(100+i)); err != nil {
				t.Errorf("Get: %v", err)
			}
		})
	}
	wait.Wait()
	b.counts(t, 1, variants)
}

func TestKeptOriginalSparesFetches(t *testing.T) {
	b := newBench(t)
	b.get(t, b.request(100))
	if _, via := b.get(t, b.request(200)); !via.OriginalKept {
		t.Errorf("the second variant: %+v, want the original kept", via)
	}
	b.counts(t, 1, 2)
	// Once the freshness is over the origin is asked, conditionally (ruling 46).
	b.source.Fresh = time.Minute
	b.clock.add(2 * time.Hour)
	var asked origin.Conditions
	b.origin.fetch = func(c origin.Conditions) (*origin.Original, error) {
		asked = c
		return &origin.Original{NotModified: true, Meta: origin.Meta{ETag: `"1"`, MaxAge: -1}}, nil
	}
	b.KeepFor = time.Hour
	b.Originals = nil
	if _, via := b.get(t, b.request(100)); asked.ETag != `"1"` || !via.Revalidated {
		t.Errorf("asked %+v and answered %+v, want a conditional fetch and no render", asked, via)
	}
	b.counts(t, 2, 2)
}

func TestKeptOriginalIsRevalidatedForANewVariant(t *testing.T) {
	b := newBench(t)
	b.source.Fresh = time.Minute
	b.get(t, b.request(100))
	b.clock.add(2 * time.Minute) // past fresh, within KeepFor
	b.origin.fetch = func(c origin.Conditions) (*origin.Original, error) {
		if c.ETag != `"1"` {
			t.Errorf("asked with %+v, want the kept validator", c)
		}
		return &origin.Original{NotModified: true, Meta: origin.Meta{ETag: `"1"`, MaxAge: -1}}, nil
	}
	if e, _ := b.get(t, b.request(200)); string(e.Body) != "200×150 of one" {
		t.Errorf("made %q of the kept original", e.Body)
	}
	b.counts(t, 2, 2)
}

func TestStaleWhileRevalidate(t *testing.T) {
	b := newBench(t)
	r := b.request(100)
	first, _ := b.get(t, r)
	b.clock.add(90 * time.Minute)
	b.origin.fetch = func(c origin.Conditions) (*origin.Original, error) {
		return &origin.Original{Data: jpeg("two"), Meta: origin.Meta{ETag: `"2"`, MaxAge: -1}}, nil
	}
	e, via := b.get(t, r)
	if e != first || via.Hit != TierMemory || via.TTL != -30*time.Minute {
		t.Errorf("got %q %+v, want the stale copy as a hit with ttl −30m", e.Body, via)
	}
	b.behind.wait.Wait()
	if e, via := b.get(t, r); string(e.Body) != "100×75 of two" || via.TTL != time.Hour {
		t.Errorf("after the refresh %q %+v", e.Body, via)
	}
	b.counts(t, 2, 2)
}

func TestUnchangedOriginNeedsNoRender(t *testing.T) {
	b := newBench(t)
	b.Originals = nil
	r := b.request(100)
	first, _ := b.get(t, r)
	b.clock.add(3 * time.Hour) // beyond stale-while-revalidate
	b.origin.fetch = func(c origin.Conditions) (*origin.Original, error) {
		if c.ETag != `"1"` {
			t.Errorf("asked with %+v, want the validator of the stale copy", c)
		}
		return &origin.Original{NotModified: true, Meta: origin.Meta{MaxAge: -1}}, nil
	}
	e, via := b.get(t, r)
	if !via.Revalidated || via.Hit != TierNone || e.ETag != first.ETag || !e.Stored.Equal(b.clock.Now()) {
		t.Errorf("got %+v, Stored %v, want it revalidated with Age restarted", via, e.Stored)
	}
	b.counts(t, 2, 1)
	if _, via := b.get(t, r); via.Hit != TierMemory || via.TTL != time.Hour {
		t.Errorf("afterwards %+v, want a fresh memory hit", via)
	}
}

func TestStaleIfError(t *testing.T) {
	b := newBench(t)
	b.Originals = nil
	r := b.request(100)
	b.get(t, r)
	b.clock.add(3 * time.Hour)
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) {
		return nil, statusError{http.StatusBadGateway, "origin_failed"}
	}
	for range 5 {
		if e, via := b.get(t, r); string(e.Body) != "100×75 of one" || via.StaleError != http.StatusBadGateway || via.Hit != TierNone {
			t.Errorf("got %q %+v, want the stale copy and 502 noted", e.Body, via)
		}
	}
	b.counts(t, 2, 1) // a failed refresh is not tried again for negative (ruling 18)
	b.clock.add(31 * time.Second)
	b.get(t, r)
	b.counts(t, 3, 1)
	b.clock.add(10 * time.Hour)
	if _, _, err := b.Get(t.Context(), r); statusOf(err) != http.StatusBadGateway {
		t.Errorf("beyond stale-if-error: %v, want the 502", err)
	}
}

func TestFailedRefreshIsNotRepeated(t *testing.T) {
	b := newBench(t)
	r := b.request(100)
	b.get(t, r)
	b.clock.add(90 * time.Minute)
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) {
		return nil, statusError{http.StatusBadGateway, "origin_failed"}
	}
	for range 5 {
		if _, via := b.get(t, r); via.Hit != TierMemory || via.StaleError != 0 {
			t.Errorf("got %+v, want a stale hit", via)
		}
		b.behind.wait.Wait()
	}
	b.counts(t, 2, 1)
}

func TestNotAPictureIsAnOutageWhileAStaleCopyIsAtHand(t *testing.T) { // ruling 47
	b := newBench(t)
	b.Originals = nil
	r := b.request(100)
	page := func(origin.Conditions) (*origin.Original, error) {
		return &origin.Original{Data: []byte("<html>come back later"), Meta: origin.Meta{MaxAge: -1}}, nil
	}
	b.get(t, r)
	b.clock.add(3 * time.Hour)
	b.origin.fetch = page
	if e, via := b.get(t, r); e.Status != http.StatusOK || via.StaleError != http.StatusBadGateway {
		t.Errorf("got status %d %+v, want the stale copy", e.Status, via)
	}
	if e, _ := b.get(t, b.request(200)); e.Status != http.StatusUnsupportedMediaType || e.Code != "not_an_image" {
		t.Errorf("without a copy: %d %s, want 415 not_an_image", e.Status, e.Code)
	}
}

func TestRefusalsAreRemembered(t *testing.T) {
	tests := []struct {
		name     string
		status   int
		remember bool
	}{
		{"missing", http.StatusNotFound, true},
		{"gone", http.StatusGone, true},
		{"too large", http.StatusRequestEntityTooLarge, true},
		{"origin failed", http.StatusBadGateway, false},
		{"origin late", http.StatusGatewayTimeout, false},
		{"address refused", http.StatusForbidden, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.origin.fetch = func(origin.Conditions) (*origin.Original, error) { return nil, statusError{tt.status, "x"} }
			for range 3 {
				e, _, err := b.Get(t.Context(), b.request(100))
				if tt.remember && (err != nil || e.Status != tt.status) {
					t.Errorf("Get: %v, %v, want an entry of status %d", e, err, tt.status)
				}
				if !tt.remember && statusOf(err) != tt.status {
					t.Errorf("Get: %v, want an error of status %d", err, tt.status)
				}
			}
			want := int64(3)
			if tt.remember {
				want = 1
			}
			if got := b.origin.calls.Load(); got != want {
				t.Errorf("%d fetches for 3 requests, want %d", got, want)
			}
			b.clock.add(31 * time.Second)
			_, _, _ = b.Get(t.Context(), b.request(100)) // only the count matters
			if got := b.origin.calls.Load(); got != want+1 {
				t.Errorf("%d fetches after the negative life, want %d", got, want+1)
			}
		})
	}
}

func TestOriginShortensFreshness(t *testing.T) { // ruling 18
	tests := []struct {
		name       string
		maxAge     time.Duration
		fresh, swr time.Duration
	}{
		{"not said", -1, time.Hour, time.Hour},
		{"shorter", time.Minute, time.Minute, time.Hour},
		{"longer", 48 * time.Hour, time.Hour, time.Hour},
		{"no-cache", 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.origin.fetch = func(origin.Conditions) (*origin.Original, error) {
				return &origin.Original{Data: jpeg("x"), Meta: origin.Meta{ETag: `"x"`, MaxAge: tt.maxAge}}, nil
			}
			e, _ := b.get(t, b.request(100))
			if got := e.Fresh.Sub(e.Stored); got != tt.fresh {
				t.Errorf("fresh for %v, want %v", got, tt.fresh)
			}
			if got := e.Swr.Sub(e.Fresh); got != tt.swr {
				t.Errorf("stale while revalidate for %v, want %v", got, tt.swr)
			}
			if got := e.Stale.Sub(e.Fresh); got != 10*time.Hour {
				t.Errorf("stale if error for %v, want 10h", got)
			}
		})
	}
}

func TestNoStoreIsKeptNowhere(t *testing.T) { // rulings 18 and 46
	b := newBench(t)
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) {
		return &origin.Original{Data: jpeg("x"), Meta: origin.Meta{MaxAge: -1, NoStore: true}}, nil
	}
	for range 2 {
		if _, via := b.get(t, b.request(100)); !via.NoStore || via.Stored || via.Hit != TierNone {
			t.Errorf("got %+v, want it answered and not stored", via)
		}
	}
	b.counts(t, 2, 2)
}

func TestPurgeWhileRendering(t *testing.T) { // ruling 27
	b := newBench(t)
	r := b.request(100)
	b.engine.run = func(context.Context) error {
		_, err := b.purger.Purge(t.Context(), cache.Purge{Source: "shop", Object: "a.jpg"})
		return err
	}
	b.get(t, r)
	b.engine.run = nil
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) {
		return &origin.Original{Data: jpeg("two"), Meta: origin.Meta{MaxAge: -1}}, nil
	}
	if e, via := b.get(t, r); string(e.Body) != "100×75 of two" || via.OriginalKept {
		t.Errorf("after the purge %q %+v, want it made anew", e.Body, via)
	}
	b.counts(t, 2, 2)
	if _, via := b.get(t, r); via.Hit != TierMemory {
		t.Errorf("then %+v, want a memory hit", via)
	}
}

func TestPurgedEntryIsMadeAnew(t *testing.T) {
	for name, purge := range map[string]cache.Purge{
		"all":    {All: true},
		"source": {Source: "shop"},
		"object": {Source: "shop", Object: "a.jpg"},
		"tag":    {Tag: "summer"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.source.Tags = []string{"summer"}
			b.get(t, b.request(100))
			if _, err := b.purger.Purge(t.Context(), purge); err != nil {
				t.Fatalf("Purge(%+v): %v", purge, err)
			}
			b.get(t, b.request(100))
			b.counts(t, 2, 2)
		})
	}
}

func TestRenderTimeout(t *testing.T) {
	b := newBench(t)
	b.RenderTimeout = time.Millisecond
	b.engine.run = func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	if _, _, err := b.Get(t.Context(), b.request(100)); !errors.Is(err, ErrRenderTimeout) {
		t.Errorf("Get: %v, want ErrRenderTimeout", err)
	}
}

func TestHitsAreServedWhileTheGateIsFull(t *testing.T) { // ruling 25
	b := newBench(t)
	b.get(t, b.request(100))
	b.Gate = &Gate{Slots: 1}
	leave := enter(t, b.Gate, 1)
	defer leave()
	if _, _, err := b.Get(t.Context(), b.request(200)); !errors.Is(err, ErrOverloaded) {
		t.Errorf("cold work: %v, want ErrOverloaded", err)
	}
	if _, via := b.get(t, b.request(100)); via.Hit != TierMemory {
		t.Errorf("a hit: %+v", via)
	}
}

func TestLeaderLeavesOthersGetTheirAnswer(t *testing.T) {
	b := newBench(t)
	r := b.request(100)
	gone, leave := context.WithCancel(t.Context())
	plain := b.origin.fetch
	b.origin.fetch = func(c origin.Conditions) (*origin.Original, error) {
		until(t, func() bool { return b.fills.Stats().Waiting == 2 })
		leave()
		until(t, func() bool { return b.fills.Stats().Waiting == 1 })
		return plain(c)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		if _, _, err := b.Get(gone, r); !errors.Is(err, context.Canceled) {
			t.Errorf("the leader: %v, want context.Canceled", err)
		}
	})
	until(t, func() bool { return b.fills.Stats().Waiting == 1 })
	b.get(t, r)
	wait.Wait()
	b.counts(t, 1, 1)
}

func TestRawNeedsNoRender(t *testing.T) {
	b := newBench(t)
	o := resize.Options{Format: resize.FormatRaw}
	e, _ := b.get(t, NewRequest(b.source, "a.jpg", o))
	if e.Type != "image/jpeg" || !bytes.Equal(e.Body, jpeg("one")) {
		t.Errorf("got %s %q, want the original", e.Type, e.Body)
	}
	b.counts(t, 1, 0)
}

func TestFormatsIn(t *testing.T) {
	b := newBench(t)
	b.source.FormatsIn = []resize.Format{resize.FormatPNG}
	if e, _ := b.get(t, b.request(100)); e.Status != http.StatusUnsupportedMediaType || e.Code != "unsupported_format" {
		t.Errorf("got %d %s, want 415 unsupported_format", e.Status, e.Code)
	}
	b.counts(t, 1, 0)
}

// statusError is an error of another room.
type statusError struct {
	status int
	code   string
}

func (e statusError) Error() string   { return e.code }
func (e statusError) HTTPStatus() int { return e.status }
func (e statusError) Code() string    { return e.code }

// until waits for a state that another goroutine brings about.
func until(t *testing.T, state func() bool) {
	deadline := time.Now().Add(10 * time.Second)
	for !state() {
		if time.Now().After(deadline) {
			t.Error("what was waited for did not come about in 10 s")
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// A 304 without Cache-Control leaves what the origin said before (ruling 19, RFC 9111 section 4.3.4).
func TestBare304KeepsTheOriginsMaxAge(t *testing.T) {
	for name, maxAge := range map[string]time.Duration{"no-cache": 0, "a minute": time.Minute} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.Originals, b.source.Swr = nil, 0
			b.origin.fetch = func(c origin.Conditions) (*origin.Original, error) {
				if c.ETag != "" {
					return &origin.Original{NotModified: true, Meta: origin.Meta{ETag: c.ETag, MaxAge: -1}}, nil
				}
				return &origin.Original{Data: jpeg("one"), Meta: origin.Meta{ETag: `"1"`, MaxAge: maxAge}}, nil
			}
			b.get(t, b.request(100))
			for range 2 {
				b.clock.add(2 * time.Minute)
				e, via := b.get(t, b.request(100))
				if !via.Revalidated || e.Fresh.Sub(e.Stored) != maxAge {
					t.Errorf("%+v, fresh for %v, want it confirmed for %v", via, e.Fresh.Sub(e.Stored), maxAge)
				}
			}
			b.counts(t, 3, 1)
		})
	}
}

func TestStoredIsSaidOnlyOfWhatIsKept(t *testing.T) {
	b := newBench(t)
	b.Memory = cache.NewMemory(0, b.purger)
	if _, via := b.get(t, b.request(100)); via.Stored {
		t.Errorf("without memory and Redis: %+v, want it not stored", via)
	}
	b.Shared = true
	if _, via := b.get(t, b.request(100)); !via.Stored {
		t.Errorf("with Redis: %+v, want it stored", via)
	}
}
