package origin_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/imgedge/imgedge/origin"
)

// A source fetches from a folder, a bucket (NewBucket) or a web server (NewHTTP).
func Example() {
	dir, err := os.MkdirTemp("", "originals")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.WriteFile(filepath.Join(dir, "a.jpg"), []byte("picture"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	folder, err := origin.NewFolder(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = folder.Close() }()
	photos := &origin.Source{Opener: folder, Name: "photos", Timeout: 10 * time.Second, MaxBytes: 64 << 20}

	first, err := photos.Fetch(context.Background(), "a.jpg", origin.Conditions{})
	fmt.Println(string(first.Data), err)

	again, err := photos.Fetch(context.Background(), "a.jpg", origin.Conditions{ETag: first.ETag})
	fmt.Println(again.NotModified, err)

	_, err = photos.Fetch(context.Background(), "../etc/passwd", origin.Conditions{})
	var status interface{ HTTPStatus() int }
	fmt.Println(errors.As(err, &status) && status.HTTPStatus() == 404, err)
	// Output:
	// picture <nil>
	// true <nil>
	// true the source has no such original
}
