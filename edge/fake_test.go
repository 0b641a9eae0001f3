package edge

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/signing"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp refreshes the Date header and its clock in goroutines that live as long as the process.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
	)
}

// fakePictures is a Pictures whose two ways are set by the test.
type fakePictures struct {
	lookup func(*pipeline.Request) (*cache.Entry, pipeline.Via)
	get    func(context.Context, *pipeline.Request) (*cache.Entry, pipeline.Via, error)

	gets atomic.Int64
	mu   sync.Mutex
	last *pipeline.Request
}

var _ Pictures = (*fakePictures)(nil)

func (f *fakePictures) Lookup(r *pipeline.Request) (*cache.Entry, pipeline.Via) {
	f.mu.Lock()
	f.last = r
	f.mu.Unlock()
	if f.lookup == nil {
		return nil, pipeline.Via{}
	}
	return f.lookup(r)
}

func (f *fakePictures) Get(ctx context.Context, r *pipeline.Request) (*cache.Entry, pipeline.Via, error) {
	f.gets.Add(1)
	return f.get(ctx, r)
}

// asked returns the last request.
func (f *fakePictures) asked() *pipeline.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

var (
	testKey  = signing.Key{ID: "k1", Secret: []byte("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")}
	testTime = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
)

// picture is an entry in memory, as the pipeline makes them.
func picture(body, mediaType string) *cache.Entry {
	sum := sha256.Sum256([]byte(body))
	return &cache.Entry{
		Status: 200, Body: []byte(body), Type: mediaType,
		ETag:     `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`,
		Modified: testTime.Add(-48 * time.Hour), Stored: testTime.Add(-100 * time.Second),
		Fresh: testTime.Add(time.Hour), OriginalSize: 100,
	}
}

// remembered is a refusal in memory.
func remembered(status int, code string) *cache.Entry {
	return &cache.Entry{
		Status: status, Code: code, Detail: "the original is no good",
		Stored: testTime.Add(-10 * time.Second), Fresh: testTime.Add(20 * time.Second),
	}
}

// held is a Pictures that has e in memory.
func held(e *cache.Entry) *fakePictures {
	return &fakePictures{lookup: func(*pipeline.Request) (*cache.Entry, pipeline.Via) {
		return e, pipeline.Via{Hit: pipeline.TierMemory, TTL: e.Fresh.Sub(testTime)}
	}}
}

// made is a Pictures that makes every picture so.
func made(e *cache.Entry, via pipeline.Via, err error) *fakePictures {
	return &fakePictures{get: func(context.Context, *pipeline.Request) (*cache.Entry, pipeline.Via, error) {
		return e, via, err
	}}
}

// testSite has a signed source "shop", an unsigned one "open", and a free one "free".
func testSite() *Site {
	source := func(name string, rules dialect.Rules, keys ...signing.Key) *Source {
		rules.Limits = resize.DefaultLimits()
		return &Source{
			Name: name, Keys: keys, Rules: rules, MaxAge: 24 * time.Hour, Swr: time.Hour,
			Pipeline: &pipeline.Source{Name: name, Negative: 30 * time.Second},
		}
	}
	return &Site{Sources: map[string]*Source{
		"shop": source("shop", dialect.Rules{Widths: []int{320, 640}}, testKey),
		"open": source("open", dialect.Rules{Widths: []int{320, 640}, Unsigned: true}),
		"free": source("free", dialect.Rules{Unsigned: true, Free: true}),
	}}
}

// running is a server on two loopback listeners.
type running struct {
	*Server
	t             testing.TB
	public, admin string // host:port
	client        *http.Client
	order         sync.Mutex // see synced
}

