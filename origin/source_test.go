package origin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// openFunc is an Opener for one test.
type openFunc func(ctx context.Context, key string, cond Conditions) (*Object, error)

func (f openFunc) Open(ctx context.Context, key string, cond Conditions) (*Object, error) {
	return f(ctx, key, cond)
}

func objectWith(text string) *Object {
	return &Object{Body: io.NopCloser(strings.NewReader(text)), Size: int64(len(text)), Meta: Meta{MaxAge: -1}}
}

var errDown = errors.New("connection refused at 10.0.0.7:80")

func TestRetryMends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		src := &Source{Opener: openFunc(func(context.Context, string, Conditions) (*Object, error) {
			if tries++; tries < maxTries {
				return nil, failed(errDown)
			}
			return objectWith("picture"), nil
		})}
		start := time.Now()
		got, err := src.Fetch(t.Context(), "a.jpg", Conditions{})
		if err != nil || string(got.Data) != "picture" || tries != maxTries {
			t.Fatalf("got %v, %v after %d tries", describe(got), err, tries)
		}
		if took := time.Since(start); took > 2*firstPause+4*firstPause {
			t.Errorf("paused %v, want at most %v", took, 6*firstPause)
		}
		if st := src.Stats(); st.Requests[ResultOK] != 1 || st.Tries != maxTries || st.Bytes != 7 {
			t.Errorf("stats %+v", st)
		}
	})
}

// All fetches of a request together ask a server four times at most, and every server as often.
func TestAllowance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := func() *Source {
			return &Source{Opener: openFunc(func(context.Context, string, Conditions) (*Object, error) { return nil, failed(errDown) })}
		}
		one, other := down(), down()
		ctx := Sparing(t.Context())
		for range 3 {
			for _, src := range []*Source{one, other} {
				if _, err := src.Fetch(Sparing(ctx), "a.jpg", Conditions{}); resultOf(err) != ResultFailed {
					t.Errorf("Fetch: %v, want a failure", err)
				}
			}
		}
		for name, src := range map[string]*Source{"one": one, "the other": other} {
			if n := src.Stats().Tries; n != maxAsks {
				t.Errorf("%s was asked %d times for a request, want %d", name, n, maxAsks)
			}
		}
		if _, err := one.Fetch(Sparing(t.Context()), "a.jpg", Conditions{}); one.Stats().Tries == maxAsks {
			t.Errorf("another request is not let through: %v", err)
		}
	})
}

func TestRetryAfterIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const e4 = 4 * time.Second
		var at []time.Duration
		start := time.Now()
		src := &Source{Timeout: 12 * time.Second, Opener: openFunc(func(context.Context, string, Conditions) (*Object, error) {
			at = append(at, time.Since(start))
			e := failed(errDown)
			e.Wait = e4
			return nil, e
		})}
		_, err := src.Fetch(t.Context(), "a.jpg", Conditions{})
		wantStatus(t, err, http.StatusBadGateway, "origin_failed")
		const most = e4 + e4/4 + 2*firstPause
		if len(at) != 3 || at[1] < e4 || at[1] >= most || at[2]-at[1] < e4 || at[2]-at[1] >= most {
			t.Fatalf("asked at %v, want again %v to %v after each", at, e4, most)
		}
		if at[1] == e4 && at[2] == 2*e4 {
			t.Errorf("asked at %v to the nanosecond, as all others who were sent away", at)
		}
		at = nil
		src.Timeout = 7 * time.Second
		if _, err = src.Fetch(t.Context(), "a.jpg", Conditions{}); len(at) != 2 {
			t.Errorf("asked %d times within 7s, want 2: a third would come too late (%v)", len(at), err)
		}
		if got, want := src.peers.get("").tokens, retryBurst-3+retryShare; got != want {
			t.Errorf("%v retries left after 3, want %v: one that cannot come is not paid for", got, want)
		}
	})
}

