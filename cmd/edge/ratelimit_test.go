package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/internal/testpeer"
)

// What is made is counted over the fleet; what is found, in memory or in Redis, is not.
func TestRendersAreLimitedOverTheFleet(t *testing.T) {
	server, origin := testpeer.Redis(t), newOrigin(t)
	yaml := fmt.Sprintf("redis: {url: %q}\nrate_limit: {renders: 3, window: 1h}\n", server.URL)
	a, b := startNode(t, origin, yaml), startNode(t, origin, yaml)
	target := func(n int) string { return fmt.Sprintf("/web/a.jpg?w=%d&f=png", 20+n) }
	a.ok(t, target(0))
	b.ok(t, target(1))
	a.ok(t, target(2))
	for _, node := range []*fleetNode{a, b} {
		if got := node.get(t, target(3)); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" || !strings.Contains(string(got.body), "rate_limited") {
			t.Errorf("a fourth picture: %d %s, want 429 rate_limited with Retry-After", got.status, got.body)
		}
	}
	for range 20 {
		a.ok(t, target(0)) // memory
	}
	if err := a.Node.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.ok(t, target(0)) // Redis
	b.ok(t, target(2))
	if got := a.renders() + b.renders(); got != 3 {
		t.Errorf("%d renders, want 3", got)
	}
}

// Without its Redis a node counts for itself, and serves.
func TestRendersAreLimitedWithoutRedis(t *testing.T) {
	server := testpeer.Redis(t)
	n := startNode(t, newOrigin(t), fmt.Sprintf("redis: {url: %q}\nrate_limit: {renders: 2, window: 1h}\n", server.URL))
	server.Stop()
	for i, want := range []int{http.StatusOK, http.StatusOK, http.StatusTooManyRequests} {
		if got := n.get(t, fmt.Sprintf("/web/a.jpg?w=%d&f=png", 20+i)); got.status != want {
			t.Errorf("picture %d: %d %s, want %d", i, got.status, got.body, want)
		}
	}
}

func TestRateLimitIsChecked(t *testing.T) {
	_, err := Load(writeConfig(t, "rate_limit: {requests: -1, renders: 10000000, window: 2h, by: moon}"), nil, Overrides{})
	for _, want := range []string{
		"rate_limit.requests: -1 is not within", "rate_limit.renders: 10000000 is not within",
		"rate_limit.window: 2h is not within 1ms–1h", `rate_limit.by: "moon" is none of ip, token`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

// A limit comes and goes with a reload.
func TestReloadOfRateLimits(t *testing.T) {
	text := localConfig(photos(t))
	r := startReloading(t, text)
	url := r.sign(t, "/local/a.jpg?w=32")
	for range 5 {
		ask(t, http.MethodGet, url).wantCode(t, http.StatusOK, "")
	}
	r.change(t, text+"rate_limit: {requests: 1, window: 1h}\n")
	ask(t, http.MethodGet, url).wantCode(t, http.StatusOK, "")
	ask(t, http.MethodGet, url).wantCode(t, http.StatusTooManyRequests, "rate_limited")
	r.change(t, text)
	ask(t, http.MethodGet, url).wantCode(t, http.StatusOK, "")
}
