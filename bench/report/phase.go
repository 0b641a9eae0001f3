package report

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/imgedge/imgedge/bench/load"
	"github.com/imgedge/imgedge/bench/proc"
	"github.com/imgedge/imgedge/bench/scrape"
)

const perMS = 1000 // µs

// NewPhase words a result. What was watched beside it is added by the With methods.
func NewPhase(name string, wanted int, phase load.Phase, r *load.Result) Phase {
	all := r.All()
	p := Phase{
		Name: name, Clients: phase.Clients, Offered: phase.Rate, Wanted: wanted,
		Seconds: r.Took.Seconds(), Requests: r.Requests(), PerSecond: r.Rate(), Bytes: all.Bytes,
		Statuses: map[string]int64{}, Errors: r.Errors, Reopened: r.Again,
		Latency: newLatency(all.Latency), Service: newLatency(all.Service),
		Percents: curve(all.Latency), ServicePts: curve(all.Service), Cache: map[string]Cache{},
	}
	for status, n := range r.Statuses {
		p.Statuses[strconv.Itoa(status)] = n
	}
	var hits int64
	for verdict, v := range r.Verdicts {
		n := v.Latency.TotalCount()
		p.Cache[verdict] = Cache{Count: n, Bytes: v.Bytes, Latency: newLatency(v.Latency), Percents: curve(v.Latency)}
		if isHit(verdict) {
			hits += n
		}
	}
	if p.Requests > 0 {
		p.HitRatio = float64(hits) / float64(p.Requests)
	}
	p.Series = newSeries(r, all)
	p.Generator.LateP99 = newLatency(r.Late).P99
	return p
}

func isHit(verdict string) bool { return verdict == "hit" || strings.HasPrefix(verdict, "hit ") }

func newLatency(h *hdrhistogram.Histogram) Latency {
	at := func(percent float64) float64 { return float64(h.ValueAtQuantile(percent)) / perMS }
	l := Latency{P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: float64(h.Max()) / perMS}
	if h.TotalCount() > 0 {
		l.Mean = h.Mean() / perMS
	}
	return l
}

// curve returns percentiles as far as the number of values gives them a meaning, ever denser towards 100.
func curve(h *hdrhistogram.Histogram) []Point {
	n := float64(h.TotalCount())
	points := []Point{}
	for i := 0; i <= 60 && n > 0; i++ {
		left := math.Pow(10, -float64(i)/10) // the share above
		if left*n < 1 {
			break
		}
		percent := 100 * (1 - left)
		points = append(points, Point{percent, float64(h.ValueAtQuantile(percent)) / perMS})
	}
	return points
}

func newSeries(r *load.Result, all *load.Verdict) Series {
	n := max(len(all.Bins), len(r.Failed))
	s := Series{
		StepSeconds: r.Bin.Seconds(), Answers: make([]int64, n), Errors: make([]int64, n), Bytes: make([]int64, n), Hits: make([]int64, n),
		P50: make([]float64, n), P99: make([]float64, n), Max: make([]float64, n), Cache: map[string]Course{},
	}
	copy(s.Errors, r.Failed)
	for i := range n {
		s.Bytes[i] = all.In(i).Bytes
		if h := all.In(i).Latency; h != nil {
			l := newLatency(h)
			s.Answers[i], s.P50[i], s.P99[i], s.Max[i] = h.TotalCount(), l.P50, l.P99, l.Max
		}
	}
	for verdict, v := range r.Verdicts {
		c := Course{Answers: make([]int64, n), P50: make([]float64, n), P99: make([]float64, n)}
		for i := range n {
			h := v.In(i).Latency
			if h == nil {
				continue
			}
			l := newLatency(h)
			c.Answers[i], c.P50[i], c.P99[i] = h.TotalCount(), l.P50, l.P99
			if isHit(verdict) {
				s.Hits[i] += h.TotalCount()
			}
		}
		s.Cache[verdict] = c
	}
	return s
}

// WithProcess adds what the server's processes used. err says why the watch ended early; nil = it did not.
func (p *Phase) WithProcess(peak proc.Peak, err error) {
	q := &Process{
		CPUSeconds: peak.CPU.Seconds(), CPUMicros: perRequest(peak.CPU, p.Requests),
		PeakRSS: peak.RSS, PeakPSS: peak.PSS, Processes: peak.Processes,
	}
	if err != nil {
		q.UnreadReason = err.Error()
	}
	for _, s := range peak.Samples {
		q.SampleAt, q.SampleCPU = append(q.SampleAt, s.At.Seconds()), append(q.SampleCPU, s.CPU.Seconds())
		q.SampleRSS, q.SamplePSS = append(q.SampleRSS, s.RSS), append(q.SamplePSS, s.PSS)
	}
	p.Process = q
}

// WithGenerator adds what the load itself cost.
func (p *Phase) WithGenerator(cpu time.Duration) {
	p.Generator.CPUSeconds, p.Generator.CPUMicros = cpu.Seconds(), perRequest(cpu, p.Requests)
}

// perRequest returns µs; 0 when there were no requests.
func perRequest(cpu time.Duration, requests int64) float64 {
	if requests == 0 {
		return 0
	}
	return float64(cpu.Microseconds()) / float64(requests)
}

// WithMetrics adds what the server's metrics gained in the phase.
func (p *Phase) WithMetrics(moved scrape.Values) {
	m := &Metrics{Stages: map[string]Stage{}, Counters: map[string]float64{}}
	seconds, counts := moved.By("imgedge_stage_duration_seconds_sum", "stage"), moved.By("imgedge_stage_duration_seconds_count", "stage")
	for stage, n := range counts {
		m.Stages[stage] = Stage{Count: n, Seconds: seconds[stage]}
	}
	m.Answers = moved.By("imgedge_requests_total", "cache")
	var all, hits float64
	for verdict, n := range m.Answers {
		all += n
		if verdict == "memory" || verdict == "redis" {
			hits += n
		}
	}
	if all > 0 {
		m.HitRatio = hits / all
	}
	for name, by := range moved {
		if base, _, _ := strings.Cut(name, "{"); strings.HasSuffix(base, "_total") && strings.HasPrefix(base, "imgedge_") {
			m.Counters[name] = by
		}
	}
	p.Metrics = m
}