// TestRetryBudget counts the tries of many fetches of which a third fails: too few for the breaker.
func TestRetryBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &Source{Opener: openFunc(func(_ context.Context, key string, _ Conditions) (*Object, error) {
			if key == "bad" {
				return nil, failed(errDown)
			}
			return objectWith("x"), nil
		})}
		const fetches = 999
		for i := range fetches {
			key := "good"
			if i%3 == 0 {
				key = "bad"
			}
			_, err := src.Fetch(t.Context(), key, Conditions{})
			if (err != nil) != (key == "bad") {
				t.Fatalf("fetch %d of %s: %v", i, key, err)
			}
		}
		st := src.Stats()
		if extra := st.Tries - fetches; extra > retryBurst+fetches/10 || extra < fetches/10 {
			t.Errorf("%d retries over %d fetches, want about 10 %% and the burst of %d", extra, fetches, retryBurst)
		}
		if st.Requests[ResultOpen] != 0 {
			t.Errorf("the breaker opened at a third of failures: %+v", st)
		}
	})
}

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		src := &Source{Opener: openFunc(func(context.Context, string, Conditions) (*Object, error) {
			if down {
				return nil, failed(errDown)
			}
			return objectWith("x"), nil
		})}
		for range tripFailures {
			_, err := src.Fetch(t.Context(), "a.jpg", Conditions{})
			wantStatus(t, err, http.StatusBadGateway, "origin_failed")
		}
		tries := src.Stats().Tries
		if tries < tripFailures || tries > tripFailures+retryBurst+1 || src.Stats().Open != 1 {
			t.Fatalf("%d tries, %d open; want the breaker open after %d fetches", tries, src.Stats().Open, tripFailures)
		}

		start := time.Now()
		_, err := src.Fetch(t.Context(), "a.jpg", Conditions{})
		wantStatus(t, err, http.StatusBadGateway, "origin_failed")
		var e *Error
		if errors.As(err, &e); e.Result != ResultOpen || e.RetryAfter() != openFor || time.Since(start) != 0 {
			t.Errorf("open: %+v after %v, want breaker_open at once", e, time.Since(start))
		}
		if got := src.Stats().Tries; got != tries {
			t.Errorf("an open breaker let %d tries through", got-tries)
		}

		time.Sleep(openFor + time.Millisecond) // of the bubble's clock
		if _, err = src.Fetch(t.Context(), "a.jpg", Conditions{}); resultOf(err) != ResultFailed || src.Stats().Tries == tries {
			t.Errorf("half open, still down: %v, %d tries, want some", err, src.Stats().Tries-tries)
		}
		down = false
		if _, err = src.Fetch(t.Context(), "a.jpg", Conditions{}); resultOf(err) != ResultOpen {
			t.Errorf("closed too early: %v", err)
		}
		time.Sleep(openFor + time.Millisecond)
		for range 3 {
			if _, err = src.Fetch(t.Context(), "a.jpg", Conditions{}); err != nil {
				t.Errorf("healed: %v", err)
			}
		}
		if src.Stats().Open != 0 {
			t.Error("healed, and the breaker is still open")
		}
	})
}

func TestBreakerIgnoresWhatIsNoOutage(t *testing.T) {
	for _, e := range []*Error{notFound(errDown), denied(errDown), forbidden(errDown), tooLarge(10), invalid(errDown)} {
		t.Run(e.Result.String(), func(t *testing.T) {
			src := &Source{Opener: openFunc(func(context.Context, string, Conditions) (*Object, error) { return nil, e })}
			for range 100 {
				if _, err := src.Fetch(t.Context(), "a.jpg", Conditions{}); resultOf(err) != e.Result {
					t.Fatalf("got %v, want %v", err, e)
				}
			}
			if st := src.Stats(); st.Tries != 100 || st.Open != 0 || st.Requests[e.Result] != 100 {
				t.Errorf("stats %+v, want 100 tries and a closed breaker", st)
			}
		})
	}
}

func TestBreakerIgnoresLeavingCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &Source{Opener: openFunc(func(ctx context.Context, _ string, _ Conditions) (*Object, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})}
		for i := range 100 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if i%2 == 0 {
				time.AfterFunc(time.Millisecond, cancel)
			}
			_, err := src.Fetch(ctx, "a.jpg", Conditions{})
			cancel()
			wantStatus(t, err, http.StatusGatewayTimeout, "origin_timeout")
		}
		if st := src.Stats(); st.Requests[ResultCanceled] != 100 || st.Open != 0 {
			t.Errorf("stats %+v, want 100 canceled and a closed breaker", st)
		}
	})
}

func TestBreakerCountsTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &Source{Timeout: time.Second, Opener: openFunc(func(ctx context.Context, _ string, _ Conditions) (*Object, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})}
		for range tripFailures {
			start := time.Now()
			_, err := src.Fetch(t.Context(), "a.jpg", Conditions{})
			wantStatus(t, err, http.StatusGatewayTimeout, "origin_timeout")
			if took := time.Since(start); took != time.Second {
				t.Fatalf("took %v, want 1s: a timeout is not retried", took)
			}
		}
		if st := src.Stats(); st.Requests[ResultTimeout] != tripFailures || st.Open != 1 {
			t.Errorf("stats %+v, want the breaker open", st)
		}
	})
}

// twoServers is an Opener whose servers are named by the first byte of the key.
type twoServers struct{ openFunc }

func (twoServers) peer(key string) string { return key[:1] }

func TestBreakerPerServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &Source{Opener: twoServers{func(_ context.Context, key string, _ Conditions) (*Object, error) {
			if key[0] == 'a' {
				return nil, failed(errDown)
			}
			return objectWith("x"), nil
		}}}
		for range 20 {
			if _, err := src.Fetch(t.Context(), "a/1.jpg", Conditions{}); err == nil {
				t.Fatal("a answered")
			}
			if _, err := src.Fetch(t.Context(), "b/1.jpg", Conditions{}); err != nil {
				t.Fatalf("b suffers from a: %v", err)
			}
		}
		if st := src.Stats(); st.Open != 1 || st.Requests[ResultOpen] == 0 {
			t.Errorf("stats %+v, want one breaker open", st)
		}
	})
}

func TestServersAreForgotten(t *testing.T) {
	var ps peers
	for i := range 3 * maxPeers {
		ps.get(fmt.Sprint(i))
		if len(ps.m) > maxPeers {
			t.Fatalf("%d servers remembered, want at most %d", len(ps.m), maxPeers)
		}
	}
	for i := range 2 * maxPeers { // all with a failure
		_, _ = ps.get(fmt.Sprint("bad", i)).breaker.Execute(func() (*Original, error) { return nil, failed(errDown) })
		if len(ps.m) > maxPeers {
			t.Fatalf("%d servers remembered, want at most %d", len(ps.m), maxPeers)
		}
	}
}

func TestCallerLeavesDuringPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		src := &Source{Opener: openFunc(func(context.Context, string, Conditions) (*Object, error) {
			time.AfterFunc(time.Second, cancel)
			e := failed(errDown)
			e.Wait = 5 * time.Second
			return nil, e
		})}
		start := time.Now()
		_, err := src.Fetch(ctx, "a.jpg", Conditions{})
		if resultOf(err) != ResultCanceled || time.Since(start) != time.Second {
			t.Errorf("got %v after %v, want canceled after 1s", err, time.Since(start))
		}
	})
}

func TestNotModified(t *testing.T) {
	src := &Source{Opener: openFunc(func(context.Context, string, Conditions) (*Object, error) {
		return &Object{NotModified: true, Meta: Meta{MaxAge: time.Minute, Tags: []string{"t"}}}, nil
	})}
	cond := Conditions{ETag: `"a"`, Modified: time.Unix(1000, 0)}
	got, err := src.Fetch(t.Context(), "a.jpg", cond)
	if err != nil || !got.NotModified || got.ETag != cond.ETag || !got.Modified.Equal(cond.Modified) || got.MaxAge != time.Minute {
		t.Errorf("got %v, %v; want the validators of the copy and the new life", describe(got), err)
	}
	_, err = src.Fetch(t.Context(), "a.jpg", Conditions{})
	wantStatus(t, err, http.StatusBadGateway, "origin_failed")
	if st := src.Stats(); st.Requests[ResultNotModified] != 1 || st.Requests[ResultInvalid] != 1 {
		t.Errorf("stats %+v", st)
	}
}

// closing is a body that tells whether it was closed.
type closing struct {
	io.Reader
	closed *bool
}

func (c closing) Close() error { *c.closed = true; return nil }

