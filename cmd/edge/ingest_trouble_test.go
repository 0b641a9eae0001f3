package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/internal/testpeer"
)

// A bucket that takes calls and never answers costs limits.request and not more.
func TestHangingBucket(t *testing.T) {
	store, endpoint := newCountedS3(t)
	s := start(t, strings.Replace(ingestConfig(store.S3Server, endpoint, ""), "shutdown:", "limits: {request: 1s}\nshutdown:", 1))
	stored := s.upload(t, http.StatusCreated, nil, painted(t, 64, 48)).Images[0]
	s.settled(t, stored.ID)
	hangs := make(chan struct{})
	t.Cleanup(func() { close(hangs) })
	store.onCall(func(string) { <-hangs })
	for _, row := range []struct {
		name string
		do   func() (int, []byte)
	}{
		{"an upload", func() (int, []byte) {
			body, contentType := formOf(t, nil, painted(t, 65, 48), painted(t, 66, 48))
			return s.call(t, http.MethodPost, "/v1/images", body, "Content-Type", contentType)
		}},
		{"one that is not atomic", func() (int, []byte) {
			body, contentType := formOf(t, map[string]string{"atomic": "false"}, painted(t, 65, 48), painted(t, 66, 48))
			return s.call(t, http.MethodPost, "/v1/images", body, "Content-Type", contentType)
		}},
		{"a completion", func() (int, []byte) {
			return s.call(t, http.MethodPost, "/v1/uploads/"+strings.Repeat("0", 32)+"/complete", nil)
		}},
		{"an image", func() (int, []byte) { return s.call(t, http.MethodGet, "/v1/images/"+stored.ID, nil) }},
		{"the list", func() (int, []byte) { return s.call(t, http.MethodGet, "/v1/images", nil) }},
		{"a deletion", func() (int, []byte) { return s.call(t, http.MethodDelete, "/v1/images/"+stored.ID, nil) }},
	} {
		began := time.Now()
		status, data := row.do()
		if status != http.StatusGatewayTimeout || !strings.Contains(string(data), `"code":"origin_timeout"`) {
			t.Errorf("%s: %d %s, want 504 origin_timeout", row.name, status, data)
		}
		if took := time.Since(began); took > 20*time.Second { // one try of the S3 client alone would take 30 s
			t.Errorf("%s: an answer after %v", row.name, took)
		}
	}
}

// The nodes' Redis dies after an upload was committed and before its answer is remembered: another node finds the
// answer in the bucket.
func TestIdempotencyOutlivesRedis(t *testing.T) {
	store, endpoint := newCountedS3(t)
	redis := testpeer.Redis(t)
	config := ingestConfig(store.S3Server, endpoint, fmt.Sprintf("redis: {url: %q}\n", redis.URL))
	one, other := start(t, config), start(t, config)
	a := painted(t, 64, 48)
	send := func(s edgeServer, files ...[]byte) (int, []byte) {
		body, contentType := formOf(t, nil, files...)
		return s.call(t, http.MethodPost, "/v1/images", body, "Content-Type", contentType, "Idempotency-Key", "order-1")
	}
	store.onCall(func(call string) {
		if strings.HasPrefix(call, "PUT up/uploads/") {
			if err := redis.Client(t).Save(t.Context()).Err(); err != nil {
				t.Error(err)
			}
			redis.Kill()
		}
	})
	status, first := send(one, a, a)
	if status != http.StatusCreated {
		t.Fatalf("status %d: %s", status, first)
	}
	if status, again := send(one, a, a); status != http.StatusCreated || !bytes.Equal(again, first) {
		t.Errorf("without Redis: %d\n%s, want\n%s", status, again, first)
	}
	store.onCall(nil)
	redis.Restart(t)
	eventually(t, "the node asks Redis again", func() bool { return !other.Node.Fleet.Stats().Open && other.Node.Fleet.Ping(t.Context()) == nil })
	if status, again := send(other, a, a); status != http.StatusCreated || !bytes.Equal(again, first) {
		t.Errorf("on another node: %d\n%s, want\n%s", status, again, first)
	}
	if status, data := send(other, a); status != http.StatusUnprocessableEntity {
		t.Errorf("another body: %d %s", status, data)
	}
	if records := store.count("PUT up/uploads/"); records != 1 {
		t.Errorf("%d commits, want 1", records)
	}
	s := one
	s.settled(t, decoded[uploadReply](t, first).Images[0].ID)
}

// A file of 50 MiB is never whole in the memory of the process that takes it, however many copies of it would be
// convenient.
func TestLargeUploadTakesNoMemory(t *testing.T) {
	store, endpoint := newCountedS3(t)
	s := start(t, strings.Replace(ingestConfig(store.S3Server, endpoint, ""), "presets: [thumb, card, text]", "presets: []", 1))
	file := largePNG(t, 4000, 3270)
	send := func() {
		t.Helper()
		in, out := io.Pipe()
		form := multipart.NewWriter(out)
		go func() {
			part, err := form.CreateFormFile("file", "large.png")
			if err == nil {
				_, err = io.Copy(part, io.NewSectionReader(file, 0, 1<<40))
			}
			if err == nil {
				err = form.Close()
			}
			_ = out.CloseWithError(err) // nil is the end
		}()
		status, data := s.call(t, http.MethodPost, "/v1/images", in, "Content-Type", form.FormDataContentType())
		if status != http.StatusCreated {
			t.Fatalf("%d %s", status, data)
		}
		reply := decoded[uploadReply](t, data)
		if reply.Images[0].Width != 4000 {
			t.Errorf("image %+v", reply.Images[0])
		}
		s.call(t, http.MethodDelete, "/v1/images/"+reply.Images[0].ID, nil)
	}
	send() // connections and pools
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	send()
	runtime.ReadMemStats(&after)
	const most = 25 << 20 // half of the file; the race detector throws pooled buffers away
	got := after.TotalAlloc - before.TotalAlloc
	t.Logf("allocated %d bytes", got)
	if got > most {
		t.Errorf("the upload allocated %d bytes, want at most %d", got, most)
	}
}

// largePNG writes noise, which PNG cannot make smaller, into a file.
func largePNG(t testing.TB, width, height int) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "large.png"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	random := rand.New(rand.NewPCG(1, 2))
	for i := 0; i+8 <= len(m.Pix); i += 8 {
		v := random.Uint64()
		for k := range 8 {
			m.Pix[i+k] = byte(v >> (8 * k))
		}
	}
	m.SetNRGBA(0, 0, color.NRGBA{1, 2, 3, 4}) // not opaque, so that all four bytes are kept
	if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(f, m); err != nil {
		t.Fatal(err)
	}
	return f
}
