package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/resize"
)

// run is one run of the command line in this process.
func run(t *testing.T, environ []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	p := &Program{Environ: environ, Stdout: &out, Stderr: &errs}
	code = p.Run(t.Context(), args)
	return out.String(), errs.String(), code
}

func TestUsage(t *testing.T) {
	for _, row := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"no command", nil, exitUsage, "", "Usage: edge <command>"},
		{"help", []string{"--help"}, exitOK, "Usage: edge <command>", ""},
		{"help of a command", []string{"sign", "--help"}, exitOK, "Print signed URLs", ""},
		{"unknown command", []string{"frobnicate"}, exitUsage, "", "unexpected argument frobnicate"},
		{"unknown flag", []string{"serve", "--nope"}, exitUsage, "", "unknown flag --nope"},
		{"missing argument", []string{"sign"}, exitUsage, "", "target"},
		{"nothing to serve", []string{"serve"}, exitUsage, "", "nothing to serve"},
		{"no such folder", []string{"serve", "--dir", "/nowhere/at/all"}, exitUsage, "", "is no folder"},
		{"missing configuration", []string{"config", "check", "--config", "/nowhere/edge.yaml"}, exitUsage, "", "no such file"},
		{"version", []string{"version"}, exitOK, "libvips 8.", ""},
		{"purge of nothing", []string{"purge"}, exitUsage, "", "say what to purge"},
		{"purge of two things", []string{"purge", "--all", "--tag", "x"}, exitUsage, "", "say what to purge"},
		{"direct purge without a Redis", []string{"purge", "--all", "--direct"}, exitUsage, "", "no Redis"},
	} {
		stdout, stderr, code := run(t, nil, row.args...)
		if code != row.code || !strings.Contains(stdout, row.stdout) || !strings.Contains(stderr, row.stderr) || row.stderr == "" && stderr != "" {
			t.Errorf("%s: edge %v: exit %d, stdout %q, stderr %q; want exit %d", row.name, row.args, code, stdout, stderr, row.code)
		}
	}
}

