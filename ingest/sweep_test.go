package ingest

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// leftBehind puts what a crash leaves: an image without a record, a file that was put by a client and never
// completed, and an image whose manifest was not written any more.
func leftBehind(t *testing.T, s *Store) (orphan, part, unwritten string) {
	t.Helper()
	upload := NewUploadID(time.Now())
	got, err := s.Upload(t.Context(), order(t, s, 20))
	if err != nil {
		t.Fatal(err)
	}
	unwritten = got.Images[0].ID
	orphan, part = imageKey(pictureID(21)+".jpg"), partKey(upload)
	err = errors.Join(
		s.Bucket.Delete(t.Context(), manifestKey(unwritten)),
		s.Bucket.Put(t.Context(), orphan, document(picture(21)), How{Upload: upload}),
		s.Bucket.Put(t.Context(), part, document(picture(21)), How{Upload: upload}))
	if err != nil {
		t.Fatal(err)
	}
	return orphan, part, unwritten
}

// As long as an orphan's archive may be removed its image is there, so that who uploads it anew waits.
func TestSweepRemovesTheArchiveFirst(t *testing.T) {
	server := newServer(t)
	s := server.store("a/")
	s.Archive = server.under("old/")
	name := pictureID(21) + ".jpg"
	upload := NewUploadID(time.Now())
	err := errors.Join(
		s.Bucket.Put(t.Context(), imageKey(name), document(picture(21)), How{Upload: upload}),
		s.Archive.Put(t.Context(), name, document(picture(21)), How{Upload: upload}))
	if err != nil {
		t.Fatal(err)
	}
	var removed []string
	_, err = s.Sweep(t.Context(), Sweep{Grace: -time.Hour, Delete: true, Rate: 1e6, Each: func(f Finding) { removed = append(removed, f.Key) }})
	if want := []string{name, imageKey(name)}; err != nil || !slices.Equal(removed, want) {
		t.Errorf("removed %v (%v), want %v", removed, err, want)
	}
}

func TestSweep(t *testing.T) {
	s := newServer(t).store("a/")
	others := strangers(t, s.Bucket)
	orphan, part, unwritten := leftBehind(t, s)
	var found []Finding
	sweep := func(o Sweep) Report {
		t.Helper()
		found = nil
		o.Rate, o.Each = 1e6, func(f Finding) { found = append(found, f) }
		r, err := s.Sweep(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	of := func(kind Kind) []string {
		var all []string
		for _, f := range found {
			if f.Kind == kind {
				all = append(all, f.Key)
			}
		}
		slices.Sort(all)
		return all
	}
	foreign := len(others) - 3 // readme.txt, imagesx/ and variants/ lie where a sweep does not look

	if r := sweep(Sweep{Delete: true}); r.Orphans != 0 || r.Young != 2 || r.Foreign != foreign || r.Images != 1 || r.Rebuilt != 1 {
		t.Errorf("within the grace period: %+v (%v)", r, found)
	}
	if err := s.Bucket.Delete(t.Context(), manifestKey(unwritten)); err != nil {
		t.Fatal(err)
	}
	before := keys(t, s.Bucket)
	if r := sweep(Sweep{Grace: -time.Hour}); r.Orphans != 2 || r.Removed != 0 || r.Rebuilt != 1 || !slices.Equal(keys(t, s.Bucket), before) {
		t.Errorf("dry run: %+v", r)
	}
	if got, want := of(KindOrphan), []string{orphan, part}; !slices.Equal(got, want) {
		t.Errorf("orphans %v, want %v", got, want)
	}
	for _, f := range found {
		if f.Kind == KindForeign && !others[f.Key] {
			t.Errorf("%s counts as foreign", f.Key)
		}
	}
	s.Now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	if r := sweep(Sweep{Delete: true}); r.Orphans != 2 || r.Removed != 2 || r.Rebuilt != 1 || r.Young != 0 {
		t.Errorf("a day later: %+v", r)
	}
	whole(t, s, others)
	untouched(t, s.Bucket, others)
	if seen := visible(t, s); !slices.Equal(seen, []string{unwritten}) {
		t.Errorf("visible %v", seen)
	}
	if got := s.Stats(); got.Orphans != 2 {
		t.Errorf("stats %+v", got)
	}
}

// Between the judgment and the deletion somebody commits the very object.
func TestSweepAsksAgain(t *testing.T) {
	s := newServer(t).store("a/")
	orphan, _, _ := leftBehind(t, s)
	raced := false
	r, err := s.Sweep(t.Context(), Sweep{Grace: -time.Hour, Delete: true, Rate: 1e6, Alive: func() bool { // asked before each deletion
		if !raced {
			raced = true
			if _, err := s.Upload(t.Context(), order(t, s, 21)); err != nil {
				t.Error(err)
			}
		}
		return true
	}})
	if err != nil || r.Removed != 1 {
		t.Errorf("report %+v, %v; want the part alone removed", r, err)
	}
	if _, err := s.Bucket.Stat(t.Context(), orphan); err != nil {
		t.Errorf("what was committed meanwhile: %v", err)
	}
}

// Uploads, deletions and sweeps at once lose nothing and leave nothing.
func TestSweepsAtOnce(t *testing.T) {
	server := newServer(t)
	others := strangers(t, server.under("a/"))
	s := server.store("a/")
	leftBehind(t, s)
	var wg sync.WaitGroup
	for worker := range 2 {
		wg.Go(func() {
			for i := range 12 {
				got, err := s.Upload(t.Context(), order(t, s, i%5, 5+worker))
				if err != nil {
					t.Errorf("upload: %v", err)
					return
				}
				if i%3 == 0 {
					if err := s.Delete(t.Context(), got.Images[0].ID); err != nil && !IsNotFound(err) {
						t.Errorf("delete: %v", err)
					}
				}
			}
		})
		wg.Go(func() {
			for range 4 {
				if _, err := s.Sweep(t.Context(), Sweep{Grace: -time.Hour, Delete: true, Rate: 1e6}); err != nil {
					t.Errorf("sweep: %v", err)
				}
			}
		})
	}
	wg.Wait()
	everything(t, s)
	whole(t, s, others)
	untouched(t, s.Bucket, others)
	for _, n := range []int{5, 6} {
		if _, err := s.Image(t.Context(), pictureID(n)); err != nil {
			t.Errorf("picture %d, which nobody deleted: %v", n, err)
		}
	}
}

func TestSweepGivesUp(t *testing.T) {
	s := newServer(t).store("a/")
	leftBehind(t, s)
	before := keys(t, s.Bucket)
	_, err := s.Sweep(t.Context(), Sweep{Grace: -time.Hour, Delete: true, Alive: func() bool { return false }})
	if !errors.Is(err, ErrLeaseLost) {
		t.Errorf("error %v, want ErrLeaseLost", err)
	}
	if after := keys(t, s.Bucket); len(after) < len(before) {
		t.Errorf("something was removed: %v", after)
	}
}

func TestIDs(t *testing.T) {
	old, young := NewUploadID(time.Now()), NewUploadID(time.Now().Add(time.Second))
	if young > old || !isID(old) {
		t.Errorf("%s, then %s: the newest has to come first", old, young)
	}
	for name, want := range map[string]bool{
		old + ".jpg": true, old: false, old + ".": false, old + ".tar.gz": false, old[1:] + ".jpg": false,
		strings.ToUpper(pictureID(1)) + ".jpg": false, old + ".jpeg2": false,
	} {
		if got := isImageFile(name); got != want {
			t.Errorf("isImageFile(%q) = %v", name, got)
		}
	}
}
