package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	miniogo "github.com/minio/minio-go/v7"
	"github.com/rs/zerolog"

	"github.com/imgedge/imgedge/internal/testpeer"
)

// reading returns the sum of a metric's values over the label sets that have all of labels.
func (n *fleetNode) reading(t *testing.T, metric string, labels ...string) float64 {
	t.Helper()
	resp, err := n.client.Get(n.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close() // read to its end
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
lines:
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if rest, ok := strings.CutPrefix(name, metric); !ok || rest != "" && rest[0] != '{' {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(name, label) {
				continue lines
			}
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		sum += number
	}
	return sum
}

// faultyOrigin is a web server that is well until trouble is set, and counts who asks for what. Its pictures
// have to be asked for again before each use.
type faultyOrigin struct {
	*httptest.Server
	ill     atomic.Bool
	trouble http.HandlerFunc
	mu      sync.Mutex
	asked   map[string]int // by path
}

func newFaultyOrigin(t *testing.T, tls bool, trouble http.HandlerFunc) *faultyOrigin {
	t.Helper()
	picture := painted(t, 400, 300)
	o := &faultyOrigin{trouble: trouble, asked: map[string]int{}}
	o.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.asked[r.URL.Path]++
		o.mu.Unlock()
		if o.ill.Load() {
			o.trouble(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(picture)
	}))
	o.Config.ErrorLog = quiet()
	if tls {
		o.StartTLS()
	} else {
		o.Start()
	}
	t.Cleanup(o.Close)
	return o
}

func (o *faultyOrigin) tries(path string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked[path]
}

// answering is trouble that consists of a status.
func answering(status int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<Error>secret detail</Error>")
	}
}

// part sends some of the picture under a length of its own, then leaves.
func part(announced int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(announced))
		_, _ = w.Write([]byte("\xff\xd8\xff\xe0 the beginning of a picture"))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// drip sends a byte now and then, so that no single read is slow.
func drip(w http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_, _ = io.WriteString(w, "x")
			_ = http.NewResponseController(w).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 64<<10)); err != nil {
			return
		}
	}
}

// originFault is a row of docs/failures.md.
type originFault struct {
	name    string
	trouble http.HandlerFunc
	base    string // of an origin that never was well; "" = the server with the trouble
	status  int    // of a picture that nobody has
	code    string
	result  string // label of imgedge_origin_requests_total
	retry   string // Retry-After; "" = none
	stale   bool   // a picture that is at hand is served all the same
}

const faultTimeout = 2 * time.Second // of the sources of these tests

// What clients get and the metric tells for each trouble of an origin: on one node, a source each.
func TestOriginFaults(t *testing.T) {
	// The resolver refuses a label of 64 letters without asking anybody (RFC 1035 section 2.3.4: 63).
	nowhere := "http://" + strings.Repeat("a", 64) + ".test/"
	faults := []originFault{
		{"not-found", answering(404), "", 404, "not_found", "not_found", "", false},
		{"gone", answering(410), "", 404, "not_found", "not_found", "", false},
		{"forbidden", answering(403), "", 404, "not_found", "denied", "", false},
		{"unauthorized", answering(401), "", 404, "not_found", "denied", "", false},
		{"teapot", answering(418), "", 502, "origin_failed", "invalid", "", true},
		{"error", answering(500), "", 502, "origin_failed", "failed", "", true},
		{"busy", answering(503), "", 502, "origin_failed", "failed", "1", true},
		{"busy-for", answering(503, "Retry-After", "17"), "", 502, "origin_failed", "failed", "17", true},
		{"too-many", answering(429, "Retry-After", "9"), "", 502, "origin_failed", "failed", "9", true},
		{"reset", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "", 502, "origin_failed", "failed", "", true},
		{"reset-in-body", part(100_000), "", 502, "origin_failed", "failed", "", true},
		{"page", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>maintenance") }, "", 415, "not_an_image", "ok", "", true},
		{"hang", hang, "", 504, "origin_timeout", "timeout", "", true},
		{"drip", drip, "", 504, "origin_timeout", "timeout", "", true},
		{"endless", endless, "", 413, "too_large", "too_large", "", false},
		{"no-name", nil, nowhere, 502, "origin_failed", "failed", "", false},
		{"no-server", nil, "http://" + testpeer.FreePort(t) + "/", 502, "origin_failed", "failed", "", false},
		{"certificate", nil, newFaultyOrigin(t, true, nil).URL + "/", 502, "origin_failed", "failed", "", false},
	}
	var sources strings.Builder
	origins := map[string]*faultyOrigin{}
	for _, f := range faults {
		base := f.base
		if base == "" {
			o := newFaultyOrigin(t, false, f.trouble)
			origins[f.name], base = o, o.URL+"/"
		}
		fmt.Fprintf(&sources, "  %s: {http: {base: %q, allow_networks: [127.0.0.0/8]}, unsigned: true, free: true, timeout: %v, limits: {source_bytes: 1MiB}}\n", f.name, base, faultTimeout)
	}
	n := startNode(t, nil, "render: {isolation: none}\nsources:\n"+sources.String())
	t.Run("each", func(t *testing.T) {
		for _, f := range faults {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				f.hold(t, n, origins[f.name])
			})
		}
	})
	n.ok(t, "/readyz")
}

