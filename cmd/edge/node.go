package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/edge"
	"github.com/imgedge/imgedge/ingest"
	"github.com/imgedge/imgedge/ingest/kafka"
	"github.com/imgedge/imgedge/jobs"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
	"github.com/imgedge/imgedge/resize/sandbox"
)

const (
	writerBytes = 64 << 20 // entries waiting to be stored in Redis
	writerCount = 1024
	leaseTTL    = 10 * time.Second // ruling 29
	roomBytes   = 128 << 20        // originals being fetched or waiting for a render: half of what ruling 42 leaves beside the budgets
	maxWaiters  = 4096             // requests that wait for one picture: more than any page has, and their connections hold some 100 MB
)

// Node is everything between the configuration and the listeners, wired. Open fills it from top to
// bottom, in the order in which the parts depend on one another; Close unwinds it. What Reload replaces is in
// the wiring.
type Node struct {
	Config *Config      // of the start
	Log    *slog.Logger // nil = nowhere

	Client      redis.UniversalClient // nil without a Redis
	Fleet       *cache.Fleet
	Generations *cache.Generations
	Memory      *cache.Memory
	Redis       *cache.Redis
	Writer      *cache.Writer
	Leases      *cache.Leases

	Room            *origin.Room  // of originals on their way
	Originals       *cache.Memory // nil = not kept
	RedisOriginals  *cache.Redis  // nil = not kept
	OriginalsWriter *cache.Writer

	Engine   pipeline.Engine
	Sandbox  *sandbox.Engine // the same, where pictures are made in processes of their own; else nil
	Pipeline *pipeline.Pipeline
	Warmer   *pipeline.Warmer             // of originals that change behind our back
	Kafka    *kafka.Reader                // of what buckets tell; nil = off
	Jobs     *jobs.Engine                 // nil = this node neither takes jobs nor works on them
	uploaded atomic.Pointer[ingest.Store] // what knows of uploaded images; nil = none are configured
	Ingest   *ingest.Store                // nil = no uploads
	Server   *edge.Server

	live    atomic.Pointer[wiring] // the configuration in force
	numbers renderNumbers
	closers []func() error // undone from the last to the first
}

