package main

import (
	"fmt"
	"strings"
	"time"
)

// Jobs are batches of pictures.
type Jobs struct {
	Source      string   `yaml:"source" env:"SOURCE"` // a bucket's; "" = no job makes files, /v1/warm alone works
	Prefix      string   `yaml:"prefix" env:"PREFIX"` // of all that jobs keep, in the bucket itself
	MaxItems    int      `yaml:"max_items" env:"MAX_ITEMS"`
	MaxItem     Size     `yaml:"max_item" env:"MAX_ITEM"`       // of a file that comes with a job
	Retention   Duration `yaml:"retention" env:"RETENTION"`     // of outputs and records
	Concurrency int      `yaml:"concurrency" env:"CONCURRENCY"` // items at once on a worker; 0 = CPU cores + 2
}

// Webhooks tell others of the end of a job.
type Webhooks struct {
	Secret        Secret     `yaml:"secret" env:"SECRET"` // signs each delivery; "" = they are not signed
	SecretFile    string     `yaml:"secret_file" env:"SECRET_FILE"`
	AllowNetworks []string   `yaml:"allow_networks" env:"ALLOW_NETWORKS"` // CIDRs that are no longer refused
	Retry         []Duration `yaml:"retry" env:"RETRY"`                   // pauses before each further delivery
}

const longestRetention = 365 * 24 * time.Hour

func defaultJobs() Jobs {
	return Jobs{Prefix: "jobs/", MaxItems: 50, MaxItem: 20 << 20, Retention: Duration(72 * time.Hour)}
}

func defaultWebhooks() Webhooks {
	return Webhooks{AllowNetworks: []string{}, Retry: []Duration{
		Duration(10 * time.Second), Duration(time.Minute), Duration(10 * time.Minute),
		Duration(time.Hour), Duration(6 * time.Hour), Duration(16 * time.Hour),
	}}
}

func (c *Config) validateJobs(r *report) {
	j := &c.Jobs
	if j.Source != "" {
		if s := c.Sources[j.Source]; s == nil {
			r.add("jobs.source", fmt.Sprintf("there is no source %q", j.Source))
		} else if s.Bucket == nil {
			r.add("jobs.source", fmt.Sprintf("%q is no bucket; jobs keep their files in one", j.Source))
		}
	}
	if !strings.HasSuffix(j.Prefix, "/") || strings.HasPrefix(j.Prefix, "/") || len(j.Prefix) < 2 {
		r.add("jobs.prefix", fmt.Sprintf("%q is no folder; write jobs/", j.Prefix))
	}
	within(r, "jobs.max_items", j.MaxItems, 1, 10_000)
	positive(r, "jobs.max_item", int64(j.MaxItem))
	within(r, "jobs.concurrency", j.Concurrency, 0, 1024)
	if d := time.Duration(j.Retention); d < time.Minute || d > longestRetention {
		r.add("jobs.retention", j.Retention.String()+" is not within 1m–365d")
	}
	w := &c.Webhooks
	if n := len(w.Secret); n > 0 && n < minToken {
		r.add("webhooks.secret", fmt.Sprintf("has %d characters; a secret has at least %d", n, minToken))
	}
	c.validateNetworks(r, "webhooks.allow_networks", w.AllowNetworks)
	for i := range w.Retry {
		notNegative(r, fmt.Sprintf("webhooks.retry[%d]", i), &w.Retry[i])
	}
}