func TestConfigCommand(t *testing.T) {
	file := writeConfig(t, "listen: nowhere\ncahce: {}\n")
	_, stderr, code := run(t, nil, "config", "check", "--config", file)
	if want := "edge.yaml:1: listen: \"nowhere\" is no address; write host:port, as in 127.0.0.1:8080 or :8080\nedge.yaml:2: cahce: is no setting; did you mean \"cache\"?\n"; code != exitUsage || stderr != want {
		t.Errorf("exit %d, stderr %q, want exit 2, %q", code, stderr, want)
	}
	if err := os.WriteFile(file, []byte("admin: {debug_token: hunter2hunter2hunter2}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := run(t, []string{"EDGE_CONFIG=" + file, "EDGE_TYPO=1"}, "config", "check")
	if code != exitOK || !strings.Contains(stdout, "is good") || !strings.Contains(stdout, "EDGE_TYPO names no setting") {
		t.Errorf("exit %d, %q %q", code, stdout, stderr)
	}
	stdout, _, code = run(t, []string{"EDGE_CONFIG=" + file}, "config", "show")
	if code != exitOK || strings.Contains(stdout, "hunter2") || !strings.Contains(stdout, "stale_if_error: 168h") {
		t.Errorf("exit %d, %s", code, stdout)
	}
	stdout, _, code = run(t, nil, "config", "schema")
	if code != exitOK || !json.Valid([]byte(stdout)) {
		t.Errorf("exit %d, %s", code, stdout)
	}
}

func TestSignAndVerify(t *testing.T) {
	file := writeConfig(t, "sources:\n  shop: {dir: photos, keys: [{id: k1, secret: "+testKey+"}]}\n  open: {dir: photos, unsigned: true}\n")
	stdout, stderr, code := run(t, nil, "sign", "--config", file, "--base", "https://img.example/", "/shop/a.jpg?w=300", "/shop/b.jpg")
	lines := strings.Fields(stdout)
	if code != exitOK || len(lines) != 2 || !strings.HasPrefix(lines[0], "https://img.example/shop/a.jpg?w=300&s=") || !strings.HasPrefix(lines[1], "https://img.example/shop/b.jpg?s=") {
		t.Fatalf("exit %d, %q %q", code, stdout, stderr)
	}
	same, _, _ := run(t, nil, "sign", "--key", testKey, "https://img.example/shop/a.jpg?w=300")
	if strings.TrimSpace(same) != lines[0] {
		t.Errorf("with --key: %q, with the configuration %q", same, lines[0])
	}
	expired, _, _ := run(t, nil, "sign", "--key", testKey, "/shop/a.jpg?exp=1000000000")
	for _, row := range []struct {
		name   string
		args   []string
		code   int
		output string
	}{
		{"good", []string{"verify", "--config", file, lines[0]}, exitOK, "good\n"},
		{"good with a key", []string{"verify", "--key", testKey, lines[1]}, exitOK, "good\n"},
		{"changed", []string{"verify", "--key", testKey, strings.Replace(lines[0], "300", "301", 1)}, exitFailed, "bad signature"},
		{"padded", []string{"verify", "--key", testKey, lines[0] + "="}, exitFailed, "padded"},
		{"expired", []string{"verify", "--key", testKey, strings.TrimSpace(expired)}, exitFailed, "expired at 2001-09-09"},
		{"unknown source", []string{"verify", "--config", file, "/nowhere/a.jpg?s=x"}, exitFailed, "there is no source"},
		{"short key", []string{"sign", "--key", "00", "/a/b"}, exitUsage, "--key"},
		{"no target", []string{"sign", "--key", testKey, "shop/a.jpg"}, exitUsage, "neither a URL nor a target"},
		{"signed twice", []string{"sign", "--key", testKey, lines[0]}, exitFailed, "a.jpg"},
		{"unsigned source", []string{"sign", "--config", file, "/open/a.jpg"}, exitFailed, "takes no signatures"},
	} {
		stdout, stderr, code := run(t, nil, row.args...)
		if code != row.code || !strings.Contains(stdout+stderr, row.output) {
			t.Errorf("%s: exit %d, %q %q; want exit %d, %q", row.name, code, stdout, stderr, row.code, row.output)
		}
	}
}

func TestExplainCommand(t *testing.T) {
	dir := photos(t)
	file := writeConfig(t, localConfig(dir))
	signed, _, _ := run(t, nil, "sign", "--config", file, "/local/a.jpg?h=120&w=320")
	stdout, stderr, code := run(t, nil, "explain", "--config", file, "--accept", "image/webp", strings.TrimSpace(signed))
	for _, want := range []string{
		"source:     local\n", "key:        a.jpg\n", "signature:  good\n", "options:    w=320&h=120", "original:   jpeg 640 × 480", "result:     webp 160 × 120, quality 79",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("lacks %q:\n%s%s", want, stdout, stderr)
		}
	}
	if code != exitOK {
		t.Errorf("exit %d", code)
	}
	stdout, _, _ = run(t, nil, "explain", "--config", file, "/local/a.jpg?w=320&s=wrong")
	if !strings.Contains(stdout, "bad signature") || !strings.Contains(stdout, "result: ") {
		t.Errorf("a bad signature is not explained:\n%s", stdout)
	}
}

func TestConvertCommand(t *testing.T) {
	dir, out := photos(t), t.TempDir()
	in := filepath.Join(dir, "a.jpg")
	for name, want := range map[string]resize.Format{
		"a.webp": resize.FormatWebP, "a.jpg": resize.FormatJPEG, "a.png": resize.FormatPNG, "a.avif": resize.FormatAVIF, "a": resize.FormatJPEG,
	} {
		if stdout, stderr, code := run(t, nil, "convert", in, filepath.Join(out, name), "w=40"); code != exitOK {
			t.Errorf("%s: exit %d: %s%s", name, code, stdout, stderr)
			continue
		}
		data, err := os.ReadFile(filepath.Join(out, name))
		if err != nil || resize.Sniff(data) != want {
			t.Errorf("%s is %s, %v, want %s", name, resize.Sniff(data), err, want)
		}
	}
	for _, row := range []struct{ in, options, want string }{
		{in, "w=0", "w:"},
		{in, "exp=1", "exp"},
		{filepath.Join(dir, "text.jpg"), "", "not"},
		{filepath.Join(dir, "broken.jpg"), "w=10", "corrupt_image"},
		{filepath.Join(dir, "missing.jpg"), "", "no such file"},
	} {
		target := filepath.Join(out, "refused.jpg")
		_, stderr, code := run(t, nil, "convert", row.in, target, row.options)
		if code != exitFailed || !strings.Contains(stderr, row.want) {
			t.Errorf("convert %s %q: exit %d, %q, want %q", row.in, row.options, code, stderr, row.want)
		}
		if _, err := os.Stat(target); err == nil {
			t.Errorf("convert %s %q wrote a file", row.in, row.options)
		}
	}
	for name, format := range map[string]string{"out.xyz": "", "out.json": "", "out.heic": "", "named.xyz": "f=png", "out.tif": ""} {
		target := filepath.Join(out, name)
		_, stderr, code := run(t, nil, "convert", in, target, strings.TrimSuffix("w=10&"+format, "&"))
		want := exitUsage
		if format != "" || name == "out.tif" {
			want = exitOK
		}
		if _, err := os.Stat(target); code != want || (err == nil) != (want == exitOK) {
			t.Errorf("convert to %s with %q: exit %d, %q, file %v; want exit %d", name, format, code, stderr, err == nil, want)
		}
	}
}

func TestDoctorCommand(t *testing.T) {
	dir := photos(t)
	e := start(t, localConfig(dir))
	environ := []string{"EDGE_LISTEN=" + e.Public.Addr().String()}
	if _, stderr, code := run(t, environ, "doctor", "--live"); code != exitOK {
		t.Errorf("doctor --live beside a running server: exit %d: %s", code, stderr)
	}
	if _, _, code := run(t, []string{"EDGE_LISTEN=127.0.0.1:1"}, "doctor", "--live"); code != exitFailed {
		t.Errorf("doctor --live without a server: exit %d, want 1", code)
	}
	file := writeConfig(t, localConfig(dir))
	stdout, stderr, code := run(t, nil, "doctor", "--config", file)
	for _, want := range []string{"good  avif", "good  webp", "good  jpeg", "good  png", "good  gif", "good  source local", "good  redis", "good  fonts          DejaVu Sans", "faces          unsupported", "svg            could be drawn"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if code != exitOK {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	stdout, _, _ = run(t, []string{"EDGE_FORMATS_IN=jpeg,png,gif,webp,avif,svg"}, "doctor", "--config", file)
	if !strings.Contains(stdout, "good  svg            can be drawn") {
		t.Errorf("svg, opted into:\n%s", stdout)
	}
	stdout, _, code = run(t, []string{"EDGE_REDIS_URL=redis://:hunter2@127.0.0.1:1/0"}, "doctor", "--config", file)
	if code != exitFailed || !strings.Contains(stdout, "BAD   redis") || strings.Contains(stdout, "hunter2") {
		t.Errorf("with Redis away: exit %d:\n%s", code, stdout)
	}
}

func TestMemoryLimit(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	self := filepath.Join(root, "self")
	check := func(name string, want int64) {
		t.Helper()
		if got := cgroupMemory(root, self); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	check("nothing there", 0)
	write("memory/memory.limit_in_bytes", "9223372036854771712\n")
	check("version 1 without a limit", 0)
	write("memory/memory.limit_in_bytes", "3000000000\n")
	check("version 1", 3000000000)
	write("self", "12:pids:/x\n0::/pod/box\n")
	write("pod/box/memory.max", "max\n")
	check("version 2 without a limit", 3000000000)
	write("pod/memory.max", "2000000000\n")
	check("the parent's limit", 2000000000)
	write("pod/box/memory.max", "1000000000\n")
	check("the group's own limit", 1000000000)
	if got, want := heapLimit(4<<30, 512<<20), int64(4<<30-512<<20-slack); got != want {
		t.Errorf("heapLimit of 4 GiB: %d, want %d", got, want)
	}
	if got, want := heapLimit(512<<20, 512<<20), int64(256<<20); got != want {
		t.Errorf("heapLimit of 512 MiB: %d, want %d", got, want)
	}
}
