package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imgedge/imgedge/internal/testpeer"
	"github.com/imgedge/imgedge/signing"
)

// canaries are secrets that are like no other text, by the place where the configuration has them.
type canaries map[string]string

// text returns a secret that is text.
func (c canaries) text(place string) string {
	c[place] = "canary-" + place + "-Zq7+/x"
	return c[place]
}

// hex returns a secret that is a key in hex.
func (c canaries) hex(place string) string {
	key := make([]byte, 32)
	copy(key, "canary:"+place)
	c[place] = hex.EncodeToString(key)
	return c[place]
}

// spellings are the ways in which a secret could be printed.
func spellingsOf(secret string) map[string]string {
	all := map[string]string{}
	note := func(kind string, raw []byte) {
		all[kind] = string(raw)
		all[kind+" in hex"] = hex.EncodeToString(raw)
		all[kind+" in HEX"] = strings.ToUpper(hex.EncodeToString(raw))
		all[kind+" in base64"] = base64.RawStdEncoding.EncodeToString(raw)
		all[kind+" in base64url"] = base64.RawURLEncoding.EncodeToString(raw)
		all[kind+" escaped"] = url.QueryEscape(string(raw))
		all[kind+" in a path"] = url.PathEscape(string(raw))
		all[kind+" as bytes"] = strings.Trim(fmt.Sprintf("%d", raw), "[]")
	}
	note("text", []byte(secret))
	if raw, err := hex.DecodeString(secret); err == nil {
		note("key", bytes.TrimRight(raw, "\x00"))
	}
	return all
}

// absent fails for each secret that text shows.
func (c canaries) absent(t *testing.T, where, text string) {
	t.Helper()
	for place, secret := range c {
		for kind, spelt := range spellingsOf(secret) {
			if i := strings.Index(text, spelt); i >= 0 {
				t.Errorf("%s shows the secret of %s (%s): …%.200s", where, place, kind, text[max(0, i-100):])
				break
			}
		}
	}
}

// config has a canary wherever a secret may stand.
func (c canaries) config(t *testing.T, dir, down string) string {
	t.Helper()
	return fmt.Sprintf(`admin: {debug_token: %q}
redis: {url: "redis://user:%s@%s/0", queue_url: "redis://user:%s@%s/1"}
sources:
  local: {dir: %q, keys: [{id: k1, secret: %s}]}
  bucket: {bucket: {endpoint: "http://%s", name: pictures, access_key: %q, secret_key: %q}, unsigned: true, free: true}
  web: {http: {base: "http://%s/", headers: {Authorization: %q, Cookie: %q}, allow_networks: [127.0.0.0/8]}, unsigned: true, free: true}
dialects:
  - {dialect: imgproxy, prefix: /i, sources: {"local:///": local}, keys: [{key: %s, salt: %s}], source_key: %s, trusted_signatures: [%q]}
  - {dialect: thumbor, prefix: /t, source: local, key: %q}
tokens: [{name: cms, secret: %q, scopes: [admin]}]
webhooks: {secret: %q}
log: {level: debug, format: json}
shutdown: {delay: 0}
`,
		c.text("debug"), url.QueryEscape(c.text("redis")), down, url.QueryEscape(c.text("queue")), down,
		dir, c.hex("native"), down, c.text("access"), c.text("bucket"), down, c.text("header"), c.text("cookie"),
		c.hex("imgproxy-key"), c.hex("imgproxy-salt"), c.hex("imgproxy-source"), strings.NewReplacer("/", "_", "+", "_").Replace(c.text("trusted")),
		c.text("thumbor"), c.text("token"), c.text("webhook"))
}

// newCanaries returns the secrets and the file that holds them.
func newCanaries(t *testing.T) (c canaries, file string) {
	t.Helper()
	c, file = canaries{}, filepath.Join(t.TempDir(), "edge.yaml")
	text := c.config(t, photos(t), testpeer.FreePort(t))
	c["trusted"] = strings.NewReplacer("/", "_", "+", "_").Replace(c["trusted"])
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return c, file
}

