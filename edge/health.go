package edge

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// health remembers for a moment how the dependencies do, so that asking often costs nothing.
type health struct {
	mu      sync.Mutex
	checked time.Time
	failing []string
}

const (
	healthLife    = time.Second            // how long an answer of the dependencies counts
	healthTimeout = 500 * time.Millisecond // of all their checks together
)

// condition is what the health checks answer.
type condition struct {
	Status   string   `json:"status"` // ok, degraded, starting or draining
	Degraded []string `json:"degraded,omitempty"`
}

// condition returns how the node does.
func (s *Server) condition() condition {
	st := s.state.Load()
	switch {
	case s.draining.Load():
		return condition{Status: "draining"}
	case st == nil:
		return condition{Status: "starting"}
	}
	if failing := s.health.failingOf(slices.Concat(s.Dependencies, st.site.Dependencies), s.Now()); len(failing) > 0 {
		return condition{Status: "degraded", Degraded: failing}
	}
	return condition{Status: "ok"}
}

// failingOf returns the names of the dependencies that fail, in their order.
func (h *health) failingOf(all []Dependency, now time.Time) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.checked.IsZero() && now.Sub(h.checked) < healthLife {
		return h.failing
	}
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	failed := make([]bool, len(all))
	var wg sync.WaitGroup
	for i, d := range all {
		wg.Go(func() { failed[i] = d.Check(ctx) != nil })
	}
	wg.Wait()
	h.checked, h.failing = now, nil
	for i, d := range all {
		if failed[i] {
			h.failing = append(h.failing, d.Name)
		}
	}
	return h.failing
}

// serveHealth answers /healthz: the process lives, whatever its condition.
func (x *exchange) serveHealth() {
	if x.only(http.MethodGet) {
		respondJSON(x, http.StatusOK, x.server.condition())
	}
}

// serveReady answers /readyz: 200 while pictures can be served, be it without some dependency.
func (x *exchange) serveReady() {
	if !x.only(http.MethodGet) {
		return
	}
	c := x.server.condition()
	status := http.StatusOK
	if c.Status == "starting" || c.Status == "draining" {
		status = http.StatusServiceUnavailable
		x.ctx.Response.Header.Set("Retry-After", "1")
	}
	respondJSON(x, status, c)
}
