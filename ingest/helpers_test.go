package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"iter"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/imgedge/imgedge/internal/testpeer"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

func TestMain(m *testing.M) {
	if job := os.Getenv(childVariable); job != "" {
		os.Exit(child(job))
	}
	goleak.VerifyTestMain(m,
		// toxiproxy leaves one behind where a connection breaks while a toxic is changed.
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
	)
}

// s3 is a Bucket on a real server.
type s3 struct{ *origin.Objects }

var (
	_ Bucket    = s3{}
	_ Presigner = s3{}
)

func put(how How) origin.ObjectPut {
	return origin.ObjectPut{Type: how.Type, Meta: map[string]string{"imgedge-upload": how.Upload}, IfNew: how.IfNew, IfMatch: how.IfMatch}
}

func object(i origin.ObjectInfo) Object {
	return Object{Key: i.Key, Size: i.Size, Modified: i.Modified, ETag: i.ETag, Upload: i.Meta["imgedge-upload"]}
}

func answer(err error) error {
	switch {
	case errors.Is(err, origin.ErrObjectAbsent):
		return ErrAbsent
	case errors.Is(err, origin.ErrObjectCondition):
		return ErrExists
	}
	return err
}

func (b s3) Put(ctx context.Context, key string, body *io.SectionReader, how How) error {
	return answer(b.PutFrom(ctx, key, body, put(how)))
}

func (b s3) Fetch(ctx context.Context, key string, to io.WriterAt, maxBytes int64) (Object, error) {
	info, err := b.Objects.Fetch(ctx, key, to, maxBytes)
	return object(info), answer(err)
}

func (b s3) Delete(ctx context.Context, key string) error { return b.DeleteOnce(ctx, key) }

func (b s3) Get(ctx context.Context, key string, maxBytes int64) ([]byte, Object, error) {
	data, info, err := b.Objects.Get(ctx, key, maxBytes)
	return data, object(info), answer(err)
}

func (b s3) Stat(ctx context.Context, key string) (Object, error) {
	info, err := b.Objects.Stat(ctx, key)
	return object(info), answer(err)
}

func (b s3) List(ctx context.Context, prefix, after string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for info, err := range b.Objects.List(ctx, prefix, after) {
			if !yield(object(info), answer(err)) {
				return
			}
		}
	}
}

func (b s3) Presign(ctx context.Context, key string, how How, size int64, life time.Duration) (string, map[string]string, error) {
	return b.PresignPut(ctx, key, size, put(how), life)
}

// server is an S3 server with one bucket.
type server struct {
	testpeer.S3Server
	bucket *origin.Bucket
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{S3Server: testpeer.S3(t)}
	s.MakeBucket(t, "shop")
	s.bucket = s.open(t, s.Endpoint)
	return s
}

// open connects through another address.
func (s *server) open(t testing.TB, endpoint string) *origin.Bucket {
	t.Helper()
	b, err := openBucket(endpoint, s.Region, s.AccessKey, s.SecretKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func openBucket(endpoint, region, access, secret string) (*origin.Bucket, error) {
	return origin.NewBucket(origin.BucketSettings{Endpoint: endpoint, Region: region, Name: "shop", AccessKey: access, SecretKey: secret, PathStyle: true})
}

// under returns the bucket below a prefix.
func (s *server) under(prefix string) s3 { return s3{s.bucket.Objects(prefix)} }

// store keeps uploads below a prefix, checked by a fake engine.
func (s *server) store(prefix string) *Store {
	return &Store{Bucket: s.under(prefix), Engine: fakeEngine{}, Limits: resize.DefaultLimits()}
}

// broken is the number of a picture whose header is sound and whose px are not.
const broken = 200

// fakeEngine knows JPEG headers and looks at no px.
type fakeEngine struct{}

var _ Engine = fakeEngine{}

func (fakeEngine) Probe(_ context.Context, data []byte) (resize.Source, error) {
	if resize.Sniff(data) != resize.FormatJPEG {
		return resize.Source{}, resize.Unsupported("not_an_image", "the source is not an image")
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil || !resize.JPEGWhole(data) {
		return resize.Source{}, resize.Unprocessable("corrupt_image", "the image is broken")
	}
	return resize.Source{Format: resize.FormatJPEG, Width: c.Width, Height: c.Height, Orientation: 1, Pages: 1, Bands: 3, Depth: 8, Bytes: int64(len(data))}, nil
}

func (fakeEngine) Run(_ context.Context, data []byte, plans ...resize.Plan) ([]resize.Result, error) {
	if bytes.HasSuffix(data, []byte{broken, 0}) {
		return nil, resize.Unprocessable("corrupt_image", "the image is broken")
	}
	results := make([]resize.Result, 0, len(plans))
	for _, p := range plans {
		results = append(results, resize.Result{Body: []byte(`{"thumbhash":"aGFzaA==","dominant_colors":["#112233"]}`), Format: p.Format, Width: p.Width, Height: p.Height, Frames: 1})
	}
	return results, nil
}

// picture is a small JPEG; equal numbers give equal bytes.
func picture(n int) []byte {
	img := image.NewGray(image.Rect(0, 0, 8+n%5, 8))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * (n + 3))
	}
	img.SetGray(0, 0, color.Gray{uint8(n)})
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 100}); err != nil {
		panic(err)
	}
	return append(b.Bytes(), byte(n), byte(n>>8)) // behind the end, so that bytes differ and ids need not
}

