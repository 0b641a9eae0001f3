package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/imgedge/imgedge/internal/testpeer"
	"github.com/imgedge/imgedge/signing"
)

const otherKey = "ffeeddccbbaa99887766554433221100"

// logLines is a log that a test reads.
type logLines struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// take returns what was logged since the last call.
func (l *logLines) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.text.String()
	l.text.Reset()
	return text
}

// reloading is a server whose file the test changes.
type reloading struct {
	edgeServer
	*Reloader
	file string
	log  *logLines
}

// startReloading serves a configuration as `edge serve` does; the test calls Look and Reload.
func startReloading(t *testing.T, text string) *reloading {
	t.Helper()
	r := &reloading{file: filepath.Join(t.TempDir(), "edge.yaml"), log: &logLines{}}
	r.write(t, text)
	command := serveCommand{configFlag: configFlag{Config: r.file}}
	load := func() (*Config, error) {
		return command.configuration(&Program{}, Overrides{Listen: "127.0.0.1:0", Admin: "127.0.0.1:0"})
	}
	cfg, err := load()
	if err != nil {
		t.Fatal(err)
	}
	r.edgeServer = startWith(t, cfg, slog.New(slog.NewTextHandler(r.log, nil)))
	r.Reloader = NewReloader(r.edgeServer.Node, load)
	return r
}

func (r *reloading) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// change writes another configuration and reloads it, which must succeed.
func (r *reloading) change(t *testing.T, text string) {
	t.Helper()
	r.write(t, text)
	r.log.take()
	r.Reload("the test says so")
	if log := r.log.take(); !strings.Contains(log, "the configuration is reloaded") {
		t.Fatalf("not reloaded:\n%s", log)
	}
}

// success reads imgedge_config_reload_success.
func (r *reloading) success(t *testing.T) string {
	t.Helper()
	_, after, _ := strings.Cut(string(ask(t, http.MethodGet, r.admin+"/metrics").body), "\nimgedge_config_reload_success ")
	value, _, _ := strings.Cut(after, "\n")
	return value
}

// Whatever is reloaded, no request fails, and nothing is left behind.
func TestReloadUnderLoad(t *testing.T) {
	first, second := photos(t), photos(t)
	origin := httptest.NewServer(http.FileServer(http.Dir(first)))
	defer origin.Close()
	text := func(i int) string {
		dir := []string{first, second}[i%2]
		more := fmt.Sprintf("  extra%d: {dir: %q, unsigned: true}\n", i, second)
		return fmt.Sprintf(`limits: {request: 20s, output_pixels: %d}
sources:
  still: {dir: %q, keys: [{id: a, secret: %s}, {id: b%d, secret: %s}], widths: [%d]}
  moves: {dir: %q, keys: [{id: a, secret: %s}]}
  web: {http: {base: %q, headers: {X-Round: "%d"}, allow_networks: [127.0.0.0/8]}, timeout: %ds, keys: [{id: a, secret: %s}]}
%spresets: {thumb: "w=%d"}
`, 1_000_000+i, first, testKey, i, otherKey, 100+i, dir, testKey, origin.URL+"/", i, 5+i%3, testKey, more, 50+i)
	}
	r := startReloading(t, text(0))
	eventually(t, "workers and their spare are there", func() bool { return r.Node.Sandbox.Stats().Workers > runtime.GOMAXPROCS(0) })
	goroutines, files := runtime.NumGoroutine(), descriptors(t)

	const reloads, clients = 50, 4
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var asked, failed atomic.Int64
	var load sync.WaitGroup
	for c := range clients {
		load.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: patience}
			defer client.CloseIdleConnections()
			for i := 0; ctx.Err() == nil; i++ {
				source := []string{"still", "moves", "web"}[i%3]
				target, err := r.key.SignTarget(fmt.Sprintf("/%s/a.jpg?w=%d&f=png", source, 8+(i/3*clients+c)%40))
				if err != nil {
					t.Error(err)
					return
				}
				resp, err := client.Get(r.base + target)
				asked.Add(1)
				if err != nil {
					failed.Add(1)
					t.Errorf("%s: %v", target, err)
					continue
				}
				body, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close() // read to its end
				if err != nil || resp.StatusCode != http.StatusOK || !bytes.HasPrefix(body, []byte("\x89PNG")) {
					failed.Add(1)
					t.Errorf("%s: %d, %v, %.200s", target, resp.StatusCode, err, body)
				}
			}
		})
	}
	for i := range reloads {
		before := asked.Load()
		r.change(t, text(i+1))
		eventually(t, "requests go on", func() bool { return asked.Load() >= before+2*clients })
	}
	stop()
	load.Wait()
	t.Logf("%d requests during %d reloads, %d failed", asked.Load(), reloads, failed.Load())
	http.DefaultClient.CloseIdleConnections()
	// fasthttp keeps a goroutine a connection for a while; a leak would be one a reload.
	eventually(t, "goroutines and files come back", func() bool {
		return runtime.NumGoroutine() <= goroutines+reloads/2 && descriptors(t) <= files+5
	})
}

