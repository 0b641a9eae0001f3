package origin

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// headerOf reads "Name: value" lines.
func headerOf(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

func TestFreshness(t *testing.T) {
	tests := []struct {
		name    string
		lines   []string
		fresh   time.Duration
		noStore bool
	}{
		{"nothing", nil, -1, false},
		{"public alone", []string{"Cache-Control: public"}, -1, false},
		{"max-age", []string{"Cache-Control: max-age=60"}, time.Minute, false},
		{"s-maxage wins", []string{"Cache-Control: max-age=60, s-maxage=10"}, 10 * time.Second, false},
		{"s-maxage wins when longer", []string{"Cache-Control: s-maxage=100,max-age=60"}, 100 * time.Second, false},
		{"case and spaces", []string{"Cache-Control:  Public ,  Max-Age = 60 "}, time.Minute, false},
		{"quoted", []string{`Cache-Control: max-age="60"`}, time.Minute, false},
		{"zero", []string{"Cache-Control: max-age=0"}, 0, false},
		{"negative", []string{"Cache-Control: max-age=-1"}, 0, false},
		{"no number", []string{"Cache-Control: max-age=soon"}, 0, false},
		{"empty number", []string{"Cache-Control: max-age="}, 0, false},
		{"huge", []string{"Cache-Control: max-age=99999999999999999999"}, maxFresh, false},
		{"twice", []string{"Cache-Control: max-age=60, max-age=10"}, 10 * time.Second, false},
		{"two lines", []string{"Cache-Control: public", "Cache-Control: max-age=60"}, time.Minute, false},
		{"no-cache", []string{"Cache-Control: no-cache, max-age=60"}, 0, false},
		{"no-store", []string{"Cache-Control: max-age=60, no-store"}, 0, true},
		{"private", []string{"Cache-Control: private, max-age=60"}, 0, true},
		{"private field", []string{`Cache-Control: private="X-A, X-B", max-age=60`}, 0, true},
		{"quoted comma hides nothing", []string{`Cache-Control: ext="a, no-store, b", max-age=60`}, time.Minute, false},
		{"quote left open", []string{`Cache-Control: ext="a, max-age=60`}, -1, false},
		{"age", []string{"Cache-Control: max-age=60", "Age: 20"}, 40 * time.Second, false},
		{"older than its life", []string{"Cache-Control: max-age=60", "Age: 100"}, 0, false},
		{"bad age", []string{"Cache-Control: max-age=60", "Age: -5"}, time.Minute, false},
		{"Expires", []string{"Expires: Fri, 20 Nov 2026 13:00:00 GMT"}, time.Hour, false},
		{"Expires after Date", []string{"Expires: Fri, 20 Nov 2026 13:00:00 GMT", "Date: Fri, 20 Nov 2026 12:30:00 GMT"}, 30 * time.Minute, false},
		{"Expires past", []string{"Expires: Fri, 20 Nov 2020 13:00:00 GMT"}, 0, false},
		{"Expires 0", []string{"Expires: 0"}, 0, false},
		{"max-age over Expires", []string{"Cache-Control: max-age=60", "Expires: Fri, 20 Nov 2026 13:00:00 GMT"}, time.Minute, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fresh, noStore := freshness(headerOf(tt.lines...), noon)
			if fresh != tt.fresh || noStore != tt.noStore {
				t.Errorf("freshness(%q) = %v, %v; want %v, %v", tt.lines, fresh, noStore, tt.fresh, tt.noStore)
			}
		})
	}
}

func TestMeta(t *testing.T) {
	got := metaOf(headerOf(
		`ETag: W/"v1"`, "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT", "Cache-Control: max-age=5",
		"Surrogate-Key: a b  a", "Cache-Tag: c, two words ,b,,", "Surrogate-Key: d",
	), noon)
	want := Meta{
		ETag: `W/"v1"`, Modified: time.Date(2015, 10, 21, 7, 28, 0, 0, time.UTC), MaxAge: 5 * time.Second,
		Tags: []string{"a", "b", "d", "c", "two words"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metaOf (-want +got):\n%s", diff)
	}
	odd := metaOf(headerOf("ETag: unquoted", "Last-Modified: yesterday", "Cache-Tag: "+strings.Repeat("x", 300)+",\x01,ü"), noon)
	if diff := cmp.Diff(Meta{MaxAge: -1}, odd); diff != "" {
		t.Errorf("metaOf of nonsense (-want +got):\n%s", diff)
	}
	if many := metaOf(headerOf("Surrogate-Key: "+manyTags(1000)), noon); len(many.Tags) != maxTags {
		t.Errorf("%d tags kept, want %d", len(many.Tags), maxTags)
	}
	for _, tag := range []string{`"`, `W/"`, "", `"a`, `"` + strings.Repeat("a", 300) + `"`} {
		if got := etagOf(http.Header{"Etag": {tag}}); got != "" {
			t.Errorf("etag %q is kept as %q", tag, got)
		}
	}
}

func manyTags(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("t", 1+i%50))
		b.WriteByte(byte('a' + i%26))
		b.WriteByte(' ')
	}
	return b.String()
}

func TestRetryAfter(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration
	}{
		{"", 0},
		{"0", 0},
		{"17", 17 * time.Second},
		{"-1", 0},
		{"1.5", 0},
		{"soon", 0},
		{"999999999", maxWait},
		{"Fri, 20 Nov 2026 12:01:00 GMT", time.Minute},
		{"Fri, 20 Nov 2026 11:00:00 GMT", 0},
		{"Fri, 20 Nov 2037 11:00:00 GMT", maxWait},
	}
	for _, tt := range tests {
		if got := retryAfter(http.Header{"Retry-After": {tt.text}}, noon); got != tt.want {
			t.Errorf("retryAfter(%q) = %v, want %v", tt.text, got, tt.want)
		}
	}
}

func TestCoding(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "identity": "", "gzip": "gzip", "X-GZIP": "gzip", "gzip,aws-chunked": "gzip", "aws-chunked": "",
		"gzip, gzip": "gzip,gzip", "br": "br", "gzip, br": "gzip,br",
	} {
		if got := coding(http.Header{"Content-Encoding": {text}}); got != want {
			t.Errorf("coding(%q) = %q, want %q", text, got, want)
		}
	}
}
