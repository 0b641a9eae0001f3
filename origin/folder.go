package origin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Folder opens the regular files below a directory. Names beginning with a dot, directories, devices,
// pipes and links that leave the directory do not exist for it; links that stay inside are followed.
// ETag is made of size and mtime, so it is the same on every machine that keeps both.
type Folder struct {
	dir  string
	root *os.Root
}

var _ Opener = (*Folder)(nil)

// NewFolder opens dir, which must exist. Close releases it.
func NewFolder(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	return &Folder{dir: dir, root: root}, nil
}

// Close releases the directory; files already opened stay readable. Open goes on working, at the price of
// opening the directory each time: a request may have begun before its source was taken away.
func (f *Folder) Close() error { return f.root.Close() }

// Open opens the file named key.
func (f *Folder) Open(_ context.Context, key string, cond Conditions) (*Object, error) {
	if !visible(key) {
		return nil, notFound(errHidden)
	}
	file, err := openIn(f.root, key)
	if errors.Is(err, fs.ErrClosed) {
		file, err = f.openLate(key)
	}
	if err != nil {
		return nil, fileError(err)
	}
	obj, err := fileObject(file, cond)
	if err != nil || obj.NotModified {
		_ = file.Close() // only read
	}
	return obj, err
}

// openIn opens a file below root. Non-blocking, for opening a pipe would wait for its writer.
func openIn(root *os.Root, key string) (*os.File, error) {
	return root.OpenFile(key, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// openLate opens a file after Close.
func (f *Folder) openLate(key string) (*os.File, error) {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // the file stays open
	return openIn(root, key)
}

func fileObject(file *os.File, cond Conditions) (*Object, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, fileError(err)
	}
	if !info.Mode().IsRegular() {
		return nil, notFound(errNotRegular)
	}
	obj := &Object{Size: info.Size(), Meta: Meta{ETag: fileTag(info), Modified: info.ModTime(), MaxAge: -1}}
	if obj.unchanged(cond) {
		obj.NotModified = true
		return obj, nil
	}
	obj.Body = file
	return obj, nil
}

// visible reports whether key may name a file: slash-separated, clean, no segment beginning with a dot.
func visible(key string) bool {
	if !fs.ValidPath(key) || strings.ContainsAny(key, "\x00\\") {
		return false
	}
	for segment := range strings.SplitSeq(key, "/") {
		if strings.HasPrefix(segment, ".") {
			return false
		}
	}
	return true
}

func fileTag(info fs.FileInfo) string {
	return `"` + strconv.FormatInt(info.Size(), 16) + "-" + strconv.FormatInt(info.ModTime().UnixNano(), 16) + `"`
}

// unchanged evaluates conditions as RFC 9110 section 13.2.2 orders them: the tag decides where there
// is one. A file put back from a backup is older than the copy and yet another, so times must be equal.
func (m Meta) unchanged(cond Conditions) bool {
	if cond.ETag != "" {
		return cond.ETag == m.ETag
	}
	return !cond.Modified.IsZero() && cond.Modified.Truncate(time.Second).Equal(m.Modified.Truncate(time.Second))
}

// fileError tells an absent file from trouble with the disk.
func fileError(err error) *Error {
	var errno syscall.Errno
	switch {
	case errors.Is(err, fs.ErrPermission):
		return denied(err)
	case !errors.As(err, &errno): // os.Root's own refusal: the path leaves it
		return notFound(err)
	}
	switch errno {
	case syscall.ENOENT, syscall.ENOTDIR, syscall.ELOOP, syscall.ENAMETOOLONG, syscall.EINVAL, syscall.ENXIO, syscall.ENODEV:
		return notFound(err)
	default:
		return failed(err)
	}
}
