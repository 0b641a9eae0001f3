package edge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/jobs"
	"github.com/imgedge/imgedge/pipeline"
)

// logged is a log that the test reads.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(l, nil)) }

const secretCause = "dial tcp 10.1.2.3:9000: secret-bucket /srv/photos"

// Below 500 the text is public; from 500 on the client learns the status, and the log the cause.
func TestErrors(t *testing.T) {
	for _, row := range []struct {
		name   string
		err    error
		status int
		code   string
		retry  string
		public string
	}{
		{"coded", problem{404, "not_found", "no such picture", 0}, 404, "not_found", "", "no such picture"},
		{"wrapped", fmt.Errorf("%s: %w", secretCause, problem{415, "not_an_image", "no image", 0}), 415, "not_an_image", "", "no image"},
		{"origin failed", problem{502, "origin_failed", secretCause, 0}, 502, "origin_failed", "", "Bad Gateway"},
		{"origin says when", problem{502, "origin_failed", secretCause, 90500 * time.Millisecond}, 502, "origin_failed", "91", "Bad Gateway"},
		{"overloaded", fmt.Errorf("gate: %w", pipeline.ErrOverloaded), 503, "overloaded", "1", "Service Unavailable"},
		{"overloaded, not said when", problem{503, "overloaded", secretCause, 0}, 503, "overloaded", "1", "Service Unavailable"},
		{"jobs without Redis", fmt.Errorf("%s: %w", secretCause, jobs.ErrQueue), 503, "overloaded", "1", "the queue of jobs, which is kept in Redis, does not answer"},
		{"render timeout", pipeline.ErrRenderTimeout, 504, "render_timeout", "", "Gateway Timeout"},
		{"bare deadline", fmt.Errorf("%s: %w", secretCause, context.DeadlineExceeded), 504, "render_timeout", "", "Gateway Timeout"},
		{"a bug", errors.New(secretCause), 500, "internal", "", "Internal Server Error"},
		{"a status that is none", problem{200, "fine", secretCause, 0}, 500, "internal", "", "Internal Server Error"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var log logged
			r := start(t, &Server{Pictures: made(nil, pipeline.Via{}, row.err), Logger: log.logger()}, testSite())
			got := r.signed("/shop/a.jpg")
			got.expect(t, row.status, row.code)
			if d := got.problem(t); d.Detail != row.public {
				t.Errorf("detail = %q, want %q", d.Detail, row.public)
			}
			if retry := got.Header.Get("Retry-After"); retry != row.retry {
				t.Errorf("Retry-After = %q, want %q", retry, row.retry)
			}
			for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Etag": "", "Content-Disposition": ""} {
				if value := got.Header.Get(name); value != want {
					t.Errorf("%s = %q, want %q", name, value, want)
				}
			}
			if status := got.Header.Get("Cache-Status"); !strings.HasPrefix(status, "imgedge; fwd=miss") {
				t.Errorf("Cache-Status = %q", status)
			}
			if strings.Contains(got.body, "10.1.2.3") {
				t.Errorf("the body tells the inside: %s", got.body)
			}
			lines := strings.Count(log.String(), "\n")
			if row.status < 500 && lines != 0 || row.status >= 500 && lines != 1 {
				t.Errorf("%d lines logged:\n%s", lines, log.String())
			}
			if row.status >= 500 && (!strings.Contains(log.String(), row.err.Error()) || !strings.Contains(log.String(), got.Header.Get("X-Request-Id"))) {
				t.Errorf("the log does not tell cause and request: %s", log.String())
			}
		})
	}
}

// A refusal that the cache remembers says for how long: its whole life, of which Age is over.
func TestNegativeEntry(t *testing.T) {
	e := remembered(415, "not_an_image")
	r := start(t, &Server{Pictures: held(e)}, testSite())
	got := r.signed("/shop/a.jpg", "If-None-Match: *", "Range: bytes=0-1")
	got.expect(t, 415, "not_an_image")
	for name, want := range map[string]string{
		"Cache-Control": "public, max-age=30", "Age": "10", "Cache-Status": "imgedge; hit; detail=memory; ttl=20",
		"Vary": "Accept", "X-Content-Type-Options": "nosniff",
	} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("%s = %q, want %q", name, value, want)
		}
	}
	if d := got.problem(t); d.Detail != e.Detail {
		t.Errorf("detail = %q", d.Detail)
	}
	e.Fresh = testTime
	if value := r.signed("/shop/a.jpg").Header.Get("Cache-Control"); value != "no-store" {
		t.Errorf("past its life: Cache-Control = %q, want no-store", value)
	}
	e.Fresh = testTime.Add(20 * time.Second)
	end := strconv.FormatInt(testTime.Add(5*time.Second).Unix(), 10)
	if value := r.signed("/shop/a.jpg?exp=" + end).Header.Get("Cache-Control"); value != "public, max-age=15" {
		t.Errorf("of an URL that ends in 5 s: Cache-Control = %q, want public, max-age=15 at Age 10", value)
	}
}

// A refusal before the cache is asked says so, with the source's permissions for other sites.
func TestRefusalHeaders(t *testing.T) {
	site := testSite()
	site.Sources["shop"].AllowOrigin = "*"
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg"))}, site)
	got := r.get("/shop/a.jpg")
	got.expect(t, 403, "bad_signature")
	for name, want := range map[string]string{
		"Cache-Status": "imgedge; detail=bad_signature", "Cache-Control": "no-store", "Access-Control-Allow-Origin": "*",
		"Age": "0",
	} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("%s = %q, want %q", name, value, want)
		}
	}
	if strings.Contains(got.body, "signed_text") || strings.Contains(got.body, testKey.Sign("/shop/a.jpg")) {
		t.Errorf("a stranger learns about signatures: %s", got.body)
	}
}