func TestReadAll(t *testing.T) {
	text := strings.Repeat("0123456789", 20_000)
	tests := []struct {
		name   string
		reader io.Reader
		size   int64
		limit  int64
		result Result
	}{
		{"announced", strings.NewReader(text), 200_000, 200_000, ResultOK},
		{"unknown", strings.NewReader(text), -1, 200_000, ResultOK},
		{"byte by byte", iotest.OneByteReader(strings.NewReader(text)), -1, 1 << 20, ResultOK},
		{"end with data", iotest.DataErrReader(strings.NewReader(text)), 200_000, 1 << 20, ResultOK},
		{"end with data, unknown", iotest.DataErrReader(strings.NewReader(text)), -1, 1 << 20, ResultOK},
		{"one over the limit", strings.NewReader(text), -1, 199_999, ResultTooLarge},
		{"announced over the limit", strings.NewReader(""), 200_000, 199_999, ResultTooLarge},
		{"shorter than announced", strings.NewReader(text), 200_001, 1 << 20, ResultFailed},
		{"longer than announced", strings.NewReader(text), 199_999, 1 << 20, ResultFailed},
		{"far longer than announced", strings.NewReader(text), 0, 1 << 20, ResultFailed},
		{"breaks", io.MultiReader(strings.NewReader(text), iotest.ErrReader(io.ErrUnexpectedEOF)), -1, 1 << 20, ResultFailed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			closed := false
			src := &Source{MaxBytes: tt.limit, Opener: openFunc(func(context.Context, string, Conditions) (*Object, error) {
				return &Object{Body: closing{tt.reader, &closed}, Size: tt.size}, nil
			})}
			got, err := src.Fetch(t.Context(), "a.jpg", Conditions{})
			if resultOf(err) != tt.result {
				t.Fatalf("got %v, %v; want %v", describe(got), err, tt.result)
			}
			if err == nil && string(got.Data) != text {
				t.Error("wrong bytes")
			}
			if err == nil && cap(got.Data)-len(got.Data) > len(got.Data)/4 {
				t.Errorf("%d bytes hold %d", len(got.Data), cap(got.Data))
			}
			if !closed {
				t.Error("the body was not closed")
			}
		})
	}
}

// TestAllocation: an ordinary original costs its size, once, and a lying origin makes us allocate little.
func TestAllocation(t *testing.T) {
	data := make([]byte, 4_000_000)
	tests := []struct {
		name      string
		announced int64
		body      []byte
		most      uint64
	}{
		{"ordinary", int64(len(data)), data, uint64(len(data)) + 1<<14},
		{"lying", 1 << 30, data[:3], preallocate + 1<<14},
		{"not announced", -1, data[:1000], firstRead + 1<<14},
	}
	for _, tt := range tests {
		obj := &Object{Body: io.NopCloser(bytes.NewReader(tt.body)), Size: tt.announced}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = readAll(t.Context(), obj, 1<<30, func(int64) error { return nil }) // TestReadAll looks at the outcome
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > tt.most {
			t.Errorf("%s: %d bytes allocated for %d, want at most %d", tt.name, got, len(tt.body), tt.most)
		}
	}
}

func TestErrorTexts(t *testing.T) {
	secret := fmt.Errorf("dial 10.0.0.7: /etc/secret-key.jpg")
	for _, e := range []*Error{notFound(secret), denied(secret), forbidden(secret)} {
		if strings.Contains(e.Error(), "10.0.0.7") || strings.Contains(e.Error(), "secret") {
			t.Errorf("%v: public text %q gives the cause away", e.Result, e)
		}
	}
	for _, e := range []*Error{invalid(secret), failed(secret), timedOut(secret), canceled(secret), breakerOpen(secret)} {
		if !strings.Contains(e.Error(), "10.0.0.7") {
			t.Errorf("%v: %q hides the cause from the log", e.Result, e)
		}
		if !errors.Is(e, secret) {
			t.Errorf("%v: the cause is not within", e.Result)
		}
	}
	if got := results.String(); got != "12" {
		t.Errorf("an unknown result is called %q", got)
	}
	seen := map[string]bool{}
	for r := range results {
		if seen[r.String()] || strings.Trim(r.String(), "abcdefghijklmnopqrstuvwxyz_") != "" {
			t.Errorf("result %d has no name of its own: %q", r, r)
		}
		seen[r.String()] = true
	}
}
