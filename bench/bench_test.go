package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"
	"go.uber.org/goleak"

	"github.com/imgedge/imgedge/signing"
)

const secret = "00112233445566778899aabbccddeeff"

func TestTemplate(t *testing.T) {
	tests := []struct {
		name, text, widths string
		want               string // for request 7 and the first width; "" = refused
	}{
		{"no place", "/local/a.jpg?w=3", "", "/local/a.jpg?w=3"},
		{"width from a range", "/local/a.jpg?w={w}&f=jpeg", "100-102", "/local/a.jpg?w=100&f=jpeg"},
		{"width from a list", "/local/a.jpg?w={w}", "640,320", "/local/a.jpg?w=640"},
		{"number at the end", "/local/a.jpg?v={n}", "", "/local/a.jpg?v=7"},
		{"both, twice", "/{n}/{w}?{w}&{n}", "5", "/7/5?5&7"},
		{"width without values", "/a?w={w}", "", ""},
		{"unknown place", "/a?w={x}", "5", ""},
		{"open brace", "/a?w={w", "5", ""},
		{"no slash", "a?w=3", "", ""},
		{"empty", "", "", ""},
		{"range turned round", "/a?w={w}", "9-3", ""},
		{"zero", "/a?w={w}", "0-3", ""},
		{"too large", "/a?w={w}", "16385", ""},
		{"no number", "/a?w={w}", "3,x", ""},
	}
	for _, tt := range tests {
		widths, err := parseWidths(tt.widths)
		var tmpl template
		if err == nil {
			tmpl, err = parseTemplate(tt.text, widths)
		}
		if err != nil {
			if tt.want != "" {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if got := tmpl.expand(7, list0(widths)); got != tt.want {
			t.Errorf("%s: %q with -w %q expands to %q, want %q", tt.name, tt.text, tt.widths, got, tt.want)
		}
		if got := tmpl.String(); got != tt.text {
			t.Errorf("%s: String is %q, want %q", tt.name, got, tt.text)
		}
	}
}

func TestVerdict(t *testing.T) {
	tests := []struct{ header, want string }{
		{"", "none"},
		{"imgedge; hit; detail=memory; ttl=1234", "hit memory"},
		{"imgedge; hit; ttl=-3", "hit"},
		{"imgedge; fwd=miss; stored", "miss"},
		{"imgedge; fwd=miss; stored; detail=original-kept", "miss original-kept"},
		{"imgedge; fwd=miss; collapsed", "miss collapsed"},
		{"imgedge; fwd=stale; fwd-status=502; detail=stale-if-error", "stale stale-if-error"},
		{"imgedge; fwd=miss, cdn; hit; ttl=3", "hit"},
		{"imgedge", "none"},
	}
	for _, tt := range tests {
		if got := verdict(tt.header); got != tt.want {
			t.Errorf("verdict(%q) = %q, want %q", tt.header, got, tt.want)
		}
	}
}

func TestReport(t *testing.T) {
	a, b := newTally(), newTally()
	for i := range 99 {
		a.answer(200, "hit memory", 1000, time.Duration(i+1)*time.Millisecond)
	}
	b.answer(503, "miss", 50, 2*time.Second)
	b.fail("timeout")
	s, err := parseSettings([]string{"-url", "http://127.0.0.1:1", "-template", "/a?n={n}"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	r := newReport(s, 10*time.Second, []*tally{a, b})
	if r.Requests != 100 || r.PerSecond != 10 || r.Bytes != 99050 {
		t.Errorf("requests %d, per second %v, bytes %d; want 100, 10, 99050", r.Requests, r.PerSecond, r.Bytes)
	}
	if diff := cmp.Diff(map[string]int64{"200": 99, "503": 1}, r.Statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if p := r.Latency; p.P50 < 49 || p.P50 > 51 || p.P99 < 98 || p.P99 > 100 || p.Max < 1999 || p.Max > 2002 {
		t.Errorf("latency %+v, want p50 50, p99 99, max 2000 ms", p)
	}
	if got := r.Cache["hit memory"].Count; got != 99 {
		t.Errorf("hits %d, want 99", got)
	}
	if r.good() {
		t.Error("a run with a 503 and a timeout counts as good")
	}
	var text bytes.Buffer
	if err := r.writeText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"10 requests/s", "status      503: 1", "hit memory: 99 (99.0 %)", "error       timeout: 1", "FAILED"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("report lacks %q:\n%s", want, text.String())
		}
	}
}

func TestReportNeedsAnswers(t *testing.T) {
	s, err := parseSettings([]string{"-url", "http://127.0.0.1:1", "-template", "/a"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if newReport(s, time.Second, []*tally{newTally()}).good() {
		t.Error("a run without an answer counts as good")
	}
}

func TestSettingsReportEveryProblem(t *testing.T) {
	_, err := parseSettings([]string{"-url", "ftp://x", "-key", "00", "-template", "{", "-clients", "0", "-duration", "11m", "-timeout", "0s", "-requests", "-1"}, io.Discard)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"-url", "-key", "-template", "-clients", "-duration", "-timeout", "-requests"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not name %s: %v", want, err)
		}
	}
}

// server is an edge in small: it checks signatures, counts, and hits on the second request for a target.
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
	s := &server{url: "http://" + listener.Addr().String()}
	fast := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
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
		ctx.SetBodyString("0123456789")
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

func TestRun(t *testing.T) {
	s := newServer(t, 200)
	file := filepath.Join(t.TempDir(), "report.json")
	var out, errs bytes.Buffer
	code := run(context.Background(), []string{"-url", s.url, "-key", secret, "-template", "/local/a%20b//c.jpg?w={w}", "-w", "100-1000", "-clients", "8", "-requests", "500", "-json", file}, &out, &errs)
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, out.String(), errs.String())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if r.Requests != 500 || s.seen.Load() != 500 || r.Statuses["200"] != 500 || r.Bytes != 5000 || r.Cache["hit memory"].Count != 500 {
		t.Errorf("server saw %d requests; report %+v", s.seen.Load(), r)
	}
}

func TestRunFailsOnOtherStatuses(t *testing.T) {
	tests := []struct {
		name   string
		status int
		args   []string
		want   int
	}{
		{"unsigned", 200, []string{"-template", "/local/a.jpg?w=3"}, 1},
		{"wrong key", 200, []string{"-template", "/local/a.jpg?w=3", "-key", strings.Repeat("ab", 32)}, 1},
		{"server error", 503, []string{"-template", "/local/a.jpg?v={n}", "-key", secret}, 1},
		{"the refusal is what is wanted", 200, []string{"-template", "/local/a.jpg?w=3", "-status", "403"}, 0},
		{"bad flag", 200, []string{"-nothing"}, 2},
		{"no template", 200, nil, 2},
		{"help", 200, []string{"-help"}, 0},
		{"stray argument", 200, []string{"-template", "/a", "more"}, 2},
	}
	for _, tt := range tests {
		s := newServer(t, tt.status)
		var out bytes.Buffer
		args := append([]string{"-url", s.url, "-clients", "2", "-requests", "20"}, tt.args...)
		if got := run(context.Background(), args, &out, &out); got != tt.want {
			t.Errorf("%s: exit code %d, want %d\n%s", tt.name, got, tt.want, out.String())
		}
	}
}

func TestRunEndsWithItsDuration(t *testing.T) {
	s := newServer(t, 200)
	var out bytes.Buffer
	start := time.Now()
	code := run(context.Background(), []string{"-url", s.url, "-key", secret, "-template", "/a?v={n}", "-clients", "3", "-duration", "200ms"}, &out, &out)
	if took := time.Since(start); code != 0 || took < 200*time.Millisecond || took > 10*time.Second {
		t.Errorf("a run of 200 ms took %v, exit code %d\n%s", took, code, out.String())
	}
	if !strings.Contains(out.String(), "cache       miss: ") {
		t.Errorf("report lacks the misses:\n%s", out.String())
	}
}

func TestRunEndsWhenInterrupted(t *testing.T) {
	s := newServer(t, 200)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out bytes.Buffer
	if code := run(ctx, []string{"-url", s.url, "-template", "/a", "-duration", "1m"}, &out, &out); code != 1 {
		t.Errorf("exit code %d, want 1: nothing was asked", code)
	}
}

func TestNobodyIsLeftBehind(t *testing.T) {
	s := newServer(t, 200)
	var out bytes.Buffer
	code := run(context.Background(), []string{"-url", s.url, "-key", secret, "-template", "/a?w=1", "-requests", "50"}, &out, &out)
	s.stop()
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, out.String())
	}
	// What fasthttp keeps asleep in the background is not ours.
	goleak.VerifyNone(t,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*TCPDialer).tcpAddrsClean"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"),
	)
}

func TestNoServer(t *testing.T) {
	s := newServer(t, 200)
	s.stop()
	var out bytes.Buffer
	if code := run(context.Background(), []string{"-url", s.url, "-template", "/a", "-requests", "3"}, &out, &out); code != 1 || !strings.Contains(out.String(), "error ") {
		t.Errorf("exit code %d, want 1 and the errors counted:\n%s", code, out.String())
	}
}
