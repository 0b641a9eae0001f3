// Package testpeer starts the real servers that tests talk to, on free loopback ports and with data in
// the test's own folder, and ends them with the test.
package testpeer

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	startTimeout = 20 * time.Second // until a peer must answer
	stopTimeout  = 5 * time.Second  // from SIGTERM to SIGKILL
)

// Process is a running peer.
type Process struct {
	cmd    *exec.Cmd
	output *lockedBuffer
	exited chan struct{} // closed when it has ended
}

// Start runs a program found in PATH and ends it with the test. What it printed is logged if the test
// fails. A missing program fails the test.
func Start(t testing.TB, name string, args ...string) *Process {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not in PATH; `make test` installs what tests need", name)
	}
	p := &Process{cmd: exec.Command(path, args...), output: &lockedBuffer{}, exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	// For a test that panics or is killed. It follows the thread that starts the peer, and Go keeps its threads.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended does not matter
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("%s printed:\n%s", name, p.output)
		}
	})
	return p
}

// WaitFor calls ready until it reports true, and fails the test if that takes too long or the process
// ends before.
func (p *Process) WaitFor(t testing.TB, ready func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(startTimeout); ; {
		if ready() {
			return
		}
		select {
		case <-tick.C:
		case <-p.exited:
			t.Fatalf("%s ended at once:\n%s", p.cmd.Path, p.output)
		case <-late:
			t.Fatalf("%s does not answer:\n%s", p.cmd.Path, p.output)
		}
	}
}

// Stop ends the process, with SIGTERM and if need be SIGKILL. Twice is fine.
func (p *Process) Stop() {
	p.Resume() // a stopped process takes no SIGTERM
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(stopTimeout):
		p.Kill()
	}
}

// Kill ends the process with SIGKILL.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.exited
}

// Pause freezes the process: its port still accepts connections, nothing answers. It returns once every
// thread stands still, for the signal alone takes a moment to reach them.
func (p *Process) Pause() {
	_ = p.cmd.Process.Signal(syscall.SIGSTOP)
	for !p.stopped() {
		runtime.Gosched()
	}
}

// stopped reports whether every thread is stopped or gone: the letter after the name, in parentheses,
// in proc(5)'s stat.
func (p *Process) stopped() bool {
	files, _ := filepath.Glob("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/task/*/stat") // the pattern is well-formed
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if _, rest, ok := bytes.Cut(stat, []byte(") ")); err == nil && ok && !bytes.ContainsAny(rest[:1], "TZX") {
			return false
		}
	}
	return true
}

// Resume lets a paused process go on.
func (p *Process) Resume() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }

// FreePort returns a loopback address that nothing listens on.
func FreePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}

// lockedBuffer collects what a process prints while others look.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
