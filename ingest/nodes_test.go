package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imgedge/imgedge/resize"
)

// watched is a Bucket that tells of its calls before it makes them.
type watched struct {
	Bucket
	before func(call string)
}

func (w *watched) List(ctx context.Context, prefix, after string) iter.Seq2[Object, error] {
	w.before("LIST " + prefix)
	return w.Bucket.List(ctx, prefix, after)
}

func (w *watched) Delete(ctx context.Context, key string) error {
	w.before("DELETE " + key)
	return w.Bucket.Delete(ctx, key)
}

// One node is about to remove an object that nobody names any more when another takes an upload of the same
// picture: whatever comes first, the upload's picture is there afterwards.
func TestRemovalRacesUpload(t *testing.T) {
	server := newServer(t)
	id := pictureID(1)
	clean, _ := resize.Clean(picture(1), resize.FormatJPEG, 1)
	for _, row := range []struct {
		name    string
		prepare func(s *Store) error
		remove  func(s *Store) error
	}{
		{"a deletion", func(s *Store) error {
			_, err := s.Upload(t.Context(), order(t, s, 1))
			return err
		}, func(s *Store) error { return s.Delete(t.Context(), id) }},
		{"a sweep", func(s *Store) error {
			return s.Bucket.Put(t.Context(), imageKey(id+".jpg"), document(clean), How{Type: "image/jpeg", Upload: NewUploadID(time.Now())})
		}, func(s *Store) error {
			_, err := s.Sweep(t.Context(), Sweep{Grace: -time.Hour, Delete: true, Rate: 1e6})
			return err
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			prefix := strings.ReplaceAll(row.name, " ", "-") + "/"
			one, other := server.store(prefix), server.store(prefix)
			if err := row.prepare(one); err != nil {
				t.Fatal(err)
			}
			removing, goOn := make(chan struct{}), make(chan struct{})
			let := sync.OnceFunc(func() { close(goOn) })
			one.Bucket = &watched{one.Bucket, func(call string) {
				if call == "DELETE "+imageKey(id+".jpg") {
					close(removing)
					<-goOn
				}
			}}
			other.Bucket = &watched{other.Bucket, func(call string) {
				if call == "LIST "+markPrefix(id) {
					let() // the upload has put its object, and looks who may be about to remove it
				}
			}}
			var nodes errgroup.Group
			nodes.Go(func() error { return row.remove(one) })
			<-removing
			nodes.Go(func() error {
				defer let()
				_, err := other.Upload(t.Context(), order(t, other, 1))
				return err
			})
			if err := nodes.Wait(); err != nil {
				t.Fatal(err)
			}
			if seen := visible(t, other); !slices.Equal(seen, []string{id}) {
				t.Errorf("visible %v, want %s", seen, id)
			}
			whole(t, other, nil)
		})
	}
}

// Two nodes upload and delete the same few pictures at random: what is visible in the end is there.
func TestTwoNodes(t *testing.T) {
	server := newServer(t)
	for seed := range uint64(3) {
		prefix := fmt.Sprintf("seed%d/", seed)
		var nodes errgroup.Group
		for n := range uint64(2) {
			s, random := server.store(prefix), rand.New(rand.NewPCG(seed, n))
			nodes.Go(func() error {
				for range 25 {
					st := step{Op: []string{"upload", "delete"}[random.IntN(2)], Pictures: random.Perm(3)[:1+random.IntN(2)]}
					if err := s.do(st); err != nil {
						return fmt.Errorf("%s %v: %w", st.Op, st.Pictures, err)
					}
				}
				return nil
			})
		}
		if err := nodes.Wait(); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		s := server.store(prefix)
		seen := visible(t, s)
		everything(t, s)
		if after := visible(t, s); !slices.Equal(after, seen) {
			t.Errorf("seed %d: the sweep changed %v to %v", seed, seen, after)
		}
		for _, id := range seen {
			data, _, err := s.Bucket.Get(t.Context(), imageKey(id+".jpg"), 1<<20)
			if sum := sha256.Sum256(data); err != nil || imageID(sum) != id {
				t.Errorf("seed %d: the object of %s: %v", seed, id, err)
			}
			if err := s.Delete(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
		everything(t, s)
		if left := keys(t, s.Bucket); len(left) > 0 {
			t.Errorf("seed %d: %v is left over", seed, left)
		}
	}
}

// Completing an upload of a picture that was there before gives one answer, however often, as long as the
// picture is there; then nothing is left of it.
func TestCompleteOfWhatIsThere(t *testing.T) {
	server := newServer(t)
	s := server.store("a/")
	s.Presigner = server.under("a/")
	if _, err := s.Upload(t.Context(), order(t, s, 1)); err != nil {
		t.Fatal(err)
	}
	ticket, err := s.Direct(t.Context(), "image/jpeg", int64(len(picture(1))))
	if err != nil {
		t.Fatal(err)
	}
	putBy(t, ticket, picture(1), "")
	first, err := s.Complete(t.Context(), ticket.ID, "a.jpg", Order{})
	if err != nil || len(first.Images) != 1 || !first.Images[0].Existing || first.Images[0].Name != "a.jpg" {
		t.Fatalf("Complete = %+v, %v", first, err)
	}
	everything(t, s)
	again, err := s.Complete(t.Context(), ticket.ID, "", Order{})
	if err != nil || fmt.Sprint(again) != fmt.Sprint(first) {
		t.Errorf("completed twice:\n%+v, %v, want\n%+v", again, err, first)
	}
	if err := s.Delete(t.Context(), pictureID(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Complete(t.Context(), ticket.ID, "", Order{}); !IsNotFound(err) {
		t.Errorf("completed after the image was deleted: %v", err)
	}
	everything(t, s)
	whole(t, s, nil)
}

// What is read of a file with parts is what they make, from any place on.
func TestReadAt(t *testing.T) {
	s := &Store{TempDir: t.TempDir()}
	large := bytes.Repeat([]byte("0123456789"), inMemory/5)
	for _, data := range [][]byte{large[:1000], large} {
		f := received(t, s, "a", data)
		made, err := s.cleaned(f, data, []resize.Piece{{Off: 3, Len: 4}, {New: []byte("new")}, {Off: 500, Len: 500}})
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Concat(data[3:7], []byte("new"), data[500:1000])
		if err := f.Close(); err != nil { // the other one lives on
			t.Fatal(err)
		}
		if got, err := made.Bytes(); err != nil || !bytes.Equal(got, want) || made.sum != sha256.Sum256(want) || made.Size() != int64(len(want)) {
			t.Fatalf("Bytes: %q, %v", got, err)
		}
		for off := range len(want) + 1 {
			got := make([]byte, 9)
			n, err := made.ReadAt(got, int64(off))
			if wanted := want[off:min(off+9, len(want))]; !bytes.Equal(got[:n], wanted) || (n < 9) != (err != nil) {
				t.Fatalf("ReadAt(%d) = %q, %v, want %q", off, got[:n], err, wanted)
			}
		}
		if err := made.Close(); err != nil {
			t.Error(err)
		}
	}
}
