package libvips_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"
	"golang.org/x/image/tiff"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
)

// optionsVariable tells the child of TestMemoryAllocatedAsPlanned what to render: options, separated by spaces
// where they share a decode.
const optionsVariable = "IMGEDGE_TEST_OPTIONS"

type costRow struct{ source, options string }

// costs are renders whose memory is measured: what is decoded, what is done to it, what is encoded.
func costs() []costRow {
	return []costRow{
		// Decoders.
		{"baseline.jpg", "w=300&f=jpeg"},
		{"baseline.jpg", "w=800&f=jpeg"},
		{"baseline.jpg", "w=1600&f=jpeg"},
		{"baseline.jpg", "w=2900&f=jpeg"},
		{"baseline.jpg", "crop=50p,50p,50p,50p&w=300&f=jpeg"},
		{"progressive.jpg", "w=300&f=jpeg"},
		{"progressive.jpg", "w=1600&f=jpeg"},
		{"cmyk.jpg", "w=800&f=jpeg"},
		{"8.png", "w=800&f=jpeg"},
		{"alpha.png", "w=800&f=png"},
		{"16.png", "w=800&f=jpeg"},
		{"interlaced.png", "w=800&f=jpeg"},
		{"interlaced16.png", "w=800&f=jpeg"},
		{"lossy.webp", "w=300&f=jpeg"},
		{"lossy.webp", "w=2900&f=jpeg"},
		{"alpha.webp", "w=800&f=png"},
		{"lossless.webp", "w=800&f=jpeg"},
		{"picture.avif", "w=800&f=jpeg"},
		{"picture.jxl", "w=800&f=jpeg"},
		{"strips.tif", "w=800&f=jpeg"},
		{"onestrip.tif", "w=800&f=jpeg"},
		{"onestrip.tif", "w=800&f=png"},
		{"tiles.tif", "w=800&f=jpeg"},
		{"16.tif", "w=800&f=jpeg"},
		{"still.gif", "w=800&f=jpeg"},
		{"drawing.svg", "w=3000&f=png"},
		{"animated.gif", "w=400&f=gif"},
		{"animated.gif", "w=400&f=webp"},
		{"animated.gif", "f=webp"},
		{"animated.gif", "w=400&anim=0&f=jpeg"},
		{"animated.webp", "w=400&f=webp"},
		{"animated.webp", "w=400&f=gif"},
		{"animated.gif", "f=gif"},
		{"long.webp", "w=400&f=webp"},
		{"long.gif", "w=400&f=webp"},
		{"large.webp", "w=400&f=webp"},
		{"large.gif", "w=400&f=webp"},
		// Steps between.
		{"baseline.jpg", "w=1600&f=jpeg&blur=9"},
		{"baseline.jpg", "w=1600&f=jpeg&sharpen=2"},
		{"baseline.jpg", "w=1600&f=jpeg&pixelate=5"},
		{"baseline.jpg", "w=1600&f=jpeg&rot=90"},
		{"baseline.jpg", "w=1600&f=jpeg&rot=30"},
		{"baseline.jpg", "w=1600&f=jpeg&flip=v"},
		{"baseline.jpg", "w=1600&h=1600&fit=cover&g=smart&f=jpeg"},
		{"baseline.jpg", "w=1600&h=1600&fit=cover&g=entropy&f=jpeg"},
		{"baseline.jpg", "w=1600&h=1600&fit=pad&bg=blur&f=jpeg"},
		{"baseline.jpg", "w=1600&f=png&round=90"},
		{"baseline.jpg", "w=1600&f=jpeg&txt=All"},
		{"baseline.jpg", "w=1600&f=jpeg&trim=10"},
		{"baseline.jpg", "w=1600&f=jpeg&wm=a/b&wmr=1&wms=0.2"},
		{"baseline.jpg", "w=1600&f=jpeg&rot=30&blur=9&sharpen=2&pixelate=5&round=40&bg=blur&txt=All&wm=a/b&trim=5"},
		// Several from one decode.
		{"baseline.jpg", "w=1600&f=jpeg w=800&f=jpeg w=500&f=jpeg w=300&f=webp"},
		{"baseline.jpg", "w=1600&f=jpeg w=1500&f=webp"},
		// Encoders.
		{"baseline.jpg", "w=2000&f=png"},
		{"baseline.jpg", "w=2000&f=webp"},
		{"baseline.jpg", "w=2000&f=webp&lossless=1"},
		{"baseline.jpg", "w=2000&f=avif"},
		{"baseline.jpg", "w=2000&f=jxl"},
		{"baseline.jpg", "w=2000&f=jxl&lossless=1"},
		{"baseline.jpg", "w=2000&f=gif"},
		{"baseline.jpg", "w=2000&f=tiff"},
		{"baseline.jpg", "w=1600&f=jpeg&q=auto"},
		{"baseline.jpg", "w=1600&f=webp&q=auto"},
		{"baseline.jpg", "w=1600&f=jpeg&mb=100000"},
		{"baseline.jpg", "f=thumbhash"},
		{"baseline.jpg", "f=json"},
	}
}

