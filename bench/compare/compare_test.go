package main

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"

	"github.com/imgedge/imgedge/bench/report"
)

func TestSpread(t *testing.T) {
	tests := []struct {
		values []float64
		want   spread
	}{
		{nil, spread{}},
		{[]float64{3}, spread{3, 3, 3}},
		{[]float64{5, 1, 2}, spread{2, 1, 5}},
		{[]float64{4, 1, 2, 9}, spread{3, 1, 9}},
	}
	for _, tt := range tests {
		if got := newSpread(tt.values); got != tt.want {
			t.Errorf("newSpread(%v) = %+v, want %+v", tt.values, got, tt.want)
		}
	}
}

// TestRatiosAreByRound: the machine was twice as slow in the second round, and the ratio does not see it.
func TestRatiosAreByRound(t *testing.T) {
	turn := func(perSecond, micros float64) report.Phase {
		return report.Phase{PerSecond: perSecond, Process: &report.Process{CPUMicros: micros}}
	}
	o := newOutcome([]*rival{
		{name: "ours", turns: []report.Phase{turn(100, 900), turn(50, 1800), turn(110, 900)}},
		{name: "theirs", turns: []report.Phase{turn(50, 1000), turn(25, 2000), turn(50, 1000)}},
		{name: "unmeasured", turns: []report.Phase{{PerSecond: 1}}},
	})
	theirs := o.Servers[1].Ratios
	if got := theirs["CPU a request"]; math.Abs(got.Min-0.9) > 1e-9 || math.Abs(got.Max-0.9) > 1e-9 {
		t.Errorf("ratio of CPU %+v, want 0.9 in every round", got)
	}
	if got := theirs["throughput"]; got.Median != 2 || got.Min != 2 || math.Abs(got.Max-2.2) > 1e-9 {
		t.Errorf("ratio of throughput %+v, want 2 (2–2.2)", got)
	}
	if got := o.Servers[2].Ratios["CPU a request"]; got != (spread{}) {
		t.Errorf("ratio to what was not measured: %+v", got)
	}
	var b bytes.Buffer
	if err := o.writeText(&b); err != nil || !strings.Contains(b.String(), "ours / theirs = 0.9  (0.9–0.9)") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func TestFlagsBelongToTheirServer(t *testing.T) {
	s, err := parseSettings([]string{
		"-size", "30x", "-key", "aa", "-rounds", "3",
		"-server", "a", "-url", "http://a.test", "-template", "/a", "-pid", "3,4",
		"-server", "b", "-url", "http://b.test", "-template", "/b", "-key", "", "-size", "30x20",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	a, b := s.servers[0], s.servers[1]
	if a.name != "a" || a.URL != "http://a.test" || a.Size != "30x" || a.Key != "aa" || !cmp.Equal(a.PIDs, []int{3, 4}) || !cmp.Equal(a.Templates, []string{"/a"}) {
		t.Errorf("a is %+v", a)
	}
	if b.name != "b" || b.URL != "http://b.test" || b.Size != "30x20" || b.Key != "" || b.PIDs != nil || !cmp.Equal(b.Templates, []string{"/b"}) || s.rounds != 3 {
		t.Errorf("b is %+v", b)
	}
}

func TestBadFlags(t *testing.T) {
	two := []string{"-server", "a", "-url", "http://127.0.0.1:1", "-template", "/a", "-server", "b", "-url", "http://127.0.0.1:1", "-template", "/a"}
	tests := []struct {
		name string
		args []string
		want int
	}{
		{"one server", two[:6], 2},
		{"no URL", []string{"-server", "a", "-template", "/a", "-server", "b", "-template", "/b"}, 2},
		{"no template", []string{"-server", "a", "-url", "http://127.0.0.1:1", "-server", "b", "-url", "http://127.0.0.1:1"}, 2},
		{"too many rounds", append([]string{"-rounds", "1000"}, two...), 2},
		{"too long", append([]string{"-duration", "1h"}, two...), 2},
		{"too many clients", append([]string{"-clients", "100000"}, two...), 2},
		{"no number", append(two, "-pid", "x"), 2},
		{"a process that does not run", append([]string{"-pid", "4194305"}, two...), 1},
		{"stray", append(two, "more"), 2},
		{"help", []string{"-help"}, 0},
	}
	for _, tt := range tests {
		if got := run(t.Context(), tt.args, io.Discard, io.Discard); got != tt.want {
			t.Errorf("%s: exit code %d, want %d", tt.name, got, tt.want)
		}
	}
}

// picture serves a PNG of a width at every URL.
func picture(t *testing.T, width int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, 20))); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("image/png")
		ctx.SetBody(b.Bytes())
	}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with the listener
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return "http://" + listener.Addr().String()
}

func TestRace(t *testing.T) {
	right, wrong := picture(t, 30), picture(t, 31)
	tests := []struct {
		name, second string
		want         int
	}{
		{"both right", right, 0},
		{"wrong pictures are no speed", wrong, 1},
	}
	for _, tt := range tests {
		file := filepath.Join(t.TempDir(), "c.json")
		var out, progress bytes.Buffer
		code := run(context.Background(), []string{
			"-clients", "2", "-requests", "50", "-duration", "1m", "-warmup", "0s", "-rounds", "3", "-size", "30x", "-check", "1",
			"-pid", strconv.Itoa(os.Getpid()), "-json", file,
			"-server", "one", "-url", right, "-template", "/a?v={n}",
			"-server", "two", "-url", tt.second, "-template", "/b?v={n}",
		}, &out, &progress)
		text := out.String()
		if code != tt.want || !strings.Contains(text, "one / two =") || !strings.Contains(text, "150 answers, 150 checked") || strings.Contains(text, "FAILED") != (tt.want == 1) {
			t.Errorf("%s: exit code %d\n%s", tt.name, code, text)
		}
		if order := strings.Count(progress.String(), "round 1 of 3: one"); order != 1 || strings.Index(progress.String(), "3: two") > strings.Index(progress.String(), "round 2 of 3: one") {
			t.Errorf("%s: turns are not A B A B:\n%s", tt.name, progress.String())
		}
		if data, err := os.ReadFile(file); err != nil || !strings.Contains(string(data), `"ratios"`) {
			t.Errorf("%s: JSON %v: %.100s", tt.name, err, data)
		}
	}
}
