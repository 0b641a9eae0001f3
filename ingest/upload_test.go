package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/resize"
)

func TestUpload(t *testing.T) {
	s := newServer(t).store("a/")
	o := order(t, s, 1, 2)
	o.Focus, o.Tags = &Focus{0.25, 0.75}, []string{"summer"}
	got, err := s.Upload(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Images) != 2 || got.Upload == "" || len(got.Errors) > 0 {
		t.Fatalf("outcome %+v", got)
	}
	first := got.Images[0]
	if first.Name != "p.jpg" || first.Format != "jpeg" || first.Width != 9 || first.Height != 8 || first.Existing || first.Key != first.ID+".jpg" ||
		first.BytesSent != first.Bytes+2 || first.ThumbHash != "aGFzaA==" || first.Color != "#112233" || *first.Focus != (Focus{0.25, 0.75}) || first.SHA256[:32] != first.ID {
		t.Errorf("image %+v", first)
	}
	if same, err := s.Image(t.Context(), first.ID); err != nil || same.ID != first.ID || same.Upload != got.Upload {
		t.Errorf("Image = %+v, %v", same, err)
	}
	whole(t, s, nil)

	again, err := s.Upload(t.Context(), order(t, s, 2, 3, 3))
	if err != nil {
		t.Fatal(err)
	}
	var existing []bool
	for _, i := range again.Images {
		existing = append(existing, i.Existing)
	}
	if want := []bool{true, false, true}; !slices.Equal(existing, want) {
		t.Errorf("existing %v, want %v", existing, want)
	}
	if len(visible(t, s)) != 3 {
		t.Errorf("visible %v, want three", visible(t, s))
	}
	whole(t, s, nil)
	if only, err := s.Upload(t.Context(), order(t, s, 1)); err != nil || only.Upload != "" || !only.Images[0].Existing {
		t.Errorf("upload of what is there: %+v, %v", only, err)
	}
	whole(t, s, nil)
}

// The promise of the price list: one PUT for the picture, one for the record, one for the manifest.
func TestUploadCalls(t *testing.T) {
	server := newServer(t)
	p, s := newProxy(t, server, "a/")
	got, err := s.Upload(t.Context(), order(t, s, 1))
	if err != nil {
		t.Fatal(err)
	}
	id := got.Images[0].ID
	want := []string{"PUT images/" + id + ".jpg", "PUT uploads/" + got.Upload + ".json", "PUT manifests/" + id + ".json"}
	if calls := p.made(); !slices.Equal(calls, want) {
		t.Errorf("calls %v\nwant  %v", calls, want)
	}

	p, s = newProxy(t, server, "b/")
	s.Archive = server.under("old/")
	if got, err = s.Upload(t.Context(), order(t, s, 1)); err != nil {
		t.Fatal(err)
	}
	if calls := p.made(); len(calls) != 3 {
		t.Errorf("with an archive elsewhere: %v", calls)
	}
	data, _, err := s.Archive.Get(t.Context(), got.Images[0].Archive, 1<<20)
	if err != nil || !bytes.Equal(data, picture(1)) {
		t.Errorf("the archive has not what was sent: %v", err)
	}
}

// One bad file among twelve: nothing is kept, and the answer names it.
func TestOneBadFile(t *testing.T) {
	p, s := newProxy(t, newServer(t), "a/")
	for _, row := range []struct {
		name   string
		data   []byte
		status int
		code   string
		sends  bool // what is wrong is only seen when the others are on their way
	}{
		{"text.jpg", []byte("no picture at all"), http.StatusUnsupportedMediaType, "not_an_image", false},
		{"cut.jpg", picture(7)[:200], http.StatusUnprocessableEntity, "corrupt_image", false},
		{"empty.jpg", nil, http.StatusUnsupportedMediaType, "not_an_image", false},
		{"broken.jpg", picture(broken), http.StatusUnprocessableEntity, "corrupt_image", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := order(t, s, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
			o.Files[6] = received(t, s, row.name, row.data)
			_, err := s.Upload(t.Context(), o)
			var refused *UploadError
			if !errors.As(err, &refused) || refused.HTTPStatus() != row.status || refused.Code() != row.code || len(refused.Files) != 1 || refused.Files[0].File != row.name {
				t.Fatalf("error %v, want %d %s naming %s", err, row.status, row.code, row.name)
			}
			if sent := len(p.made()) > 0; sent != row.sends {
				t.Errorf("calls %v", p.made())
			}
			if seen := visible(t, s); len(seen) > 0 {
				t.Errorf("visible: %v", seen)
			}
			if row.sends {
				settle(t, s.Bucket)
				everything(t, s)
			}
			if left := keys(t, s.Bucket); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			p.forget()
		})
	}
	o := order(t, s, 1, 2)
	o.Atomic = false
	o.Files = append(o.Files, received(t, s, "text.jpg", []byte("no picture")))
	got, err := s.Upload(t.Context(), o)
	if err != nil || len(got.Images) != 2 || len(got.Errors) != 1 || got.Errors[0].File != "text.jpg" || got.Errors[0].Code != "not_an_image" {
		t.Errorf("not atomic: %+v, %v", got, err)
	}
	whole(t, s, nil)
	o.Files = o.Files[2:]
	if _, err := s.Upload(t.Context(), o); !isStatus(err, http.StatusUnsupportedMediaType) {
		t.Errorf("not atomic, all bad: %v", err)
	}
}