// hold makes the trouble and looks at what comes of it.
func (f *originFault) hold(t *testing.T, n *fleetNode, o *faultyOrigin) {
	target := func(name string) string { return "/" + f.name + "/" + name + "?w=100&f=webp" }
	var warm got
	if o != nil {
		warm = n.ok(t, target("warm.jpg"))
		o.ill.Store(true)
	}
	var wait sync.WaitGroup
	for i := range 3 {
		wait.Go(func() { f.refused(t, n, o, target(fmt.Sprint(i)), "/"+fmt.Sprint(i)) })
	}
	wait.Wait()
	if counted := n.reading(t, "imgedge_origin_requests_total", `source="`+f.name+`"`, `result="`+f.result+`"`); counted < 3 {
		t.Errorf("%v fetches counted as %s, want 3", counted, f.result)
	}
	if o == nil {
		return
	}
	before := o.tries("/warm.jpg")
	for range 10 {
		a := n.get(t, target("warm.jpg"))
		switch {
		case !f.stale:
			if a.status != f.status {
				t.Errorf("what was there before: %d, want %d", a.status, f.status)
			}
		case a.status != http.StatusOK || !bytes.Equal(a.body, warm.body):
			t.Errorf("what is at hand: %d with %d bytes, want the stale copy", a.status, len(a.body))
		case !strings.Contains(a.header.Get("Cache-Status"), "detail=stale-if-error"):
			t.Errorf("Cache-Status %q, want stale-if-error", a.header.Get("Cache-Status"))
		}
	}
	// The outage, and the refusal, are remembered: one request of the ten asks the origin.
	if asked := o.tries("/warm.jpg") - before; asked > 4 && f.code != "too_large" {
		t.Errorf("10 requests for a picture at hand asked the origin %d times, want at most 4", asked)
	}
}

// refused asks for a picture that nobody has.
func (f *originFault) refused(t *testing.T, n *fleetNode, o *faultyOrigin, target, path string) {
	a := n.get(t, target)
	if a.status != f.status || !strings.Contains(string(a.body), `"code":"`+f.code+`"`) || a.header.Get("Retry-After") != f.retry {
		t.Errorf("%s: %d, Retry-After %q: %s; want %d %s, Retry-After %q", target, a.status, a.header.Get("Retry-After"), a.body, f.status, f.code, f.retry)
	}
	if strings.Contains(string(a.body), "secret detail") || strings.Contains(string(a.body), "127.0.0.1") || strings.Contains(string(a.body), "aaaa") {
		t.Errorf("%s: the answer tells of the origin: %s", target, a.body)
	}
	if a.status >= 500 && a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: Cache-Control %q, want no-store", target, a.header.Get("Cache-Control"))
	}
	if a.took > faultTimeout+3*time.Second {
		t.Errorf("%s: took %v, want at most the source's timeout and 3 s", target, a.took)
	}
	if o != nil && o.tries(path) > 4 {
		t.Errorf("%s: the origin was asked %d times, want at most 4", target, o.tries(path))
	}
}

