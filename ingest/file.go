package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/imgedge/imgedge/resize"
)

// inMemory is up to which size a file is held in memory; what is larger lies in a temporary file that has
// no name any more, so that a crash leaves nothing.
const inMemory = 1 << 20

// File is one received file, or one that was made of it. Close gives back what it holds.
type File struct {
	Name string // as the client called it, cleaned

	size    int64
	sum     [sha256.Size]byte // of what is stored; zero for what was received
	data    []byte            // of a small one
	tmp     *spooled          // of a larger one; nil = it is in data
	parts   []part            // of data or tmp that the file is made of; nil = all of it
	release func()            // gives back the room that data takes; nil = it takes none
}

// spooled is a temporary file that one or several Files read.
type spooled struct {
	*os.File
	users atomic.Int32
}

func (s *spooled) leave() error {
	if s.users.Add(-1) > 0 {
		return nil
	}
	return s.Close()
}

// Receive reads a file to its end. One of more than MaxFile bytes is refused with 413 as soon as that is
// known. The caller closes the file.
func (s *Store) Receive(r io.Reader, name string) (*File, error) {
	name = cleanName(name)
	limited := &io.LimitedReader{R: r, N: s.maxFile() + 1}
	f, err := spool(limited, s.TempDir)
	if err != nil {
		return nil, err
	}
	f.Name = name
	if limited.N == 0 {
		return nil, errors.Join(&UploadError{Files: []FileError{fileError(name, resize.TooLarge(
			fmt.Sprintf("the file is larger than ingest.max_file, %d bytes", s.maxFile())))}}, f.Close())
	}
	return f, nil
}

// mostHeld bounds the bytes of made files that are in memory at once, beyond those of small ones.
const mostHeld = 64 << 20

// keep holds bytes that were made here as a file: in memory while there is room.
func (s *Store) keep(data []byte) (*File, error) {
	size := int64(len(data))
	if s.held.Add(size) <= mostHeld {
		return &File{data: data, size: size, sum: sha256.Sum256(data), release: sync.OnceFunc(func() { s.held.Add(-size) })}, nil
	}
	s.held.Add(-size)
	f, err := spool(bytes.NewReader(data), s.TempDir)
	if err == nil {
		f.sum = sha256.Sum256(data)
	}
	return f, err
}

// spool reads to the end, into memory or into a file.
func spool(r io.Reader, dir string) (*File, error) {
	small, whole, err := readSmall(r)
	if err != nil {
		return nil, err
	}
	if whole {
		return &File{data: small, size: int64(len(small))}, nil
	}
	f, err := emptyFile(dir)
	if err != nil {
		return nil, err
	}
	if f.size, err = io.Copy(f.tmp, io.MultiReader(bytes.NewReader(small), r)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// readSmall reads up to inMemory bytes, and reports whether that was all.
func readSmall(r io.Reader) (small []byte, whole bool, err error) {
	const step = 4
	for room := inMemory / step / step; room <= inMemory; room *= step {
		more := make([]byte, room)
		n := copy(more, small)
		for err == nil && n < room { // io.ReadFull would hide whether r itself was cut short
			var got int
			got, err = r.Read(more[n:])
			n += got
		}
		small = more[:n]
		if errors.Is(err, io.EOF) {
			return slices.Clip(bytes.Clone(small)), true, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
	return small, false, nil
}

// emptyFile is a File with nothing in it, to be filled.
func emptyFile(dir string) (*File, error) {
	tmp, err := os.CreateTemp(dir, "imgedge-upload-*")
	if err != nil {
		return nil, err
	}
	f := &File{tmp: &spooled{File: tmp}}
	f.tmp.users.Add(1)
	if err := os.Remove(tmp.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Bytes returns the content, which is not to be changed. That of a large file is read anew each time, so that
// it takes memory only while it is worked on.
func (f *File) Bytes() ([]byte, error) {
	if f.tmp == nil && f.parts == nil {
		return f.data, nil
	}
	data := make([]byte, f.size)
	if _, err := f.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read an uploaded file: %w", err)
	}
	return data, nil
}

// Content reads the file, wherever it lies, as it goes.
func (f *File) Content() *io.SectionReader { return io.NewSectionReader(f, 0, f.size) }

// Size returns the length in bytes.
func (f *File) Size() int64 { return f.size }

// Close gives back what the file takes. Twice is fine.
func (f *File) Close() error {
	if f.release != nil {
		f.release()
	}
	tmp := f.tmp
	if tmp == nil {
		return nil
	}
	f.tmp, f.data, f.parts, f.size = nil, nil, nil, 0
	return tmp.leave()
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