func TestLimitsOfUploads(t *testing.T) {
	s := newServer(t).store("a/")
	s.MaxFiles, s.MaxFile = 2, 1000
	if _, err := s.Upload(t.Context(), order(t, s, 1, 2, 3)); !isStatus(err, http.StatusRequestEntityTooLarge) {
		t.Errorf("three of two files: %v", err)
	}
	if _, err := s.Upload(t.Context(), Order{}); !isStatus(err, http.StatusBadRequest) {
		t.Errorf("no file: %v", err)
	}
	if _, err := s.Receive(strings.NewReader(strings.Repeat("x", 1001)), "a"); !isStatus(err, http.StatusRequestEntityTooLarge) {
		t.Errorf("1001 bytes of 1000: %v", err)
	}
	s.MaxFile = 3 * inMemory
	for _, n := range []int{0, 1, inMemory - 1, inMemory, inMemory + 1, 3 * inMemory} {
		data := bytes.Repeat([]byte("0123456789abcde"), n/15+1)[:n]
		f := received(t, s, `C:\Users\me\..\größe`+"\n\u202e.jpg", data)
		got, err := f.Bytes()
		if err != nil || !bytes.Equal(got, data) || f.Name != "größe\u202e.jpg" {
			t.Errorf("%d bytes: got %d, name %q", n, f.Size(), f.Name)
		}
		if (f.tmp != nil) != (n >= inMemory) {
			t.Errorf("%d bytes: in a file %v", n, f.tmp != nil)
		}
		if err := errors.Join(f.Close(), f.Close()); err != nil {
			t.Error(err)
		}
	}
}

// The bucket fails at each call in turn: before the call is carried out, and after.
func TestBucketFailsAtEachCall(t *testing.T) {
	server := newServer(t)
	for _, how := range []failure{refused, lost} {
		for n := 1; ; n++ {
			prefix := fmt.Sprintf("%d-%d/", how, n)
			p, s := newProxy(t, server, prefix)
			direct := server.store(prefix)
			p.fail = func(call int) failure {
				if call >= n && call < n+3 { // every try of one call
					return how
				}
				return fine
			}
			got, err := s.Upload(t.Context(), order(t, s, 1, 2, 3))
			seen := visible(t, direct)
			switch {
			case err == nil && len(seen) != 3:
				t.Errorf("%s: taken, and %d visible", prefix, len(seen))
			case err != nil && len(seen) > 0:
				t.Errorf("%s: refused with %v, and %v visible", prefix, err, seen)
			case err != nil && !isStatus(err, http.StatusBadGateway):
				t.Errorf("%s: %v, want a 502", prefix, err)
			}
			if left := keys(t, direct.Bucket); err != nil && len(left) > 0 {
				t.Errorf("%s: refused, and %v was not taken back", prefix, left)
			}
			everything(t, direct)
			whole(t, direct, nil)
			if again := visible(t, direct); !slices.Equal(again, seen) {
				t.Errorf("%s: the sweep changed %v to %v", prefix, seen, again)
			}
			if err == nil && !slices.Equal(slices.Sorted(slices.Values(idsOf(got))), seen) {
				t.Errorf("%s: answered %v, visible %v", prefix, idsOf(got), seen)
			}
			if len(p.made()) < n { // the upload was over before
				if n < 7 {
					t.Errorf("only %d calls were made to fail", n)
				}
				break
			}
		}
	}
}

