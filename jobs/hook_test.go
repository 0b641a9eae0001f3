package jobs

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// verify is the example in Go of docs/jobs.md; TestVerifyIsDocumented holds the two together.
func verify(secret, header string, body []byte, now time.Time) bool {
	t, v1, ok := strings.Cut(strings.TrimPrefix(header, "t="), ",v1=")
	at, err := strconv.ParseInt(t, 10, 64)
	if !ok || err != nil || now.Sub(time.Unix(at, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	sent, err := hex.DecodeString(v1)
	return err == nil && hmac.Equal(mac.Sum(nil), sent)
}

func TestSign(t *testing.T) {
	now := time.Unix(1_795_276_183, 0)
	body := []byte(`{"id":"a"}`)
	good := Sign("secret", now, body)
	for _, row := range []struct {
		name, secret, header, body string
		at                         time.Time
		want                       bool
	}{
		{"good", "secret", good, string(body), now, true},
		{"a minute later", "secret", good, string(body), now.Add(time.Minute), true},
		{"replayed", "secret", good, string(body), now.Add(time.Hour), false},
		{"other secret", "secreT", good, string(body), now, false},
		{"other body", "secret", good, `{"id":"b"}`, now, false},
		{"other time", "secret", strings.Replace(good, "t=1795276183", "t=1795276184", 1), string(body), now, false},
		{"no signature", "secret", "", string(body), now, false},
	} {
		if got := verify(row.secret, row.header, []byte(row.body), row.at); got != row.want {
			t.Errorf("%s: verify = %v, want %v", row.name, got, row.want)
		}
	}
	// From the definition, by another implementation: printf '%s.%s' 1795276183 '{"id":"a"}' | openssl dgst -sha256 -hmac secret
	if want := "t=1795276183,v1=b7ffb6b5567d37cdeb7edbf7ad4ad3fa1aad6e3de67dcf95ecdd98b70a703afa"; good != want {
		t.Errorf("Sign = %s, want %s", good, want)
	}
}

func TestVerifyIsDocumented(t *testing.T) {
	docs, err := os.ReadFile("../docs/jobs.md")
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "hook_test.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "verify" {
			f.Doc = nil
			var text strings.Builder
			if err := (&printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 8}).Fprint(&text, files, f); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(docs), "```go\n"+text.String()+"\n```") {
				t.Errorf("docs/jobs.md does not have\n%s", text.String())
			}
		}
	}
}

func TestNotice(t *testing.T) {
	j := &Job{ID: "x", Kind: KindRender, State: StatePartial, Done: 1, Failed: 1, Total: 2}
	for kind, want := range map[string]string{
		"json":    `{"id":"x","event":"job.done","state":"partial","done":1,"failed":1,"total":2,"archive":"https://a/v1/jobs/x/archive"}`,
		"slack":   `{"text":"imgedge job x: partial, 1 of 2 done, 1 failed\nhttps://a/v1/jobs/x/archive"}`,
		"discord": `{"content":"imgedge job x: partial, 1 of 2 done, 1 failed\nhttps://a/v1/jobs/x/archive"}`,
	} {
		got, err := notice(&Record{Spec: Spec{Base: "https://a", Hook: &Hook{Kind: kind}}}, j)
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v, want %s", kind, got, err, want)
		}
		if !json.Valid(got) {
			t.Errorf("%s: no JSON", kind)
		}
	}
}