// descriptors counts this process' open files.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// A key that is taken away opens nothing any more, however often its URLs were asked for before; one
// that is added does at once.
func TestReloadOfKeys(t *testing.T) {
	config := func(keys string) string {
		return fmt.Sprintf("sources: {local: {dir: %q, keys: [%s]}}\n", photos(t), keys)
	}
	old, fresh := fmt.Sprintf("{id: old, secret: %s}", testKey), fmt.Sprintf("{id: new, secret: %s}", otherKey)
	r := startReloading(t, config(old))
	secret, err := signing.ParseSecret(otherKey)
	if err != nil {
		t.Fatal(err)
	}
	target, err := signing.Key{Secret: secret}.SignTarget("/local/a.jpg?w=32")
	if err != nil {
		t.Fatal(err)
	}
	known := r.sign(t, "/local/a.jpg?w=32")
	for range 3 {
		ask(t, http.MethodGet, known).wantCode(t, http.StatusOK, "")
	}
	ask(t, http.MethodGet, r.base+target).wantCode(t, http.StatusForbidden, "bad_signature")
	r.change(t, config(fresh+", "+old))
	ask(t, http.MethodGet, known).wantCode(t, http.StatusOK, "")
	ask(t, http.MethodGet, r.base+target).wantCode(t, http.StatusOK, "")
	r.change(t, config(fresh))
	ask(t, http.MethodGet, known).wantCode(t, http.StatusForbidden, "bad_signature")
	ask(t, http.MethodGet, r.base+target).wantCode(t, http.StatusOK, "")
}

// What the issue lists changes with a reload.
func TestReloadOfEverythingElse(t *testing.T) {
	dir := photos(t)
	r := startReloading(t, localConfig(dir))
	thumb, mark := r.sign(t, "/local/a.jpg?p=thumb"), r.sign(t, "/local/a.jpg?wm=logo&w=64")
	other := r.base + "/other/a.jpg"
	mounted := r.base + "/thumbor/unsafe/20x20/a.jpg"
	token := func(secret string) int {
		return ask(t, http.MethodGet, r.base+"/v1/openapi.json", "Authorization", "Bearer "+secret).StatusCode
	}
	for _, url := range []string{thumb, mark} {
		ask(t, http.MethodGet, url).wantCode(t, http.StatusBadRequest, "bad_option")
	}
	ask(t, http.MethodGet, other).wantCode(t, http.StatusNotFound, "unknown_source")
	ask(t, http.MethodGet, mounted).wantCode(t, http.StatusNotFound, "unknown_source")
	ask(t, http.MethodGet, r.sign(t, "/local/a.jpg?w=33")).wantCode(t, http.StatusOK, "")

	r.change(t, fmt.Sprintf(`sources:
  local: {dir: %q, keys: [{id: k1, secret: %s}], limits: {output_side: 700}}
  other: {dir: %q, unsigned: true}
presets: {thumb: "w=50"}
watermarks: {logo: {image: local/a.jpg}}
dialects: [{dialect: thumbor, prefix: /thumbor, unsafe: true, source: other}]
tokens: [{name: t, secret: fedcba9876543210, scopes: [purge]}]
timing: true
`, dir, testKey, dir))
	for _, url := range []string{thumb, mark, other, mounted} {
		ask(t, http.MethodGet, url).wantCode(t, http.StatusOK, "")
	}
	ask(t, http.MethodGet, r.sign(t, "/local/a.jpg?w=701")).wantCode(t, http.StatusBadRequest, "bad_option")
	if old, fresh := token("0123456789abcdef"), token("fedcba9876543210"); old != http.StatusUnauthorized || fresh != http.StatusOK {
		t.Errorf("the old token: %d, want 401; the new one: %d, want 200", old, fresh)
	}
	if got := ask(t, http.MethodGet, thumb).Header.Get("Server-Timing"); got == "" {
		t.Error("no Server-Timing with timing: true")
	}

	r.change(t, localConfig(dir))
	ask(t, http.MethodGet, other).wantCode(t, http.StatusNotFound, "unknown_source")
	ask(t, http.MethodGet, thumb).wantCode(t, http.StatusBadRequest, "bad_option")
}

