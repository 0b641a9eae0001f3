package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/imgedge/imgedge/resize"
)

// Order is one upload.
type Order struct {
	Files  []*File // closed by the caller
	Atomic bool    // all or nothing; else each file by itself
	Focus  *Focus  // of every image; nil = none
	Tags   []string

	// ID is that of the upload, by which Answered finds what became of it. It was made by NewUploadID, and no other
	// order has it, but for repetitions of this one. "" = nobody asks.
	ID  string
	Sum string // kept for Answered: what the order is told from others by

	shared bool // another node may be carrying out the same order, under the same ID
}

// Stored is an image that an upload brought or found there.
type Stored struct {
	Image
	Existing bool // it had been committed before
}

// Outcome is what became of an upload, in the order of its files.
type Outcome struct {
	Upload string // of its commit record; "" where everything had been there
	Images []Stored
	Errors []FileError // of an upload that is not atomic
}

// Upload checks, cleans, stores and commits. The images are visible once it returns, all of them or none.
// An *UploadError names what could not be taken: by an atomic upload, the first file in order decides.
func (s *Store) Upload(ctx context.Context, o Order) (Outcome, error) {
	if err := s.acceptable(o); err != nil {
		return Outcome{}, err
	}
	u := &upload{Store: s, Order: o, id: cmp.Or(o.ID, NewUploadID(s.now())), files: make([]*checked, len(o.Files)), errs: make([]error, len(o.Files))}
	defer u.drop()
	u.each(func(i int) (err error) {
		u.files[i], err = s.prepare(ctx, o.Files[i])
		return err
	})
	if err := ctx.Err(); err != nil {
		return Outcome{}, err
	}
	if err := u.refused(); err != nil {
		s.stats.refused.Add(1)
		return Outcome{}, err
	}
	unlock, err := s.locks.lock(ctx, u.ids()...)
	if err != nil {
		return Outcome{}, err
	}
	defer unlock()
	outcome, err := u.transact(ctx)
	if err != nil {
		s.stats.refused.Add(1)
		return Outcome{}, err
	}
	s.stats.uploads.Add(1)
	return outcome, nil
}

// acceptable checks what an order says before any file is looked at.
func (s *Store) acceptable(o Order) error {
	if len(o.Files) == 0 {
		return resize.BadOption("the upload has no file")
	}
	if len(o.Files) > s.maxFiles() {
		return s.tooMany()
	}
	if o.Focus != nil && !o.Focus.Valid() {
		return resize.BadOption("fx and fy: each is 0 to 1")
	}
	return checkTags(o.Tags)
}

// tooMany refuses an upload for the number of its files.
func (s *Store) tooMany() error {
	return resize.TooLarge(fmt.Sprintf("more files than ingest.max_files, %d", s.maxFiles()))
}

// CheckFiles refuses a number of files that is too large, so that not all of them have to be received.
func (s *Store) CheckFiles(n int) error {
	if n > s.maxFiles() {
		return s.tooMany()
	}
	return nil
}

// upload is one order while it is carried out.
type upload struct {
	*Store
	Order
	id    string
	files []*checked // nil where errs says why
	errs  []error
}

// each calls fn for every file that is still good, several at once, and notes its error.
func (u *upload) each(fn func(i int) error) {
	var g errgroup.Group
	g.SetLimit(u.parallel())
	for i := range u.Files {
		if u.errs[i] == nil {
			g.Go(func() error {
				u.errs[i] = fn(i)
				return nil
			})
		}
	}
	_ = g.Wait() // the errors are in errs
}

// refused is an error where the upload cannot go on: a file is bad and all are wanted, or none is good.
func (u *upload) refused() error {
	bad := u.bad()
	if len(bad.Files) == 0 || !u.Atomic && len(bad.Files) < len(u.Files) {
		return nil
	}
	return bad
}

// bad returns the errors so far.
func (u *upload) bad() *UploadError {
	e := &UploadError{}
	for i, err := range u.errs {
		if err == nil {
			continue
		}
		if e.Err == nil {
			e.Err = err
		}
		e.Files = append(e.Files, fileError(u.Files[i].Name, err))
	}
	return e
}

func (u *upload) ids() []string {
	var ids []string
	for _, c := range u.files {
		if c != nil {
			ids = append(ids, c.image.ID)
		}
	}
	return ids
}

func (u *upload) drop() {
	for _, c := range u.files {
		c.drop()
	}
}

// checkTags bounds what is kept with an image.
func checkTags(tags []string) error {
	const most, longest = 32, 128
	if len(tags) > most {
		return resize.BadOption(fmt.Sprintf("tags: at most %d", most))
	}
	for _, tag := range tags {
		if tag == "" || len(tag) > longest || cleanName(tag) != tag {
			return resize.BadOption(fmt.Sprintf("tags: each has 1 to %d bytes, without control characters and slashes", longest))
		}
	}
	return nil
}

// isStatus reports whether an error knows this status.
func isStatus(err error, status int) bool {
	var c coded
	return errors.As(err, &c) && c.HTTPStatus() == status
}

// IsNotFound reports whether an error says that there is no such image.
func IsNotFound(err error) bool { return isStatus(err, http.StatusNotFound) }
