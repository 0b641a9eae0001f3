package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"runtime"
	"sync"
	"testing"
	"testing/iotest"

	"golang.org/x/sync/errgroup"

	"github.com/imgedge/imgedge/resize"
)

// sink is a Bucket that keeps the small objects and the sums of the others.
type sink struct {
	mu   sync.Mutex
	sums map[string][sha256.Size]byte
}

func (s *sink) Put(_ context.Context, key string, body *io.SectionReader, _ How) error {
	sum := sha256.New()
	if _, err := io.Copy(sum, body); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sums[key] = [sha256.Size]byte(sum.Sum(nil))
	return nil
}

func (s *sink) sum(key string) [sha256.Size]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sums[key]
}

func (s *sink) Get(context.Context, string, int64) ([]byte, Object, error) {
	return nil, Object{}, ErrAbsent
}

func (s *sink) Fetch(context.Context, string, io.WriterAt, int64) (Object, error) {
	return Object{}, ErrAbsent
}

func (s *sink) Stat(context.Context, string) (Object, error)                  { return Object{}, ErrAbsent }
func (s *sink) List(context.Context, string, string) iter.Seq2[Object, error] { return none }
func (s *sink) Delete(context.Context, string) error                          { return nil }

func none(func(Object, error) bool) {}

// largeJPEG is a picture of about size bytes, with metadata, as it comes from a client: it is nowhere in memory.
func largeJPEG(seed, size int64) io.Reader {
	small := picture(int(seed))
	head := append(append([]byte{}, small[:2]...), "\xFF\xE1\x00\x0EExif\x00\x00secret"...)
	body := small[2:bytes.LastIndex(small, []byte{0xFF, 0xD9})]
	return io.MultiReader(bytes.NewReader(head), bytes.NewReader(body), io.LimitReader(steady(seed+1), size), bytes.NewReader([]byte{0xFF, 0xD9}))
}

// steady is entropy-coded data without markers, the same byte again and again.
type steady byte

func (s steady) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	b[0] = byte(s)
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
	return len(b), nil
}

// bounded is an Engine that sees the bytes and allocates nothing of their size.
type bounded struct{ fakeEngine }

func (e bounded) Probe(_ context.Context, data []byte) (resize.Source, error) {
	return resize.Source{Format: resize.FormatJPEG, Width: 8, Height: 8, Orientation: 6, Pages: 1, Bands: 3, Depth: 8, Bytes: int64(len(data))}, nil
}

// Twelve files of 49 MiB at once, with metadata to be cut out and an orientation to be written anew, take next to
// nothing of Go's memory, and go up cleaned and whole.
func TestUploadsTakeNoMemory(t *testing.T) {
	const files, size, most = 12, 49 << 20, 4 << 20 // most a file: it is in memory up to 1 MiB first
	b := &sink{sums: map[string][sha256.Size]byte{}}
	s := &Store{Bucket: b, Engine: bounded{}, Limits: resize.DefaultLimits(), TempDir: t.TempDir()}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var uploads errgroup.Group
	for n := range files {
		uploads.Go(func() error {
			f, err := s.Receive(largeJPEG(int64(n), size), "large.jpg")
			if err != nil {
				return err
			}
			out, err := s.Upload(t.Context(), Order{Files: []*File{f}, Atomic: true})
			if err != nil {
				return err
			}
			i := out.Images[0]
			if sum := b.sum(imageKey(i.Key)); hex.EncodeToString(sum[:]) != i.SHA256 || imageID(sum) != i.ID {
				t.Errorf("what went up is not %s", i.SHA256)
			}
			if want := i.BytesSent - 16 + 36; i.Bytes != want {
				t.Errorf("%d bytes of %d were stored, want %d", i.Bytes, i.BytesSent, want)
			}
			return f.Close()
		})
	}
	if err := uploads.Wait(); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / files; got > most {
		t.Errorf("a file of %d bytes allocated %d, want at most %d", size, got, most)
	}
}

// A file whose transfer is cut off is none, of whatever size it is.
func TestReceiveOfWhatIsCutOff(t *testing.T) {
	s := &Store{TempDir: t.TempDir()}
	for _, size := range []int64{0, 1, inMemory / 16, inMemory, inMemory + 1, 3 * inMemory} {
		whole := io.LimitReader(steady(1), size)
		if f, err := s.Receive(whole, "a"); err != nil || f.Size() != size {
			t.Errorf("%d bytes: %v", size, err)
		} else if err := f.Close(); err != nil {
			t.Error(err)
		}
		cut := io.MultiReader(io.LimitReader(steady(1), size), iotest.ErrReader(io.ErrUnexpectedEOF))
		if _, err := s.Receive(cut, "a"); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut off after %d bytes: %v", size, err)
		}
	}
}