// A bad file changes nothing, and says so.
func TestReloadRefusesABadFile(t *testing.T) {
	good := localConfig(photos(t))
	r := startReloading(t, good)
	url := r.sign(t, "/local/a.jpg?w=32")
	if got := r.success(t); got != "1" {
		t.Errorf("imgedge_config_reload_success %s at the start, want 1", got)
	}
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"two problems", good + "limits: {queue: -1}\nlog: {level: loud}\n", []string{
			r.file + `:3: limits.queue: -1 is not within`, r.file + `:4: log.level: \"loud\" is none of`,
		}},
		{"no YAML", good + "}", []string{r.file + ":"}},
		{"nothing to serve", "", []string{"there is nothing to serve"}},
	} {
		r.write(t, tt.text)
		r.log.take()
		r.Reload("the test says so")
		log := r.log.take()
		for _, want := range tt.want {
			if !strings.Contains(log, want) {
				t.Errorf("%s: the log does not say %q:\n%s", tt.name, want, log)
			}
		}
		if strings.Contains(log, "is reloaded") || r.success(t) != "0" {
			t.Errorf("%s: imgedge_config_reload_success %s, want 0; log:\n%s", tt.name, r.success(t), log)
		}
		ask(t, http.MethodGet, url).wantCode(t, http.StatusOK, "")
	}
	if err := os.Remove(r.file); err != nil {
		t.Fatal(err)
	}
	r.Reload("the test says so")
	if log := r.log.take(); !strings.Contains(log, "read the configuration") {
		t.Errorf("without its file:\n%s", log)
	}
	ask(t, http.MethodGet, url).wantCode(t, http.StatusOK, "")
	r.change(t, good)
	if got := r.success(t); got != "1" {
		t.Errorf("imgedge_config_reload_success %s after a good file, want 1", got)
	}
}

