package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// example returns the first block of docs/jobs.md in that language.
func example(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/jobs.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)<!-- verify -->\n```" + language + "\n(.*?)\n```").FindSubmatch(text)
	if found == nil {
		t.Fatalf("docs/jobs.md has no example of verification in %s", language)
	}
	return string(found[1])
}

// verifyWithShell runs the shell example of the documentation over a delivery, and over one that was changed.
func verifyWithShell(t *testing.T, secret, signature string, body []byte, _ time.Time) {
	t.Helper()
	script := filepath.Join(t.TempDir(), "verify.sh")
	if err := os.WriteFile(script, []byte(example(t, "sh")), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(body []byte) error {
		file := filepath.Join(t.TempDir(), "body")
		if err := os.WriteFile(file, body, 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.Command("sh", script, secret, signature, file).Run()
	}
	if err := run(body); err != nil {
		t.Errorf("the shell example refuses %s: %v", signature, err)
	}
	if run(append([]byte(" "), body...)) == nil {
		t.Error("the shell example takes a changed body")
	}
}