// received is a file as it comes from a client.
func received(t testing.TB, s *Store, name string, data []byte) *File {
	t.Helper()
	f, err := s.Receive(bytes.NewReader(data), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// order is an atomic upload of pictures.
func order(t testing.TB, s *Store, pictures ...int) Order {
	t.Helper()
	o := Order{Atomic: true}
	for _, n := range pictures {
		o.Files = append(o.Files, received(t, s, "p.jpg", picture(n)))
	}
	return o
}

// idsOf are the ids of an outcome.
func idsOf(o Outcome) []string {
	var ids []string
	for _, i := range o.Images {
		ids = append(ids, i.ID)
	}
	return ids
}

// visible are the ids that the list shows, sorted.
func visible(t testing.TB, s *Store) []string {
	t.Helper()
	ids := map[string]bool{}
	cursor := ""
	for {
		page, err := s.List(t.Context(), Query{Limit: 3, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range page.Images {
			if ids[i.ID] {
				t.Errorf("%s is listed twice", i.ID)
			}
			ids[i.ID] = true
		}
		if cursor = page.Next; cursor == "" {
			return slices.Sorted(maps.Keys(ids))
		}
	}
}

// keys are all that lies below a prefix, sorted.
func keys(t testing.TB, b Bucket) []string {
	t.Helper()
	var all []string
	for o, err := range b.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o.Key)
	}
	return all
}

// whole fails the test unless each visible image has its object, byte for byte, and nothing else of ours lies
// there but what they need. strangers are left out.
func whole(t testing.TB, s *Store, strangers map[string]bool) {
	t.Helper()
	wanted := map[string]bool{}
	for _, id := range visible(t, s) {
		i, err := s.Image(t.Context(), id)
		if err != nil {
			t.Fatalf("%s is listed and not there: %v", id, err)
		}
		data, _, err := s.Bucket.Get(t.Context(), imageKey(i.Key), 1<<30)
		if err != nil {
			t.Fatalf("the object of %s: %v", id, err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != i.SHA256 || imageID(sum) != id {
			t.Errorf("the object of %s has other bytes", id)
		}
		wanted[imageKey(i.Key)], wanted[manifestKey(id)], wanted[recordKey(i.Upload)] = true, true, true
	}
	for _, key := range keys(t, s.Bucket) {
		if !wanted[key] && !strangers[key] {
			t.Errorf("%s is left over", key)
		}
		delete(wanted, key)
	}
	for key := range wanted {
		t.Errorf("%s is missing", key)
	}
}

// everything sweeps without mercy for what is young.
func everything(t testing.TB, s *Store) Report {
	t.Helper()
	r, err := s.Sweep(t.Context(), Sweep{Grace: -time.Hour, Delete: true, Rate: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// proxy lies between a store and its server, counts calls and fails some.
type proxy struct {
	*httptest.Server
	mu    sync.Mutex
	calls []string // "PUT images/x.jpg"
	fail  func(n int) failure
}

type failure int

const (
	fine    failure = iota
	refused         // the call does not reach the server
	lost            // the call is carried out and its answer is lost
)

func newProxy(t testing.TB, s *server, prefix string) (*proxy, *Store) {
	t.Helper()
	to, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // it is signed
	}, Transport: &http.Transport{}, ErrorLog: log.New(io.Discard, "", 0)}
	t.Cleanup(forward.Transport.(*http.Transport).CloseIdleConnections)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), time.Minute) // carried out also for a client that has gone
		defer cancel()
		r = r.WithContext(ctx)
		p.mu.Lock()
		p.calls = append(p.calls, r.Method+" "+strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/shop/"), prefix))
		how := fine
		if p.fail != nil {
			how = p.fail(len(p.calls))
		}
		p.mu.Unlock()
		switch how {
		case refused:
			panic(http.ErrAbortHandler)
		case lost:
			forward.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p, &Store{Bucket: s3{s.open(t, p.URL).Objects(prefix)}, Engine: fakeEngine{}, Limits: resize.DefaultLimits()}
}

// forget begins to count anew.
func (p *proxy) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = nil
}

// made are the calls so far.
func (p *proxy) made() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls)
}

// check is all that an upload does with a file before it is stored.
func (s *Store) check(ctx context.Context, f *File) (*checked, error) {
	c, err := s.prepare(ctx, f)
	if err == nil {
		err = s.decode(ctx, c)
	}
	return c, err
}