// With the debug token a wrong signature is explained.
func TestDebugSignature(t *testing.T) {
	site := testSite()
	site.DebugToken = "let me see"
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg"))}, site)
	got := r.get(sign(t, "/shop/a.jpg?w=300")+"=", "Imgedge-Debug: let me see")
	got.expect(t, 403, "bad_signature")
	d := got.problem(t)
	if d.Checked != "/shop/a.jpg?w=300" || len(d.Hints) == 0 || !strings.Contains(d.Hints[0], "padded") {
		t.Errorf("signed_text %q, hints %q", d.Checked, d.Hints)
	}
	if strings.Contains(got.body, testKey.Sign("/shop/a.jpg?w=300")) {
		t.Error("the right signature is given away")
	}
}

// A source's fallback picture goes out under the error's status, with a short life.
func TestFallback(t *testing.T) {
	var failure error
	fake := &fakePictures{}
	fake.get = func(_ context.Context, r *pipeline.Request) (*cache.Entry, pipeline.Via, error) {
		if r.Source.Name == "free" && r.Object == "missing.png" {
			return picture("sorry", "image/png"), pipeline.Via{}, nil
		}
		if failure == nil {
			return remembered(404, "not_found"), pipeline.Via{}, nil
		}
		return nil, pipeline.Via{}, failure
	}
	site := testSite()
	site.Sources["shop"].Fallback = "free/missing.png"
	r := start(t, &Server{Pictures: fake}, site)
	check := func(status int, life string) {
		t.Helper()
		got := r.signed("/shop/a.jpg?w=300")
		if got.StatusCode != status || got.body != "sorry" || got.Header.Get("Content-Type") != "image/png" {
			t.Errorf("status %d, body %q, type %q", got.StatusCode, got.body, got.Header.Get("Content-Type"))
		}
		if value := got.Header.Get("Cache-Control"); value != life {
			t.Errorf("%d: Cache-Control = %q, want %q", status, value, life)
		}
		if fake.asked().Source.Name != "shop" {
			t.Errorf("the last look was for %s", fake.asked().Source.Name)
		}
	}
	check(404, "public, max-age=30") // of which 10 s are over
	failure = problem{502, "origin_failed", "", 0}
	check(502, "public, max-age=10")
	failure = problem{503, "overloaded", "", time.Second}
	check(503, "public, max-age=10")
	r.signed("/shop/a.jpg?f=json").expect(t, 503, "overloaded") // another picture is not described
	r.signed("/shop/a.jpg?f=raw").expect(t, 503, "overloaded")
	r.get("/shop/a.jpg?w=300").expect(t, 403, "bad_signature") // nothing is fetched for a stranger
	r.signed("/shop/a.jpg?w=zz").expect(t, 400, "bad_option")

	site = testSite()
	site.Sources["shop"].Fallback = "shop/missing.png" // fails as well
	r.Reload(site)
	r.signed("/shop/a.jpg").expect(t, 503, "overloaded")
}

// A picture and its fallback have one deadline together; past it a fallback that is in memory still is
// sent.
func TestFallbackAtTheDeadline(t *testing.T) {
	fake := &fakePictures{get: func(ctx context.Context, _ *pipeline.Request) (*cache.Entry, pipeline.Via, error) {
		<-ctx.Done()
		return nil, pipeline.Via{}, ctx.Err()
	}}
	var kept atomic.Bool
	fake.lookup = func(r *pipeline.Request) (*cache.Entry, pipeline.Via) {
		if kept.Load() && r.Source.Name == "free" {
			return picture("sorry", "image/png"), pipeline.Via{Hit: pipeline.TierMemory}
		}
		return nil, pipeline.Via{}
	}
	site := testSite()
	site.Sources["shop"].Fallback = "free/missing.png"
	const limit = 500 * time.Millisecond
	r := start(t, &Server{Pictures: fake, RequestTimeout: limit}, site)
	began := time.Now()
	r.signed("/shop/a.jpg?w=300").expect(t, 504, "render_timeout")
	if took := time.Since(began); took >= 2*limit {
		t.Errorf("answered after %v, the limit is %v", took, limit)
	}
	if n := fake.gets.Load(); n != 1 {
		t.Errorf("%d pictures were asked for, want 1: there was no time for the fallback", n)
	}
	kept.Store(true)
	if got := r.signed("/shop/a.jpg?w=300"); got.StatusCode != 504 || got.body != "sorry" {
		t.Errorf("with the fallback in memory: status %d, body %q", got.StatusCode, got.body)
	}
}

// A panic is a 500 for one request, logged with its stack, and the server lives on.
func TestPanic(t *testing.T) {
	var log logged
	fake := &fakePictures{lookup: func(*pipeline.Request) (*cache.Entry, pipeline.Via) { panic("oh no") }}
	r := start(t, &Server{Pictures: fake, Logger: log.logger()}, testSite())
	r.signed("/shop/a.jpg").expect(t, 500, "internal")
	if !strings.Contains(log.String(), "oh no") || !strings.Contains(log.String(), "errors_test.go") {
		t.Errorf("the log does not tell the panic: %s", log.String())
	}
	if got := r.get("/healthz"); got.StatusCode != http.StatusOK {
		t.Errorf("healthz: %d", got.StatusCode)
	}
}
