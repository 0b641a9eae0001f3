package sandbox_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/sandbox"
)

// What a picture that has taken a worker over tries is refused by the kernel, and the worker goes on.
func TestWhatAWorkerMayNot(t *testing.T) {
	e := newEngine(t, config(withActs))
	for _, row := range []struct{ what, want string }{
		{"socket", "EPERM"},
		{"unix socket", "EPERM"},
		{"socket pair", "EPERM"},
		{"read", "EACCES"},
		{"list", "EACCES"},
		{"environment of the supervisor", "EACCES"},
		{"write", "EPERM"},
		{"remove", "EPERM"},
		{"fonts", "none"},
		{"exec", "EPERM"},
		{"fork", "EPERM"},
		{"trace", "EPERM"},
		{"signal", "EPERM"},
		{"limit", "EPERM"},
		{"shared memory", "EPERM"},
		{"memory file", "EPERM"},
		{"shrink", "EPERM"},
		{"grow", "EPERM"},
		{"unseal", "EPERM"},
		{"write to the input", "EPERM"},
		{"map the input for writing", "EPERM"},
		{"message", "EPERM"},
	} {
		got, err := run(t.Context(), e, "try "+row.what)
		if err != nil || got != row.want {
			t.Errorf("%s: %q, %v, want %s", row.what, got, err, row.want)
		}
	}
	if restarts := e.Stats().Restarts; len(restarts) != 0 {
		t.Errorf("restarts %v, want none", restarts)
	}
}

func TestWhatAWorkerHas(t *testing.T) {
	// A descriptor that is not closed on exec, as a careless parent leaves them.
	stray, err := unix.Open("/etc/passwd", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(stray)
	t.Setenv("SECRET", "of the supervisor")
	c := config(withActs)
	c.Env = append(c.Env, sandbox.Environment(append(os.Environ(), "MALLOC_CONF=narenas:1", "EDGE_REDIS_URL=redis://secret"))...)
	e := newEngine(t, c)
	ready(t, e, 2)
	env, err := run(t.Context(), e, "try environment")
	if err != nil || !strings.Contains(env, "MALLOC_CONF=narenas:1") || strings.Contains(env, "SECRET") || strings.Contains(env, "EDGE_") || strings.Contains(env, "PATH=/") {
		t.Errorf("environment %q, %v", env, err)
	}
	for _, w := range workersOf(os.Getpid()) {
		inheritsNothing(t, w.pid)
	}
}

// inheritsNothing looks at what a worker has open: what it was given, and what the runtime opens itself.
func inheritsNothing(t *testing.T, pid int) {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/fd/", pid)
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		to, err := os.Readlink(folder + entry.Name())
		if err != nil {
			continue // it was closed
		}
		kind, _, _ := strings.Cut(to, ":")
		switch {
		case slices.Contains([]string{"/dev/null", "pipe", "socket", "anon_inode", "/memfd"}, kind):
		case strings.HasPrefix(to, "/sys/fs/cgroup/"), strings.HasPrefix(to, "/proc/"): // how many processors there are
		default:
			t.Errorf("worker %d has %s open as %s", pid, to, entry.Name())
		}
	}
}

// Every thread of a worker is locked up, not only the one that asked for it.
func TestEveryThreadIsLocked(t *testing.T) {
	e := newEngine(t, config(withVips))
	ready(t, e, 2)
	for _, w := range workersOf(os.Getpid()) {
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", w.pid))
		if err != nil || len(tasks) == 0 {
			t.Fatalf("threads of %d: %v", w.pid, err)
		}
		for _, task := range tasks {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", w.pid, task.Name()))
			if errors.Is(err, unix.ESRCH) || errors.Is(err, os.ErrNotExist) {
				continue // it has ended
			}
			if err != nil || !bytes.Contains(text, []byte("NoNewPrivs:\t1")) || !bytes.Contains(text, []byte("Seccomp:\t2")) {
				t.Errorf("thread %s of %d, %v:\n%s", task.Name(), w.pid, err, text)
			}
		}
	}
	for _, l := range e.Stats().Layers {
		if !l.On && l.Name != "memory" {
			t.Errorf("%s is not in force: %s", l.Name, l.Note)
		}
	}
}

func TestDeathsOfWorkers(t *testing.T) {
	for _, row := range []struct {
		part   string
		reason sandbox.Reason
	}{
		{"crash", sandbox.ReasonCrash},
		{"panic", sandbox.ReasonCrash},
		{"scribble", sandbox.ReasonCrash},
		{"html", sandbox.ReasonProtocol},
		{"few", sandbox.ReasonProtocol},
	} {
		t.Run(row.part, func(t *testing.T) {
			e := newEngine(t, config(withActs))
			_, err := run(t.Context(), e, row.part)
			if s, code := status(err); s != 422 || code != "corrupt_image" {
				t.Errorf("%v: %d %s, want 422 corrupt_image", err, s, code)
			}
			eventually(t, "two deaths are counted", func() bool { return e.Stats().Restarts[row.reason] == 2 })
			// Neither this size of it nor another is tried again.
			_, err = run(t.Context(), e, row.part)
			_, probe := e.Probe(t.Context(), picture(row.part))
			if s, _ := status(err); s != 422 || probe == nil {
				t.Errorf("again: %v and %v, want 422", err, probe)
			}
			if s := e.Stats(); s.Restarts[row.reason] != 2 || s.Poisoned != 1 {
				t.Errorf("%+v, want two deaths and one poisoned picture", s)
			}
			if got, err := run(t.Context(), e, "hello"); err != nil || got != "hello" {
				t.Errorf("after it: %q, %v", got, err)
			}
		})
	}
}

