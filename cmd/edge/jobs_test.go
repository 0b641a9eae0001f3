package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	miniogo "github.com/minio/minio-go/v7"
	_ "golang.org/x/image/webp"

	"github.com/imgedge/imgedge/internal/testpeer"
	"github.com/imgedge/imgedge/jobs"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/sample"
)

const jobToken = "a-token-of-the-test"

// jobsConfig is a node whose jobs lie in a bucket.
func jobsConfig(s3 testpeer.S3Server, redis string) string {
	text := fmt.Sprintf(`
sources:
  shop: {bucket: {endpoint: %q, region: %q, name: shop, prefix: images/, access_key: %q, secret_key: %q, path_style: true}, unsigned: true, free: true}
jobs: {source: shop}
webhooks: {secret: "a-secret-of-webhooks", allow_networks: ["127.0.0.0/8"], retry: [50ms, 50ms, 50ms, 50ms]}
tokens: [{name: cms, secret: %q, scopes: [jobs]}]
log: {level: warn}
render: {isolation: none}
`, s3.Endpoint, s3.Region, s3.AccessKey, s3.SecretKey, jobToken)
	if redis != "" {
		text += fmt.Sprintf("redis: {url: %q}\n", redis)
	}
	return text
}

// apiCaller calls /v1 with the token.
type apiCaller struct {
	base   string
	client *http.Client
}

func (c apiCaller) do(t *testing.T, method, path, contentType string, body io.Reader) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+jobToken)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer func() { _ = resp.Body.Close() }() // read to its end
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, text
}

// submitFiles uploads pictures as one job.
func (c apiCaller) submitFiles(t *testing.T, files map[string][]byte, fields ...[2]string) jobs.Job {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range fields {
		if err := w.WriteField(f[0], f[1]); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range files {
		to, err := w.CreateFormFile("file", name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = to.Write(data) // a buffer takes everything
	}
	_ = w.Close()
	status, text := c.do(t, http.MethodPost, "/v1/jobs", w.FormDataContentType(), &b)
	var j jobs.Job
	if err := json.Unmarshal(text, &j); err != nil || status != http.StatusAccepted {
		t.Fatalf("POST /v1/jobs: %d %s", status, text)
	}
	return j
}

func (c apiCaller) job(t *testing.T, id string) (j jobs.Job, ok bool) {
	t.Helper()
	status, text := c.do(t, http.MethodGet, "/v1/jobs/"+id, "", nil)
	return j, status == http.StatusOK && json.Unmarshal(text, &j) == nil
}

// until asks for a job until it is as wanted; the server may be away in between.
func (c apiCaller) until(t *testing.T, id string, good func(*jobs.Job) bool) jobs.Job {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var j jobs.Job
	for late := time.After(4 * patience); ; {
		var ok bool
		if j, ok = c.job(t, id); ok && good(&j) {
			return j
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("the job stands at %s, %d done, %d failed of %d", j.State, j.Done, j.Failed, j.Total)
		}
	}
}

// caller returns a caller from one of the loopback addresses.
func caller(t *testing.T, base string, n int) apiCaller {
	t.Helper()
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n))}}
	transport := &http.Transport{DialContext: d.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return apiCaller{base, &http.Client{Transport: transport}}
}

// watch reads events as an EventSource does, coming again where the stream breaks, and returns the ids.
func (c apiCaller) watch(ctx context.Context, id string) (ids []string, err error) {
	for last := ""; ; {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/v1/jobs/"+id+"/events", nil)
		if err != nil {
			return ids, err
		}
		req.Header.Set("Authorization", "Bearer "+jobToken)
		if last != "" {
			req.Header.Set("Last-Event-ID", last)
		}
		resp, err := c.client.Do(req)
		if err != nil {
			return ids, err
		}
		if resp.StatusCode == http.StatusServiceUnavailable { // Redis is away
			_ = resp.Body.Close()
			runtime.Gosched()
			continue
		} else if resp.StatusCode != http.StatusOK {
			_ = resp.Body.Close()
			return ids, fmt.Errorf("status %d", resp.StatusCode)
		}
		done := false
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if text, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
				last, ids = text, append(ids, text)
			}
			done = done || lines.Text() == "event: done"
		}
		_ = resp.Body.Close() // read to its end
		if done {
			return ids, nil
		}
	}
}

