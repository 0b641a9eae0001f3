package jobs

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"time"

	"github.com/hibiken/asynq"

	"github.com/imgedge/imgedge/resize"
)

// item is the task of one item. It comes at least once; the claim keeps two workers from doing the same
// at the same time, and the end is counted once whoever comes.
func (w *working) item(ctx context.Context, task *asynq.Task) error {
	id, n, ok := parseItem(task.Payload())
	if !ok {
		return fmt.Errorf("a task that is none of ours: %w", asynq.SkipRetry)
	}
	won, err := w.claim(ctx, id, n)
	if err != nil || !won {
		return err
	}
	c := claim{id, n}
	w.hold(c)
	defer w.letGo(c)
	it, err := w.engine.make(ctx, id, n)
	tried, _ := asynq.GetRetryCount(ctx)
	switch {
	case err == nil:
		it.State = StateDone
		return w.finish(ctx, id, n, it)
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return w.interrupted(ctx, id, n, it)
	case crowded(err) || passes(err) && tried < maxTries-1:
		w.engine.counts.retried.Add(1)
		return errors.Join(err, w.putDown(ctx, id, n))
	default:
		it.State, it.Error = StateFailed, problemOf(err)
		w.engine.log("an item failed", id, err)
		if lost := w.finish(ctx, id, n, it); lost != nil {
			return lost
		}
		return fmt.Errorf("%w: %w", err, asynq.SkipRetry) // asynq's archive is the dead letter box
	}
}

// claim takes the item, making the job known again where Redis has lost it.
func (w *working) claim(ctx context.Context, id string, n int) (won bool, err error) {
	for range 2 {
		v, err := w.engine.state.claim(ctx, id, n, w.name)
		if err != nil || v != verdictLost {
			return v == verdictGo, err
		}
		if err := w.engine.restore(ctx, id); errors.Is(err, ErrNotFound) {
			return false, nil // swept
		} else if err != nil {
			return false, err
		}
	}
	return false, nil
}

// interrupted ends an item whose context ended: because its job is to end, or because the node leaves.
func (w *working) interrupted(ctx context.Context, id string, n int, it *Item) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	shot, err := w.engine.state.load(ctx, id)
	if err != nil || shot == nil {
		return err
	}
	if !shot.cancelled {
		return w.putDown(ctx, id, n)
	}
	it.State, it.Outputs = StateCancelled, []Output{}
	return w.finish(ctx, id, n, it)
}

// putDown gives an item back that is to be tried again.
func (w *working) putDown(ctx context.Context, id string, n int) error {
	return w.engine.state.release(context.WithoutCancel(ctx), id, n, w.name)
}

// finish counts the end of an item, and ends the job after the last. What was made is not thrown away
// because Redis is restarting: it is tried for some seconds, and with a lost job once more.
func (w *working) finish(ctx context.Context, id string, n int, it *Item) error {
	const patience, pause = 15 * time.Second, 200 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	for {
		v, err := w.engine.state.finish(ctx, id, n, it)
		if err == nil && v == verdictLost {
			err = w.engine.restore(ctx, id)
			if errors.Is(err, ErrNotFound) {
				return nil // swept
			}
			v = ""
		}
		switch {
		case err == nil && v == verdictLast:
			w.engine.counts.item(it.State)
			return w.engine.conclude(ctx, id)
		case err == nil && v == verdictMore:
			w.engine.counts.item(it.State)
			return nil
		case err == nil && v == verdictOver:
			return nil
		}
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return errors.Join(ctx.Err(), err)
		}
	}
}

// make reads an item's original and makes its outputs. The item it returns says what is known even where
// there is an error.
func (e *Engine) make(ctx context.Context, id string, n int) (*Item, error) {
	it := &Item{Outputs: []Output{}}
	r, err := e.record(ctx, id)
	if err != nil {
		return it, err
	}
	if n >= len(r.Asked) {
		return it, fmt.Errorf("job %s has no item %d", id, n)
	}
	it.Name = r.Asked[n].Name
	outputs, err := parseOutputs(r.outputs(n))
	if err != nil {
		return it, err
	}
	if r.Kind == KindWarm {
		sizes, err := e.Pictures.Warm(ctx, r.source(n), r.Asked[n].Key, outputs)
		for _, size := range sizes {
			it.Outputs = append(it.Outputs, Output{Bytes: size})
		}
		return it, err
	}
	data, err := e.original(ctx, r, n)
	if err != nil {
		return it, err
	}
	it.Bytes = int64(len(data))
	if err := ctx.Err(); err != nil {
		return it, err
	}
	results, err := e.Pictures.Render(ctx, r.source(n), data, outputs)
	if err != nil {
		return it, err
	}
	made := make([]Output, 0, len(results))
	for o := range results {
		out, err := e.put(ctx, id, n, o, &results[o])
		if err != nil {
			return it, err
		}
		made = append(made, out)
	}
	it.Outputs = made
	return it, nil
}

// original returns the bytes of an item.
func (e *Engine) original(ctx context.Context, r *Record, n int) ([]byte, error) {
	if key := r.Asked[n].Key; key != "" {
		return e.Pictures.Original(ctx, r.source(n), key)
	}
	data, err := e.read(ctx, inputKey(r.ID, n), e.MaxItem)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrExpired
	}
	return data, err
}

// put stores an output under its name, which is the same whoever makes it.
func (e *Engine) put(ctx context.Context, id string, item, output int, made *resize.Result) (Output, error) {
	if err := ctx.Err(); err != nil {
		return Output{}, err
	}
	key := outputKey(id, item, output, extension(made.Format))
	if err := e.Bucket.Put(ctx, key, made.Body, made.Format.MIME()); err != nil {
		return Output{}, fmt.Errorf("store an output: %w", err)
	}
	e.counts.bytes.Add(uint64(len(made.Body)))
	return Output{
		Key: key, Format: made.Format.String(), Width: made.Width, Height: made.Height,
		Bytes: int64(len(made.Body)), CRC32: crc32.ChecksumIEEE(made.Body),
	}, nil
}

func extension(f resize.Format) string {
	if text := f.Extension(); text != "" {
		return text
	}
	return "bin"
}

func parseOutputs(texts []string) ([]resize.Options, error) {
	all := make([]resize.Options, 0, len(texts))
	for _, text := range texts {
		o, err := resize.Parse(text)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}