func TestPoisonWearsOff(t *testing.T) {
	c := config(withActs)
	c.Negative = time.Nanosecond
	e := newEngine(t, c)
	for range 2 {
		if _, err := run(t.Context(), e, "crash"); err == nil {
			t.Fatal("no error")
		}
	}
	eventually(t, "each try has cost two workers", func() bool { return e.Stats().Restarts[sandbox.ReasonCrash] == 4 })
}

// A picture whose worker is killed by somebody else is made all the same, and nobody hears of it.
func TestKilledFromOutside(t *testing.T) {
	c := config(withActs)
	e := newEngine(t, c)
	ready(t, e, 2)
	before := workersOf(os.Getpid())
	type outcome struct {
		text string
		err  error
	}
	came := make(chan outcome, 1)
	go func() {
		text, err := run(context.Background(), e, "spin")
		came <- outcome{text, err}
	}()
	eventually(t, "a worker works", func() bool { return working(before) })
	for _, w := range workersOf(os.Getpid()) {
		_ = unix.Kill(w.pid, unix.SIGKILL) // it may be gone
	}
	got := <-came
	if got.err != nil || got.text != "spun" {
		t.Errorf("%q, %v, want spun", got.text, got.err)
	}
	if s := e.Stats(); s.Poisoned != 0 {
		t.Errorf("%d pictures are blamed, want none", s.Poisoned)
	}
	ready(t, e, 2)
}

func TestDeadlineFreesTheProcessor(t *testing.T) {
	e := newEngine(t, config(withActs))
	ready(t, e, 2)
	before := workersOf(os.Getpid())
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := run(ctx, e, "hang")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want a deadline", err)
	}
	ended := 0
	for _, w := range before {
		if gone(w.pid) {
			ended++
		}
	}
	if ended != 1 {
		t.Errorf("%d workers have ended, want the one that hung", ended)
	}
	eventually(t, "it is counted", func() bool { return e.Stats().Restarts[sandbox.ReasonDeadline] == 1 })
	if s := e.Stats(); s.Restarts[sandbox.ReasonCrash] != 0 || s.Poisoned != 0 {
		t.Errorf("%+v, want no retry", s)
	}
	ready(t, e, 2)
}

func TestErrorsOfPictures(t *testing.T) {
	e := newEngine(t, config(withActs))
	for _, row := range []struct {
		part   string
		status int
		text   string
	}{
		{"refuse", 422, "the image is broken"},
		{"fail", 0, "render: a secret of the inside"},
		{"pose", 0, "render: all is well"},
	} {
		_, err := run(t.Context(), e, row.part)
		if s, _ := status(err); err == nil || s != row.status || err.Error() != row.text {
			t.Errorf("%s: %v (%d), want %q (%d)", row.part, err, s, row.text, row.status)
		}
	}
	_, err := e.Probe(t.Context(), picture("probe refuse"))
	if s, code := status(err); s != 415 || code != "unsupported_format" {
		t.Errorf("probe refuse: %v, %d %s", err, s, code)
	}
	for _, part := range []string{"probe crash", "probe huge", "probe other"} {
		if _, err := e.Probe(t.Context(), picture(part)); err == nil {
			t.Errorf("%s: no error", part)
		} else if s, _ := status(err); s != 422 {
			t.Errorf("%s: %v, want 422", part, err)
		}
	}
}

func TestRecycling(t *testing.T) {
	c := config(withActs)
	c.RecycleAfter = 3
	e := newEngine(t, c)
	ready(t, e, 2)
	for i := range 20 {
		if got, err := run(t.Context(), e, "hello"); err != nil || got != "hello" {
			t.Fatalf("picture %d: %q, %v", i, got, err)
		}
	}
	eventually(t, "workers were replaced", func() bool { return e.Stats().Restarts[sandbox.ReasonAge] > 0 })
	if s := e.Stats(); len(s.Restarts) != 1 {
		t.Errorf("restarts %v, want for age alone", s.Restarts)
	}
}

