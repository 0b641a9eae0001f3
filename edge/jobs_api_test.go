package edge

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/imgedge/imgedge/internal/testpeer"
	"github.com/imgedge/imgedge/jobs"
	"github.com/imgedge/imgedge/resize"
)

var _ jobs.Bucket = (*testpeer.Shelf)(nil)

// studio makes outputs that name what they are made of. Renders wait until open is closed.
type studio struct {
	open   chan struct{}
	mu     sync.Mutex
	warmed []string
}

var _ jobs.Pictures = (*studio)(nil)

func (s *studio) Original(_ context.Context, source, key string) ([]byte, error) {
	return []byte(source + "/" + key), nil
}

func (s *studio) Render(ctx context.Context, _ string, data []byte, outputs []resize.Options) ([]resize.Result, error) {
	select {
	case <-s.open:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var all []resize.Result
	for _, o := range outputs {
		all = append(all, resize.Result{Body: []byte(o.String() + fmt.Sprint(len(data))), Format: o.Format, Width: o.Width})
	}
	return all, nil
}

func (s *studio) Warm(_ context.Context, source, key string, outputs []resize.Options) ([]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range outputs {
		s.warmed = append(s.warmed, source+"/"+key+"?"+o.String())
	}
	return make([]int64, len(outputs)), nil
}

// workshop is a server with jobs.
type workshop struct {
	*running
	*studio
	shelf *testpeer.Shelf
}

func startJobs(t *testing.T) workshop {
	t.Helper()
	embedded, err := jobs.StartEmbedded()
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(embedded.URL)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	client := redis.NewClient(&redis.Options{Addr: u.Host, Password: password, Protocol: 2, DisableIdentity: true})
	w := workshop{studio: &studio{open: make(chan struct{})}, shelf: &testpeer.Shelf{}}
	e := &jobs.Engine{
		Redis: client, Bucket: w.shelf, Pictures: w.studio, MaxItems: 3, MaxItem: 2000,
		CheckHook: func(_ context.Context, url string) error {
			if strings.Contains(url, "10.0.0.1") {
				return resize.BadOption("webhook: the URL's host has no public address")
			}
			return nil
		},
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		_ = client.Close()
		_ = embedded.Close()
	})
	if err := e.Work(); err != nil {
		t.Fatal(err)
	}
	site := testSite()
	site.JobsSource = "shop"
	site.Sources["shop"].Rules.Presets = map[string]string{"thumb": "w=20&h=20&fit=cover"}
	site.Tokens = []Token{
		{Name: "cms", Secret: "cms-secret", Scopes: []Scope{ScopeJobs}},
		{Name: "other", Secret: "other-secret", Scopes: []Scope{ScopeJobs}},
		{Name: "boss", Secret: "boss-secret", Scopes: []Scope{ScopeAdmin}},
		{Name: "sign", Secret: "sign-secret", Scopes: []Scope{ScopeSign}},
	}
	lister := func(_ context.Context, source, prefix string, limit int) ([]string, error) {
		return []string{prefix + "a.jpg", prefix + "b.jpg"}[:min(2, limit+1)], nil
	}
	w.running = start(t, &Server{Pictures: held(picture("x", "image/jpeg")), Jobs: e, KeysOf: lister, Now: time.Now}, site)
	return w
}

const (
	cms   = "Authorization: Bearer cms-secret"
	other = "Authorization: Bearer other-secret"
	boss  = "Authorization: Bearer boss-secret"
)

// part is a field of a form; with a file name it is a file.
type part struct{ name, file, value string }

// gif is the smallest file that has the magic number of a picture, with n bytes behind it.
func gif(n int) string { return "GIF89a" + strings.Repeat("x", n) }

func form(t *testing.T, parts ...part) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary("frontier"); err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		var to io.Writer
		var err error
		if p.file == "" {
			to, err = w.CreateFormField(p.name)
		} else {
			to, err = w.CreateFormFile(p.name, p.file)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(to, p.value) // a buffer takes everything
	}
	_ = w.Close()
	return b.String(), "Content-Type: " + w.FormDataContentType()
}

