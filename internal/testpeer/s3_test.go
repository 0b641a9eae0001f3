package testpeer

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

func TestS3(t *testing.T) {
	s := S3(t)
	s.MakeBucket(t, "shop")
	s.Put(t, "shop", "images/a.jpg", []byte("picture"), minio.PutObjectOptions{})
	if got := object(t.Context(), t, s); got != "picture" {
		t.Fatalf("got %q, want picture", got)
	}

	s.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if got := object(ctx, t, s); got != "" {
		t.Errorf("paused server answered %q", got)
	}
	s.Resume()
	if got := object(t.Context(), t, s); got != "picture" {
		t.Errorf("resumed: got %q, want picture", got)
	}

	s.Stop()
	if got := object(t.Context(), t, s); got != "" {
		t.Errorf("stopped server answered %q", got)
	}
	s.Stop()
}

// object returns images/a.jpg, or "" if it cannot be had.
func object(ctx context.Context, t *testing.T, s S3Server) string {
	t.Helper()
	obj, err := s.Client(t).GetObject(ctx, "shop", "images/a.jpg", minio.GetObjectOptions{})
	if err != nil {
		return ""
	}
	defer func() { _ = obj.Close() }()
	data, err := io.ReadAll(obj)
	if err != nil {
		return ""
	}
	return string(data)
}
