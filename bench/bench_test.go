package main

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"go.uber.org/goleak"

	"github.com/imgedge/imgedge/bench/report"
	"github.com/imgedge/imgedge/signing"
)

const secret = "00112233445566778899aabbccddeeff"

// server is an edge in small: it checks signatures, counts, and misses where the URL has v=. Its pictures
// are 100x50 px.
type server struct {
	url  string
	seen atomic.Int64
	stop func()
}

func newServer(t *testing.T, status int) *server {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	key, err := signing.ParseSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	if err := jpeg.Encode(&body, image.NewGray(image.Rect(0, 0, 100, 50)), nil); err != nil {
		t.Fatal(err)
	}
	s := &server{url: "http://" + listener.Addr().String()}
	fast := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		if string(ctx.Path()) == "/metrics" {
			ctx.SetBodyString("imgedge_stage_duration_seconds_sum{stage=\"decode\"} 3\nimgedge_requests_total{cache=\"memory\"} " + strconv.FormatInt(s.seen.Load(), 10) + "\n")
			return
		}
		s.seen.Add(1)
		text, signature, _ := strings.Cut(string(ctx.RequestURI()), "&s=")
		if (signing.Keyring{{Secret: key}}).Verify(text, signature, "") != nil {
			ctx.SetStatusCode(fasthttp.StatusForbidden)
			return
		}
		verdict := "imgedge; hit; detail=memory; ttl=9"
		if strings.Contains(text, "v=") {
			verdict = "imgedge; fwd=miss; stored"
		}
		ctx.Response.Header.Set("Cache-Status", verdict)
		ctx.SetStatusCode(status)
		ctx.SetContentType("image/jpeg")
		ctx.Response.Header.Set("ETag", `"1"`)
		ctx.SetBody(body.Bytes())
	}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = fast.Serve(listener) // ends with Shutdown
	}()
	s.stop = func() {
		_ = listener.Close() // Shutdown alone does nothing while Serve has not begun
		<-done
		_ = fast.Shutdown() // nothing is under way
	}
	t.Cleanup(s.stop)
	return s
}

// start runs the program without progress bars.
func start(ctx context.Context, stdin string, args ...string) (code int, text string) {
	var out bytes.Buffer
	code = run(ctx, append([]string{"-quiet"}, args...), strings.NewReader(stdin), &out, &out)
	return code, out.String()
}

func TestRun(t *testing.T) {
	s := newServer(t, 200)
	dir := t.TempDir()
	file, page := filepath.Join(dir, "report.json"), filepath.Join(dir, "report.html")
	code, text := start(t.Context(), "", "-url", s.url, "-key", secret, "-template", "/local/a%20b//c.jpg?w={w}&f=jpeg", "-w", "100-1000", "-clients", "8",
		"-requests", "500", "-check", "1", "-metrics", s.url, "-pid", strconv.Itoa(os.Getpid()), "-name", "first", "-json", file, "-html", page)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, text)
	}
	r, err := report.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	p := r.Phases[0]
	if p.Requests != 500 || s.seen.Load() != 500 || p.Statuses["200"] != 500 || p.Cache["hit memory"].Count != 500 || p.Checks.Checked != 500 {
		t.Errorf("server saw %d requests; report %+v", s.seen.Load(), p)
	}
	if p.Metrics.Answers["memory"] != 500 || p.Metrics.HitRatio != 1 || p.Process.PeakRSS == 0 || p.Process.CPUSeconds == 0 || p.Generator.CPUMicros == 0 {
		t.Errorf("metrics %+v, process %+v, generator %+v", p.Metrics, p.Process, p.Generator)
	}
	if html, err := os.ReadFile(page); err != nil || !strings.Contains(string(html), "first") {
		t.Errorf("page: %v, %d bytes", err, len(html))
	}
	code, text = start(t.Context(), "", "-html", page, "-compare", file, file)
	if html, err := os.ReadFile(page); code != 0 || !strings.Contains(text, "throughput") || err != nil || !strings.Contains(string(html), "B against A") {
		t.Errorf("comparison: exit code %d\n%s", code, text)
	}
}

func TestRunFails(t *testing.T) {
	tests := []struct {
		name   string
		status int
		args   []string
		want   int
	}{
		{"unsigned", 200, []string{"-template", "/local/a.jpg?w=300"}, 1},
		{"wrong key", 200, []string{"-template", "/local/a.jpg?w=300", "-key", strings.Repeat("ab", 32)}, 1},
		{"server error", 503, []string{"-template", "/local/a.jpg?v={n}", "-key", secret}, 1},
		{"the refusal is what is wanted", 200, []string{"-template", "/local/a.jpg?w=300", "-status", "403"}, 0},
		{"too wide", 200, []string{"-template", "/local/a.jpg?w=99", "-key", secret}, 1},
		{"another format", 200, []string{"-template", "/local/a.jpg?w=300&f=webp", "-key", secret}, 1},
		{"another size", 200, []string{"-template", "/local/a.jpg?w={w}", "-w", "100", "-size", "{w}x51", "-key", secret}, 1},
		{"the right size", 200, []string{"-template", "/local/a.jpg?w={w}", "-w", "100", "-size", "{w}x50", "-format", "jpeg", "-key", secret}, 0},
		{"no metrics", 200, []string{"-template", "/a?w=300", "-key", secret, "-metrics", "http://127.0.0.1:1"}, 1},
		{"no process", 200, []string{"-template", "/a?w=300", "-key", secret, "-pid", "4194305"}, 1},
		{"bad flag", 200, []string{"-nothing"}, 2},
		{"no template", 200, nil, 2},
		{"template and list", 200, []string{"-template", "/a", "-urls", "-"}, 2},
		{"keys and bucket", 200, []string{"-template", "/{key}", "-keys", "-", "-bucket", "http://127.0.0.1:1/a"}, 2},
		{"no keys", 200, []string{"-template", "/{key}", "-keys", "-"}, 2},
		{"no such file", 200, []string{"-urls", "/nothing/here"}, 2},
		{"bad bucket", 200, []string{"-template", "/{key}", "-bucket", "http://127.0.0.1:1"}, 2},
		{"cold without end", 200, []string{"-template", "/a?v={n}", "-cold"}, 1},
		{"help", 200, []string{"-help"}, 0},
		{"stray argument", 200, []string{"-template", "/a", "more"}, 2},
		{"comparison of one", 200, []string{"-compare", "a.json"}, 2},
		{"comparison of nothing", 200, []string{"-compare", "/nothing/a.json", "/nothing/b.json"}, 2},
	}
	for _, tt := range tests {
		s := newServer(t, tt.status)
		args := append([]string{"-url", s.url, "-clients", "2", "-requests", "20", "-check", "1"}, tt.args...)
		if got, text := start(t.Context(), "", args...); got != tt.want {
			t.Errorf("%s: exit code %d, want %d\n%s", tt.name, got, tt.want, text)
		}
	}
}

