package jobs

import (
	"context"
	"errors"
	"strings"
	"time"
)

// expiredLife is how long a job that is gone is remembered as expired.
const expiredLife = 24 * time.Hour

// expire ends a job that is past its retention and deletes what it left. Redis remembers for a day that it
// was there.
func (e *Engine) expire(ctx context.Context, id string) error {
	shot, err := e.state.load(ctx, id)
	if err != nil {
		return err
	}
	if err := e.erase(ctx, id); err != nil {
		return err
	}
	if shot == nil {
		return e.Redis.ZRem(ctx, allKey, id).Err()
	}
	e.counts.expired.Add(1)
	for n := range shot.Items {
		e.queue.forget(shot.Kind, id, n, shot.epochs[n])
	}
	return e.state.putExpired(ctx, &shot.Job)
}

// erase deletes the objects of a job, its record last: where that fails in the middle, the next sweep
// finds the record and goes on. Objects that have not the form of ours are left.
func (e *Engine) erase(ctx context.Context, id string) error {
	e.records.drop(id)
	if e.Bucket == nil {
		return e.state.drop(ctx, id)
	}
	var ours []string
	err := e.Bucket.List(ctx, id+"/", func(key string) error {
		if named(id, key) {
			ours = append(ours, key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, key := range ours {
		errs = append(errs, e.Bucket.Delete(ctx, key))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := e.Bucket.Delete(ctx, recordKey(id)); err != nil {
		return err
	}
	return e.state.drop(ctx, id)
}

// named reports whether a key has the form of a job's objects.
func named(id, key string) bool {
	rest, ok := strings.CutPrefix(key, id+"/")
	if !ok {
		return false
	}
	if rest == "manifest.json" {
		return true
	}
	if number, ok := strings.CutPrefix(rest, "in/"); ok {
		return digits(number)
	}
	name, ok := strings.CutPrefix(rest, "out/")
	numbers, extension, dotted := strings.Cut(name, ".")
	item, output, dashed := strings.Cut(numbers, "-")
	return ok && dotted && dashed && digits(item) && digits(output) && !strings.ContainsAny(extension, "/.")
}

func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
