package scrape

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const page = `# HELP x_total Things {with} "quotes" 3
# TYPE x_total counter
x_total 5
x_total_more 7
x_seconds_sum{stage="fetch",cache="a b"} 0.25 1700000000000
x_seconds_sum{stage="decode",path="/a,stage=\"}"} 1.5e-2
x_seconds_sum{other="1"} 2
broken{a="b"
broken2 x
`

func TestParse(t *testing.T) {
	v, err := Parse(strings.NewReader(page))
	want := Values{
		"x_total": 5, "x_total_more": 7,
		`x_seconds_sum{stage="fetch",cache="a b"}`:          0.25,
		`x_seconds_sum{stage="decode",path="/a,stage=\"}"}`: 0.015,
		`x_seconds_sum{other="1"}`:                          2,
	}
	if diff := cmp.Diff(want, v); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff(map[string]float64{"fetch": 0.25, "decode": 0.015, "": 2}, v.By("x_seconds_sum", "stage")); diff != "" {
		t.Errorf("by stage (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{"": 5}, v.By("x_total", "stage")); diff != "" {
		t.Errorf("by name alone (-want +got):\n%s", diff)
	}
}

func TestSince(t *testing.T) {
	got := Values{"same": 3, "grown": 5, "new": 2, "started anew": 1}.Since(Values{"same": 3, "grown": 4, "started anew": 9})
	if diff := cmp.Diff(Values{"grown": 1, "new": 2, "started anew": 1}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGet(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/metrics":
			_, _ = w.Write([]byte(page))
		case "/elsewhere":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	if v, err := Get(context.Background(), server.URL+"/metrics"); err != nil || v["x_total"] != 5 {
		t.Errorf("%v, %v", v, err)
	}
	for _, path := range []string{"/absent", "/elsewhere"} {
		if v, err := Get(context.Background(), server.URL+path); err == nil {
			t.Errorf("%s gives %v", path, v)
		}
	}
}
