package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
)

const (
	doctorTimeout = 5 * time.Second
	liveTimeout   = 2 * time.Second
)

type doctorCommand struct {
	configFlag
	Live bool `help:"Only ask a running server whether it lives; for container health checks."`
}

// Run checks what a server needs and says what to do; exit 1 if anything is wrong.
func (c *doctorCommand) Run(ctx context.Context, p *Program) error {
	cfg, err := c.load(p, Overrides{})
	if err != nil {
		return err
	}
	if c.Live {
		return live(ctx, cfg)
	}
	d := &doctor{p: p}
	d.good("configuration", "%d sources, %d presets, %d watermarks, %d mounts of other dialects",
		len(cfg.Sources), len(cfg.Presets), len(cfg.Watermarks), len(cfg.Dialects))
	for _, name := range cfg.unknownVariables {
		d.warn("environment", "%s names no setting and is ignored", name)
	}
	d.checkMemory(cfg, cgroupMemory(cgroupRoot, "/proc/self/cgroup"))
	d.checkAllocator("/proc/self/maps")
	n := &Node{Config: cfg}
	if err := n.Open(); err != nil {
		d.bad("start", "%v", err)
		return d.verdict()
	}
	defer func() { _ = n.Close() }() // nothing was stored
	d.checkSandbox(ctx, n)
	d.checkCodecs(ctx, n)
	d.checkOptIn(ctx, n)
	d.checkFonts(cfg)
	d.note("faces", "unsupported: g=face is a 400, as there is no detector")
	d.checkRedis(ctx, n)
	d.checkQueue(ctx, &cfg.Redis)
	d.checkSources(ctx, n)
	return d.verdict()
}

// live asks /healthz of the server that this configuration describes.
func live(ctx context.Context, cfg *Config) error {
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, addressBase(cfg.Listen)+"/healthz", http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // only its status counts
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", response.Status)
	}
	return nil
}

// doctor prints findings and remembers whether one is bad.
type doctor struct {
	p    *Program
	sick int
}

func (d *doctor) good(what, format string, args ...any) { d.say("good", what, format, args...) }
func (d *doctor) warn(what, format string, args ...any) { d.say("warn", what, format, args...) }

// note says what is neither good nor bad.
func (d *doctor) note(what, format string, args ...any) { d.say("    ", what, format, args...) }

func (d *doctor) bad(what, format string, args ...any) {
	d.sick++
	d.say("BAD ", what, format, args...)
}

func (d *doctor) say(mark, what, format string, args ...any) {
	d.p.printf("%s  %-14s %s\n", mark, what, fmt.Sprintf(format, args...))
}

func (d *doctor) verdict() error {
	if d.sick > 0 {
		return fmt.Errorf("%d things are wrong", d.sick)
	}
	return nil
}

// checkMemory compares what the configuration may use with what the container grants.
func (d *doctor) checkMemory(cfg *Config, granted int64) {
	wanted := int64(cfg.Cache.Memory) + int64(cfg.Cache.Originals.Memory) + int64(cfg.Limits.Memory) + 256<<20
	switch {
	case granted == 0:
		d.good("memory", "up to %s may be used; there is no container limit", Size(wanted))
	case granted < wanted:
		d.warn("memory", "up to %s may be used, the container grants %s: lower cache.memory, cache.originals.memory or limits.memory", Size(wanted), Size(granted))
	default:
		d.good("memory", "up to %s may be used, the container grants %s", Size(wanted), Size(granted))
	}
}

// checkAllocator looks for an allocator that gives memory back.
func (d *doctor) checkAllocator(maps string) {
	text, err := os.ReadFile(maps) //nolint:gosec // a fixed name
	if err != nil || runtime.GOOS != "linux" {
		return
	}
	if strings.Contains(string(text), "jemalloc") || strings.Contains(string(text), "tcmalloc") || d.p.getenv("MALLOC_ARENA_MAX") != "" {
		d.good("allocator", "gives memory back")
		return
	}
	d.warn("allocator", "glibc keeps what libvips frees: start with LD_PRELOAD=libjemalloc.so.2 (package libjemalloc2) or MALLOC_ARENA_MAX=2")
}