// TestJobSurvivesItsWorkers submits a job to a fleet of two processes, kills one with SIGKILL half-way, takes
// Redis' memory away later, and wants every output once. 200 clients watch.
func TestJobSurvivesItsWorkers(t *testing.T) {
	const pictures, watchers = 16, 200
	redis, s3 := testpeer.Redis(t), testpeer.S3(t)
	s3.MakeBucket(t, "shop")
	config := jobsConfig(s3, redis.URL)
	survivor, victim := startChild(t, config), startChild(t, config)
	api := caller(t, survivor.base, 0)

	files := jobPictures1200(t, pictures)
	j := api.submitFiles(t, files, [2]string{"outputs", "w=400&f=webp"}, [2]string{"outputs", "w=1000&f=jpeg"})
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	seen := make([][]string, watchers)
	var wg sync.WaitGroup
	for i := range watchers {
		c := caller(t, survivor.base, 1+i/15)
		wg.Go(func() {
			var err error
			if seen[i], err = c.watch(ctx, j.ID); err != nil {
				t.Errorf("watcher %d after %d events: %v", i, len(seen[i]), err)
			}
		})
	}
	api.until(t, j.ID, func(j *jobs.Job) bool { return j.Done >= pictures/4 })
	victim.signal(t, syscall.SIGKILL)
	api.until(t, j.ID, func(j *jobs.Job) bool { return j.Done >= pictures/2 })
	redis.Restart(t) // without a snapshot: it begins empty
	j = api.until(t, j.ID, func(j *jobs.Job) bool { return j.State.Ended() })
	if j.State != jobs.StateDone || j.Done != pictures || j.Failed != 0 {
		t.Errorf("at the end: %s, %d done, %d failed of %d", j.State, j.Done, j.Failed, j.Total)
	}
	wg.Wait()
	for i, ids := range seen {
		if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) || len(ids) < pictures/2 {
			t.Fatalf("watcher %d saw %v", i, ids)
		}
	}
	checkJobArchive(t, api, j.ID, pictures)
}

// jobPictures1200 returns pictures of 800 px height, and of 1200 px width and 2 more for each.
func jobPictures1200(t *testing.T, count int) map[string][]byte {
	t.Helper()
	scene := sample.Scene(1200+2*count, 800, 1)
	files := map[string][]byte{}
	for i := range count {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, scene.SubImage(image.Rect(0, 0, 1200+2*i, 800)), nil); err != nil {
			t.Fatal(err)
		}
		files[fmt.Sprintf("photo-%02d.jpg", i)] = b.Bytes()
	}
	return files
}

// checkJobArchive wants two outputs of every picture, each of the right size.
func checkJobArchive(t *testing.T, api apiCaller, id string, pictures int) {
	t.Helper()
	status, body := api.do(t, http.MethodGet, "/v1/jobs/"+id+"/archive", "", nil)
	if status != http.StatusOK {
		t.Fatalf("archive: %d %s", status, body)
	}
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for i := range pictures {
		want[fmt.Sprintf("1-w400-fwebp/photo-%02d.webp", i)] = true
		want[fmt.Sprintf("2-w1000-fjpeg/photo-%02d.jpg", i)] = true
	}
	for _, f := range z.File {
		if !want[f.Name] {
			t.Errorf("%s is too much", f.Name)
		}
		delete(want, f.Name)
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r) // checks the sum
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		var n int
		_, _ = fmt.Sscanf(filepath.Base(f.Name), "photo-%d", &n) // the names were compared
		width := 400
		if strings.HasSuffix(f.Name, ".jpg") {
			width = 1000
		}
		height := (800*width*2 + 1200 + 2*n) / (2 * (1200 + 2*n)) // rounded
		got, format, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil || got.Width != width || got.Height != height {
			t.Errorf("%s is %d×%d %s, %v; want %d×%d", f.Name, got.Width, got.Height, format, err, width, height)
		}
	}
	if len(want) > 0 {
		t.Errorf("the archive lacks %v", want)
	}
}