// Where nothing comes, one worker is left, and all come back with the next picture.
func TestLull(t *testing.T) {
	c := config(withActs)
	c.Lull = time.Second / 2
	e := newEngine(t, c)
	for range 2 {
		eventually(t, "one worker is left", func() bool { return e.Stats().Workers == 1 })
		eventually(t, "all come back", func() bool {
			if got, err := run(t.Context(), e, "hello"); err != nil || got != "hello" {
				t.Fatalf("%q, %v", got, err)
			}
			return e.Stats().Workers == 2
		})
	}
	if s := e.Stats(); len(s.Restarts) != 0 {
		t.Errorf("restarts %v, want none", s.Restarts)
	}
}

// Pictures that do not fit into the memory at hand get more.
func TestLargePictures(t *testing.T) {
	e := newEngine(t, config(withActs))
	small := resize.Plan{Width: 10, Height: 10, Frames: 1}
	large := resize.Plan{Width: 1000, Height: 1000, Frames: 1}
	large.Overlay.Data = bytes.Repeat([]byte("mark"), 500_000)
	both, err := e.Run(t.Context(), picture("large"), large, large)
	if err != nil {
		t.Fatal(err)
	}
	want := append(picture(strings.Repeat("x", 3<<20)), large.Overlay.Data...)
	if len(both) != 2 || !bytes.Equal(both[0].Body, want) || !bytes.Equal(both[1].Body, want) {
		t.Errorf("%d pictures, want two of %d bytes", len(both), len(want))
	}
	// More than such a picture can take is not believed.
	if _, err := e.Run(t.Context(), picture("large"), small); err == nil {
		t.Error("3 MiB for 10 × 10 px: no error")
	}
}

// Presets and ladders may be many; no worker ends because of their number.
func TestManyPlans(t *testing.T) {
	e := newEngine(t, config(withActs))
	plans := make([]resize.Plan, 200)
	for i := range plans {
		plans[i] = resize.Plan{Width: 10, Height: 10}
	}
	results, err := e.Run(t.Context(), picture("hello"), plans...)
	if err != nil || len(results) != len(plans) {
		t.Errorf("%d results, %v; want %d", len(results), err, len(plans))
	}
	plans = plans[:1]
	plans[0].Overlay.Image = strings.Repeat("<", 128<<10) // no message holds it
	if _, err := e.Run(t.Context(), picture("hello"), plans...); err == nil {
		t.Error("no error for a plan that is too long")
	}
	if got, err := run(t.Context(), e, "hello"); err != nil || got != "hello" {
		t.Errorf("after it: %q, %v", got, err)
	}
	if s := e.Stats(); len(s.Restarts) != 0 {
		t.Errorf("workers have ended: %v", s.Restarts)
	}
}

func TestWorkerThatDoesNotStart(t *testing.T) {
	_, err := sandbox.New(config(broken))
	if err == nil || !strings.Contains(err.Error(), "this one never starts") {
		t.Errorf("%v, want why", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	before := descriptorsOf(t)
	c := config(withActs)
	c.Workers = 2
	e, err := sandbox.New(c)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			part := fmt.Sprintf("number%d", i)
			if i%50 == 0 {
				part = fmt.Sprintf("crash %d", i)
			}
			if _, err := e.Probe(t.Context(), picture(part)); err != nil {
				t.Errorf("probe %s: %v", part, err)
			}
			got, err := run(t.Context(), e, part)
			if i%50 != 0 && (err != nil || got != part) {
				t.Errorf("%s: %q, %v", part, got, err)
			}
		})
	}
	all.Wait()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if left := workersOf(os.Getpid()); len(left) != 0 {
		t.Errorf("workers %v are left", left)
	}
	if after := descriptorsOf(t); after != before {
		t.Errorf("%d descriptors are open, %d were", after, before)
	}
	if _, err := run(t.Context(), e, "late"); err == nil {
		t.Error("a closed engine renders")
	}
}

func descriptorsOf(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// The workers of a supervisor that is killed end, also one that is in the middle of a picture.
func TestSupervisorDies(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", asSupervisor)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	workers := workersOf(cmd.Process.Pid)
	if len(workers) != 2 {
		t.Errorf("%s: workers %v, want 2", line, workers)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	for _, w := range workers {
		eventually(t, fmt.Sprintf("worker %d has ended", w.pid), func() bool { return gone(w.pid) })
	}
}

// working reports whether one of some workers has worked for a while since.
func working(since []process) bool {
	const while = 10 // ticks, of 10 ms
	for _, w := range workersOf(os.Getpid()) {
		for _, old := range since {
			if w.pid == old.pid && w.ticks >= old.ticks+while {
				return true
			}
		}
	}
	return false
}

// supervise has a worker hang and says when it does.
func supervise() {
	e, err := sandbox.New(config(withActs))
	if err != nil {
		panic(err)
	}
	for e.Stats().Workers < 2 {
		time.Sleep(time.Millisecond)
	}
	before := workersOf(os.Getpid())
	go func() { _, _ = run(context.Background(), e, "hang") }()
	for {
		time.Sleep(time.Millisecond)
		if working(before) {
			fmt.Println("hung")
			select {}
		}
	}
}
