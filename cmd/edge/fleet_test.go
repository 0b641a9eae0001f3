package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	miniogo "github.com/minio/minio-go/v7"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/internal/testpeer"
	"github.com/imgedge/imgedge/sample"
	"github.com/imgedge/imgedge/signing"
)

// countingOrigin serves one picture under every name and counts who asks.
type countingOrigin struct {
	*httptest.Server
	fetches atomic.Int64
	failing atomic.Bool // answers 500
	etag    atomic.Pointer[string]
	body    atomic.Pointer[[]byte]
}

func newOrigin(t *testing.T) *countingOrigin {
	t.Helper()
	o := &countingOrigin{}
	o.put(t, `"one"`, 400, 300)
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.fetches.Add(1)
		if o.failing.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("ETag", *o.etag.Load())
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(*o.body.Load()))
	}))
	t.Cleanup(o.Close)
	return o
}

// put changes the picture.
func (o *countingOrigin) put(t *testing.T, etag string, w, h int) {
	t.Helper()
	body, err := sample.JPEG(sample.Scene(w, h, 1), sample.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	o.body.Store(&body)
	o.etag.Store(&etag)
}

// fleetNode is a running server of this test.
type fleetNode struct {
	*Service
	base, admin string
	client      *http.Client
}

// startNode starts a node whose source web is origin and whose further configuration is yaml.
func startNode(t *testing.T, origin *countingOrigin, yaml string) *fleetNode {
	t.Helper()
	if origin != nil {
		yaml += fmt.Sprintf(`
sources:
  web: {http: {base: "%s/", allow_networks: ["127.0.0.0/8"]}, unsigned: true, free: true}
`, origin.URL)
	}
	file := filepath.Join(t.TempDir(), "edge.yaml")
	common := "listen: 127.0.0.1:0\nadmin: {listen: \"127.0.0.1:0\"}\nlog: {level: error}\n"
	if err := os.WriteFile(file, []byte(common+yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(file, nil, Overrides{})
	if err != nil {
		t.Fatalf("Load: %v\n%s", err, yaml)
	}
	s, err := StartService(t.Context(), cfg, newLogger(io.Discard, cfg.Log))
	if err != nil {
		t.Fatalf("StartService: %v", err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 200}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := s.Stop(context.Background()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return &fleetNode{
		Service: s, base: localBase(s.Public.Addr()), admin: localBase(s.Admin.Addr()),
		client: &http.Client{Transport: transport, Timeout: 20 * time.Second},
	}
}

// got is an answer, read.
type got struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
}

func (n *fleetNode) get(t *testing.T, target string) got {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.base+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n.do(t, req)
}

func (n *fleetNode) do(t *testing.T, req *http.Request) got {
	t.Helper()
	began := time.Now()
	resp, err := n.client.Do(req)
	if err != nil {
		t.Errorf("%s %s: %v", req.Method, req.URL, err)
		return got{header: http.Header{}}
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("%s %s: %v", req.Method, req.URL, err)
	}
	_ = resp.Body.Close() // read to its end
	return got{resp.StatusCode, resp.Header, body, time.Since(began)}
}

// ok is get for an answer that must be a picture.
func (n *fleetNode) ok(t *testing.T, target string) got {
	t.Helper()
	a := n.get(t, target)
	if a.status != http.StatusOK {
		t.Errorf("GET %s: status %d: %s", target, a.status, a.body)
	}
	return a
}

func (n *fleetNode) purge(t *testing.T, body string) got {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.admin+"/v1/purge", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return n.do(t, req)
}

func (n *fleetNode) renders() uint64 { return n.Node.Pipeline.Stats().Renders }

// crowd sends count requests at once, in turn to each node.
func crowd(t *testing.T, count int, target string, nodes ...*fleetNode) {
	t.Helper()
	var wait sync.WaitGroup
	start := make(chan struct{})
	for i := range count {
		wait.Go(func() {
			<-start
			if a := nodes[i%len(nodes)].ok(t, target); a.header.Get("Content-Type") != "image/webp" {
				t.Errorf("type %q, want image/webp", a.header.Get("Content-Type"))
			}
		})
	}
	close(start)
	wait.Wait()
}

const coldTarget = "/web/a.jpg?w=200&f=webp"

func TestColdCrowdOnOneNode(t *testing.T) {
	origin := newOrigin(t)
	n := startNode(t, origin, "")
	crowd(t, 100, coldTarget, n)
	if f, r := origin.fetches.Load(), n.renders(); f != 1 || r != 1 {
		t.Errorf("100 cold requests: %d fetches and %d renders, want 1 and 1", f, r)
	}
}

func TestColdCrowdOnTwoNodes(t *testing.T) {
	backends := map[string]func(*testing.T) string{
		"one Redis": func(t *testing.T) string { return testpeer.Redis(t).URL },
		"a cluster": func(t *testing.T) string {
			return "redis+cluster://" + strings.Join(testpeer.RedisCluster(t), ",")
		},
	}
	for name, start := range backends {
		t.Run(name, func(t *testing.T) {
			origin := newOrigin(t)
			yaml := fmt.Sprintf("redis: {url: %q}\ncache: {redis: {timeout: 1s}}\n", start(t))
			a, b := startNode(t, origin, yaml), startNode(t, origin, yaml)
			crowd(t, 100, coldTarget, a, b)
			if f, r := origin.fetches.Load(), a.renders()+b.renders(); f != 1 || r != 1 {
				t.Errorf("50 + 50 cold requests: %d fetches and %d renders, want 1 and 1", f, r)
			}
			// A node that comes later finds it in Redis, with the same bytes and tag.
			c := startNode(t, origin, yaml)
			first, later := a.ok(t, coldTarget), c.ok(t, coldTarget)
			if cs := later.header.Get("Cache-Status"); !strings.HasPrefix(cs, "imgedge; hit; detail=redis; ttl=") {
				t.Errorf("Cache-Status %q, want a hit in Redis", cs)
			}
			if first.header.Get("Etag") != later.header.Get("Etag") || !bytes.Equal(first.body, later.body) {
				t.Error("two nodes answer with different bytes or tags")
			}
			if origin.fetches.Load() != 1 {
				t.Errorf("%d fetches, want still 1", origin.fetches.Load())
			}
		})
	}
}

func TestVariantsShareOneFetch(t *testing.T) {
	origin := newOrigin(t)
	n := startNode(t, origin, "")
	var wait sync.WaitGroup
	for i := range 12 {
		wait.Go(func() { n.ok(t, fmt.Sprintf("/web/a.jpg?w=%d", 100+i)) })
	}
	wait.Wait()
	if f := origin.fetches.Load(); f != 1 {
		t.Errorf("12 variants at once: %d fetches, want 1", f)
	}
}

func TestPurgeReachesEveryNode(t *testing.T) {
	purges := map[string]string{
		"url":    `{"urls": ["/web/a.jpg?w=200&f=webp"]}`,
		"key":    `{"source": "web", "key": "a.jpg"}`,
		"source": `{"source": "web"}`,
		"all":    `{"all": true}`,
	}
	for name, body := range purges {
		t.Run(name, func(t *testing.T) {
			origin := newOrigin(t)
			yaml := fmt.Sprintf("redis: {url: %q}\ncache: {redis: {timeout: 1s}}\n", testpeer.Redis(t).URL) // however slow the machine is
			a, b := startNode(t, origin, yaml), startNode(t, origin, yaml)
			a.ok(t, coldTarget)
			old := b.ok(t, coldTarget).header.Get("Etag")
			origin.put(t, `"two"`, 300, 300)
			if got := b.ok(t, coldTarget).header.Get("Etag"); got != old {
				t.Fatalf("before the purge the tag changed from %s to %s", old, got)
			}
			answer := a.purge(t, body)
			if answer.status != http.StatusOK {
				t.Fatalf("purge: %d %s", answer.status, answer.body)
			}
			deadline := time.Now().Add(time.Second)
			if got := a.ok(t, coldTarget).header.Get("Etag"); got == old {
				t.Error("the node that was asked still serves the old picture")
			}
			for b.ok(t, coldTarget).header.Get("Etag") == old {
				if time.Now().After(deadline) {
					t.Fatal("the other node serves the old picture a second after the answer")
				}
			}
		})
	}
}

func TestRedisTroubleIsAMiss(t *testing.T) {
	redis := testpeer.Redis(t)
	origin := newOrigin(t)
	n := startNode(t, origin, fmt.Sprintf("redis: {url: %q}\n", redis.URL))
	usual := n.ok(t, "/web/usual.jpg?w=100").took
	slowest := func(what string) {
		t.Helper()
		var worst time.Duration
		for i := range 40 {
			worst = max(worst, n.ok(t, fmt.Sprintf("/web/%s-%d.jpg?w=100", what, i)).took)
			worst = max(worst, n.ok(t, "/web/usual.jpg?w=100").took)
		}
		if worst > usual+time.Second {
			t.Errorf("%s: the slowest answer took %v, usual is %v", what, worst, usual)
		}
	}
	redis.Pause()
	slowest("frozen")
	redis.Resume()
	storesAgain(t, n, redis, "resumed")
	redis.Kill()
	slowest("dead")
	if a := n.get(t, "/readyz"); a.status != http.StatusOK || !bytes.Contains(a.body, []byte("redis")) {
		t.Errorf("/readyz without Redis: %d %s, want 200 that names redis", a.status, a.body)
	}
	redis.Restart(t)
	storesAgain(t, n, redis, "restarted")
}

// storesAgain waits until a picture made now reaches Redis (within 5 s).
func storesAgain(t *testing.T, n *fleetNode, redis *testpeer.RedisServer, what string) {
	t.Helper()
	client := redis.Client(t)
	deadline := time.Now().Add(5 * time.Second)
	before := client.DBSize(t.Context()).Val()
	for i := 0; client.DBSize(t.Context()).Val() <= before+1; i++ {
		if time.Now().After(deadline) {
			t.Fatalf("%s: nothing was stored in Redis for 5 s", what)
		}
		n.ok(t, fmt.Sprintf("/web/%s-%d.jpg?w=100", what, i))
	}
}

func TestNodeStartsWithoutItsRedis(t *testing.T) {
	n := startNode(t, newOrigin(t), fmt.Sprintf("redis: {url: \"redis://%s/0\"}\n", testpeer.FreePort(t)))
	n.ok(t, coldTarget)
	if a := n.get(t, "/readyz"); a.status != http.StatusOK || !bytes.Contains(a.body, []byte("degraded")) || !bytes.Contains(a.body, []byte("redis")) {
		t.Errorf("/readyz: %d %s, want 200 degraded naming redis", a.status, a.body)
	}
	if a := n.purge(t, `{"all": true}`); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("purge without Redis: %d %s, want 503 with Retry-After", a.status, a.body)
	}
}

func TestStaleCopyOverFailingOrigin(t *testing.T) {
	origin := newOrigin(t)
	n := startNode(t, origin, "cache: {fresh: 1ms, stale_while_revalidate: 0s, stale_if_error: 1h, originals: {memory: 0}}\n")
	n.ok(t, coldTarget)
	origin.failing.Store(true)
	var a got
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(a.header.Get("Cache-Status"), "stale"); {
		if time.Now().After(deadline) {
			t.Fatalf("Cache-Status %q, want fwd=stale", a.header.Get("Cache-Status"))
		}
		a = n.ok(t, coldTarget)
	}
	if cs := a.header.Get("Cache-Status"); !strings.Contains(cs, "fwd=stale; fwd-status=502; detail=stale-if-error") {
		t.Errorf("Cache-Status %q", cs)
	}
}

func TestUnchangedOriginIsNotRenderedAgain(t *testing.T) {
	origin := newOrigin(t)
	n := startNode(t, origin, "cache: {fresh: 1ms, stale_while_revalidate: 0s, originals: {memory: 0}}\n")
	first := n.ok(t, coldTarget)
	for range 5 {
		if a := n.ok(t, coldTarget); a.header.Get("Etag") != first.header.Get("Etag") {
			t.Errorf("tag %s, want %s", a.header.Get("Etag"), first.header.Get("Etag"))
		}
	}
	if r := n.renders(); r != 1 {
		t.Errorf("%d renders, want 1", r)
	}
	if f := origin.fetches.Load(); f < 2 {
		t.Errorf("%d fetches, want the origin asked again", f)
	}
}

func TestSignedPictureFromABucket(t *testing.T) {
	s3 := testpeer.S3(t)
	s3.MakeBucket(t, "shop")
	photo, err := sample.JPEG(sample.Scene(800, 600, 3), sample.Meta{Orientation: 6, GPS: true})
	if err != nil {
		t.Fatal(err)
	}
	s3.Put(t, "shop", "images/summer sale/héro.jpg", photo, miniogo.PutObjectOptions{ContentType: "image/jpeg"})
	secret := strings.Repeat("6b", 32)
	n := startNode(t, nil, fmt.Sprintf(`
sources:
  shop:
    bucket: {endpoint: %q, region: %q, name: shop, prefix: images/, access_key: %q, secret_key: %q, path_style: true}
    keys: [{id: k1, secret: %q}]
`, s3.Endpoint, s3.Region, s3.AccessKey, s3.SecretKey, secret))
	key := signing.Key{ID: "k1", Secret: bytes.Repeat([]byte{0x6b}, 32)}
	sign := func(object, options string) string {
		target, err := key.SignTarget(dialect.Target("shop", object, options))
		if err != nil {
			t.Fatal(err)
		}
		return target
	}
	a := n.ok(t, sign("summer sale/héro.jpg", "f=json"))
	if !bytes.Contains(a.body, []byte(`"width":600,"height":800`)) {
		t.Errorf("json %s, want it upright", a.body)
	}
	a = n.ok(t, sign("summer sale/héro.jpg", "w=300&f=png"))
	if !bytes.Contains(a.body, []byte("\x00\x00\x01\x2c\x00\x00\x01\x90")) { // IHDR 300×400
		t.Error("the picture is not 300×400")
	}
	if a := n.get(t, sign("nobody.jpg", "w=300")); a.status != http.StatusNotFound {
		t.Errorf("a missing key: %d, want 404", a.status)
	}
	if a := n.get(t, "/shop/summer%20sale/h%C3%A9ro.jpg?w=300"); a.status != http.StatusForbidden {
		t.Errorf("unsigned: %d, want 403", a.status)
	}
}