// Whatever a command is asked, it prints no secret, right or wrong.
func TestCommandsShowNoSecret(t *testing.T) {
	c, file := newCanaries(t)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := signing.ParseSecret(c["native"])
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signing.Key{Secret: secret}.SignTarget("/local/a.jpg?w=32")
	if err != nil {
		t.Fatal(err)
	}
	picture := filepath.Join(t.TempDir(), "out.png")
	for _, args := range [][]string{
		{"config", "show"},
		{"config", "check"},
		{"doctor"},
		{"doctor", "--live"},
		{"explain", signed},
		{"explain", "/local/a.jpg?w=32&s=wrong"},
		{"explain", "/web/a.jpg?w=1"},
		{"explain", "/bucket/a.jpg?w=1"},
		{"explain", "/i/x/plain/local:///a.jpg"},
		{"explain", "/t/x/10x10/a.jpg"},
		{"sign", "/local/a.jpg?w=32"},
		{"sign", "/i/plain/local:///a.jpg"},
		{"sign", "/t/10x10/a.jpg"},
		{"sign", "/web/a.jpg"},
		{"verify", signed},
		{"verify", "/local/a.jpg?w=32&s=wrong"},
		{"verify", "/i/x/plain/local:///a.jpg"},
		{"verify", "/t/x/10x10/a.jpg"},
		{"purge", "--all"},
		{"purge", "--all", "--direct"},
		{"purge", "--all", "--server", "http://127.0.0.1:1/"},
	} {
		stdout, stderr, _ := run(t, nil, append(args, "--config", file)...)
		c.absent(t, strings.Join(args, " "), stdout+stderr)
	}
	stdout, stderr, _ := run(t, nil, "convert", filepath.Join(filepath.Dir(picture), "none.jpg"), picture, "--config", file)
	c.absent(t, "convert", stdout+stderr)

	// Each line of the file broken in some way, the secrets where they were.
	lines := strings.Split(strings.TrimRight(string(good), "\n"), "\n")
	for i := range lines {
		for _, broken := range []string{lines[i] + "}", lines[i] + " {", strings.Replace(lines[i], ": ", ": [", 1), strings.Replace(lines[i], "secret", "secrte", 1), strings.Replace(lines[i], "key", "kye", 2), strings.ReplaceAll(lines[i], "\"", "")} {
			text := strings.Join(append(append(append([]string{}, lines[:i]...), broken), lines[i+1:]...), "\n")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			stdout, stderr, _ := run(t, nil, "config", "check", "--config", file)
			c.absent(t, "config check of "+fmt.Sprintf("line %d", i+1), stdout+stderr)
		}
	}
	// Secrets where others should be, in variables.
	if err := os.WriteFile(file, good, 0o600); err != nil {
		t.Fatal(err)
	}
	environ := []string{
		"EDGE_REDIS_URL=http://" + c["redis"], "EDGE_SOURCES_LOCAL_KEYS_0_SECRET=" + c["token"], "EDGE_DIALECTS_0_KEYS_0_KEY=" + c["thumbor"],
		"EDGE_ADMIN_DEBUG_TOKEN_FILE=/nowhere", "EDGE_TOKENS_0_SECRET=" + c["webhook"][:9], "AWS_SECRET_ACCESS_KEY=" + c["bucket"],
	}
	for _, args := range [][]string{{"config", "check"}, {"config", "show"}, {"serve"}} {
		stdout, stderr, _ := run(t, environ, append(args, "--config", file)...)
		c.absent(t, strings.Join(args, " ")+" with variables", stdout+stderr)
	}
}

