package jobs

import (
	"context"
	"errors"
	"time"
)

// recoverLost looks after the jobs that have not ended, where it is this node's turn: items whose worker
// is silent are queued again, tasks that Redis lost too, and a job whose last worker died before it told
// the end is ended.
func (e *Engine) recoverLost(ctx context.Context) {
	if !e.state.turn(ctx, "recover", e.pace.recover/2) {
		return
	}
	ids, err := e.Redis.ZRange(ctx, activeKey, 0, -1).Result()
	if err != nil {
		e.log("the active jobs could not be read", "", err)
		return
	}
	for _, id := range ids {
		if err := e.recoverJob(ctx, id); err != nil && ctx.Err() == nil {
			e.log("a job could not be looked after", id, err)
		}
	}
}

func (e *Engine) recoverJob(ctx context.Context, id string) error {
	shot, err := e.state.load(ctx, id)
	if err != nil {
		return err
	}
	if shot == nil {
		if err := e.restore(ctx, id); errors.Is(err, ErrNotFound) {
			return e.Redis.ZRem(ctx, activeKey, id).Err()
		} else if err != nil {
			return err
		}
		return nil
	}
	if shot.State.Ended() {
		return e.Redis.ZRem(ctx, activeKey, id).Err()
	}
	for _, n := range shot.working {
		if err := e.takeBack(ctx, shot, n); err != nil {
			return err
		}
	}
	for _, n := range shot.waiting {
		if err := e.queue.item(ctx, shot.Kind, id, n, shot.epochs[n]); err != nil {
			return err
		}
	}
	return e.conclude(ctx, id)
}

// takeBack queues an item again whose worker is silent. One that was queued too often has killed its
// workers, as far as can be known, and has failed.
func (e *Engine) takeBack(ctx context.Context, shot *snapshot, n int) error {
	epoch, err := e.state.take(ctx, shot.ID, n)
	switch {
	case err != nil || epoch == 0:
		return err
	case epoch > 0:
		e.counts.taken.Add(1)
		return e.queue.item(ctx, shot.Kind, shot.ID, n, epoch)
	}
	it := shot.Items[n]
	it.State, it.Outputs = StateFailed, []Output{}
	it.Error = &Problem{Code: "render_timeout", Detail: "the workers of this item ended again and again"}
	v, err := e.state.finish(ctx, shot.ID, n, &it)
	if err == nil && (v == verdictLast || v == verdictMore) {
		e.counts.item(StateFailed)
	}
	return err
}

// auditIfDue goes through the records where it is time and this node's turn: at once after Redis lost the
// sets that name the jobs, else now and then.
func (e *Engine) auditIfDue(ctx context.Context) {
	known, err := e.Redis.Exists(ctx, indexKey).Result()
	if err != nil {
		return // Redis is away; the next tick asks again
	}
	if known == 1 && !e.state.turn(ctx, "audit", auditTime) {
		return
	}
	if known == 0 && !e.state.turn(ctx, "rebuild", e.pace.recover/2) {
		return
	}
	if err := e.Audit(ctx); err != nil && ctx.Err() == nil {
		e.log("the records of jobs could not be gone through", "", err)
	}
}

// draftLife is how long files of a job may be under way.
const draftLife = time.Hour

// Audit goes through all records: what is past its retention is deleted, and what Redis has lost is made
// known to it again, so that jobs that have not ended go on. Nothing is deleted that no record names.
func (e *Engine) Audit(ctx context.Context) error {
	e.setup()
	var ids []string
	if e.Bucket != nil {
		err := e.Bucket.List(ctx, recordFolder, func(key string) error {
			if id, ok := recordID(key); ok {
				ids = append(ids, id)
			}
			return nil
		})
		if err != nil {
			return err
		}
	} else {
		all, err := e.Redis.ZRange(ctx, allKey, 0, -1).Result()
		if err != nil {
			return err
		}
		ids = all
	}
	var errs []error
	for _, id := range ids {
		if err := e.audit(ctx, id); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return e.Redis.Set(ctx, indexKey, "1", 0).Err()
}

// audit looks after one record.
func (e *Engine) audit(ctx context.Context, id string) error {
	created, _ := idTime(id)
	age := e.Now().Sub(created)
	if age > e.Retention {
		return e.expire(ctx, id)
	}
	shot, err := e.state.load(ctx, id)
	if err != nil {
		return err
	}
	if shot != nil {
		return e.state.index(ctx, id, shot.Owner, !shot.State.Ended())
	}
	if e.Bucket == nil {
		if age < draftLife {
			return nil // it is being queued now, most likely: the names come first
		}
		return e.expire(ctx, id)
	}
	r, err := e.record(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if !r.Draft {
		return e.restore(ctx, id)
	}
	if age > draftLife {
		return e.erase(ctx, id)
	}
	return nil
}
