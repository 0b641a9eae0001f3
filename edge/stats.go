package edge

import "github.com/prometheus/client_golang/prometheus"

// Emit takes one reading of a library's statistics: the metric, its value, and its label values in the
// order the metric's comment names them. It is called within Server.Stats only. Label values are
// configured names or words of the code, never keys, URLs or anything a client sent.
type Emit func(metric Metric, value float64, labels ...string)

// Metric is one of the numbers that libraries count and edge exposes.
type Metric uint8

// The metrics, each with its labels. Those ending in a count only rise; the others are gauges.
const (
	CacheHits      Metric = iota // tier
	CacheMisses                  // tier
	CacheBytes                   // tier; gauge
	CacheEvictions               // tier
	Collapsed                    // scope: node, fleet
	OriginRequests               // source, result
	OriginBytes
	Renders         // format, lane
	RenderCPU       // format; seconds
	PixelsReserved  // gauge
	QueueLength     // lane; gauge
	QueueRefused    // reason
	WorkerRestarts  // reason
	WorkerRSS       // gauge, bytes
	Poisonous       // pictures that two workers died of
	SandboxLayers   // gauge by layer: 1 = in force in the workers
	RedisErrors     // op
	PurgeUnverified // gauge: 1 = purges of others cannot be seen now
	BreakerOpen     // of: redis, source; source, "" for Redis; gauge: servers that are left alone now
	CacheDamaged    // tier: entries whose key hash or checksum was wrong
	JobsTotal       // state
	JobItems        // state
	Webhooks        // result
	Uploads         // result: committed, refused
	UploadedImages
	UploadedBytes
	OrphansFound
	OrphansRemoved
	EventsWarmed  // result: done, failed, dropped
	EventsWaiting // gauge
	KafkaRecords  // result: done, bad
	KafkaErrors
	metricKinds // how many there are
)

// described says what a metric is called and means.
type described struct {
	name, help string
	gauge      bool
	labels     []string
}

// describe returns a metric's description.
func (m Metric) describe() described {
	return [metricKinds]described{
		CacheHits:       {"cache_hits_total", "Entries found, by tier.", false, []string{"tier"}},
		CacheMisses:     {"cache_misses_total", "Entries looked for and not found, by tier.", false, []string{"tier"}},
		CacheBytes:      {"cache_bytes", "Bytes held, by tier.", true, []string{"tier"}},
		CacheEvictions:  {"cache_evictions_total", "Entries pushed out, by tier.", false, []string{"tier"}},
		Collapsed:       {"collapsed_total", "Requests that waited for another's work.", false, []string{"scope"}},
		OriginRequests:  {"origin_requests_total", "Fetches of originals.", false, []string{"source", "result"}},
		OriginBytes:     {"origin_bytes_total", "Bytes of originals fetched.", false, nil},
		Renders:         {"render_total", "Pictures made.", false, []string{"format", "lane"}},
		RenderCPU:       {"render_cpu_seconds_total", "CPU time of making pictures.", false, []string{"format"}},
		PixelsReserved:  {"pixels_reserved", "Bytes of decoded picture reserved at the gate.", true, nil},
		QueueLength:     {"queue_length", "Renders waiting at the gate, by lane.", true, []string{"lane"}},
		QueueRefused:    {"queue_refused_total", "Renders refused at the gate.", false, []string{"reason"}},
		WorkerRestarts:  {"worker_restarts_total", "Render workers replaced.", false, []string{"reason"}},
		WorkerRSS:       {"worker_rss_bytes", "Resident memory of all render workers.", true, nil},
		Poisonous:       {"poisonous_total", "Pictures refused because two render workers died of them.", false, nil},
		SandboxLayers:   {"sandbox", "Walls around the render workers: 1 = in force.", true, []string{"layer"}},
		RedisErrors:     {"redis_errors_total", "Redis operations that failed.", false, []string{"op"}},
		PurgeUnverified: {"purge_unverified", "1 while purges of other nodes cannot be seen.", true, nil},
		BreakerOpen:     {"breaker_open", "Servers that are left alone because they failed: of Redis 1 or 0, of a source as many as it asks.", true, []string{"of", "source"}},
		JobsTotal:       {"jobs_total", "Jobs that came to a state on this node; queued = submitted.", false, []string{"state"}},
		JobItems:        {"job_items_total", "Items of jobs that ended on this node.", false, []string{"state"}},
		Webhooks:        {"webhooks_total", "Deliveries of webhooks, and given_up: jobs whose webhook was tried for the last time.", false, []string{"result"}},
		CacheDamaged:    {"cache_damaged_total", "Entries refused for a wrong key or checksum.", false, []string{"tier"}},
		Uploads:         {"uploads_total", "Uploads by how they ended.", false, []string{"result"}},
		UploadedImages:  {"uploaded_images_total", "Images stored by uploads.", false, nil},
		UploadedBytes:   {"uploaded_bytes_total", "Bytes stored by uploads.", false, nil},
		OrphansFound:    {"orphans_found_total", "Orphans that sweeps found.", false, nil},
		OrphansRemoved:  {"orphans_removed_total", "Orphans that sweeps removed.", false, nil},
		EventsWarmed:    {"events_warmed_total", "Originals that bucket events had warmed: all presets done, some failed, or dropped for want of room.", false, []string{"result"}},
		KafkaRecords:    {"kafka_records_total", "Records of bucket events: done, or bad and passed over.", false, []string{"result"}},
		KafkaErrors:     {"kafka_errors_total", "Connections, fetches, commits and purges of records that failed; all are tried again.", false, nil},
		EventsWaiting:   {"events_waiting", "Originals waiting to be warmed.", true, nil},
	}[m]
}

// libraries reads Server.Stats at each scrape.
type libraries struct {
	read  func(Emit)
	descs [metricKinds]*prometheus.Desc
	kinds [metricKinds]prometheus.ValueType
}

var _ prometheus.Collector = (*libraries)(nil)

func newLibraries(read func(Emit)) *libraries {
	l := &libraries{read: read}
	for m := range metricKinds {
		d := m.describe()
		l.descs[m] = prometheus.NewDesc("imgedge_"+d.name, d.help, d.labels, nil)
		l.kinds[m] = prometheus.CounterValue
		if d.gauge {
			l.kinds[m] = prometheus.GaugeValue
		}
	}
	return l
}

// Describe sends the descriptions.
func (l *libraries) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range l.descs {
		ch <- d
	}
}

// Collect sends the present readings.
func (l *libraries) Collect(ch chan<- prometheus.Metric) {
	l.read(func(m Metric, value float64, labels ...string) {
		metric, err := prometheus.NewConstMetric(l.descs[m], l.kinds[m], value, labels...)
		if err != nil {
			metric = prometheus.NewInvalidMetric(l.descs[m], err)
		}
		ch <- metric
	})
}
