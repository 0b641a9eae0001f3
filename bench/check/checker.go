package check

import (
	"fmt"
	"hash/maphash"
	"maps"
	"strings"
	"sync"
)

// Bounds of what a checker remembers.
const (
	maxKnown    = 1 << 18 // URLs
	maxExamples = 10
)

// Answer is what came back for one request. The bytes are read during Check only.
type Answer struct {
	Target, Accept    string
	Status            int
	ContentType, ETag string
	Body              []byte
	Expect            Expect // what is expected beside what Target says
}

// Checker checks answers and remembers, per URL and Accept, their ETag and bytes. It may be used
// concurrently.
type Checker struct {
	status int
	seed   maphash.Seed

	mu      sync.Mutex
	known   map[uint64]representation // by target and Accept
	tags    map[uint64]uint64         // by target and ETag: the bytes
	outcome Outcome
}

// representation is what one URL had last.
type representation struct{ etag, body uint64 }

// Outcome is what the checks have found.
type Outcome struct {
	Checked  int64            `json:"checked"`
	Failed   int64            `json:"failed"`
	Faults   map[string]int64 `json:"faults"`   // by kind
	Examples []string         `json:"examples"` // the first few, in words
}

// New returns a checker that wants this status.
func New(status int) *Checker {
	return &Checker{
		status: status, seed: maphash.MakeSeed(),
		known: map[uint64]representation{}, tags: map[uint64]uint64{},
		outcome: Outcome{Faults: map[string]int64{}},
	}
}

// Check looks at one answer and reports whether it is as it has to be.
func (c *Checker) Check(a Answer) bool {
	kind, text := c.content(a)
	if kind == "" && a.Status == c.status {
		kind, text = c.stability(a)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outcome.Checked++
	if kind == "" {
		return true
	}
	c.outcome.Failed++
	c.outcome.Faults[kind]++
	if len(c.outcome.Examples) < maxExamples {
		c.outcome.Examples = append(c.outcome.Examples, fmt.Sprintf("%s: %s: %s", a.Target, kind, text))
	}
	return false
}

// Outcome returns what was found so far.
func (c *Checker) Outcome() Outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.outcome
	o.Faults = maps.Clone(o.Faults)
	o.Examples = append([]string{}, o.Examples...)
	return o
}

// content checks what can be said of an answer alone. Only pictures have a format and a size.
func (c *Checker) content(a Answer) (kind, text string) {
	if a.Status != c.status {
		return "wrong status", fmt.Sprintf("%d, want %d", a.Status, c.status)
	}
	media, _, _ := strings.Cut(a.ContentType, ";")
	subtype, isImage := strings.CutPrefix(strings.TrimSpace(media), "image/")
	if a.Status != 200 || (!isImage && a.Expect == Expect{}) {
		return "", ""
	}
	p, err := Inspect(a.Body)
	if subtype == "svg+xml" && p.Format == "" {
		return "", ""
	}
	if err != nil {
		return "no picture", fmt.Sprintf("%v in %d bytes of %q", err, len(a.Body), a.ContentType)
	}
	if p.Format != subtype {
		return "wrong Content-Type", fmt.Sprintf("%q for bytes that are %s", a.ContentType, p.Format)
	}
	if kind, text = a.Expect.fault(p); kind != "" {
		return kind, text
	}
	return FromTarget(a.Target, a.Accept).fault(p)
}

// stability checks that a URL keeps its ETag, and that one ETag always means the same bytes.
func (c *Checker) stability(a Answer) (kind, text string) {
	now := representation{etag: c.hash(a.ETag), body: maphash.Bytes(c.seed, a.Body)}
	name, tag := c.hash(a.Target, a.Accept), c.hash(a.Target, a.ETag)
	c.mu.Lock()
	defer c.mu.Unlock()
	before, seen := c.known[name]
	body, tagged := c.tags[tag]
	if seen || len(c.known) < maxKnown {
		c.known[name] = now
	}
	if a.ETag != "" && (tagged || len(c.tags) < maxKnown) {
		c.tags[tag] = now.body
	}
	switch {
	case a.ETag != "" && tagged && body != now.body:
		return "other bytes under one ETag", a.ETag
	case seen && before.etag != now.etag:
		return "ETag changed", "now " + a.ETag
	case seen && before.body != now.body:
		return "bytes changed", "with the same ETag or none"
	}
	return "", ""
}

// hash of texts, which zero bytes keep apart.
func (c *Checker) hash(texts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	for _, text := range texts {
		_, _ = h.WriteString(text) // cannot fail
		_ = h.WriteByte(0)         // likewise
	}
	return h.Sum64()
}