// checkCodecs makes a small picture in every format that is written.
func (d *doctor) checkCodecs(ctx context.Context, n *Node) {
	d.good("libvips", "%s", libvips.Version())
	for _, f := range []resize.Format{resize.FormatJPEG, resize.FormatPNG, resize.FormatWebP, resize.FormatAVIF, resize.FormatGIF} {
		options := resize.Options{Width: 32, Height: 32, Enlarge: true, Fit: resize.FitStretch, Format: f}
		e, err := convert(ctx, n.Config, testPicture(), options)
		switch {
		case err != nil:
			d.bad(f.String(), "cannot be written: %v. Install libvips with its codecs (Debian: libvips42, and libheif-plugin-aomenc where there is one)", err)
		case resize.Sniff(e.Body) != f:
			d.bad(f.String(), "was written as %s", resize.Sniff(e.Body))
		default:
			d.checkReads(ctx, n, f, e.Body)
		}
	}
}

// testPicture is a PNG of 32 × 32 px with a gradient and alpha.
func testPicture() []byte {
	const side = 32
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			img.SetNRGBA(x, y, color.NRGBA{R: uint8(8 * x), G: uint8(8 * y), B: 128, A: uint8(128 + 4*x)}) //nolint:gosec // at most 252
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // a buffer takes everything
	return b.Bytes()
}

// checkReads decodes what was just written.
func (d *doctor) checkReads(ctx context.Context, n *Node, f resize.Format, picture []byte) {
	if _, err := convert(ctx, n.Config, picture, resize.Options{Width: 8, Format: resize.FormatPNG}); err != nil {
		d.bad(f.String(), "cannot be read: %v. Either install its codec or take it out of formats_in", err)
		return
	}
	d.good(f.String(), "is written and read")
}

func (d *doctor) checkRedis(ctx context.Context, n *Node) {
	if n.Client == nil {
		d.good("redis", "not configured: each node has its memory alone")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	if err := n.Client.Ping(ctx).Err(); err != nil {
		d.bad("redis", "%s: %v. The server starts without it and takes it up when it answers", n.Config.Redis.URL, err)
		return
	}
	d.good("redis", "%s answers", n.Config.Redis.URL)
}

// checkQueue asks the Redis that holds the jobs, where it is another one.
func (d *doctor) checkQueue(ctx context.Context, set *Redis) {
	if set.queue() == set.URL {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	client, err := cache.OpenRedis(string(set.queue()))
	if err == nil {
		defer func() { _ = client.Close() }() // only asked
		err = client.Ping(ctx).Err()
	}
	if err != nil {
		d.bad("queue", "%s: %v. Jobs wait until it answers", set.queue(), err)
		return
	}
	d.good("queue", "%s answers", set.queue())
}

func (d *doctor) checkSources(ctx context.Context, n *Node) {
	for _, name := range n.Config.sourceNames() {
		d.checkSource(ctx, name, n.source(name))
	}
}

// checkSource asks for a key that nobody has: "not there" means that the source answers.
func (d *doctor) checkSource(ctx context.Context, name string, s *openSource) {
	what := "source " + name
	if s.config.Dir != "" {
		if _, err := os.ReadDir(s.config.Dir); err != nil {
			d.bad(what, "%v", err)
			return
		}
		d.good(what, "%s can be read", s.config.Dir)
		return
	}
	if s.config.HTTP != nil && s.config.HTTP.Base == "" {
		d.good(what, "open to %s", strings.Join(s.config.HTTP.Allow, ", "))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	found, err := s.origin.Fetch(ctx, "imgedge-doctor-looks-for-nothing", origin.Conditions{})
	if found != nil {
		found.Place.Release()
	}
	var refusal *origin.Error
	switch {
	case err == nil, errors.As(err, &refusal) && refusal.Result == origin.ResultNotFound:
		d.good(what, "answers")
	case refusal != nil && refusal.Result == origin.ResultDenied:
		d.warn(what, "answers, but refuses: wrong credentials or bucket, or no right to list (then a missing picture looks like this too)")
	case refusal != nil && refusal.Result == origin.ResultForbidden:
		d.bad(what, "its address is private; allow it with http.allow_networks")
	default:
		d.bad(what, "%v", err)
	}
}
