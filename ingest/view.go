package ingest

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// view is the content of a received file as bytes that must not be changed, and not be touched after Close: those
// of a large one are its temporary file's, mapped, and take none of Go's memory. Nobody else knows that file, so
// that it cannot be cut short under the mapping.
type view struct {
	data   []byte
	mapped bool
}

// view opens the content of a file that has no parts.
func (f *File) view() (*view, error) {
	if f.tmp == nil || f.size == 0 {
		return &view{data: f.data}, nil
	}
	data, err := unix.Mmap(int(f.tmp.Fd()), 0, int(f.size), unix.PROT_READ, unix.MAP_SHARED) //nolint:gosec // a descriptor
	if err != nil {
		return nil, fmt.Errorf("map an uploaded file: %w", err)
	}
	return &view{data: data, mapped: true}, nil
}

// Close gives the mapping back. Twice is fine.
func (v *view) Close() error {
	if !v.mapped {
		return nil
	}
	data := v.data
	v.data, v.mapped = nil, false
	if err := unix.Munmap(data); err != nil {
		return fmt.Errorf("unmap an uploaded file: %w", err)
	}
	return nil
}
