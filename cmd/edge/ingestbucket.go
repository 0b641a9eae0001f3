package main

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/imgedge/imgedge/ingest"
	"github.com/imgedge/imgedge/origin"
)

// uploadMeta is the user metadata that tells our objects from others'.
const uploadMeta = "imgedge-upload"

// ingestBucket keeps uploads in a bucket. No call waits for it for longer than limits.request, all tries
// together.
type ingestBucket struct {
	bucket  *origin.Bucket
	objects *origin.Objects
	time    time.Duration // of one call, and of one page of a list
}

var (
	_ ingest.Bucket    = (*ingestBucket)(nil)
	_ ingest.Presigner = (*ingestBucket)(nil)
)

func openIngestBucket(b *Bucket, prefix string, limit Duration) (*ingestBucket, error) {
	bucket, err := origin.NewBucket(b.settings())
	if err != nil {
		return nil, err
	}
	return &ingestBucket{bucket, bucket.Objects(prefix), time.Duration(limit)}, nil
}

// Close releases idle connections.
func (b *ingestBucket) Close() error { return b.bucket.Close() }

// Put stores an object.
func (b *ingestBucket) Put(ctx context.Context, key string, body *io.SectionReader, how ingest.How) error {
	ctx, cancel := context.WithTimeout(ctx, b.time)
	defer cancel()
	return ingestError(b.objects.PutFrom(ctx, key, body, putOf(how)))
}

// Get reads an object.
func (b *ingestBucket) Get(ctx context.Context, key string, maxBytes int64) ([]byte, ingest.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, b.time)
	defer cancel()
	data, info, err := b.objects.Get(ctx, key, maxBytes)
	return data, objectOf(info), ingestError(err)
}

// Fetch writes an object to a file.
func (b *ingestBucket) Fetch(ctx context.Context, key string, to io.WriterAt, maxBytes int64) (ingest.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, b.time)
	defer cancel()
	info, err := b.objects.Fetch(ctx, key, to, maxBytes)
	return objectOf(info), ingestError(err)
}

// Stat returns what is known of an object.
func (b *ingestBucket) Stat(ctx context.Context, key string) (ingest.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, b.time)
	defer cancel()
	info, err := b.objects.Stat(ctx, key)
	return objectOf(info), ingestError(err)
}

// List lists objects in the order of their keys.
func (b *ingestBucket) List(ctx context.Context, prefix, after string) iter.Seq2[ingest.Object, error] {
	return func(yield func(ingest.Object, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		wait := time.AfterFunc(b.time, func() { cancel(context.DeadlineExceeded) })
		defer wait.Stop()
		for info, err := range b.objects.List(ctx, prefix, after) {
			wait.Stop() // the caller takes its time
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			if !yield(objectOf(info), ingestError(err)) || err != nil {
				return
			}
			wait.Reset(b.time)
		}
	}
}

// Delete removes an object, in one try.
func (b *ingestBucket) Delete(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, b.time)
	defer cancel()
	return b.objects.DeleteOnce(ctx, key)
}

// Presign lets a client put an object.
func (b *ingestBucket) Presign(ctx context.Context, key string, how ingest.How, size int64, life time.Duration) (string, map[string]string, error) {
	return b.objects.PresignPut(ctx, key, size, putOf(how), life)
}

func putOf(how ingest.How) origin.ObjectPut {
	return origin.ObjectPut{Type: how.Type, Meta: map[string]string{uploadMeta: how.Upload}, IfNew: how.IfNew, IfMatch: how.IfMatch}
}

func objectOf(i origin.ObjectInfo) ingest.Object {
	return ingest.Object{Key: i.Key, Size: i.Size, Modified: i.Modified, ETag: i.ETag, Upload: i.Meta[uploadMeta]}
}

// ingestError says absent and exists in the words of the store.
func ingestError(err error) error {
	switch {
	case errors.Is(err, origin.ErrObjectAbsent):
		return ingest.ErrAbsent
	case errors.Is(err, origin.ErrObjectCondition):
		return ingest.ErrExists
	}
	return err
}
