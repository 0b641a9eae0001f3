package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSealMemory(t *testing.T) {
	t.Cleanup(func() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) })
	if err := sealMemory(); err != nil {
		t.Fatal(err)
	}
	if got, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || got != 0 {
		t.Errorf("dumpable %d, %v; want 0", got, err)
	}
}

// A server leaves no core; profiles of it can be made all the same.
func TestServeIsSealed(t *testing.T) {
	c := startChild(t, "log: {format: json}\nshutdown: {delay: 0}\n", "--dir", photos(t))
	admin := strings.TrimSuffix(strings.Fields(c.line(t, "edge: admin on "))[3], "/")
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", c.cmd.Process.Pid))
	if err != nil || !strings.Contains(string(limits), "Max core file size        0                    0 ") {
		t.Errorf("limits of the server, %v:\n%s", err, limits)
	}
	for _, path := range []string{"heap", "goroutine", "profile?seconds=1"} {
		resp, err := http.Get(admin + "/debug/pprof/" + path)
		if err != nil {
			t.Fatal(err)
		}
		profile, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close() // read to its end
		if err != nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(string(profile), "\x1f\x8b") {
			t.Errorf("%s: %d, %d bytes, %v; want a gzipped profile", path, resp.StatusCode, len(profile), err)
		}
	}
	if got := statusOf(admin + "/debug/pprof/cmdline"); got != http.StatusNotFound {
		t.Errorf("the command line, which may hold a key: %d, want 404", got)
	}
}
