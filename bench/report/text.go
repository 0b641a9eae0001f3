package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
)

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	p := printer{w: w}
	p.line("%s  %s", r.Server, r.Targets)
	for i := range r.Phases {
		p.line("")
		r.Phases[i].print(&p)
	}
	if !r.Good() {
		p.line("")
		p.line("FAILED")
	}
	return p.err
}

func (p *Phase) print(out *printer) {
	loop := "closed loop"
	if p.Offered > 0 {
		loop = fmt.Sprintf("open loop, %.4g requests/s offered", p.Offered)
	}
	out.line("== %s: %s, %d clients, %.1f s", p.Name, loop, p.Clients, p.Seconds)
	if p.Ramp != nil {
		p.Ramp.print(out)
	}
	out.line("throughput  %.4g requests/s   %.4g MB/s   %d requests", p.PerSecond, float64(p.Bytes)/1e6/p.Seconds, p.Requests)
	out.line("latency     %v", p.Latency)
	if p.Offered > 0 {
		out.line("service     %v   (from sending, not from when it was due)", p.Service)
	}
	for _, status := range slices.Sorted(maps.Keys(p.Statuses)) {
		out.line("status      %s: %d", status, p.Statuses[status])
	}
	for _, name := range slices.Sorted(maps.Keys(p.Cache)) {
		c := p.Cache[name]
		out.line("cache       %s: %d (%.1f %%)   p50 %s   p99 %s", name, c.Count, 100*float64(c.Count)/float64(p.Requests), ms(c.Latency.P50), ms(c.Latency.P99))
	}
	p.printServer(out)
	late := ""
	if p.Offered > 0 {
		late = fmt.Sprintf("   woke late by p99 %s", ms(p.Generator.LateP99))
	}
	out.line("generator   CPU %.1f µs a request%s", p.Generator.CPUMicros, late)
	p.printFaults(out)
}

func (p *Phase) printServer(out *printer) {
	if s := p.Process; s != nil {
		out.line("server      CPU %s a request, %.2f of %.1f s   peak RSS %s   peak PSS %s   %d processes", cpu(s.CPUMicros), s.CPUSeconds, p.Seconds, mib(s.PeakRSS), mib(s.PeakPSS), s.Processes)
		if s.UnreadReason != "" {
			out.line("server      figures end early: %s", s.UnreadReason)
		}
	}
	if m := p.Metrics; m != nil {
		for _, stage := range slices.Sorted(maps.Keys(m.Stages)) {
			s := m.Stages[stage]
			out.line("stage       %s: %.0f, %s each", stage, s.Count, ms(1000*s.Seconds/max(s.Count, 1)))
		}
		out.line("metrics     hit ratio %.1f %%", 100*m.HitRatio)
	}
}

func (p *Phase) printFaults(out *printer) {
	if p.Reopened > 0 {
		out.line("reopened    %d connections that the server had closed", p.Reopened)
	}
	for _, text := range slices.Sorted(maps.Keys(p.Errors)) {
		out.line("error       %s: %d", text, p.Errors[text])
	}
	if c := p.Checks; c != nil {
		out.line("checked     %d answers, %d wrong", c.Checked, c.Failed)
		for _, kind := range slices.Sorted(maps.Keys(c.Faults)) {
			out.line("wrong       %s: %d", kind, c.Faults[kind])
		}
		for _, example := range c.Examples {
			out.line("wrong       %s", example)
		}
	}
	if !p.Good() {
		out.line("FAILED      want status %d for every request, and nothing wrong", p.Wanted)
	}
}

func (r *Ramp) print(out *printer) {
	out.line("goal        p%g within %s: %.4g requests/s", r.Percent, ms(r.GoalMS), r.Best)
	for _, s := range slices.SortedStableFunc(slices.Values(r.Steps), func(a, b Step) int { return cmp.Compare(a.Offered, b.Offered) }) {
		verdict := "ok"
		if !s.Passed {
			verdict = "no"
		}
		out.line("step        %8.4g offered  %8.4g answered  p50 %s  p%g %s  %d failures  %s", s.Offered, s.Answered, ms(s.P50), r.Percent, ms(s.AtGoal), s.Failures, verdict)
	}
}

// String words the usual percentiles.
func (l Latency) String() string {
	return fmt.Sprintf("p50 %s   p90 %s   p99 %s   p99.9 %s   max %s   mean %s", ms(l.P50), ms(l.P90), ms(l.P99), ms(l.P999), ms(l.Max), ms(l.Mean))
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

// ms words milliseconds with three digits that count.
func ms(v float64) string {
	switch {
	case v < 1:
		return fmt.Sprintf("%.3f ms", v)
	case v < 100:
		return fmt.Sprintf("%.1f ms", v)
	}
	return fmt.Sprintf("%.0f ms", v)
}

// cpu words µs of CPU.
func cpu(micros float64) string {
	if micros < 1000 {
		return fmt.Sprintf("%.1f µs", micros)
	}
	return fmt.Sprintf("%.1f ms", micros/1000)
}

func mib(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
