package jobs

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/internal/testpeer"
)

// vast is a bucket that makes its objects up as they are read: zeros, as many as the key's item says.
type vast struct {
	*testpeer.Shelf
	size int64
}

func (v vast) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if strings.Contains(key, "/out/") {
		return io.NopCloser(io.LimitReader(nothing{}, v.size)), nil
	}
	return v.Shelf.Open(ctx, key)
}

// nothing reads as zeros without end.
type nothing struct{}

func (nothing) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestALargeArchive packs more than 4 GiB, and more entries than a ZIP of the old form counts. Its length is
// known before, and the memory it takes does not grow with it.
func TestALargeArchive(t *testing.T) {
	for _, row := range []struct {
		name    string
		entries int
		size    int64
		whole   bool // read it as well
	}{
		{"few large", 20, 300 << 20, false},
		{"many small", 70_000, 1, true},
		{"none empty", 3, 0, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := &Engine{Bucket: vast{&testpeer.Shelf{}, row.size}}
			a := &Archive{engine: e, made: time.Unix(1_795_000_000, 0)}
			var crc uint32
			if row.whole {
				crc = crcOfZeros(row.size)
			}
			for i := range row.entries {
				a.entries = append(a.entries, entry{name: fmt.Sprintf("%d.jpg", i), size: row.size, crc32: crc, key: fmt.Sprintf("j/out/%d-0.jpg", i)})
			}
			if err := a.measure(); err != nil {
				t.Fatal(err)
			}
			if least := int64(row.entries) * row.size; a.Size <= least {
				t.Errorf("the archive has %d bytes, its files alone %d", a.Size, least)
			}
			if !row.whole {
				return
			}
			var got bytes.Buffer
			if err := a.WriteTo(t.Context(), &got); err != nil {
				t.Fatal(err)
			}
			if int64(got.Len()) != a.Size {
				t.Errorf("%d bytes were written, %d announced", got.Len(), a.Size)
			}
			z, err := zip.NewReader(bytes.NewReader(got.Bytes()), a.Size)
			if err != nil || len(z.File) != row.entries {
				t.Fatalf("%v, %d files of %d", err, len(z.File), row.entries)
			}
			if at := z.File[0].Modified; !at.Equal(a.made) {
				t.Errorf("a file of %s was packed with the date %s", a.made.UTC(), at)
			}
		})
	}
}

// TestArchiveMemory writes 1 GiB and looks at what was allocated for it.
func TestArchiveMemory(t *testing.T) {
	const size, entries = 64 << 20, 16
	a := &Archive{engine: &Engine{Bucket: vast{&testpeer.Shelf{}, size}}}
	sum := crcOfZeros(size)
	for i := range entries {
		a.entries = append(a.entries, entry{name: fmt.Sprint(i), size: size, crc32: sum, key: fmt.Sprintf("j/out/%d-0.jpg", i)})
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var length counter
	if err := a.WriteTo(t.Context(), &length); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes were allocated for an archive of %d", got, length)
	}
}

func crcOfZeros(size int64) uint32 {
	sum := crc32.NewIEEE()
	_, _ = io.CopyN(sum, nothing{}, size) // a hash takes everything
	return sum.Sum32()
}

// TestArchiveNoticesChangedOutputs breaks off rather than send what was not stored.
func TestArchiveNoticesChangedOutputs(t *testing.T) {
	_, client := newRedis(t)
	bucket := &testpeer.Shelf{}
	e := work(t, open(t, client, func(e *Engine) { e.Bucket = bucket }))
	j := ended(t, e, submit(t, e, Spec{}, keys(1)).ID)
	key := j.Items[0].Outputs[0].Key
	if err := bucket.Put(t.Context(), key, []byte("something else"), ""); err != nil {
		t.Fatal(err)
	}
	a, err := e.Archive(t.Context(), j.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.WriteTo(t.Context(), io.Discard); err == nil {
		t.Error("a changed output was packed")
	}
	body := a.Open(t.Context())
	if err := body.Close(); err != nil { // before its end
		t.Error(err)
	}
	if _, err := e.Archive(t.Context(), newID(time.Now())); !errors.Is(err, ErrNotFound) {
		t.Errorf("an archive of nothing: %v", err)
	}
}

func TestArchiveNames(t *testing.T) {
	n := newNames()
	for _, row := range []struct{ folder, name, extension, want string }{
		{"", "beach.jpg", "webp", "beach.webp"},
		{"", "beach.png", "webp", "beach-2.webp"},
		{"", "BEACH.gif", "webp", "BEACH-3.webp"},
		{"", "beach.jpg", "jpg", "beach.jpg"},
		{"1/", "beach.jpg", "webp", "1/beach.webp"},
		{"", "../../etc/passwd", "jpg", "passwd.jpg"},
		{"", `..\..\windows\win.ini`, "jpg", "win.jpg"},
		{"", "/", "jpg", "picture.jpg"},
		{"", "..", "jpg", "picture-2.jpg"},
		{"", "...hidden", "jpg", "hidden.jpg"},
		{"", "con.jpg", "jpg", "picture-3.jpg"},
		{"", "COM7", "jpg", "picture-4.jpg"},
		{"", "a\x00b\nc\u202egpj", "jpg", "a_b_c_gpj.jpg"},
		{"", `a<b>:"|?*`, "jpg", "a_b______.jpg"},
		{"", "\xff\xfe", "jpg", "_.jpg"},
		{"", "héro été.jpeg", "avif", "héro été.avif"},
		{"", strings.Repeat("é", 200), "jpg", strings.Repeat("é", 60) + ".jpg"},
	} {
		if got := n.unique(row.folder, row.name, row.extension); got != row.want {
			t.Errorf("unique(%q, %q, %q) = %q, want %q", row.folder, row.name, row.extension, got, row.want)
		}
	}
}

func TestOutputFolders(t *testing.T) {
	long := "w=" + strings.Repeat("1", longestFolder-len("1-w"))
	for _, row := range []struct{ output, want string }{
		{"w=400&f=webp", "1-w400-fwebp"},
		{"", "1"},
		{"../x", "1-.._x"},
		{long[:len(long)-1] + "&f=webp", "1-w" + strings.Repeat("1", longestFolder-len("1-w")-1)}, // cut behind the dash
	} {
		if got := outputFolders([]string{row.output})[0]; got != row.want {
			t.Errorf("outputFolders(%q) = %q, want %q", row.output, got, row.want)
		}
	}
}

func FuzzArchiveName(f *testing.F) {
	for _, seed := range []string{"a.jpg", "../a", `C:\a`, "..", "\xff", "con", "a/../b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := cleanBase(name)
		if got == "" || len(got) > longestBase || strings.ContainsAny(got, "/\\\x00") || strings.HasPrefix(got, ".") {
			t.Errorf("cleanBase(%q) = %q", name, got)
		}
	})
}
