package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
	"github.com/imgedge/imgedge/resize/sandbox"
)

// What the test's own binary is called as.
const (
	asWorker     = "worker"
	asSupervisor = "supervisor"
)

func TestMain(m *testing.M) {
	role := ""
	if len(os.Args) > 1 {
		role = os.Args[1]
	}
	switch role {
	case asWorker:
		err := sandbox.Serve(sandbox.Worker{Start: renderer, Readable: sandbox.FontPaths()})
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	case asSupervisor:
		supervise()
	default:
		goleak.VerifyTestMain(m)
	}
}

// Setups of a worker.
const (
	withVips = "libvips"
	withActs = "acts"   // an actor
	broken   = "broken" // does not start
)

func renderer(setup []byte) (sandbox.Renderer, error) {
	switch string(setup) {
	case withVips:
		return libvips.New(libvips.Config{FormatsIn: everyFormat(), Log: func(string) {}})
	case withActs:
		return actor{}, nil
	default:
		return nil, errors.New("this one never starts")
	}
}

func everyFormat() []resize.Format { return append(resize.DefaultFormatsIn(), resize.FormatJXL) }

// config is one worker and its spare.
func config(setup string) sandbox.Config {
	return sandbox.Config{
		Command: []string{"sandbox.test", asWorker}, Env: []string{"MALLOC_ARENA_MAX=2"}, Setup: []byte(setup), Workers: 1,
	}
}

func newEngine(t testing.TB, c sandbox.Config) *sandbox.Engine {
	t.Helper()
	e, err := sandbox.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// patience is for what other processes do; nothing takes that long unless it is broken.
const patience = 30 * time.Second

// eventually waits until done.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// ready waits until all workers are.
func ready(t testing.TB, e *sandbox.Engine, workers int) {
	t.Helper()
	eventually(t, "workers are ready", func() bool { return e.Stats().Workers == workers })
}

// process is what /proc says of a process.
type process struct {
	pid   int
	ticks int // of CPU
}

// workersOf returns the living workers of a process, also while they start.
func workersOf(parent int) []process {
	folders, _ := filepath.Glob("/proc/[0-9]*") // the pattern is sound
	var found []process
	for _, folder := range folders {
		fields, ok := stat(folder)
		if !ok || fields[1] != strconv.Itoa(parent) || fields[0] == "Z" {
			continue
		}
		args, err := os.ReadFile(folder + "/cmdline")
		if err != nil || !bytes.Contains(args, []byte("\x00"+asWorker+"\x00")) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(folder))
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		found = append(found, process{pid, user + system})
	}
	return found
}

// stat returns the fields of /proc/PID/stat from the state on.
func stat(folder string) ([]string, bool) {
	text, err := os.ReadFile(folder + "/stat")
	if err != nil {
		return nil, false
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	return fields, len(fields) > 12
}

// gone reports whether a process has ended.
func gone(pid int) bool {
	fields, ok := stat("/proc/" + strconv.Itoa(pid))
	return !ok || fields[0] == "Z"
}

// picture returns what an actor takes for one, with its part.
func picture(part string) []byte { return []byte("\xff\xd8\xff\xe0" + part) }

// run has an actor play a part and returns what it says.
func run(ctx context.Context, e *sandbox.Engine, part string) (string, error) {
	results, err := e.Run(ctx, picture(part), resize.Plan{Width: 100, Height: 100, Frames: 1, Format: resize.FormatJPEG})
	if err != nil {
		return "", err
	}
	return string(results[0].Body[4:]), nil
}

// status returns what an error says to a client.
func status(err error) (int, string) {
	var coded interface {
		HTTPStatus() int
		Code() string
	}
	if errors.As(err, &coded) {
		return coded.HTTPStatus(), coded.Code()
	}
	return 0, ""
}
