package ingest

import (
	"context"
	"errors"
	"slices"
)

// Delete removes an image: its manifest, its place in the record, its objects; then every node forgets its
// variants. A 404 if there is none. Where the nodes cannot be told, which is asked first, nothing is removed
// and the call can be repeated.
func (s *Store) Delete(ctx context.Context, id string) error {
	if !isID(id) {
		return notFound()
	}
	unlock, err := s.locks.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	image, err := s.imageLocked(ctx, id)
	if err != nil {
		return err
	}
	if err := s.purge(ctx, image.Key); err != nil {
		return err
	}
	err = s.marked(ctx, id, image.Upload, func(ctx context.Context) error { return s.unmake(ctx, image) })
	if err != nil {
		return storage(err)
	}
	return s.purge(ctx, image.Key)
}

// unmake removes all there is of an image, so that at each step it is either committed or an orphan.
func (s *Store) unmake(ctx context.Context, image *Image) error {
	if err := s.erase(ctx, manifestKey(image.ID)); err != nil {
		return err
	}
	uploads := []string{image.Upload}
	object, err := s.Bucket.Stat(ctx, imageKey(image.Key))
	switch {
	case err == nil && isID(object.Upload) && object.Upload != image.Upload:
		uploads = append(uploads, object.Upload) // it was put again by another
	case err != nil && !errors.Is(err, ErrAbsent):
		return err
	}
	for _, upload := range uploads {
		if err := s.strike(ctx, upload, image.ID); err != nil {
			return err
		}
	}
	// See rebuild: who read the record before may have written the manifest since.
	if err := s.erase(ctx, manifestKey(image.ID)); err != nil {
		return err
	}
	return s.removeObjects(ctx, image, uploads)
}

// purge makes every node forget the variants of an image.
func (s *Store) purge(ctx context.Context, key string) error {
	if s.Purge == nil {
		return nil
	}
	return s.Purge(ctx, key)
}

// strike takes an image out of a record; an empty record is removed.
func (s *Store) strike(ctx context.Context, upload, id string) error {
	const tries = 10 // other images of the record may be deleted at the same time
	var err error
	for range tries {
		var r *record
		var object Object
		r, object, err = load[record](ctx, s.Bucket, recordKey(upload))
		if errors.Is(err, ErrAbsent) {
			return nil
		}
		if err != nil {
			return err
		}
		r.Images = slices.DeleteFunc(r.Images, func(i Image) bool { return i.ID == id })
		if len(r.Images) == 0 {
			return s.erase(ctx, recordKey(upload))
		}
		err = save(ctx, s.Bucket, recordKey(upload), r, How{Upload: upload, IfMatch: object.ETag})
		if !errors.Is(err, ErrExists) && !errors.Is(err, ErrAbsent) {
			return err
		}
	}
	return err
}
