package libvips_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/ssim"
)

// pictures returns the corpus that IMGEDGE_CORPUS names, or else a few of our own making.
func pictures(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{
		"small.jpg":  withEXIF(jpegOf(t, photo(640, 480), 92), 6),
		"wide.jpg":   withICC(jpegOf(t, photo(500, 200), 92), profileOf("Adobe RGB (1998)", adobeRGB(), adobeLinear)),
		"square.png": pngOf(t, photo(333, 333)),
	}
	dir := os.Getenv("IMGEDGE_CORPUS")
	if dir == "" {
		return files
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".md") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = data
	}
	return files
}

// TestCorpus takes every photograph through every fit and every format: exact size, upright, no metadata.
// Which fit goes with which format changes from picture to picture, so that each pair occurs.
func TestCorpus(t *testing.T) {
	e := newEngine(t)
	files := pictures(t)
	for n, name := range slices.Sorted(maps.Keys(files)) {
		data := files[name]
		t.Run(name, func(t *testing.T) {
			src, err := e.Probe(t.Context(), data)
			if err != nil {
				t.Fatal(err)
			}
			w, h := src.Upright()
			tall := max(1, (2*240*h+w)/(2*w))
			fits := []struct {
				name string
				o    resize.Options
				size image.Point
			}{
				{"contain", resize.Options{Width: 240}, image.Pt(240, tall)},
				{"cover", resize.Options{Width: 200, Height: 160, Fit: resize.FitCover, Gravity: resize.GravityNorthWest}, image.Pt(200, 160)},
				{"pad", resize.Options{Width: 180, Height: 240, Fit: resize.FitPad}, image.Pt(180, 240)},
				{"crop", resize.Options{Crop: resize.Region{X: 25, Y: 25, W: 50, H: 50, Percent: true}, Width: 120, Height: 120, Fit: resize.FitStretch}, image.Pt(120, 120)},
			}
			for i, format := range written() {
				fit := fits[(n+i)%len(fits)]
				fit.o.Format = format
				r, err := tryRender(t.Context(), e, data, fit.o, resize.DefaultLimits())
				if err != nil {
					t.Fatalf("%s as %v: %v%s", fit.name, format, err, causes(err))
				}
				plain(t, fmt.Sprintf("%s as %v", fit.name, format), r.Body, fit.size, src.Animated)
			}
		})
	}
}

// plain checks size, orientation and metadata of a result.
func plain(t *testing.T, what string, body []byte, size image.Point, animated bool) {
	t.Helper()
	src, err := newEngine(t).Probe(t.Context(), body)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if src.Width != size.X || src.Height != size.Y {
		t.Errorf("%s: %d×%d, want %v", what, src.Width, src.Height, size)
	}
	// libvips makes up EXIF fields for a WebP, so the chunk itself is looked for.
	for _, mark := range []string{"Exif\x00\x00", "EXIF", "ns.adobe.com", "http://www.w3.org"} {
		if bytes.Contains(body, []byte(mark)) {
			t.Errorf("%s: %q is left", what, mark)
		}
	}
	if src.Orientation != 1 || src.ICC != "" {
		t.Errorf("%s: orientation %d, profile %q", what, src.Orientation, src.ICC)
	}
	if src.Pages > 1 && !animated {
		t.Errorf("%s: %d pages", what, src.Pages)
	}
}

// TestAgainstVipsthumbnail compares with libvips' own command line of the same size, which `make test`
// installs: what is not lossy of every picture, and one lossy format in turn.
func TestAgainstVipsthumbnail(t *testing.T) {
	tool, err := exec.LookPath("vipsthumbnail")
	if err != nil {
		t.Fatalf("%v: it is in the package libvips-tools", err)
	}
	lossyFormats := []resize.Format{resize.FormatJPEG, resize.FormatWebP, resize.FormatAVIF}
	files := pictures(t)
	for n, name := range slices.Sorted(maps.Keys(files)) {
		data := files[name]
		t.Run(name, func(t *testing.T) {
			r := render(t, data, resize.Options{Width: 300, Format: resize.FormatPNG, Still: true})
			got := decode(t, r.Body)
			want := thumbnail(t, tool, data, r.Width, r.Height)
			if want.Rect.Size() != got.Rect.Size() {
				t.Fatalf("%v, vipsthumbnail %v", got.Rect.Size(), want.Rect.Size())
			}
			diff, shift := ssim.MeanDifference(got, want)
			s := ssim.Compare(got, want)
			t.Logf("mean difference %.2f, shift %.2f, SSIM %.4f", diff, shift, s)
			if diff > 2 || shift > 1 || s < 0.97 {
				t.Errorf("mean difference %.2f, shift %.2f, SSIM %.4f", diff, shift, s)
			}
			format := lossyFormats[n%len(lossyFormats)]
			lossy := decode(t, render(t, data, resize.Options{
				Width: 300, Format: format, Still: true, Quality: 95,
				Background: resize.Background{Kind: resize.BackgroundColor, Color: resize.Color{A: 255}},
			}).Body)
			if d, shift := ssim.MeanDifference(lossy, want); d > 4 || shift > 1.2 {
				t.Errorf("%v: mean difference %.2f, shift %.2f", format, d, shift)
			}
		})
	}
}

func thumbnail(t *testing.T, tool string, data []byte, w, h int) *image.NRGBA {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out.png")
	if err := os.WriteFile(in, data, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--size", strconv.Itoa(w) + "x" + strconv.Itoa(h) + "!", "-o", out}
	if src, err := newEngine(t).Probe(t.Context(), data); err == nil && src.ICC != "" {
		args = append(args, "--export-profile", "srgb") // left out, px keep the meaning of their own profile
	}
	cmd := exec.CommandContext(t.Context(), tool, append(args, in)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	body, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, body)
}

// TestHostile takes whatever IMGEDGE_HOSTILE names, and a few of our own: an error of the client or a
// picture, soon, and no crash. Time is that of the processors: the machine may have other work.
func TestHostile(t *testing.T) {
	files := map[string][]byte{
		"empty":        {},
		"svgz":         append([]byte("\x1f\x8b\x08\x00"), make([]byte, 181)...),
		"many scans":   manyScans(progressive(t, photo(20, 20))),
		"scans behind": manyScans(jpegOf(t, photo(20, 20), 90)),
		"half a photo": jpegOf(t, photo(200, 200), 90)[:3000],
	}
	if dir := os.Getenv("IMGEDGE_HOSTILE"); dir != "" {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files[path], err = os.ReadFile(path)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	e := newEngine(t)
	answers := map[string]int{}
	for name, data := range files {
		start := cpu()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := e.Probe(ctx, data)
		if took := cpu() - start; took > 500 {
			t.Errorf("%s: the probe took %.0f ms", name, took)
		}
		if err == nil {
			_, err = tryRender(ctx, e, data, resize.Options{Width: 200, Format: resize.FormatJPEG}, resize.DefaultLimits())
		}
		cancel()
		s, code := status(err)
		answers[code]++
		if err != nil && s != 415 && s != 422 {
			t.Errorf("%s: %v", name, err)
		}
		if took := cpu() - start; took > 5000 {
			t.Errorf("%s: took %.0f ms, %v", name, took, err)
		}
	}
	t.Logf("%d files: %v", len(files), answers)
}