// start serves site until the test ends. The clock stands still at testTime unless the server has one.
func start(t testing.TB, s *Server, site *Site) *running {
	t.Helper()
	if s.Now == nil {
		s.Now = func() time.Time { return testTime }
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	now := s.Now
	r := &running{Server: s, t: t, client: &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	s.Now = func() time.Time {
		r.order.Lock()
		defer r.order.Unlock()
		return now()
	}
	if site != nil {
		s.Reload(site)
	}
	var wg sync.WaitGroup
	open := func(serve func(net.Listener) error) string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := serve(ln); err != nil {
				t.Errorf("serve: %v", err)
			}
		})
		return ln.Addr().String()
	}
	r.public, r.admin = open(s.Serve), open(s.ServeAdmin)
	r.wait(r.public)
	r.wait(r.admin)
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		wg.Wait()
	})
	return r
}

// wait returns once the listener is served.
func (r *running) wait(addr string) {
	r.t.Helper()
	resp, err := r.client.Get("http://" + addr + "/healthz")
	if err != nil {
		r.t.Fatal(err)
	}
	_ = resp.Body.Close()
}

// synced orders what handlers did until now before what the test does next: they read the clock last of
// all. The race detector sees no such order in bytes that went out by writev.
func (r *running) synced() {
	r.order.Lock()
	defer r.order.Unlock()
}

// answerOf is an answer that was read to its end.
type answerOf struct {
	*http.Response
	body string
}

// do sends a request to addr; header lines are "Name: value".
func (r *running) do(method, addr, target, body string, header ...string) answerOf {
	r.t.Helper()
	req, err := http.NewRequest(method, "http://"+addr+"/", strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.URL.Opaque = target // sent as it is
	if !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") {
		r.t.Fatalf("target %q cannot be sent with net/http; use raw", target)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header.Add(name, value)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, target, err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, target, err)
	}
	r.synced()
	return answerOf{resp, string(got)}
}

// get asks the public listener.
func (r *running) get(target string, header ...string) answerOf {
	r.t.Helper()
	return r.do("GET", r.public, target, "", header...)
}

// signed asks the public listener for a target signed with the test key.
func (r *running) signed(target string, header ...string) answerOf {
	r.t.Helper()
	return r.get(sign(r.t, target), header...)
}

// sign signs a target with the test key.
func sign(t testing.TB, target string) string {
	t.Helper()
	full, err := testKey.SignTarget(target)
	if err != nil {
		t.Fatalf("SignTarget(%q): %v", target, err)
	}
	return full
}

// raw sends bytes as they are and returns the first answer, and whether the connection was closed
// behind it.
func (r *running) raw(addr, request string) (*http.Response, string, bool) {
	r.t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		r.t.Fatal(err)
	}
	br := bufio.NewReader(c)
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		r.t.Fatalf("answer to %q: %v", request, err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatalf("answer to %q: %v", request, err)
	}
	r.synced()
	if !resp.Close {
		return resp, string(body), false
	}
	_, err = br.ReadByte() // the end, or a reset where not everything was read
	return resp, string(body), err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// problem reads a problem document and checks what every one has.
func (a answerOf) problem(t *testing.T) document {
	t.Helper()
	var d document
	if err := json.Unmarshal([]byte(a.body), &d); err != nil {
		t.Fatalf("status %d: the body is no problem document: %v: %q", a.StatusCode, err, a.body)
	}
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type = %q, want application/problem+json", got)
	}
	if d.Status != a.StatusCode || d.Type == "" || d.Title == "" || d.Code == "" || d.RequestID == "" {
		t.Errorf("status %d: incomplete problem %+v", a.StatusCode, d)
	}
	if got := a.Header.Get("X-Request-Id"); got != d.RequestID {
		t.Errorf("X-Request-Id = %q, request_id = %q", got, d.RequestID)
	}
	return d
}

// expect checks the status and the code of a problem.
func (a answerOf) expect(t *testing.T, status int, code string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("status = %d, want %d; body %q", a.StatusCode, status, a.body)
		return
	}
	if d := a.problem(t); d.Code != code {
		t.Errorf("code = %q, want %q; detail %q", d.Code, code, d.Detail)
	}
}
