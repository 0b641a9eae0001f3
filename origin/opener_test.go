package origin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/internal/testpeer"
	"github.com/minio/minio-go/v7"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store is an Opener under test and the way to put things behind it.
type store struct {
	opener Opener
	put    func(t *testing.T, key string, data []byte)
	fine   bool // compares times finer than it tells them, as versitygw does: only a tag can match
}

// testOpener is what every Opener must do.
func testOpener(t *testing.T, s store) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
	keys := map[string][]byte{
		"a.jpg": []byte("picture"), "dir/sub/b.jpg": []byte("deep"), "empty.jpg": {}, "big.jpg": big,
		"sp ace+plus&amp;=;,'()!*~@:$.jpg": []byte("odd"), "größe-漢字.jpg": []byte("unicode"), "100%25.jpg": []byte("percent"),
		"what?.jpg": []byte("question"), "hash#.jpg": []byte("hash"),
	}
	for key, data := range keys {
		s.put(t, key, data)
	}
	src := &Source{Opener: s.opener, Name: "test", Timeout: 10 * time.Second, MaxBytes: 1 << 20}

	for key, want := range keys {
		t.Run("fetch "+key, func(t *testing.T) {
			got, err := src.Fetch(t.Context(), key, Conditions{})
			if err != nil || !bytes.Equal(got.Data, want) {
				t.Fatalf("Fetch(%q) = %v, %v; want %d bytes", key, describe(got), err, len(want))
			}
			if got.ETag == "" || got.Modified.IsZero() || got.MaxAge != -1 || got.NoStore || got.NotModified {
				t.Errorf("Fetch(%q): meta %+v", key, got.Meta)
			}
		})
	}
	t.Run("absent", func(t *testing.T) {
		for _, key := range []string{"nope.jpg", "dir/nope.jpg", "dir", "dir/sub", "no/such/dir/a.jpg"} {
			_, err := src.Fetch(t.Context(), key, Conditions{})
			wantStatus(t, err, http.StatusNotFound, "not_found")
			if got := resultOf(err); got != ResultNotFound {
				t.Errorf("%q counts as %v", key, got)
			}
		}
	})
	t.Run("conditions", func(t *testing.T) { testConditions(t, s, src) })
	t.Run("size cap", func(t *testing.T) {
		small := &Source{Opener: s.opener, MaxBytes: 1<<20 - 1}
		_, err := small.Fetch(t.Context(), "big.jpg", Conditions{})
		wantStatus(t, err, http.StatusRequestEntityTooLarge, "too_large")
		if got := small.Stats(); got.Bytes != 0 || got.Tries != 1 {
			t.Errorf("announced as too large: %d bytes read in %d tries, want 0 in 1", got.Bytes, got.Tries)
		}
	})
	t.Run("left by the caller", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := src.Fetch(ctx, "big.jpg", Conditions{})
		wantStatus(t, err, http.StatusGatewayTimeout, "origin_timeout")
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want context.Canceled inside", err)
		}
	})
	t.Run("at once", func(t *testing.T) {
		errs := make(chan error, 20)
		for range cap(errs) {
			go func() {
				got, err := src.Fetch(t.Context(), "big.jpg", Conditions{})
				if err == nil && !bytes.Equal(got.Data, big) {
					err = fmt.Errorf("wrong bytes: %v", describe(got))
				}
				errs <- err
			}()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

func testConditions(t *testing.T, s store, src *Source) {
	first, err := src.Fetch(t.Context(), "a.jpg", Conditions{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      string
		cond      Conditions
		unchanged bool
	}{
		{"same tag and time", Conditions{ETag: first.ETag, Modified: first.Modified}, true},
		{"same tag", Conditions{ETag: first.ETag}, true},
		{"same time", Conditions{Modified: first.Modified}, !s.fine},
		{"other tag", Conditions{ETag: `"other"`}, false},
		{"other tag, same time", Conditions{ETag: `"other"`, Modified: first.Modified}, false},
		{"older copy", Conditions{Modified: first.Modified.Add(-time.Hour)}, false},
	}
	for _, tt := range tests {
		got, err := src.Fetch(t.Context(), "a.jpg", tt.cond)
		if err != nil || got.NotModified != tt.unchanged || (got.Data == nil) != tt.unchanged {
			t.Errorf("%s: %v, %v; want unchanged %v", tt.name, describe(got), err, tt.unchanged)
		}
		if err == nil && (!got.NotModified || tt.cond.ETag != "") && got.ETag != first.ETag {
			t.Errorf("%s: tag %s, want %s", tt.name, got.ETag, first.ETag)
		}
	}
	s.put(t, "changing.jpg", []byte("before"))
	before, err := src.Fetch(t.Context(), "changing.jpg", Conditions{})
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, "changing.jpg", []byte("afterwards"))
	got, err := src.Fetch(t.Context(), "changing.jpg", Conditions{ETag: before.ETag, Modified: before.Modified})
	if err != nil || string(got.Data) != "afterwards" || got.ETag == before.ETag {
		t.Errorf("changed: %v, %v; want new bytes and tag", describe(got), err)
	}
}

func describe(o *Original) string {
	if o == nil {
		return "nothing"
	}
	return fmt.Sprintf("{%d bytes, NotModified %v, %+v}", len(o.Data), o.NotModified, o.Meta)
}

func TestFolderConforms(t *testing.T) {
	f, dir := folderOf(t, nil)
	testOpener(t, store{opener: f, put: func(t *testing.T, key string, data []byte) { writeFile(t, dir, key, data) }})
}

func writeFile(t *testing.T, dir, key string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(key))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestHTTPConforms uses a real server over a folder: net/http's own, which is strict on conditions.
func TestHTTPConforms(t *testing.T) {
	dir := t.TempDir()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(r.URL.Path, "/pictures/")))
		file, err := os.Open(path)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer func() { _ = file.Close() }()
		info, err := file.Stat()
		if err != nil || info.IsDir() {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", fileTag(info))
		http.ServeContent(w, r, "x.jpg", info.ModTime(), file)
	}))
	t.Cleanup(server.Close)
	h := newHTTP(t, HTTPSettings{Base: server.URL + "/pictures"})
	testOpener(t, store{opener: h, put: func(t *testing.T, key string, data []byte) { writeFile(t, dir, key, data) }})
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// newHTTP returns an HTTP origin that may dial the tests' servers.
func newHTTP(t *testing.T, set HTTPSettings) *HTTP {
	t.Helper()
	if set.AllowNetworks == nil {
		set.AllowNetworks = loopback
	}
	h, err := NewHTTP(set)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func TestBucketConforms(t *testing.T) {
	server := testpeer.S3(t)
	for _, tt := range []struct {
		name, bucket, prefix string
		pathStyle            bool
	}{
		{"path style with prefix", "shop", "images/", true},
		{"host style", "store", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server.MakeBucket(t, tt.bucket)
			b := bucketOn(t, server, BucketSettings{Name: tt.bucket, Prefix: tt.prefix, PathStyle: tt.pathStyle})
			testOpener(t, store{opener: b, fine: true, put: func(t *testing.T, key string, data []byte) {
				server.Put(t, tt.bucket, tt.prefix+key, data, minio.PutObjectOptions{})
			}})
		})
	}
}

