package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/imgedge/imgedge/resize"
)

// inMemory is up to which size a file is held in memory; what is larger lies in a temporary file that has
// no name any more, so that a crash leaves nothing.
const inMemory = 1 << 20

// File is one received file, or one that was made of it. Close gives back what it holds.
type File struct {
	Name string // as the client called it, cleaned
	Sum  [sha256.Size]byte

	size    int64
	data    []byte   // of a small one
	tmp     *os.File // of a larger one; nil = it is in data
	release func()   // gives back the room that data takes; nil = it takes none
}

// Receive reads a file to its end. One of more than MaxFile bytes is refused with 413 as soon as that is
// known. The caller closes the file.
func (s *Store) Receive(r io.Reader, name string) (*File, error) {
	name = cleanName(name)
	sum := sha256.New()
	limited := &io.LimitedReader{R: io.TeeReader(r, sum), N: s.maxFile() + 1}
	f, err := spool(limited, s.TempDir)
	if err != nil {
		return nil, err
	}
	f.Name = name
	if limited.N == 0 {
		return nil, errors.Join(&UploadError{Files: []FileError{fileError(name, resize.TooLarge(
			fmt.Sprintf("the file is larger than ingest.max_file, %d bytes", s.maxFile())))}}, f.Close())
	}
	sumInto(f, sum)
	return f, nil
}

// mostHeld bounds the bytes of made files that are in memory at once, beyond those of small ones.
const mostHeld = 64 << 20

// keep holds bytes that were made here as a file: in memory while there is room.
func (s *Store) keep(data []byte) (*File, error) {
	if cap(data) > 2*len(data) {
		data = bytes.Clone(data) // the rest was metadata
	}
	size := int64(len(data))
	if s.held.Add(size) <= mostHeld {
		return &File{data: data, size: size, Sum: sha256.Sum256(data), release: sync.OnceFunc(func() { s.held.Add(-size) })}, nil
	}
	s.held.Add(-size)
	f, err := spool(bytes.NewReader(data), s.TempDir)
	if err == nil {
		f.Sum = sha256.Sum256(data)
	}
	return f, err
}

func sumInto(f *File, sum hash.Hash) { copy(f.Sum[:], sum.Sum(nil)) }

// spool reads to the end, into memory or into a file.
func spool(r io.Reader, dir string) (*File, error) {
	var small bytes.Buffer
	n, err := io.CopyN(&small, r, inMemory)
	if errors.Is(err, io.EOF) {
		return &File{data: small.Bytes(), size: n}, nil
	}
	if err != nil {
		return nil, err
	}
	tmp, err := os.CreateTemp(dir, "imgedge-upload-*")
	if err != nil {
		return nil, err
	}
	f := &File{tmp: tmp}
	if err := os.Remove(tmp.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if f.size, err = io.Copy(tmp, io.MultiReader(&small, r)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Bytes returns the content, which is not to be changed. That of a large file is read anew each time, so that
// it takes memory only while it is worked on.
func (f *File) Bytes() ([]byte, error) {
	if f.tmp == nil {
		return f.data, nil
	}
	data := make([]byte, f.size)
	if _, err := f.tmp.ReadAt(data, 0); err != nil {
		return nil, fmt.Errorf("read an uploaded file: %w", err)
	}
	return data, nil
}

// Size returns the length in bytes.
func (f *File) Size() int64 { return f.size }

// Close gives back what the file takes. Twice is fine.
func (f *File) Close() error {
	if f.release != nil {
		f.release()
	}
	if f.tmp == nil {
		return nil
	}
	err := f.tmp.Close()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// workRoom bounds the bytes of files that all uploads of a node work on at once.
const workRoom = 256 << 20

// room waits until there is room for so many bytes, until leave. Whoever holds some asks for no more.
func (s *Store) room(ctx context.Context, bytes int64) (leave func(), err error) {
	s.setup.Do(func() { s.working = semaphore.NewWeighted(workRoom) })
	bytes = min(bytes, workRoom)
	if err := s.working.Acquire(ctx, bytes); err != nil {
		return nil, err
	}
	return func() { s.working.Release(bytes) }, nil
}
