package origin

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// folderOf returns a folder with the given files, and the directory.
func folderOf(t *testing.T, files map[string]string) (*Folder, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, dir
}

func TestFolderKeys(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret.jpg")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, dir := folderOf(t, map[string]string{
		"a.jpg": "a", "sub/b ü%.jpg": "b", ".hidden.jpg": "h", ".git/config": "g", "sub/.c.jpg": "c", "100%25.jpg": "p",
	})
	for name, target := range map[string]string{
		"out.jpg": outside, "up.jpg": "../" + filepath.Base(filepath.Dir(outside)) + "/secret.jpg", "in.jpg": "sub/b ü%.jpg",
		"loop.jpg": "loop.jpg", "dangling.jpg": "nowhere", "outdir": filepath.Dir(outside), "indir": "sub", "null.jpg": "/dev/null",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo.jpg"), 0o600); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", filepath.Join(dir, "s.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()

	tests := []struct {
		name, key, want string // want "" = 404
	}{
		{"plain", "a.jpg", "a"},
		{"folder, space, umlaut, percent", "sub/b ü%.jpg", "b"},
		{"percent stays", "100%25.jpg", "p"},
		{"link inside", "in.jpg", "b"},
		{"linked folder inside", "indir/b ü%.jpg", "b"},
		{"absent", "nope.jpg", ""},
		{"below a file", "a.jpg/x", ""},
		{"folder", "sub", ""},
		{"trailing slash", "a.jpg/", ""},
		{"leading slash", "/a.jpg", ""},
		{"double slash", "sub//b ü%.jpg", ""},
		{"empty", "", ""},
		{"dot", ".", ""},
		{"dot dot", "..", ""},
		{"dot dot inside", "sub/../a.jpg", ""},
		{"climbing", "../" + filepath.Base(dir) + "/a.jpg", ""},
		{"absolute", outside, ""},
		{"hidden", ".hidden.jpg", ""},
		{"hidden folder", ".git/config", ""},
		{"hidden in folder", "sub/.c.jpg", ""},
		{"NUL", "a.jpg\x00", ""},
		{"backslash", `sub\b ü%.jpg`, ""},
		{"not UTF-8", "a\xff.jpg", ""},
		{"link to outside", "out.jpg", ""},
		{"relative link to outside", "up.jpg", ""},
		{"linked folder outside", "outdir/secret.jpg", ""},
		{"link to itself", "loop.jpg", ""},
		{"dangling link", "dangling.jpg", ""},
		{"link to a device", "null.jpg", ""},
		{"pipe", "fifo.jpg", ""},
		{"socket", "s.jpg", ""},
		{"name too long", longName(300), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &Source{Opener: f, Timeout: 5 * time.Second}
			got, err := s.Fetch(t.Context(), tt.key, Conditions{})
			if tt.want == "" {
				wantStatus(t, err, http.StatusNotFound, "not_found")
				return
			}
			if err != nil || string(got.Data) != tt.want {
				t.Fatalf("Fetch(%q) = %v, %v; want %q", tt.key, got, err, tt.want)
			}
		})
	}
}

func longName(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a'
	}
	return string(b)
}

// wantStatus checks status and code of an error, and that a public text gives nothing away.
func wantStatus(t *testing.T, err error, status int, code string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T), want *Error of status %d", err, err, status)
	}
	if e.HTTPStatus() != status || e.Code() != code {
		t.Fatalf("error %v: status %d code %s, want %d %s", err, e.HTTPStatus(), e.Code(), status, code)
	}
	if status >= http.StatusInternalServerError {
		return
	}
	public := []string{absent, forbidden(nil).Text, "the original is larger than limits.source_bytes, "}
	for _, text := range public {
		if err.Error() == text || strings.HasSuffix(text, ", ") && strings.HasPrefix(err.Error(), text) {
			return
		}
	}
	t.Fatalf("public text %q is none of %q", err.Error(), public)
}

func TestFolderUnreadable(t *testing.T) {
	e := fileError(&os.PathError{Op: "open", Path: "a.jpg", Err: syscall.EACCES})
	wantStatus(t, e, http.StatusNotFound, "not_found")
	if e.Result != ResultDenied {
		t.Errorf("EACCES counts as %v, want denied", e.Result)
	}
	wantStatus(t, fileError(&os.PathError{Op: "open", Path: "a.jpg", Err: syscall.EIO}), http.StatusBadGateway, "origin_failed")
	wantStatus(t, fileError(&os.PathError{Op: "open", Path: "a.jpg", Err: syscall.EMFILE}), http.StatusBadGateway, "origin_failed")
}

func TestFolderChangedInPlace(t *testing.T) {
	f, dir := folderOf(t, map[string]string{"a.jpg": "one"})
	obj, err := f.Open(context.Background(), "a.jpg", Conditions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.jpg"), []byte("longer than before"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(t.Context(), obj, 1000, func(int64) error { return nil }); !errors.Is(err, errWrongLength) {
		t.Errorf("grown while read: %v, want %v", err, errWrongLength)
	}
	if err := obj.Body.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := f.Open(context.Background(), "a.jpg", Conditions{ETag: obj.ETag, Modified: obj.Modified})
	if err != nil || again.NotModified {
		t.Errorf("changed file: NotModified %v, %v", again != nil && again.NotModified, err)
	}
}

func TestFolderTouchedSameSize(t *testing.T) {
	f, dir := folderOf(t, map[string]string{"a.jpg": "one"})
	path := filepath.Join(dir, "a.jpg")
	at := time.Unix(1_700_000_000, 5)
	tagAt := func(at time.Time) string {
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		obj, err := f.Open(t.Context(), "a.jpg", Conditions{})
		if err != nil {
			t.Fatal(err)
		}
		_ = obj.Body.Close()
		return obj.ETag
	}
	if a, b := tagAt(at), tagAt(at.Add(time.Nanosecond)); a == b {
		t.Errorf("one nanosecond later the tag is still %s", a)
	}
}

// A request that began before its source was taken away ends well.
func TestFolderOpensAfterClose(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "a"), []byte("x"), 0o600), os.Symlink("/etc/passwd", filepath.Join(dir, "out"))); err != nil {
		t.Fatal(err)
	}
	f, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Fatalf("Close: %v", err)
	}
	obj, err := f.Open(t.Context(), "a", Conditions{})
	if err != nil {
		t.Fatalf("Open after Close: %v", err)
	}
	body, err := io.ReadAll(obj.Body)
	if err := errors.Join(err, obj.Body.Close()); err != nil || string(body) != "x" {
		t.Errorf("read %q, %v; want x", body, err)
	}
	var e *Error
	if _, err := f.Open(t.Context(), "out", Conditions{}); !errors.As(err, &e) || e.Result != ResultNotFound {
		t.Errorf("a link that leaves the folder: %v, want not found", err)
	}
}
