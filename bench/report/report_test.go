package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"

	"github.com/imgedge/imgedge/bench/check"
	"github.com/imgedge/imgedge/bench/load"
	"github.com/imgedge/imgedge/bench/proc"
	"github.com/imgedge/imgedge/bench/scrape"
)

// result has 99 hits of 1 to 99 ms in the first second, a miss of 2 s in the third, and a timeout.
func result() *load.Result {
	verdict := func() *load.Verdict {
		return &load.Verdict{Latency: hdrhistogram.New(1, 1e9, 3), Service: hdrhistogram.New(1, 1e9, 3), Bins: make([]load.Bin, 3)}
	}
	hit, miss := verdict(), verdict()
	hit.Bins[0].Latency, miss.Bins[2].Latency = hdrhistogram.New(1, 1e9, 2), hdrhistogram.New(1, 1e9, 2)
	for i := range int64(99) {
		hit.Latency.RecordValue((i + 1) * 1000)
		hit.Service.RecordValue(500)
		hit.Bins[0].Latency.RecordValue((i + 1) * 1000)
	}
	miss.Latency.RecordValue(2e6)
	miss.Service.RecordValue(1e6)
	miss.Bins[2].Latency.RecordValue(2e6)
	hit.Bytes, miss.Bytes = 99_000, 50
	return &load.Result{
		Took: 10 * time.Second, Bin: time.Second,
		Statuses: map[int]int64{200: 99, 503: 1}, Errors: map[string]int64{"timeout": 1}, Failed: []int64{0, 1},
		Verdicts: map[string]*load.Verdict{"hit memory": hit, "miss": miss}, Late: hdrhistogram.New(1, 1e9, 3),
	}
}

// full returns a report in which everything is filled in.
func full() *Report {
	p := NewPhase("load", 200, load.Phase{Clients: 8, Rate: 10}, result())
	p.WithProcess(proc.Peak{CPU: time.Second, RSS: 3 << 20, PSS: 2 << 20, Processes: 3, Samples: []proc.Sample{{}, {At: time.Second, CPU: time.Second / 2, RSS: 1, PSS: 1}}}, proc.ErrGone)
	p.WithGenerator(time.Millisecond)
	p.WithMetrics(scrape.Values{
		`imgedge_stage_duration_seconds_sum{stage="decode"}`: 3, `imgedge_stage_duration_seconds_count{stage="decode"}`: 30,
		`imgedge_requests_total{source="a",status="200",cache="memory"}`: 60, `imgedge_requests_total{source="b",status="200",cache="memory"}`: 15,
		`imgedge_requests_total{source="a",status="200",cache="miss"}`: 25, "other_total": 3,
	})
	p.Checks = &check.Outcome{Checked: 5, Failed: 1, Faults: map[string]int64{"wrong size": 1}, Examples: []string{"/a?<script>alert(1)</script>: wrong size"}}
	p.Ramp = &Ramp{Percent: 99, GoalMS: 100, Best: 80, Steps: []Step{{Offered: 80, AtGoal: 50, Passed: true}, {Offered: 160, AtGoal: 500}}}
	return &Report{Version: Version, Name: "</script><b>one", Started: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), Server: "http://edge.test", Targets: "/a?w={w}", Phases: []Phase{p}}
}

func TestPhase(t *testing.T) {
	p := full().Phases[0]
	if p.Requests != 100 || p.PerSecond != 10 || p.Bytes != 99_050 || p.HitRatio != 0.99 {
		t.Errorf("requests %d, %v a second, %d bytes, hit ratio %v; want 100, 10, 99050, 0.99", p.Requests, p.PerSecond, p.Bytes, p.HitRatio)
	}
	if l := p.Latency; l.P50 < 49 || l.P50 > 51 || l.P99 < 98 || l.P99 > 100 || l.Max < 1990 || l.Max > 2010 {
		t.Errorf("latency %+v, want p50 50, p99 99, max 2000 ms", l)
	}
	if l := p.Service; l.P50 < 0.49 || l.P50 > 0.51 {
		t.Errorf("service %+v, want p50 0.5 ms", l)
	}
	s := p.Series
	if diff := cmp.Diff([][]int64{{99, 0, 1}, {0, 1, 0}, {99, 0, 0}}, [][]int64{s.Answers, s.Errors, s.Hits}); diff != "" {
		t.Errorf("answers, errors, hits over time (-want +got):\n%s", diff)
	}
	if last := p.Percents[len(p.Percents)-1]; last.Percent < 98.9 || last.Percent > 99.1 || len(p.Percents) != 21 {
		t.Errorf("the curve of 100 answers has %d points and ends at %v, want 21 and 99 %%", len(p.Percents), last)
	}
	if p.Process.CPUMicros != 10_000 || p.Generator.CPUMicros != 10 || p.Process.UnreadReason == "" {
		t.Errorf("CPU a request: server %v, generator %v µs; want 10000, 10", p.Process.CPUMicros, p.Generator.CPUMicros)
	}
	m := p.Metrics
	if m.HitRatio != 0.75 || m.Stages["decode"] != (Stage{30, 3}) || len(m.Counters) != 3 {
		t.Errorf("metrics %+v", m)
	}
}