// TestJobWithoutRedis runs one in a single process, kills that, and wants the next to go on from the bucket.
func TestJobWithoutRedis(t *testing.T) {
	s3 := testpeer.S3(t)
	s3.MakeBucket(t, "shop")
	config := jobsConfig(s3, "")
	first := startChild(t, config)
	files := jobPictures1200(t, 6)
	j := caller(t, first.base, 0).submitFiles(t, files, [2]string{"outputs", `["w=400&f=webp","w=1000&f=jpeg"]`})
	first.signal(t, syscall.SIGKILL)
	second := caller(t, startChild(t, config).base, 0)
	j = second.until(t, j.ID, func(j *jobs.Job) bool { return j.State.Ended() })
	if j.State != jobs.StateDone {
		t.Errorf("%s, %d done", j.State, j.Done)
	}
	checkJobArchive(t, second, j.ID, 6)
}

// TestWebhookOfAJob tells a receiver that fails three times, and checks what it was told.
func TestWebhookOfAJob(t *testing.T) {
	redis, s3 := testpeer.Redis(t), testpeer.S3(t)
	s3.MakeBucket(t, "shop")
	var asked atomic.Int32
	type delivery struct {
		header http.Header
		body   []byte
	}
	good := make(chan delivery, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch asked.Add(1) {
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
		case 2:
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		case 3:
			panic(http.ErrAbortHandler)
		default:
			good <- delivery{r.Header, body}
		}
	}))
	t.Cleanup(receiver.Close)
	e := start(t, jobsConfig(s3, redis.URL))
	api := caller(t, e.base, 0)
	files := map[string][]byte{"a.jpg": painted(t, 64, 48)}
	j := api.submitFiles(t, files, [2]string{"options", "w=32"}, [2]string{"webhook", fmt.Sprintf(`{"url":%q}`, receiver.URL+"/hook")})
	got := <-good
	at := time.Now()
	var notice jobs.Notice
	if err := json.Unmarshal(got.body, &notice); err != nil {
		t.Fatal(err)
	}
	if want := (jobs.Notice{ID: j.ID, Event: "job.done", State: jobs.StateDone, Done: 1, Total: 1, Archive: "/v1/jobs/" + j.ID + "/archive"}); notice != want {
		t.Errorf("told %+v, want %+v", notice, want)
	}
	if got.header.Get("Imgedge-Delivery") == "" {
		t.Error("the delivery has no id")
	}
	verifyWithShell(t, "a-secret-of-webhooks", got.header.Get("Imgedge-Signature"), got.body, at)
	j = api.until(t, j.ID, func(j *jobs.Job) bool { return len(j.Deliveries) == 4 })
	var statuses []int
	for _, d := range j.Deliveries {
		statuses = append(statuses, d.Status)
	}
	if !slices.Equal(statuses, []int{500, 307, 0, 200}) {
		t.Errorf("the log has %v", j.Deliveries)
	}
	if n := asked.Load(); n != 4 {
		t.Errorf("the receiver was asked %d times, want 4", n)
	}
	status, text := api.do(t, http.MethodPost, "/v1/jobs", "application/json",
		strings.NewReader(`{"source":"shop","keys":["a.jpg"],"options":"w=3","webhook":{"url":"http://169.254.169.254/"}}`))
	if status != http.StatusBadRequest || !strings.Contains(string(text), "webhook") {
		t.Errorf("a webhook at a private address: %d %s", status, text)
	}
}