func TestDelete(t *testing.T) {
	server := newServer(t)
	s := server.store("a/")
	s.Archive = server.under("old/")
	got, err := s.Upload(t.Context(), order(t, s, 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	ids := idsOf(got)
	if err := s.Delete(t.Context(), ids[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Image(t.Context(), ids[0]); !IsNotFound(err) {
		t.Errorf("after it was deleted: %v", err)
	}
	if err := s.Delete(t.Context(), ids[0]); !IsNotFound(err) {
		t.Errorf("deleted twice: %v", err)
	}
	if err := s.Delete(t.Context(), "../x"); !IsNotFound(err) {
		t.Errorf("no id: %v", err)
	}
	whole(t, s, nil)
	if left := keys(t, s.Archive); len(left) != 1 {
		t.Errorf("archive %v, want one", left)
	}
	back, err := s.Upload(t.Context(), order(t, s, 1))
	if err != nil || back.Images[0].Existing || back.Images[0].ID != ids[0] {
		t.Errorf("uploaded again: %+v, %v", back, err)
	}
	if err := errors.Join(s.Delete(t.Context(), ids[0]), s.Delete(t.Context(), ids[1])); err != nil {
		t.Error(err)
	}
	if left := append(keys(t, s.Bucket), keys(t, s.Archive)...); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// TestDeleteUntold deletes while the other nodes cannot be told: the image stays, and a second call removes it.
func TestDeleteUntold(t *testing.T) {
	s := newServer(t).store("a/")
	got, err := s.Upload(t.Context(), order(t, s, 1))
	if err != nil {
		t.Fatal(err)
	}
	away := errors.New("redis is away")
	var told []string
	s.Purge = func(_ context.Context, key string) error {
		told = append(told, key)
		return away
	}
	id := idsOf(got)[0]
	if err := s.Delete(t.Context(), id); !errors.Is(err, away) {
		t.Errorf("Delete = %v, want %v", err, away)
	}
	if _, err := s.Image(t.Context(), id); err != nil {
		t.Errorf("after a deletion that failed: %v", err)
	}
	away = nil
	if err := s.Delete(t.Context(), id); err != nil {
		t.Error(err)
	}
	if last := told[len(told)-1]; len(told) < 2 || last != got.Images[0].Key {
		t.Errorf("told to forget %q", told)
	}
	if left := keys(t, s.Bucket); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestChange(t *testing.T) {
	s := newServer(t).store("a/")
	got, err := s.Upload(t.Context(), order(t, s, 1))
	if err != nil {
		t.Fatal(err)
	}
	id := got.Images[0].ID
	tags := []string{"a", "b"}
	if i, err := s.Change(t.Context(), id, Change{Focus: &Focus{1, 0}, Tags: &tags}); err != nil || *i.Focus != (Focus{1, 0}) || !slices.Equal(i.Tags, tags) {
		t.Errorf("Change = %+v, %v", i, err)
	}
	if i, err := s.Change(t.Context(), id, Change{NoFocus: true}); err != nil || i.Focus != nil || len(i.Tags) != 2 {
		t.Errorf("Change = %+v, %v", i, err)
	}
	if _, err := s.Change(t.Context(), id, Change{Focus: &Focus{1.01, 0}}); !isStatus(err, 400) {
		t.Errorf("outside: %v", err)
	}
	if _, err := s.Change(t.Context(), strings.Repeat("0", 32), Change{}); !IsNotFound(err) {
		t.Errorf("of nothing: %v", err)
	}
	bad := []string{"a/b"}
	if _, err := s.Change(t.Context(), id, Change{Tags: &bad}); !isStatus(err, 400) {
		t.Errorf("bad tag: %v", err)
	}
}

func TestList(t *testing.T) {
	s := newServer(t).store("a/")
	var want []string // the newest first
	for i := range 3 {
		o := Order{Atomic: true}
		for j := range 4 {
			o.Files = append(o.Files, received(t, s, fmt.Sprintf("set%d-%d.jpg", i, j), picture(10*i+j)))
		}
		at := time.Date(2026, 11, 21+i, 12, 0, 0, 0, time.UTC)
		s.Now = func() time.Time { return at }
		got, err := s.Upload(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		want = append(idsOf(got), want...)
	}
	for _, limit := range []int{1, 3, 4, 5, 12, 200} {
		var got []string
		cursor := ""
		for {
			page, err := s.List(t.Context(), Query{Limit: limit, Cursor: cursor})
			if err != nil || len(page.Images) > limit {
				t.Fatalf("limit %d: %d images, %v", limit, len(page.Images), err)
			}
			for _, i := range page.Images {
				got = append(got, i.ID)
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %v, want %v", limit, got, want)
		}
	}
	page, err := s.List(t.Context(), Query{Prefix: "set1-"})
	if err != nil || len(page.Images) != 4 || page.Images[0].Name != "set1-0.jpg" {
		t.Errorf("by prefix: %+v, %v", page, err)
	}
	for _, q := range []Query{{Limit: 201}, {Limit: -1}, {Cursor: "x"}, {Cursor: strings.Repeat("0", 32) + "--1"}} {
		if _, err := s.List(t.Context(), q); !isStatus(err, 400) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// An image whose object vanished behind our back comes back with its next upload.
func TestHealsByUpload(t *testing.T) {
	s := newServer(t).store("a/")
	got, err := s.Upload(t.Context(), order(t, s, 1))
	if err != nil {
		t.Fatal(err)
	}
	key := imageKey(got.Images[0].Key)
	if err := s.Bucket.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if r := everything(t, s); r.Broken != 1 || r.Removed != 0 {
		t.Errorf("report %+v, want one broken", r)
	}
	if _, err := s.Upload(t.Context(), order(t, s, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Bucket.Stat(t.Context(), key); err != nil {
		t.Error(err)
	}
	everything(t, s)
	if seen := visible(t, s); len(seen) != 1 {
		t.Errorf("visible %v", seen)
	}
}

func TestWordsOfErrors(t *testing.T) {
	inside := fileError("a.jpg", &StorageError{errors.New("http://10.0.0.1 said no")})
	if inside.Detail != "Bad Gateway" || inside.Status != 502 {
		t.Errorf("%+v tells of the inside", inside)
	}
	if bug := fileError("a.jpg", errors.New("oh")); bug.Status != 500 || bug.Detail != "Internal Server Error" {
		t.Errorf("%+v", bug)
	}
	if told := fileError("a.jpg", fmt.Errorf("check: %w", resize.Unprocessable("corrupt_image", "the image is broken"))); told.Detail != "the image is broken" {
		t.Errorf("%+v", told)
	}
}

// A server may refuse what is there already by ending the connection: that is no failure, as it has it.
func TestUploadOfWhatIsThereIsCutOff(t *testing.T) {
	server := newServer(t)
	if _, err := server.store("a/").Upload(t.Context(), order(t, server.store("a/"), 1)); err != nil {
		t.Fatal(err)
	}
	p, s := newProxy(t, server, "a/")
	p.fail = func(n int) failure {
		if n <= 3 { // each try of the PUT
			return refused
		}
		return fine
	}
	got, err := s.Upload(t.Context(), order(t, s, 1))
	if err != nil || len(got.Images) != 1 || !got.Images[0].Existing {
		t.Errorf("Upload = %+v, %v", got, err)
	}
	whole(t, s, nil)
}

// A file whose px are broken is told of alone, also where they are looked at before it has a name.
func TestBrokenAmongOthers(t *testing.T) {
	srv := newServer(t)
	for _, row := range []struct {
		name      string
		normalize *resize.Options
	}{
		{"stored as it came", nil},
		{"encoded anew", &resize.Options{Format: resize.FormatJPEG}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := srv.store(fmt.Sprintf("broken-%t/", row.normalize != nil))
			s.Normalize = row.normalize
			o := order(t, s, 1, broken)
			o.Atomic = false
			out, err := s.Upload(t.Context(), o)
			if err != nil || len(out.Images) != 1 || len(out.Errors) != 1 || out.Errors[0].Code != "corrupt_image" {
				t.Fatalf("Upload = %+v, %v; want one image and one corrupt_image", out, err)
			}
			if _, _, err := s.Bucket.Get(t.Context(), imageKey(out.Images[0].Key), 1<<20); err != nil {
				t.Error(err)
			}
		})
	}
}

// putting is a Bucket that tells of a put before it makes it.
type putting struct {
	Bucket
	before func(key string)
}

func (p *putting) Put(ctx context.Context, key string, body *io.SectionReader, how How) error {
	p.before(key)
	return p.Bucket.Put(ctx, key, body, how)
}

// A deletion goes on where another has taken the record away since it was read.
func TestDeleteWithoutRecord(t *testing.T) {
	server := newServer(t)
	one, other := server.store("a/"), server.store("a/")
	if _, err := one.Upload(t.Context(), order(t, one, 1, 2)); err != nil {
		t.Fatal(err)
	}
	one.Bucket = &putting{one.Bucket, func(key string) {
		if within(key, uploadsFolder) {
			if err := errors.Join(other.Delete(t.Context(), pictureID(2)), other.Delete(t.Context(), pictureID(1))); err != nil {
				t.Error(err)
			}
		}
	}}
	if err := one.Delete(t.Context(), pictureID(1)); err != nil {
		t.Errorf("Delete: %v", err)
	}
	whole(t, other, nil)
}

// The answer to a mark is lost: it is put once more, which is no failure.
func TestMarkIsPutTwice(t *testing.T) {
	p, s := newProxy(t, newServer(t), "a/")
	if _, err := s.Upload(t.Context(), order(t, s, 1)); err != nil {
		t.Fatal(err)
	}
	marks := 0
	p.mu.Lock()
	p.fail = func(n int) failure {
		if call := p.calls[n-1]; strings.HasPrefix(call, "PUT ") && strings.HasSuffix(call, markEnd) {
			if marks++; marks == 1 {
				return lost
			}
		}
		return fine
	}
	p.mu.Unlock()
	if err := s.Delete(t.Context(), pictureID(1)); err != nil {
		t.Errorf("Delete: %v", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if marks < 2 {
		t.Errorf("%d puts of a mark, want the lost one and another", marks)
	}
}
