package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/internal/hostile"
)

// openFormats takes everything that can be switched on.
const openFormats = "formats_in: [jpeg, png, gif, webp, avif, heic, tiff, svg, jxl]\n"

// trap is an address that nobody may ask.
func trap(t *testing.T) (address string, sprung func() bool) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	caught := make(chan struct{}, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			_ = conn.Close()
			select {
			case caught <- struct{}{}:
			default: // one is enough
			}
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String(), func() bool {
		select {
		case <-caught:
			return true
		default:
			return false
		}
	}
}

// Every hostile file gets its documented answer from a server in its own process: never a 5xx, nothing
// fetched, nothing foreign handed on, the server and all its pictures unharmed.
func TestHostileFiles(t *testing.T) {
	dir := photos(t)
	address, sprung := trap(t)
	files := hostile.Files(address)
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := startChild(t, openConfig(dir))
	t.Run("files", func(t *testing.T) {
		for _, f := range files {
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				a := ask(t, http.MethodGet, c.base+"/local/"+f.Name+"?w=40&f=webp")
				if code := codeOf(a); !f.Allows(code) {
					t.Errorf("status %d %s, want one of %v: %.200s", a.StatusCode, code, f.Codes, a.body)
				}
				if bytes.Contains(a.body, []byte(hostile.Foreign)) || bytes.Contains(a.body, []byte("root:")) {
					t.Error("the answer carries what is not a picture")
				}
			})
		}
	})
	if sprung() {
		t.Error("a file had the server ask another one")
	}
	ask(t, http.MethodGet, c.base+"/local/a.jpg?w=50").wantCode(t, http.StatusOK, "")
}

// codeOf returns the code of a refusal, hostile.Picture for a picture.
func codeOf(a answer) string {
	var problem struct{ Code string }
	switch {
	case a.StatusCode == http.StatusOK && strings.HasPrefix(a.Header.Get("Content-Type"), "image/"):
		return hostile.Picture
	case json.Unmarshal(a.body, &problem) != nil:
		return "no problem document"
	default:
		return problem.Code
	}
}

func openConfig(dir string) string {
	return openFormats + fmt.Sprintf("sources: {local: {dir: %q, unsigned: true, free: true}}\nrender: {workers: 2}\nlog: {level: error}\n", dir)
}
