package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestNoCgo: bench installs on machines without a C compiler or libvips.
func TestNoCgo(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "-f", `{{if and .CgoFiles (not .Standard)}}{{.ImportPath}}{{end}}`, "./...")
	list.Env = append(os.Environ(), "CGO_ENABLED=1")
	out, err := list.CombinedOutput()
	if text := strings.TrimSpace(string(out)); err != nil || text != "" {
		t.Errorf("needs cgo: %s %v", text, err)
	}
}
