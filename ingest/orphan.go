package ingest

import (
	"context"
	"errors"
	"time"
)

// judge decides about an object that nobody names.
func (w *sweep) judge(ctx context.Context, d doubt) error {
	object, err := d.in.Stat(ctx, d.Key)
	switch {
	case errors.Is(err, ErrAbsent):
		return nil
	case err != nil:
		return err
	case !isID(object.Upload):
		w.foreign(d.Object)
		return nil
	case w.age(object) <= w.order.Grace:
		w.report.Young++
		w.tell(Finding{Kind: KindYoung}, d.Object)
		return nil
	}
	w.report.Orphans++
	w.report.Bytes += d.Size
	w.stats.found.Add(1)
	if w.order.Delete {
		removed, err := w.remove(ctx, d, object)
		if err != nil || !removed {
			return err
		}
		w.report.Removed++
		w.stats.orphans.Add(1)
	}
	w.tell(Finding{Kind: KindOrphan, Remove: true}, d.Object)
	return nil
}

// remove removes an orphan, unless it is none any more.
func (w *sweep) remove(ctx context.Context, d doubt, seen Object) (bool, error) {
	if err := w.limit.Wait(ctx); err != nil {
		return false, err
	}
	if w.order.Alive != nil && !w.order.Alive() {
		return false, ErrLeaseLost
	}
	if d.id != "" {
		unlock, err := w.locks.lock(ctx, d.id)
		if err != nil {
			return false, err
		}
		defer unlock()
	}
	removed := false
	remove := func(ctx context.Context) (err error) {
		if removed, err = w.still(ctx, d, seen); err != nil || !removed {
			return err
		}
		return d.in.Delete(ctx, d.Key)
	}
	var err error
	if d.id == "" || within(d.Key, manifestsFolder) {
		err = remove(ctx)
	} else {
		err = w.marked(ctx, d.id, seen.Upload, remove)
	}
	if err == nil && removed && within(d.Key, imagesFolder) {
		w.forget(ctx, baseName(d.Key))
	}
	return removed, err
}

// ErrLeaseLost ends a sweep whose place another may have taken.
const ErrLeaseLost Error = "the sweep's lease is lost"

// still asks once more whether an object is an orphan: it is the one that was judged, and nobody has
// committed it since.
func (w *sweep) still(ctx context.Context, d doubt, seen Object) (bool, error) {
	upload := seen.Upload
	if d.id != "" {
		if !within(d.Key, manifestsFolder) {
			if _, err := w.Bucket.Stat(ctx, manifestKey(d.id)); !errors.Is(err, ErrAbsent) {
				return false, err
			}
		}
		r, _, err := load[record](ctx, w.Bucket, recordKey(upload))
		if err != nil && !errors.Is(err, ErrAbsent) || err == nil && r.find(d.id) != nil {
			return false, err
		}
	}
	now, err := d.in.Stat(ctx, d.Key)
	if errors.Is(err, ErrAbsent) {
		return false, nil
	}
	return err == nil && now.Upload == upload && now.Modified.Equal(seen.Modified) && now.ETag == seen.ETag, err
}

// age returns for how long an object has been as it is.
func (w *sweep) age(o Object) time.Duration { return w.now().Sub(o.Modified) }

// foreign counts an object that is not of our making.
func (w *sweep) foreign(o Object) {
	w.report.Foreign++
	w.tell(Finding{Kind: KindForeign}, o)
}

// tell reports a finding about an object.
func (w *sweep) tell(f Finding, o Object) {
	if w.order.Each == nil {
		return
	}
	if f.Key == "" {
		f.Key = o.Key
	}
	f.Size, f.Age = o.Size, w.age(o)
	w.order.Each(f)
}