func TestSettingsReportEveryProblem(t *testing.T) {
	_, err := parseSettings([]string{
		"-url", "http://127.0.0.1:1", "-template", "/a", "-clients", "100000", "-duration", "11m", "-timeout", "0s", "-requests", "-1", "-rate", "1e9", "-check", "2",
		"-warmup", "1h", "-zipf", "-1", "-population", "-1", "-pid", "x", "-goal", "fast", "-ramp", "-step", "1h", "-max-rate", "0",
	}, io.Discard)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"-clients", "-duration", "-timeout", "-requests", "-rate", "-check", "-warmup", "-zipf", "-population", "-pid", "-goal", "-step", "-max-rate"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not name %s: %v", want, err)
		}
	}
	for _, args := range [][]string{{"-url", "ftp://x", "-template", "/a"}, {"-url", "http://x/path", "-template", "/a"}, {"-url", "http://x", "-template", "/a", "-key", "00"}, {"-url", "http://x", "-template", "{"}} {
		if code, text := start(t.Context(), "", args...); code != badUsage {
			t.Errorf("%v: exit code %d, want %d\n%s", args, code, badUsage, text)
		}
	}
}

// TestPhases: everything once, then a stretch to warm up, then the load; keys and URLs from standard input.
func TestPhases(t *testing.T) {
	s := newServer(t, 200)
	file := filepath.Join(t.TempDir(), "r.json")
	code, text := start(t.Context(), "a.jpg\nb c.jpg\n", "-url", s.url, "-key", secret, "-template", "/local/{key}?w={w}", "-keys", "-", "-w", "100,200,300", "-zipf", "1",
		"-cold", "-warmup", "100ms", "-requests", "40", "-rate", "2000", "-clients", "4", "-json", file)
	r, err := report.Read(file)
	if code != 0 || err != nil {
		t.Fatalf("exit code %d, %v\n%s", code, err, text)
	}
	if len(r.Phases) != 3 || r.Phases[0].Name != "cold" || r.Phases[0].Requests != 6 || r.Phases[1].Name != "warmup" || r.Phases[2].Requests != 40 || r.Phases[2].Offered != 2000 {
		t.Errorf("phases %+v", r.Phases)
	}
	code, text = start(t.Context(), s.url+"/local/a.jpg?w=300\n/local/b.jpg?w=300\tsize=100x50\n", "-url", s.url, "-key", secret, "-urls", "-", "-requests", "30", "-check", "1")
	if code != 0 || !strings.Contains(text, "status      200: 30") {
		t.Errorf("list: exit code %d\n%s", code, text)
	}
}

func TestRunEndsWithItsDuration(t *testing.T) {
	s := newServer(t, 200)
	begin := time.Now()
	code, text := start(t.Context(), "", "-url", s.url, "-key", secret, "-template", "/a?v={n}", "-clients", "3", "-duration", "200ms")
	if took := time.Since(begin); code != 0 || took < 200*time.Millisecond || took > 10*time.Second {
		t.Errorf("a run of 200 ms took %v, exit code %d\n%s", took, code, text)
	}
	if !strings.Contains(text, "cache       miss: ") {
		t.Errorf("report lacks the misses:\n%s", text)
	}
}

func TestRunEndsWhenInterrupted(t *testing.T) {
	s := newServer(t, 200)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code, text := start(ctx, "", "-url", s.url, "-template", "/a", "-duration", "1m"); code != failed {
		t.Errorf("exit code %d, want %d: nothing was asked\n%s", code, failed, text)
	}
}

func TestNobodyIsLeftBehind(t *testing.T) {
	s := newServer(t, 200)
	code, text := start(t.Context(), "", "-url", s.url, "-key", secret, "-template", "/a?w=300", "-requests", "50")
	s.stop()
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, text)
	}
	// What fasthttp keeps asleep in the background is not ours.
	goleak.VerifyNone(t,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
	)
}

func TestNoServer(t *testing.T) {
	s := newServer(t, 200)
	s.stop()
	if code, text := start(t.Context(), "", "-url", s.url, "-template", "/a", "-requests", "3"); code != failed || !strings.Contains(text, "error       connection refused: 3") {
		t.Errorf("exit code %d, want %d and the errors counted:\n%s", code, failed, text)
	}
}