// Open builds the node. Nothing is served yet, and no peer needs to answer: Redis may be away, an
// origin too. On an error, what was opened is closed.
func (n *Node) Open() (err error) {
	if n.Log == nil {
		n.Log = slog.New(slog.DiscardHandler)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	if err := n.openCache(); err != nil {
		return err
	}
	n.openOriginals()
	if err := n.openEngine(); err != nil {
		return err
	}
	w, err := n.wire(n.Config, nil)
	if err != nil {
		return err
	}
	n.live.Store(w)
	n.undo(func() error { return n.live.Load().close(nil) })
	n.openPipeline()
	n.openWarmer()
	if err := n.openIngest(); err != nil {
		return err
	}
	if err := n.openJobs(); err != nil {
		return err
	}
	n.openServer()
	if err := n.readKafka(); err != nil {
		return err
	}
	return n.workJobs()
}

// openEngine opens what makes pictures: worker processes, or libvips in this one.
func (n *Node) openEngine() error {
	if n.Config.Render.Isolation == isolationProcess {
		return n.openSandbox()
	}
	engine, err := libvips.New(n.engineConfig())
	if err != nil {
		return err
	}
	n.Engine = engine
	n.undo(engine.Close)
	return nil
}

// workers returns how many pictures are made at a time.
func (n *Node) workers() int {
	if n.Config.Render.Workers > 0 {
		return n.Config.Render.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// engineConfig is what the configuration says to the engine.
func (n *Node) engineConfig() libvips.Config {
	c := n.Config
	target := func(f resize.Format) float64 {
		if v, ok := c.Render.SSIMOf[f.String()]; ok {
			return v
		}
		return c.Render.SSIM
	}
	return libvips.Config{
		FormatsIn: c.formatsIn(),
		Fonts:     c.Text.fonts(),
		Targets: libvips.Targets{
			JPEG: target(resize.FormatJPEG), WebP: target(resize.FormatWebP),
			AVIF: target(resize.FormatAVIF), JXL: target(resize.FormatJXL),
		},
		Log: n.logVips,
	}
}

// undo notes how to close what was just opened.
func (n *Node) undo(closer func() error) { n.closers = append(n.closers, closer) }

func (n *Node) openCache() error {
	c := &n.Config.Cache
	if url := string(n.Config.Redis.URL); url != "" {
		client, err := cache.OpenRedis(url)
		if err != nil {
			return err
		}
		n.Client = client
		n.undo(client.Close)
	}
	n.Fleet = cache.NewFleet(n.Client, time.Duration(c.Redis.Timeout))
	n.undo(n.Fleet.Close)
	n.Generations = cache.NewGenerations(n.Fleet)
	n.undo(n.Generations.Close)
	n.Memory = cache.NewMemory(int64(c.Memory), n.Generations)
	n.undo(n.Memory.Close)
	n.Redis = cache.NewRedis(n.Fleet, n.Generations, int64(c.Redis.MaxItem))
	n.Leases = cache.NewLeases(n.Fleet, leaseTTL)
	n.undo(n.Leases.Close)
	n.Writer = cache.NewWriter(n.Redis, writerBytes, writerCount)
	n.undo(n.Writer.Close)
	return nil
}

func (n *Node) openOriginals() {
	c := &n.Config.Cache.Originals
	n.Room = &origin.Room{Bytes: min(roomBytes, int64(n.Config.Limits.Memory)), Wait: time.Duration(n.Config.Limits.QueueWait)}
	if c.Memory > 0 {
		n.Originals = cache.NewMemory(int64(c.Memory), n.Generations)
		n.undo(n.Originals.Close)
	}
	if c.Redis && n.Client != nil {
		n.RedisOriginals = cache.NewRedis(n.Fleet, n.Generations, int64(c.MaxItem))
		n.OriginalsWriter = cache.NewWriter(n.RedisOriginals, writerBytes, writerCount)
		n.undo(n.OriginalsWriter.Close)
	}
}

func (n *Node) openPipeline() {
	c := n.Config
	n.Pipeline = &pipeline.Pipeline{
		Engine:          n.Engine,
		Gate:            &pipeline.Gate{Slots: n.workers(), Memory: int64(c.Limits.Memory), Queue: c.Limits.Queue, Wait: time.Duration(c.Limits.QueueWait)},
		Memory:          n.Memory,
		Redis:           n.Redis,
		Writer:          n.Writer,
		Shared:          n.Client != nil,
		Leases:          n.Leases,
		Originals:       n.Originals,
		RedisOriginals:  n.RedisOriginals,
		OriginalsWriter: n.OriginalsWriter,
		SourceOf:        n.sourceOf,
		KeepFor:         time.Duration(c.Cache.Originals.TTL),
		KeepMaxItem:     int64(c.Cache.Originals.MaxItem),
		Room:            n.Room,
		MaxWaiters:      maxWaiters,
		FillTimeout:     time.Duration(c.Limits.Request),
		RenderTimeout:   time.Duration(c.Limits.Render),
		Observe:         n.numbers.add,
	}
	n.undo(func() error { return n.Pipeline.Close(context.Background()) })
}

// sourceOf finds the source of a watermark; nil = there is none.
func (n *Node) sourceOf(name string) *pipeline.Source {
	if s := n.source(name); s != nil {
		return s.served
	}
	return nil
}

func (n *Node) openServer() {
	n.Server = &edge.Server{
		Pictures:       n.Pipeline,
		Purger:         purger{n.Generations},
		Explainer:      n.Pipeline,
		Jobs:           n.Jobs,
		KeysOf:         n.keysOf,
		Ingest:         n.Ingest,
		Rewritten:      n.rewritten,
		Answers:        &cache.Answers{Fleet: n.Fleet},
		Dependencies:   n.dependencies(),
		Logger:         n.Log,
		AccessLog:      n.Log,
		Rates:          n.rates(),
		Stats:          n.emit,
		NoImages:       !n.Config.plays(roleEdge),
		NoAPI:          !n.Config.plays(roleAPI),
		RequestTimeout: time.Duration(n.Config.Limits.Request),
		LogHits:        cmp.Or(n.Config.Log.Hits, -1),
		MaxConns:       n.Config.Limits.Connections,
		MaxConnsPerIP:  n.Config.Limits.ConnectionsPerIP,
	}
	n.Server.Reload(n.live.Load().site())
}

// rates counts clients over the fleet; nil without a Redis.
func (n *Node) rates() edge.RateCounter {
	if n.Client == nil {
		return nil
	}
	return &cache.Rates{Fleet: n.Fleet}
}

// Flush waits until what is on its way to Redis has been written, at most until ctx ends.
func (n *Node) Flush(ctx context.Context) error {
	err := n.Writer.Flush(ctx)
	if n.OriginalsWriter != nil {
		err = errors.Join(err, n.OriginalsWriter.Flush(ctx))
	}
	return err
}

// Close closes what Open opened, from the last to the first. Twice is fine.
func (n *Node) Close() error {
	var errs []error
	for i := len(n.closers) - 1; i >= 0; i-- {
		errs = append(errs, n.closers[i]())
	}
	n.closers = nil
	return errors.Join(errs...)
}

// dependencies are what readiness names when it does not answer, whatever the sources.
func (n *Node) dependencies() []edge.Dependency {
	if n.Client == nil {
		return nil
	}
	return []edge.Dependency{{Name: "redis", Check: n.Fleet.Ping}}
}

// logVips passes on what libvips complains about; it speaks of files of users, so it is no error of ours.
func (n *Node) logVips(message string) { n.Log.Debug("libvips", "message", message) }

// purger makes the caches' purge the server's.
type purger struct{ generations *cache.Generations }

var _ edge.Purger = purger{}

// Purge forgets what p names on every node.
func (p purger) Purge(ctx context.Context, what edge.Purge) (int, error) {
	return p.generations.Purge(ctx, cache.Purge{All: what.All, Source: what.Source, Object: what.Key, Tag: what.Tag})
}