// What fails only as it is opened leaves the old node in force, and nothing open.
func TestReloadRollsBack(t *testing.T) {
	dir, gone := photos(t), t.TempDir()
	r := startReloading(t, localConfig(dir))
	before, files := r.Node.live.Load(), descriptors(t)
	next, err := Load(r.file, nil, Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	next.Sources["a"] = &Source{Dir: dir, Unsigned: true}
	next.Sources["z"] = &Source{Dir: gone, Unsigned: true}
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Node.Reload(next); err == nil || !strings.Contains(err.Error(), "source z: ") {
		t.Errorf("Reload: %v, want an error of source z", err)
	}
	if r.Node.live.Load() != before {
		t.Error("another wiring is in force")
	}
	if got := descriptors(t); got > files {
		t.Errorf("%d files are open, %d were", got, files)
	}
	ask(t, http.MethodGet, r.sign(t, "/local/a.jpg?w=32")).wantCode(t, http.StatusOK, "")
	ask(t, http.MethodGet, r.base+"/a/a.jpg").wantCode(t, http.StatusNotFound, "unknown_source")
}

// What needs a restart is named, and stays as it was.
func TestReloadNamesWhatNeedsARestart(t *testing.T) {
	text := localConfig(photos(t))
	r := startReloading(t, text)
	r.write(t, text+"cache: {memory: 1MiB}\nrender: {workers: 7}\nformats_in: [png]\nlimits: {request: 7s, frames: 7}\n")
	r.log.take()
	r.Reload("the test says so")
	log := r.log.take()
	for _, want := range []string{"cache.memory", "render.workers", "formats_in", "limits.request"} {
		if !strings.Contains(log, "setting="+want+"\n") {
			t.Errorf("the log does not name %s:\n%s", want, log)
		}
	}
	if strings.Contains(log, "limits.frames") || strings.Count(log, "needs a restart") != 4 {
		t.Errorf("want the four settings alone:\n%s", log)
	}
	ask(t, http.MethodGet, r.sign(t, "/local/a.jpg?w=32")).wantCode(t, http.StatusOK, "") // a JPEG still
	if got := r.Node.live.Load().config; got.Render.Workers != 0 || got.Limits.Frames != 7 {
		t.Errorf("workers %d, frames %d in force; want 0 and 7", got.Render.Workers, got.Limits.Frames)
	}
}

// Every setting either changes with a reload or is named as one that does not.
func TestEverySettingReloadsOrIsFrozen(t *testing.T) {
	reloads := []string{
		"admin.debug_token", "cache.fresh", "cache.stale_while_revalidate", "cache.stale_if_error", "cache.negative", "sources",
		"presets", "watermarks", "dialects", "limits.source_bytes", "limits.source_pixels", "limits.source_side", "limits.output_side",
		"limits.output_pixels", "limits.frames", "limits.animation_pixels", "rate_limit", "render.encode_budget", "tokens", "events.webhook", "events.warm", "trust_proxies", "timing", "base_url", "shutdown",
	}
	var next Config
	started := DefaultConfig()
	started.Admin.Listen, started.Redis.URL, started.Redis.QueueURL, started.Render.SSIMOf = "a:1", "redis://a", "redis://b", map[string]float64{"avif": 1}
	started.Limits.ConnectionsPerIP, started.Render.Workers, started.Render.WorkerMemory = 1, 1, 1
	started.Webhooks.Secret, started.Webhooks.AllowNetworks = "a", []string{"10.0.0.0/8"}
	started.Ingest.Source, started.Ingest.Prefix, started.Ingest.Normalize, started.Ingest.Archive = "a", "a/", "f=jpeg", "b"
	started.Ingest.Presets = []string{"a"}
	started.Events.Kafka = Kafka{Brokers: []string{"a:1"}, Topic: "a", Group: "b"}
	frozen := next.freeze(&started)
	var again Config
	again.freeze(&started)
	if more := again.freeze(&started); len(more) > 0 {
		t.Errorf("freezing twice changes %v", more)
	}
	all := settings(reflect.TypeFor[Config](), "")
	for _, path := range slices.Sorted(maps.Keys(all)) {
		leaf := !slices.ContainsFunc(slices.Collect(maps.Keys(all)), func(p string) bool { return strings.HasPrefix(p, path+".") })
		covered := func(names []string) bool {
			return slices.ContainsFunc(names, func(n string) bool {
				return path == n || path == n+"_file" || strings.HasPrefix(path, n+".") || strings.HasPrefix(path, n+"[") || strings.HasPrefix(path, n+"*")
			})
		}
		if leaf && covered(reloads) == covered(frozen) {
			t.Errorf("%s: reloads %v, frozen %v; want one of them (freeze in frozen.go, or the list above)", path, covered(reloads), covered(frozen))
		}
	}
}

// A change of the file is noticed once it has settled, and a change of a secret's file too.
func TestLookNoticesChangedFiles(t *testing.T) {
	dir, secret := photos(t), filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(testKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("sources: {local: {dir: %q, keys: [{id: k1, secret_file: %q}]}}\n", dir, secret)
	r := startReloading(t, text)
	look := func(want bool) {
		t.Helper()
		r.log.take()
		r.Look()
		if got := strings.Contains(r.log.take(), "is reloaded"); got != want {
			t.Errorf("reloaded: %v, want %v", got, want)
		}
	}
	look(false)
	look(false)
	r.write(t, text+"presets: {a: ")
	look(false) // half of it is there
	r.write(t, text+"presets: {a: \"w=1\"}\n")
	look(false)
	look(true)
	look(false)
	url := r.sign(t, "/local/a.jpg?w=32")
	ask(t, http.MethodGet, url).wantCode(t, http.StatusOK, "")
	if err := os.WriteFile(secret, []byte(otherKey), 0o600); err != nil {
		t.Fatal(err)
	}
	look(false)
	look(true)
	ask(t, http.MethodGet, url).wantCode(t, http.StatusForbidden, "bad_signature")

	// A secret that is not there yet is waited for.
	if err := os.Remove(secret); err != nil {
		t.Fatal(err)
	}
	look(false)
	look(false)
	if got := r.success(t); got != "0" {
		t.Errorf("imgedge_config_reload_success %s without the secret, want 0", got)
	}
	if err := os.WriteFile(secret, []byte(testKey), 0o600); err != nil {
		t.Fatal(err)
	}
	look(false)
	look(true)
	ask(t, http.MethodGet, url).wantCode(t, http.StatusOK, "")
}

// A source that is as it was keeps its breaker; one that is asked otherwise is opened anew.
func TestReloadKeepsUnchangedSources(t *testing.T) {
	down := testpeer.FreePort(t)
	config := func(more string) string {
		return fmt.Sprintf("sources: {web: {http: {base: \"http://%s/\", allow_networks: [127.0.0.0/8]}, unsigned: true, free: true%s}}\n", down, more)
	}
	r := startReloading(t, config(""))
	asked := 0
	eventually(t, "the breaker opens", func() bool {
		asked++
		ask(t, http.MethodGet, fmt.Sprintf("%s/web/%d.jpg", r.base, asked))
		return r.Node.source("web").origin.Stats().Open == 1
	})
	kept := r.Node.source("web").origin
	r.change(t, config(", max_age: 1h, widths: [100]"))
	if got := r.Node.source("web").origin; got != kept {
		t.Error("a source whose place did not change was opened anew")
	}
	r.change(t, config(", timeout: 3s"))
	if got := r.Node.source("web").origin; got == kept || got.Timeout != 3*time.Second {
		t.Errorf("the new timeout is not in force: %v", got.Timeout)
	}
}

// Each field of a place counts when it is compared.
func TestPlacesDiffer(t *testing.T) {
	bucket := func() *Source { return &Source{Bucket: &Bucket{}} }
	server := func() *Source { return &Source{HTTP: &HTTP{Headers: map[string]Secret{}}} }
	for _, tt := range []struct {
		name  string
		make  func() *Source
		place func(*Source) reflect.Value
	}{
		{"bucket", bucket, func(s *Source) reflect.Value { return reflect.ValueOf(s.Bucket).Elem() }},
		{"http", server, func(s *Source) reflect.Value { return reflect.ValueOf(s.HTTP).Elem() }},
	} {
		for i := range tt.place(tt.make()).NumField() {
			s := tt.make()
			f := tt.place(s).Field(i)
			switch f.Kind() {
			case reflect.String:
				f.SetString("x")
			case reflect.Bool:
				f.SetBool(true)
			case reflect.Slice:
				f.Set(reflect.ValueOf([]string{"x"}))
			case reflect.Map:
				f.SetMapIndex(reflect.ValueOf("x"), reflect.ValueOf(Secret("y")))
			}
			if a := tt.make(); a.liesWhere(s) && a.askedLike(s) {
				t.Errorf("%s: field %d is not compared", tt.name, i)
			}
		}
	}
	if !bucket().liesWhere(bucket()) || !bucket().askedLike(bucket()) || !server().liesWhere(server()) || !server().askedLike(server()) {
		t.Error("equal places differ")
	}
}

// Pictures of the old place are not served for the new one; nor is a folder that was replaced.
func TestReloadOfAPlace(t *testing.T) {
	small, large := t.TempDir(), t.TempDir()
	err := errors.Join(os.WriteFile(filepath.Join(small, "a.jpg"), painted(t, 20, 10), 0o600), os.WriteFile(filepath.Join(large, "a.jpg"), painted(t, 40, 10), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "photos")
	point := func(to string) {
		t.Helper()
		_ = os.Remove(link) // the first time there is none
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	point(small)
	config := func(dir string) string {
		return fmt.Sprintf("sources: {s: {dir: %q, unsigned: true, free: true}}\n", dir)
	}
	r := startReloading(t, config(small))
	width := func(key string) string {
		t.Helper()
		return string(ask(t, http.MethodGet, r.base+"/s/"+key+"?f=json").body)
	}
	if got := width("a.jpg"); !strings.Contains(got, `"width":20`) {
		t.Fatal(got)
	}
	r.change(t, config(large))
	if got := width("a.jpg"); !strings.Contains(got, `"width":40`) {
		t.Errorf("after the move: %s, want the other folder's picture", got)
	}
	r.change(t, config(link))
	point(large)
	r.change(t, config(link))
	if now, err := os.Stat(large); err != nil || !os.SameFile(now, r.Node.source("s").folder) {
		t.Errorf("the folder that was put in place is not open: %v", err)
	}
}

// A source that goes and comes back at another place shows none of its old pictures, from memory or from Redis.
func TestReloadOfASourceThatComesBack(t *testing.T) {
	small, large := t.TempDir(), t.TempDir()
	err := errors.Join(os.WriteFile(filepath.Join(small, "a.jpg"), painted(t, 20, 10), 0o600), os.WriteFile(filepath.Join(large, "a.jpg"), painted(t, 40, 10), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	redis := testpeer.Redis(t).URL
	config := func(sources string) string {
		return fmt.Sprintf("redis: {url: %q}\nrender: {isolation: none}\nsources: {other: {dir: %q, unsigned: true}%s}\n", redis, small, sources)
	}
	at := func(dir string) string { return fmt.Sprintf(", s: {dir: %q, unsigned: true, free: true}", dir) }
	r := startReloading(t, config(at(small)))
	picture := func() string { return string(ask(t, http.MethodGet, r.base+"/s/a.jpg?f=json").body) }
	if got := picture(); !strings.Contains(got, `"width":20`) {
		t.Fatal(got)
	}
	if err := r.Node.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.change(t, config(""))
	ask(t, http.MethodGet, r.base+"/s/a.jpg?f=json").wantCode(t, http.StatusNotFound, "unknown_source")
	r.change(t, config(at(large)))
	if got := picture(); !strings.Contains(got, `"width":40`) {
		t.Errorf("after it came back elsewhere: %s, want the other folder's picture", got)
	}
}

// The process itself reloads on SIGHUP, and within seconds when its file changes.
func TestServeReloads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "edge.yaml")
	config := func(secret string) []byte {
		return fmt.Appendf(nil, "sources: {local: {dir: %q, keys: [{id: k, secret: %s}]}}\nshutdown: {delay: 0}\n", photos(t), secret)
	}
	write := func(secret string) {
		t.Helper()
		if err := os.WriteFile(file, config(secret), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(testKey)
	c := startChildOn(t, file)
	secret, err := signing.ParseSecret(testKey)
	if err != nil {
		t.Fatal(err)
	}
	target, err := signing.Key{Secret: secret}.SignTarget("/local/a.jpg?w=32")
	if err != nil {
		t.Fatal(err)
	}
	if got := statusOf(c.base + target); got != http.StatusOK {
		t.Fatalf("before: %d", got)
	}
	write(otherKey)
	began := time.Now()
	eventually(t, "the changed file is in force", func() bool { return statusOf(c.base+target) == http.StatusForbidden })
	t.Logf("noticed after %v", time.Since(began).Round(time.Millisecond))
	write(testKey)
	c.signal(t, syscall.SIGHUP)
	eventually(t, "SIGHUP puts the file in force", func() bool { return statusOf(c.base+target) == http.StatusOK })
}
