package edge

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"

	"github.com/imgedge/imgedge/pipeline"
)

// metrics holds what edge itself measures. Everything the hot path touches is resolved beforehand.
type metrics struct {
	requests      *prometheus.CounterVec
	duration      [verdicts]prometheus.Observer
	stages        [stages]prometheus.Observer
	saved         prometheus.Counter
	reloadSuccess prometheus.Gauge
	dropped       prometheus.Counter

	nowhere *sourceMetrics // of answers that belong to no source

	mu      sync.Mutex
	sources map[string]*sourceMetrics // by configured name; bounded by the configurations ever loaded
}

// sourceMetrics holds one source's counters, filled in as they are first used.
type sourceMetrics struct {
	name  string
	cells [verdicts][len(statuses)]atomic.Pointer[prometheus.Counter]
}

// statuses are the answers that get a label of their own; any other is "other".
var statuses = [...]int{
	0, 200, 204, 206, 304, 400, 401, 403, 404, 405, 408, 410, 413, 415, 416, 422, 429, 431, 499, 500, 502, 503, 504,
}

// stage is a part of a fill.
type stage uint8

const (
	stageQueue stage = iota
	stageFetch
	stageDecode
	stageEncode
	stageStore
	stages
)

// String returns the stage's name in Server-Timing and in metrics.
func (s stage) String() string {
	return [stages]string{"queue", "fetch", "decode", "encode", "store"}[s]
}

// split returns a fill's parts in the order of the stages.
func split(t pipeline.Timing) [stages]time.Duration {
	return [stages]time.Duration{t.Queue, t.Fetch, t.Decode, t.Encode, t.Store}
}

// newMetrics registers everything at reg.
func newMetrics(reg *prometheus.Registry, stats func(Emit)) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "imgedge_requests_total", Help: "Answers by source, status and cache verdict.",
		}, []string{"source", "status", "cache"}),
		saved: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "imgedge_bytes_saved_total", Help: "Bytes not sent because a picture was smaller than its original.",
		}),
		reloadSuccess: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "imgedge_config_reload_success", Help: "1 if the last configuration read is in force, else 0.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "imgedge_clients_gone_total", Help: "Requests whose client left before the answer was ready.",
		}),
		sources: make(map[string]*sourceMetrics),
	}
	m.nowhere = m.source("")
	durations := newSeconds("imgedge_request_duration_seconds", "Time from a request's arrival to its answer.", "cache")
	spent := newSeconds("imgedge_stage_duration_seconds", "Time spent in the stages of making a picture.", "stage")
	for v := range verdicts {
		m.duration[v] = durations.WithLabelValues(v.String())
	}
	for st := range stages {
		m.stages[st] = spent.WithLabelValues(st.String())
	}
	reg.MustRegister(m.requests, m.saved, m.reloadSuccess, m.dropped, durations, spent,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if stats != nil {
		reg.MustRegister(newLibraries(stats))
	}
	return m
}

// newSeconds returns a histogram of seconds, classic and native.
func newSeconds(name, help, label string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help,
		Buckets:                        []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		NativeHistogramBucketFactor:    1.1,
		NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
	}, []string{label})
}

// source returns the counters of a configured source, or of "" for answers that belong to none.
func (m *metrics) source(name string) *sourceMetrics {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sources[name]
	if s == nil {
		s = &sourceMetrics{name: name}
		m.sources[name] = s
	}
	return s
}

// count counts one answer.
func (m *metrics) count(s *sourceMetrics, status int, v verdict, took time.Duration) {
	m.counter(s, status, v).Inc()
	m.duration[v].Observe(took.Seconds())
}

// counter returns one answer's counter, resolving its labels only the first time.
func (m *metrics) counter(s *sourceMetrics, status int, v verdict) prometheus.Counter {
	i := max(0, slices.Index(statuses[:], status)) // unknown ones count as 0, "other"
	cell := &s.cells[v][i]
	if c := cell.Load(); c != nil {
		return *c
	}
	label := "other"
	if i > 0 {
		label = strconv.Itoa(status)
	}
	c := m.requests.WithLabelValues(s.name, label, v.String())
	cell.Store(&c)
	return c
}

// observe adds a fill's stages.
func (m *metrics) observe(t pipeline.Timing) {
	for st, d := range split(t) {
		if d > 0 {
			m.stages[st].Observe(d.Seconds())
		}
	}
}

// metricsHandler answers /metrics.
func metricsHandler(reg *prometheus.Registry) fasthttp.RequestHandler {
	return fasthttpadaptor.NewFastHTTPHandler(promhttp.HandlerFor(reg, promhttp.HandlerOpts{EnableOpenMetrics: true}))
}
