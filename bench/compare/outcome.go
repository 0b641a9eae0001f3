package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/imgedge/imgedge/bench/check"
	"github.com/imgedge/imgedge/bench/report"
)

// outcome is the comparison; its JSON form is for machines.
type outcome struct {
	Servers []standing `json:"servers"`
}

// standing is one server. Ratios are its own: the first server's figure divided by this one's, so that the
// first is compared with each of the others.
type standing struct {
	Name    string            `json:"name"`
	Targets string            `json:"targets"`
	Figures map[string]spread `json:"figures"`
	Ratios  map[string]spread `json:"ratios"` // first / this one, round by round; empty for the first
	Rounds  []report.Phase    `json:"rounds"`
}

// spread is a figure over the rounds.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// figure is one of the numbers that are compared.
type figure struct {
	name, unit string
	lower      bool // less is better
	of         func(*report.Phase) float64
}

// figures are compared in this order. A figure that is 0 everywhere was not measured.
func figures() []figure {
	process := func(of func(*report.Process) float64) func(*report.Phase) float64 {
		return func(p *report.Phase) float64 {
			if p.Process == nil {
				return 0
			}
			return of(p.Process)
		}
	}
	const mib = 1 << 20
	return []figure{
		{"CPU a request", "ms", true, process(func(p *report.Process) float64 { return p.CPUMicros / 1000 })},
		{"throughput", "/s", false, func(p *report.Phase) float64 { return p.PerSecond }},
		{"latency p50", "ms", true, func(p *report.Phase) float64 { return p.Latency.P50 }},
		{"latency p99", "ms", true, func(p *report.Phase) float64 { return p.Latency.P99 }},
		{"peak RSS", "MiB", true, process(func(p *report.Process) float64 { return float64(p.PeakRSS) / mib })},
		{"peak PSS", "MiB", true, process(func(p *report.Process) float64 { return float64(p.PeakPSS) / mib })},
		{"bytes an answer", "KB", true, func(p *report.Phase) float64 { return float64(p.Bytes) / 1e3 / float64(max(p.Requests, 1)) }},
	}
}

func newOutcome(rivals []*rival) *outcome {
	o := &outcome{}
	for i, r := range rivals {
		s := standing{Name: r.name, Targets: r.targets, Figures: map[string]spread{}, Ratios: map[string]spread{}, Rounds: r.turns}
		for _, f := range figures() {
			own := each(r.turns, f.of)
			s.Figures[f.name] = newSpread(own)
			if i > 0 {
				s.Ratios[f.name] = newSpread(ratios(each(rivals[0].turns, f.of), own))
			}
		}
		o.Servers = append(o.Servers, s)
	}
	return o
}

func each(phases []report.Phase, of func(*report.Phase) float64) []float64 {
	values := make([]float64, len(phases))
	for i := range phases {
		values[i] = of(&phases[i])
	}
	return values
}

// ratios divides round by round: what was measured in the same minute.
func ratios(first, other []float64) []float64 {
	var list []float64
	for i := range min(len(first), len(other)) {
		if other[i] > 0 {
			list = append(list, first[i]/other[i])
		}
	}
	return list
}

func newSpread(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Min: sorted[0], Max: sorted[n-1]}
}

// good says that every round of every server was.
func (o *outcome) good() bool {
	for _, s := range o.Servers {
		bad := func(p report.Phase) bool { return !p.Good() }
		if len(s.Rounds) == 0 || slices.ContainsFunc(s.Rounds, bad) {
			return false
		}
	}
	return true
}

func (o *outcome) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(o)
}

// writeText writes the comparison for people.
func (o *outcome) writeText(w io.Writer) error {
	p := printer{w: w}
	for _, s := range o.Servers {
		p.line("%s: %s: %d rounds", s.Name, s.Targets, len(s.Rounds))
	}
	first := o.Servers[0].Name
	for _, f := range figures() {
		if !slices.ContainsFunc(o.Servers, func(s standing) bool { return s.Figures[f.name].Max > 0 }) {
			continue
		}
		better := "more is better"
		if f.lower {
			better = "less is better"
		}
		p.line("")
		p.line("%s, %s (%s): median (lowest–highest of the rounds)", f.name, f.unit, better)
		for i, s := range o.Servers {
			v := s.Figures[f.name]
			text := fmt.Sprintf("  %-16s %9.4g  (%.4g–%.4g)", s.Name, v.Median, v.Min, v.Max)
			if r := s.Ratios[f.name]; i > 0 && r.Max > 0 {
				text += fmt.Sprintf("   %s / %s = %.3g  (%.3g–%.3g)", first, s.Name, r.Median, r.Min, r.Max)
			}
			p.line("%s", text)
		}
	}
	o.printChecks(&p)
	return p.err
}

func (o *outcome) printChecks(p *printer) {
	p.line("")
	for _, s := range o.Servers {
		var checked, wrong, answers int64
		for i := range s.Rounds {
			answers += s.Rounds[i].Requests
			c := checks(&s.Rounds[i])
			checked, wrong = checked+c.Checked, wrong+c.Failed
		}
		p.line("%s: %d answers, %d checked, %d wrong", s.Name, answers, checked, wrong)
		for i := range s.Rounds {
			if !s.Rounds[i].Good() {
				p.line("FAILED: %s, round %d: statuses %v, errors %v, wrong %v", s.Name, i+1, s.Rounds[i].Statuses, s.Rounds[i].Errors, checks(&s.Rounds[i]).Examples)
			}
		}
	}
}

// checks returns what was checked; nothing if nothing was.
func checks(p *report.Phase) check.Outcome {
	if p.Checks == nil {
		return check.Outcome{}
	}
	return *p.Checks
}

// printer writes lines and remembers the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, values ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", values...)
	}
}
