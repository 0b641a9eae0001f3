package edge

import (
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// tally counts answers without a place that all cores write to: each connection counts in one of a few
// shards, which a scrape adds up.
type tally struct {
	shards []tallyShard

	requests, duration, saved *prometheus.Desc

	mu      sync.Mutex
	sources []*sourceTally // bounded by the configurations ever loaded
}

// tallyShard holds the times that answers took, and the bytes saved.
type tallyShard struct {
	times [verdicts]struct {
		within [len(timeBounds) + 1]atomic.Uint64 // by bucket, not yet added up
		nanos  atomic.Int64
	}
	saved atomic.Int64
	_     [128]byte // keeps the next shard out of this one's cache lines
}

// sourceTally counts one source's answers.
type sourceTally struct {
	name   string
	shards []sourceShard
}

type sourceShard struct {
	answers [verdicts][len(statuses)]atomic.Uint64
	_       [128]byte
}

// statuses are the answers that get a label of their own; any other is "other".
var statuses = [...]int{
	0, 200, 204, 206, 304, 400, 401, 403, 404, 405, 408, 410, 413, 415, 416, 422, 429, 431, 499, 500, 502, 503, 504,
}

// timeBounds are the upper ends of the buckets of times.
var timeBounds = [...]time.Duration{
	5 * time.Microsecond, 10 * time.Microsecond, 25 * time.Microsecond, 50 * time.Microsecond, 100 * time.Microsecond,
	250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond,
	500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

var _ prometheus.Collector = (*tally)(nil)

// newTally returns a tally with a few shards a core.
func newTally() *tally {
	shards := 1
	for shards < min(4*runtime.GOMAXPROCS(0), 64) {
		shards *= 2
	}
	return &tally{
		shards:   make([]tallyShard, shards),
		requests: prometheus.NewDesc("imgedge_requests_total", "Answers by source, status and cache verdict.", []string{"source", "status", "cache"}, nil),
		duration: prometheus.NewDesc("imgedge_request_duration_seconds", "Time from a request's arrival to its answer.", []string{"cache"}, nil),
		saved:    prometheus.NewDesc("imgedge_bytes_saved_total", "Bytes not sent because a picture was smaller than its original.", nil, nil),
	}
}

// source returns the counters of a configured source, or of "" for answers that belong to none.
func (t *tally) source(name string) *sourceTally {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.sources {
		if s.name == name {
			return s
		}
	}
	s := &sourceTally{name: name, shards: make([]sourceShard, len(t.shards))}
	t.sources = append(t.sources, s)
	return s
}

// count counts one answer on the connection of that number.
func (t *tally) count(conn uint64, s *sourceTally, status int, v verdict, took time.Duration) {
	shard := conn & uint64(len(t.shards)-1)
	i := max(0, slices.Index(statuses[:], status)) // unknown ones count as 0, "other"
	s.shards[shard].answers[v][i].Add(1)
	times := &t.shards[shard].times[v]
	bucket := 0
	for bucket < len(timeBounds) && took > timeBounds[bucket] {
		bucket++
	}
	times.within[bucket].Add(1)
	times.nanos.Add(int64(took))
}

// save counts bytes that an answer on the connection of that number did not have to send.
func (t *tally) save(conn uint64, bytes int64) {
	t.shards[conn&uint64(len(t.shards)-1)].saved.Add(bytes)
}

// Describe sends the descriptions.
func (t *tally) Describe(ch chan<- *prometheus.Desc) {
	ch <- t.requests
	ch <- t.duration
	ch <- t.saved
}

// Collect sends the sums over all shards.
func (t *tally) Collect(ch chan<- prometheus.Metric) {
	t.mu.Lock()
	sources := slices.Clone(t.sources)
	t.mu.Unlock()
	for _, s := range sources {
		s.collect(t.requests, ch)
	}
	var saved int64
	for i := range t.shards {
		saved += t.shards[i].saved.Load()
	}
	ch <- prometheus.MustNewConstMetric(t.saved, prometheus.CounterValue, float64(saved))
	for v := range verdicts {
		ch <- t.times(v)
	}
}

// times returns the histogram of one verdict.
func (t *tally) times(v verdict) prometheus.Metric {
	var count uint64
	var nanos int64
	buckets := make(map[float64]uint64, len(timeBounds))
	for b := range len(timeBounds) + 1 {
		for i := range t.shards {
			count += t.shards[i].times[v].within[b].Load()
		}
		if b < len(timeBounds) {
			buckets[timeBounds[b].Seconds()] = count
		}
	}
	for i := range t.shards {
		nanos += t.shards[i].times[v].nanos.Load()
	}
	return prometheus.MustNewConstHistogram(t.duration, count, time.Duration(nanos).Seconds(), buckets, v.String())
}

// collect sends what was counted of one source.
func (s *sourceTally) collect(desc *prometheus.Desc, ch chan<- prometheus.Metric) {
	for v := range verdicts {
		for i, status := range statuses {
			var n uint64
			for shard := range s.shards {
				n += s.shards[shard].answers[v][i].Load()
			}
			if n == 0 {
				continue
			}
			label := "other"
			if i > 0 {
				label = strconv.Itoa(status)
			}
			ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), s.name, label, v.String())
		}
	}
}
