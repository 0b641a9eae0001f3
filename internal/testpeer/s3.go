package testpeer

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Server is a running S3 server with an empty store.
type S3Server struct {
	*Process
	Endpoint  string // http://127.0.0.1:port
	Region    string
	AccessKey string
	SecretKey string
	Domain    string // bucket.Domain:port names a bucket host-style; it resolves nowhere, so tests dial Endpoint for it
}

// S3 starts versitygw, with further flags, over a folder of the test and waits until it answers.
func S3(t testing.TB, flags ...string) S3Server {
	t.Helper()
	address := FreePort(t)
	s := S3Server{
		Endpoint:  "http://" + address,
		Region:    "eu-test-1",
		AccessKey: "testaccess",
		SecretKey: "testsecret",
		Domain:    "s3.test",
	}
	flags = append(flags, "--port", address, "--access", s.AccessKey, "--secret", s.SecretKey, "--region", s.Region,
		"--virtual-domain", s.Domain, "--keep-alive", "--quiet",
		"posix", "--sidecar", t.TempDir(), t.TempDir())
	s.Process = Start(t, "versitygw", flags...)
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	s.WaitFor(t, func() bool {
		resp, err := client.Get(s.Endpoint)
		if err != nil {
			return false
		}
		_ = resp.Body.Close() // only its arrival counts
		return true
	})
	return s
}

// Client returns a client that belongs to the test.
func (s S3Server) Client(t testing.TB) *minio.Client {
	t.Helper()
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := minio.New(strings.TrimPrefix(s.Endpoint, "http://"), &minio.Options{
		Creds:        credentials.NewStaticV4(s.AccessKey, s.SecretKey, ""),
		Region:       s.Region,
		BucketLookup: minio.BucketLookupPath,
		Transport:    transport,
		MaxRetries:   1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// MakeBucket creates a bucket.
func (s S3Server) MakeBucket(t testing.TB, name string) {
	t.Helper()
	if err := s.Client(t).MakeBucket(t.Context(), name, minio.MakeBucketOptions{Region: s.Region}); err != nil {
		t.Fatalf("make bucket %s: %v", name, err)
	}
}

// Put stores an object. Zero options are fine.
func (s S3Server) Put(t testing.TB, bucket, key string, data []byte, options minio.PutObjectOptions) {
	t.Helper()
	_, err := s.Client(t).PutObject(t.Context(), bucket, key, bytes.NewReader(data), int64(len(data)), options)
	if err != nil {
		t.Fatalf("put %s/%s: %v", bucket, key, err)
	}
}

// Delete removes an object.
func (s S3Server) Delete(t testing.TB, bucket, key string) {
	t.Helper()
	if err := s.Client(t).RemoveObject(t.Context(), bucket, key, minio.RemoveObjectOptions{}); err != nil {
		t.Fatalf("delete %s/%s: %v", bucket, key, err)
	}
}
