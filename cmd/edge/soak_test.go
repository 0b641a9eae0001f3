package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/bench/soak"
	"github.com/imgedge/imgedge/sample"
)

// A short soak: workers and Redis die under mixed traffic, and every answer is right. `make soak` takes longer.
func TestSoak(t *testing.T) {
	dir, names := t.TempDir(), []string{"small.jpg", "icon.png", "spin.gif"}
	for _, name := range names {
		if err := sample.WriteFile(dir, name); err != nil {
			t.Fatal(err)
		}
	}
	report, err := soak.Run(t.Context(), soak.Config{
		Edge: os.Args[:1], Env: append(os.Environ(), childVariable+"=1"), Redis: "redis-server",
		Pictures: dir, Names: names, Time: 8 * time.Second, Pause: time.Second, Clients: 4, MaxSide: 400,
		Slack: 1 << 30, // the race detector's
	})
	if err != nil {
		t.Fatal(err)
	}
	if t.Logf("\n%s", report); len(report.Breaches) > 0 {
		t.Errorf("breaches: %q", report.Breaches)
	}
	refused := 0
	for what, n := range report.Statuses {
		if strings.HasPrefix(what, "hostile 4") {
			refused += n
		}
	}
	if report.Statuses["sound 200"] == 0 || refused == 0 || report.Disturbed["worker killed"] == 0 {
		t.Errorf("too little was asked or disturbed: %v, %v", report.Statuses, report.Disturbed)
	}
}
