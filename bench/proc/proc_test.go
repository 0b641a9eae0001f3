package proc

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// folder makes a /proc with processes given as pid → parent; each used 1 s itself, 0.5 s in ended children,
// and has 10 pages, 8 KiB of them its share.
func folder(t *testing.T, processes map[int]int) string {
	t.Helper()
	dir := t.TempDir()
	for pid, parent := range processes {
		at := filepath.Join(dir, strconv.Itoa(pid))
		if err := os.MkdirAll(at, 0o700); err != nil {
			t.Fatal(err)
		}
		stat := fmt.Sprintf("%d (a) b (c) S %d 1 1 0 -1 4194304 5 6 7 8 60 40 30 20 20 0 9 0 12345 1000000 10 18446744073709551615 1 1 0 0 0 0 0\n", pid, parent)
		write(t, filepath.Join(at, "stat"), stat)
		write(t, filepath.Join(at, "smaps_rollup"), "55-7f ---p 00000000 00:00 0 [rollup]\nRss:   40 kB\nPss:                8 kB\nPss_Dirty: 3 kB\n")
	}
	write(t, filepath.Join(dir, "uptime"), "1 2\n")
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTrees(t *testing.T) {
	dir := folder(t, map[int]int{1: 0, 10: 1, 11: 10, 12: 10, 13: 12, 20: 1, 21: 20})
	tests := []struct {
		name  string
		roots []int
		want  int // processes; 0 = gone
	}{
		{"one alone", []int{13}, 1},
		{"children and theirs", []int{10}, 4},
		{"two trees", []int{10, 20}, 6},
		{"one within the other counts once", []int{10, 12}, 4},
		{"gone", []int{99}, 0},
		{"one of two gone", []int{10, 99}, 0},
	}
	for _, tt := range tests {
		u, err := ReadPSS(dir, tt.roots...)
		n := tt.want
		want := Usage{CPU: time.Duration(n) * 1500 * time.Millisecond, RSS: int64(n) * 10 * int64(os.Getpagesize()), PSS: int64(n) * 8192, Processes: n}
		if u != want || (n == 0) != errors.Is(err, ErrGone) {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, u, err, want)
		}
	}
}

func TestBrokenStat(t *testing.T) {
	for _, text := range []string{"", "1 (a", "1 (a) S 1 2", ")"} {
		if s, ok := parseStat([]byte(text)); ok {
			t.Errorf("parseStat(%q) = %+v", text, s)
		}
	}
}

// TestWatch follows a real shell with a child that works.
func TestWatch(t *testing.T) {
	shell := exec.Command("sh", "-c", `sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo worked; read end'; true`)
	in, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	defer shell.Wait() // it has read its end by then
	w, err := Start(t.Context(), "/proc", shell.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("read from the child: %q, %v", line, err)
	}
	p, err := w.Stop()
	if err != nil {
		t.Fatal(err)
	}
	if p.Processes != 2 || p.CPU < 20*time.Millisecond || p.RSS < 1<<19 || p.PSS < 1<<16 || p.PSS > p.RSS || len(p.Samples) < 2 {
		t.Errorf("a shell and its child that count to 200,000: %+v", p)
	}
	fmt.Fprintln(in, "end")
	in.Close()
}

func TestWatchOfNobody(t *testing.T) {
	if _, err := Start(t.Context(), folder(t, nil), 5); !errors.Is(err, ErrGone) {
		t.Errorf("error %v, want ErrGone", err)
	}
}

func TestChildren(t *testing.T) {
	dir := folder(t, map[int]int{9: 1, 5: 2, 7: 2, 6: 5})
	pids, err := Children(dir, 2)
	if err != nil || !slices.Equal(pids, []int{5, 7}) {
		t.Errorf("children of 2: %v, %v, want 5 and 7", pids, err)
	}
	if _, err := Children(filepath.Join(dir, "none"), 2); err == nil {
		t.Error("no error without a folder of processes")
	}
}
