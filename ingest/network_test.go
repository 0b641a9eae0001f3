package ingest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/imgedge/imgedge/resize"
)

// network lies between stores and a server that counts their calls.
type network struct {
	front *proxy
	toxi  *toxiproxy.Proxy
	toxic string // of toxiproxy, as JSON; "" = nobody listens

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

// The network to the bucket breaks at each call of an upload in turn, and stays broken until the upload is
// answered: all of it is visible then or nothing, and nothing else is left after the sweep.
func TestBrokenNetworkAtEachCall(t *testing.T) {
	server := newServer(t)
	var all sync.WaitGroup
	for _, fault := range []struct{ name, toxic string }{
		{"reset", `{"name":"t","type":"reset_peer","stream":"downstream","attributes":{"timeout":0}}`},
		{"silence", `{"name":"t","type":"timeout","stream":"downstream","attributes":{"timeout":20}}`},
		{"answers-cut", `{"name":"t","type":"limit_data","stream":"downstream","attributes":{"bytes":30}}`},
		{"requests-cut", `{"name":"t","type":"limit_data","stream":"upstream","attributes":{"bytes":1000}}`},
		{"down", ""},
	} {
		for prefix, how := range map[string]failure{fault.name: fine, fault.name + "-refused": refused} {
			w := newNetwork(t, server, fault.toxic)
			all.Go(func() { // at the same time, as most of it is waiting
				for n := 1; w.breakAt(t, server, fmt.Sprintf("%s-%d/", prefix, n), n, how); n++ {
				}
			})
		}
	}
	all.Wait()
}

// breakAt uploads three pictures over a network that breaks at the n-th call, which is carried out or does not
// reach the bucket. It reports whether there was such a call.
func (w *network) breakAt(t *testing.T, server *server, prefix string, n int, how failure) bool {
	t.Helper()
	w.front.mu.Lock()
	w.front.calls, w.front.fail = nil, func(call int) failure {
		if call < n {
			return fine
		}
		w.sicken(t)
		if call == n {
			return how
		}
		return fine
	}
	w.front.mu.Unlock()
	s := &Store{Bucket: s3{server.open(t, "http://"+w.toxi.Listen).Objects(prefix)}, Engine: fakeEngine{}, Limits: resize.DefaultLimits()}
	got, err := s.Upload(t.Context(), order(t, s, 1, 2, 3))
	calls := w.front.made()
	w.heal(t)

	direct := server.store(prefix)
	seen := visible(t, direct)
	switch {
	case len(seen) != 0 && len(seen) != 3:
		t.Errorf("%s: %d of 3 are visible after %v", prefix, len(seen), err)
	case err == nil && !slices.Equal(slices.Sorted(slices.Values(idsOf(got))), seen):
		t.Errorf("%s: answered %v, visible %v", prefix, idsOf(got), seen)
	case err != nil && !isStatus(err, http.StatusBadGateway):
		t.Errorf("%s: %v, want a 502", prefix, err)
	case err != nil && len(seen) > 0 && !slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "PUT "+prefix+"uploads/") }):
		t.Errorf("%s: refused with %v before it was committed, and visible", prefix, err)
	}
	everything(t, direct)
	whole(t, direct, nil)
	if again := visible(t, direct); !slices.Equal(again, seen) {
		t.Errorf("%s: the sweep changed %v to %v", prefix, seen, again)
	}
	if left := keys(t, direct.Bucket); len(seen) == 0 && len(left) > 0 {
		t.Errorf("%s: %v is left after the sweep", prefix, left)
	}
	broke := len(calls) >= n
	if !broke && (n < 7 || err != nil) {
		t.Errorf("%s: %d calls, %v", prefix, len(calls), err)
	}
	return broke
}
