package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/imgedge/imgedge/jobs"
	"github.com/imgedge/imgedge/origin"
)

// jobBucket keeps what belongs to jobs in a source's bucket, below a prefix of its own.
type jobBucket struct {
	bucket  *origin.Bucket
	objects *origin.Objects
}

var _ jobs.Bucket = (*jobBucket)(nil)

const maxJobObject = 1 << 30 // bytes; an output is far below

func newJobBucket(b *Bucket, prefix string) (*jobBucket, error) {
	bucket, err := origin.NewBucket(b.settings())
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return &jobBucket{bucket, bucket.Objects(prefix)}, nil
}

// Close releases idle connections.
func (b *jobBucket) Close() error { return b.bucket.Close() }

// Put stores an object.
func (b *jobBucket) Put(ctx context.Context, key string, body []byte, contentType string) error {
	return b.objects.Put(ctx, key, body, origin.ObjectPut{Type: contentType})
}

// Open returns the bytes of an object, which is read before: one output of a job is held at a time.
func (b *jobBucket) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	data, _, err := b.objects.Get(ctx, key, maxJobObject)
	if errors.Is(err, origin.ErrObjectAbsent) {
		return nil, fmt.Errorf("%s: %w", key, fs.ErrNotExist)
	} else if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// List calls each for every key below a prefix.
func (b *jobBucket) List(ctx context.Context, prefix string, each func(key string) error) error {
	for info, err := range b.objects.List(ctx, prefix, "") {
		if err != nil {
			return err
		}
		if err := each(info.Key); err != nil {
			return err
		}
	}
	return nil
}

// Delete removes an object; an absent one is no error.
func (b *jobBucket) Delete(ctx context.Context, key string) error { return b.objects.Delete(ctx, key) }