// A server at its most talkative, well treated, badly treated and broken off, shows no secret.
func TestServeShowsNoSecret(t *testing.T) {
	c, file := newCanaries(t)
	logs := filepath.Join(t.TempDir(), "log")
	child := startChildLogging(t, file, logs)
	admin := strings.Fields(child.line(t, "edge: admin on "))[3]

	secret, err := signing.ParseSecret(c["native"])
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signing.Key{Secret: secret}.SignTarget("/local/a.jpg?w=32")
	if err != nil {
		t.Fatal(err)
	}
	debug, bearer := "Imgedge-Debug: "+c["debug"], "Authorization: Bearer "+c["token"]
	trusted := "/i/" + url.PathEscape(c["trusted"])
	for _, request := range []struct{ base, method, target, body string }{
		{child.base, "GET", signed, ""},
		{child.base, "GET", "/local/a.jpg?w=32&s=wrong", ""},
		{child.base, "GET", "/local/broken.jpg?w=32&s=wrong", ""},
		{child.base, "GET", "/bucket/a.jpg?w=32", ""},
		{child.base, "GET", "/web/a.jpg?w=32", ""},
		{child.base, "GET", trusted + "/rs:fit:20:20/plain/local:///a.jpg@png", ""},
		{child.base, "GET", "/i/info/" + url.PathEscape(c["trusted"]) + "/plain/local:///a.jpg", ""},
		{child.base, "POST", trusted + "/plain/local:///a.jpg", ""},
		{child.base, "GET", "/i/wrong/plain/local:///a.jpg", ""},
		{child.base, "GET", "/t/wrong/20x20/a.jpg", ""},
		{child.base, "GET", "/v1/openapi.json", ""},
		{child.base, "POST", "/v1/sign", `{"source":"local","key":"a.jpg","options":"w=3"}`},
		{child.base, "POST", "/v1/sign", `{"url":1}`},
		{child.base, "POST", "/v1/explain", `{"url":"/local/a.jpg?w=32&s=wrong"}`},
		{child.base, "POST", "/v1/explain", `{"url":"/i/wrong/plain/local:///a.jpg"}`},
		{child.base, "POST", "/v1/purge", `{"all":true}`},
		{child.base, "POST", "/v1/warm", `{"urls":["/local/a.jpg"]}`},
		{child.base, "POST", "/v1/jobs", `{}`},
		{child.base, "GET", "/readyz", ""},
		{admin, "GET", "/", ""},
		{admin, "GET", "/metrics", ""},
		{admin, "GET", "/debug/pprof/", ""},
		{admin, "GET", "/debug/pprof/cmdline", ""},
		{admin, "GET", "/debug/pprof/goroutine?debug=2", ""},
		{admin, "GET", "/debug/pprof/heap?debug=1", ""},
	} {
		answer := rawAnswer(t, request.base, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n%s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
			request.method, request.target, debug, bearer, len(request.body), request.body))
		if answer == "" {
			t.Errorf("%s %s is not answered", request.method, request.target)
		}
		c.absent(t, request.method+" "+request.target, answer)
	}
	for _, malformed := range []string{
		"GET / HTTP/1.1\r\n" + bearer + "\r\n broken\x00: header\r\n\r\n",
		"GET " + signed + " HTTP/1.1\r\nHost: a\r\n" + debug + "\r\nContent-Length: -1\r\n\r\n",
		bearer + "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n" + bearer + strings.Repeat("x", 64<<10) + "\r\n\r\n",
	} {
		c.absent(t, "the answer to a malformed request", rawAnswer(t, child.base, malformed))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, "tokens: [\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	child.signal(t, syscall.SIGHUP)
	eventually(t, "the log tells of the refused file", func() bool {
		text, err := os.ReadFile(logs)
		return err == nil && strings.Contains(string(text), "the configuration is refused")
	})
	child.signal(t, syscall.SIGABRT) // which prints every goroutine's stack
	stderr, err := io.ReadAll(child.stderr)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(stderr), "goroutine ") {
		t.Error("no stacks were printed")
	}
	c.absent(t, "the end of a server that is broken off", string(stderr))
	if code := child.wait(t); code == exitOK {
		t.Errorf("exit %d after SIGABRT", code)
	}
	logged, err := os.ReadFile(logs)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(logged), `"msg":"request"`); n < 20 || !strings.Contains(string(logged), `"target":"/i/-/rs:fit:20:20/plain/local:///a.jpg@png"`) {
		t.Errorf("the log has %d requests, or not the one of the mount:\n%s", n, logged)
	}
	c.absent(t, "the log", string(logged))
}

// rawAnswer sends a request as it is and returns all that comes back.
func rawAnswer(t *testing.T, base, request string) string {
	t.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(base, "http://"), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience)) // the socket is new and has no reason to refuse
	if _, err := io.WriteString(conn, request); err != nil {
		return ""
	}
	text, _ := io.ReadAll(bufio.NewReader(conn)) // a malformed request may end in a reset
	return string(text)
}
