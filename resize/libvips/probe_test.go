package libvips_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
)

func TestProbe(t *testing.T) {
	m := photo(50, 30)
	png := pngOf(t, m)
	convert := func(f resize.Format) []byte { return render(t, png, resize.Options{Format: f}).Body }
	tests := []struct {
		name string
		data []byte
		want resize.Source
	}{
		{"JPEG", withEXIF(jpegOf(t, m, 90), 6), resize.Source{Format: resize.FormatJPEG, Orientation: 6, Bands: 3}},
		{"JPEG of orientation 9", withEXIF(jpegOf(t, m, 90), 9), resize.Source{Format: resize.FormatJPEG, Orientation: 1, Bands: 3}},
		{"PNG", png, resize.Source{Format: resize.FormatPNG, Orientation: 1, Bands: 3}},
		{"WebP", convert(resize.FormatWebP), resize.Source{Format: resize.FormatWebP, Orientation: 1, Bands: 3}},
		{"AVIF", convert(resize.FormatAVIF), resize.Source{Format: resize.FormatAVIF, Orientation: 1, Bands: 3}},
		{"TIFF", tiffOf(m), resize.Source{Format: resize.FormatTIFF, Orientation: 1, Bands: 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := newEngine(t).Probe(t.Context(), tt.data)
			if err != nil {
				t.Fatal(err)
			}
			if got.Format != tt.want.Format || got.Width != 50 || got.Height != 30 || got.Orientation != tt.want.Orientation ||
				got.Pages != 1 || got.Animated || got.Alpha || got.Bands != tt.want.Bands || got.Depth != 8 || got.CMYK ||
				got.ICC != "" || got.Bytes != int64(len(tt.data)) || got.Progressive {
				t.Errorf("Probe = %+v", got)
			}
		})
	}
	src, err := newEngine(t).Probe(t.Context(), withEXIF(jpegOf(t, m, 90), 1))
	if err != nil {
		t.Fatal(err)
	}
	want := []resize.Tag{{Name: "Make", Value: camera}, {Name: "Artist", Value: artist}, {Name: "Copyright", Value: copyright}}
	if !slices.Equal(src.EXIF, want) {
		t.Errorf("EXIF = %v, want %v", src.EXIF, want)
	}
}

