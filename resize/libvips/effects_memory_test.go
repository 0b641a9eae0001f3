package libvips_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
)

// optionsVariable tells the child of TestMemoryPromise what to render: options, separated by spaces where they
// share a decode.
const optionsVariable = "IMGEDGE_TEST_OPTIONS"

// No option takes more memory than its plan has promised to the gate.
func TestMemoryPromise(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "large.jpg")
	if err := os.WriteFile(path, jpegOf(t, photo(3200, 2400), 90), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const large = "f=jpeg&w=1600"
	for _, text := range []string{
		large, large + "&round=90", large + "&ar=1:1&g=smart", large + "&trim=10", large + "&wm=a/b&wmr=1&wms=0.2",
		large + "&rot=30&blur=9&sharpen=2&pixelate=5&round=40&bg=blur&txt=All&wm=a/b&trim=5",
		large + " f=jpeg&w=800 f=jpeg&w=500 f=webp&w=300", large + " f=webp&w=1500",
	} {
		child := exec.CommandContext(t.Context(), self)
		child.Env = append(os.Environ(), childVariable+"="+path, optionsVariable+"="+text)
		out, err := child.CombinedOutput()
		if err != nil {
			t.Errorf("%q: %v\n%s", text, err, out)
			continue
		}
		var grown, promised int
		if _, err := fmt.Sscan(string(out), &grown, &promised); err != nil {
			t.Fatalf("%q: the child said %q", text, out)
		}
		t.Logf("%-60s %4d MiB of %4d", text, grown>>10, promised>>10)
		const detector = 12 << 10 // KiB that the race detector adds
		if grown > promised+detector {
			t.Errorf("%q took %d MiB, its plan says %d", text, grown>>10, promised>>10)
		}
	}
}

// renderOptions is the child: it prints by how many KiB the peak grew, and what the plan said.
func renderOptions(path, text string) int {
	fail := func(err error) int {
		fmt.Println(err, causes(err))
		return 1
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fail(err)
	}
	e, err := libvips.New(libvips.Config{})
	if err != nil {
		return fail(err)
	}
	ctx, lim := context.Background(), resize.DefaultLimits()
	src, err := e.Probe(ctx, data)
	if err != nil {
		return fail(err)
	}
	var plans []resize.Plan
	for text := range strings.FieldsSeq(text) {
		o, err := resize.Parse(text)
		if err != nil {
			return fail(err)
		}
		plan, err := o.Plan(src, lim)
		if err == nil {
			plan, err = plan.WithMark(data, src, lim)
		}
		if err != nil {
			return fail(err)
		}
		plans = append(plans, plan)
	}
	before := peak()
	if _, err := e.Run(ctx, data, plans...); err != nil {
		return fail(err)
	}
	fmt.Println(peak()-before, resize.Together(plans...).Memory>>10)
	return 0
}
