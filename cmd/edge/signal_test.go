package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/imgedge/imgedge/signing"
)

// childVariable makes the test's own binary be edge.
const childVariable = "IMGEDGE_TEST_CHILD"

const patience = 30 * time.Second // of a test; nothing waits that long unless it is broken

func TestMain(m *testing.M) {
	worker := len(os.Args) > 1 && os.Args[1] == "worker" // which sees nothing of the environment
	if os.Getenv(childVariable) != "" || worker {
		main()
		return
	}
	os.Exit(m.Run())
}

// child is edge as a process of its own.
type child struct {
	cmd    *exec.Cmd
	stderr *bufio.Reader
	base   string
	exited chan error // its end, once
}

// startChild runs `edge serve` with a configuration and waits until it serves. What it logs is shown if
// the test fails.
func startChild(t *testing.T, config string, args ...string) *child {
	t.Helper()
	file := filepath.Join(t.TempDir(), "edge.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return startChildOn(t, file, args...)
}

// startChildOn is startChild with the test's own file.
func startChildOn(t *testing.T, file string, args ...string) *child {
	t.Helper()
	return startChildLogging(t, file, filepath.Join(t.TempDir(), "log"), args...)
}

// startChildLogging is startChildOn with the log in a file of the test's own.
func startChildLogging(t *testing.T, file, log string, args ...string) *child {
	t.Helper()
	logs, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	c := &child{exited: make(chan error, 1)}
	c.cmd = exec.Command(os.Args[0], append([]string{"serve", "--config", file, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)...)
	c.cmd.Env = append(os.Environ(), childVariable+"=1")
	c.cmd.Stdout = logs
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill() // it has ended unless the test failed
		if t.Failed() {
			text, _ := os.ReadFile(logs.Name())
			t.Logf("the child logged:\n%s", text)
		}
	})
	c.stderr = bufio.NewReader(stderr)
	c.base = strings.TrimPrefix(c.line(t, "edge: serving on "), "edge: serving on ")
	return c
}

// line reads stderr up to a line that begins with prefix.
func (c *child) line(t *testing.T, prefix string) string {
	t.Helper()
	for {
		line, err := c.stderr.ReadString('\n')
		if strings.HasPrefix(line, prefix) {
			return strings.TrimSpace(line)
		}
		if err != nil {
			t.Fatalf("the child said no %q before it ended: %v", prefix, err)
		}
	}
}

// wait returns the exit code.
func (c *child) wait(t *testing.T) int {
	t.Helper()
	go func() {
		_, _ = io.Copy(io.Discard, c.stderr) // Wait wants the pipe read to its end
		c.exited <- c.cmd.Wait()
	}()
	select {
	case <-c.exited:
		return c.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatal("the child does not end")
		return -1
	}
}

func (c *child) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// slowOrigin is a web server that answers once release is closed, and tells of each request.
type slowOrigin struct {
	*httptest.Server
	arrived chan string
	release chan struct{}
	once    sync.Once
}

func newSlowOrigin(t *testing.T) *slowOrigin {
	t.Helper()
	picture := painted(t, 200, 100)
	o := &slowOrigin{arrived: make(chan string, 64), release: make(chan struct{})}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.arrived <- r.URL.Path
		select {
		case <-o.release:
		case <-r.Context().Done():
			return
		}
		_, _ = w.Write(picture)
	}))
	t.Cleanup(func() { o.open(); o.Close() })
	return o
}

func (o *slowOrigin) open() { o.once.Do(func() { close(o.release) }) }

func (o *slowOrigin) config(shutdown string) string {
	return fmt.Sprintf("sources: {web: {http: {base: %q, allow_networks: [127.0.0.0/8]}, keys: [{id: k1, secret: %s}]}}\nshutdown: %s\n", o.URL+"/", testKey, shutdown)
}

