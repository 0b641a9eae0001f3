package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tally is what one client has seen. It is not for concurrent use.
type tally struct {
	statuses map[int]int64
	errors   map[string]int64
	verdicts map[string]*hdrhistogram.Histogram // µs, by Cache-Status
	bytes    int64                              // of bodies
}

func newTally() *tally {
	return &tally{statuses: map[int]int64{}, errors: map[string]int64{}, verdicts: map[string]*hdrhistogram.Histogram{}}
}

// longest is the largest time that is told apart from longer ones, µs.
const longest = int64(2 * time.Minute / time.Microsecond)

// newHistogram holds 1 µs to longest, exact to 3 digits.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, longest, 3) }

func (t *tally) fail(text string) { t.errors[text]++ }

func (t *tally) answer(status int, verdict string, bytes int, took time.Duration) {
	t.statuses[status]++
	t.bytes += int64(bytes)
	h := t.verdicts[verdict]
	if h == nil {
		h = newHistogram()
		t.verdicts[verdict] = h
	}
	_ = h.RecordValue(min(max(took.Microseconds(), 1), longest)) // in range, so it cannot fail
}

// report is the outcome of a run; its JSON form is for machines.
type report struct {
	URL       string              `json:"url"`
	Template  string              `json:"template"`
	Clients   int                 `json:"clients"`
	Seconds   float64             `json:"seconds"`
	Requests  int64               `json:"requests"` // answered, whatever the status
	PerSecond float64             `json:"requests_per_second"`
	Bytes     int64               `json:"bytes"`
	Latency   latency             `json:"latency_ms"`
	Statuses  map[string]int64    `json:"statuses"`
	Cache     map[string]verdicts `json:"cache"`
	Errors    map[string]int64    `json:"errors"` // no answer at all
	Wanted    int                 `json:"wanted_status"`
}

// verdicts is the share of one Cache-Status.
type verdicts struct {
	Count   int64   `json:"count"`
	Latency latency `json:"latency_ms"`
}

// latency is in ms.
type latency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

func newReport(s settings, took time.Duration, tallies []*tally) *report {
	r := &report{
		URL: s.base.String(), Template: s.template.String(), Clients: s.clients, Seconds: took.Seconds(), Wanted: s.status,
		Statuses: map[string]int64{}, Cache: map[string]verdicts{}, Errors: map[string]int64{},
	}
	all, byVerdict := newHistogram(), map[string]*hdrhistogram.Histogram{}
	for _, t := range tallies {
		r.Bytes += t.bytes
		for status, n := range t.statuses {
			r.Statuses[strconv.Itoa(status)] += n
		}
		for text, n := range t.errors {
			r.Errors[text] += n
		}
		for verdict, h := range t.verdicts {
			if byVerdict[verdict] == nil {
				byVerdict[verdict] = newHistogram()
			}
			byVerdict[verdict].Merge(h)
			all.Merge(h)
		}
	}
	for verdict, h := range byVerdict {
		r.Cache[verdict] = verdicts{h.TotalCount(), newLatency(h)}
	}
	r.Requests, r.Latency = all.TotalCount(), newLatency(all)
	r.PerSecond = float64(r.Requests) / r.Seconds
	return r
}

func newLatency(h *hdrhistogram.Histogram) latency {
	const perMS = 1000
	at := func(percent float64) float64 { return float64(h.ValueAtQuantile(percent)) / perMS }
	return latency{Mean: h.Mean() / perMS, P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: float64(h.Max()) / perMS}
}

// good says that there were answers, and all of the status that was wanted.
func (r *report) good() bool {
	return r.Requests > 0 && len(r.Errors) == 0 && r.Statuses[strconv.Itoa(r.Wanted)] == r.Requests
}

// writeText writes the report for people.
func (r *report) writeText(w io.Writer) error {
	p := printer{w: w}
	p.line("%s%s · %d clients · %.1f s", r.URL, r.Template, r.Clients, r.Seconds)
	p.line("")
	p.line("throughput  %.0f requests/s   %.1f MB/s   %d requests", r.PerSecond, float64(r.Bytes)/1e6/r.Seconds, r.Requests)
	p.line("latency     p50 %s   p90 %s   p99 %s   p99.9 %s   max %s   mean %s", ms(r.Latency.P50), ms(r.Latency.P90), ms(r.Latency.P99), ms(r.Latency.P999), ms(r.Latency.Max), ms(r.Latency.Mean))
	for _, status := range slices.Sorted(maps.Keys(r.Statuses)) {
		p.line("status      %s: %d", status, r.Statuses[status])
	}
	for _, name := range slices.Sorted(maps.Keys(r.Cache)) {
		v := r.Cache[name]
		p.line("cache       %s: %d (%.1f %%)   p50 %s   p99 %s", name, v.Count, 100*float64(v.Count)/float64(r.Requests), ms(v.Latency.P50), ms(v.Latency.P99))
	}
	for _, text := range slices.Sorted(maps.Keys(r.Errors)) {
		p.line("error       %s: %d", text, r.Errors[text])
	}
	if !r.good() {
		p.line("")
		p.line("FAILED      not every request was answered with status %d", r.Wanted)
	}
	return p.err
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

// writeJSON writes the report to a file.
func (r *report) writeJSON(file string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}