// TestRefused holds who is refused, and that it happens before libvips sees a byte.
func TestRefused(t *testing.T) {
	few, err := libvips.New(libvips.Config{FormatsIn: []resize.Format{resize.FormatPNG}})
	if err != nil {
		t.Fatal(err)
	}
	all := newEngine(t)
	jpeg := jpegOf(t, photo(20, 20), 90)
	svgz := append([]byte("\x1f\x8b\x08\x00"), bytes.Repeat([]byte{0}, 181)...)
	tests := []struct {
		name   string
		e      *libvips.Engine
		data   []byte
		status int
		code   string
	}{
		{"nothing", all, nil, 415, "not_an_image"},
		{"text", all, []byte("hello, this is no picture"), 415, "not_an_image"},
		{"HTML", all, []byte("<!doctype html><html></html>"), 415, "not_an_image"},
		{"not allowed", few, jpeg, 415, "unsupported_format"},
		{"SVG", all, []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`), 415, "unsupported_format"},
		{"gzip that makes libvips spin", all, svgz, 415, "not_an_image"},
		{"PDF", all, []byte("%PDF-1.4\n%rest of it"), 415, "unsupported_format"},
		{"three bytes", all, jpeg[:3], 415, "unsupported_format"},
		{"header alone", all, jpeg[:20], 422, "corrupt_image"},
		{"many scans", all, manyScans(progressive(t, photo(20, 20))), 422, "corrupt_image"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.e.Probe(t.Context(), tt.data)
			if s, code := status(err); s != tt.status || code != tt.code {
				t.Errorf("Probe = %v (%d %s), want %d %s", err, s, code, tt.status, tt.code)
			}
			if err != nil && strings.Contains(err.Error(), "goroutine") {
				t.Errorf("the public text shows the inside: %s", err)
			}
			if _, err := tt.e.Run(t.Context(), tt.data, resize.Plan{}); err == nil {
				t.Error("Run takes it")
			}
		})
	}
}

// progressive returns a progressive JPEG.
func progressive(t *testing.T, m *image.NRGBA) []byte {
	t.Helper()
	newEngine(t)
	ref, err := vips.NewImageFromMemory(m.Pix, m.Rect.Dx(), m.Rect.Dy(), 4, vips.BandFormatUchar, vips.InterpretationSRGB)
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	data, _, err := ref.ExportJpeg(&vips.JpegExportParams{Quality: 90, Interlace: true})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// manyScans repeats the first scan of a JPEG, and what follows it.
func manyScans(data []byte) []byte {
	at := bytes.Index(data, []byte("\xff\xda"))
	scan := data[at : len(data)-2]
	return append(append(append([]byte{}, data[:at]...), bytes.Repeat(scan, resize.MaxScans+1)...), 0xFF, 0xD9)
}

// TestScansAfterTheFirst holds what JPEGOneScan rests on: of a baseline file whose first scan has all
// components libjpeg decodes that one alone.
func TestScansAfterTheFirst(t *testing.T) {
	first := jpegOf(t, paint(64, 64, func(int, int) color.NRGBA { return color.NRGBA{20, 20, 20, 255} }), 90)
	other := jpegOf(t, paint(64, 64, func(int, int) color.NRGBA { return color.NRGBA{230, 230, 230, 255} }), 90)
	scan := other[bytes.Index(other, []byte("\xff\xda")) : len(other)-2]
	data := append(append(append([]byte{}, first[:len(first)-2]...), bytes.Repeat(scan, resize.MaxScans+1)...), 0xFF, 0xD9)
	if scans, _ := resize.JPEGScans(data); scans != resize.MaxScans+2 || !resize.JPEGOneScan(data) {
		t.Fatalf("%d scans, one is decoded: %v", scans, resize.JPEGOneScan(data))
	}
	src, err := newEngine(t).Probe(t.Context(), data)
	if err != nil || src.Progressive {
		t.Fatalf("Probe = %+v, %v", src, err)
	}
	for name, texts := range map[string][]string{"alone": {"w=32&f=png"}, "together": {"w=32&f=png", "w=16&f=png"}} {
		results, err := newEngine(t).Run(t.Context(), data, plansOf(t, src, texts...)...)
		if err != nil {
			t.Fatal(err, causes(err))
		}
		if got := decode(t, results[0].Body).NRGBAAt(16, 16); got.R > 40 {
			t.Errorf("%s: %v, another scan than the first is shown", name, got)
		}
	}
}

// TestBombs holds that a file which claims to be huge is known for it at once.
func TestBombs(t *testing.T) {
	claim := pngOf(t, image.NewNRGBA(image.Rect(0, 0, 1, 1)))
	binary.BigEndian.PutUint32(claim[16:], 64250)
	binary.BigEndian.PutUint32(claim[20:], 64250)
	binary.BigEndian.PutUint32(claim[29:], crc32.ChecksumIEEE(claim[12:29]))
	start := time.Now()
	_, err := tryRender(t.Context(), newEngine(t), claim, resize.Options{Width: 10}, resize.DefaultLimits())
	if s, code := status(err); s != 422 || code != "too_many_pixels" {
		t.Errorf("64250×64250 = %v, want 422 too_many_pixels", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
}

// TestTruncated holds that a cut file is refused, never shown in part, and nothing crashes.
func TestTruncated(t *testing.T) {
	m := photo(200, 150)
	png := pngOf(t, m)
	files := map[string][]byte{"JPEG": jpegOf(t, m, 90), "PNG": png, "TIFF": tiffOf(m)}
	for _, f := range []resize.Format{resize.FormatWebP, resize.FormatAVIF} {
		files[f.String()] = render(t, png, resize.Options{Format: f}).Body
	}
	gif := render(t, png, resize.Options{Format: resize.FormatGIF}).Body
	files["GIF"] = gif
	e := newEngine(t)
	for name, data := range files {
		for percent := range 100 {
			cut := data[:len(data)*percent/100]
			for _, o := range []resize.Options{{Width: 40}, {Format: resize.FormatPNG}} {
				_, err := tryRender(t.Context(), e, cut, o, resize.DefaultLimits())
				s, _ := status(err)
				if s != 415 && s != 422 && (percent <= 90 || err != nil) {
					t.Errorf("%s cut at %d %%: %v%s", name, percent, err, causes(err))
				}
			}
		}
	}
}

// TestExtraBytes holds that a JPEG at which decoders merely frown is shown.
func TestExtraBytes(t *testing.T) {
	data := jpegOf(t, photo(200, 150), 90)
	extra := append(append(bytes.Clone(data[:len(data)-2]), "extra bytes before the marker"...), 0xFF, 0xD9)
	at := bytes.Index(data, []byte("\xff\xda"))
	between := append(append(bytes.Clone(data[:at]), 0, 0, 0), data[at:]...)
	for name, d := range map[string][]byte{"before the end": extra, "between segments": between, "after the end": append(bytes.Clone(data), 1, 2, 3)} {
		if _, err := tryRender(t.Context(), newEngine(t), d, resize.Options{Width: 50}, resize.DefaultLimits()); err != nil {
			t.Errorf("%s: %v%s", name, err, causes(err))
		}
	}
}

// TestFlippedBytes holds that damage gives an error or a picture.
func TestFlippedBytes(t *testing.T) {
	m := photo(64, 48)
	png := pngOf(t, m)
	files := map[string][]byte{"JPEG": jpegOf(t, m, 90), "PNG": png, "TIFF": tiffOf(m)}
	for _, f := range []resize.Format{resize.FormatWebP, resize.FormatAVIF, resize.FormatGIF} {
		files[f.String()] = render(t, png, resize.Options{Format: f}).Body
	}
	e := newEngine(t)
	for name, data := range files {
		for i := 0; i < len(data); i += 1 + len(data)/60 {
			bad := bytes.Clone(data)
			bad[i] ^= 0x55
			_, err := tryRender(t.Context(), e, bad, resize.Options{Width: 20}, resize.DefaultLimits())
			if s, _ := status(err); err != nil && s != 415 && s != 422 {
				t.Errorf("%s with byte %d changed: %v", name, i, err)
			}
		}
	}
}

func TestFormats(t *testing.T) {
	abilities := map[resize.Format]libvips.Ability{}
	for _, a := range newEngine(t).Formats() {
		abilities[a.Format] = a
	}
	for _, f := range append(resize.DefaultFormatsIn(), resize.FormatJXL, resize.FormatSVG) {
		if !abilities[f].Load {
			t.Errorf("%v cannot be read here", f)
		}
	}
	if abilities[resize.FormatSVG].Save || abilities[resize.FormatHEIC].Save {
		t.Error("SVG or HEIC is said to be written")
	}
	for _, f := range append(written(), resize.FormatTIFF, resize.FormatJXL) {
		if !abilities[f].Save {
			t.Errorf("%v cannot be written here", f)
		}
	}
	if !strings.HasPrefix(libvips.Version(), "8.") {
		t.Errorf("Version = %q", libvips.Version())
	}
}
