package ingest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"time"
)

// How long marks count.
const (
	defaultMarkLife = 20 * time.Second    // after which its maker is taken for dead
	markWork        = defaultMarkLife / 2 // what may be done under one
	markPoll        = 50 * time.Millisecond
)

// marked removes objects of an image under a mark, so that no upload on another node commits what is about to go:
// an upload that finds such an object puts it anew, then waits until there is no mark, and then looks whether it
// is still there. So either work sees what was put anew and leaves it, or the upload sees that it is gone and puts
// it once more. A mark that outlives its maker is an orphan.
func (s *Store) marked(ctx context.Context, id, upload string, work func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, markWork)
	defer cancel()
	var nonce [4]byte
	_, _ = rand.Read(nonce[:]) // never fails, as its documentation says
	key := markPrefix(id) + hex.EncodeToString(nonce[:]) + markEnd
	if err := s.Bucket.Put(ctx, key, document([]byte("being removed\n")), How{Type: "text/plain", Upload: upload}); err != nil {
		return err
	}
	if err := work(ctx); err != nil {
		return err // what was asked for may still happen: the mark stays
	}
	return s.erase(ctx, key)
}

// unmarked waits until nobody removes objects of the image any more.
func (s *Store) unmarked(ctx context.Context, id string) error {
	since := map[string]time.Time{} // when a mark was first seen
	for {
		busy := false
		for object, err := range s.Bucket.List(ctx, markPrefix(id), "") {
			if err != nil {
				return err
			}
			if since[object.Key].IsZero() {
				since[object.Key] = time.Now()
			}
			busy = busy || time.Since(since[object.Key]) < cmp.Or(s.markLife, defaultMarkLife)
		}
		if !busy {
			return nil
		}
		select {
		case <-time.After(markPoll):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// document is the body of an object that is made here.
func document(data []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))
}
