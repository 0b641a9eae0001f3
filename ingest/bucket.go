package ingest

import (
	"context"
	"io"
	"iter"
	"time"
)

// Error is a constant error of this package.
type Error string

// What a Bucket's methods answer beside failures.
const (
	ErrAbsent Error = "there is no such object"
	ErrExists Error = "the object is not as the condition wants it"
)

// Error returns the text.
func (e Error) Error() string { return string(e) }

// Object is what is known of a stored object.
type Object struct {
	Key      string
	Size     int64
	Modified time.Time
	ETag     string
	Upload   string // its metadata imgedge-upload; List leaves it out
}

// How says how an object is put.
type How struct {
	Type    string // Content-Type
	Upload  string // metadata imgedge-upload
	IfNew   bool   // only where there is none: If-None-Match: *
	IfMatch string // only in place of this ETag; "" = whatever there is
}

// Bucket keeps the objects, below one prefix that its keys do not show. It is safe for concurrent use, bounds how
// long a call takes, and retries by itself what may be repeated, which a Delete may not. An absent object is
// ErrAbsent, a condition that does not hold ErrExists; any other error leaves open whether a Put or Delete
// happened.
type Bucket interface {
	Reader
	Lister
	Writer
}

// Reader reads objects.
type Reader interface {
	// Get returns the whole object, unless it is longer than maxBytes, which is an error.
	Get(ctx context.Context, key string, maxBytes int64) ([]byte, Object, error)
	// Fetch writes the whole object to a file, from its beginning on, unless it is longer than maxBytes.
	Fetch(ctx context.Context, key string, to io.WriterAt, maxBytes int64) (Object, error)
	Stat(ctx context.Context, key string) (Object, error)
}

// Lister lists objects.
type Lister interface {
	// List returns objects in the order of their keys, those behind after alone.
	List(ctx context.Context, prefix, after string) iter.Seq2[Object, error]
}

// Writer changes objects. Delete of an absent one is no error, and is tried once. A body may be read several times,
// and not after Put has returned.
type Writer interface {
	Put(ctx context.Context, key string, body *io.SectionReader, how How) error
	Delete(ctx context.Context, key string) error
}

// Presigner lets a client put an object itself.
type Presigner interface {
	// Presign returns a URL that takes one PUT of exactly size bytes with exactly these headers, until
	// life is over.
	Presign(ctx context.Context, key string, how How, size int64, life time.Duration) (url string, headers map[string]string, err error)
}
