package main

import (
	"sync"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/edge"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/sandbox"
)

// renderNumbers counts renders by format and lane. The zero value is ready.
type renderNumbers struct {
	mu    sync.Mutex // guards what follows
	kinds map[renderKind]renderNumber
}

type renderKind struct {
	format resize.Format
	lane   pipeline.Lane
}

type renderNumber struct {
	renders uint64
	busy    time.Duration // a picture is made on one thread, so this is about its CPU time
}

// add counts one piece of work. It may be called concurrently.
func (r *renderNumbers) add(w pipeline.Work) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kinds == nil {
		r.kinds = map[renderKind]renderNumber{}
	}
	kind := renderKind{w.Format, w.Lane}
	n := r.kinds[kind]
	n.renders++
	n.busy += w.Timing.Decode + w.Timing.Encode
	r.kinds[kind] = n
}

func (r *renderNumbers) emit(emit edge.Emit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	busy := map[resize.Format]time.Duration{}
	for kind, n := range r.kinds {
		emit(edge.Renders, float64(n.renders), kind.format.String(), kind.lane.String())
		busy[kind.format] += n.busy
	}
	for format, took := range busy {
		emit(edge.RenderCPU, took.Seconds(), format.String())
	}
}

// emit reads the statistics of all libraries for /metrics.
func (n *Node) emit(emit edge.Emit) {
	n.numbers.emit(emit)
	n.emitCaches(emit)
	n.emitPipeline(emit)
	n.emitSandbox(emit)
	n.emitJobs(emit)
	n.emitIngest(emit)
	n.emitEvents(emit)
	var bytes uint64
	w := n.live.Load()
	for _, name := range w.config.sourceNames() {
		stats := w.sources[name].origin.Stats()
		for result, count := range stats.Requests {
			emit(edge.OriginRequests, float64(count), name, result.String())
		}
		emit(edge.BreakerOpen, float64(stats.Open), "source", name)
		bytes += stats.Bytes
	}
	emit(edge.OriginBytes, float64(bytes))
}

func (n *Node) emitCaches(emit edge.Emit) {
	emitMemory(emit, "memory", n.Memory.Stats())
	if n.Originals != nil {
		emitMemory(emit, "originals", n.Originals.Stats())
	}
	if n.Client == nil {
		return
	}
	emitRedis(emit, "redis", n.Redis.Stats())
	if n.RedisOriginals != nil {
		emitRedis(emit, "redis_originals", n.RedisOriginals.Stats())
	}
	fleet := n.Fleet.Stats()
	for op, count := range fleet.Errors {
		emit(edge.RedisErrors, float64(count), op)
	}
	alone := 0.0
	if fleet.Open {
		alone = 1
	}
	emit(edge.BreakerOpen, alone, "redis", "")
	emit(edge.PurgeUnverified, float64(n.Generations.Stats().Unverified))
}

func emitMemory(emit edge.Emit, tier string, s cache.MemoryStats) {
	emit(edge.CacheHits, float64(s.Hits), tier)
	emit(edge.CacheMisses, float64(s.Misses), tier)
	emit(edge.CacheEvictions, float64(s.Evictions), tier)
	emit(edge.CacheBytes, float64(s.Bytes), tier)
}

func emitRedis(emit edge.Emit, tier string, s cache.RedisStats) {
	emit(edge.CacheHits, float64(s.Hits), tier)
	emit(edge.CacheMisses, float64(s.Misses), tier)
	emit(edge.CacheDamaged, float64(s.Damaged), tier)
}

func (n *Node) emitPipeline(emit edge.Emit) {
	stats := n.Pipeline.Stats()
	emit(edge.Collapsed, float64(stats.CollapsedNode), "node")
	emit(edge.Collapsed, float64(n.Leases.Stats().Collapsed), "fleet")
	emit(edge.PixelsReserved, float64(stats.Gate.Reserved))
	for _, lane := range pipeline.Lanes() {
		emit(edge.QueueLength, float64(stats.Gate.Lanes[lane].Waiting), lane.String())
	}
	for why, n := range stats.Gate.Refused {
		emit(edge.QueueRefused, float64(n), pipeline.Refusal(why).String())
	}
	emit(edge.QueueRefused, float64(stats.Abandoned), "gone")
}

// emitSandbox says how the worker processes are; without any, that nothing stands around the decoders.
func (n *Node) emitSandbox(emit edge.Emit) {
	if n.Sandbox == nil {
		emit(edge.SandboxLayers, 0, "processes")
		return
	}
	stats := n.Sandbox.Stats()
	emit(edge.WorkerRSS, float64(stats.RSS))
	emit(edge.Poisonous, float64(stats.Poisoned))
	for _, reason := range sandbox.Reasons() {
		emit(edge.WorkerRestarts, float64(stats.Restarts[reason]), string(reason))
	}
	for _, l := range stats.Layers {
		on := 0.0
		if l.On {
			on = 1
		}
		emit(edge.SandboxLayers, on, l.Name)
	}
}

func (n *Node) emitIngest(emit edge.Emit) {
	if n.Ingest == nil {
		return
	}
	stats := n.Ingest.Stats()
	emit(edge.Uploads, float64(stats.Uploads), "committed")
	emit(edge.Uploads, float64(stats.Refused), "refused")
	emit(edge.UploadedImages, float64(stats.Images))
	emit(edge.UploadedBytes, float64(stats.Bytes))
	emit(edge.OrphansFound, float64(stats.Found))
	emit(edge.OrphansRemoved, float64(stats.Orphans))
}
