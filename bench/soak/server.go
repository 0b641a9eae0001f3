package soak

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/imgedge/imgedge/bench/proc"
	"github.com/imgedge/imgedge/bench/scrape"
)

// What the server is configured to hold, bytes: small enough that much is made again and again.
const (
	memoryOfRenders   = 384 << 20
	memoryOfCache     = 48 << 20
	memoryOfOriginals = 32 << 20

	kept     = memoryOfCache + memoryOfOriginals
	promised = memoryOfRenders + kept
)

// requestLimit is the server's own limit of a request; an answer later than lateAfter is a breach.
const (
	requestLimit = 30 * time.Second
	lateAfter    = requestLimit + 3*time.Second
)

// configuration of the server. Lives are short: answers are made again, and compared with the first.
func configuration(c Config, dir, redis string) (string, error) {
	pictures, err := filepath.Abs(c.Pictures)
	if err != nil {
		return "", fmt.Errorf("find the pictures: %w", err)
	}
	return fmt.Sprintf(`listen: 127.0.0.1:0
admin: {listen: "127.0.0.1:0"}
redis: {url: "redis://%s/0"}
sources:
  local: {dir: %q, unsigned: true, free: true}
  hostile: {dir: %q, unsigned: true, free: true}
dialects: [{dialect: imgproxy, prefix: /imgproxy, unsigned: true, sources: {"local:///": local}}]
formats_in: [jpeg, png, gif, webp, avif, heic, tiff, svg, jxl]
cache: {memory: %dMiB, fresh: 20s, stale_while_revalidate: 5s, negative: 2s, originals: {memory: %dMiB, ttl: 10s}}
limits: {memory: %dMiB, request: %v}
render: {workers: 2, isolation: process}
log: {level: error}
shutdown: {delay: 0, timeout: 10s}
`, redis, pictures, filepath.Join(dir, "hostile"), memoryOfCache>>20, memoryOfOriginals>>20, memoryOfRenders>>20, requestLimit), nil
}

// server is an edge that runs.
type server struct {
	cmd         *exec.Cmd
	exited      chan struct{} // closed when it has ended
	base, admin string
}

func startEdge(ctx context.Context, c Config, dir, redis string) (*server, error) {
	text, err := configuration(c, dir, redis)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "edge.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	args := append(c.Edge[1:len(c.Edge):len(c.Edge)], "serve", "--config", file)
	s := &server{cmd: exec.CommandContext(context.WithoutCancel(ctx), c.Edge[0], args...), exited: make(chan struct{})} //nolint:gosec // the caller's program
	s.cmd.Env = c.Env
	s.cmd.Stdout = os.Stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := s.cmd.StderrPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	lines := bufio.NewReader(out)
	for s.admin == "" && err == nil {
		var line string
		line, err = lines.ReadString('\n')
		s.base = cut(line, "edge: serving on ", s.base)
		s.admin = cut(line, "edge: admin on ", s.admin)
	}
	go func() {
		_, _ = io.Copy(os.Stderr, lines) // until it ends
		_ = s.cmd.Wait()                 // stop asks how it ended
		close(s.exited)
	}()
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("start the server: it ended: %w", err)
	}
	return s, s.ready(ctx)
}

// cut returns the word behind prefix, or else.
func cut(line, prefix, or string) string {
	if rest, ok := strings.CutPrefix(line, prefix); ok {
		word, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		return word
	}
	return or
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// workers are the server's processes for pictures.
func (s *server) workers() int {
	pids, _ := proc.Children("/proc", s.pid()) // none are seen then
	return len(pids)
}

// ready waits until both workers and the spare run.
func (s *server) ready(ctx context.Context) error {
	const workers = 3
	for end := time.Now().Add(settle); ; {
		if s.workers() == workers {
			return pause(ctx, time.Second) // they are seen before they are done with starting
		}
		if time.Now().After(end) {
			return errors.New("start the server: its workers are not there")
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// stop ends the server and returns its exit code. Twice is fine.
func (s *server) stop() int {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-s.exited:
	case <-time.After(settle):
		_ = s.cmd.Process.Kill() // likewise
		<-s.exited
	}
	return s.cmd.ProcessState.ExitCode()
}

// Use is what the server takes at one moment.
type Use struct {
	PSS         int64 // bytes, of all its processes
	Workers     int   // processes that make pictures
	Goroutines  int
	Descriptors int // of the server's own process
}

func (s *server) look(ctx context.Context) (Use, error) {
	memory, err := proc.ReadPSS("/proc", s.pid())
	if err != nil {
		return Use{}, err
	}
	u := Use{PSS: memory.PSS, Workers: s.workers()}
	files, err := os.ReadDir("/proc/" + strconv.Itoa(s.pid()) + "/fd")
	if err != nil {
		return u, fmt.Errorf("count descriptors: %w", err)
	}
	u.Descriptors = len(files)
	u.Goroutines, err = s.goroutines(ctx)
	return u, err
}

// goroutines reads the first line of the profile, "goroutine profile: total 42".
func (s *server) goroutines(ctx context.Context) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.admin+"/debug/pprof/goroutine?debug=1", http.NoBody)
	if err != nil {
		return 0, err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("count goroutines: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // only its first line is wanted
	line, err := bufio.NewReader(response.Body).ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("count goroutines: %w", err)
	}
	return strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "goroutine profile: total ")))
}

// settled looks until the server is back where it was, for as long as it has for that.
func (s *server) settled(ctx context.Context, idle Use, slack int64) Use {
	for end := time.Now().Add(settle); ; {
		now, err := s.look(ctx)
		if err == nil && now.back(idle, slack) || time.Now().After(end) || pause(ctx, time.Second) != nil {
			return now
		}
	}
}

// more is how many goroutines and descriptors the server may have gained.
const more = 20

func (u Use) back(idle Use, slack int64) bool {
	return u.PSS <= idle.PSS+kept+slack && u.Workers == idle.Workers &&
		u.Goroutines <= idle.Goroutines+more && u.Descriptors <= idle.Descriptors+more
}

// restarts returns what the server counted of its workers' ends, by reason, and pictures that it gave up on.
func (s *server) restarts(ctx context.Context) (byReason map[string]float64, poisonous float64) {
	values, err := scrape.Get(ctx, s.admin+"/metrics")
	if err != nil {
		return nil, 0
	}
	return values.By("imgedge_worker_restarts_total", "reason"), values["imgedge_poisonous_total"]
}

// pause waits; the error is the context's.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
