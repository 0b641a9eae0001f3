package soak

import (
	"bytes"
	"image"
	"image/png"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Answers of a server that is wrong in one way each are found out.
func TestTrafficSeesWhatIsWrong(t *testing.T) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 20, 20))); err != nil {
		t.Fatal(err)
	}
	good, asked := picture.Bytes(), 0
	answer := func(w http.ResponseWriter, status int, media, etag string, body []byte) {
		w.Header().Set("Content-Type", media)
		w.Header().Set("ETag", etag)
		w.WriteHeader(status)
		_, _ = w.Write(body) // the test sees what arrives
	}
	problem := []byte(`{"code":"corrupt_image"}`)
	for _, row := range []struct {
		name    string
		hostile bool
		serve   http.HandlerFunc
		want    string // "" = nothing is wrong
	}{
		{"good", false, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "image/png", "1", good) }, ""},
		{"half a picture", false, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "image/png", "1", good[:len(good)-20]) }, "does not decode"},
		{"other format", false, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "image/webp", "1", good) }, "wrong Content-Type"},
		{"new ETag", false, func(w http.ResponseWriter, _ *http.Request) {
			asked++
			answer(w, 200, "image/png", strconv.Itoa(asked), good)
		}, "ETag changed"},
		{"no length", false, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(good[:9]) // likewise
			_ = http.NewResponseController(w).Flush()
		}, "wrong length"},
		{"cut", false, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			_, _ = w.Write(good[:9]) // likewise
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "cut answer"},
		{"hung up", false, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "no answer"},
		{"500", true, func(w http.ResponseWriter, _ *http.Request) { answer(w, 500, "application/problem+json", "", problem) }, "undeclared error"},
		{"503 without Retry-After", false, func(w http.ResponseWriter, _ *http.Request) { answer(w, 503, "application/problem+json", "", problem) }, "undeclared error"},
		{"503", false, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			answer(w, 503, "application/problem+json", "", problem)
		}, ""},
		{"sound picture refused", false, func(w http.ResponseWriter, _ *http.Request) { answer(w, 422, "application/problem+json", "", problem) }, "undeclared error"},
		{"hostile picture refused", true, func(w http.ResponseWriter, _ *http.Request) { answer(w, 422, "application/problem+json", "", problem) }, ""},
		{"no problem document", true, func(w http.ResponseWriter, _ *http.Request) { answer(w, 422, "text/plain", "", []byte("no")) }, "no problem document"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := httptest.NewServer(row.serve)
			defer server.Close()
			tr := newTraffic(server.URL, Config{}.withDefaults(), nil)
			for range 2 {
				tr.ask(t.Context(), question{target: "/local/a.png?w=20", hostile: row.hostile})
			}
			r := Report{Statuses: map[string]int{}}
			tr.report(&r)
			if found := r.Faults[row.want] > 0; row.want != "" && !found || row.want == "" && len(r.Faults) > 0 {
				t.Errorf("faults %v, want %q", r.Faults, row.want)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	held := func() Report {
		return Report{
			Statuses: map[string]int{"sound 200": 9}, Idle: Use{PSS: 10, Workers: 3, Goroutines: 50, Descriptors: 30},
			After: Use{PSS: 20, Workers: 3, Goroutines: 70, Descriptors: 50}, Peak: 100, Bound: 100, BoundAfter: 20,
		}
	}
	for _, row := range []struct {
		want  string // "" = it held
		spoil func(r *Report)
		code  int
	}{
		{"", func(*Report) {}, 0},
		{"memory: ", func(r *Report) { r.Peak++ }, 0},
		{"memory kept: ", func(r *Report) { r.After.PSS++ }, 0},
		{"goroutines: ", func(r *Report) { r.After.Goroutines++ }, 0},
		{"descriptors: ", func(r *Report) { r.After.Descriptors++ }, 0},
		{"workers: ", func(r *Report) { r.After.Workers-- }, 0},
		{"bytes changed: 2", func(r *Report) { r.Faults = map[string]int{"bytes changed": 2} }, 0},
		{"no sound picture", func(r *Report) { r.Statuses = nil }, 0},
		{"the server ended with 66", func(*Report) {}, 66},
	} {
		r := held()
		row.spoil(&r)
		r.judge(row.code)
		seen := slices.ContainsFunc(r.Breaches, func(text string) bool { return strings.HasPrefix(text, row.want) })
		if len(r.Breaches) > 1 || (row.want == "") == seen {
			t.Errorf("breaches %q, want %q", r.Breaches, row.want)
		}
		if strings.Contains(r.String(), "it held") != (row.want == "") {
			t.Errorf("%q is told as\n%s", r.Breaches, r)
		}
	}
}

func TestEveryKindOfQuestionIsAsked(t *testing.T) {
	c := Config{Names: []string{"a.jpg"}}.withDefaults()
	tr, random, kinds := newTraffic("", c, []string{"b.png"}), rand.New(rand.NewPCG(1, 1)), map[string]int{}
	for range 400 {
		q := tr.question(random)
		kind, _, _ := strings.Cut(q.target[1:], "/")
		kinds[kind]++
		if q.hostile != (kind == "hostile") {
			t.Errorf("%s is taken for hostile: %v", q.target, q.hostile)
		}
	}
	if len(kinds) != 3 || kinds["local"] < kinds["hostile"] {
		t.Errorf("questions %v", kinds)
	}
}
