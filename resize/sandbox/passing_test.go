package sandbox_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/sandbox"
)

// One place in mapped memory holds one picture after the other: each is seen as it is now.
func TestPassing(t *testing.T) {
	e := newEngine(t, config(withActs))
	mapped, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(mapped); err != nil {
			t.Error(err)
		}
	})
	plan := resize.Plan{Width: 10, Height: 10, Frames: 1}
	for _, act := range []string{"hello", "there", "again"} {
		data := mapped[:copy(mapped, picture(act))]
		if _, err := (sandbox.Passing{Engine: e}).Probe(t.Context(), data); err != nil {
			t.Fatal(err)
		}
		got, err := sandbox.Passing{Engine: e}.Run(t.Context(), data, plan)
		if err != nil || string(got[0].Body) != string(picture(act)) {
			t.Errorf("Run of %q: %d results, %v", act, len(got), err)
		}
	}
}
