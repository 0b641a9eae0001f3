package jobs

import (
	"context"
)

// Cancel ends a job: items that wait are not begun, those under way stop at their next step, and what is
// done stays.
func (e *Engine) Cancel(ctx context.Context, id string) error {
	e.setup()
	if _, err := e.known(ctx, id); err != nil {
		return err
	}
	ok, err := e.state.cancel(ctx, id)
	if err != nil {
		return queueFailed(err)
	}
	if !ok {
		return ErrEnded
	}
	shot, err := e.state.load(ctx, id)
	if err != nil || shot == nil {
		return err
	}
	for _, n := range shot.working {
		if err := e.queue.stop(id, n, shot.epochs[n]); err != nil {
			return queueFailed(err)
		}
	}
	for n := range shot.Items {
		if shot.Items[n].State == StateCancelled {
			e.queue.forget(shot.Kind, id, n, shot.epochs[n])
		}
	}
	return e.conclude(ctx, id)
}

// Retry queues the failed items of an ended job again.
func (e *Engine) Retry(ctx context.Context, id string) (Job, error) {
	e.setup()
	before, err := e.known(ctx, id)
	if err != nil {
		return Job{}, err
	}
	if !before.State.Ended() {
		return Job{}, ErrNotReady
	}
	if before.State == StateExpired {
		return Job{}, ErrExpired
	}
	items, err := e.state.retry(ctx, id)
	if err != nil {
		return Job{}, queueFailed(err)
	}
	if len(items) == 0 {
		return Job{}, ErrNoFailed
	}
	e.hub.reopen(id)
	if e.Bucket != nil { // before anything is queued: a run that ends writes a new one
		if err := e.Bucket.Delete(ctx, manifestKey(id)); err != nil {
			return Job{}, err
		}
	}
	if err := e.state.index(ctx, id, before.Owner, true); err != nil {
		return Job{}, queueFailed(err)
	}
	shot, err := e.state.load(ctx, id)
	if err != nil || shot == nil {
		return Job{}, queueFailed(err)
	}
	for _, n := range items {
		if err := e.queue.item(ctx, shot.Kind, id, int(n), shot.epochs[n]); err != nil {
			return Job{}, queueFailed(err)
		}
	}
	return e.Get(ctx, id)
}

// known returns a job after making sure that Redis knows it, where the bucket does.
func (e *Engine) known(ctx context.Context, id string) (*snapshot, error) {
	if !ValidID(id) {
		return nil, ErrNotFound
	}
	shot, err := e.state.load(ctx, id)
	if err != nil {
		return nil, queueFailed(err)
	}
	if shot != nil {
		return shot, nil
	}
	if err := e.restore(ctx, id); err != nil {
		return nil, err
	}
	shot, err = e.state.load(ctx, id)
	if err != nil {
		return nil, queueFailed(err)
	}
	if shot == nil {
		return nil, ErrNotFound
	}
	return shot, nil
}

// restore makes Redis know a job that only the bucket knows.
func (e *Engine) restore(ctx context.Context, id string) error {
	m, err := e.manifest(ctx, id)
	if err != nil {
		return err
	}
	if m != nil {
		if err := e.state.putEnded(ctx, m); err != nil {
			return queueFailed(err)
		}
		return e.state.index(ctx, id, m.Owner, false)
	}
	r, err := e.record(ctx, id)
	if err != nil {
		return err
	}
	if r.Draft {
		return ErrNotFound
	}
	e.counts.restored.Add(1)
	if err := e.enqueue(ctx, r); err != nil {
		return queueFailed(err)
	}
	return nil
}
