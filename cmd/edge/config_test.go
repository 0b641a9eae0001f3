package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
	"github.com/google/go-cmp/cmp"
)

const (
	examplePath = "../../edge.example.yaml"
	testKey     = "00112233445566778899aabbccddeeff"
)

// writeConfig writes a file into a folder of its own that also holds the folder "photos", goes there,
// and returns the file's name.
func writeConfig(t *testing.T, text string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.Mkdir("photos", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("edge.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return "edge.yaml"
}

func TestExampleLoadsAndTellsTheDefaults(t *testing.T) {
	text, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(writeConfig(t, string(text)), nil, Overrides{})
	if err != nil {
		t.Fatalf("the example does not load:\n%v", err)
	}
	shop := cfg.Sources["shop"]
	if got := shop.MaxAge.or(0); got != defaultMaxAge {
		t.Errorf("example's max_age is %v, the default %v", got, defaultMaxAge)
	}
	if got := shop.Timeout.or(0); got != defaultTimeout {
		t.Errorf("example's timeout is %v, the default %v", got, defaultTimeout)
	}
	if got := shop.Bucket.Region; got != defaultRegion {
		t.Errorf("example's region is %v, the default %v", got, defaultRegion)
	}
	for name, got := range map[string]*Duration{
		"fresh": shop.Fresh, "stale_while_revalidate": shop.Swr, "stale_if_error": shop.Sie, "negative": shop.Negative,
	} {
		want := map[string]Duration{
			"fresh": cfg.Cache.Fresh, "stale_while_revalidate": cfg.Cache.Swr, "stale_if_error": cfg.Cache.Sie, "negative": cfg.Cache.Negative,
		}[name]
		if *got != want {
			t.Errorf("example's %s is %v, the default %v", name, *got, want)
		}
	}
	// What the example calls an example has no default; the rest is the default.
	cfg.Sources, cfg.Presets, cfg.Tokens, cfg.Watermarks, cfg.Dialects = nil, nil, nil, nil, nil
	cfg.TrustProxies, cfg.files = nil, nil
	if diff := cmp.Diff(DefaultConfig(), *cfg, cmp.AllowUnexported(Config{})); diff != "" {
		t.Errorf("the example differs from the defaults (-default +example):\n%s", diff)
	}
}

func TestExampleShowsEverySetting(t *testing.T) {
	data, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, p := range places(file.Docs[0].Body, "") {
		shown[generic(p.path)] = true
	}
	for path := range settings(reflect.TypeFor[Config](), "") {
		name := path[strings.LastIndexByte(path, '.')+1:]
		if !shown[path] && !strings.Contains(string(data), "# "+name+": ") {
			t.Errorf("edge.example.yaml does not show %s", path)
		}
	}
}

func TestSchemaMatchesConfig(t *testing.T) {
	var root schema
	if err := json.Unmarshal(schemaJSON, &root); err != nil {
		t.Fatal(err)
	}
	want := settings(reflect.TypeFor[Config](), "")
	got := map[string]bool{}
	var walk func(s schema, path string)
	walk = func(s schema, path string) {
		if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
			s = root.Defs[name]
		}
		if path != "" {
			got[path] = true
		}
		for name, child := range s.Properties {
			walk(child, strings.TrimPrefix(path+"."+name, "."))
		}
		if s.AdditionalProperties != nil && len(s.Properties) == 0 {
			walk(*s.AdditionalProperties, path+".*")
		}
		if s.Items != nil && (s.Items.Ref != "" || len(s.Items.Properties) > 0) {
			walk(*s.Items, path+"[]")
		}
	}
	walk(root, "")
	for path := range want {
		if !got[path] {
			t.Errorf("edge.schema.json lacks %s", path)
		}
	}
	for path := range got {
		if !want[path] && !strings.HasSuffix(path, "*") && !strings.HasSuffix(path, "[]") {
			t.Errorf("edge.schema.json has %s, which is no setting", path)
		}
	}
}

func TestSchemaDefaultsMatchConfig(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(schemaJSON, &root); err != nil {
		t.Fatal(err)
	}
	data, err := yaml.Marshal(DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	var defaults map[string]any
	if err := yaml.UnmarshalWithOptions(data, &defaults); err != nil {
		t.Fatal(err)
	}
	delete(defaults, "sources")
	var walk func(s map[string]any, value any, path string)
	walk = func(s map[string]any, value any, path string) {
		properties, _ := s["properties"].(map[string]any)
		for name, child := range properties {
			if nested, ok := value.(map[string]any); ok {
				walk(child.(map[string]any), nested[name], path+"."+name)
			}
		}
		if want, ok := s["default"]; ok {
			w, _ := json.Marshal(want)
			g, _ := json.Marshal(value)
			if string(w) != string(g) {
				t.Errorf("schema's default of %s is %s, the code's %s", path, w, g)
			}
		}
	}
	walk(root, defaults, "")
}

// settings lists every path of the configuration; maps are *, lists [].
func settings(t reflect.Type, path string) map[string]bool {
	all := map[string]bool{}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return all
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("yaml")
		if name == "" {
			continue
		}
		child := strings.TrimPrefix(path+"."+name, ".")
		all[child] = true
		ft := f.Type
		switch ft.Kind() {
		case reflect.Map:
			child, ft = child+".*", ft.Elem()
		case reflect.Slice:
			child, ft = child+"[]", ft.Elem()
		}
		for p := range settings(ft, child) {
			all[p] = true
		}
	}
	return all
}

// generic turns sources.shop.keys[0].id into sources.*.keys[].id.
func generic(path string) string {
	parts := strings.Split(path, ".")
	for i, p := range parts {
		if cut := strings.IndexByte(p, '['); cut >= 0 {
			parts[i] = p[:cut] + "[]"
		}
	}
	if len(parts) > 1 && (parts[0] == "sources" || parts[0] == "presets" || parts[0] == "watermarks") {
		parts[1] = "*"
	}
	return strings.Join(parts, ".")
}

func TestLoadReportsEveryProblemWithItsLine(t *testing.T) {
	file := writeConfig(t, `listen: 8080
cahce:
  memory: 1GiB
admin: {listen: "0.0.0.0:8081", debug_token: short}
cache:
  memory: 512
  fresh: 1 day
  redis: {timeuot: 50ms, max_item: -4MiB}
  ladder: heights
  bucket: {source: x}
sources:
  v1: {dir: photos, unsigned: true}
  Shop: {dir: photos, unsigned: true}
  none: {unsigned: true}
  both:
    dir: photos
    bucket: {endpoint: "http://127.0.0.1:9000", name: photos}
    keys:
      - {id: k1, secret: "0011"}
      - {id: k1, secret: "zz"}
  open: {dir: photos}
  gone: {dir: nowhere, unsigned: true}
  http:
    http: {allow: ["https://a.example.com"]}
    unsigned: true
    widths: [0, 20000]
    presets: [missing]
    accept: [webp, bmp]
    fallback: nowhere/x.png
    max_age: -1h
  headers: {http: {base: "https://a.example", headers: {Range: x}}, unsigned: true}
  bucket: {bucket: {endpoint: "http://127.0.0.1:9000", name: A}, unsigned: true}
limits: {source_pixels: many, frames: -1, queue: 1.5}
render: {isolation: jail, workers: -1, recycle_after: -1, worker_memory: 1MiB}
tokens: [{name: a, secret: short, scopes: [root]}]
trust_proxies: [nonsense]
rate_limit: {by: moon}
log: {level: loud}
formats_in: [jpeg, pdf, exe]
shutdown: {timeout: 0}
`)
	_, err := Load(file, nil, Overrides{})
	var problems ConfigErrors
	if !errors.As(err, &problems) {
		t.Fatalf("Load = %v, want ConfigErrors", err)
	}
	got := problems.Error()
	for _, want := range []string{
		`edge.yaml:1: listen: "8080" is no address`,
		`edge.yaml:2: cahce: is no setting; did you mean "cache"?`,
		`edge.yaml:4: admin.listen: 0.0.0.0:8081 can be reached from elsewhere`,
		`edge.yaml:4: admin.debug_token: has 5 characters`,
		`edge.yaml:6: cache.memory: "512" is no size`,
		`edge.yaml:7: cache.fresh: "1 day" is no duration`,
		`edge.yaml:8: cache.redis.timeuot: is no setting; did you mean "timeout"?`,
		`edge.yaml:8: cache.redis.max_item: "-4MiB" is no size`,
		`edge.yaml:9: cache.ladder: "heights" is none of off, widths`,
		`edge.yaml:10: cache.bucket: is not available yet`,
		`edge.yaml:12: sources.v1: the name is reserved`,
		`edge.yaml:13: sources.Shop: a source's name`,
		`edge.yaml:14: sources.none: has 0 places of originals`,
		`edge.yaml:15: sources.both: has 2 places of originals`,
		`edge.yaml:19: sources.both.keys[0].secret: 4 characters that are no key; a key is 16 to 64 bytes`,
		`edge.yaml:20: sources.both.keys[1].id: each key needs a name of its own`,
		`edge.yaml:20: sources.both.keys[1].secret: 2 characters that are no key`,
		`edge.yaml:21: sources.open: has no keys`,
		`edge.yaml:22: sources.gone.dir: "nowhere" is no folder`,
		`edge.yaml:24: sources.http.http.allow[0]: "https://a.example.com" is no pattern`,
		`edge.yaml:26: sources.http.widths[0]: 0 is not within 1–16384`,
		`edge.yaml:26: sources.http.widths[1]: 20000 is not within 1–16384`,
		`edge.yaml:27: sources.http.presets[0]: there is no preset "missing"`,
		`edge.yaml:28: sources.http.accept[1]: "bmp" is none of avif, webp, jxl`,
		`edge.yaml:29: sources.http.fallback: "nowhere/x.png" is no source/key`,
		`edge.yaml:30: sources.http.max_age: -1h is less than 0`,
		`edge.yaml:31: sources.headers.http: headers: Range cannot be set`,
		`edge.yaml:32: sources.bucket.bucket: name: `,
		`edge.yaml:33: limits.source_pixels: takes a whole number`,
		`edge.yaml:33: limits.frames: has to be more than 0`,
		`edge.yaml:33: limits.queue: takes a whole number`,
		`edge.yaml:34: render.isolation: "jail" is none of process, none`,
		`edge.yaml:34: render.recycle_after: -1 is not within`,
		`edge.yaml:34: render.worker_memory: 1MiB is less than a worker needs`,
		`edge.yaml:34: render.workers: -1 is not within 0–1024`,
		`edge.yaml:35: tokens[0].secret: has 5 characters`,
		`edge.yaml:35: tokens[0].scopes[0]: "root" is none of`,
		`edge.yaml:36: trust_proxies[0]: "nonsense" is no network`,
		`edge.yaml:37: rate_limit.by: "moon" is none of`,
		`edge.yaml:38: log.level: "loud" is none of`,
		`edge.yaml:39: formats_in[1]: pdf is not available yet`,
		`edge.yaml:39: formats_in[2]: "exe" is none of`,
		`edge.yaml:40: shutdown.timeout: has to be more than 0`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("problems lack %q", want)
		}
	}
	if want := 43; len(problems) != want {
		t.Errorf("%d problems, want %d", len(problems), want)
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestLoadRefusesLaterSettingsByName(t *testing.T) {
	_, err := Load(writeConfig(t, "cache: {bucket: {}}\n"), nil, Overrides{})
	if want := "edge.yaml:1: cache.bucket: is not available yet"; err == nil || err.Error() != want {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestPriorityIsFlagEnvironmentFileDefault(t *testing.T) {
	const text = "listen: 127.0.0.1:1\nadmin: {listen: 127.0.0.1:2}\ncache: {memory: 3MiB}\n"
	environ := []string{"EDGE_LISTEN=127.0.0.1:11", "EDGE_ADMIN_LISTEN=127.0.0.1:12", "EDGE_LOG_LEVEL=debug"}
	cfg, err := Load(writeConfig(t, text), environ, Overrides{Listen: "127.0.0.1:21"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, got, want string }{
		{"flag over environment", cfg.Listen, "127.0.0.1:21"},
		{"environment over file", cfg.Admin.Listen, "127.0.0.1:12"},
		{"file over default", cfg.Cache.Memory.String(), "3MiB"},
		{"environment over default", cfg.Log.Level, "debug"},
		{"default", cfg.Limits.SourceBytes.String(), "64MiB"},
	} {
		if row.got != row.want {
			t.Errorf("%s: %s, want %s", row.name, row.got, row.want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	file := writeConfig(t, "sources:\n  my-shop:\n    dir: photos\n    keys: [{id: k1, secret: "+testKey+"}]\n")
	if err := os.WriteFile("redis_url", []byte(" redis://u:p@127.0.0.1:1/2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(file, []string{
		"EDGE_REDIS_URL_FILE=redis_url",
		"EDGE_CACHE_STALE_IF_ERROR=7d",
		"EDGE_LIMITS_SOURCE_BYTES=20MB",
		"EDGE_FORMATS_IN=jpeg,png",
		"EDGE_TIMING=true",
		"EDGE_SOURCES_MY_SHOP_MAX_AGE=1h",
		"EDGE_SOURCES_MY_SHOP_WIDTHS=100,200",
		"EDGE_SOURCES_MY_SHOP_KEYS_1_ID=k2",
		"EDGE_SOURCES_MY_SHOP_KEYS_1_SECRET=" + testKey,
		"EDGE_TOKENS_0_NAME=cms", "EDGE_TOKENS_0_SECRET=0123456789abcdef", "EDGE_TOKENS_0_SCOPES=sign,purge",
		"EDGE_LSITEN=:1",
		"EDGE_REDIS_SERVICE_HOST=10.0.0.1", "EDGE_REDIS_PORT_6379_TCP=tcp://10.0.0.1:6379",
		"OTHER=1",
	}, Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	shop := cfg.Sources["my-shop"]
	got := []any{
		string(cfg.Redis.URL), cfg.Cache.Sie.String(), int64(cfg.Limits.SourceBytes), cfg.FormatsIn, cfg.Timing,
		shop.MaxAge.or(0), shop.Widths, len(shop.Keys), shop.Keys[0].ID, shop.Keys[1].ID, cfg.Tokens[0].Scopes, cfg.unknownVariables,
	}
	want := []any{
		"redis://u:p@127.0.0.1:1/2", "168h", int64(20_000_000),
		[]string{"jpeg", "png"},
		true,
		time.Hour,
		[]int{100, 200},
		2, "k1", "k2",
		[]string{"sign", "purge"},
		[]string{"EDGE_LSITEN"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestEnvironmentErrorsNameTheVariable(t *testing.T) {
	file := writeConfig(t, "sources: {a: {dir: photos, unsigned: true}}\n")
	_, err := Load(file, []string{
		"EDGE_CACHE_MEMORY=lots", "EDGE_LIMITS_FRAMES=x", "EDGE_TIMING=perhaps", "EDGE_SOURCES_A_TIMEOUT=5",
		"EDGE_LISTEN=nowhere", "EDGE_ADMIN_DEBUG_TOKEN_FILE=missing",
	}, Overrides{})
	if err == nil {
		t.Fatal("Load took it")
	}
	for _, want := range []string{
		`EDGE_CACHE_MEMORY: "lots" is no size`,
		`EDGE_LIMITS_FRAMES: "x" is no whole number`,
		`EDGE_TIMING: "perhaps" is neither true nor false`,
		`EDGE_SOURCES_A_TIMEOUT: "5" is no duration`,
		`EDGE_LISTEN: listen: "nowhere" is no address`,
		`EDGE_ADMIN_DEBUG_TOKEN_FILE: admin.debug_token_file: open missing`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
}

func TestSecretsFromFiles(t *testing.T) {
	file := writeConfig(t, "sources:\n  a:\n    dir: photos\n    keys:\n      - {id: k1, secret_file: key}\n")
	if err := os.WriteFile("key", []byte(testKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(file, nil, Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(cfg.Sources["a"].Keys[0].Secret); got != testKey {
		t.Errorf("secret %q, want the file's", got)
	}
	file = writeConfig(t, "admin: {debug_token: a, debug_token_file: b}\n")
	if _, err := Load(file, nil, Overrides{}); err == nil || !strings.Contains(err.Error(), "edge.yaml:1: admin.debug_token: is given twice") {
		t.Errorf("both forms: %v", err)
	}
	if err := os.WriteFile("b", []byte("fedcba9876543210"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("edge.yaml", []byte("admin: {debug_token: 0123456789abcdef}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err = Load("edge.yaml", []string{"EDGE_ADMIN_DEBUG_TOKEN_FILE=b"}, Overrides{})
	if err != nil || cfg.Admin.DebugToken != "fedcba9876543210" {
		t.Errorf("environment's file over the file's value: %q, %v", string(cfg.Admin.DebugToken), err)
	}
}

func TestShowHidesSecrets(t *testing.T) {
	file := writeConfig(t, `redis: {url: "redis://user:hunter2@127.0.0.1:6379/0"}
admin: {debug_token: hunter2hunter2hunter2}
tokens: [{name: a, secret: hunter2hunter2hunter2, scopes: [sign]}]
sources:
  a: {dir: photos, keys: [{id: k1, secret: `+testKey+`}]}
  b: {bucket: {endpoint: "http://127.0.0.1:1", name: photos, access_key: hunter2, secret_key: hunter2}, unsigned: true}
  c: {http: {base: "https://a.example/", headers: {Authorization: hunter2}}, unsigned: true}
`)
	cfg, err := Load(file, nil, Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := yaml.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "hunter2") || strings.Contains(string(data), testKey) {
		t.Errorf("a secret is shown:\n%s", data)
	}
	if !strings.Contains(string(data), "redis://user:(hidden)@127.0.0.1:6379/0") {
		t.Errorf("the address of Redis is not shown:\n%s", data)
	}
}

func TestFlagsAddTheLocalSource(t *testing.T) {
	file := writeConfig(t, "sources: {a: {dir: photos, unsigned: true}}\n")
	cfg, err := Load(file, nil, Overrides{Dir: "photos", Key: testKey})
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Sources["local"]; got == nil || got.Dir != "photos" || string(got.Keys[0].Secret) != testKey {
		t.Errorf("local = %+v", got)
	}
	for _, row := range []struct {
		name  string
		flags Overrides
		want  string
	}{
		{"no folder", Overrides{Dir: "nowhere", Key: testKey}, `--dir: sources.local.dir: "nowhere" is no folder`},
		{"bad key", Overrides{Dir: "photos", Key: "00"}, `--key: sources.local.keys[0].secret: 2 characters that are no key`},
		{"key alone", Overrides{Key: testKey}, `--key: signs the source of --dir`},
		{"bad address", Overrides{Listen: "x"}, `--listen: listen: "x" is no address`},
		{"bad redis", Overrides{Redis: "http://x"}, `--redis: redis.url: `},
	} {
		if _, err := Load(file, nil, row.flags); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
	}
}

func TestOddFiles(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"comment only", "# nothing\n", ""},
		{"a list", "- a\n", "is no mapping"},
		{"a word", "hello\n", "is no mapping"},
		{"two documents", "timing: true\n---\ntiming: false\n", "more than one YAML document"},
		{"broken", "listen: [\n", "edge.yaml:1: "},
		{"twice", "timing: true\ntiming: false\n", "edge.yaml:2: "},
		{"empty source", "sources:\n  a:\n", "edge.yaml:2: sources.a: is empty"},
		{"scalar for a mapping", "cache: lots\n", "edge.yaml:1: cache: takes a mapping"},
		{"mapping for a scalar", "cache: {memory: {a: 1}}\n", "edge.yaml:1: cache.memory: takes a single value"},
	} {
		_, err := Load(writeConfig(t, row.text), nil, Overrides{})
		if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
	}
	var usage usageError
	if _, err := Load(filepath.Join(t.TempDir(), "missing.yaml"), nil, Overrides{}); !errors.As(err, &usage) {
		t.Errorf("missing file: %v, want bad usage", err)
	}
}

func TestUnits(t *testing.T) {
	for text, want := range map[string]Size{
		"0": 0, "1B": 1, "512MiB": 512 << 20, "20MB": 20e6, "1.5KiB": 1536, "2 GiB": 2 << 30, "7kB": 7000,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "512", "MiB", "-1MiB", "1XB", "1e400GB", "NaNB", "InfMB"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q) = %d, want an error", text, got)
		}
	}
	for text, want := range map[string]time.Duration{
		"0": 0, "50ms": 50 * time.Millisecond, "30d": 720 * time.Hour, "1d12h": 36 * time.Hour, "1h30m": 90 * time.Minute, "0.5d": 12 * time.Hour,
	} {
		if got, err := ParseDuration(text); err != nil || time.Duration(got) != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "10", "d", "1 day", "99999999d", "x"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", text, got)
		}
	}
	for d, want := range map[time.Duration]string{24 * time.Hour: "24h", 90 * time.Minute: "1h30m", 50 * time.Millisecond: "50ms", 0: "0s"} {
		if got := Duration(d).String(); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}

// A key of digits alone looks like a number to YAML.
func TestKeysOfDigitsStayText(t *testing.T) {
	for _, key := range []string{"12345678901234567890123456789012", "00112233445566778899001122334455", "123456789012345678901234567890e2"} {
		cfg, err := Load(writeConfig(t, "sources: {a: {dir: photos, keys: [{id: 1, secret: "+key+"}]}}\n"), nil, Overrides{})
		if err != nil {
			t.Errorf("%s: %v", key, err)
		} else if got := string(cfg.Sources["a"].Keys[0].Secret); got != key {
			t.Errorf("%s is read as %s", key, got)
		}
	}
}
