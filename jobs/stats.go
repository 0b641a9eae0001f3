package jobs

import "sync/atomic"

// Stats count since the start, on this node.
type Stats struct {
	Submitted, Restored, Retried, Taken, Expired uint64 // jobs accepted, made known again; items tried again, taken from silent workers; jobs swept
	JobsDone, JobsPartial, JobsFailed, JobsCancelled,
	ItemsDone, ItemsFailed, ItemsCancelled uint64
	HooksDelivered, HooksFailed, HooksGivenUp uint64
	OutputBytes                               uint64
	Watchers, Feeds                           int // now: watchers, and jobs they watch
}

type counters struct {
	submitted, restored, retried, taken, expired, bytes atomic.Uint64
	jobsDone, jobsPartial, jobsFailed, jobsCancelled    atomic.Uint64
	itemsDone, itemsFailed, itemsCancelled              atomic.Uint64
	hooksDelivered, hooksFailed, hooksGivenUp           atomic.Uint64
}

func (c *counters) ended(s State) {
	switch s {
	case StateDone:
		c.jobsDone.Add(1)
	case StatePartial:
		c.jobsPartial.Add(1)
	case StateFailed:
		c.jobsFailed.Add(1)
	default:
		c.jobsCancelled.Add(1)
	}
}

func (c *counters) item(s State) {
	switch s {
	case StateDone:
		c.itemsDone.Add(1)
	case StateFailed:
		c.itemsFailed.Add(1)
	default:
		c.itemsCancelled.Add(1)
	}
}

// Stats returns a snapshot.
func (e *Engine) Stats() Stats {
	e.setup()
	c := &e.counts
	watchers, feeds := e.hub.size()
	return Stats{
		Submitted: c.submitted.Load(), Restored: c.restored.Load(), Retried: c.retried.Load(), Taken: c.taken.Load(), Expired: c.expired.Load(),
		JobsDone: c.jobsDone.Load(), JobsPartial: c.jobsPartial.Load(), JobsFailed: c.jobsFailed.Load(), JobsCancelled: c.jobsCancelled.Load(),
		ItemsDone: c.itemsDone.Load(), ItemsFailed: c.itemsFailed.Load(), ItemsCancelled: c.itemsCancelled.Load(),
		HooksDelivered: c.hooksDelivered.Load(), HooksFailed: c.hooksFailed.Load(), HooksGivenUp: c.hooksGivenUp.Load(),
		OutputBytes: c.bytes.Load(), Watchers: watchers, Feeds: feeds,
	}
}
