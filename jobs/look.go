package jobs

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/redis/go-redis/v9"
)

// Get returns a job with its items: from Redis, else from the bucket.
func (e *Engine) Get(ctx context.Context, id string) (Job, error) {
	e.setup()
	if !ValidID(id) {
		return Job{}, ErrNotFound
	}
	shot, err := e.state.load(ctx, id)
	if err == nil && shot != nil {
		j := shot.Job
		j.Expires = e.expires(j.Created)
		j.Deliveries = e.deliveries(ctx, id)
		return j, nil
	}
	j, stored := e.stored(ctx, id)
	if stored != nil && err != nil && !errors.Is(stored, ErrNotFound) {
		return Job{}, queueFailed(err)
	}
	return j, stored
}

// stored returns a job as the bucket has it: the manifest of one that has ended, else its record, all of
// whose items wait.
func (e *Engine) stored(ctx context.Context, id string) (Job, error) {
	m, err := e.manifest(ctx, id)
	if err != nil {
		return Job{}, err
	}
	if m != nil {
		j := m.Job
		j.Expires = e.expires(j.Created)
		return j, nil
	}
	r, err := e.record(ctx, id)
	if err != nil {
		return Job{}, err
	}
	if r.Draft {
		return Job{}, ErrNotFound
	}
	j := Job{ID: id, Kind: r.Kind, State: StateQueued, Created: r.Created, Expires: e.expires(r.Created), Total: len(r.Asked), Owner: r.Owner, run: 1}
	for n := range r.Asked {
		j.Items = append(j.Items, Item{Name: r.Asked[n].Name, State: StateQueued, Outputs: []Output{}})
	}
	return j, nil
}

// deliveries returns the log of a job's webhook, as far as it is known.
func (e *Engine) deliveries(ctx context.Context, id string) []Delivery {
	lines, err := e.Redis.LRange(ctx, hooksKey(id), 0, -1).Result()
	if err != nil {
		return nil
	}
	var all []Delivery
	for _, line := range lines {
		var d Delivery
		if json.Unmarshal([]byte(line), &d) == nil {
			all = append(all, d)
		}
	}
	return all
}

// List returns jobs without their items, newest first, and the cursor of the next page, "" at the end.
// owner "" = everybody's; cursor "" = from the newest.
func (e *Engine) List(ctx context.Context, owner, cursor string, limit int) (jobs []Job, next string, err error) {
	e.setup()
	key := allKey
	if owner != "" {
		key = ownerKey(owner)
	}
	from := "+"
	if cursor != "" {
		if !ValidID(cursor) {
			return nil, "", badRequest("cursor: not one that was given")
		}
		from = "(" + cursor
	}
	ids, err := e.Redis.ZRangeArgs(ctx, redis.ZRangeArgs{Key: key, Start: from, Stop: "-", ByLex: true, Rev: true, Count: int64(limit) + 1}).Result()
	if err != nil {
		return nil, "", queueFailed(err)
	}
	if len(ids) > limit {
		ids = ids[:limit]
		next = ids[limit-1]
	}
	if len(ids) == 0 {
		return []Job{}, "", nil
	}
	all, err := e.state.summaries(ctx, ids)
	if err != nil {
		return nil, "", queueFailed(err)
	}
	jobs = make([]Job, 0, len(all))
	for i := range all {
		j := all[i]
		if j.State == "" { // Redis has lost it
			j, err = e.stored(ctx, ids[i])
			if errors.Is(err, ErrNotFound) { // the bucket has, too
				_ = e.state.forget(ctx, ids[i], owner) // the next list tries again
				continue
			} else if err != nil {
				return nil, "", err
			}
			j.Items = nil
		}
		j.Expires = e.expires(j.Created)
		jobs = append(jobs, j)
	}
	return jobs, next, nil
}

// Limit returns how many items a job may have.
func (e *Engine) Limit() int {
	e.setup()
	return e.MaxItems
}

// FileLimit returns how many bytes an uploaded file may have.
func (e *Engine) FileLimit() int64 {
	e.setup()
	return e.MaxItem
}
