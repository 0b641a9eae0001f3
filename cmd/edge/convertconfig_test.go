package main

import (
	"bytes"
	"image"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/signing"
)

// guideVariable is a row of the guide's table of variables.
type guideVariable struct {
	line          int
	names         []string
	example, here string
	setting       string // "" = none
	verdict       string // same, different or absent
}

func guideVariables(t *testing.T) []guideVariable {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "migrate-imgproxy.md"))
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`([^`]*)`")
	inCode := func(cell string) (all []string) {
		for _, found := range code.FindAllStringSubmatch(cell, -1) {
			all = append(all, found[1])
		}
		return all
	}
	_, table, found := strings.Cut(string(text), "| variable | example | here | setting |\n|---|---|---|---|\n")
	if !found {
		t.Fatal("the guide has no table of variables")
	}
	var rows []guideVariable
	for i, line := range strings.Split(table, "\n") {
		if !strings.HasPrefix(line, "| ") {
			break
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 4 {
			t.Fatalf("row %d has %d cells: %s", i, len(cells), line)
		}
		verdict := regexp.MustCompile(`^(same|different: .|absent: .)`).FindString(cells[2])
		if verdict == "" {
			t.Fatalf("row %d: %q is neither same nor different: … nor absent: …", i, cells[2])
		}
		row := guideVariable{line: i, names: inCode(cells[0]), example: inCode(cells[1])[0], here: cells[2], setting: strings.Join(inCode(cells[3]), "")}
		row.verdict, _, _ = strings.Cut(verdict, ":")
		rows = append(rows, row)
	}
	return rows
}

// flat returns the settings of a conversion, each as path: value.
func (c *conversion) flat() []string {
	var all []string
	var walk func(m *yamlMapping, path string)
	walk = func(m *yamlMapping, path string) {
		for _, inner := range m.inner {
			at := path + inner.key
			if inner.value == "" {
				walk(inner, at+".")
				continue
			}
			all = append(all, at+": "+inner.value)
		}
	}
	walk(&c.root, "")
	walk(&c.mount, "dialects[].")
	return all
}

// convertOne converts one variable beside a folder, a bucket, a pair and what it needs.
func convertOne(t *testing.T, name, value string) *conversion {
	t.Helper()
	environ := map[string]string{
		"IMGPROXY_KEY": "736563726574", "IMGPROXY_SALT": "68656c6c6f", "IMGPROXY_PATH_PREFIX": "/i",
		"IMGPROXY_LOCAL_FILESYSTEM_ROOT": "photos", "IMGPROXY_USE_S3": "true", "IMGPROXY_S3_ALLOWED_BUCKETS": "shop",
	}
	switch name {
	case "IMGPROXY_AUTOQUALITY_TARGET":
		environ["IMGPROXY_AUTOQUALITY_METHOD"] = "dssim"
	case "IMGPROXY_ONLY_PRESETS":
		environ["IMGPROXY_PRESETS"] = "card=rs:fill:120:80"
	case "IMGPROXY_S3_ENDPOINT_USE_PATH_STYLE":
		environ["IMGPROXY_S3_ENDPOINT"] = "http://127.0.0.1:9000"
	case "IMGPROXY_CUSTOM_HEADERS_SEPARATOR":
		environ["IMGPROXY_CUSTOM_REQUEST_HEADERS"] = "X-A=1;X-B=2"
	}
	environ[name] = value
	var lines []string
	for name, value := range environ {
		lines = append(lines, name+"="+value)
	}
	slices.Sort(lines)
	c := newConversion(lines, "", nil)
	if name == "IMGPROXY_PRESETS_PATH" {
		c.add("IMGPROXY_PRESETS", "small=rs:fit:80:80", ",")
	}
	if err := c.run(); err != nil {
		t.Fatalf("%s=%s: %v", name, value, err)
	}
	return c
}

func says(remarks []remark, name string) bool {
	return slices.ContainsFunc(remarks, func(r remark) bool { return r.name == name && r.text != "" })
}

// Each variable of the guide is converted as the guide says, under each of its names, to what loads.
func TestConvertConfigVariables(t *testing.T) {
	rows := guideVariables(t)
	writeConfig(t, "")
	if err := os.Mkdir("marks", 0o755); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, row := range rows {
		listed[row.names[0]] = true
		for _, name := range row.names {
			name = strings.ReplaceAll(name, "*", "X")
			c := convertOne(t, name, row.example)
			checkVariable(t, row, name, c)
			if err := os.WriteFile("edge.yaml", []byte(c.text()), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Load("edge.yaml", nil, Overrides{}); err != nil {
				t.Errorf("%s=%s makes a configuration that does not load: %v\n%s", name, row.example, err, c.text())
			}
		}
	}
	for _, row := range imgproxyVariables() {
		if !listed[row.name] {
			t.Errorf("the guide does not list %s", row.name)
		}
		delete(listed, row.name)
	}
	for name := range listed {
		t.Errorf("the guide lists %s, which is not converted", name)
	}
}

func checkVariable(t *testing.T, row guideVariable, name string, c *conversion) {
	t.Helper()
	current := findVariable(name).name
	if strings.HasSuffix(current, "*") {
		current = name
	}
	if row.verdict == "absent" {
		if !says(c.lost, current) {
			t.Errorf("%s=%s is not listed as lost:\n%s", name, row.example, c.text())
		}
		return
	}
	if says(c.lost, current) {
		t.Errorf("%s=%s is listed as lost:\n%s", name, row.example, c.text())
	}
	if row.setting == "" {
		return
	}
	star := regexp.MustCompile(`^sources\.[^.]*\.`)
	for _, setting := range c.flat() {
		if setting == row.setting || star.ReplaceAllString(setting, "sources.*.") == row.setting {
			return
		}
	}
	t.Errorf("%s=%s does not set %s:\n%s", name, row.example, row.setting, c.text())
}

// What is printed serves imgproxy's URLs, and nothing else of the sources.
func TestConvertConfigServes(t *testing.T) {
	dir := photos(t)
	file := filepath.Join(t.TempDir(), "imgproxy.env")
	env := "# imgproxy\nROOT=" + dir + "\nIMGPROXY_LOCAL_FILESYSTEM_ROOT=\"$ROOT\"\nIMGPROXY_KEY='736563726574,6b657973'\nexport IMGPROXY_SALT=68656c6c6f,73616c74\n" +
		"IMGPROXY_PRESETS=card=rs:fill:120:80\nIMGPROXY_ENABLE_WEBP_DETECTION=true\nIMGPROXY_QUALITY=60\nIMGPROXY_TTL=3600\nIMGPROXY_SENTRY_DSN=x\n"
	if err := os.WriteFile(file, []byte(env), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := run(t, []string{"IMGPROXY_QUALITY=1"}, "convert-config", "--env-file", file, "--host", "127.0.0.1")
	if code != exitOK || stderr != "" || !strings.Contains(stdout, "#   IMGPROXY_SENTRY_DSN: errors are logged") || strings.Contains(stdout, "fq:jpeg:1\"") {
		t.Fatalf("exit %d, %q:\n%s", code, stderr, stdout)
	}
	e := start(t, stdout)
	second := signing.Imgproxy{Pairs: []signing.Salted{{Key: []byte("keys"), Salt: []byte("salt")}}}
	got := ask(t, http.MethodGet, e.base+second.SignPath("/pr:card/plain/local:///a.jpg"), "Accept", "image/webp")
	got.wantCode(t, http.StatusOK, "")
	if kind, age := got.Header.Get("Content-Type"), got.Header.Get("Cache-Control"); kind != "image/webp" || !strings.Contains(age, "max-age=3600") {
		t.Errorf("Content-Type %q, Cache-Control %q", kind, age)
	}
	got = ask(t, http.MethodGet, e.base+second.SignPath("/pr:card/plain/local:///a.jpg@jpg"))
	got.wantCode(t, http.StatusOK, "")
	if size, format, err := image.DecodeConfig(bytes.NewReader(got.body)); err != nil || format != "jpeg" || size.Width != 120 || size.Height != 80 {
		t.Errorf("got %s %d × %d, %v, want jpeg 120 × 80", format, size.Width, size.Height, err)
	}
	ask(t, http.MethodGet, e.base+"/wrong/plain/local:///a.jpg").wantCode(t, http.StatusForbidden, "bad_signature")
	local := strings.Replace(e.base, "127.0.0.1", "localhost", 1)
	ask(t, http.MethodGet, local+"/local/a.jpg").wantCode(t, http.StatusForbidden, "bad_signature")
}

func TestConvertConfigSources(t *testing.T) {
	for _, row := range []struct {
		name, allowed string
		settings      []string
		lost, differs bool
	}{
		{"everything", "", []string{`sources.web.http.allow: ["https://*/", "http://*/"]`, "dialects[].sources.https://: web", "dialects[].sources.local://: local", "sources.shop.bucket.name: shop"}, false, false},
		{"one server", "https://example.com", []string{`sources.web.http.allow: ["https://example.com/"]`}, false, false},
		{"any subdomain", "https://*.example.com/", []string{`sources.web.http.allow: ["https://*.example.com/"]`}, false, true},
		{"beginning of a folder", "https://example.com/im", []string{`sources.web.http.allow: ["https://example.com/im/"]`}, false, true},
		{"part of a label", "https://img*.example.com/,https://example.com/", []string{`sources.web.http.allow: ["https://example.com/"]`}, true, false},
		{"star in a path", "https://example.com/*/a/,http://a.test/", []string{`sources.web.http.allow: ["http://a.test/"]`, "dialects[].sources.http://: web"}, true, false},
		{"a folder", "local:///sub/", []string{"sources.local-sub.dir: \"photos/sub\"", "dialects[].sources.local:///sub/: local-sub"}, false, false},
		{"part of a bucket", "s3://my.bucket/img/", []string{`sources.my-bucket-img.bucket.prefix: "img/"`, "sources.my-bucket-img.bucket.path_style: true", "dialects[].sources.s3://my.bucket/img/: my-bucket-img"}, false, false},
		{"a bucket of a name that is taken", "s3://web/,https://a.test/,s3://metrics/", []string{"dialects[].sources.s3://web/: s3-web", "dialects[].sources.s3://metrics/: metrics-2"}, false, false},
		{"another cloud", "gs://x/,local://", []string{"sources.local.dir: photos"}, true, false},
	} {
		c := convertOne(t, "IMGPROXY_ALLOWED_SOURCES", row.allowed)
		flat := c.flat()
		for _, setting := range row.settings {
			if !slices.Contains(flat, setting) {
				t.Errorf("%s: lacks %s:\n%s", row.name, setting, strings.Join(flat, "\n"))
			}
		}
		if says(c.lost, "IMGPROXY_ALLOWED_SOURCES") != row.lost || says(c.different, "IMGPROXY_ALLOWED_SOURCES") != row.differs {
			t.Errorf("%s: lost %v, different %v", row.name, c.lost, c.different)
		}
	}
}

func TestConvertConfigPresets(t *testing.T) {
	c := convertOne(t, "IMGPROXY_PRESETS", "default=sh:1,good=w:10,bad=ra:nearest,worse=pr:bad/w:5")
	flat := c.flat()
	for _, want := range []string{`dialects[].presets.default: "da:1/sh:1"`, `dialects[].presets.good: "w:10"`} {
		if !slices.Contains(flat, want) {
			t.Errorf("lacks %s:\n%s", want, strings.Join(flat, "\n"))
		}
	}
	for _, left := range []string{"bad", "worse"} {
		if slices.ContainsFunc(flat, func(s string) bool { return strings.HasPrefix(s, "dialects[].presets."+left+":") }) || !strings.Contains(c.text(), `"`+left+`" is left out: `) {
			t.Errorf("%s is not left out:\n%s", left, c.text())
		}
	}
}

func TestConvertConfigRefuses(t *testing.T) {
	root := "IMGPROXY_LOCAL_FILESYSTEM_ROOT=photos"
	for _, row := range []struct {
		name    string
		environ []string
		args    []string
		code    int
		says    string
	}{
		{"keys without salts", []string{root, "IMGPROXY_KEY=00,11", "IMGPROXY_SALT=00"}, nil, exitFailed, "2 keys and 1 salts"},
		{"no hex", []string{root, "IMGPROXY_KEY=xy", "IMGPROXY_SALT=00"}, nil, exitFailed, "pair 1"},
		{"no number", []string{root, "IMGPROXY_WORKERS=many"}, nil, exitUsage, "IMGPROXY_WORKERS"},
		{"no source", []string{"IMGPROXY_ALLOWED_SOURCES=gs://x/"}, nil, exitFailed, "can be served"},
		{"no such file", nil, []string{"--env-file", "missing.env"}, exitFailed, "missing.env"},
		{"no such keys", nil, []string{"--keypath", "missing.keys"}, exitFailed, "missing.keys"},
	} {
		stdout, stderr, code := run(t, row.environ, append([]string{"convert-config"}, row.args...)...)
		if code != row.code || stdout != "" || !strings.Contains(stderr, row.says) {
			t.Errorf("%s: exit %d, %q, %q; want %d, %q", row.name, code, stdout, stderr, row.code, row.says)
		}
	}
}

// Keys and presets may lie in files, as imgproxy's flags name them.
func TestConvertConfigFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"keys": "6b6579\n\n", "salts": "73616c74\n", "presets": "# mine\nsmall=rs:fit:80:80\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stdout, stderr, code := run(t, []string{"IMGPROXY_KEY=00", "IMGPROXY_SALT=11", "HOME=x"}, "convert-config", "--keypath", "keys", "--saltpath", "salts", "--presets", "presets", "--bucket", "shop")
	for _, want := range []string{`{key: "00", salt: "11"}, {key: "6b6579", salt: "73616c74"}`, `small: "rs:fit:80:80"`, `prefix: "/imgproxy"`, "with --host NAME"} {
		if code != exitOK || !strings.Contains(strings.ReplaceAll(stdout, "prefix: /imgproxy", `prefix: "/imgproxy"`), want) {
			t.Errorf("exit %d, %q, lacks %s:\n%s", code, stderr, want, stdout)
		}
	}
}