// An origin that is down is left alone after ten failures, and found well again within 5 s; pictures at hand
// are served throughout, and cost at most two fetches for thirty requests when it is back.
func TestOriginDownAndBack(t *testing.T) {
	o := newFaultyOrigin(t, false, answering(500))
	n := startNode(t, nil, fmt.Sprintf(`
render: {isolation: none}
sources:
  web: {http: {base: "%s/", allow_networks: [127.0.0.0/8]}, unsigned: true, free: true, negative: 1s}
`, o.URL))
	const known = "/web/known.jpg?w=100&f=webp"
	first := n.ok(t, known)
	o.ill.Store(true)
	leftAlone := func() float64 {
		return n.reading(t, "imgedge_breaker_open", `of="source"`, `source="web"`)
	}
	if leftAlone() != 0 {
		t.Error("the gauge says that a well origin is left alone")
	}
	cold := func(i int) got { return n.get(t, fmt.Sprintf("/web/cold-%d.jpg?w=100&f=webp", i)) }
	open := func() float64 { return n.reading(t, "imgedge_origin_requests_total", `result="breaker_open"`) }
	asked := 0
	for ; open() == 0; asked++ {
		if a := cold(asked); a.status != http.StatusBadGateway {
			t.Fatalf("cold picture %d: %d, want 502", asked, a.status)
		}
		if asked > 20 {
			t.Fatal("the breaker does not open")
		}
	}
	o.mu.Lock()
	tries := 0
	for _, count := range o.asked {
		tries += count
	}
	o.mu.Unlock()
	if tries > 1+asked+12 { // the first picture, each cold one, and the burst of retries
		t.Errorf("%d cold pictures cost %d tries before the breaker opened", asked, tries)
	}
	if a := cold(asked); a.status != http.StatusBadGateway || a.header.Get("Retry-After") == "" {
		t.Errorf("with the breaker open: %d, Retry-After %q; want 502 that says when", a.status, a.header.Get("Retry-After"))
	}
	if a := n.get(t, "/readyz"); a.status != http.StatusOK || !bytes.Contains(a.body, []byte("degraded")) {
		t.Errorf("/readyz: %d %s, want 200 degraded", a.status, a.body)
	}
	if v := leftAlone(); v != 1 {
		t.Errorf("imgedge_breaker_open is %v, want 1", v)
	}
	for range 30 {
		if a := n.ok(t, known); !bytes.Equal(a.body, first.body) {
			t.Error("another picture while the origin is down")
		}
	}
	o.ill.Store(false)
	before := o.tries("/known.jpg")
	back := time.Now()
	for o.tries("/known.jpg") == before {
		if time.Since(back) > 5*time.Second+patience/2 {
			t.Fatal("the origin is not asked again")
		}
		n.ok(t, known)
		time.Sleep(10 * time.Millisecond) // between looks at a real server
	}
	eventually(t, "imgedge_breaker_open is 0 again", func() bool { return leftAlone() == 0 })
}

// At most two fetches for thirty requests, when an origin that was down while a picture expired is back.
func TestReturnCostsOneFetch(t *testing.T) {
	for name, grace := range map[string]string{"while revalidating": "1h", "if error": "0s"} {
		t.Run(name, func(t *testing.T) {
			var fetches atomic.Int64
			var ill, long atomic.Bool
			picture := painted(t, 400, 300)
			origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fetches.Add(1)
				switch {
				case ill.Load():
					w.WriteHeader(http.StatusInternalServerError)
					return
				case !long.Load():
					w.Header().Set("Cache-Control", "max-age=1")
				}
				_, _ = w.Write(picture)
			}))
			t.Cleanup(origin.Close)
			n := startNode(t, nil, fmt.Sprintf(`
render: {isolation: none}
cache: {originals: {memory: 0}}
sources:
  web: {http: {base: "%s/", allow_networks: [127.0.0.0/8]}, unsigned: true, free: true, negative: 1s, stale_while_revalidate: %s}
`, origin.URL, grace))
			first := n.ok(t, coldTarget)
			ill.Store(true)
			long.Store(true)
			eventually(t, "the origin is asked again and fails", func() bool {
				n.ok(t, coldTarget)
				return fetches.Load() > 1
			})
			eventually(t, "the failed refresh is over", func() bool {
				n.ok(t, coldTarget)
				return n.reading(t, "imgedge_origin_requests_total", `result="failed"`) > 0
			})
			ill.Store(false)
			before := fetches.Load()
			eventually(t, "the origin is asked", func() bool {
				crowd(t, 30, coldTarget, n)
				return fetches.Load() > before
			})
			crowd(t, 30, coldTarget, n)
			if asked := fetches.Load() - before; asked > 2 {
				t.Errorf("%d fetches on return, want at most 2", asked)
			}
			if a := n.ok(t, coldTarget); !bytes.Equal(a.body, first.body) {
				t.Error("other bytes of the same picture")
			}
		})
	}
}