// bucketOn returns a bucket origin on server. Host style needs a name, and the connection goes to the server.
func bucketOn(t *testing.T, server testpeer.S3Server, set BucketSettings) *Bucket {
	t.Helper()
	address := strings.TrimPrefix(server.Endpoint, "http://")
	set.Region, set.AccessKey, set.SecretKey = server.Region, server.AccessKey, server.SecretKey
	set.Endpoint = server.Endpoint
	if !set.PathStyle {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		set.Endpoint = "http://" + net.JoinHostPort(server.Domain, port)
	}
	b, err := newBucket(set, &http.Transport{
		DisableCompression: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestBucketAnswers(t *testing.T) {
	server := testpeer.S3(t)
	server.MakeBucket(t, "shop")
	b := bucketOn(t, server, BucketSettings{Name: "shop", PathStyle: true})
	src := &Source{Opener: b, Timeout: 5 * time.Second}

	t.Run("what the object says", func(t *testing.T) {
		server.Put(t, "shop", "fresh.jpg", []byte("x"), minio.PutObjectOptions{CacheControl: "max-age=60, s-maxage=30"})
		got, err := src.Fetch(t.Context(), "fresh.jpg", Conditions{})
		if err != nil || got.MaxAge != 30*time.Second {
			t.Errorf("got %v, %v; want MaxAge 30s", describe(got), err)
		}
	})
	t.Run("stored as gzip", func(t *testing.T) {
		server.Put(t, "shop", "z.jpg", gzipped(t, []byte("plain bytes")), minio.PutObjectOptions{ContentEncoding: "gzip"})
		got, err := src.Fetch(t.Context(), "z.jpg", Conditions{})
		if err != nil || string(got.Data) != "plain bytes" {
			t.Errorf("got %v, %v; want the plain bytes", describe(got), err)
		}
	})
	t.Run("no such bucket", func(t *testing.T) {
		_, err := (&Source{Opener: bucketOn(t, server, BucketSettings{Name: "other", PathStyle: true})}).Fetch(t.Context(), "a.jpg", Conditions{})
		wantStatus(t, err, http.StatusNotFound, "not_found")
		if resultOf(err) != ResultDenied {
			t.Errorf("counts as %v, want denied", resultOf(err))
		}
	})
	t.Run("wrong secret", func(t *testing.T) {
		wrong := server
		wrong.SecretKey = "nonsense"
		_, err := (&Source{Opener: bucketOn(t, wrong, BucketSettings{Name: "shop", PathStyle: true})}).Fetch(t.Context(), "fresh.jpg", Conditions{})
		wantStatus(t, err, http.StatusNotFound, "not_found")
		if resultOf(err) != ResultDenied {
			t.Errorf("counts as %v, want denied", resultOf(err))
		}
	})
	t.Run("name the server could not hold", func(t *testing.T) {
		_, err := src.Fetch(t.Context(), strings.Repeat("a", 1100), Conditions{})
		wantStatus(t, err, http.StatusNotFound, "not_found")
	})
	t.Run("frozen", func(t *testing.T) {
		server.Pause()
		defer server.Resume()
		slow := &Source{Opener: b, Timeout: 200 * time.Millisecond}
		_, err := slow.Fetch(t.Context(), "fresh.jpg", Conditions{})
		wantStatus(t, err, http.StatusGatewayTimeout, "origin_timeout")
	})
	t.Run("gone", func(t *testing.T) {
		server.Stop()
		_, err := src.Fetch(t.Context(), "fresh.jpg", Conditions{})
		wantStatus(t, err, http.StatusBadGateway, "origin_failed")
	})
}

// TestBucketRefusals covers answers that versitygw does not give.
func TestBucketRefusals(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		status  int
		result  Result
		wait    time.Duration
	}{
		{"slow down", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `<Error><Code>SlowDown</Code><Message>secret detail</Message></Error>`)
		}, http.StatusBadGateway, ResultFailed, 2 * time.Minute},
		{"403 without list rights", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, http.StatusNotFound, ResultDenied, 0},
		{"404 in HTML", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `<html>no`)
		}, http.StatusNotFound, ResultNotFound, 0},
		{"moved elsewhere", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, http.StatusBadGateway, ResultInvalid, 0},
		{"304 unasked", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }, http.StatusBadGateway, ResultInvalid, 0},
		{"closed at once", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, http.StatusBadGateway, ResultFailed, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(tt.handler)
			defer server.Close()
			b, err := NewBucket(BucketSettings{Endpoint: server.URL, Name: "shop", PathStyle: true})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = b.Close() }()
			_, err = (&Source{Opener: b, Timeout: 5 * time.Second}).Fetch(t.Context(), "a.jpg", Conditions{})
			var e *Error
			if !errors.As(err, &e) || e.HTTPStatus() != tt.status || e.Result != tt.result || e.RetryAfter() != tt.wait {
				t.Fatalf("got %v (%+v), want status %d, %v, Retry-After %v", err, e, tt.status, tt.result, tt.wait)
			}
			if strings.Contains(err.Error(), "secret detail") || strings.Contains(err.Error(), server.URL) {
				t.Errorf("%q repeats the server's text or address", err)
			}
		})
	}
}

