package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/imgedge/imgedge/signing"
)

// workersOf returns the worker processes of a server.
func workersOf(t *testing.T, parent int) (pids []int) {
	t.Helper()
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		text, err := os.ReadFile(folder + "/stat")
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[0] != "Z" && fields[1] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(filepath.Base(folder))
			pids = append(pids, pid)
		}
	}
	return pids
}

// isolated is a configuration with two workers.
func isolated(t *testing.T, more string) string {
	t.Helper()
	return localConfig(photos(t)) + "render: {isolation: process, workers: 1}\n" + more
}

// edge serve decodes in locked-up children. Killing them all costs nobody a picture, and killing edge ends
// them.
func TestServesFromLockedUpWorkers(t *testing.T) {
	c := startChild(t, isolated(t, ""))
	e := edgeServer{base: c.base, key: testSigningKey(t)}
	eventually(t, "two workers run", func() bool { return len(workersOf(t, c.cmd.Process.Pid)) == 2 })
	for _, url := range []string{"/local/a.jpg?w=100&f=webp", "/local/a.jpg?w=101&f=avif"} {
		ask(t, http.MethodGet, e.sign(t, url)).wantCode(t, http.StatusOK, "")
	}
	locked := func() bool {
		pids := workersOf(t, c.cmd.Process.Pid)
		for _, pid := range pids {
			status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
			if err != nil || !bytes.Contains(status, []byte("NoNewPrivs:\t1")) || !bytes.Contains(status, []byte("Seccomp:\t2")) {
				return false
			}
		}
		return len(pids) == 2
	}
	eventually(t, "both are locked up", locked)
	for i, pid := range workersOf(t, c.cmd.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone
		ask(t, http.MethodGet, e.sign(t, "/local/a.jpg?w=20"+strconv.Itoa(i))).wantCode(t, http.StatusOK, "")
	}
	ask(t, http.MethodGet, e.sign(t, "/local/broken.jpg?w=10")).wantCode(t, http.StatusUnprocessableEntity, "corrupt_image")
	eventually(t, "they are replaced", locked)
	left := workersOf(t, c.cmd.Process.Pid)
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.wait(t)
	eventually(t, "they end with the server", func() bool {
		for _, pid := range left {
			if syscall.Kill(pid, 0) == nil && !zombie(pid) {
				return false
			}
		}
		return true
	})
}

// zombie reports whether a process has ended and waits for its parent to notice.
func zombie(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(text), ") Z ")
}

// The walls and what becomes of workers are seen in metrics, and a render that takes too long is killed.
func TestMetricsOfWorkers(t *testing.T) {
	e := start(t, isolated(t, "limits: {render: 1ms}\n"))
	ask(t, http.MethodGet, e.sign(t, "/local/a.jpg?w=600&f=avif")).wantCode(t, http.StatusGatewayTimeout, "render_timeout")
	var metrics string
	eventually(t, "the kill is counted and workers are back", func() bool {
		metrics = string(ask(t, http.MethodGet, e.admin+"/metrics").body)
		return !strings.Contains(metrics, `reason="deadline"} 0`) && !strings.Contains(metrics, "imgedge_worker_rss_bytes 0\n")
	})
	for _, want := range []string{
		`imgedge_sandbox{layer="processes"} 1`, `imgedge_sandbox{layer="no_new_privs"} 1`, `imgedge_sandbox{layer="landlock"} 1`, `imgedge_sandbox{layer="seccomp"} 1`,
		`imgedge_worker_restarts_total{reason="crash"} 0`, "imgedge_worker_rss_bytes ", "imgedge_poisonous_total 0",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
}

func TestWithoutIsolationTheMetricsSaySo(t *testing.T) {
	e := start(t, localConfig(photos(t))+"render: {isolation: none}\n")
	if metrics := ask(t, http.MethodGet, e.admin+"/metrics").body; !bytes.Contains(metrics, []byte(`imgedge_sandbox{layer="processes"} 0`)) {
		t.Error("no metric says that nothing stands around the decoders")
	}
	if pids := workersOf(t, os.Getpid()); len(pids) != 0 {
		t.Errorf("workers %v, want none", pids)
	}
}

func TestDoctorSaysWhichWallsStand(t *testing.T) {
	out, errs, code := run(t, nil, "doctor", "--config", writeConfig(t, isolated(t, "")))
	for _, want := range []string{"processes: in force", "no_new_privs: in force", "landlock: in force", "seccomp: in force"} {
		if code != exitOK || !strings.Contains(out, want) {
			t.Errorf("exit %d, no %q:\n%s%s", code, want, out, errs)
		}
	}
	out, _, _ = run(t, nil, "doctor", "--config", writeConfig(t, localConfig(photos(t))+"render: {isolation: none}\n"))
	if !strings.Contains(out, "warn  sandbox") {
		t.Errorf("no warning without isolation:\n%s", out)
	}
}

func testSigningKey(t *testing.T) signing.Key {
	t.Helper()
	secret, err := signing.ParseSecret(testKey)
	if err != nil {
		t.Fatal(err)
	}
	return signing.Key{Secret: secret}
}
