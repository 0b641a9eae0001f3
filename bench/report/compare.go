package report

import (
	"fmt"
	"io"
)

// Row compares one figure of a phase that both reports have.
type Row struct {
	Phase, What, Unit string
	Before, After     float64
	Ratio             float64 // After / Before; 0 when Before is
	Lower             bool    // less is better
}

// Better says whether the figure improved by more than a tenth; less than that is mostly noise.
func (r Row) Better() bool { return r.changed(r.Lower) }

// Worse says whether it got worse by more than a tenth.
func (r Row) Worse() bool { return r.changed(!r.Lower) }

func (r Row) changed(down bool) bool {
	const noise = 1.1
	if down {
		return r.After*noise < r.Before
	}
	return r.After > r.Before*noise
}

// Compare returns the figures that both reports have, phase by phase in the order of before.
func Compare(before, after *Report) []Row {
	var rows []Row
	for i := range before.Phases {
		for k := range after.Phases {
			if before.Phases[i].Name == after.Phases[k].Name {
				rows = append(rows, comparePhases(&before.Phases[i], &after.Phases[k])...)
				break
			}
		}
	}
	return rows
}

func comparePhases(a, b *Phase) []Row {
	var rows []Row
	add := func(what, unit string, before, after float64, lower bool) {
		row := Row{Phase: a.Name, What: what, Unit: unit, Before: before, After: after, Lower: lower}
		if before != 0 {
			row.Ratio = after / before
		}
		rows = append(rows, row)
	}
	add("throughput", "requests/s", a.PerSecond, b.PerSecond, false)
	add("latency p50", "ms", a.Latency.P50, b.Latency.P50, true)
	add("latency p90", "ms", a.Latency.P90, b.Latency.P90, true)
	add("latency p99", "ms", a.Latency.P99, b.Latency.P99, true)
	add("latency p99.9", "ms", a.Latency.P999, b.Latency.P999, true)
	add("hit ratio", "%", 100*a.HitRatio, 100*b.HitRatio, false)
	if a.Requests > 0 && b.Requests > 0 {
		add("bytes an answer", "KB", float64(a.Bytes)/float64(a.Requests)/1e3, float64(b.Bytes)/float64(b.Requests)/1e3, true)
	}
	if a.Process != nil && b.Process != nil {
		add("server CPU a request", "µs", a.Process.CPUMicros, b.Process.CPUMicros, true)
		add("server peak RSS", "MiB", float64(a.Process.PeakRSS)/(1<<20), float64(b.Process.PeakRSS)/(1<<20), true)
		add("server peak PSS", "MiB", float64(a.Process.PeakPSS)/(1<<20), float64(b.Process.PeakPSS)/(1<<20), true)
	}
	if a.Ramp != nil && b.Ramp != nil {
		add("highest rate within the goal", "requests/s", a.Ramp.Best, b.Ramp.Best, false)
	}
	return rows
}

// WriteComparison writes two reports side by side for people.
func WriteComparison(w io.Writer, before, after *Report) error {
	p := printer{w: w}
	p.line("before  %s  %s  %s", before.Name, before.Started.Format("2006-01-02 15:04"), before.Targets)
	p.line("after   %s  %s  %s", after.Name, after.Started.Format("2006-01-02 15:04"), after.Targets)
	phase := ""
	for _, row := range Compare(before, after) {
		if row.Phase != phase {
			phase = row.Phase
			p.line("")
			p.line("== %s", phase)
		}
		p.line("%-30s %10.4g → %10.4g %-11s %s", row.What, row.Before, row.After, row.Unit, row.change())
	}
	if phase == "" {
		p.line("")
		p.line("no phase of one name in both")
	}
	return p.err
}

// change words the ratio.
func (r Row) change() string {
	text := ""
	switch {
	case r.Ratio != 0:
		text = fmt.Sprintf("× %.3g", r.Ratio)
	case r.Before == r.After:
		text = "="
	}
	switch {
	case r.Better():
		return text + "  better"
	case r.Worse():
		return text + "  worse"
	}
	return text
}