func TestBucketOddExpires(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Expires", "0")
		w.Header().Set("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
		_, _ = io.WriteString(w, "picture")
	}))
	defer server.Close()
	b, err := NewBucket(BucketSettings{Endpoint: server.URL, Name: "shop", PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	got, err := (&Source{Opener: b}).Fetch(t.Context(), "a.jpg", Conditions{})
	if err != nil || string(got.Data) != "picture" || got.MaxAge != 0 {
		t.Errorf("got %v, %v; want the picture, stale at once", describe(got), err)
	}
}

func TestBucketSettings(t *testing.T) {
	for _, set := range []BucketSettings{
		{Endpoint: "", Name: "shop"},
		{Endpoint: "127.0.0.1:9000", Name: "shop"},
		{Endpoint: "ftp://127.0.0.1", Name: "shop"},
		{Endpoint: "http://user:pw@127.0.0.1", Name: "shop"},
		{Endpoint: "http://127.0.0.1/path", Name: "shop"},
		{Endpoint: "http://127.0.0.1", Name: ""},
		{Endpoint: "http://127.0.0.1", Name: "a/b"},
	} {
		if _, err := NewBucket(set); err == nil {
			t.Errorf("NewBucket(%+v) took it", set)
		} else if strings.Contains(err.Error(), "pw@") {
			t.Errorf("NewBucket(%+v) repeats the password: %v", set, err)
		}
	}
}
