//go:build !race

package sandbox_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/imgedge/imgedge/resize/sandbox"
)

// A picture that takes memory without end gets what is configured and no more. (The race detector maps more
// than any limit.)
func TestAllocatingWithoutEnd(t *testing.T) {
	c := config(withActs)
	c.Memory = 256 << 20
	var mu sync.Mutex
	var said []string
	c.Log = func(e sandbox.Event) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, e.Text)
	}
	e := newEngine(t, c)
	_, err := run(t.Context(), e, "allocate")
	if s, code := status(err); s != 422 || code != "corrupt_image" {
		t.Errorf("%v: %d %s, want 422 corrupt_image", err, s, code)
	}
	eventually(t, "two deaths are counted", func() bool { return e.Stats().Restarts[sandbox.ReasonCrash] == 2 })
	mu.Lock()
	defer mu.Unlock()
	if !strings.Contains(strings.Join(said, "\n"), "out of memory") {
		t.Errorf("the workers said %q, want that they are out of memory", said)
	}
}
