package ingest

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/imgedge/imgedge/resize"
)

// Image returns what is known of an image, or a 404.
func (s *Store) Image(ctx context.Context, id string) (*Image, error) {
	if !isID(id) {
		return nil, notFound()
	}
	image, _, err := s.manifest(ctx, id)
	if errors.Is(err, ErrAbsent) {
		unlock, err := s.locks.lock(ctx, id)
		if err != nil {
			return nil, err
		}
		defer unlock()
		if image, err = s.imageLocked(ctx, id); err != nil {
			return nil, err
		}
		return image, nil
	}
	return image, storage(err)
}

// Notes returns the focal point and the tags of an image by the key of its object; nil, nil for what nobody
// has uploaded.
func (s *Store) Notes(ctx context.Context, key string) (*Focus, []string, error) {
	if !isImageFile(key) {
		return nil, nil, nil
	}
	image, _, err := s.manifest(ctx, idOf(key))
	if errors.Is(err, ErrAbsent) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, storage(err)
	}
	return image.Focus, image.Tags, nil
}

// imageLocked is Image for who holds the lock of the id.
func (s *Store) imageLocked(ctx context.Context, id string) (*Image, error) {
	image, err := s.committed(ctx, id, "")
	if err != nil {
		return nil, storage(err)
	}
	if image == nil {
		return nil, notFound()
	}
	return image, nil
}

// manifest reads an image's manifest.
func (s *Store) manifest(ctx context.Context, id string) (*Image, Object, error) {
	return load[Image](ctx, s.Bucket, manifestKey(id))
}

// committed returns the image if its manifest is there, or if the record of the upload that put its object
// names it: then the manifest is written anew. nil = nobody has committed it. key is that of its object; "" =
// it is looked for.
func (s *Store) committed(ctx context.Context, id, key string) (*Image, error) {
	image, _, err := s.manifest(ctx, id)
	if !errors.Is(err, ErrAbsent) {
		return image, err
	}
	if key == "" {
		if key, err = s.objectOf(ctx, id); err != nil || key == "" {
			return nil, err
		}
	}
	object, err := s.Bucket.Stat(ctx, key)
	if errors.Is(err, ErrAbsent) || err == nil && !isID(object.Upload) {
		return nil, nil //nolint:nilnil // nobody has committed it
	}
	if err != nil {
		return nil, err
	}
	return s.rebuild(ctx, id, object.Upload)
}

// objectOf finds the object of an image; "" = there is none.
func (s *Store) objectOf(ctx context.Context, id string) (string, error) {
	for object, err := range s.Bucket.List(ctx, imageKey(id+"."), "") {
		if err != nil {
			return "", err
		}
		if isImageFile(baseName(object.Key)) {
			return object.Key, nil
		}
	}
	return "", nil
}

// rebuild writes the manifest of an image from a record, nil if that does not name it. A deletion on
// another node may be under way: it takes the image out of the record and then removes the manifest once more,
// so that a manifest which was written in between is gone, and one that is written after is taken back here.
func (s *Store) rebuild(ctx context.Context, id, upload string) (*Image, error) {
	r, _, err := load[record](ctx, s.Bucket, recordKey(upload))
	if errors.Is(err, ErrAbsent) {
		return nil, nil //nolint:nilnil // nobody has committed it
	}
	if err != nil {
		return nil, err
	}
	image := r.find(id)
	if image == nil {
		return nil, nil //nolint:nilnil // nobody has committed it
	}
	err = save(ctx, s.Bucket, manifestKey(id), image, How{Upload: upload, IfNew: true})
	if errors.Is(err, ErrExists) {
		image, _, err = s.manifest(ctx, id)
		if errors.Is(err, ErrAbsent) {
			return nil, nil //nolint:nilnil // another has deleted it just now
		}
		return image, err
	}
	if err != nil {
		return image, nil //nolint:nilerr // it is committed all the same
	}
	r, _, err = load[record](ctx, s.Bucket, recordKey(upload))
	if errors.Is(err, ErrAbsent) || err == nil && r.find(id) == nil {
		return nil, s.erase(ctx, manifestKey(id))
	}
	return image, err
}

// Query asks for a part of the list.
type Query struct {
	Limit  int    // 1–200; 0 = 50
	Cursor string // what the part before ended with; "" = from the newest on
	Prefix string // of the name, the key or the id; "" = all
}

// Page is a part of the list, the newest first. It may be shorter than the limit, even empty, although there
// is more.
type Page struct {
	Images []Image
	Next   string // cursor of the next part; "" = this was the last
}

const (
	defaultLimit = 50
	maxLimit     = 200
	maxScanned   = 2000 // records looked at for one part
)

// List returns a part of the images, the newest upload first.
func (s *Store) List(ctx context.Context, q Query) (Page, error) {
	switch {
	case q.Limit == 0:
		q.Limit = defaultLimit
	case q.Limit < 0 || q.Limit > maxLimit:
		return Page{}, resize.BadOption("limit: 1 to 200")
	}
	upload, skip, ok := parseCursor(q.Cursor)
	if !ok {
		return Page{}, resize.BadOption("cursor: take the one that next gave")
	}
	var page Page
	scanned := 0
	after := uploadsFolder
	if upload != "" {
		after = uploadsFolder + upload // before upload.json
	}
	for object, err := range s.Bucket.List(ctx, uploadsFolder, after) {
		if err != nil {
			return Page{}, storage(err)
		}
		if !isJSONFile(baseName(object.Key)) {
			continue
		}
		id := idOf(baseName(object.Key))
		if len(page.Images) >= q.Limit || scanned >= maxScanned {
			page.Next = id + "-0"
			return page, nil
		}
		scanned++
		if id != upload {
			skip = 0
		}
		images, err := s.imagesOf(ctx, id, skip)
		if err != nil {
			return Page{}, storage(err)
		}
		for i, image := range images {
			if len(page.Images) >= q.Limit {
				page.Next = cursor(id, skip+i)
				return page, nil
			}
			if image != nil && image.matches(q.Prefix) {
				page.Images = append(page.Images, *image)
			}
		}
	}
	return page, nil
}

// imagesOf returns the images of a record from the one with index skip on, nil where one is gone, or is that
// of another record.
func (s *Store) imagesOf(ctx context.Context, upload string, skip int) ([]*Image, error) {
	r, _, err := load[record](ctx, s.Bucket, recordKey(upload))
	if errors.Is(err, ErrAbsent) {
		return nil, nil // deleted since it was listed
	}
	if err != nil || skip >= len(r.Images) {
		return nil, err
	}
	images := make([]*Image, len(r.Images)-skip)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.parallel())
	for i := range images {
		g.Go(func() error {
			image, err := s.Image(ctx, r.Images[skip+i].ID)
			if err == nil && image.Upload == upload {
				images[i] = image
			}
			if IsNotFound(err) {
				return nil
			}
			return err
		})
	}
	return images, g.Wait()
}

// matches reports whether a filter lets the image pass.
func (i *Image) matches(prefix string) bool {
	return strings.HasPrefix(i.Name, prefix) || strings.HasPrefix(i.Key, prefix)
}
