package edge

import (
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
	*tally
	stages        [stages]prometheus.Observer
	reloadSuccess prometheus.Gauge
	dropped       prometheus.Counter

	nowhere *sourceTally // of answers that belong to no source
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
func newMetrics(reg *prometheus.Registry, stats func(Emit), conns *listeners, l *limiter) *metrics {
	m := &metrics{
		tally: newTally(),
		reloadSuccess: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "imgedge_config_reload_success", Help: "1 if the last configuration read is in force, else 0.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "imgedge_clients_gone_total", Help: "Requests whose client left before the answer was ready.",
		}),
	}
	m.nowhere = m.source("")
	spent := newSeconds("imgedge_stage_duration_seconds", "Time spent in the stages of making a picture.", "stage")
	for st := range stages {
		m.stages[st] = spent.WithLabelValues(st.String())
	}
	reg.MustRegister(m.tally, m.reloadSuccess, m.dropped, spent,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reg.MustRegister(connections(conns)...)
	reg.MustRegister(refusals(l)...)
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

// connections returns the gauges of clients' connections.
func connections(conns *listeners) []prometheus.Collector {
	gauge := func(state string, read func(open, parked int) int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "imgedge_connections", Help: "Connections of clients; a quiet one holds no buffers.",
			ConstLabels: prometheus.Labels{"state": state},
		}, func() float64 { return float64(read(conns.load())) })
	}
	return []prometheus.Collector{
		gauge("busy", func(open, parked int) int { return open - parked }),
		gauge("quiet", func(_, parked int) int { return parked }),
	}
}

// refusals returns the counters of what a rate limit refused.
func refusals(l *limiter) []prometheus.Collector {
	all := make([]prometheus.Collector, 0, limits)
	for what := range limits {
		all = append(all, prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "imgedge_rate_limited_total", Help: "Requests refused by a rate limit.",
			ConstLabels: prometheus.Labels{"limit": what.String()},
		}, func() float64 { return float64(l.refused[what].Load()) }))
	}
	return all
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
