package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/imgedge/imgedge/edge"
	"github.com/imgedge/imgedge/resize"
)

var _ edge.Lister = (*Node)(nil).keysOf

// errEnough ends a listing that has found all that is wanted.
var errEnough = errors.New("enough")

// keysOf lists originals of a folder or a bucket, at most limit+1 of them. Names that are no original's are
// passed over.
func (n *Node) keysOf(ctx context.Context, source, prefix string, limit int) (keys []string, err error) {
	open := n.live.Load().sources[source]
	if open == nil {
		return nil, errSourceGone
	}
	s := open.config
	take := func(key string) error {
		if strings.HasPrefix(key, prefix) && !hiddenKey(key) {
			keys = append(keys, key)
		}
		if len(keys) > limit {
			return errEnough
		}
		return nil
	}
	switch {
	case s.Dir != "":
		err = walk(ctx, s.Dir, prefix, take)
	case s.Bucket != nil:
		err = listBucket(ctx, s.Bucket, prefix, take)
	default:
		return nil, resize.BadOption("prefix: the originals of a web server cannot be listed; name keys")
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	slices.Sort(keys)
	return keys, err
}

// hiddenKey reports names that no source answers (ruling 11), and folders that buckets show as objects.
func hiddenKey(key string) bool {
	return strings.HasSuffix(key, "/") || slices.ContainsFunc(strings.Split(key, "/"), func(part string) bool {
		return part == "" || part[0] == '.'
	})
}

// walk lists the files of a folder, beginning in the deepest one that the prefix names.
func walk(ctx context.Context, dir, prefix string, take func(key string) error) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // only read from
	start := "."
	if i := strings.LastIndexByte(prefix, '/'); i > 0 {
		start = path.Clean(prefix[:i])
	}
	if !fs.ValidPath(start) {
		return resize.BadKey("prefix: it is no path")
	}
	return fs.WalkDir(root.FS(), start, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir() && name != "." && hiddenKey(name):
			return fs.SkipDir
		case d.Type().IsRegular():
			return take(name)
		}
		return nil
	})
}

func listBucket(ctx context.Context, b *Bucket, prefix string, take func(key string) error) (err error) {
	bucket, err := newJobBucket(b, b.Prefix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	return bucket.List(ctx, prefix, take)
}
