package ingest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/imgedge/imgedge/resize"
)

// network lies between stores and a server that counts their calls.
type network struct {
	front *proxy
	toxi  *toxiproxy.Proxy
	toxic string // of toxiproxy, as JSON; "" = nobody listens
	broke atomic.Bool

	mu   sync.Mutex // guards what follows
	sick bool
}

func newNetwork(t *testing.T, s *server, toxic string) *network {
	t.Helper()
	front, _ := newProxy(t, s, "")
	w := &network{front: front, toxic: toxic}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w.toxi = toxiproxy.NewProxy(server, "s3", "127.0.0.1:0", strings.TrimPrefix(front.URL, "http://"))
	if err := w.toxi.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.toxi.Stop)
	return w
}

// sicken begins the trouble, once.
func (w *network) sicken(t *testing.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sick {
		return
	}
	w.sick = true
	w.broke.Store(true)
	if w.toxic == "" {
		w.toxi.Stop()
	} else if _, err := w.toxi.Toxics.AddToxicJson(strings.NewReader(w.toxic)); err != nil {
		t.Error(err)
	}
}

// heal ends the trouble.
func (w *network) heal(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.sick {
		return
	}
	w.sick = false
	if w.toxic == "" {
		if err := w.toxi.Start(); err != nil {
			t.Fatal(err)
		}
	} else if err := w.toxi.Toxics.RemoveToxic(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
}

// outage is when the network is broken.
type outage struct {
	name string
	call bool    // as long as the store's n-th call of the bucket takes, with all tries; else from the n-th request that the server sees until the upload is answered
	how  failure // what becomes of that request
}

// flaky is a bucket over a network that is broken while one of the calls lasts.
type flaky struct {
	s3
	network *network
	t       *testing.T
	broken  int64 // which call; 0 = none
	calls   atomic.Int64
}

// during begins the trouble if it is this call's, and returns what ends it.
func (f *flaky) during() (after func()) {
	if f.calls.Add(1) != f.broken {
		return func() {}
	}
	f.network.sicken(f.t)
	return func() { f.network.heal(f.t) }
}

func (f *flaky) Put(ctx context.Context, key string, body *io.SectionReader, how How) error {
	defer f.during()()
	return f.s3.Put(ctx, key, body, how)
}

func (f *flaky) Get(ctx context.Context, key string, maxBytes int64) ([]byte, Object, error) {
	defer f.during()()
	return f.s3.Get(ctx, key, maxBytes)
}

func (f *flaky) Stat(ctx context.Context, key string) (Object, error) {
	defer f.during()()
	return f.s3.Stat(ctx, key)
}

func (f *flaky) Delete(ctx context.Context, key string) error {
	defer f.during()()
	return f.s3.Delete(ctx, key)
}

// The network to the bucket breaks at each call of an upload in turn: all of it is visible then or nothing, and
// nothing else is left after the sweep.
func TestBrokenNetworkAtEachCall(t *testing.T) {
	server := newServer(t)
	const calls = 7 // three images, the record, three manifests
	var rounds errgroup.Group
	rounds.SetLimit(20) // most of each is waiting
	for _, fault := range []struct{ name, toxic string }{
		{"reset", `{"name":"t","type":"reset_peer","stream":"downstream","attributes":{"timeout":0}}`},
		{"silence", `{"name":"t","type":"timeout","stream":"downstream","attributes":{"timeout":20}}`},
		{"answers-cut", `{"name":"t","type":"limit_data","stream":"downstream","attributes":{"bytes":30}}`},
		{"requests-cut", `{"name":"t","type":"limit_data","stream":"upstream","attributes":{"bytes":1000}}`},
		{"down", ""},
	} {
		for _, o := range []outage{{name: "one-call", call: true}, {name: "from-an-answer", how: fine}, {name: "from-a-request", how: refused}} {
			for n := 1; n <= calls+1; n++ {
				prefix, w := fmt.Sprintf("%s-%s-%d/", fault.name, o.name, n), newNetwork(t, server, fault.toxic)
				rounds.Go(func() error {
					if broke := w.breakAt(t, server, prefix, n, o); broke != (n <= calls) {
						t.Errorf("%s: the network broke: %v", prefix, broke)
					}
					return nil
				})
			}
		}
	}
	_ = rounds.Wait() // they tell t
}

// breakAt uploads three pictures while the network breaks at the n-th call, and reports whether there was one.
func (w *network) breakAt(t *testing.T, server *server, prefix string, n int, o outage) bool {
	t.Helper()
	bucket := &flaky{s3: s3{server.open(t, "http://"+w.toxi.Listen).Objects(prefix)}, network: w, t: t}
	w.front.mu.Lock()
	w.front.calls, w.front.fail = nil, func(call int) failure {
		if o.call || call < n {
			return fine
		}
		w.sicken(t)
		if call == n {
			return o.how
		}
		return fine
	}
	w.front.mu.Unlock()
	if o.call {
		bucket.broken = int64(n)
	}
	s := &Store{Bucket: bucket, Engine: fakeEngine{}, Limits: resize.DefaultLimits()}
	got, err := s.Upload(t.Context(), order(t, s, 1, 2, 3))
	requests, broke := w.front.made(), w.broke.Load()
	w.heal(t)

	direct := server.store(prefix)
	seen := visible(t, direct)
	answered := slices.ContainsFunc(requests, func(c string) bool { return strings.HasPrefix(c, "PUT "+prefix+"uploads/") })
	switch {
	case len(seen) != 0 && len(seen) != 3:
		t.Errorf("%s: %d of 3 are visible after %v", prefix, len(seen), err)
	case err == nil && !slices.Equal(slices.Sorted(slices.Values(idsOf(got))), seen):
		t.Errorf("%s: answered %v, visible %v", prefix, idsOf(got), seen)
	case err != nil && !isStatus(err, http.StatusBadGateway):
		t.Errorf("%s: %v, want a 502", prefix, err)
	case err != nil && len(seen) > 0 && (o.call || !answered): // only an outage that goes on can hide that the record is there
		t.Errorf("%s: refused with %v, and visible", prefix, err)
	}
	everything(t, direct)
	whole(t, direct, nil)
	if again := visible(t, direct); !slices.Equal(again, seen) {
		t.Errorf("%s: the sweep changed %v to %v", prefix, seen, again)
	}
	if left := keys(t, direct.Bucket); len(seen) == 0 && len(left) > 0 {
		t.Errorf("%s: %v is left after the sweep", prefix, left)
	}
	return broke
}
