package libvips_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image/color"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
	"github.com/imgedge/imgedge/resize/ssim"
)

// open returns an engine that takes every format.
func open(t testing.TB) *libvips.Engine {
	t.Helper()
	e, err := libvips.New(libvips.Config{FormatsIn: append(resize.DefaultFormatsIn(), resize.FormatJXL, resize.FormatSVG)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// renderOpen is render with such an engine.
func renderOpen(t testing.TB, data []byte, o resize.Options) resize.Result {
	t.Helper()
	r, err := tryRender(t.Context(), open(t), data, o, resize.DefaultLimits())
	if err != nil {
		t.Fatalf("%+v: %v%s", o, err, causes(err))
	}
	return r
}

// lumaOf returns the luma of an encoded still.
func lumaOf(t testing.TB, body []byte) []byte {
	t.Helper()
	newEngine(t)
	ref, err := vips.LoadImageFromBuffer(body, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	px, err := ref.ToBytes()
	if err != nil {
		t.Fatal(err)
	}
	return ssim.Luma(px, ref.Bands())
}

func TestTIFFAndJXL(t *testing.T) {
	m := photo(200, 150)
	cut := paint(60, 40, func(x, y int) color.NRGBA { return color.NRGBA{uint8(4 * x), uint8(6 * y), 99, uint8(255 - x*y%256)} })
	for _, format := range []resize.Format{resize.FormatTIFF, resize.FormatJXL} {
		r := renderOpen(t, pngOf(t, m), resize.Options{Format: format})
		if resize.Sniff(r.Body) != format || r.Format != format {
			t.Errorf("f=%v is %v", format, resize.Sniff(r.Body))
		}
		if got := ssim.CompareLuma(lumaOf(t, r.Body), ssim.Luma(m.Pix, 4), 200, 150); got < 0.95 {
			t.Errorf("f=%v: SSIM %.4f", format, got)
		}
		r = renderOpen(t, pngOf(t, cut), resize.Options{Format: format, Lossless: format == resize.FormatJXL})
		if got := decode(t, r.Body); !equalVisible(got.Pix, cut.Pix) {
			t.Errorf("f=%v changes px with alpha", format)
		}
		small := renderOpen(t, r.Body, resize.Options{Width: 30, Format: resize.FormatPNG})
		if small.Width != 30 || small.Height != 20 || decode(t, small.Body).Opaque() {
			t.Errorf("from %v: %d×%d px", format, small.Width, small.Height)
		}
	}
}

func equalVisible(a, b []byte) bool {
	for i := 0; i+4 <= len(a) && i+4 <= len(b); i += 4 {
		if b[i+3] > 0 && !bytes.Equal(a[i:i+4], b[i:i+4]) || a[i+3] != b[i+3] {
			return false
		}
	}
	return len(a) == len(b)
}

func TestPlaceholders(t *testing.T) {
	data := pngOf(t, quadrants(400, 300))
	thumb := render(t, data, resize.Options{Format: resize.FormatThumbHash})
	hash, err := base64.StdEncoding.DecodeString(string(thumb.Body))
	if err != nil || len(hash) < 20 || thumb.Format.MIME() != "text/plain; charset=utf-8" {
		t.Errorf("thumbhash is %q, %v", thumb.Body, err)
	}
	blur := render(t, data, resize.Options{Format: resize.FormatBlurHash})
	if len(blur.Body) != 28 || blur.Body[0] != 'L' {
		t.Errorf("blurhash is %q, want 28 characters for 4 × 3 components", blur.Body)
	}
	right := render(t, data, resize.Options{Format: resize.FormatThumbHash, Crop: resize.Region{X: 50, W: 50, H: 100, Percent: true}})
	if bytes.Equal(right.Body, thumb.Body) {
		t.Error("a crop has the thumbhash of the whole")
	}
	large := render(t, data, resize.Options{Format: resize.FormatThumbHash, Width: 400})
	if len(large.Body) != len(thumb.Body) {
		t.Errorf("thumbhash at 400 px is %q, want as at 100 px: %q", large.Body, thumb.Body)
	}
}

func TestJSON(t *testing.T) {
	source := withEXIF(jpegOf(t, quadrants(80, 60), 95), 6)
	r := render(t, source, resize.Options{Format: resize.FormatJSON})
	var got struct {
		Format                      string
		Width, Height, Frames       int
		Orientation                 int
		EXIF                        map[string]string
		AverageColor                string   `json:"average_color"`
		DominantColors              []string `json:"dominant_colors"`
		ThumbHash, BlurHash, Secret string
	}
	if err := json.Unmarshal(r.Body, &got); err != nil {
		t.Fatalf("%s: %v", r.Body, err)
	}
	if got.Format != "jpeg" || got.Width != 60 || got.Height != 80 || got.Orientation != 6 || got.Frames != 1 {
		t.Errorf("JSON = %s", r.Body)
	}
	if got.EXIF["Artist"] != artist || got.EXIF["Copyright"] != copyright || got.EXIF["Make"] != camera {
		t.Errorf("EXIF = %v", got.EXIF)
	}
	if len(got.DominantColors) != 4 || got.AverageColor == "" || got.ThumbHash == "" || got.BlurHash[0] != 'T' {
		t.Errorf("what is seen: %s", r.Body)
	}
	if bytes.Contains(r.Body, []byte("GPS")) {
		t.Errorf("JSON shows a position: %s", r.Body)
	}
}

func TestMaxBytes(t *testing.T) {
	data := pngOf(t, photo(300, 200))
	for _, format := range []resize.Format{resize.FormatJPEG, resize.FormatWebP, resize.FormatAVIF, resize.FormatJXL} {
		full := renderOpen(t, data, resize.Options{Format: format})
		limit := len(full.Body) * 6 / 10
		r := renderOpen(t, data, resize.Options{Format: format, MaxBytes: limit})
		if len(r.Body) > limit || len(r.Body) < limit*7/10 {
			t.Errorf("mb=%d as %v: %d bytes of %d", limit, format, len(r.Body), len(full.Body))
		}
		roomy := renderOpen(t, data, resize.Options{Format: format, MaxBytes: len(full.Body)})
		if !bytes.Equal(roomy.Body, full.Body) {
			t.Errorf("mb above the size changes a %v", format)
		}
		least := renderOpen(t, data, resize.Options{Format: format, Quality: 1})
		tiny := renderOpen(t, data, resize.Options{Format: format, MaxBytes: 256})
		if len(tiny.Body) > len(least.Body) {
			t.Errorf("mb=256 as %v: %d bytes, but q=1 gives %d", format, len(tiny.Body), len(least.Body))
		}
	}
}