func TestGood(t *testing.T) {
	good := func() Phase {
		return Phase{Requests: 2, Wanted: 200, Statuses: map[string]int64{"200": 2}, Checks: &check.Outcome{Checked: 1}}
	}
	tests := []struct {
		name   string
		change func(*Phase)
		want   bool
	}{
		{"good", func(*Phase) {}, true},
		{"nothing was checked", func(p *Phase) { p.Checks = nil }, true},
		{"no answers", func(p *Phase) { p.Requests, p.Statuses = 0, nil }, false},
		{"another status", func(p *Phase) { p.Statuses = map[string]int64{"200": 1, "503": 1} }, false},
		{"a timeout", func(p *Phase) { p.Errors = map[string]int64{"timeout": 1} }, false},
		{"a wrong picture", func(p *Phase) { p.Checks.Failed = 1 }, false},
	}
	for _, tt := range tests {
		p := good()
		tt.change(&p)
		r := Report{Phases: []Phase{good(), p}}
		if p.Good() != tt.want || r.Good() != tt.want {
			t.Errorf("%s: phase %v, report %v, want %v", tt.name, p.Good(), r.Good(), tt.want)
		}
	}
	if (&Report{}).Good() {
		t.Error("a report without phases is good")
	}
}

func TestJSONRoundTrip(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	want := full()
	if err := WriteFile(file, want.WriteJSON); err != nil {
		t.Fatal(err)
	}
	got, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want.Version = 99
	if err := WriteFile(file, want.WriteJSON); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(file); err == nil {
		t.Error("a report of another version is read")
	}
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	if err := full().WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"== load: open loop, 10 requests/s offered, 8 clients", "10 requests/s", "status      503: 1", "hit memory: 99 (99.0 %)",
		"error       timeout: 1", "stage       decode: 30, 100 ms each", "wrong size: 1", "peak PSS 2.0 MiB", "p99 within 100 ms: 80 requests/s", "FAILED",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, b.String())
		}
	}
}

func TestCompare(t *testing.T) {
	before, after := full(), full()
	a := &after.Phases[0]
	a.PerSecond, a.Latency.P50, a.Latency.P99 = 20, before.Phases[0].Latency.P50/2, before.Phases[0].Latency.P99*1.05
	a.Process.CPUMicros, a.Ramp.Best = 12_000, 0
	after.Phases = append(after.Phases, Phase{Name: "only here"})
	rows := map[string]Row{}
	for _, row := range Compare(before, after) {
		rows[row.What] = row
	}
	tests := []struct {
		what          string
		ratio         float64
		better, worse bool
	}{
		{"throughput", 2, true, false},
		{"latency p50", 0.5, true, false},
		{"latency p99", 1.05, false, false},
		{"server CPU a request", 1.2, false, true},
		{"server peak RSS", 1, false, false},
		{"bytes an answer", 1, false, false},
		{"highest rate within the goal", 0, false, true},
	}
	for _, tt := range tests {
		row, ok := rows[tt.what]
		if !ok || math.Abs(row.Ratio-tt.ratio) > 1e-9 || row.Better() != tt.better || row.Worse() != tt.worse {
			t.Errorf("%s: %+v, better %v, worse %v; want ratio %v", tt.what, row, row.Better(), row.Worse(), tt.ratio)
		}
	}
	var b bytes.Buffer
	if err := WriteComparison(&b, before, after); err != nil || !strings.Contains(b.String(), "× 0.5  better") || strings.Contains(b.String(), "only here") {
		t.Errorf("%v\n%s", err, b.String())
	}
	b.Reset()
	if err := WriteComparison(&b, before, &Report{}); err != nil || !strings.Contains(b.String(), "no phase of one name") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// TestHTMLNeedsNothingElse: no attribute and no style loads anything, and nothing of a report is markup.
func TestHTMLNeedsNothingElse(t *testing.T) {
	for _, reports := range [][]*Report{{full()}, {full(), full()}} {
		var b bytes.Buffer
		if err := WriteHTML(&b, reports...); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		loads := regexp.MustCompile(`(?i)(src|href|action|data|poster)\s*=\s*["']?(https?:)?//|(src|href)\s*=|url\(|@import|<link|<img|<iframe|fetch\(|XMLHttpRequest|import\(`)
		if found := loads.FindString(page); found != "" {
			t.Errorf("the page has %q", found)
		}
		for _, want := range []string{"uPlot=function", "default-src 'none'", `<script type="application/json" id="data">`, "Permission is hereby granted", "wrong size", "decode"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		if strings.Contains(page, "<script>alert") || strings.Contains(page, "</script><b>one") {
			t.Error("what came from outside is markup")
		}
		if got := strings.Contains(page, "B against A"); got != (len(reports) == 2) {
			t.Errorf("%d reports: comparison %v", len(reports), got)
		}
	}
}

// TestAssetsAreWhatTheyWere: the plot library is the package's, unchanged, and its README says so.
func TestAssetsAreWhatTheyWere(t *testing.T) {
	readme, err := assets.ReadFile("assets/uplot/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"uPlot.iife.min.js", "uPlot.min.css", "LICENSE"} {
		data, err := assets.ReadFile("assets/uplot/" + name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		if !strings.Contains(string(readme), name+"` | `"+hex.EncodeToString(sum[:])) {
			t.Errorf("%s has the hash %x, which README.md does not name", name, sum)
		}
	}
}
