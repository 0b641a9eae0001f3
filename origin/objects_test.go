package origin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imgedge/imgedge/internal/testpeer"
)

func testObjects(t *testing.T) *Objects {
	t.Helper()
	s := testpeer.S3(t)
	s.MakeBucket(t, "things")
	b, err := NewBucket(BucketSettings{Endpoint: s.Endpoint, Region: s.Region, Name: "things", Prefix: "other/", AccessKey: s.AccessKey, SecretKey: s.SecretKey, PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b.Objects("mine/")
}

func TestObjects(t *testing.T) {
	o := testObjects(t)
	ctx := t.Context()
	put := func(key, text string, how ObjectPut) error {
		how.Type, how.Meta = "text/plain", map[string]string{"imgedge-upload": "u" + text}
		return o.Put(ctx, key, []byte(text), how)
	}
	if err := put("a/1", "one", ObjectPut{IfNew: true}); err != nil {
		t.Fatal(err)
	}
	if err := put("a/1", "two", ObjectPut{IfNew: true}); !errors.Is(err, ErrObjectCondition) {
		t.Errorf("put over it: %v, want ErrObjectCondition", err)
	}
	data, info, err := o.Get(ctx, "a/1", 3)
	if err != nil || string(data) != "one" || info.Key != "a/1" || info.Size != 3 || info.ETag == "" || info.Type != "text/plain" || info.Meta["imgedge-upload"] != "uone" {
		t.Errorf("Get = %q, %+v, %v", data, info, err)
	}
	if _, _, err := o.Get(ctx, "a/1", 2); !errors.Is(err, errObjectSize) {
		t.Errorf("Get of at most 2 bytes: %v", err)
	}
	if err := put("a/1", "three", ObjectPut{IfMatch: info.ETag}); err != nil {
		t.Errorf("put in place of what was read: %v", err)
	}
	if err := put("a/1", "four", ObjectPut{IfMatch: info.ETag}); !errors.Is(err, ErrObjectCondition) {
		t.Errorf("put in place of what is gone: %v", err)
	}
	if err := put("a/none", "four", ObjectPut{IfMatch: info.ETag}); !errors.Is(err, ErrObjectAbsent) {
		t.Errorf("put in place of nothing: %v", err)
	}
	if now, err := o.Stat(ctx, "a/1"); err != nil || now.Meta["imgedge-upload"] != "uthree" || time.Since(now.Modified) > time.Minute {
		t.Errorf("Stat = %+v, %v", now, err)
	}
	if _, err := o.Stat(ctx, "a/none"); !errors.Is(err, ErrObjectAbsent) {
		t.Errorf("Stat of nothing: %v", err)
	}
	if _, _, err := o.Get(ctx, "a/none", 9); !errors.Is(err, ErrObjectAbsent) {
		t.Errorf("Get of nothing: %v", err)
	}
	if err := errors.Join(o.Delete(ctx, "a/1"), o.Delete(ctx, "a/1")); err != nil {
		t.Errorf("Delete, twice: %v", err)
	}
}

func TestObjectsList(t *testing.T) {
	o := testObjects(t)
	for i := range 5 {
		if err := o.Put(t.Context(), fmt.Sprintf("l/%d", i), []byte("x"), ObjectPut{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.bucket.Objects("mind/").Put(t.Context(), "l/9", []byte("x"), ObjectPut{}); err != nil {
		t.Fatal(err)
	}
	keys := func(prefix, after string, most int) string {
		var all []string
		for info, err := range o.List(t.Context(), prefix, after) {
			if err != nil {
				t.Fatal(err)
			}
			if all = append(all, info.Key); len(all) == most {
				break
			}
		}
		return strings.Join(all, " ")
	}
	for _, row := range []struct {
		prefix, after string
		most          int
		want          string
	}{
		{"", "", 9, "l/0 l/1 l/2 l/3 l/4"},
		{"l/", "l/2", 9, "l/3 l/4"},
		{"l/", "l/2", 1, "l/3"},
		{"m/", "", 9, ""},
	} {
		if got := keys(row.prefix, row.after, row.most); got != row.want {
			t.Errorf("List(%q, %q) = %q, want %q", row.prefix, row.after, got, row.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	failed := false
	for _, err := range o.List(ctx, "", "") {
		failed = failed || err != nil
	}
	if !failed {
		t.Error("a listing that was given up looks like an empty folder")
	}
}

// The signature covers length, type and metadata.
func TestPresignPut(t *testing.T) {
	o := testObjects(t)
	how := ObjectPut{Type: "image/jpeg", Meta: map[string]string{"imgedge-upload": "u1"}}
	url, headers, err := o.PresignPut(t.Context(), "p/1", 5, how, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	try := func(body, name, value string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range headers {
			if name != "Content-Length" {
				req.Header.Set(name, value)
			}
		}
		if name != "" {
			req.Header.Set(name, value)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	for _, row := range []struct {
		name, body, header, value string
		status                    int
	}{
		{"longer", "123456", "", "", 403},
		{"shorter", "1234", "", "", 403},
		{"another type", "12345", "Content-Type", "text/html", 403},
		{"another upload", "12345", "X-Amz-Meta-Imgedge-Upload", "u2", 403},
		{"as declared", "12345", "", "", 200},
	} {
		if got := try(row.body, row.header, row.value); got != row.status {
			t.Errorf("%s: status %d, want %d", row.name, got, row.status)
		}
	}
	if info, err := o.Stat(t.Context(), "p/1"); err != nil || info.Meta["imgedge-upload"] != "u1" || info.Size != 5 {
		t.Errorf("Stat = %+v, %v", info, err)
	}
}

// A server that fails for a moment is asked again; one that goes on failing is an error that says so.
func TestObjectsTryAgain(t *testing.T) {
	calls := 0
	_, err := again(t.Context(), func(context.Context) (int, error) {
		if calls++; calls < objectTries {
			return 0, errors.New("connection reset")
		}
		return 1, nil
	})
	if err != nil || calls != objectTries {
		t.Errorf("%d calls, %v", calls, err)
	}
	calls = 0
	_, err = again(t.Context(), func(context.Context) (int, error) { calls++; return 0, errors.New("connection reset") })
	if err == nil || calls != objectTries {
		t.Errorf("%d calls, %v", calls, err)
	}
	calls = 0
	_, err = again(t.Context(), func(context.Context) (int, error) { calls++; return 0, ErrObjectAbsent })
	if !errors.Is(err, ErrObjectAbsent) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

// slow is a body that, once the server has answered, is not read until the put is over, or for a while.
type slow struct {
	answered, over chan struct{}

	mu   sync.Mutex // held while a read lasts
	late bool       // it was read when the put was over
}

func (s *slow) ReadAt(p []byte, off int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if off > 0 {
		<-s.answered
		select {
		case <-s.over:
			s.late = true
		case <-time.After(200 * time.Millisecond): // PutFrom waits for this read
		}
	}
	return len(p), nil
}

// A server refuses a body before it has read it: nobody reads on once the caller knows, for it may close the file.
func TestRefusedBodyIsNotRead(t *testing.T) {
	body := &slow{answered: make(chan struct{}), over: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusPreconditionFailed)
		_ = http.NewResponseController(w).Flush()
		close(body.answered)
	}))
	defer server.Close()
	b, err := NewBucket(BucketSettings{Endpoint: server.URL, Region: "here", Name: "things", AccessKey: "a", SecretKey: "s", PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	const size = 8 << 20
	err = b.Objects("").PutFrom(t.Context(), "a", io.NewSectionReader(body, 0, size), ObjectPut{IfNew: true})
	close(body.over)
	if !errors.Is(err, ErrObjectCondition) {
		t.Errorf("PutFrom = %v, want ErrObjectCondition", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	body.mu.Lock()
	defer body.mu.Unlock()
	if body.late {
		t.Error("the body was read after PutFrom had returned")
	}
}
