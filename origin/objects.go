package origin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/minio/minio-go/v7"
)

// What Objects answers beside failures.
const (
	ErrObjectAbsent    = constError("there is no such object")
	ErrObjectCondition = constError("the object is not as the condition wants it")
	errObjectSize      = constError("the object is larger than expected")
	errTryOver         = constError("the body was sent for long enough")
)

const (
	objectTries   = 3                // of one call, where the server failed
	objectTimeout = 30 * time.Second // of one try
	objectPause   = 50 * time.Millisecond
)

// Objects reads and writes the objects of a bucket below a prefix, for those who keep something there:
// uploads and jobs. It is safe for concurrent use. Each call is tried up to three times where the server fails
// or does not answer, so that a conditional put may meet what its own first try has written.
type Objects struct {
	bucket *Bucket
	prefix string
}

// Objects returns the objects below a prefix, which replaces that of the settings. They live as long as the
// bucket is open.
func (b *Bucket) Objects(prefix string) *Objects { return &Objects{bucket: b, prefix: prefix} }

// ObjectInfo is what is known of a stored object.
type ObjectInfo struct {
	Key      string // below the prefix
	Size     int64  // bytes
	Modified time.Time
	ETag     string
	Type     string            // Content-Type; not in lists
	Meta     map[string]string // user metadata, names in lower case; not in lists
}

// ObjectPut says how an object is put.
type ObjectPut struct {
	Type    string            // Content-Type
	Meta    map[string]string // user metadata, names in lower case
	IfNew   bool              // only where there is none, else ErrObjectCondition
	IfMatch string            // only in place of this ETag, else ErrObjectCondition or ErrObjectAbsent; "" = always
}

// Put stores data, which must not change meanwhile.
func (o *Objects) Put(ctx context.Context, key string, data []byte, how ObjectPut) error {
	return o.PutFrom(ctx, key, io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))), how)
}

// PutFrom stores a body, which must not change meanwhile and is read from its beginning by each try, but not any more
// once PutFrom has returned.
func (o *Objects) PutFrom(ctx context.Context, key string, body *io.SectionReader, how ObjectPut) error {
	options := minio.PutObjectOptions{ContentType: how.Type, UserMetadata: how.Meta, DisableMultipart: true}
	if how.IfNew {
		options.SetMatchETagExcept("*")
	}
	if how.IfMatch != "" {
		options.SetMatchETag(how.IfMatch)
	}
	_, err := again(ctx, func(ctx context.Context) (struct{}, error) {
		l := &lent{body: body}
		defer l.takeBack()
		_, err := o.bucket.core.Client.PutObject(ctx, o.bucket.name, o.prefix+key, io.NewSectionReader(l, 0, body.Size()), body.Size(), options)
		return struct{}{}, err
	})
	return err
}

// lent is a body while a try lasts. A server may answer before it has read all of it, and net/http goes on sending
// for a moment behind the caller's back.
type lent struct {
	mu   sync.Mutex  // held while a read lasts
	body io.ReaderAt // nil = it was taken back
}

// ReadAt reads from the body, unless it was taken back.
func (l *lent) ReadAt(p []byte, off int64) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.body == nil {
		return 0, errTryOver
	}
	return l.body.ReadAt(p, off)
}

// takeBack waits for the read under way and lets no other begin.
func (l *lent) takeBack() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.body = nil
}

// Get reads a whole object of at most maxBytes; ErrObjectAbsent if there is none.
func (o *Objects) Get(ctx context.Context, key string, maxBytes int64) ([]byte, ObjectInfo, error) {
	type got struct {
		data []byte
		info ObjectInfo
	}
	g, err := again(ctx, func(ctx context.Context) (got, error) {
		body, info, _, err := o.bucket.core.GetObject(ctx, o.bucket.name, o.prefix+key, minio.GetObjectOptions{})
		if err != nil {
			return got{}, err
		}
		defer func() { _ = body.Close() }() // the error of reading says more
		if info.Size > maxBytes {
			return got{}, backoff.Permanent(errObjectSize)
		}
		data, err := io.ReadAll(io.LimitReader(body, info.Size))
		if err == nil && int64(len(data)) < info.Size {
			err = io.ErrUnexpectedEOF
		}
		return got{data, o.info(info)}, err
	})
	return g.data, g.info, err
}

// Fetch writes a whole object of at most maxBytes to a file, from its beginning on; ErrObjectAbsent if there is none.
func (o *Objects) Fetch(ctx context.Context, key string, to io.WriterAt, maxBytes int64) (ObjectInfo, error) {
	return again(ctx, func(ctx context.Context) (ObjectInfo, error) {
		body, info, _, err := o.bucket.core.GetObject(ctx, o.bucket.name, o.prefix+key, minio.GetObjectOptions{})
		if err != nil {
			return ObjectInfo{}, err
		}
		defer func() { _ = body.Close() }() // the error of reading says more
		if info.Size > maxBytes {
			return ObjectInfo{}, backoff.Permanent(errObjectSize)
		}
		_, err = io.CopyN(io.NewOffsetWriter(to, 0), body, info.Size)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return o.info(info), err
	})
}

