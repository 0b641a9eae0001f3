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

// placed is where one distinct image of an upload stands.
type placed struct {
	*checked
	existing *Image // committed before; nil = brought by this upload
	fresh    bool   // put where nothing was, so that a failure may take it away again
	again    bool   // put over what nobody had committed
}

// transact stores the files and commits them. The locks of all ids are held.
func (u *upload) transact(ctx context.Context) (Outcome, error) {
	began := u.now()
	images := u.distinct()
	var mu sync.Mutex // guards failed
	failed := map[string]error{}
	var g errgroup.Group
	g.SetLimit(u.parallel())
	for _, p := range images {
		g.Go(func() error {
			if err := u.place(ctx, p); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[p.image.ID] = err
			}
			return nil
		})
	}
	_ = g.Wait() // the errors are in failed
	for i, c := range u.files {
		if c != nil && failed[c.image.ID] != nil {
			u.errs[i], u.files[i] = failed[c.image.ID], nil
			delete(images, c.image.ID)
			c.drop()
		}
	}
	if err := u.refused(); err != nil {
		u.takeBack(ctx, images)
		return Outcome{}, err
	}
	brought := u.brought(images)
	if err := u.commit(ctx, brought); err != nil {
		u.takeBack(ctx, images)
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
	return u.outcome(images, brought), nil
}

// distinct returns the images of an upload, each once, made complete.
func (u *upload) distinct() map[string]*placed {
	images := make(map[string]*placed, len(u.files))
	for _, c := range u.files {
		if c == nil || images[c.image.ID] != nil {
			continue
		}
		c.image.Upload, c.image.Created = u.id, u.now().UTC().Truncate(time.Millisecond)
		c.image.Focus, c.image.Tags, c.image.Presets = u.Focus, u.Tags, u.Presets.queued()
		if u.Archive != nil {
			c.image.Archive = fileName(c.image.ID, c.sent.Extension())
		}
		images[c.image.ID] = &placed{checked: c}
	}
	return images
}

// place puts an image into the bucket, unless a committed one is there. One that nobody has committed is put
// again, so that no sweep takes it away in between.
func (u *upload) place(ctx context.Context, p *placed) error {
	key := imageKey(p.image.Key)
	how := How{Type: p.mime(), Upload: u.id, IfNew: true}
	leave, err := u.room(ctx, p.clean.Size())
	if err != nil {
		return err
	}
	defer leave()
	data, err := p.clean.Bytes()
	if err != nil {
		return err
	}
	err = u.Bucket.Put(ctx, key, data, how)
	p.fresh = !errors.Is(err, ErrExists) // also after an error, for it may be there all the same
	if !p.fresh {
		if p.existing, err = u.committed(ctx, p.image.ID, key); err != nil || p.existing != nil {
			return storage(err)
		}
		how.IfNew, p.again = false, true
		err = u.Bucket.Put(ctx, key, data, how)
	}
	if err != nil {
		u.takeBack(ctx, map[string]*placed{p.image.ID: p})
		return storage(err)
	}
	if p.image.Archive == "" {
		return nil
	}
	if data, err = p.original.Bytes(); err == nil {
		err = u.Archive.Put(ctx, p.image.Archive, data, How{Type: "application/octet-stream", Upload: u.id})
	}
	if err != nil {
		u.takeBack(ctx, map[string]*placed{p.image.ID: p})
		return storage(err)
	}
	return nil
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

// commit writes the record. Where its answer is lost, the bucket is asked what happened.
func (u *upload) commit(ctx context.Context, images []Image) error {
	if len(images) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil { // the client has left in time
		return err
	}
	r := &record{Upload: u.id, Created: images[0].Created, Images: images}
	err := save(ctx, u.Bucket, recordKey(u.id), r, How{Upload: u.id, IfNew: true})
	if err == nil {
		return nil
	}
	ctx, cancel := afterwards(ctx)
	defer cancel()
	if _, there := u.Bucket.Stat(ctx, recordKey(u.id)); there == nil {
		return nil // nobody else makes up this id
	}
	// If it is written late all the same, it is this that keeps the images from being seen.
	return errors.Join(storage(err), u.Bucket.Delete(ctx, recordKey(u.id)))
}

// takeBack removes what a failed upload has put, as far as it can; the sweep does the rest. What another
// upload has put over it meanwhile is left alone, and so is what was put over another's object: that one may
// be about to commit it.
func (u *upload) takeBack(ctx context.Context, images map[string]*placed) {
	ctx, cancel := afterwards(ctx)
	defer cancel()
	for _, p := range images {
		if !p.fresh {
			continue
		}
		if p.image.Archive != "" {
			u.removeOwn(ctx, u.Archive, p.image.Archive)
		}
		u.removeOwn(ctx, u.Bucket, imageKey(p.image.Key))
	}
}

// removeOwn removes an object that this upload has put.
func (u *upload) removeOwn(ctx context.Context, b Bucket, key string) {
	if object, err := b.Stat(ctx, key); err == nil && object.Upload == u.id {
		_ = b.Delete(ctx, key) // the sweep is the guarantee
	}
}

func (u *upload) anyAgain(images map[string]*placed) bool {
	for _, p := range images {
		if p.again {
			return true
		}
	}
	return false
}

// verify puts what was there before, or has been waiting for long, once more if a sweep or a deletion on
// another node took it away before it was committed.
func (u *upload) verify(ctx context.Context, images map[string]*placed, all bool) error {
	for _, p := range images {
		if p.existing != nil || !all && !p.again {
			continue
		}
		_, err := u.Bucket.Stat(ctx, imageKey(p.image.Key))
		if errors.Is(err, ErrAbsent) {
			var data []byte
			if data, err = p.clean.Bytes(); err == nil {
				err = u.Bucket.Put(ctx, imageKey(p.image.Key), data, How{Type: p.mime(), Upload: u.id})
			}
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

// give passes on the bytes of a new image.
func (u *upload) give(ctx context.Context, p *placed) {
	if u.Given == nil {
		return
	}
	if data, err := p.clean.Bytes(); err == nil { // else what is asked for is fetched
		u.Given(ctx, p.image.Key, data)
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
