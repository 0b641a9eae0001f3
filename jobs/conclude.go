package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// conclude ends a job all of whose items have ended: the manifest is written, the webhook queued, and
// then the end is told. Where items are left, or the end was told before, it does nothing. It may be
// called by several nodes at once: what they write is the same.
func (e *Engine) conclude(ctx context.Context, id string) error {
	shot, err := e.state.load(ctx, id)
	if err != nil {
		return queueFailed(err)
	}
	if shot == nil || shot.State.Ended() || shot.gone < shot.Total {
		return nil
	}
	return e.end(ctx, shot, outcome(shot.cancelled, shot.Done, shot.Failed))
}

// end writes down how a job ended and tells it.
func (e *Engine) end(ctx context.Context, shot *snapshot, state State) error {
	j := &shot.Job
	at := e.Now().UTC()
	j.State, j.Finished = state, &at
	if err := e.writeManifest(ctx, shot); err != nil {
		return err
	}
	if err := e.queueHook(ctx, j); err != nil {
		return err
	}
	sealed, err := e.state.seal(ctx, j)
	if err != nil {
		return queueFailed(err)
	}
	if sealed {
		e.counts.ended(j.State)
	}
	if err := e.Redis.ZRem(ctx, activeKey, j.ID).Err(); err != nil {
		return queueFailed(err)
	}
	return nil
}

func (e *Engine) writeManifest(ctx context.Context, shot *snapshot) error {
	if e.Bucket == nil {
		return nil
	}
	data, err := json.Marshal(manifest{Job: shot.Job, Owner: shot.Owner, Run: shot.run})
	if err != nil {
		return err
	}
	if err := e.Bucket.Put(ctx, manifestKey(shot.ID), data, jsonType); err != nil {
		return fmt.Errorf("write the manifest of job %s: %w", shot.ID, err)
	}
	return nil
}

func (e *Engine) queueHook(ctx context.Context, j *Job) error {
	r, err := e.record(ctx, j.ID)
	if errors.Is(err, ErrNotFound) {
		return nil // swept meanwhile: nobody can be told
	} else if err != nil {
		return err
	}
	if r.Spec.Hook == nil {
		return nil
	}
	if err := e.queue.hook(ctx, j.ID, j.run); err != nil {
		return queueFailed(err)
	}
	return nil
}
