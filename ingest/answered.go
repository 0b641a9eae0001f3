package ingest

import (
	"context"
	"errors"
)

// answered is what became of one file of an upload that may be asked for again.
type answered struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	BytesSent int64  `json:"bytes_sent"`
	Existing  bool   `json:"existing,omitempty"`
}

// answers lists what was stored.
func answers(o *Outcome) []answered {
	all := make([]answered, len(o.Images))
	for i := range o.Images {
		stored := &o.Images[i]
		all[i] = answered{ID: stored.ID, Name: stored.Name, BytesSent: stored.BytesSent, Existing: stored.Existing}
	}
	return all
}

// Answered returns what became of an upload whose order had this ID, and the order's Sum, as far as its images
// are still there; a 404 if it was not committed, or if none is.
func (s *Store) Answered(ctx context.Context, id string) (out Outcome, sum string, err error) {
	if !isID(id) {
		return out, "", notFound()
	}
	r, _, err := load[record](ctx, s.Bucket, recordKey(id))
	if errors.Is(err, ErrAbsent) {
		return out, "", notFound()
	}
	if err != nil {
		return out, "", storage(err)
	}
	out.Errors = r.Errors
	if len(r.Images) > 0 {
		out.Upload = id
	}
	for _, a := range r.Files {
		image, err := s.Image(ctx, a.ID)
		if IsNotFound(err) {
			continue // deleted since
		}
		if err != nil {
			return Outcome{}, "", err
		}
		stored := Stored{Image: *image, Existing: a.Existing}
		stored.Name, stored.BytesSent = a.Name, a.BytesSent
		out.Images = append(out.Images, stored)
	}
	if len(out.Images) == 0 {
		return Outcome{}, "", notFound()
	}
	return out, r.Sum, nil
}
