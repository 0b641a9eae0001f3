package libvips_test

import (
	"bytes"
	"testing"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/ssim"
)

// TestJXLSource holds that a JXL is refused unless let in, read like any other then, and an error of the
// client where it is broken.
func TestJXLSource(t *testing.T) {
	m := quadrants(80, 60)
	jxl := renderOpen(t, pngOf(t, m), resize.Options{Format: resize.FormatJXL, Lossless: true}).Body
	if _, err := newEngine(t).Probe(t.Context(), jxl); err == nil {
		t.Error("an engine that was not told to takes a JXL")
	}
	r := renderOpen(t, jxl, resize.Options{Format: resize.FormatPNG})
	if !bytes.Equal(decode(t, r.Body).Pix, m.Pix) {
		t.Error("px of a lossless JXL have changed")
	}
	r = renderOpen(t, jxl, resize.Options{Width: 20, Rotate: 90, Format: resize.FormatJPEG})
	if r.Width != 20 || r.Height != 27 {
		t.Errorf("%d×%d px, want 20×27", r.Width, r.Height)
	}
	for cut := range jxl {
		_, err := tryRender(t.Context(), open(t), jxl[:cut], resize.Options{Width: 20}, resize.DefaultLimits())
		if s, _ := status(err); s != 415 && s != 422 {
			t.Fatalf("cut to %d bytes of %d: %v", cut, len(jxl), err)
		}
	}
	for i := range jxl {
		other := bytes.Clone(jxl)
		other[i] ^= 0x55
		_, err := tryRender(t.Context(), open(t), other, resize.Options{Width: 20}, resize.DefaultLimits())
		if s, _ := status(err); err != nil && s != 415 && s != 422 {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
}

// TestMetadataOfJXL holds what goes into the container around a JXL.
func TestMetadataOfJXL(t *testing.T) {
	source := withXMP(withICC(withEXIF(jpegOf(t, photo(80, 60), 90), 6), profileOf("Wide", displayP3(), srgbLinear)), packet)
	for meta, tt := range map[resize.Metadata]struct{ want, not []string }{
		resize.MetadataNone:      {nil, []string{artist, copyright, camera, "dc:rights", "Exif"}},
		resize.MetadataCopyright: {[]string{artist, copyright, "All &amp; rights"}, []string{camera, "serial-4711"}},
		resize.MetadataAll:       {[]string{artist, copyright, camera, "serial-4711"}, nil},
	} {
		r := renderOpen(t, source, resize.Options{Width: 30, Format: resize.FormatJXL, Metadata: meta})
		for _, s := range tt.want {
			if !bytes.Contains(r.Body, []byte(s)) {
				t.Errorf("meta %d: %q is missing", meta, s)
			}
		}
		for _, s := range tt.not {
			if bytes.Contains(r.Body, []byte(s)) {
				t.Errorf("meta %d: %q is left", meta, s)
			}
		}
		if m := decode(t, r.Body); m.Rect.Dx() != 30 || m.Rect.Dy() != 40 {
			t.Errorf("meta %d: %v", meta, m.Rect)
		}
	}
	for _, format := range []resize.Format{resize.FormatJXL, resize.FormatTIFF} {
		wide := renderOpen(t, source, resize.Options{Width: 30, Format: format, KeepICC: true}).Body
		plain := renderOpen(t, source, resize.Options{Width: 30, Format: format}).Body
		if bytes.Equal(decode(t, wide).Pix, decode(t, plain).Pix) {
			t.Errorf("%v: icc=keep changes no numbers", format)
		}
		a := decode(t, renderOpen(t, wide, resize.Options{Format: resize.FormatPNG}).Body)
		b := decode(t, renderOpen(t, plain, resize.Options{Format: resize.FormatPNG}).Body)
		if got := ssim.CompareLuma(ssim.Luma(a.Pix, 4), ssim.Luma(b.Pix, 4), 30, 40); got < 0.97 {
			t.Errorf("%v: icc=keep and srgb differ once converted, SSIM %.3f", format, got)
		}
	}
}

func TestAuthorOfTIFF(t *testing.T) {
	source := withEXIF(jpegOf(t, photo(80, 60), 90), 1)
	for meta, want := range map[resize.Metadata]bool{resize.MetadataNone: false, resize.MetadataCopyright: true, resize.MetadataAll: true} {
		body := render(t, source, resize.Options{Width: 30, Format: resize.FormatTIFF, Metadata: meta}).Body
		for _, s := range []string{artist, copyright} {
			if bytes.Contains(body, []byte(s)) != want {
				t.Errorf("meta %d: %q is there: %v, want %v", meta, s, !want, want)
			}
		}
		plain := render(t, source, resize.Options{Width: 30, Format: resize.FormatTIFF}).Body
		if !bytes.Equal(decode(t, body).Pix, decode(t, plain).Pix) {
			t.Errorf("meta %d: other px", meta)
		}
	}
}
