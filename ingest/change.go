package ingest

import (
	"context"
	"errors"

	"github.com/imgedge/imgedge/resize"
)

// Change is what may be changed of an image; nil leaves a field as it is.
type Change struct {
	Focus   *Focus
	NoFocus bool // takes the focal point away
	Tags    *[]string
}

// Change changes an image, and makes every node forget the variants that were made before. A 404 if there is
// none.
func (s *Store) Change(ctx context.Context, id string, c Change) (*Image, error) {
	if c.Focus != nil && !c.Focus.Valid() {
		return nil, resize.BadOption("focus: x and y are 0 to 1")
	}
	if c.Tags != nil {
		if err := checkTags(*c.Tags); err != nil {
			return nil, err
		}
	}
	image, err := s.edit(ctx, id, func(i *Image) {
		if c.Focus != nil || c.NoFocus {
			i.Focus = c.Focus
		}
		if c.Tags != nil {
			i.Tags = *c.Tags
		}
	})
	if err != nil {
		return nil, err
	}
	if err := s.purge(ctx, image.Key); err != nil {
		return nil, err
	}
	if s.Presets != nil && len(image.Presets) > 0 {
		s.Presets.begin(s, image, nil, s.Presets.Names) // what was made before is gone
	}
	return image, nil
}

// edit changes a manifest, again and again where another changes it at the same time.
func (s *Store) edit(ctx context.Context, id string, change func(*Image)) (*Image, error) {
	if !isID(id) {
		return nil, notFound()
	}
	unlock, err := s.locks.lock(ctx, id)
	if err != nil {
		return nil, err
	}
	defer unlock()
	const tries = 10
	for range tries {
		if _, err = s.imageLocked(ctx, id); err != nil { // which makes a missing manifest
			return nil, err
		}
		var image *Image
		var object Object
		if image, object, err = s.manifest(ctx, id); err != nil {
			return nil, storage(err)
		}
		change(image)
		err = save(ctx, s.Bucket, manifestKey(id), image, How{Upload: image.Upload, IfMatch: object.ETag})
		if err == nil {
			return image, nil
		}
		if !errors.Is(err, ErrExists) && !errors.Is(err, ErrAbsent) {
			break
		}
	}
	return nil, &StorageError{err}
}
