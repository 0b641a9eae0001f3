package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	s3 "github.com/minio/minio-go/v7"

	"github.com/imgedge/imgedge/internal/testpeer"
	"github.com/imgedge/imgedge/sample"
)

// countedS3 is an S3 server behind a proxy that notes each call as "PUT images/x.jpg".
type countedS3 struct {
	testpeer.S3Server
	mu    sync.Mutex
	calls []string
	hook  func(call string) // before a call goes on; nil = it does
}

func newCountedS3(t testing.TB, flags ...string) (*countedS3, string) {
	t.Helper()
	s := &countedS3{S3Server: testpeer.S3(t, flags...)}
	s.MakeBucket(t, "shop")
	to, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	forward := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // it is signed
	}}
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		call := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/shop/")
		s.calls = append(s.calls, call)
		hook := s.hook
		s.mu.Unlock()
		if hook != nil {
			hook(call)
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { p.Close(); transport.CloseIdleConnections() })
	return s, p.URL
}

// onCall sets what happens before each call goes on.
func (s *countedS3) onCall(hook func(call string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = hook
}

// count counts the calls that begin with a text.
func (s *countedS3) count(prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, call := range s.calls {
		if strings.HasPrefix(call, prefix) {
			n++
		}
	}
	return n
}

// ingestConfig takes uploads into a bucket at an address.
func ingestConfig(s testpeer.S3Server, endpoint, more string) string {
	place := fmt.Sprintf("endpoint: %q, region: %s, name: shop, access_key: %s, secret_key: %s, path_style: true", endpoint, s.Region, s.AccessKey, s.SecretKey)
	return fmt.Sprintf(`sources:
  shop: {bucket: {%s, prefix: "up/images/"}, keys: [{id: k1, secret: %s}], widths: [320, 640, 1280]}
  old: {bucket: {%s, prefix: "originals/"}, keys: [{id: k1, secret: %s}]}
presets: {thumb: "w=200&h=200&fit=cover", card: "w=400", text: "q=60&f=jpeg"}
ingest: {source: shop, prefix: up/, presets: [thumb, card, text]}
events: {webhook: true}
tokens: [{name: cms, secret: 0123456789abcdef, scopes: [upload, purge]}, {name: other, secret: fedcba9876543210, scopes: [sign]}]
shutdown: {delay: 0s}
%s`, place, testKey, place, testKey, more)
}

// formOf is a multipart body of fields and files.
func formOf(t testing.TB, fields map[string]string, files ...[]byte) (body *bytes.Buffer, contentType string) {
	t.Helper()
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	for i, data := range files {
		part, err := w.CreateFormFile("file", fmt.Sprintf("photo%d.jpg", i+1))
		if err == nil {
			_, err = part.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return body, w.FormDataContentType()
}

// uploadReply is what a test reads of an answer about images.
type uploadReply struct {
	Images []imageReply
	Errors []struct{ File, Code string }
	Next   string
	Code   string
	Status int
}

type imageReply struct {
	ID, Key, Name, Format, SHA256, ThumbHash string
	URLs, Srcset                             map[string]string
	Width, Height                            int
	Existing                                 bool
	Presets                                  []struct{ Name, State string }
	Focus                                    *struct{ X, Y float64 }
}

// call calls /v1 with the token of uploads.
func (e edgeServer) call(t testing.TB, method, path string, body io.Reader, header ...string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, e.base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer 0123456789abcdef")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, data
}

// upload uploads files and wants a status.
func (e edgeServer) upload(t testing.TB, want int, fields map[string]string, files ...[]byte) uploadReply {
	t.Helper()
	body, contentType := formOf(t, fields, files...)
	status, data := e.call(t, http.MethodPost, "/v1/images", body, "Content-Type", contentType)
	if status != want {
		t.Fatalf("status %d, want %d: %s", status, want, data)
	}
	return decoded[uploadReply](t, data)
}

func decoded[T any](t testing.TB, data []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return v
}

// settled reads an image's events to their end and returns the last.
func (e edgeServer) settled(t testing.TB, id string) string {
	t.Helper()
	status, data := e.call(t, http.MethodGet, "/v1/images/"+id+"/events", nil)
	if status != http.StatusOK {
		t.Fatalf("events: %d %s", status, data)
	}
	_, last, ok := strings.Cut(string(data), "event: done\ndata: ")
	if !ok {
		t.Fatalf("no end in %s", data)
	}
	return strings.TrimSpace(last)
}

// TestUploadCounts is the price of an upload with three presets: no original is read again.
func TestUploadCounts(t *testing.T) {
	store, endpoint := newCountedS3(t)
	s := start(t, ingestConfig(store.S3Server, endpoint, ""))
	photo, err := sample.JPEG(sample.Scene(1600, 1200, 0), sample.Meta{GPS: true, Make: "Secretcam"})
	if err != nil {
		t.Fatal(err)
	}
	got := s.upload(t, http.StatusCreated, nil, photo)
	image := got.Images[0]
	if image.Width != 1600 || image.Height != 1200 || image.Format != "jpeg" || image.Key != image.ID+".jpg" || len(image.SHA256) != 64 || image.ThumbHash == "" || len(image.URLs) != 4 {
		t.Errorf("image %+v", image)
	}
	if news := s.settled(t, image.ID); !strings.Contains(news, `"done":3,"failed":0,"total":3`) {
		t.Errorf("presets %s", news)
	}
	for _, name := range []string{"thumb", "card", "text"} {
		for _, accept := range []string{"", "image/avif,image/webp,*/*"} {
			a := ask(t, http.MethodGet, s.base+image.URLs[name], "Accept", accept)
			if a.StatusCode != http.StatusOK || !strings.Contains(a.Header.Get("Cache-Status"), "hit") {
				t.Errorf("%s for %q: %d, %s", name, accept, a.StatusCode, a.Header.Get("Cache-Status"))
			}
		}
	}
	ask(t, http.MethodGet, s.base+image.URLs["original"]).wantCode(t, http.StatusOK, "")
	notes := store.count("GET up/manifests/")
	for width := range 10 {
		ask(t, http.MethodGet, s.sign(t, fmt.Sprintf("/shop/%s?w=%d&f=jpeg", image.Key, 100+width))).wantCode(t, http.StatusOK, "")
	}
	if more := store.count("GET up/manifests/") - notes; more != 0 {
		t.Errorf("ten sizes asked %d times for the focal point", more)
	}
	if puts, gets := store.count("PUT "), store.count("GET up/images/"); puts != 3 || gets != 0 {
		t.Errorf("%d PUTs and %d GETs of originals, want 3 and 0: %v", puts, gets, store.calls)
	}
	if !strings.Contains(image.Srcset["thumb"], " 2x") || !strings.Contains(image.Srcset["text"], " 1280w") {
		t.Errorf("srcset %v", image.Srcset)
	}
}

func TestImagesAPI(t *testing.T) {
	store, endpoint := newCountedS3(t)
	s := start(t, ingestConfig(store.S3Server, endpoint, ""))
	a, b := painted(t, 640, 480), painted(t, 320, 200)
	got := s.upload(t, http.StatusCreated, map[string]string{"fx": "0.25", "fy": "1", "tags": "summer, beach"}, a, b, a)
	if len(got.Images) != 3 || got.Images[0].Existing || got.Images[1].Existing || !got.Images[2].Existing || got.Images[0].Name != "photo1.jpg" {
		t.Fatalf("answer %+v", got)
	}
	first := got.Images[0]
	for _, image := range got.Images {
		s.settled(t, image.ID)
	}

	status, data := s.call(t, http.MethodGet, "/v1/images?limit=1", nil)
	page := decoded[uploadReply](t, data)
	if status != http.StatusOK || len(page.Images) != 1 || page.Next == "" {
		t.Fatalf("first page: %d %s", status, data)
	}
	_, data = s.call(t, http.MethodGet, "/v1/images?cursor="+page.Next, nil)
	if rest := decoded[uploadReply](t, data); len(rest.Images) != 1 || rest.Next != "" {
		t.Errorf("second page: %s", data)
	}

	status, data = s.call(t, http.MethodGet, "/v1/images/"+first.ID, nil)
	shown := decoded[imageReply](t, data)
	if status != http.StatusOK || shown.Focus == nil || shown.Focus.X != 0.25 || len(shown.Presets) != 3 || shown.Presets[0].State != "done" {
		t.Errorf("GET: %d %s", status, data)
	}
	status, data = s.call(t, http.MethodPatch, "/v1/images/"+first.ID, strings.NewReader(`{"fx":0,"fy":0.5}`))
	if changed := decoded[imageReply](t, data); status != http.StatusOK || changed.Focus.X != 0 || changed.Focus.Y != 0.5 {
		t.Errorf("PATCH: %d %s", status, data)
	}
	status, data = s.call(t, http.MethodPatch, "/v1/images/"+first.ID, strings.NewReader(`{"fx":null,"fy":null}`))
	if changed := decoded[imageReply](t, data); status != http.StatusOK || changed.Focus != nil {
		t.Errorf("PATCH null: %d %s", status, data)
	}
	if status, data = s.call(t, http.MethodPost, "/v1/images/"+first.ID+"/retry", strings.NewReader(`{"presets":["thumb"]}`)); status != http.StatusAccepted {
		t.Errorf("retry: %d %s", status, data)
	}
	s.settled(t, first.ID)

	ask(t, http.MethodGet, s.base+first.URLs["thumb"]).wantCode(t, http.StatusOK, "")
	if status, data = s.call(t, http.MethodDelete, "/v1/images/"+first.ID, nil); status != http.StatusNoContent {
		t.Errorf("DELETE: %d %s", status, data)
	}
	ask(t, http.MethodGet, s.base+first.URLs["thumb"]).wantCode(t, http.StatusNotFound, "not_found")
	for _, row := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/v1/images/" + first.ID, "", 404},
		{"DELETE", "/v1/images/" + first.ID, "", 404},
		{"GET", "/v1/images/" + first.ID + "/events", "", 404},
		{"GET", "/v1/images/..%2f..", "", 404},
		{"PUT", "/v1/images", "", 405},
		{"PUT", "/v1/images/" + got.Images[1].ID, "", 405},
		{"GET", "/v1/images/" + first.ID + "/more", "", 404},
		{"GET", "/v1/images?limit=0", "", 400},
		{"GET", "/v1/images?cursor=x", "", 400},
		{"PATCH", "/v1/images/" + got.Images[1].ID, `{"fx":2,"fy":0}`, 400},
		{"PATCH", "/v1/images/" + got.Images[1].ID, `{"fx":0.5}`, 400},
		{"PATCH", "/v1/images/" + got.Images[1].ID, `{"name":"x"}`, 400},
		{"POST", "/v1/images", "hello", 400},
		{"POST", "/v1/images/" + got.Images[1].ID + "/retry", `{"presets":["no"]}`, 400},
	} {
		if status, data := s.call(t, row.method, row.path, strings.NewReader(row.body)); status != row.status {
			t.Errorf("%s %s %s: %d, want %d: %s", row.method, row.path, row.body, status, row.status, data)
		}
	}
	if status, _ := s.call(t, http.MethodGet, "/v1/images", nil, "Authorization", "Bearer fedcba9876543210"); status != http.StatusForbidden {
		t.Errorf("with another scope: %d", status)
	}
	if status, _ := s.call(t, http.MethodPost, "/v1/images", nil, "Authorization", "Bearer nonsense"); status != http.StatusUnauthorized {
		t.Errorf("with no token: %d", status)
	}
}

func TestRefusedUploads(t *testing.T) {
	store, endpoint := newCountedS3(t)
	s := start(t, strings.Replace(ingestConfig(store.S3Server, endpoint, ""), "prefix: up/,", "prefix: up/, max_files: 12, max_file: 200KiB,", 1))
	good := painted(t, 64, 48)
	twelve := make([][]byte, 12)
	for i := range twelve {
		twelve[i] = painted(t, 64+i, 48)
	}
	twelve[6] = []byte("no picture")
	got := s.upload(t, http.StatusUnsupportedMediaType, nil, twelve...)
	if got.Code != "not_an_image" || len(got.Errors) != 1 || got.Errors[0].File != "photo7.jpg" {
		t.Errorf("one bad of twelve: %+v", got)
	}
	if puts := store.count("PUT"); puts != 0 {
		t.Errorf("%d PUTs", puts)
	}
	if got := s.upload(t, http.StatusCreated, map[string]string{"atomic": "false"}, twelve...); len(got.Images) != 11 || len(got.Errors) != 1 {
		t.Errorf("not atomic: %+v", got)
	}
	if got := s.upload(t, http.StatusRequestEntityTooLarge, nil, append(twelve, good)...); got.Code != "too_large" {
		t.Errorf("thirteen: %+v", got)
	}
	if got := s.upload(t, http.StatusRequestEntityTooLarge, nil, good, bytes.Repeat([]byte("x"), 200<<10+1)); got.Code != "too_large" || len(got.Errors) != 1 || got.Errors[0].File != "photo2.jpg" {
		t.Errorf("too large: %+v", got)
	}
	if got := s.upload(t, http.StatusRequestEntityTooLarge, nil, bytes.Repeat([]byte("x"), 30<<20)); got.Code != "too_large" {
		t.Errorf("far too large: %+v", got)
	}
	s.upload(t, http.StatusUnsupportedMediaType, nil, nil)
	s.upload(t, http.StatusBadRequest, nil)
	s.upload(t, http.StatusBadRequest, map[string]string{"fx": "0.5"}, good)
	s.upload(t, http.StatusBadRequest, map[string]string{"atomic": "perhaps"}, good)
	s.upload(t, http.StatusBadRequest, map[string]string{"no such field": "x"}, good)
	body, contentType := formOf(t, nil, good)
	if status, data := s.call(t, http.MethodPost, "/v1/images", bytes.NewReader(body.Bytes()[:body.Len()/2]), "Content-Type", contentType); status != http.StatusBadRequest {
		t.Errorf("half a form: %d %s", status, data)
	}
}

func TestIdempotentUploads(t *testing.T) {
	store, endpoint := newCountedS3(t)
	redis := testpeer.Redis(t)
	for name, more := range map[string]string{"memory": "", "redis": fmt.Sprintf("redis: {url: %q}\n", redis.URL)} {
		t.Run(name, func(t *testing.T) {
			s := start(t, ingestConfig(store.S3Server, endpoint, more))
			send := func(files ...[]byte) (int, []byte) {
				body, contentType := formOf(t, nil, files...)
				return s.call(t, http.MethodPost, "/v1/images", body, "Content-Type", contentType, "Idempotency-Key", "order-1")
			}
			a := painted(t, 64, 48)
			if status, data := send([]byte("bad")); status != http.StatusUnsupportedMediaType {
				t.Fatalf("refused: %d %s", status, data)
			}
			status, first := send(a)
			if status != http.StatusCreated {
				t.Fatalf("status %d: %s", status, first)
			}
			if status, again := send(a); status != http.StatusCreated || !bytes.Equal(again, first) {
				t.Errorf("again: %d\n%s, want\n%s", status, again, first)
			}
			if status, data := send(a, a); status != http.StatusUnprocessableEntity || !strings.Contains(string(data), "idempotency_mismatch") {
				t.Errorf("another body: %d %s", status, data)
			}
			id := decoded[uploadReply](t, first).Images[0].ID
			s.settled(t, id)
			s.call(t, http.MethodDelete, "/v1/images/"+id, nil)
		})
	}
}

func TestDirectUploadAndBucketEvents(t *testing.T) {
	store, endpoint := newCountedS3(t)
	s := start(t, ingestConfig(store.S3Server, endpoint, ""))
	data := painted(t, 640, 480)
	status, answer := s.call(t, http.MethodPost, "/v1/uploads", strings.NewReader(fmt.Sprintf(`{"type":"image/jpeg","size":%d}`, len(data))))
	ticket := decoded[struct {
		ID, URL, Method, Complete string
		Headers                   map[string]string
	}](t, answer)
	if status != http.StatusCreated || ticket.Complete != "/v1/uploads/"+ticket.ID+"/complete" {
		t.Fatalf("ticket: %d %s", status, answer)
	}
	req, err := http.NewRequestWithContext(t.Context(), ticket.Method, ticket.URL, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range ticket.Headers {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("PUT: %d", resp.StatusCode)
	}
	status, answer = s.call(t, http.MethodPost, ticket.Complete, strings.NewReader(`{"name":"beach.jpg"}`))
	got := decoded[uploadReply](t, answer)
	if status != http.StatusCreated || len(got.Images) != 1 || got.Images[0].Name != "beach.jpg" || got.Images[0].Width != 640 {
		t.Fatalf("complete: %d %s", status, answer)
	}
	image := got.Images[0]
	s.settled(t, image.ID)

	// The object is replaced behind our back, and the bucket tells of it.
	before := ask(t, http.MethodGet, s.base+image.URLs["card"])
	store.Put(t, "shop", "up/images/"+image.Key, painted(t, 300, 100), s3.PutObjectOptions{})
	message := func(key string) string {
		return fmt.Sprintf(`{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"shop"},"object":{"key":%q}}}]}`, key)
	}
	if status, answer := s.call(t, http.MethodPost, "/v1/events/shop", strings.NewReader(message("elsewhere/a.jpg"))); status != http.StatusOK || string(answer) != "{\"purged\":0}\n" {
		t.Errorf("of another place: %d %s", status, answer)
	}
	if status, answer := s.call(t, http.MethodPost, "/v1/events/shop", strings.NewReader(message("up/images/"+image.Key))); status != http.StatusOK || !strings.HasPrefix(string(answer), "{\"purged\":") || strings.Contains(string(answer), ":0}") {
		t.Errorf("events: %d %s", status, answer)
	}
	if after := ask(t, http.MethodGet, s.base+image.URLs["card"]); after.StatusCode != http.StatusOK || bytes.Equal(after.body, before.body) {
		t.Errorf("the old picture is still served (%d)", after.StatusCode)
	}
	for _, row := range []struct {
		path, body string
		status     int
	}{
		{"/v1/events/nowhere", "{}", 404},
		{"/v1/events/shop", "x", 400},
		{"/v1/uploads", `{"type":"text/html","size":1}`, 415},
		{"/v1/uploads", `{"type":"image/png","size":60000000}`, 413},
		{"/v1/uploads/" + ticket.ID, "", 404},
		{"/v1/uploads/" + strings.Repeat("0", 32) + "/complete", "", 404},
	} {
		if status, answer := s.call(t, http.MethodPost, row.path, strings.NewReader(row.body)); status != row.status {
			t.Errorf("POST %s %s: %d, want %d: %s", row.path, row.body, status, row.status, answer)
		}
	}
}

func TestGC(t *testing.T) {
	store, _ := newCountedS3(t)
	file := writeConfig(t, ingestConfig(store.S3Server, store.Endpoint, ""))
	id := strings.Repeat("0123456789abcdef", 2)
	ours := s3.PutObjectOptions{}
	ours.UserMetadata = map[string]string{uploadMeta: id}
	store.Put(t, "shop", "up/images/"+id+".jpg", []byte("orphan"), ours)
	store.Put(t, "shop", "up/images/mine.jpg", []byte("a stranger's"), s3.PutObjectOptions{})
	for _, row := range []struct {
		args []string
		want []string
	}{
		{[]string{"gc", "--config", file}, []string{"young", "foreign", "removed 0"}},
		{[]string{"gc", "--config", file, "--grace", "0s", "--dry-run"}, []string{"would remove", `"images/` + id + `.jpg"`, "orphans 1 (6 bytes), removed 0", "foreign 1"}},
		{[]string{"gc", "--config", file, "--grace", "0s"}, []string{"removed ", `"images/` + id + `.jpg"`, "orphans 1 (6 bytes), removed 1"}},
		{[]string{"gc", "--config", file, "--grace", "0s"}, []string{"orphans 0", "foreign 1"}},
	} {
		var out, complaints bytes.Buffer
		p := &Program{Stdout: &out, Stderr: &complaints}
		if code := p.Run(t.Context(), row.args); code != exitOK {
			t.Fatalf("%v: exit %d: %s", row.args, code, complaints.String())
		}
		for _, want := range row.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%v printed\n%s, want %q", row.args, out.String(), want)
			}
		}
	}
}

func TestIngestSettings(t *testing.T) {
	s := testpeer.S3Server{Region: "x", AccessKey: "access", SecretKey: "secret"}
	good := ingestConfig(s, "http://127.0.0.1:9000", "")
	for _, row := range []struct{ name, from, to, want string }{
		{"good", "", "", ""},
		{"no such source", "source: shop", "source: shoe", `there is no source "shoe"`},
		{"another prefix", "prefix: up/", "prefix: down/", `sources.shop.bucket.prefix has to be "down/images/"`},
		{"no folder", "prefix: up/", "prefix: up", `"up" is no prefix`},
		{"no such preset", "presets: [thumb", "presets: [thumbs", `there is no preset "thumbs"`},
		{"sweep", "prefix: up/", "prefix: up/, sweep: yes please", `is none of off, report, delete`},
		{"normalize", "prefix: up/", `prefix: up/, normalize: "f=auto"`, `name a picture format`},
		{"normalize badly", "prefix: up/", `prefix: up/, normalize: "f=jpeg&q=900"`, `q`},
		{"archive in place", "prefix: up/", `prefix: up/, archive: shop`, `lies in the same place`},
		{"archive", "prefix: up/", `prefix: up/, archive: old, normalize: "f=jpeg&q=90&w=4096", sweep: report`, ``},
	} {
		_, err := Load(writeConfig(t, strings.Replace(good, row.from, row.to, 1)), nil, Overrides{})
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
	}
}

// TestOpenAPIOfUploads asks for every call of uploads that the document names: each is there, and answers with
// what the document says.
func TestOpenAPIOfUploads(t *testing.T) {
	store, endpoint := newCountedS3(t)
	s := start(t, ingestConfig(store.S3Server, endpoint, ""))
	id := s.upload(t, http.StatusCreated, nil, painted(t, 64, 48)).Images[0].ID
	s.settled(t, id)
	status, data := s.call(t, http.MethodGet, "/v1/openapi.json", nil)
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	doc := decoded[struct {
		Paths map[string]map[string]struct{ Responses map[string]json.RawMessage }
	}](t, data)
	asked := 0
	for path, methods := range doc.Paths {
		if !strings.HasPrefix(path, "/v1/images") && !strings.HasPrefix(path, "/v1/uploads") && !strings.HasPrefix(path, "/v1/events") {
			continue
		}
		target := strings.NewReplacer("{id}", id, "{source}", "shop").Replace(path)
		for method, call := range methods {
			if method == "delete" {
				continue // the image is needed
			}
			asked++
			status, data := s.call(t, strings.ToUpper(method), target, strings.NewReader("{}"))
			if _, named := call.Responses[fmt.Sprint(status)]; !named || strings.Contains(string(data), "nothing is served") {
				t.Errorf("%s %s: %d, which the document does not name: %s", method, path, status, data)
			}
		}
		if status, _ := s.call(t, http.MethodPut, target, nil); status != http.StatusMethodNotAllowed {
			t.Errorf("PUT %s: %d, want 405", path, status)
		}
	}
	if asked != 9 {
		t.Errorf("%d calls, want 9", asked)
	}
}

// A focal point decides what every cover keeps, and changing it changes them at once.
func TestFocalPoint(t *testing.T) {
	store, endpoint := newCountedS3(t)
	s := start(t, strings.Replace(ingestConfig(store.S3Server, endpoint, ""), `thumb: "w=200&h=200&fit=cover"`, `thumb: "w=64&h=64&fit=cover&f=png"`, 1))
	image := s.upload(t, http.StatusCreated, map[string]string{"fx": "0", "fy": "0.5", "tags": "sale"}, painted(t, 640, 160)).Images[0]
	red := func() uint8 { // of the left edge: painted pictures get redder to the right
		t.Helper()
		a := ask(t, http.MethodGet, s.base+image.URLs["thumb"])
		img, err := png.Decode(bytes.NewReader(a.body))
		if err != nil {
			t.Fatalf("%d: %v", a.StatusCode, err)
		}
		r, _, _, _ := img.At(2, 32).RGBA()
		return uint8(r >> 8)
	}
	s.settled(t, image.ID)
	if left := red(); left > 40 {
		t.Errorf("focus at the left: red %d", left)
	}
	for _, row := range []struct {
		body        string
		least, most uint8
	}{{`{"fx":1,"fy":0.5}`, 180, 220}, {`{"fx":null,"fy":null}`, 80, 120}, {`{"fx":0,"fy":0}`, 0, 40}} {
		if status, data := s.call(t, http.MethodPatch, "/v1/images/"+image.ID, strings.NewReader(row.body)); status != http.StatusOK {
			t.Fatalf("PATCH: %d %s", status, data)
		}
		if got := red(); got < row.least || got > row.most {
			t.Errorf("%s: red %d, want %d to %d", row.body, got, row.least, row.most)
		}
	}
	s.settled(t, image.ID)

	// Its tag purges it.
	if status, data := s.call(t, http.MethodPost, "/v1/purge", strings.NewReader(`{"tag":"sale"}`)); status != http.StatusOK {
		t.Fatalf("purge: %d %s", status, data)
	}
	if a := ask(t, http.MethodGet, s.base+image.URLs["thumb"]); !strings.Contains(a.Header.Get("Cache-Status"), "fwd=miss") {
		t.Errorf("after a purge by its tag: %s", a.Header.Get("Cache-Status"))
	}
}
