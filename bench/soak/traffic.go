package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	_ "image/gif" // these four are decoded
	_ "image/jpeg"
	_ "image/png"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"

	_ "golang.org/x/image/webp"

	"github.com/imgedge/imgedge/bench/check"
)

// traffic asks and judges each answer.
type traffic struct {
	http    *http.Client
	base    string
	config  Config
	hostile []string
	checker *check.Checker

	mu       sync.Mutex
	statuses map[string]int // "sound 200", "hostile 422 corrupt_image"
	verdicts map[string]int // hit, fwd=miss, …
	faults   map[string]int // by kind
	examples []string       // the first few
	decoded  map[string]bool
}

const maxExamples = 12

func newTraffic(base string, c Config, bad []string) *traffic {
	return &traffic{
		http: &http.Client{Timeout: lateAfter, Transport: &http.Transport{MaxIdleConnsPerHost: c.Clients, DisableCompression: true}},
		base: base, config: c, hostile: bad, checker: check.New(http.StatusOK),
		statuses: map[string]int{}, verdicts: map[string]int{}, faults: map[string]int{}, decoded: map[string]bool{},
	}
}

// question is one request.
type question struct {
	target, accept string
	hostile        bool
	expect         check.Expect
}

// client asks until ctx ends; what it has asked for it waits for.
func (t *traffic) client(ctx context.Context, random *rand.Rand) {
	for ctx.Err() == nil {
		t.ask(context.WithoutCancel(ctx), t.question(random))
	}
}

// question picks: half of few popular pictures, a fourth of many others, the rest by another grammar or of
// hostile files.
func (t *traffic) question(random *rand.Rand) question {
	name := t.config.Names[random.IntN(len(t.config.Names))]
	width := 16 + random.IntN(t.config.MaxSide-15)
	format := []string{"jpeg", "webp", "avif", "png", "gif"}[random.IntN(5)]
	if format == "avif" || format == "gif" {
		width = 64 + width%400 // they are dear, and the smallest are no AVIF
	}
	switch n := random.IntN(100); {
	case n < 50:
		width = []int{64, 160, 320}[random.IntN(3)]
		accept := []string{"*/*", "image/webp,*/*", "image/avif,image/webp,*/*"}[random.IntN(3)]
		return question{target: fmt.Sprintf("/local/%s?w=%d", name, width), accept: accept}
	case n < 75:
		return question{target: fmt.Sprintf("/local/%s?w=%d&f=%s", name, width, format)}
	case n < 82:
		return question{target: fmt.Sprintf("/local/%s?w=%d&h=%d&fit=cover&f=webp", name, width, width), expect: check.Expect{Format: "webp"}}
	case n < 90:
		format = []string{"jpg", "png", "webp"}[random.IntN(3)]
		expect := check.Expect{Format: strings.Replace(format, "jpg", "jpeg", 1), MaxWidth: width, MaxHeight: width}
		return question{target: fmt.Sprintf("/imgproxy/insecure/rs:fit:%d:%d/plain/local:///%s@%s", width, width, name, format), expect: expect}
	default:
		bad := t.hostile[random.IntN(len(t.hostile))]
		return question{target: fmt.Sprintf("/hostile/%s?w=%d&f=webp", bad, []int{40, 200}[random.IntN(2)]), hostile: true}
	}
}

// ask sends a question and judges what comes.
func (t *traffic) ask(ctx context.Context, q question) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.base+q.target, http.NoBody)
	if err != nil {
		t.fault("bad question", q, err.Error())
		return
	}
	if q.accept != "" {
		request.Header.Set("Accept", q.accept)
	}
	response, err := t.http.Do(request)
	if err != nil {
		t.fault("no answer", q, err.Error())
		return
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close() // read to its end
	switch {
	case err != nil:
		t.fault("cut answer", q, err.Error())
	case response.ContentLength != int64(len(body)):
		t.fault("wrong length", q, fmt.Sprintf("Content-Length %d, %d bytes", response.ContentLength, len(body)))
	case response.StatusCode == http.StatusOK:
		t.count(q, response, "200")
		t.picture(q, response, body)
	default:
		t.refusal(q, response, body)
	}
}

// picture judges a 200; the checker keeps its own account.
func (t *traffic) picture(q question, response *http.Response, body []byte) {
	etag := response.Header.Get("ETag")
	good := t.checker.Check(check.Answer{
		Target: q.target, Accept: q.accept, Status: response.StatusCode,
		ContentType: response.Header.Get("Content-Type"), ETag: etag, Body: body, Expect: q.expect,
	})
	if !good || !t.first(q.target+etag) {
		return
	}
	media := response.Header.Get("Content-Type")
	if !slices.Contains([]string{"image/jpeg", "image/png", "image/gif", "image/webp"}, media) || bytes.Contains(body[:min(len(body), 64)], []byte("ANIM")) {
		return // nothing here decodes these
	}
	if _, _, err := image.Decode(bytes.NewReader(body)); err != nil {
		t.fault("does not decode", q, media+": "+err.Error())
	}
}

// first reports whether a representation is new.
func (t *traffic) first(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	seen := t.decoded[name]
	t.decoded[name] = true
	return !seen
}

// refusal judges an error: hostile files have theirs, sound pictures are refused in overload alone.
func (t *traffic) refusal(q question, response *http.Response, body []byte) {
	var problem struct{ Code string }
	err := json.Unmarshal(body, &problem)
	status := response.StatusCode
	t.count(q, response, fmt.Sprintf("%d %s", status, problem.Code))
	declared := status == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "" ||
		status == http.StatusGatewayTimeout && problem.Code == "render_timeout"
	switch {
	case err != nil:
		t.fault("no problem document", q, fmt.Sprintf("%d %.80q", status, body))
	case declared, q.hostile && status >= 400 && status < 500:
	default:
		t.fault("undeclared error", q, fmt.Sprintf("%d %s", status, body))
	}
}

func (t *traffic) count(q question, response *http.Response, what string) {
	kind := "sound "
	if q.hostile {
		kind = "hostile "
	}
	_, verdict, _ := strings.Cut(response.Header.Get("Cache-Status"), "; ")
	verdict, _, _ = strings.Cut(verdict, ";")
	t.mu.Lock()
	defer t.mu.Unlock()
	t.statuses[kind+what]++
	t.verdicts[verdict]++
}

func (t *traffic) fault(kind string, q question, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults[kind]++
	if len(t.examples) < maxExamples {
		t.examples = append(t.examples, fmt.Sprintf("%s: %s: %s", q.target, kind, text))
	}
}
