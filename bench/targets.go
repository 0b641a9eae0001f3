package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/imgedge/imgedge/bench/measure"
)

// maxKeys is how many keys are read from a file or a bucket.
const maxKeys = 1 << 20

// subject reads lists and buckets, and returns the server with what to ask it for.
func (s *settings) subject(ctx context.Context, stdin io.Reader) (*measure.Subject, error) {
	var err error
	switch {
	case s.keyFile != "":
		s.spec.Keys, err = readKeys(s.keyFile, stdin)
	case s.bucket != "":
		s.spec.Keys, err = listBucket(ctx, s.bucket)
	}
	if err != nil {
		return nil, err
	}
	if s.urlFile == "" {
		return s.spec.Subject(nil)
	}
	list, err := open(s.urlFile, stdin)
	if err != nil {
		return nil, err
	}
	defer list.Close() //nolint:errcheck // it was only read
	return s.spec.Subject(list)
}

// open opens a file, or standard input for "-".
func open(name string, stdin io.Reader) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(stdin), nil
	}
	return os.Open(name)
}

// readKeys reads one key a line, as they stand in the source: nothing in them is percent-encoded.
func readKeys(name string, stdin io.Reader) ([]string, error) {
	f, err := open(name, stdin)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	var keys []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if key := strings.TrimSuffix(lines.Text(), "\r"); key != "" {
			keys = append(keys, key)
		}
		if len(keys) > maxKeys {
			return nil, fmt.Errorf("-keys: more than %d keys", maxKeys)
		}
	}
	if len(keys) == 0 && lines.Err() == nil {
		return nil, errors.New("-keys: no keys")
	}
	return keys, lines.Err()
}

// listBucket returns the keys below https://host/bucket/prefix, without the prefix. Credentials are those
// of the environment, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; without them the bucket must be public.
func listBucket(ctx context.Context, text string) ([]string, error) {
	u, err := url.Parse(text)
	bucket, prefix := "", ""
	if err == nil {
		bucket, prefix, _ = strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	}
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || bucket == "" {
		return nil, fmt.Errorf("-bucket %q: want https://host/bucket or https://host/bucket/prefix/", text)
	}
	client, err := minio.New(u.Host, &minio.Options{Creds: credentials.NewEnvAWS(), Secure: u.Scheme == "https"})
	if err != nil {
		return nil, fmt.Errorf("-bucket: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var keys []string
	for object := range client.ListObjects(ctx, bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if object.Err != nil {
			return nil, fmt.Errorf("-bucket: list %s: %w", bucket, object.Err)
		}
		if key := strings.TrimPrefix(object.Key, prefix); key != "" && !strings.HasSuffix(key, "/") {
			keys = append(keys, key)
		}
		if len(keys) == maxKeys {
			break
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("-bucket: nothing below %s", text)
	}
	return keys, nil
}
