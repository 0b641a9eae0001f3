package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/internal/testpeer"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/signing"
)

// painted returns a JPEG with a gradient and something to see.
func painted(t testing.TB, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetRGBA(x, y, color.RGBA{R: uint8(255 * x / width), G: uint8(255 * y / height), B: uint8(x ^ y), A: 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// photos returns a folder with one picture of 640 × 480 px, one that is broken, and a text.
func photos(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"a.jpg": painted(t, 640, 480), "sub/b c.jpg": painted(t, 320, 200), "broken.jpg": painted(t, 640, 480)[:200], "text.jpg": []byte("no picture"),
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// edgeServer is a service of a test.
type edgeServer struct {
	*Service
	base, admin string
	key         signing.Key
}

// start serves a configuration on free ports until the test ends. Sources sign with testKey.
func start(t testing.TB, text string) edgeServer {
	t.Helper()
	file := filepath.Join(t.TempDir(), "edge.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(file, nil, Overrides{Listen: "127.0.0.1:0", Admin: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	return startWith(t, cfg, nil)
}

// startWith serves a configuration until the test ends.
func startWith(t testing.TB, cfg *Config, log *slog.Logger) edgeServer {
	t.Helper()
	s, err := StartService(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	secret, err := signing.ParseSecret(testKey)
	if err != nil {
		t.Fatal(err)
	}
	return edgeServer{s, localBase(s.Public.Addr()), localBase(s.Admin.Addr()), signing.Key{Secret: secret}}
}

func (e edgeServer) sign(t *testing.T, target string) string {
	t.Helper()
	signed, err := e.key.SignTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	return e.base + signed
}

// answer is a response read to its end.
type answer struct {
	*http.Response
	body []byte
}

func ask(t *testing.T, method, url string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return answer{resp, body}
}

func (a answer) wantCode(t *testing.T, status int, code string) {
	t.Helper()
	var problem struct{ Code string }
	if a.StatusCode != status {
		t.Errorf("%s: status %d, want %d: %s", a.Request.URL, a.StatusCode, status, a.body)
	} else if code != "" && (json.Unmarshal(a.body, &problem) != nil || problem.Code != code) {
		t.Errorf("%s: body %s, want code %s", a.Request.URL, a.body, code)
	}
}

func localConfig(dir string) string {
	return fmt.Sprintf("sources: {local: {dir: %q, keys: [{id: k1, secret: %s}], tags: [own]}}\ntokens: [{name: t, secret: 0123456789abcdef, scopes: [purge, sign]}]\n", dir, testKey)
}

func TestServesSignedPictures(t *testing.T) {
	dir := photos(t)
	e := start(t, localConfig(dir))
	url := e.sign(t, "/local/a.jpg?w=320&f=jpeg")
	first := ask(t, http.MethodGet, url)
	first.wantCode(t, http.StatusOK, "")
	size, format, err := image.DecodeConfig(bytes.NewReader(first.body))
	if err != nil || format != "jpeg" || size.Width != 320 || size.Height != 240 {
		t.Fatalf("got %s %d × %d, %v, want jpeg 320 × 240", format, size.Width, size.Height, err)
	}
	if got := first.Header.Get("Cache-Status"); !strings.Contains(got, "fwd=miss") {
		t.Errorf("first: Cache-Status %q", got)
	}
	second := ask(t, http.MethodGet, url)
	if got := second.Header.Get("Cache-Status"); !strings.Contains(got, "hit; detail=memory") {
		t.Errorf("second: Cache-Status %q", got)
	}
	etag := first.Header.Get("ETag")
	if etag == "" || second.Header.Get("ETag") != etag || !bytes.Equal(first.body, second.body) {
		t.Errorf("ETag %q then %q", etag, second.Header.Get("ETag"))
	}
	unchanged := ask(t, http.MethodGet, url, "If-None-Match", etag)
	unchanged.wantCode(t, http.StatusNotModified, "")
	head := ask(t, http.MethodHead, url)
	head.wantCode(t, http.StatusOK, "")
	if head.ContentLength != int64(len(first.body)) || len(head.body) != 0 {
		t.Errorf("HEAD: Content-Length %d and %d bytes, want %d and none", head.ContentLength, len(head.body), len(first.body))
	}
	part := ask(t, http.MethodGet, url, "Range", "bytes=0-9")
	part.wantCode(t, http.StatusPartialContent, "")
	if !bytes.Equal(part.body, first.body[:10]) {
		t.Errorf("range: %x, want %x", part.body, first.body[:10])
	}
	ask(t, http.MethodGet, e.sign(t, "/local/sub/b%20c.jpg?w=100")).wantCode(t, http.StatusOK, "")
	webp := ask(t, http.MethodGet, e.sign(t, "/local/a.jpg?w=100"), "Accept", "image/webp,*/*")
	if got := webp.Header.Get("Content-Type"); got != "image/webp" || webp.Header.Get("Vary") != "Accept" {
		t.Errorf("negotiated %q, Vary %q, want image/webp and Accept", got, webp.Header.Get("Vary"))
	}
}

func TestRefusals(t *testing.T) {
	e := start(t, localConfig(photos(t)))
	for _, row := range []struct {
		name, url string
		status    int
		code      string
	}{
		{"no signature", e.base + "/local/a.jpg?w=320", 403, "bad_signature"},
		{"wrong signature", e.sign(t, "/local/a.jpg?w=320")[:len(e.base)+30] + "x", 403, "bad_signature"},
		{"changed option", strings.Replace(e.sign(t, "/local/a.jpg?w=320"), "320", "321", 1), 403, "bad_signature"},
		{"unknown source", e.base + "/nowhere/a.jpg", 404, "unknown_source"},
		{"unknown key", e.sign(t, "/local/zzz.jpg"), 404, "not_found"},
		{"expired", e.sign(t, "/local/a.jpg?exp=1000000000"), 410, "expired"},
		{"not expired", e.sign(t, fmt.Sprintf("/local/a.jpg?w=10&exp=%d", time.Now().Add(time.Hour).Unix())), 200, ""},
		{"bad option", e.sign(t, "/local/a.jpg?w=0"), 400, "bad_option"},
		{"unknown option", e.sign(t, "/local/a.jpg?x=1"), 400, "bad_option"},
		{"option that cannot be had", e.sign(t, "/local/a.jpg?w=10&h=10&fit=cover&g=face"), 400, "bad_option"},
		{"bad key", e.sign(t, "/local/..%2Fa.jpg"), 400, "bad_key"},
		{"not a picture", e.sign(t, "/local/text.jpg"), 415, "not_an_image"},
		{"broken picture", e.sign(t, "/local/broken.jpg?w=10"), 422, "corrupt_image"},
		{"v1 without a token", e.base + "/v1/sign", 401, "unauthorized"},
	} {
		t.Run(row.name, func(t *testing.T) { ask(t, http.MethodGet, row.url).wantCode(t, row.status, row.code) })
	}
}

func TestPurgeCommandAgainstARunningServer(t *testing.T) {
	e := start(t, localConfig(photos(t)))
	small, large := e.sign(t, "/local/a.jpg?w=50"), e.sign(t, "/local/a.jpg?w=60")
	for _, args := range [][]string{
		{small}, {"/local/a.jpg?w=50"}, {"--source", "local", "--key", "a.jpg"}, {"--source", "local"}, {"--tag", "own"}, {"--all"},
	} {
		ask(t, http.MethodGet, small)
		ask(t, http.MethodGet, large)
		if got := ask(t, http.MethodGet, small).Header.Get("Cache-Status"); !strings.Contains(got, "hit") {
			t.Fatalf("before %v: %q, want a hit", args, got)
		}
		out, errs, code := run(t, nil, append([]string{"purge", "--server", e.admin}, args...)...)
		if code != exitOK {
			t.Errorf("edge purge %v: exit %d: %s%s", args, code, out, errs)
			continue
		}
		for _, url := range []string{small, large} {
			if got := ask(t, http.MethodGet, url).Header.Get("Cache-Status"); !strings.Contains(got, "fwd=miss") {
				t.Errorf("after edge purge %v: %q, want a miss", args, got)
			}
		}
	}
}

// A purge written straight into Redis reaches a server that nobody asked within a second.
func TestPurgeCommandStraightInRedis(t *testing.T) {
	redis := testpeer.Redis(t)
	config := localConfig(photos(t)) + fmt.Sprintf("redis: {url: %q}\n", redis.URL)
	e := start(t, config)
	url := e.sign(t, "/local/sub/b%20c.jpg?w=50")
	for _, args := range [][]string{{url}, {"--source", "local", "--key", "sub/b c.jpg"}, {"--source", "local"}, {"--all"}} {
		ask(t, http.MethodGet, url)
		if got := ask(t, http.MethodGet, url).Header.Get("Cache-Status"); !strings.Contains(got, "hit") {
			t.Fatalf("before %v: %q, want a hit", args, got)
		}
		file := writeConfig(t, config)
		if out, errs, code := run(t, nil, append([]string{"purge", "--direct", "--config", file}, args...)...); code != exitOK || out != "purged: 1\n" {
			t.Fatalf("edge purge --direct %v: exit %d: %s%s", args, code, out, errs)
		}
		told := time.Now()
		eventually(t, "the picture is made anew", func() bool {
			return strings.Contains(ask(t, http.MethodGet, url).Header.Get("Cache-Status"), "fwd=miss")
		})
		if took := time.Since(told); took > time.Second {
			t.Errorf("after edge purge --direct %v: forgotten after %v, want within 1 s", args, took)
		}
	}
}

func TestConvertGivesTheServersBytes(t *testing.T) {
	dir := photos(t)
	e := start(t, localConfig(dir))
	for _, options := range []string{"w=300&f=webp", "w=300&h=100&fit=cover&f=jpeg&q=50", "w=64&f=avif", "w=64&f=png"} {
		out := filepath.Join(t.TempDir(), "out")
		if stdout, stderr, code := run(t, nil, "convert", filepath.Join(dir, "a.jpg"), out, options); code != exitOK {
			t.Fatalf("edge convert %s: exit %d: %s%s", options, code, stdout, stderr)
		}
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if want := ask(t, http.MethodGet, e.sign(t, "/local/a.jpg?"+options)); !bytes.Equal(got, want.body) {
			t.Errorf("%s: edge convert gives %d bytes, the server other %d", options, len(got), len(want.body))
		}
	}
}

func TestReadinessNamesASourceThatIsDown(t *testing.T) {
	e := start(t, fmt.Sprintf("sources: {web: {http: {base: \"http://%s/\", allow_networks: [127.0.0.0/8]}, unsigned: true, free: true}}\n", testpeer.FreePort(t)))
	asked := 0
	eventually(t, "/readyz names the source", func() bool {
		asked++
		ask(t, http.MethodGet, fmt.Sprintf("%s/web/%d.jpg", e.base, asked)).wantCode(t, http.StatusBadGateway, "origin_failed")
		ready := ask(t, http.MethodGet, e.base+"/readyz")
		ready.wantCode(t, http.StatusOK, "") // it can serve what it has
		return strings.Contains(string(ready.body), "degraded") && strings.Contains(string(ready.body), "web")
	})
}

func TestAdminListener(t *testing.T) {
	e := start(t, localConfig(photos(t)))
	ask(t, http.MethodGet, e.sign(t, "/local/a.jpg?w=32&f=webp"))
	metrics := string(ask(t, http.MethodGet, e.admin+"/metrics").body)
	for _, want := range []string{
		`imgedge_render_total{format="webp",lane="small"} 1`,
		`imgedge_origin_requests_total{result="ok",source="local"} 1`,
		`imgedge_cache_bytes{tier="memory"} `,
		`imgedge_requests_total{cache="miss",source="local",status="200"} 1`,
		`imgedge_queue_refused_total{reason="full"} 0`,
		`imgedge_collapsed_total{scope="fleet"} 0`,
		`imgedge_config_reload_success 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	ask(t, http.MethodGet, e.base+"/metrics").wantCode(t, http.StatusNotFound, "")
}

// TestSettingsReachTheServer changes what can be seen from outside.
func TestSettingsReachTheServer(t *testing.T) {
	dir := photos(t)
	e := start(t, fmt.Sprintf(`
sources:
  local:
    dir: %q
    keys: [{id: k1, secret: %s}]
    widths: [100, 200]
    presets: [thumb]
    accept: [webp]
    max_age: 90s
    stale_while_revalidate: 30s
    limits: {source_pixels: 100000}
    fallback: open/a.jpg
    allow_origin: "*"
  open: {dir: %q, unsigned: true, widths: [100], cache_control: "private"}
  free: {dir: %q, unsigned: true, free: true}
  capped: {dir: %q, unsigned: true, free: true, limits: {source_bytes: 1KiB, output_side: 50}}
presets: {default: "q=30", thumb: "w=20&h=20&fit=cover", other: "w=30"}
formats_in: [jpeg]
limits: {output_side: 400}
timing: true
`, dir, testKey, dir, dir, dir))
	big := ask(t, http.MethodGet, e.sign(t, "/local/a.jpg?w=10"))
	big.wantCode(t, http.StatusUnprocessableEntity, "")
	if big.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("fallback: %s, want a picture", big.Header.Get("Content-Type"))
	}
	good := ask(t, http.MethodGet, e.sign(t, "/local/sub/b%20c.jpg?open=w")+"&w=100", "Accept", "image/avif,image/webp")
	good.wantCode(t, http.StatusOK, "")
	for name, want := range map[string]string{
		"Cache-Control": "public, max-age=90, stale-while-revalidate=30", "Content-Type": "image/webp", "Access-Control-Allow-Origin": "*",
	} {
		if got := good.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if good.Header.Get("Server-Timing") == "" {
		t.Error("no Server-Timing")
	}
	for _, row := range []struct {
		name, url string
		status    int
	}{
		{"opened width not listed", e.sign(t, "/local/sub/b%20c.jpg?open=w") + "&w=101", 400},
		{"preset", e.sign(t, "/local/sub/b%20c.jpg?p=thumb"), 200},
		{"preset not of this source", e.sign(t, "/local/sub/b%20c.jpg?p=other"), 400},
		{"unsigned width", e.base + "/open/a.jpg?w=100", 200},
		{"unsigned other width", e.base + "/open/a.jpg?w=90", 400},
		{"unsigned other option", e.base + "/open/a.jpg?rot=90", 400},
		{"free option", e.base + "/free/a.jpg?rot=90&w=90", 200},
		{"global output side", e.base + "/free/a.jpg?w=401", 400},
		{"source's output side", e.base + "/capped/a.jpg?w=51", 400},
		{"source bytes", e.base + "/capped/a.jpg?w=10", 413},
	} {
		ask(t, http.MethodGet, row.url).wantCode(t, row.status, "")
	}
	if got := ask(t, http.MethodGet, e.base+"/open/a.jpg?w=100").Header.Get("Cache-Control"); got != "private" {
		t.Errorf("cache_control: %q, want private", got)
	}
	png := filepath.Join(dir, "x.png")
	if err := os.WriteFile(png, testPicture(), 0o600); err != nil {
		t.Fatal(err)
	}
	ask(t, http.MethodGet, e.base+"/free/x.png").wantCode(t, http.StatusUnsupportedMediaType, "unsupported_format")
}

func TestListenersInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := photos(t)
	_, stderr, code := run(t, nil, "serve", "--dir", dir, "--listen", taken.Addr().String())
	if code != exitFailed || !strings.Contains(stderr, "address already in use") {
		t.Errorf("exit %d, %q", code, stderr)
	}
}

func TestExampleTargetsAreServed(t *testing.T) {
	dir := photos(t)
	e := start(t, fmt.Sprintf(`
sources:
  signed: {dir: %q, keys: [{id: k1, secret: %s}]}
  open: {dir: %q, unsigned: true}
  sized: {dir: %q, unsigned: true, widths: [10, 20, 30]}
  free: {dir: %q, unsigned: true, free: true}
`, dir, testKey, dir, dir, dir))
	for _, name := range e.Node.Config.sourceNames() {
		target, err := e.Node.Config.exampleTarget(name)
		if err != nil {
			t.Fatal(err)
		}
		got := ask(t, http.MethodGet, e.base+target)
		got.wantCode(t, http.StatusOK, "")
		if resize.Sniff(got.body) != resize.FormatJPEG {
			t.Errorf("%s is no JPEG", target)
		}
	}
}