// costSources writes the originals of costs into dir, each of 6 MP or an animation.
func costSources(t *testing.T, dir string) {
	newEngine(t)
	write := func(name string, data []byte, err error) {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	var small bytes.Buffer
	if err := tiff.Encode(&small, faded(photo(750, 500)), nil); err != nil {
		t.Fatal(err)
	}
	original, err := vips.NewImageFromBuffer(small.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	defer original.Close()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(original.Resize(4, vips.KernelNearest))
	// each writes a variant of the original.
	each := func(name string, change func(*vips.ImageRef) error, export func(*vips.ImageRef) ([]byte, *vips.ImageMetadata, error)) {
		ref, err := original.Copy()
		must(err)
		defer ref.Close()
		if change != nil {
			must(change(ref))
		}
		data, _, err := export(ref)
		write(name, data, err)
	}
	opaque := func(ref *vips.ImageRef) error { return ref.Flatten(&vips.Color{}) }
	deep := func(ref *vips.ImageRef) error {
		if err := opaque(ref); err != nil {
			return err
		}
		return ref.ToColorSpace(vips.InterpretationRGB16)
	}
	jpg := func(p vips.JpegExportParams) func(*vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		p.Quality = 90
		return func(ref *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) { return ref.ExportJpeg(&p) }
	}
	png := func(p vips.PngExportParams) func(*vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		p.Compression = 1
		return func(ref *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) { return ref.ExportPng(&p) }
	}
	webp := func(p vips.WebpExportParams) func(*vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		p.Quality, p.ReductionEffort = 75, 0
		return func(ref *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) { return ref.ExportWebp(&p) }
	}
	tif := func(p vips.TiffExportParams) func(*vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		p.Compression = vips.TiffCompressionLzw
		return func(ref *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) { return ref.ExportTiff(&p) }
	}
	each("baseline.jpg", opaque, jpg(vips.JpegExportParams{}))
	each("progressive.jpg", opaque, jpg(vips.JpegExportParams{Interlace: true}))
	each("cmyk.jpg", func(ref *vips.ImageRef) error {
		if err := opaque(ref); err != nil {
			return err
		}
		return ref.ToColorSpace(vips.InterpretationCMYK)
	}, jpg(vips.JpegExportParams{}))
	each("8.png", opaque, png(vips.PngExportParams{}))
	each("alpha.png", nil, png(vips.PngExportParams{}))
	each("16.png", deep, png(vips.PngExportParams{Bitdepth: 16}))
	each("interlaced.png", opaque, png(vips.PngExportParams{Interlace: true}))
	each("interlaced16.png", deep, png(vips.PngExportParams{Interlace: true, Bitdepth: 16}))
	each("lossy.webp", opaque, webp(vips.WebpExportParams{}))
	each("alpha.webp", nil, webp(vips.WebpExportParams{}))
	each("lossless.webp", opaque, webp(vips.WebpExportParams{Lossless: true}))
	each("strips.tif", opaque, tif(vips.TiffExportParams{}))
	each("tiles.tif", opaque, tif(vips.TiffExportParams{Tile: true, TileWidth: 256, TileHeight: 256}))
	each("16.tif", deep, tif(vips.TiffExportParams{}))
	each("onestrip.tif", nil, func(ref *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		px, err := ref.ToBytes()
		if err != nil {
			return nil, nil, err
		}
		var b bytes.Buffer
		err = tiff.Encode(&b, &image.NRGBA{Pix: px, Stride: 4 * ref.Width(), Rect: image.Rect(0, 0, ref.Width(), ref.Height())}, &tiff.Options{Compression: tiff.Deflate})
		return b.Bytes(), nil, err
	})
	each("still.gif", opaque, func(ref *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
		return ref.ExportGIF(&vips.GifExportParams{Effort: 1, Bitdepth: 8})
	})
	data, err := os.ReadFile(filepath.Join(dir, "baseline.jpg"))
	must(err)
	lim := resize.DefaultLimits()
	lim.Memory = 0
	for name, f := range map[string]resize.Format{"picture.avif": resize.FormatAVIF, "picture.jxl": resize.FormatJXL} {
		r, err := tryRender(t.Context(), newEngine(t), data, resize.Options{Format: f}, lim)
		write(name, r.Body, err)
	}
	animation := animationOf(t, 20, 800, 500)
	write("animated.gif", animation, nil)
	write("animated.webp", render(t, animation, resize.Options{Format: resize.FormatWebP}).Body, nil)
	long := animationOf(t, 60, 800, 500)
	write("long.gif", long, nil)
	write("long.webp", render(t, long, resize.Options{Format: resize.FormatWebP}).Body, nil)
	large := animationOf(t, 4, 2400, 1800)
	write("large.gif", large, nil)
	write("large.webp", render(t, large, resize.Options{Format: resize.FormatWebP}).Body, nil)
	write("drawing.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300"><rect width="400" height="300" fill="teal"/><circle cx="200" cy="150" r="120" fill="gold" opacity=".7"/></svg>`), nil)
}

// faded lets a picture become transparent from top to bottom.
func faded(m *image.NRGBA) *image.NRGBA {
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = uint8(255 - 200*i/len(m.Pix))
	}
	return m
}

// animationOf returns a GIF whose frames all differ.
func animationOf(t *testing.T, frames, w, h int) []byte {
	var g gif.GIF
	for i := range frames {
		m := image.NewPaletted(image.Rect(0, 0, w, h), palette.WebSafe)
		draw.Draw(m, m.Rect, image.NewUniform(color.RGBA{uint8(i * 10), 80, 120, 255}), image.Point{}, draw.Src)
		draw.Draw(m, image.Rect(i*20, i*10, i*20+200, i*10+200), image.NewUniform(color.RGBA{250, uint8(i), 0, 255}), image.Point{}, draw.Src)
		g.Image, g.Delay = append(g.Image, m), append(g.Delay, 10)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// How far the estimate may be off: under the peak by a tenth, for content and allocators differ; over it by
// three times and what a small picture's constants make.
const (
	leastOfPeak = 0.9
	mostOfPeak  = 3
	constantKiB = 16 << 10
)

// TestMemoryAllocatedAsPlanned holds what the gate rests on: a plan's estimate is near the peak that a fresh
// process reaches, for every decoder, step and encoder. docs/memory.md has the table that it logs.
func TestMemoryAllocatedAsPlanned(t *testing.T) {
	dir := t.TempDir()
	costSources(t, dir)
	var table strings.Builder
	rows := costs()
	peaks := measured(t, dir, rows)
	for i, c := range rows {
		grown, planned := peaks[i].grown, peaks[i].planned
		fmt.Fprintf(&table, "| %s | `%s` | %.1f | %.1f | %.2f |\n", c.source, c.options,
			float64(planned)/1024, float64(grown)/1024, float64(planned)/float64(grown))
		if least := leastOfPeak * float64(grown-detectorKiB(grown)); float64(planned) < least {
			t.Errorf("%s %s: the peak grew by %d KiB, the plan says %d", c.source, c.options, grown, planned)
		}
		if most := mostOfPeak*grown + constantKiB; planned > most {
			t.Errorf("%s %s: the peak grew by %d KiB only, the plan says %d", c.source, c.options, grown, planned)
		}
	}
	t.Logf("libvips %s\n| original | options | planned MiB | measured MiB | ratio |\n|---|---|---|---|---|\n%s", vips.Version, table.String())
}

// peak is by how many KiB a child's peak grew, and what the plan said.
type peak struct{ grown, planned int }

// measured returns the peak of every row, as many at a time as there are processors.
func measured(t *testing.T, dir string, rows []costRow) []peak {
	t.Helper()
	all, errs := make([]peak, len(rows)), make([]error, len(rows))
	var next atomic.Int64
	var done sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		done.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(rows)); i = next.Add(1) - 1 {
				all[i], errs[i] = cost(t.Context(), filepath.Join(dir, rows[i].source), rows[i].options)
			}
		})
	}
	done.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return all
}

// cost renders in a process of its own.
func cost(ctx context.Context, path, options string) (p peak, err error) {
	self, err := os.Executable()
	if err != nil {
		return p, err
	}
	child := exec.CommandContext(ctx, self)
	child.Env = append(os.Environ(), childVariable+"="+path, optionsVariable+"="+options)
	out, err := child.CombinedOutput()
	if err != nil {
		return p, fmt.Errorf("%s %s: %w\n%s", path, options, err, out)
	}
	if _, err := fmt.Sscan(string(out), &p.grown, &p.planned); err != nil {
		return p, fmt.Errorf("%s %s: the child said %q", path, options, out)
	}
	return p, nil
}

// renderOptions is the child: it prints by how many KiB the peak grew, and what the plan said.
func renderOptions(path, text string) int {
	fail := func(err error) int {
		fmt.Println(err, causes(err))
		return 1
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fail(err)
	}
	e, err := libvips.New(libvips.Config{FormatsIn: append(resize.DefaultFormatsIn(), resize.FormatSVG, resize.FormatJXL)})
	if err != nil {
		return fail(err)
	}
	ctx, lim := context.Background(), resize.DefaultLimits()
	lim.Memory = 0
	src, err := e.Probe(ctx, data)
	if err != nil {
		return fail(err)
	}
	var plans []resize.Plan
	for text := range strings.FieldsSeq(text) {
		o, err := resize.Parse(text)
		if err != nil {
			return fail(err)
		}
		plan, err := o.Plan(src, lim)
		if err == nil && plan.Overlay.Image != "" {
			plan, err = plan.WithMark(data, src, lim)
		}
		if err != nil {
			return fail(err)
		}
		plans = append(plans, plan)
	}
	before := memoryLine("VmRSS:")
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // the peak begins anew
		return fail(err)
	}
	if _, err := e.Run(ctx, data, plans...); err != nil {
		return fail(err)
	}
	fmt.Println(memoryLine("VmHWM:")-before, resize.Together(plans...).Memory>>10)
	return 0
}
