package main

import (
	"maps"
	"slices"
)

// freeze puts the values of the start in force again for what only a restart can change, and returns the
// names of the settings that differed. All other settings change with a reload.
func (c *Config) freeze(started *Config) (changed []string) {
	keep(&changed, "listen", &c.Listen, started.Listen)
	keepList(&changed, "roles", &c.Roles, started.Roles)
	keep(&changed, "admin.listen", &c.Admin.Listen, started.Admin.Listen)
	keep(&changed, "redis.url", &c.Redis.URL, started.Redis.URL)
	keep(&changed, "redis.queue_url", &c.Redis.QueueURL, started.Redis.QueueURL)
	keep(&changed, "cache.memory", &c.Cache.Memory, started.Cache.Memory)
	keep(&changed, "cache.redis.max_item", &c.Cache.Redis.MaxItem, started.Cache.Redis.MaxItem)
	keep(&changed, "cache.redis.timeout", &c.Cache.Redis.Timeout, started.Cache.Redis.Timeout)
	keep(&changed, "cache.originals.memory", &c.Cache.Originals.Memory, started.Cache.Originals.Memory)
	keep(&changed, "cache.originals.redis", &c.Cache.Originals.Redis, started.Cache.Originals.Redis)
	keep(&changed, "cache.originals.max_item", &c.Cache.Originals.MaxItem, started.Cache.Originals.MaxItem)
	keep(&changed, "cache.originals.ttl", &c.Cache.Originals.TTL, started.Cache.Originals.TTL)
	keep(&changed, "cache.ladder", &c.Cache.Ladder, started.Cache.Ladder)
	keepList(&changed, "formats_in", &c.FormatsIn, started.FormatsIn)
	keep(&changed, "limits.memory", &c.Limits.Memory, started.Limits.Memory)
	keep(&changed, "limits.queue", &c.Limits.Queue, started.Limits.Queue)
	keep(&changed, "limits.queue_wait", &c.Limits.QueueWait, started.Limits.QueueWait)
	keep(&changed, "limits.render", &c.Limits.Render, started.Limits.Render)
	keep(&changed, "limits.request", &c.Limits.Request, started.Limits.Request)
	keep(&changed, "limits.connections", &c.Limits.Connections, started.Limits.Connections)
	keep(&changed, "limits.connections_per_ip", &c.Limits.ConnectionsPerIP, started.Limits.ConnectionsPerIP)
	keep(&changed, "render.workers", &c.Render.Workers, started.Render.Workers)
	keep(&changed, "render.isolation", &c.Render.Isolation, started.Render.Isolation)
	keep(&changed, "render.recycle_after", &c.Render.RecycleAfter, started.Render.RecycleAfter)
	keep(&changed, "render.worker_memory", &c.Render.WorkerMemory, started.Render.WorkerMemory)
	keep(&changed, "render.ssim", &c.Render.SSIM, started.Render.SSIM)
	if !maps.Equal(c.Render.SSIMOf, started.Render.SSIMOf) {
		changed, c.Render.SSIMOf = append(changed, "render.ssim_of"), started.Render.SSIMOf
	}
	keepList(&changed, "text.fonts", &c.Text.Fonts, started.Text.Fonts)
	keep(&changed, "text.default", &c.Text.Default, started.Text.Default)
	keep(&changed, "jobs", &c.Jobs, started.Jobs)
	keep(&changed, "webhooks.secret", &c.Webhooks.Secret, started.Webhooks.Secret)
	keepList(&changed, "webhooks.allow_networks", &c.Webhooks.AllowNetworks, started.Webhooks.AllowNetworks)
	keepList(&changed, "webhooks.retry", &c.Webhooks.Retry, started.Webhooks.Retry)
	keep(&changed, "ingest.source", &c.Ingest.Source, started.Ingest.Source)
	keep(&changed, "ingest.prefix", &c.Ingest.Prefix, started.Ingest.Prefix)
	keepList(&changed, "ingest.presets", &c.Ingest.Presets, started.Ingest.Presets)
	keep(&changed, "ingest.normalize", &c.Ingest.Normalize, started.Ingest.Normalize)
	keep(&changed, "ingest.archive", &c.Ingest.Archive, started.Ingest.Archive)
	keep(&changed, "ingest.max_files", &c.Ingest.MaxFiles, started.Ingest.MaxFiles)
	keep(&changed, "ingest.max_file", &c.Ingest.MaxFile, started.Ingest.MaxFile)
	keep(&changed, "ingest.sweep", &c.Ingest.Sweep, started.Ingest.Sweep)
	keep(&changed, "ingest.orphan_grace", &c.Ingest.OrphanGrace, started.Ingest.OrphanGrace)
	keep(&changed, "ingest.sweep_every", &c.Ingest.SweepEvery, started.Ingest.SweepEvery)
	keepList(&changed, "events.kafka.brokers", &c.Events.Kafka.Brokers, started.Events.Kafka.Brokers)
	keep(&changed, "events.kafka.topic", &c.Events.Kafka.Topic, started.Events.Kafka.Topic)
	keep(&changed, "events.kafka.group", &c.Events.Kafka.Group, started.Events.Kafka.Group)
	keep(&changed, "log.level", &c.Log.Level, started.Log.Level)
	keep(&changed, "log.format", &c.Log.Format, started.Log.Format)
	keep(&changed, "log.hits", &c.Log.Hits, started.Log.Hits)
	return changed
}

func keep[T comparable](changed *[]string, name string, next *T, started T) {
	if *next != started {
		*changed, *next = append(*changed, name), started
	}
}

func keepList[T comparable](changed *[]string, name string, next *[]T, started []T) {
	if !slices.Equal(*next, started) {
		*changed, *next = append(*changed, name), started
	}
}