// begin sends a request for a picture that has to be fetched, waits until the origin has it, and returns
// where its status will come.
func (o *slowOrigin) begin(t *testing.T, base string, n int) <-chan string {
	t.Helper()
	done := make(chan string, 1)
	secret, err := signing.ParseSecret(testKey)
	if err != nil {
		t.Fatal(err)
	}
	target, err := signing.Key{Secret: secret}.SignTarget(fmt.Sprintf("/web/%d.jpg?w=20", n))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		client := &http.Client{Transport: &http.Transport{}, Timeout: patience}
		defer client.CloseIdleConnections()
		resp, err := client.Get(base + target)
		if err != nil {
			done <- err.Error()
			return
		}
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		done <- fmt.Sprint(resp.StatusCode, " ", err)
	}()
	select {
	case <-o.arrived:
	case early := <-done:
		t.Fatalf("request %d ended before its origin was asked: %s", n, early)
	case <-time.After(patience):
		t.Fatalf("request %d does not reach its origin", n)
	}
	return done
}

// eventually calls f until it reports true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !f() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("it does not happen: %s", what)
		}
	}
}

// statusOf asks over a connection of its own; 0 = no answer.
func statusOf(url string) int {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Get(url)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func refused(base string) bool {
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(base, "http://"), time.Second)
	if err != nil {
		return true
	}
	_ = conn.Close()
	return false
}

// Ruling 24: readiness turns at once, requests are taken during the delay, a second signal cuts the
// delay, what is under way finishes, and the exit code is 0.
func TestSIGTERMDrains(t *testing.T) {
	o := newSlowOrigin(t)
	c := startChild(t, o.config("{delay: 10m, timeout: 25s}"))
	if got := statusOf(c.base + "/readyz"); got != http.StatusOK {
		t.Fatalf("/readyz before: %d", got)
	}
	const before = 10
	var pending []<-chan string
	for n := range before {
		pending = append(pending, o.begin(t, c.base, n))
	}
	c.signal(t, syscall.SIGTERM)
	eventually(t, "/readyz answers 503", func() bool { return statusOf(c.base+"/readyz") == http.StatusServiceUnavailable })
	if got := statusOf(c.base + "/healthz"); got != http.StatusOK {
		t.Errorf("/healthz while draining: %d, want 200", got)
	}
	pending = append(pending, o.begin(t, c.base, before)) // still taken
	c.signal(t, syscall.SIGTERM)
	eventually(t, "the listener closes", func() bool { return refused(c.base) })
	o.open()
	for n, done := range pending {
		if got := <-done; got != "200 <nil>" {
			t.Errorf("request %d under way: %s, want 200", n, got)
		}
	}
	if code := c.wait(t); code != exitOK {
		t.Errorf("exit code %d, want 0", code)
	}
}

func TestSIGTERMEndsAfterTheDelay(t *testing.T) {
	o := newSlowOrigin(t)
	c := startChild(t, o.config("{delay: 50ms, timeout: 25s}"))
	c.signal(t, syscall.SIGTERM)
	if code := c.wait(t); code != exitOK {
		t.Errorf("exit code %d, want 0", code)
	}
}

func TestSIGINTHasNoDelay(t *testing.T) {
	o := newSlowOrigin(t)
	c := startChild(t, o.config("{delay: 10m, timeout: 25s}"))
	c.signal(t, syscall.SIGINT)
	if code := c.wait(t); code != exitOK {
		t.Errorf("exit code %d, want 0", code)
	}
}

func TestShutdownTimeoutEndsTheProcess(t *testing.T) {
	o := newSlowOrigin(t)
	c := startChild(t, o.config("{delay: 0, timeout: 100ms}"))
	o.begin(t, c.base, 1)
	c.signal(t, syscall.SIGTERM)
	if code := c.wait(t); code != exitFailed {
		t.Errorf("exit code %d, want 1: a request was cut off", code)
	}
}

// `edge serve --dir` needs nothing else: it makes a key, says so, and the URL it prints works.
func TestServeDirAlone(t *testing.T) {
	c := startChild(t, "log: {format: json}\nshutdown: {delay: 0}\n", "--dir", photos(t))
	c.line(t, "edge: admin on http://127.0.0.1:")
	c.line(t, "edge: source local is signed with a key made for this run")
	example := strings.TrimPrefix(c.line(t, "edge: local, for example: "), "edge: local, for example: ")
	if !strings.HasPrefix(example, c.base+"/local/a.jpg?w=800&s=") {
		t.Errorf("example %q", example)
	}
	if got := statusOf(example); got != http.StatusOK {
		t.Errorf("the example answers %d", got)
	}
	c.signal(t, syscall.SIGTERM)
	if code := c.wait(t); code != exitOK {
		t.Errorf("exit code %d, want 0", code)
	}
}