// Stat returns what is known of an object; ErrObjectAbsent if there is none.
func (o *Objects) Stat(ctx context.Context, key string) (ObjectInfo, error) {
	return again(ctx, func(ctx context.Context) (ObjectInfo, error) {
		info, err := o.bucket.core.StatObject(ctx, o.bucket.name, o.prefix+key, minio.StatObjectOptions{})
		return o.info(info), err
	})
}

// List returns the objects whose keys begin with prefix and come after a key, in their order. What comes
// after an error is not told.
func (o *Objects) List(ctx context.Context, prefix, after string) iter.Seq2[ObjectInfo, error] {
	return func(yield func(ObjectInfo, error) bool) {
		options := minio.ListObjectsOptions{Prefix: o.prefix + prefix, Recursive: true}
		if after != "" {
			options.StartAfter = o.prefix + after
		}
		for info := range o.bucket.core.ListObjectsIter(ctx, o.bucket.name, options) {
			if !yield(o.info(info), plain(info.Err)) || info.Err != nil {
				return
			}
		}
		if err := context.Cause(ctx); err != nil {
			yield(ObjectInfo{}, err)
		}
	}
}

// Delete removes an object; an absent one is no error.
func (o *Objects) Delete(ctx context.Context, key string) error {
	_, err := again(ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, o.bucket.core.RemoveObject(ctx, o.bucket.name, o.prefix+key, minio.RemoveObjectOptions{})
	})
	if errors.Is(err, ErrObjectAbsent) {
		return nil
	}
	return err
}

// DeleteOnce is Delete without a second try, for those to whom it matters that nothing happens later.
func (o *Objects) DeleteOnce(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, objectTimeout)
	defer cancel()
	err := plain(o.bucket.core.RemoveObject(ctx, o.bucket.name, o.prefix+key, minio.RemoveObjectOptions{}))
	if errors.Is(err, ErrObjectAbsent) {
		return nil
	}
	return err
}

// PresignPut returns a URL that takes a PUT of exactly size bytes until life (at most 7 days) is over, and the
// headers that have to come with it: they are signed.
func (o *Objects) PresignPut(ctx context.Context, key string, size int64, how ObjectPut, life time.Duration) (string, map[string]string, error) {
	headers := map[string]string{"Content-Type": how.Type, "Content-Length": strconv.FormatInt(size, 10)}
	for name, value := range how.Meta {
		headers["X-Amz-Meta-"+http.CanonicalHeaderKey(name)] = value
	}
	signed := http.Header{}
	for name, value := range headers {
		signed.Set(name, value)
	}
	u, err := o.bucket.core.PresignHeader(ctx, http.MethodPut, o.bucket.name, o.prefix+key, life, nil, signed)
	if err != nil {
		return "", nil, err
	}
	return u.String(), headers, nil
}

// info translates what minio-go knows.
func (o *Objects) info(i minio.ObjectInfo) ObjectInfo {
	meta := make(map[string]string, len(i.UserMetadata))
	for name, value := range i.UserMetadata {
		meta[strings.ToLower(name)] = value
	}
	return ObjectInfo{
		Key: strings.TrimPrefix(i.Key, o.prefix), Size: i.Size, Modified: i.LastModified,
		ETag: strings.Trim(i.ETag, `"`), Type: i.ContentType, Meta: meta,
	}
}

// again calls the server until it gives an answer.
func again[T any](ctx context.Context, call func(ctx context.Context) (T, error)) (T, error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = objectPause
	v, err := backoff.Retry(ctx, func() (T, error) {
		ctx, cancel := context.WithTimeout(ctx, objectTimeout)
		defer cancel()
		v, err := call(ctx)
		if err = plain(err); err != nil && !transient(err) {
			return v, backoff.Permanent(err)
		}
		return v, err
	}, backoff.WithBackOff(pause), backoff.WithMaxTries(objectTries))
	var final *backoff.PermanentError
	if errors.As(err, &final) {
		err = final.Err
	}
	return v, err
}

// plain turns an answer that is no failure into its constant.
func plain(err error) error {
	if err == nil {
		return nil
	}
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return err
	}
	switch {
	case answer.StatusCode == http.StatusNotFound && answer.Code != minio.NoSuchBucket:
		return ErrObjectAbsent
	case answer.StatusCode == http.StatusPreconditionFailed:
		return ErrObjectCondition
	}
	return fmt.Errorf("bucket answered %d %s: %w", answer.StatusCode, strconv.Quote(answer.Code), err)
}

// transient reports whether the same call may go well a moment later.
func transient(err error) bool {
	var answer minio.ErrorResponse
	switch {
	case errors.Is(err, ErrObjectAbsent), errors.Is(err, ErrObjectCondition), errors.Is(err, errObjectSize), errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &answer):
		// 409: a conditional write met another one.
		return answer.StatusCode >= http.StatusInternalServerError || answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusConflict || answer.StatusCode == 0
	}
	return true
}
