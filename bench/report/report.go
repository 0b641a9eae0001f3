// Package report turns what a load run has seen into something to keep and to read: text, JSON, and one
// HTML file with plots that needs no network.
//
//	phase := report.NewPhase("load", settings, result)
//	r := report.Report{Version: report.Version, Phases: []report.Phase{phase}}
//	err := r.WriteText(os.Stdout)
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/imgedge/imgedge/bench/check"
)

// Version of the JSON form. Fields are added, never changed, while it stays the same.
const Version = 1

// Report is one call of the load generator.
type Report struct {
	Version int       `json:"version"`
	Name    string    `json:"name"` // as the user calls this run
	Started time.Time `json:"started"`
	Server  string    `json:"server"` // its URL
	Targets string    `json:"targets"`
	Machine Machine   `json:"machine"`
	Phases  []Phase   `json:"phases"`
}

// Machine is where the generator ran.
type Machine struct {
	CPUs   int    `json:"cpus"`
	System string `json:"system"`
	Go     string `json:"go"`
}

// Phase is one stretch of load. Times are in ms unless the name says otherwise.
type Phase struct {
	Name       string           `json:"name"`
	Clients    int              `json:"clients"`
	Offered    float64          `json:"offered_per_second"` // of the open loop; 0 = closed loop
	Seconds    float64          `json:"seconds"`
	Requests   int64            `json:"requests"` // answered, whatever the status
	PerSecond  float64          `json:"requests_per_second"`
	Bytes      int64            `json:"bytes"`         // of bodies
	Wanted     int              `json:"wanted_status"` // what a good answer has
	Statuses   map[string]int64 `json:"statuses"`
	Errors     map[string]int64 `json:"errors"`      // no answer at all, by cause
	Reopened   int64            `json:"reopened"`    // kept connections that the server had closed
	Latency    Latency          `json:"latency_ms"`  // from the moment a request was meant to be sent
	Service    Latency          `json:"service_ms"`  // from the moment it was sent
	Percents   []Point          `json:"percentiles"` // of Latency
	ServicePts []Point          `json:"service_percentiles"`
	Cache      map[string]Cache `json:"cache"`     // by the words of Cache-Status
	HitRatio   float64          `json:"hit_ratio"` // share of answers with a hit, 0–1
	Series     Series           `json:"series"`
	Checks     *check.Outcome   `json:"checks,omitempty"`
	Metrics    *Metrics         `json:"metrics,omitempty"`
	Process    *Process         `json:"process,omitempty"`
	Generator  Generator        `json:"generator"`
	Ramp       *Ramp            `json:"ramp,omitempty"`
}

// Latency is in ms.
type Latency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

// Point is one of a curve of percentiles.
type Point struct {
	Percent float64 `json:"percent"`
	MS      float64 `json:"ms"`
}

// Cache is the share of one Cache-Status.
type Cache struct {
	Count    int64   `json:"count"`
	Bytes    int64   `json:"bytes"`
	Latency  Latency `json:"latency_ms"`
	Percents []Point `json:"percentiles"`
}

// Series is how a phase went, in steps of equal length by the moment of the answer. Where nothing was
// answered, latencies are 0.
type Series struct {
	StepSeconds float64           `json:"step_seconds"`
	Answers     []int64           `json:"answers"`
	Errors      []int64           `json:"errors"`
	Bytes       []int64           `json:"bytes"`
	Hits        []int64           `json:"hits"`
	P50         []float64         `json:"p50_ms"`
	P99         []float64         `json:"p99_ms"`
	Max         []float64         `json:"max_ms"`
	Cache       map[string]Course `json:"cache"`
}

// Course is how one Cache-Status went, by the same steps.
type Course struct {
	Answers []int64   `json:"answers"`
	P50     []float64 `json:"p50_ms"`
	P99     []float64 `json:"p99_ms"`
}

// Metrics is what the server says of itself in its metrics, for this phase alone.
type Metrics struct {
	Stages   map[string]Stage   `json:"stages"`
	Answers  map[string]float64 `json:"answers"`   // by cache verdict
	HitRatio float64            `json:"hit_ratio"` // 0–1
	Counters map[string]float64 `json:"counters"`  // those that moved
}

// Stage is a part of making a picture.
type Stage struct {
	Count   float64 `json:"count"`
	Seconds float64 `json:"seconds"`
}

// Process is what the server's process trees used.
type Process struct {
	CPUSeconds   float64   `json:"cpu_seconds"`
	CPUMicros    float64   `json:"cpu_us_per_request"`
	PeakRSS      int64     `json:"peak_rss_bytes"` // sum over the processes
	PeakPSS      int64     `json:"peak_pss_bytes"`
	Processes    int       `json:"processes"`
	SampleAt     []float64 `json:"sample_at_seconds"`
	SampleCPU    []float64 `json:"sample_cpu_seconds"` // used since the phase began
	SampleRSS    []int64   `json:"sample_rss_bytes"`
	SamplePSS    []int64   `json:"sample_pss_bytes"`
	UnreadReason string    `json:"unread,omitempty"` // why the figures end early; "" = they do not
}

// Generator is what the load itself cost.
type Generator struct {
	CPUSeconds float64 `json:"cpu_seconds"`
	CPUMicros  float64 `json:"cpu_us_per_request"`
	// LateP99 is how late the open loop's own clock woke, ms: latency that is not the server's. Much of it
	// means that the machine is too busy to measure.
	LateP99 float64 `json:"late_p99_ms"`
}

// Ramp is a search for the highest rate within a goal.
type Ramp struct {
	Percent float64 `json:"goal_percent"` // of the answers …
	GoalMS  float64 `json:"goal_ms"`      // … come within this time
	Best    float64 `json:"best_per_second"`
	Steps   []Step  `json:"steps"`
}

// Step is one rate that was tried.
type Step struct {
	Offered  float64 `json:"offered_per_second"`
	Answered float64 `json:"answered_per_second"`
	P50      float64 `json:"p50_ms"`
	AtGoal   float64 `json:"at_goal_ms"` // at the goal's percentile
	Failures int64   `json:"failures"`
	Passed   bool    `json:"passed"`
}

// Good says that the phase had answers, all of the status that was wanted, and that all checks passed.
func (p *Phase) Good() bool {
	return p.Requests > 0 && len(p.Errors) == 0 && p.Statuses[strconv.Itoa(p.Wanted)] == p.Requests &&
		(p.Checks == nil || p.Checks.Failed == 0)
}

// Good says that every phase is.
func (r *Report) Good() bool {
	for i := range r.Phases {
		if !r.Phases[i].Good() {
			return false
		}
	}
	return len(r.Phases) > 0
}

// Read reads a report from its JSON form.
func Read(file string) (*Report, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if r.Version != Version {
		return nil, fmt.Errorf("read %s: a report of version %d, want %d", file, r.Version, Version)
	}
	return r, nil
}

// WriteJSON writes the form that Read reads.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// WriteFile writes to a file through write, and reports what goes wrong at any point.
func WriteFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
