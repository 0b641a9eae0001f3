package resize_test

import (
	"testing"

	"github.com/imgedge/imgedge/resize"
)

func TestFormats(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, mime, extension string
		alpha, raster         bool
		quality               int
	}{
		{"jpeg", "image/jpeg", "jpg", false, true, 80},
		{"png", "image/png", "png", true, true, 0},
		{"webp", "image/webp", "webp", true, true, 79},
		{"avif", "image/avif", "avif", true, true, 63},
		{"jxl", "image/jxl", "jxl", true, true, 77},
		{"gif", "image/gif", "gif", true, true, 0},
		{"tiff", "image/tiff", "tiff", true, true, 0},
		{"heic", "image/heic", "heic", true, false, 0},
		{"svg", "image/svg+xml", "svg", true, false, 0},
		{"pdf", "application/pdf", "pdf", false, false, 0},
		{"auto", "", "", false, false, 0},
		{"keep", "", "", false, false, 0},
		{"best", "", "", false, false, 0},
		{"raw", "", "", false, false, 0},
		{"json", "application/json", "json", false, false, 0},
		{"blurhash", "text/plain; charset=utf-8", "txt", false, false, 0},
	} {
		f, ok := resize.ParseFormat(test.name)
		if !ok || f.String() != test.name {
			t.Errorf("ParseFormat(%q) = %v, %v", test.name, f, ok)
		}
		if f.MIME() != test.mime || f.Extension() != test.extension || f.HasAlpha() != test.alpha || f.Raster() != test.raster || f.Quality() != test.quality {
			t.Errorf("%s: MIME %q, extension %q, alpha %t, raster %t, quality %d; want %+v", f, f.MIME(), f.Extension(), f.HasAlpha(), f.Raster(), f.Quality(), test)
		}
	}
	for _, name := range []string{"", "jpg", "JPEG", "unknown"} {
		if f, ok := resize.ParseFormat(name); ok {
			t.Errorf("ParseFormat(%q) = %v, want none", name, f)
		}
	}
	if f := resize.Format(200); f.String() != "unknown" || f.MIME() != "" || f.Extension() != "" {
		t.Error("a Format out of range has a name")
	}
}

func TestNamesOfValues(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		resize.FitCoverDown.String():      "cover-down",
		resize.GravityFocus.String():      "fp",
		resize.MetadataCopyright.String(): "copyright",
		resize.Gravity(99).String():       "unknown",
	} {
		if got != want {
			t.Errorf("String = %q, want %q", got, want)
		}
	}
}
