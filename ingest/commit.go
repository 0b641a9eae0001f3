package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// transact stores the files and commits them. The locks of all ids are held.
func (u *upload) transact(ctx context.Context) (Outcome, error) {
	began := u.now()
	images := u.distinct()
	for id, err := range u.storeAll(ctx, images) {
		for i, c := range u.files {
			if c != nil && c.image.ID == id {
				u.errs[i], u.files[i] = err, nil
				c.drop()
			}
		}
		delete(images, id)
	}
	if err := u.refused(); err != nil {
		u.takeBack(ctx, images, err)
		return Outcome{}, err
	}
	brought := u.brought(images)
	outcome := u.outcome(images, brought)
	if err := u.commit(ctx, brought, &outcome); err != nil {
		u.takeBack(ctx, images, err)
		return Outcome{}, err
	}
	ctx, cancel := afterwards(ctx) // committed: from here on nothing ends it
	defer cancel()
	if late := u.now().Sub(began) > u.grace()/2; late || u.anyAgain(images) {
		if err := u.verify(ctx, images, late); err != nil {
			return Outcome{}, err
		}
	}
	u.publish(ctx, images, brought)
	u.beginPresets(images)
	return outcome, nil
}

// distinct returns the images of an upload, each once.
func (u *upload) distinct() map[string]*placed {
	images := make(map[string]*placed, len(u.files))
	for _, c := range u.files {
		if c == nil || images[c.image.ID] != nil {
			continue
		}
		c.image.Upload, c.image.Created = u.id, u.now().UTC().Truncate(time.Millisecond)
		c.image.Focus, c.image.Tags, c.image.Presets = u.Focus, u.Tags, u.Presets.queued()
		if u.Archive != nil {
			c.image.Archive = fileName(c.image.ID, c.src.Format.Extension())
		}
		images[c.image.ID] = &placed{checked: c}
	}
	return images
}

// storeAll stores images, several at once, and returns what went wrong, by id. Where the bucket fails, what has
// not begun is given up: all of an upload that is atomic, and all that would wait for a bucket that hangs.
func (u *upload) storeAll(ctx context.Context, images map[string]*placed) map[string]error {
	var mu sync.Mutex // guards failed and lost
	failed := map[string]error{}
	var lost error
	var g errgroup.Group
	g.SetLimit(u.parallel())
	for id, p := range images {
		g.Go(func() error {
			mu.Lock()
			err := lost
			mu.Unlock()
			if err == nil {
				err = u.store(ctx, p)
			}
			mu.Lock()
			defer mu.Unlock()
			var bucket *StorageError
			if errors.As(err, &bucket) && (u.Atomic || hangs(err)) {
				lost = err
			}
			if err != nil {
				failed[id] = err
			}
			return nil
		})
	}
	_ = g.Wait() // the errors are in failed
	return failed
}

// brought are the images that this upload commits, in the order of its files.
func (u *upload) brought(images map[string]*placed) []Image {
	var all []Image
	for _, c := range u.files {
		if c == nil || images[c.image.ID].existing != nil {
			continue
		}
		if !slices.ContainsFunc(all, func(i Image) bool { return i.ID == c.image.ID }) {
			all = append(all, images[c.image.ID].image)
		}
	}
	return all
}

// commit writes the record. Where its answer is lost, the bucket is asked what happened. An upload that may be
// asked for again leaves a record even if it brings nothing.
func (u *upload) commit(ctx context.Context, images []Image, outcome *Outcome) error {
	if len(images) == 0 && u.ID == "" {
		return nil
	}
	if err := ctx.Err(); err != nil { // the client has left in time
		return err
	}
	r := &record{Upload: u.id, Created: u.now().UTC().Truncate(time.Millisecond), Images: images}
	if u.ID != "" {
		r.Sum, r.Files, r.Errors = u.Sum, answers(outcome), outcome.Errors
	}
	err := save(ctx, u.Bucket, recordKey(u.id), r, How{Upload: u.id, IfNew: true})
	if err == nil {
		return nil
	}
	ctx, cancel := afterwards(ctx)
	defer cancel()
	if _, there := u.Bucket.Stat(ctx, recordKey(u.id)); there == nil {
		return nil // nobody else makes up this id
	}
	if u.shared { // it may be there, and another node have answered
		return &StorageError{err}
	}
	// If it is written late all the same, it is this that keeps the images from being seen.
	return errors.Join(storage(err), u.erase(ctx, recordKey(u.id)))
}

func (u *upload) anyAgain(images map[string]*placed) bool {
	for _, p := range images {
		if p.again {
			return true
		}
	}
	return false
}

// verify puts what was there before, or has been waiting for long, once more if a sweep on another node took it
// away before it was committed.
func (u *upload) verify(ctx context.Context, images map[string]*placed, all bool) error {
	for _, p := range images {
		if p.existing != nil || !all && !p.again {
			continue
		}
		_, err := u.Bucket.Stat(ctx, imageKey(p.image.Key))
		if errors.Is(err, ErrAbsent) {
			err = u.Bucket.Put(ctx, imageKey(p.image.Key), p.clean.Content(), How{Type: p.mime(), Upload: u.id})
		}
		if err != nil {
			return fmt.Errorf("make sure of an image: %w", storage(err))
		}
	}
	return nil
}

// publish writes the manifests. A missing one is made again from the record.
func (u *upload) publish(ctx context.Context, images map[string]*placed, brought []Image) {
	var g errgroup.Group
	g.SetLimit(u.parallel())
	for i := range brought {
		image := &brought[i]
		g.Go(func() error {
			// ErrExists: the object had gone behind our back, its manifest had not.
			_ = save(ctx, u.Bucket, manifestKey(image.ID), image, How{Upload: u.id, IfNew: true})
			return nil
		})
		g.Go(func() error {
			u.forget(ctx, image.Key) // that it was not there may be remembered
			u.give(ctx, images[image.ID])
			u.stats.images.Add(1)
			u.stats.bytes.Add(uint64(image.Bytes)) //nolint:gosec // a length
			return nil
		})
	}
	_ = g.Wait() // nothing returns an error
}

// give passes on the bytes of a new image, unless they are more than anybody keeps.
func (u *upload) give(ctx context.Context, p *placed) {
	if u.Given == nil || p.clean.Size() > u.GivenMax {
		return
	}
	if data, err := p.clean.Bytes(); err == nil { // else what is asked for is fetched
		u.Given(ctx, &p.image, data)
	}
}

// beginPresets hands the bytes of new images on to who makes their presets.
func (u *upload) beginPresets(images map[string]*placed) {
	if u.Presets == nil {
		return
	}
	for _, p := range images {
		if p.existing == nil && u.Presets.begin(u.Store, &p.image, p.clean, u.Presets.Names) {
			p.handed = true
		}
	}
}

// outcome lists what became of the files.
func (u *upload) outcome(images map[string]*placed, brought []Image) Outcome {
	var out Outcome
	if len(brought) > 0 {
		out.Upload = u.id
	}
	seen := map[string]bool{}
	for i, c := range u.files {
		if c == nil {
			out.Errors = append(out.Errors, fileError(u.Files[i].Name, u.errs[i]))
			continue
		}
		p := images[c.image.ID]
		stored := Stored{Image: p.image, Existing: p.existing != nil || seen[c.image.ID]}
		if p.existing != nil {
			stored.Image = *p.existing
		}
		stored.Name, stored.BytesSent = c.image.Name, c.image.BytesSent // of this file
		seen[c.image.ID] = true
		out.Images = append(out.Images, stored)
	}
	return out
}
