package ingest

import (
	"context"
	"errors"
	"slices"
)

// placed is where one distinct image of an upload stands.
type placed struct {
	*checked
	existing *Image // committed before; nil = brought by this upload
	fresh    bool   // put where nothing was, so that a failure may take it away again
	again    bool   // put over what nobody had committed
}

// store looks at all px of an image while its bytes are on their way. Of one that is broken nothing stays. What cannot
// be taken back is looked at first.
func (u *upload) store(ctx context.Context, p *placed) error {
	if u.shared {
		if err := u.decode(ctx, p.checked); err != nil {
			return err
		}
		return u.place(ctx, p)
	}
	sending, stop := context.WithCancel(ctx)
	defer stop()
	sent := make(chan error, 1)
	go func() { sent <- u.place(sending, p) }()
	err := u.decode(ctx, p.checked)
	if err != nil {
		stop()
	}
	if late := <-sent; err == nil {
		err = late
	}
	if err != nil {
		u.takeBack(ctx, map[string]*placed{p.image.ID: p}, err)
	}
	return err
}

// place puts an image into the bucket, unless a committed one is there.
func (u *upload) place(ctx context.Context, p *placed) error {
	key := imageKey(p.image.Key)
	err := u.putNew(ctx, p)
	p.fresh = !errors.Is(err, ErrExists) // also after an error, for it may be there all the same
	if !p.fresh {
		if p.existing, err = u.committed(ctx, p.image.ID, key); err != nil || p.existing != nil {
			return storage(err)
		}
		p.again = true
		err = u.putOver(ctx, p)
	}
	if err == nil && p.image.Archive != "" {
		err = u.putArchive(ctx, p)
	}
	return storage(err)
}

// putNew puts an image where none is. A server that refuses a large body may end the connection before its refusal
// is read: then it is asked what is there.
func (u *upload) putNew(ctx context.Context, p *placed) error {
	key := imageKey(p.image.Key)
	err := u.Bucket.Put(ctx, key, p.clean.Content(), How{Type: p.mime(), Upload: u.id, IfNew: true})
	if err == nil || errors.Is(err, ErrExists) || hangs(err) || ctx.Err() != nil {
		return err
	}
	object, unknown := u.Bucket.Stat(ctx, key)
	switch {
	case unknown != nil:
		return err
	case object.Upload != u.id:
		return ErrExists
	}
	return nil
}

// putOver puts an image over one that nobody has committed, so that no sweep takes it away in between. Who has
// begun to remove the old one may still remove this one: that is waited for.
func (u *upload) putOver(ctx context.Context, p *placed) error {
	key := imageKey(p.image.Key)
	const tries = 5 // more have begun since
	for range tries {
		if err := u.Bucket.Put(ctx, key, p.clean.Content(), How{Type: p.mime(), Upload: u.id}); err != nil {
			return err
		}
		if err := u.unmarked(ctx, p.image.ID); err != nil {
			return err
		}
		if _, err := u.Bucket.Stat(ctx, key); !errors.Is(err, ErrAbsent) {
			return err
		}
	}
	return ErrAbsent
}

// putArchive keeps the untouched original. Who removes it does so before the image, so that nobody does any more
// once that was put.
func (u *upload) putArchive(ctx context.Context, p *placed) error {
	how := How{Type: "application/octet-stream", Upload: u.id}
	return u.Archive.Put(ctx, p.image.Archive, p.original.Content(), how)
}

// takeBack removes what a failed upload has put, as far as it can; the sweep does the rest. What another
// upload has put over it meanwhile is left alone, and so is what was put over another's object: that one may
// be about to commit it. What was put for an order that another node carries out as well may be that node's. A
// bucket that hangs is not asked for long.
func (u *upload) takeBack(ctx context.Context, images map[string]*placed, cause error) {
	if u.shared {
		return
	}
	ctx, cancel := afterwards(ctx)
	defer cancel()
	if hangs(cause) {
		ctx, cancel = context.WithTimeout(ctx, hungTime)
		defer cancel()
	}
	for id, p := range images {
		if p.fresh {
			_ = u.marked(ctx, id, u.id, func(ctx context.Context) error { // the sweep is the guarantee
				return u.removeObjects(ctx, &p.image, []string{u.id})
			})
		}
	}
}

// removeObjects removes the image's objects that one of the uploads has put; what somebody has put anew is
// theirs. The archive goes first: where the image is not there any more, nothing is removed any more.
func (s *Store) removeObjects(ctx context.Context, image *Image, uploads []string) error {
	if image.Archive != "" && s.Archive != nil {
		if err := removeOf(ctx, s.Archive, image.Archive, uploads); err != nil {
			return err
		}
	}
	return removeOf(ctx, s.Bucket, imageKey(image.Key), uploads)
}

// removeOf removes an object that one of the uploads has put. Before each try it is looked at: once it is gone,
// the name may be another's.
func removeOf(ctx context.Context, b Bucket, key string, uploads []string) error {
	var err error
	for range eraseTries {
		var object Object
		if object, err = b.Stat(ctx, key); errors.Is(err, ErrAbsent) {
			return nil
		}
		if err != nil || !slices.Contains(uploads, object.Upload) {
			return err
		}
		if err = b.Delete(ctx, key); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

const eraseTries = 3

// erase removes an object that nobody but this upload, or the holder of a mark, writes.
func (s *Store) erase(ctx context.Context, key string) error {
	var err error
	for range eraseTries {
		if err = s.Bucket.Delete(ctx, key); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}
