package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/edge"
	"github.com/imgedge/imgedge/jobs"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

// openJobs makes the engine of jobs on a node that takes them or works on them. Without a Redis the queue is
// one inside this process.
func (n *Node) openJobs() error {
	c := n.Config
	if !c.plays(roleAPI) && !c.plays(roleWorker) {
		return nil
	}
	url := string(c.Redis.queue())
	lazy := false
	if url == "" {
		if !c.plays(roleAPI) || !c.plays(roleWorker) {
			n.Log.Warn("jobs are off: without redis.url or redis.queue_url a node has to be api and worker at once")
			return nil
		}
		if c.Jobs.Source != "" {
			n.Log.Warn("jobs are queued in this process alone, as no Redis is configured; after a restart those that have not ended begin again")
		}
		embedded, err := jobs.StartEmbedded()
		if err != nil {
			return err
		}
		n.undo(embedded.Close)
		url = embedded.URL
		lazy = c.Jobs.Source == "" // nothing is left from before
	}
	client, err := cache.OpenRedis(url)
	if err != nil {
		return err
	}
	n.undo(client.Close)
	public := origin.NewPublic(networks(c.Webhooks.AllowNetworks))
	n.undo(public.Close)
	n.Jobs = &jobs.Engine{
		Redis:       client,
		Pictures:    jobPictures{n},
		Lazy:        lazy,
		Retention:   time.Duration(c.Jobs.Retention),
		MaxItems:    c.Jobs.MaxItems,
		MaxItem:     int64(c.Jobs.MaxItem),
		Concurrency: c.Jobs.Concurrency,
		HookRetry:   durations(c.Webhooks.Retry),
		HookSecret:  string(c.Webhooks.Secret),
		HookSender:  public,
		CheckHook:   func(ctx context.Context, url string) error { return hookError(public.Check(ctx, url)) },
		Log:         n.logJob,
	}
	if c.Jobs.Source != "" {
		bucket, err := newJobBucket(c.Sources[c.Jobs.Source].Bucket, c.Jobs.Prefix)
		if err != nil {
			return err
		}
		n.undo(bucket.Close)
		n.Jobs.Bucket = bucket
	}
	n.undo(func() error { return n.Jobs.Close(context.Background()) })
	return nil
}

// workJobs makes a node that is a worker take items.
func (n *Node) workJobs() error {
	if n.Jobs == nil || !n.Config.plays(roleWorker) {
		return nil
	}
	return n.Jobs.Work()
}

func durations(of []Duration) []time.Duration {
	all := make([]time.Duration, len(of))
	for i, d := range of {
		all[i] = time.Duration(d)
	}
	return all
}

// hookError is a 400 for a webhook that may not be asked.
func hookError(err error) error {
	if err == nil {
		return nil
	}
	return resize.BadOption("webhook: " + err.Error())
}

func (n *Node) logJob(event, job string, cause error) {
	n.Log.Warn(event, "job", job, "cause", cause)
}

// jobPictures is the node as jobs see it.
type jobPictures struct{ node *Node }

var _ jobs.Pictures = jobPictures{}

// Original returns the bytes of an object of a source.
func (p jobPictures) Original(ctx context.Context, source, key string) ([]byte, error) {
	src := p.node.sourceOf(source)
	if src == nil {
		return nil, errSourceGone
	}
	original, err := src.Origin.Fetch(ctx, key, origin.Conditions{})
	if err != nil {
		return nil, err
	}
	original.Place.Release() // Render counts it again
	return original.Data, nil
}

// Render makes a picture for each of the options, in the batch lane.
func (p jobPictures) Render(ctx context.Context, source string, data []byte, outputs []resize.Options) ([]resize.Result, error) {
	src := p.node.sourceOf(source)
	if src == nil {
		return nil, errSourceGone
	}
	return p.node.Pipeline.Render(ctx, src, data, outputs)
}

// Warm makes pictures as if they were asked for, in the batch lane.
func (p jobPictures) Warm(ctx context.Context, source, key string, outputs []resize.Options) ([]int64, error) {
	src := p.node.sourceOf(source)
	if src == nil {
		return nil, errSourceGone
	}
	sizes := make([]int64, 0, len(outputs))
	for _, made := range p.node.Pipeline.Make(ctx, src, key, nil, outputs) {
		if made.Err != nil {
			return sizes, made.Err
		}
		sizes = append(sizes, int64(len(made.Entry.Body)))
	}
	return sizes, nil
}

// errSourceGone is of a job that was submitted under another configuration.
var errSourceGone = &jobs.Error{Status: http.StatusNotFound, Kind: "unknown_source", Text: "the source is configured no more"}

// emitJobs reads the jobs' statistics for /metrics.
func (n *Node) emitJobs(emit edge.Emit) {
	if n.Jobs == nil {
		return
	}
	s := n.Jobs.Stats()
	emit(edge.JobsTotal, float64(s.Submitted), "queued")
	emit(edge.JobsTotal, float64(s.JobsDone), "done")
	emit(edge.JobsTotal, float64(s.JobsPartial), "partial")
	emit(edge.JobsTotal, float64(s.JobsFailed), "failed")
	emit(edge.JobsTotal, float64(s.JobsCancelled), string(jobs.StateCancelled))
	emit(edge.JobsTotal, float64(s.Expired), "expired")
	emit(edge.JobItems, float64(s.ItemsDone), "done")
	emit(edge.JobItems, float64(s.ItemsFailed), "failed")
	emit(edge.JobItems, float64(s.ItemsCancelled), string(jobs.StateCancelled))
	emit(edge.Webhooks, float64(s.HooksDelivered), "delivered")
	emit(edge.Webhooks, float64(s.HooksFailed), "failed")
	emit(edge.Webhooks, float64(s.HooksGivenUp), "given_up")
}

// leaveJobs puts back what this node works on, so that another goes on.
func (n *Node) leaveJobs(ctx context.Context) error {
	if n.Jobs == nil {
		return nil
	}
	err := n.Jobs.Close(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		n.Log.Warn("items of jobs were put back, as they did not end in time")
		return nil
	}
	return err
}