// Seventy requests that hang on an origin leave pictures in memory alone, and those of other sources.
func TestHangingOriginLeavesOthersAlone(t *testing.T) {
	sick, well := newFaultyOrigin(t, false, hang), newOrigin(t)
	n := startNode(t, nil, fmt.Sprintf(`
render: {isolation: none}
sources:
  sick: {http: {base: "%s/", allow_networks: [127.0.0.0/8]}, unsigned: true, free: true, timeout: %v}
  web: {http: {base: "%s/", allow_networks: [127.0.0.0/8]}, unsigned: true, free: true}
`, sick.URL, 2*faultTimeout, well.URL))
	n.ok(t, coldTarget)
	sick.ill.Store(true)
	var wait sync.WaitGroup
	for i := range 70 {
		wait.Go(func() {
			if a := n.get(t, fmt.Sprintf("/sick/%d.jpg?w=100", i)); a.status != http.StatusGatewayTimeout && a.status != http.StatusBadGateway {
				t.Errorf("one that hangs: %d, want 504, or 502 once the breaker is open", a.status)
			}
		})
	}
	for i := range 20 {
		n.ok(t, coldTarget)
		n.ok(t, fmt.Sprintf("/web/new-%d.jpg?w=100&f=webp", i))
	}
	wait.Wait()
}

// A real bucket behind a bad network, and one that is asked too much.
func TestBucketFaults(t *testing.T) {
	s3 := testpeer.S3(t)
	s3.MakeBucket(t, "shop")
	photo := painted(t, 640, 480)
	for i := range 4 {
		s3.Put(t, "shop", fmt.Sprintf("%d.jpg", i), photo, miniogo.PutObjectOptions{ContentType: "image/jpeg", CacheControl: "no-cache"})
	}
	backend, err := url.Parse(s3.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	var busy atomic.Bool
	var asked atomic.Int64
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(backend)
		r.Out.Host = r.In.Host // it is signed
	}}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if busy.Load() {
			answering(http.StatusServiceUnavailable)(w, r)
			return
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "s3", "127.0.0.1:0", strings.TrimPrefix(front.URL, "http://"))
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	n := startNode(t, nil, fmt.Sprintf(`
render: {isolation: none}
cache: {originals: {memory: 0}}
sources:
  shop:
    bucket: {endpoint: "http://%s", region: %q, name: shop, access_key: %q, secret_key: %q, path_style: true}
    unsigned: true
    free: true
    negative: 1ms
    timeout: %v
`, proxy.Listen, s3.Region, s3.AccessKey, s3.SecretKey, faultTimeout))
	picture := func(width int) string { return fmt.Sprintf("/shop/1.jpg?w=%d&f=webp", width) }
	first := n.ok(t, picture(100))
	width := 200
	for _, f := range []struct {
		name, toxic   string // of toxiproxy, as JSON; "" = 503 SlowDown
		status        int
		result, retry string
	}{
		{"slow down", "", 502, "failed", "1"},
		{"truncated", `{"name":"t","type":"limit_data","stream":"downstream","attributes":{"bytes":2000}}`, 502, "failed", ""},
		{"reset", `{"name":"t","type":"reset_peer","stream":"downstream","attributes":{"timeout":0}}`, 502, "failed", ""},
		{"dripping", `{"name":"t","type":"slicer","stream":"downstream","attributes":{"average_size":100,"delay":50000}}`, 504, "timeout", ""},
		{"silent", `{"name":"t","type":"timeout","stream":"downstream","attributes":{"timeout":0}}`, 504, "timeout", ""},
	} {
		t.Run(f.name, func(t *testing.T) {
			if f.toxic == "" {
				busy.Store(true)
			} else if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(f.toxic)); err != nil {
				t.Fatal(err)
			}
			before, counted := asked.Load(), n.reading(t, "imgedge_origin_requests_total", `result="`+f.result+`"`)
			width++
			a := n.get(t, picture(width))
			if a.status != f.status || a.header.Get("Retry-After") != f.retry {
				t.Errorf("cold: %d, Retry-After %q: %s; want %d, %q", a.status, a.header.Get("Retry-After"), a.body, f.status, f.retry)
			}
			if a.took > faultTimeout+3*time.Second {
				t.Errorf("cold: took %v", a.took)
			}
			if tries := asked.Load() - before; tries > 4 {
				t.Errorf("the bucket was asked %d times for one request, want at most 4", tries)
			}
			if now := n.reading(t, "imgedge_origin_requests_total", `result="`+f.result+`"`); now <= counted {
				t.Errorf("no fetch was counted as %s", f.result)
			}
			if a := n.ok(t, picture(100)); !bytes.Equal(a.body, first.body) {
				t.Error("the stale copy has other bytes")
			}
			if busy.Store(false); f.toxic != "" {
				if err := proxy.Toxics.RemoveToxic(t.Context(), "t"); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, "the bucket is used again", func() bool { return n.get(t, picture(width)).status == http.StatusOK })
		})
	}
}

// quiet is the log of a server that has reason to complain.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
