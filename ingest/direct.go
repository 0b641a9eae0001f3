package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/imgedge/imgedge/resize"
)

// DirectLife is for how long a client may put a file itself.
const DirectLife = 15 * time.Minute

// Ticket lets a client put one file into the bucket itself, with a PUT of these headers, before it expires.
type Ticket struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Expires time.Time         `json:"expires"`
}

// Direct prepares an upload that goes straight to the bucket: of exactly size bytes, with that Content-Type,
// both of which the signature covers. Nothing is visible before Complete.
func (s *Store) Direct(ctx context.Context, mediaType string, size int64) (*Ticket, error) {
	if s.Presigner == nil {
		return nil, notFound()
	}
	if size <= 0 {
		return nil, resize.BadOption("size: the file's length in bytes, more than 0")
	}
	if size > s.maxFile() {
		return nil, resize.TooLarge(fmt.Sprintf("size: more than ingest.max_file, %d bytes", s.maxFile()))
	}
	if !pictureType(mediaType) {
		return nil, resize.Unsupported("unsupported_format", "type: the Content-Type of a picture, as in image/jpeg")
	}
	id := NewUploadID(s.now())
	url, headers, err := s.Presigner.Presign(ctx, partKey(id), How{Type: mediaType, Upload: id}, size, DirectLife)
	if err != nil {
		return nil, storage(err)
	}
	return &Ticket{ID: id, Method: http.MethodPut, URL: url, Headers: headers, Expires: s.now().Add(DirectLife).UTC().Truncate(time.Second)}, nil
}

// pictureType reports whether a media type is that of a format we know.
func pictureType(mediaType string) bool {
	for f := resize.FormatJPEG; f <= resize.FormatICO; f++ {
		if mediaType != "" && f.MIME() == mediaType {
			return true
		}
	}
	return false
}

// Complete checks and commits what a client has put there, as Upload does; name, focal point and tags are
// those of the order. Completing twice gives the first answer again, while its image is there. A 404 if nothing was put.
func (s *Store) Complete(ctx context.Context, id string, name string, o Order) (Outcome, error) {
	if !isID(id) {
		return Outcome{}, notFound()
	}
	unlock, err := s.locks.lock(ctx, "upload-"+id)
	if err != nil {
		return Outcome{}, err
	}
	defer unlock()
	if out, _, err := s.Answered(ctx, id); !IsNotFound(err) {
		return out, err
	}
	f, err := emptyFile(s.TempDir)
	if err != nil {
		return Outcome{}, err
	}
	defer func() { _ = f.Close() }() // nothing is written behind
	object, err := s.Bucket.Fetch(ctx, partKey(id), f.tmp, s.maxFile())
	if errors.Is(err, ErrAbsent) || err == nil && object.Upload != id { // not put by our ticket
		return Outcome{}, notFound()
	}
	if err != nil {
		return Outcome{}, storage(err)
	}
	f.Name, f.size = cleanName(cmp.Or(name, "upload")), object.Size
	o.Files, o.Atomic, o.ID, o.shared = []*File{f}, true, id, true
	outcome, err := s.Upload(ctx, o)
	var refused *UploadError
	if err == nil || errors.As(err, &refused) && refused.HTTPStatus() < http.StatusInternalServerError {
		ctx, cancel := afterwards(ctx)
		defer cancel()
		_ = s.erase(ctx, partKey(id)) // it is an orphan otherwise
	}
	return outcome, err
}
