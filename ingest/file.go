package ingest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"syscall"

	"github.com/imgedge/imgedge/resize"
)

// inMemory is up to which size a file is held in memory; what is larger lies in a temporary file that has
// no name any more, so that a crash leaves nothing.
const inMemory = 1 << 20

// File is one received file, or one that was made of it. Close gives back what it holds.
type File struct {
	Name string // as the client called it, cleaned
	Sum  [sha256.Size]byte

	data   []byte
	mapped bool
	close  sync.Once
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

// Keep holds bytes that were made here as a file.
func keep(data []byte, dir string) (*File, error) {
	f, err := spool(bytes.NewReader(data), dir)
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
		return &File{data: small.Bytes()}, nil
	}
	if err != nil {
		return nil, err
	}
	tmp, err := os.CreateTemp(dir, "imgedge-upload-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = tmp.Close() }() // what was mapped stays
	if err := os.Remove(tmp.Name()); err != nil {
		return nil, err
	}
	more, err := io.Copy(tmp, io.MultiReader(&small, r))
	if err != nil {
		return nil, err
	}
	if more < n {
		return nil, io.ErrShortWrite
	}
	data, err := syscall.Mmap(int(tmp.Fd()), 0, int(more), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map an uploaded file: %w", err)
	}
	return &File{data: data, mapped: true}, nil
}

// Bytes returns the content. It is not to be changed, nor used after Close.
func (f *File) Bytes() []byte { return f.data }

// Size returns the length in bytes.
func (f *File) Size() int64 { return int64(len(f.data)) }

// Close gives the memory back. Twice is fine.
func (f *File) Close() (err error) {
	f.close.Do(func() {
		if f.mapped {
			err = syscall.Munmap(f.data)
		}
		f.data = nil
	})
	return err
}
