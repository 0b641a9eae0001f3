package libvips_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
)

// childVariable tells the test binary to be the child of TestPeakMemory.
const childVariable = "IMGEDGE_TEST_RENDER"

// TestPeakMemory holds that 100 MP become 300 px without ever being in memory as a whole, which would
// take 300 MB. A child process does it, as the peak is one of a process.
func TestPeakMemory(t *testing.T) {
	newEngine(t)
	black, err := vips.Black(12000, 8400)
	if err != nil {
		t.Fatal(err)
	}
	defer black.Close()
	if err := black.ToColorSpace(vips.InterpretationSRGB); err != nil {
		t.Fatal(err)
	}
	data, _, err := black.ExportJpeg(&vips.JpegExportParams{Quality: 90})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "large.jpg")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), childVariable+"="+path)
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	grown, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatalf("child said %q", out)
	}
	t.Logf("100 MP to 300 px and to a strip of 10000 px: the peak grew by %d KiB", grown)
	if grown > 64<<10 {
		t.Errorf("the peak grew by %d MiB", grown>>10)
	}
}

// renderLarge is the child: it prints by how many KiB the peak grew.
func renderLarge(path string) int {
	data, err := os.ReadFile(path)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	e, err := libvips.New(libvips.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	before := memoryLine("VmHWM:")
	lim := resize.DefaultLimits()
	lim.SourcePixels, lim.OutputPixels = 200_000_000, 200_000_000
	// One through shrink-on-load, one from all the px there are.
	for _, o := range []resize.Options{
		{Width: 300, Format: resize.FormatJPEG},
		{Width: 10000, Height: 100, Fit: resize.FitCover, Gravity: resize.GravityNorth, Format: resize.FormatJPEG},
	} {
		if _, err := tryRender(context.Background(), e, data, o, lim); err != nil {
			fmt.Println(err, causes(err))
			return 1
		}
	}
	fmt.Println(memoryLine("VmHWM:") - before)
	return 0
}

// memoryLine returns a line of the process' status, KiB.
func memoryLine(name string) int {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }() // only read
	for s := bufio.NewScanner(f); s.Scan(); {
		if fields := strings.Fields(s.Text()); len(fields) > 1 && fields[0] == name {
			n, _ := strconv.Atoi(fields[1]) // 0 fails the test's sense, never its safety
			return n
		}
	}
	return 0
}
