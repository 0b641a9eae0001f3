package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
)

// sum is how often an origin was asked, for whatever.
func (o *faultyOrigin) sum() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, count := range o.asked {
		n += count
	}
	return n
}

// One request asks a dead origin four times at most, all in all: for its picture, for the watermark on it, and for
// the picture that is sent in its place.
func TestOneRequestAsksFourTimes(t *testing.T) {
	var asked atomic.Int64 // for the picture of the last row
	const fallback = ", fallback: web/missing.png"
	for _, row := range []struct {
		name, fallback string
		trouble        http.HandlerFunc
	}{
		{"error", fallback, answering(500)},
		{"reset", fallback, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		{"busy", fallback, answering(503)},
		{"error, but for the picture", fallback, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/cold.jpg" {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			_, _ = w.Write(painted(t, 400, 300))
		}},
		{"error, but for the third try of the picture", "", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/cold.jpg" || asked.Add(1) < 3 {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			_, _ = w.Write(painted(t, 400, 300))
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := newFaultyOrigin(t, false, row.trouble)
			n := startNode(t, nil, fmt.Sprintf(`
render: {isolation: none}
sources:
  web: {http: {base: "%s/", allow_networks: [127.0.0.0/8]}, unsigned: true, free: true%s}
`, o.URL, row.fallback))
			n.ok(t, "/web/known.jpg?w=100&f=webp") // a connection is open
			o.ill.Store(true)
			before := o.sum()
			if a := n.get(t, "/web/cold.jpg?w=100&f=webp&wm=web%2Fmark.png"); a.status != http.StatusBadGateway {
				t.Errorf("%d %s, want 502", a.status, a.body)
			}
			if asked := o.sum() - before; asked > 4 || asked < 2 {
				t.Errorf("the origin was asked %d times for one request: %v; want at most 4", asked, o.asked)
			}
		})
	}
}

// The picture that is sent in place of one of a dead origin comes from another source, which is asked.
func TestFallbackOfAnotherSource(t *testing.T) {
	dead := newFaultyOrigin(t, false, answering(500))
	dead.ill.Store(true)
	n := startNode(t, nil, fmt.Sprintf(`
render: {isolation: none}
sources:
  web: {http: {base: "%s/", allow_networks: [127.0.0.0/8]}, unsigned: true, free: true, fallback: well/missing.png}
  well: {http: {base: "%s/", allow_networks: [127.0.0.0/8]}, unsigned: true, free: true}
`, dead.URL, newOrigin(t).URL))
	a := n.get(t, "/web/cold.jpg?w=100&f=webp")
	if a.status != http.StatusBadGateway || a.header.Get("Content-Type") != "image/webp" {
		t.Errorf("%d %s, want 502 with a picture", a.status, a.header.Get("Content-Type"))
	}
	if asked := dead.sum(); asked > 4 {
		t.Errorf("the origin was asked %d times", asked)
	}
}
