package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/imgedge/imgedge/internal/testpeer"
)

func TestReadKeys(t *testing.T) {
	keys, err := readKeys("-", strings.NewReader("a b.jpg\r\n\n dir/ä.jpg\n"))
	if err != nil || len(keys) != 2 || keys[0] != "a b.jpg" || keys[1] != " dir/ä.jpg" {
		t.Errorf("%q, %v", keys, err)
	}
}

// TestListBucket lists a real bucket.
func TestListBucket(t *testing.T) {
	server := testpeer.S3(t)
	server.MakeBucket(t, "pictures")
	for _, key := range []string{"a.jpg", "in/b c.jpg", "in/deep/d.jpg", "other/e.jpg"} {
		server.Put(t, "pictures", key, []byte("x"), minio.PutObjectOptions{})
	}
	t.Setenv("AWS_ACCESS_KEY_ID", server.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", server.SecretKey)
	tests := []struct {
		path string
		want []string // nil = refused
	}{
		{"/pictures", []string{"a.jpg", "in/b c.jpg", "in/deep/d.jpg", "other/e.jpg"}},
		{"/pictures/in/", []string{"b c.jpg", "deep/d.jpg"}},
		{"/pictures/nothing/", nil},
		{"/absent", nil},
		{"", nil},
	}
	for _, tt := range tests {
		got, err := listBucket(t.Context(), server.Endpoint+tt.path)
		if (err != nil) != (tt.want == nil) || !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, %v; want %q", tt.path, got, err, tt.want)
		}
	}
}
