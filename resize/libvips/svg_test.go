package libvips_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"image"
	"image/color"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/imgedge/imgedge/resize"
)

const flagSVG = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">
<rect width="20" height="10" fill="#ff0000"/><rect x="20" width="20" height="10" fill="#00ff00"/>
<rect y="10" width="20" height="10" fill="#0000ff"/></svg>`

func alikePx(a, b color.NRGBA) bool {
	d := func(x, y uint8) bool { return math.Abs(float64(x)-float64(y)) <= 3 }
	return d(a.A, b.A) && (b.A == 0 || d(a.R, b.R) && d(a.G, b.G) && d(a.B, b.B))
}

// TestSVG holds that an SVG is drawn at the size asked for, not enlarged from its own.
func TestSVG(t *testing.T) {
	red, green, blue, clear := color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 255, 0, 255}, color.NRGBA{0, 0, 255, 255}, color.NRGBA{}
	quarters := [4]color.NRGBA{red, green, blue, clear}
	tests := []struct {
		name string
		o    resize.Options
		w, h int
		want [4]color.NRGBA // in the middle of each quarter
	}{
		{"own size", resize.Options{}, 40, 20, quarters},
		{"larger", resize.Options{Width: 400}, 400, 200, quarters},
		{"smaller", resize.Options{Width: 10}, 10, 5, quarters},
		{"odd", resize.Options{Width: 333}, 333, 167, quarters},
		{"with dpr", resize.Options{Width: 100, DPR: 3}, 300, 150, quarters},
		{"stretched", resize.Options{Width: 100, Height: 300, Fit: resize.FitStretch}, 100, 300, quarters},
		{"cover", resize.Options{Width: 100, Height: 100, Fit: resize.FitCover, Gravity: resize.GravityWest}, 100, 100, [4]color.NRGBA{red, red, blue, blue}},
		{"crop", resize.Options{Crop: resize.Region{X: 20, W: 20, H: 10}, Width: 500}, 500, 250, [4]color.NRGBA{green, green, green, green}},
		{"turned", resize.Options{Rotate: 90, Width: 100}, 100, 200, [4]color.NRGBA{blue, red, clear, green}},
		{"a corner, far enlarged", resize.Options{Crop: resize.Region{W: 1, H: 1}, Width: 3000}, 3000, 3000, [4]color.NRGBA{red, red, red, red}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Format = resize.FormatPNG
			m := decode(t, renderOpen(t, []byte(flagSVG), tt.o).Body)
			if m.Rect.Dx() != tt.w || m.Rect.Dy() != tt.h {
				t.Fatalf("%v, want %d×%d", m.Rect, tt.w, tt.h)
			}
			for i, want := range tt.want {
				x, y := tt.w/4+i%2*tt.w/2, tt.h/4+i/2*tt.h/2
				if got := m.NRGBAAt(x, y); !alikePx(got, want) {
					t.Errorf("px %d,%d is %v, want %v", x, y, got, want)
				}
			}
			if tt.name == "larger" { // an edge that was enlarged would be soft
				if a, b := m.NRGBAAt(198, 50), m.NRGBAAt(201, 50); !alikePx(a, red) || !alikePx(b, green) {
					t.Errorf("the edge is soft: %v, %v", a, b)
				}
			}
		})
	}
}

// TestSVGSizes holds that a drawing whose own size is no whole number of px is drawn to its edges.
func TestSVGSizes(t *testing.T) {
	for _, size := range []string{
		`width="24.4" height="12.2"`, `width="0.6in" height="0.3in"`, `width="24" height="12"`, `viewBox="0 0 24.4 12.2"`,
		`width="7.5" height="3.75"`, `width="100%" height="100%" viewBox="0 0 48 24"`,
	} {
		data := []byte(`<svg xmlns="http://www.w3.org/2000/svg" ` + size + `><rect width="200%" height="200%" fill="#ff0000"/></svg>`)
		for _, width := range []int{10, 100, 487, 1001} {
			m := decode(t, renderOpen(t, data, resize.Options{Width: width, Format: resize.FormatPNG}).Body)
			w, h := m.Rect.Dx(), m.Rect.Dy()
			if w != width || math.Abs(float64(h)-float64(width)/2) > float64(width)/14 {
				t.Errorf("%s at %d: %v", size, width, m.Rect)
			}
			for _, at := range []image.Point{{w / 99, h / 49}, {w - 1 - w/99, h / 49}, {w / 99, h - 1 - h/49}, {w - 1 - w/99, h - 1 - h/49}} {
				if got := m.NRGBAAt(at.X, at.Y); !alikePx(got, color.NRGBA{255, 0, 0, 255}) {
					t.Errorf("%s at %d: px %v is %v", size, width, at, got)
				}
			}
		}
	}
}

func TestSVGIsCleaned(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret.png")
	if err := os.WriteFile(secret, pngOf(t, quadrants(20, 20)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, inside := range map[string]string{
		"file":     `<image href="file://` + secret + `" width="20" height="20"/>`,
		"path":     `<image href="` + secret + `" width="20" height="20"/>`,
		"XInclude": `<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="` + secret + `"/>`,
		"fill":     `<rect width="20" height="20" fill="none" style="fill:url(file://` + secret + `#a)"/>`,
	} {
		m := decode(t, renderOpen(t, []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">`+inside+`</svg>`),
			resize.Options{Format: resize.FormatPNG}).Body)
		for i := 3; i < len(m.Pix); i += 4 {
			if m.Pix[i] != 0 {
				t.Errorf("%s: something is drawn", name)
				break
			}
		}
	}
}

