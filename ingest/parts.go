package ingest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"sort"

	"github.com/imgedge/imgedge/resize"
)

// part is a piece of a file, and where it ends in what the pieces make.
type part struct {
	resize.Piece
	end int64
}

// mostCopied is how many bytes of a cleaned file may be other ones than its original's; beyond, it is a file of
// its own.
const mostCopied = 64 << 10

// cleaned returns the file that pieces of f make. It reads f's bytes where they lie, and lives on when f is
// closed. data is f's content.
func (s *Store) cleaned(f *File, data []byte, pieces []resize.Piece) (*File, error) {
	made := &File{data: f.data, tmp: f.tmp}
	copied := 0
	sum := sha256.New()
	for _, p := range pieces {
		if p.New != nil {
			copied += len(p.New)
			sum.Write(p.New)
		} else {
			sum.Write(data[p.Off : p.Off+p.Len])
		}
		made.size += int64(p.Size())
		made.parts = append(made.parts, part{p, made.size})
	}
	if copied > mostCopied {
		return s.keep(bytes.Join(contents(data, pieces), nil))
	}
	sum.Sum(made.sum[:0])
	if made.tmp != nil {
		made.tmp.users.Add(1)
	}
	return made, nil
}

// contents are the bytes of pieces.
func contents(data []byte, pieces []resize.Piece) [][]byte {
	all := make([][]byte, len(pieces))
	for i, p := range pieces {
		all[i] = p.New
		if p.New == nil {
			all[i] = data[p.Off : p.Off+p.Len]
		}
	}
	return all
}

var _ io.ReaderAt = (*File)(nil)

// ReadAt reads from the file's content, as io.ReaderAt says.
func (f *File) ReadAt(b []byte, off int64) (int, error) {
	if f.parts == nil {
		return f.readStored(b, off)
	}
	n := 0
	for i := sort.Search(len(f.parts), func(i int) bool { return f.parts[i].end > off }); i < len(f.parts) && n < len(b); i++ {
		p := f.parts[i]
		at := int(off + int64(n) - (p.end - int64(p.Size()))) // within the part
		want := b[n:min(len(b), n+p.Size()-at)]
		if p.New != nil {
			n += copy(want, p.New[at:])
			continue
		}
		got, err := f.readStored(want, int64(p.Off+at))
		n += got
		if got < len(want) {
			return n, errors.Join(err, io.ErrUnexpectedEOF)
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// readStored reads from what parts are parts of.
func (f *File) readStored(b []byte, off int64) (int, error) {
	if f.tmp != nil {
		return f.tmp.ReadAt(b, off)
	}
	return bytes.NewReader(f.data).ReadAt(b, off)
}
