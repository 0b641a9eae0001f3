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
	root *os.Root
}

var _ Opener = (*Folder)(nil)

// NewFolder opens dir, which must exist. Close releases it.
func NewFolder(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	return &Folder{root: root}, nil
}

// Close releases the directory; files already opened stay readable.
func (f *Folder) Close() error { return f.root.Close() }

// Open opens the file named key.
func (f *Folder) Open(_ context.Context, key string, cond Conditions) (*Object, error) {
	if !visible(key) {
		return nil, notFound(errHidden)
	}
	// Non-blocking, for opening a pipe would wait for its writer.
	file, err := f.root.OpenFile(key, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fileError(err)
	}
	obj, err := fileObject(file, cond)
	if err != nil || obj.NotModified {
		_ = file.Close() // only read
	}
	return obj, err
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