func TestSVGRefused(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write([]byte(flagSVG)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if r := renderOpen(t, z.Bytes(), resize.Options{Width: 80, Format: resize.FormatPNG}); r.Width != 80 || r.Height != 40 {
		t.Errorf("svgz: %d×%d", r.Width, r.Height)
	}
	for name, tt := range map[string]struct {
		data   string
		status int
		code   string
	}{
		"huge":        {`<svg xmlns="http://www.w3.org/2000/svg" width="1000000" height="1000000"/>`, 422, "too_many_pixels"},
		"huge box":    {`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1e6 1e6"/>`, 422, "too_many_pixels"},
		"broken":      {`<svg xmlns="http://www.w3.org/2000/svg"><g>`, 422, "corrupt_image"},
		"entity bomb": {`<!DOCTYPE svg [<!ENTITY a "a">]><svg xmlns="http://www.w3.org/2000/svg"/>`, 422, "corrupt_image"},
	} {
		_, err := tryRender(t.Context(), open(t), []byte(tt.data), resize.Options{Width: 30}, resize.DefaultLimits())
		if s, code := status(err); s != tt.status || code != tt.code {
			t.Errorf("%s: %v (%d %s), want %d %s", name, err, s, code, tt.status, tt.code)
		}
	}
	for _, data := range [][]byte{[]byte(flagSVG), z.Bytes()} {
		if _, err := newEngine(t).Probe(t.Context(), data); err == nil {
			t.Error("an engine that was not told to takes an SVG")
		}
	}
}

// TestHostileOpen takes the files of IMGEDGE_HOSTILE with every format let in.
func TestHostileOpen(t *testing.T) {
	dir := os.Getenv("IMGEDGE_HOSTILE")
	if dir == "" {
		return
	}
	e, answers := open(t), map[string]int{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if f := resize.Sniff(data); f != resize.FormatSVG && f != resize.FormatJXL {
			return nil
		}
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err = tryRender(ctx, e, data, resize.Options{Width: 600, Format: resize.FormatPNG}, resize.DefaultLimits())
		s, code := status(err)
		answers[code]++
		if err != nil && s != 415 && s != 422 {
			t.Errorf("%s: %v", path, err)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("%s: took %v, %v", path, took, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v", answers)
}