// TestJobsOnTheCommandLine submits, lists, watches, downloads and cancels, and warms.
func TestJobsOnTheCommandLine(t *testing.T) {
	s3 := testpeer.S3(t)
	s3.MakeBucket(t, "shop")
	e := start(t, jobsConfig(s3, ""))
	dir := t.TempDir()
	token, picture, broken, out := filepath.Join(dir, "token"), filepath.Join(dir, "a.jpg"), filepath.Join(dir, "b.jpg"), filepath.Join(dir, "out.zip")
	for name, data := range map[string][]byte{token: []byte(jobToken), picture: painted(t, 64, 48), broken: []byte("\xff\xd8\xff\xe0 nonsense")} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(want int, args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		p := &Program{Stdout: &stdout, Stderr: &stderr}
		if got := p.Run(t.Context(), append(args, "--server", e.base, "--token-file", token)); got != want {
			t.Fatalf("edge %v: exit code %d, want %d: %s%s", args, got, want, stdout.String(), stderr.String())
		}
		return stdout.String()
	}
	text := run(1, "jobs", "submit", "-o", "w=32&f=webp", "-o", "w=16", "--download", out, picture, broken)
	id, lines, _ := strings.Cut(text, "\n")
	if !jobs.ValidID(id) || !strings.Contains(lines, "/2 a.jpg done\n") || !strings.Contains(lines, "/2 b.jpg failed: ") || !strings.HasSuffix(lines, "partial: 1 of 2 done, 1 failed\n") {
		t.Errorf("submit printed:\n%s", text)
	}
	z, err := zip.OpenReader(out)
	if err != nil || len(z.File) != 3 {
		t.Fatalf("the download: %v, %v", z, err)
	}
	_ = z.Close()
	if got := run(0, "jobs", "list"); !strings.HasPrefix(got, id) || !strings.Contains(got, "partial    1 of 2 done, 1 failed") {
		t.Errorf("list printed:\n%s", got)
	}
	if got := run(1, "jobs", "watch", id); !strings.Contains(got, "partial: 1 of 2") {
		t.Errorf("watch printed:\n%s", got)
	}
	run(1, "jobs", "cancel", id) // it has ended
	run(1, "jobs", "download", "nonsense", out)
	s3.Put(t, "shop", "images/c.jpg", painted(t, 64, 48), miniogo.PutObjectOptions{ContentType: "image/jpeg"})
	if got := run(0, "warm", "--wait", "--source", "shop", "--prefix", "c", "-o", "w=8&f=jpeg"); !strings.Contains(got, "done: 1 of 1 done") {
		t.Errorf("warm printed:\n%s", got)
	}
	if hit := ask(t, http.MethodGet, e.base+"/shop/c.jpg?w=8&f=jpeg").Header.Get("Cache-Status"); !strings.Contains(hit, "hit") {
		t.Errorf("after warm: %s", hit)
	}
	run(2, "jobs", "submit", picture)
	run(2, "warm")
}

// BenchmarkJob compares a job with the bare renders of the same work, in turn: the ratio of their rates.
func BenchmarkJob(b *testing.B) {
	const pictures = 50
	data, err := sample.JPEG(sample.Scene(2400, 1600, 1), sample.Meta{Quality: 88})
	if err != nil {
		b.Fatal(err)
	}
	redis, s3 := testpeer.Redis(b), testpeer.S3(b)
	s3.MakeBucket(b, "shop")
	file := filepath.Join(b.TempDir(), "edge.yaml")
	if err := os.WriteFile(file, []byte(jobsConfig(s3, redis.URL)), 0o600); err != nil {
		b.Fatal(err)
	}
	cfg, err := Load(file, nil, Overrides{Listen: "127.0.0.1:0", Admin: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	n := &Node{Config: cfg}
	if err := n.Open(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = n.Close() }()
	texts := []string{"w=400&f=webp", "w=1600&f=jpeg"}
	var outputs []resize.Options
	for _, text := range texts {
		o, err := resize.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		outputs = append(outputs, o)
	}
	bare := func() time.Duration {
		began := time.Now()
		var wg sync.WaitGroup
		work := make(chan struct{}, pictures) // all of it
		for range pictures {
			work <- struct{}{}
		}
		close(work)
		for range n.workers() {
			wg.Go(func() {
				for range work {
					if _, err := n.Pipeline.Render(b.Context(), n.sourceOf("shop"), data, outputs); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		return time.Since(began)
	}
	job := func() time.Duration {
		draft, err := n.Jobs.Begin(b.Context(), "cms", jobs.Spec{Source: "shop", Outputs: texts})
		if err != nil {
			b.Fatal(err)
		}
		for i := range pictures {
			if err := draft.Add(b.Context(), fmt.Sprintf("%d.jpg", i), data); err != nil {
				b.Fatal(err)
			}
		}
		began := time.Now()
		j, err := draft.Submit(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		w, err := n.Jobs.Watch(b.Context(), j.ID, 0)
		if err != nil {
			b.Fatal(err)
		}
		defer w.Close()
		for {
			event, err := w.Next(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			if event.Type == "done" {
				return time.Since(began)
			}
		}
	}
	var ratios []float64
	for b.Loop() {
		alone, queued := bare(), job()
		ratios = append(ratios, alone.Seconds()/queued.Seconds())
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "of-bare-rate")
}