func (w workshop) upload(t *testing.T, token string, parts []part, header ...string) answerOf {
	t.Helper()
	body, contentType := form(t, parts...)
	return w.do("POST", w.public, "/v1/jobs", body, append(header, token, contentType)...)
}

func (a answerOf) job(t *testing.T) jobAnswer {
	t.Helper()
	var j jobAnswer
	if err := json.Unmarshal([]byte(a.body), &j); err != nil || j.ID == "" {
		t.Fatalf("status %d: no job: %v: %s", a.StatusCode, err, a.body)
	}
	return j
}

func (w workshop) ended(t *testing.T, id string) jobAnswer {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(20 * time.Second); ; {
		j := w.do("GET", w.public, "/v1/jobs/"+id, "", boss).job(t)
		if j.State.Ended() {
			return j
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("the job stands at %+v", j)
		}
	}
}

func TestJobOfFiles(t *testing.T) {
	w := startJobs(t)
	got := w.upload(t, cms, []part{
		{"outputs", "", `["w=40&f=webp", "p=thumb&f=png"]`},
		{"webhook", "", `{"url":"https://hooks.example.com/x","kind":"slack"}`},
		{"file", "a.gif", gif(1)},
		{"file", `C:\fakepath\a.gif`, gif(2)},
	})
	if got.StatusCode != http.StatusAccepted {
		t.Fatalf("status %d: %s", got.StatusCode, got.body)
	}
	j := got.job(t)
	if self := "/v1/jobs/" + j.ID; j.Links.Self != self || j.Links.Events != self+"/events" || j.Links.Archive != self+"/archive" || got.Header.Get("Location") != self {
		t.Errorf("links %+v, Location %q", j.Links, got.Header.Get("Location"))
	}
	w.do("GET", w.public, "/v1/jobs/"+j.ID+"/archive", "", cms).expect(t, 409, "not_ready")
	w.do("POST", w.public, "/v1/jobs/"+j.ID+"/retry", "", cms).expect(t, 409, "not_ready")
	for _, call := range []string{"", "/events", "/archive"} {
		w.do("GET", w.public, "/v1/jobs/"+j.ID+call, "", other).expect(t, 404, "not_found")
	}
	w.do("DELETE", w.public, "/v1/jobs/"+j.ID, "", other).expect(t, 404, "not_found")
	w.do("GET", w.public, "/v1/jobs/"+j.ID, "", "Authorization: Bearer sign-secret").expect(t, 403, "forbidden_scope")

	close(w.open)
	events := w.do("GET", w.public, j.Links.Events, "", cms)
	if n := strings.Count(events.body, "event: item\n"); n != 2 || !strings.Contains(events.body, "event: done\n") {
		t.Errorf("events:\n%s", events.body)
	}
	last := events.body[strings.LastIndex(events.body, "id: ")+4:]
	last, _, _ = strings.Cut(last, "\n")
	if again := w.do("GET", w.public, j.Links.Events, "", cms, "Last-Event-ID: "+last); again.StatusCode != http.StatusNoContent {
		t.Errorf("events after the last: status %d, want 204", again.StatusCode)
	}
	if j := w.ended(t, j.ID); j.State != jobs.StateDone || j.Done != 2 {
		t.Errorf("at the end: %+v", j)
	}
	archive := w.do("GET", w.public, j.Links.Archive, "", cms)
	if archive.ContentLength != int64(len(archive.body)) || archive.Header.Get("Content-Type") != "application/zip" {
		t.Errorf("archive: Content-Length %d of %d, %s", archive.ContentLength, len(archive.body), archive.Header.Get("Content-Type"))
	}
	if head := w.do("HEAD", w.public, j.Links.Archive, "", cms); head.ContentLength != archive.ContentLength {
		t.Errorf("HEAD: Content-Length %d", head.ContentLength)
	}
	z, err := zip.NewReader(strings.NewReader(archive.body), int64(len(archive.body)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	want := []string{"1-w40-fwebp/a.webp", "2-w20-h20-fitcover-fpng/a.png", "1-w40-fwebp/a-2.webp", "2-w20-h20-fitcover-fpng/a-2.png"}
	if !slices.Equal(names, want) {
		t.Errorf("archive has %q, want %q", names, want)
	}
}

func TestJobsAreTheCallersOwn(t *testing.T) {
	w := startJobs(t)
	close(w.open)
	order := `{"source":"shop","keys":["a.jpg"],"options":"w=3"}`
	var mine []string
	for range 3 {
		mine = append(mine, w.do("POST", w.public, "/v1/jobs", order, cms).job(t).ID)
	}
	theirs := w.do("POST", w.public, "/v1/jobs", order, other).job(t).ID
	slices.Reverse(mine)
	ids := func(target, token string) (ids []string, next string) {
		var list jobList
		if err := json.Unmarshal([]byte(w.do("GET", w.public, target, "", token).body), &list); err != nil {
			t.Fatal(err)
		}
		for _, j := range list.Jobs {
			ids = append(ids, j.ID)
		}
		return ids, list.Next
	}
	if got, next := ids("/v1/jobs", cms); !slices.Equal(got, mine) || next != "" {
		t.Errorf("own: %v, %q, want %v", got, next, mine)
	}
	first, next := ids("/v1/jobs?limit=2", cms)
	second, end := ids("/v1/jobs?limit=2&cursor="+next, cms)
	if !slices.Equal(append(first, second...), mine) || end != "" {
		t.Errorf("by pages: %v, %v, %q", first, second, end)
	}
	if got, _ := ids("/v1/jobs", boss); len(got) != 4 || !slices.Contains(got, theirs) {
		t.Errorf("of all: %v", got)
	}
	w.do("GET", w.public, "/v1/jobs?limit=0", "", cms).expect(t, 400, "bad_option")
	w.do("GET", w.public, "/v1/jobs?cursor=x", "", cms).expect(t, 400, "bad_option")
	w.do("PUT", w.public, "/v1/jobs", "", cms).expect(t, 405, "method_not_allowed")
	w.do("GET", w.public, "/v1/jobs/nonsense", "", cms).expect(t, 404, "not_found")
}

// TestJobsAreCheckedWhole wants a refusal, nothing queued and nothing left in the bucket.
func TestJobsAreCheckedWhole(t *testing.T) {
	w := startJobs(t)
	options := part{"options", "", "w=40"}
	file := part{"file", "a.gif", gif(10)}
	for _, row := range []struct {
		name   string
		parts  []part
		status int
		code   string
		detail string
	}{
		{"no options", []part{file}, 400, "bad_option", "options"},
		{"bad option", []part{{"options", "", "w=nonsense"}, file}, 400, "bad_option", "w"},
		{"one bad output", []part{{"outputs", "", "w=3"}, {"outputs", "", "h=-1"}, file}, 400, "bad_option", "h"},
		{"the same output twice", []part{{"outputs", "", "w=3"}, {"outputs", "", "w=3"}, file}, 400, "bad_option", "twice"},
		{"unknown preset", []part{{"options", "", "p=nothing"}, file}, 400, "bad_option", "nothing"},
		{"unknown watermark", []part{{"options", "", "wm=nothing"}, file}, 400, "bad_option", "wm"},
		{"unknown source", []part{{"source", "", "nothing"}, options, file}, 404, "unknown_source", ""},
		{"unknown field", []part{{"quality", "", "3"}, options, file}, 400, "bad_option", "quality"},
		{"text behind files", []part{options, file, {"source", "", "shop"}}, 400, "bad_option", "before the files"},
		{"file of another name", []part{options, {"picture", "a.gif", gif(1)}}, 400, "bad_option", "picture"},
		{"no file", []part{options}, 400, "bad_option", "files"},
		{"files and keys", []part{options, {"keys", "", "a.jpg"}, file}, 400, "bad_option", "either"},
		{"options behind files alone", []part{file, options}, 400, "bad_option", "before the files"},
		{"a file without a name", []part{options, {"file", "", "GIF89a"}}, 400, "bad_option", "file=@"},
		{"no picture", []part{options, file, {"file", "b.gif", "plain text"}}, 415, "not_an_image", "b.gif"},
		{"too large", []part{options, file, {"file", "large.gif", gif(2000)}}, 413, "too_large", "large.gif"},
		{"too many", []part{options, file, file, file, {"file", "fourth.gif", gif(1)}}, 413, "too_large", "fourth.gif"},
		{"webhook inside", []part{options, {"webhook", "", `{"url":"http://10.0.0.1/"}`}, file}, 400, "bad_option", "webhook"},
		{"webhook of another kind", []part{options, {"webhook", "", `{"url":"https://a.example/","kind":"smoke"}`}, file}, 400, "bad_option", "smoke"},
		{"webhook that is no JSON", []part{options, {"webhook", "", `https://a.example/`}, file}, 400, "bad_option", "webhook"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := w.upload(t, cms, row.parts)
			got.expect(t, row.status, row.code)
			if d := got.problem(t); !strings.Contains(d.Detail, row.detail) {
				t.Errorf("detail %q lacks %q", d.Detail, row.detail)
			}
			if left := w.shelf.Keys(); len(left) != 0 {
				t.Errorf("left in the bucket: %v", left)
			}
		})
	}
	for _, row := range []struct {
		name, body string
		status     int
		code       string
	}{
		{"no JSON", `nonsense`, 400, "bad_option"},
		{"unknown field", `{"nonsense":1}`, 400, "bad_option"},
		{"keys and prefix", `{"source":"shop","keys":["a"],"prefix":"b","options":"w=3"}`, 400, "bad_option"},
		{"neither", `{"source":"shop","options":"w=3"}`, 400, "bad_option"},
		{"key that leaves", `{"source":"shop","keys":["../a"],"options":"w=3"}`, 400, "bad_key"},
		{"too many", `{"source":"shop","keys":["a","b","c","d"],"options":"w=3"}`, 413, "too_large"},
		{"raw", `{"source":"shop","keys":["a"],"options":"f=raw"}`, 400, "bad_option"},
	} {
		t.Run("JSON, "+row.name, func(t *testing.T) {
			w.do("POST", w.public, "/v1/jobs", row.body, cms).expect(t, row.status, row.code)
			if left := w.shelf.Keys(); len(left) != 0 {
				t.Errorf("left in the bucket: %v", left)
			}
		})
	}
}

// TestTooMuchIsRefusedBeforeItCame sends the head of a form whose rest never comes.
func TestTooMuchIsRefusedBeforeItCame(t *testing.T) {
	w := startJobs(t)
	body, contentType := form(t, part{"options", "", "w=40"}, part{"file", "large.gif", gif(30_000)})
	cut := strings.LastIndex(body, "xxxx")
	request := fmt.Sprintf("POST /v1/jobs HTTP/1.1\r\nHost: a\r\n%s\r\n%s\r\nContent-Length: 100000000\r\n\r\n%s", cms, contentType, body[:cut])
	resp, text, closed := w.raw(w.public, request)
	if resp.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(text, "large.gif") || !closed {
		t.Errorf("status %d, closed %v: %s", resp.StatusCode, closed, text)
	}
}

// TestUnreadBodies are never taken for requests.
func TestUnreadBodies(t *testing.T) {
	w := startJobs(t)
	smuggled := "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
	body, contentType := form(t, part{"file", "a.gif", strings.Repeat(smuggled, 1000)})
	for _, row := range []struct {
		name, head string
		status     int
	}{
		{"without a token", "POST /v1/jobs HTTP/1.1\r\nHost: a\r\n" + contentType + "\r\n", 401},
		{"with a bad form", "POST /v1/jobs HTTP/1.1\r\nHost: a\r\n" + cms + "\r\n" + contentType + "\r\n", 400},
	} {
		t.Run(row.name, func(t *testing.T) {
			resp, text, closed := w.raw(w.public, fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", row.head, len(body), body))
			if resp.StatusCode != row.status {
				t.Errorf("status %d, want %d: %s", resp.StatusCode, row.status, text)
			}
			if !resp.Close || !closed {
				t.Error("the connection goes on behind a body that was not read")
			}
		})
	}
	close(w.open)
	t.Run("read to its end", func(t *testing.T) {
		body, contentType := form(t, part{"options", "", "w=40"}, part{"file", "a.gif", gif(1)})
		resp, text, _ := w.raw(w.public, fmt.Sprintf("POST /v1/jobs HTTP/1.1\r\nHost: a\r\n%s\r\n%s\r\nContent-Length: %d\r\n\r\n%s", cms, contentType, len(body), body))
		if resp.StatusCode != http.StatusAccepted || resp.Close {
			t.Errorf("status %d, closing %v: %s", resp.StatusCode, resp.Close, text)
		}
	})
}

func TestJobIdempotency(t *testing.T) {
	w := startJobs(t)
	key := "Idempotency-Key: 1"
	files := []part{{"options", "", "w=40"}, {"file", "a.gif", gif(10)}}
	first := w.upload(t, cms, files, key).job(t)
	if again := w.upload(t, cms, files, key).job(t); again.ID != first.ID {
		t.Errorf("the same form made job %s beside %s", again.ID, first.ID)
	}
	changed := []part{{"options", "", "w=40"}, {"file", "a.gif", gif(11)}}
	w.upload(t, cms, changed, key).expect(t, 422, "idempotency_mismatch")
	if theirs := w.upload(t, other, files, key).job(t); theirs.ID == first.ID {
		t.Error("the key of another caller led to the job")
	}
	order := `{"source":"shop","keys":["a.jpg"],"options":"w=3"}`
	second := w.do("POST", w.public, "/v1/jobs", order, cms, "Idempotency-Key: 2").job(t)
	if again := w.do("POST", w.public, "/v1/jobs", order, cms, "Idempotency-Key: 2").job(t); again.ID != second.ID {
		t.Error("the same order made another job")
	}
	w.do("POST", w.public, "/v1/jobs", `{}`, cms, "Idempotency-Key: 3").expect(t, 400, "bad_option")
	if w.do("POST", w.public, "/v1/jobs", order, cms, "Idempotency-Key: 3").StatusCode != http.StatusAccepted {
		t.Error("a refused request used its key up")
	}
	close(w.open)
}

func TestJobOfPrefixAndCancel(t *testing.T) {
	w := startJobs(t)
	j := w.do("POST", w.public, "/v1/jobs", `{"source":"shop","prefix":"new/","options":"w=3"}`, cms).job(t)
	if len(j.Items) != 2 || j.Items[0].Name != "new/a.jpg" {
		t.Errorf("items %+v", j.Items)
	}
	if got := w.do("DELETE", w.public, "/v1/jobs/"+j.ID, "", cms); got.StatusCode != http.StatusAccepted {
		t.Errorf("DELETE: status %d: %s", got.StatusCode, got.body)
	}
	if j := w.ended(t, j.ID); j.State != jobs.StateCancelled || j.Done != 0 {
		t.Errorf("after DELETE: %+v", j)
	}
	w.do("DELETE", w.public, "/v1/jobs/"+j.ID, "", cms).expect(t, 409, "not_ready")
	w.do("GET", w.public, "/v1/jobs/"+j.ID+"/archive", "", cms).expect(t, 409, "not_ready")
}

func TestWarm(t *testing.T) {
	w := startJobs(t)
	signed := sign(t, "/shop/a.jpg?w=320&f=auto")
	for _, row := range []struct {
		name, body string
		want       []string
	}{
		{"keys and presets", `{"source":"shop","keys":["a.jpg","b.jpg"],"presets":["thumb"]}`, []string{
			"shop/a.jpg?w=20&h=20&fit=cover", "shop/a.jpg?w=20&h=20&fit=cover&_ac=avif.webp", "shop/a.jpg?w=20&h=20&fit=cover&_ac=webp",
			"shop/b.jpg?w=20&h=20&fit=cover", "shop/b.jpg?w=20&h=20&fit=cover&_ac=avif.webp", "shop/b.jpg?w=20&h=20&fit=cover&_ac=webp",
		}},
		{"urls", `{"urls":["` + signed + `","/open/b.jpg?w=640&f=webp"]}`, []string{
			"open/b.jpg?w=640&f=webp", "shop/a.jpg?w=320", "shop/a.jpg?w=320&_ac=avif.webp", "shop/a.jpg?w=320&_ac=webp",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.mu.Lock()
			w.warmed = nil
			w.mu.Unlock()
			got := w.do("POST", w.public, "/v1/warm", row.body, cms)
			if got.StatusCode != http.StatusAccepted {
				t.Fatalf("status %d: %s", got.StatusCode, got.body)
			}
			j := w.ended(t, got.job(t).ID)
			w.mu.Lock()
			defer w.mu.Unlock()
			slices.Sort(w.warmed)
			if !slices.Equal(w.warmed, row.want) || j.State != jobs.StateDone {
				t.Errorf("%s, warmed %q, want %q", j.State, w.warmed, row.want)
			}
		})
	}
	w.do("POST", w.public, "/v1/warm", `{"urls":["/shop/a.jpg?w=320"]}`, cms).expect(t, 403, "bad_signature")
	w.do("POST", w.public, "/v1/warm", `{"source":"shop","keys":["a.jpg"]}`, cms).expect(t, 400, "bad_option")
	w.do("POST", w.public, "/v1/warm", `{"source":"shop","keys":["a.jpg"],"presets":["nothing"]}`, cms).expect(t, 400, "bad_option")
}

func TestJobsAreAbsentWithoutAnEngine(t *testing.T) {
	site := testSite()
	site.Tokens = []Token{{Name: "cms", Secret: "cms-secret", Scopes: []Scope{ScopeJobs}}}
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg"))}, site)
	for _, call := range []string{"GET /v1/jobs", "POST /v1/warm", "GET /v1/jobs/0123"} {
		method, path, _ := strings.Cut(call, " ")
		r.do(method, r.public, path, "", cms).expect(t, 404, "not_found")
	}
}

// TestOpenAPIOfJobs runs the examples of the document, and every call of one job with each answer it names.
func TestOpenAPIOfJobs(t *testing.T) {
	w := startJobs(t)
	close(w.open)
	var doc struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct {
					Examples map[string]struct {
						Value json.RawMessage `json:"value"`
					} `json:"examples"`
				} `json:"content"`
			} `json:"requestBody"`
			Responses map[string]json.RawMessage `json:"responses"`
		} `json:"paths"`
	}
	if err := json.Unmarshal([]byte(openapi), &doc); err != nil {
		t.Fatal(err)
	}
	id := ""
	for _, path := range []string{"/v1/jobs", "/v1/warm"} {
		operation := doc.Paths[path]["post"]
		for name, example := range operation.RequestBody.Content["application/json"].Examples {
			got := w.do("POST", w.public, path, string(example.Value), cms)
			if got.StatusCode != http.StatusAccepted {
				t.Errorf("%s, example %s: status %d: %s", path, name, got.StatusCode, got.body)
				continue
			}
			id = got.job(t).ID
		}
	}
	w.ended(t, id)
	for path, methods := range doc.Paths {
		if !strings.HasPrefix(path, "/v1/jobs/{id}") {
			continue
		}
		for method, operation := range methods {
			got := w.do(strings.ToUpper(method), w.public, strings.Replace(path, "{id}", id, 1), "", cms)
			if _, ok := operation.Responses[fmt.Sprint(got.StatusCode)]; !ok || got.StatusCode == http.StatusNotFound {
				t.Errorf("%s %s: status %d is not in the document: %s", method, path, got.StatusCode, got.body)
			}
		}
		if got := w.do("PATCH", w.public, strings.Replace(path, "{id}", id, 1), "", cms); got.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("PATCH %s: status %d, want 405", path, got.StatusCode)
		}
	}
}
