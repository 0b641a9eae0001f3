package libvips_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"testing"
	"time"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/ssim"
)

// written are the formats the engine makes.
func written() []resize.Format {
	return []resize.Format{resize.FormatJPEG, resize.FormatPNG, resize.FormatWebP, resize.FormatAVIF, resize.FormatGIF}
}

// TestGravity holds the kept corner exactly: px carry their own place, and nothing is scaled.
func TestGravity(t *testing.T) {
	place := func(w, h int) []byte {
		return pngOf(t, paint(w, h, func(x, y int) color.NRGBA { return color.NRGBA{uint8(x), uint8(y), 9, 255} }))
	}
	wide, tall := place(200, 100), place(100, 200)
	tests := []struct {
		g                 resize.Gravity
		wideLeft, tallTop uint8
	}{
		{resize.GravityCenter, 50, 50},
		{resize.GravityNorth, 50, 0},
		{resize.GravityNorthEast, 100, 0},
		{resize.GravityEast, 100, 50},
		{resize.GravitySouthEast, 100, 100},
		{resize.GravitySouth, 50, 100},
		{resize.GravitySouthWest, 0, 100},
		{resize.GravityWest, 0, 50},
		{resize.GravityNorthWest, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.g.String(), func(t *testing.T) {
			o := resize.Options{Width: 100, Height: 100, Fit: resize.FitCover, Gravity: tt.g, Format: resize.FormatPNG}
			if got := decode(t, render(t, wide, o).Body).NRGBAAt(0, 0); got != (color.NRGBA{tt.wideLeft, 0, 9, 255}) {
				t.Errorf("wide: first px comes from %d,%d, want %d,0", got.R, got.G, tt.wideLeft)
			}
			if got := decode(t, render(t, tall, o).Body).NRGBAAt(0, 0); got != (color.NRGBA{0, tt.tallTop, 9, 255}) {
				t.Errorf("tall: first px comes from %d,%d, want 0,%d", got.R, got.G, tt.tallTop)
			}
		})
	}
	o := resize.Options{
		Width: 100, Height: 100, Fit: resize.FitCover, Format: resize.FormatPNG,
		Gravity: resize.GravityFocus, FocusX: 0.3, FocusY: 0.5,
	}
	if got := decode(t, render(t, wide, o).Body).NRGBAAt(0, 0); got.R != 10 {
		t.Errorf("focus at 60 px: first px comes from %d, want 10", got.R)
	}
}

// TestUpright holds all eight EXIF orientations, alone and with rot and flip, against px moved one
// by one in Go, and that no tag is left.
func TestUpright(t *testing.T) {
	for orientation := 1; orientation <= 8; orientation++ {
		want := quadrants(64, 48)
		stored := unturn(want, orientation)
		data := withEXIF(jpegOf(t, stored, 95), orientation)
		for _, format := range written() {
			body := render(t, data, resize.Options{Format: format}).Body
			sameQuarters(t, fmt.Sprintf("orientation %d to %v", orientation, format), decode(t, body), want)
			if tag := orientationTag(t, body); tag > 1 {
				t.Errorf("orientation %d to %v: tag %d is left", orientation, format, tag)
			}
		}
		body := render(t, data, resize.Options{NoOrient: true, Format: resize.FormatPNG}).Body
		sameQuarters(t, fmt.Sprintf("orientation %d ignored", orientation), decode(t, body), stored)
		body = render(t, data, resize.Options{Rotate: 90, FlipH: true, Width: 24, Format: resize.FormatPNG}).Body
		sameQuarters(t, fmt.Sprintf("orientation %d, turned and mirrored", orientation), decode(t, body),
			mirrored(turned(quadrants(32, 24))))
		crop := resize.Options{Crop: resize.Region{X: 32, Y: 0, W: 32, H: 24}, Width: 10, Format: resize.FormatPNG}
		got := decode(t, render(t, data, crop).Body)
		for _, p := range []image.Point{{1, 1}, {8, 1}, {8, 6}} {
			if c := got.NRGBAAt(p.X, p.Y); !near(c, color.NRGBA{0, 255, 0, 255}, 12) {
				t.Errorf("orientation %d, upper right cropped: %v at %v, want green", orientation, c, p)
			}
		}
	}
}

// sameQuarters compares the middles of the four quarters.
func sameQuarters(t *testing.T, what string, got, want *image.NRGBA) {
	t.Helper()
	if got.Rect.Size() != want.Rect.Size() {
		t.Errorf("%s: %v, want %v", what, got.Rect.Size(), want.Rect.Size())
		return
	}
	w, h := got.Rect.Dx(), got.Rect.Dy()
	for _, p := range []image.Point{{w / 4, h / 4}, {3 * w / 4, h / 4}, {w / 4, 3 * h / 4}, {3 * w / 4, 3 * h / 4}} {
		if a, b := got.NRGBAAt(p.X, p.Y), want.NRGBAAt(p.X, p.Y); !near(a, b, 30) {
			t.Errorf("%s: %v at %v, want %v", what, a, p, b)
		}
	}
}

// unturn returns how a picture is stored under an EXIF orientation.
func unturn(m *image.NRGBA, orientation int) *image.NRGBA {
	switch orientation {
	case 2:
		return mirrored(m)
	case 3:
		return turned(turned(m))
	case 4:
		return mirrored(turned(turned(m)))
	case 5:
		return mirrored(turned(m))
	case 6:
		return turned(turned(turned(m)))
	case 7:
		return mirrored(turned(turned(turned(m))))
	case 8:
		return turned(m)
	default:
		return m
	}
}

// turned rotates by 90 degrees clockwise.
func turned(m *image.NRGBA) *image.NRGBA {
	h := m.Rect.Dy()
	return paint(h, m.Rect.Dx(), func(x, y int) color.NRGBA { return m.NRGBAAt(y, h-1-x) })
}

func mirrored(m *image.NRGBA) *image.NRGBA {
	w := m.Rect.Dx()
	return paint(w, m.Rect.Dy(), func(x, y int) color.NRGBA { return m.NRGBAAt(w-1-x, y) })
}

func orientationTag(t *testing.T, body []byte) int {
	t.Helper()
	ref, err := vips.LoadImageFromBuffer(body, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	return ref.Orientation()
}

// TestWideGamut converts by the embedded profile, and compares with the mathematics of the spaces.
func TestWideGamut(t *testing.T) {
	m := photo(240, 160)
	for _, space := range []struct {
		name   string
		matrix matrix
		linear func(float64) float64
	}{
		{"Display P3", displayP3(), srgbLinear},
		{"Adobe RGB (1998)", adobeRGB(), adobeLinear},
	} {
		t.Run(space.name, func(t *testing.T) {
			data := withICC(jpegOf(t, m, 100), profileOf(space.name, space.matrix, space.linear))
			plain := decode(t, render(t, jpegOf(t, m, 100), resize.Options{Format: resize.FormatPNG}).Body)
			want := toSRGB(plain, space.matrix, space.linear)
			if d, _ := ssim.MeanDifference(plain, want); d < 3 {
				t.Fatalf("the test's picture hardly changes: %.2f", d)
			}
			for _, format := range written()[:4] {
				got := decode(t, render(t, data, resize.Options{Format: format, Quality: quality(format)}).Body)
				if d, shift := ssim.MeanDifference(got, want); d > 2.5 || shift > 0.5 {
					t.Errorf("%v: mean difference %.2f, shift %.2f", format, d, shift)
				}
			}
			body := render(t, data, resize.Options{KeepICC: true, Format: resize.FormatPNG}).Body
			if d, _ := ssim.MeanDifference(decodeRaw(t, body), plain); d > 0 {
				t.Errorf("icc=keep changes px by %.2f", d)
			}
			for _, format := range written()[:4] {
				body := render(t, data, resize.Options{KeepICC: true, Format: format, Width: 100}).Body
				src, err := newEngine(t).Probe(t.Context(), body)
				if err != nil || src.ICC != space.name {
					t.Errorf("icc=keep as %v: profile %q, %v", format, src.ICC, err)
				}
			}
		})
	}
}

// decodeRaw returns the numbers of a PNG, whatever profile it has.
func decodeRaw(t *testing.T, body []byte) *image.NRGBA {
	t.Helper()
	m, _, err := image.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return toNRGBA(m)
}

// quality returns one at which coding errors do not hide what is tested.
func quality(f resize.Format) int {
	if f == resize.FormatPNG || f == resize.FormatGIF {
		return 0
	}
	return 98
}

// TestSRGBProfileIsNoConversion holds that px with an sRGB profile stay as they are.
func TestSRGBProfileIsNoConversion(t *testing.T) {
	data := jpegOf(t, photo(120, 90), 95)
	tagged := withICC(data, profileOf("c2", srgbSpace(), srgbLinear))
	o := resize.Options{Format: resize.FormatPNG}
	if !bytes.Equal(render(t, data, o).Body, render(t, tagged, o).Body) {
		t.Error("an sRGB profile changes px")
	}
}

// TestBrokenProfile holds that a profile nobody can read refuses no picture.
func TestBrokenProfile(t *testing.T) {
	data := jpegOf(t, photo(120, 90), 95)
	profile := profileOf("x", displayP3(), srgbLinear)
	for name, bad := range map[string][]byte{
		"garbage": bytes.Repeat([]byte("x"), 300), "cut": profile[:200], "of gray": bytes.Replace(profile, []byte("RGB "), []byte("GRAY"), 1),
	} {
		got := decode(t, render(t, withICC(data, bad), resize.Options{Format: resize.FormatPNG}).Body)
		if d, _ := ssim.MeanDifference(got, decode(t, data)); d > 3 {
			t.Errorf("%s: mean difference %.2f", name, d)
		}
	}
}

func TestCMYK(t *testing.T) {
	newEngine(t)
	const side = 64
	inks := make([]byte, 0, side*side*4)
	for y := range side {
		for x := range side {
			inks = append(inks, []byte{
				255 * byte(2*x/side), 255 * byte(2*y/side), 0, 0,
			}...)
		}
	}
	ref, err := vips.NewImageFromMemory(inks, side, side, 4, vips.BandFormatUchar, vips.InterpretationCMYK)
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	data, _, err := ref.ExportJpeg(&vips.JpegExportParams{Quality: 98})
	if err != nil {
		t.Fatal(err)
	}
	src, err := newEngine(t).Probe(t.Context(), data)
	if err != nil || !src.CMYK || src.Alpha {
		t.Fatalf("Probe = %+v, %v", src, err)
	}
	for _, format := range written() {
		got := decode(t, render(t, data, resize.Options{Format: format, Width: 32}).Body)
		white, cyan, magenta, blue := got.NRGBAAt(8, 8), got.NRGBAAt(24, 8), got.NRGBAAt(8, 24), got.NRGBAAt(24, 24)
		if !near(white, color.NRGBA{255, 255, 255, 255}, 8) || cyan.R > 90 || cyan.B < 180 || magenta.G > 90 || magenta.R < 180 ||
			blue.B < 90 || blue.R > 110 || blue.G > 110 {
			t.Errorf("%v: paper %v, cyan %v, magenta %v, both %v", format, white, cyan, magenta, blue)
		}
	}
}

func TestSixteenBits(t *testing.T) {
	m := image.NewNRGBA64(image.Rect(0, 0, 64, 64))
	for y := range 64 {
		for x := range 64 {
			m.SetNRGBA64(x, y, color.NRGBA64{uint16(x * 1040), uint16(y * 1040), 40000, uint16(0xFFFF - 500*x)})
		}
	}
	data := pngOf(t, m)
	src, err := newEngine(t).Probe(t.Context(), data)
	if err != nil || src.Depth != 16 || !src.Alpha {
		t.Fatalf("Probe = %+v, %v", src, err)
	}
	got := decode(t, render(t, data, resize.Options{Format: resize.FormatPNG}).Body)
	for _, p := range []image.Point{{0, 0}, {20, 40}, {63, 63}} {
		want := m.NRGBA64At(p.X, p.Y)
		if c := got.NRGBAAt(p.X, p.Y); !near(c, color.NRGBA{uint8(want.R >> 8), uint8(want.G >> 8), uint8(want.B >> 8), uint8(want.A >> 8)}, 1) {
			t.Errorf("%v at %v, want %v", c, p, want)
		}
	}
	half := decode(t, render(t, data, resize.Options{Format: resize.FormatPNG, Width: 32}).Body)
	if c := half.NRGBAAt(16, 16); !near(c, color.NRGBA{135, 135, 156, 190}, 6) {
		t.Errorf("halved: %v", c)
	}
}

// TestNoHalo holds that what shows through nothing does not color what is seen: opaque red beside
// transparent green stays red at every alpha.
func TestNoHalo(t *testing.T) {
	data := pngOf(t, paint(256, 256, func(x, y int) color.NRGBA {
		if (x/5+y/7)%2 == 0 {
			return color.NRGBA{255, 0, 0, 255}
		}
		return color.NRGBA{0, 255, 0, 0}
	}))
	for _, o := range []resize.Options{
		{Format: resize.FormatPNG, Width: 100},
		{Format: resize.FormatPNG, Width: 20},
		{Format: resize.FormatPNG, Width: 400, Enlarge: true},
		{Format: resize.FormatWebP, Lossless: true, Width: 99},
	} {
		got := decode(t, render(t, data, o).Body)
		for i := 0; i < len(got.Pix); i += 4 {
			if c := got.Pix[i : i+4]; c[3] > 16 && (c[0] < 240 || c[1] > 8) {
				t.Errorf("%+v: px %v", o, c)
				break
			}
		}
	}
	flat := decode(t, render(t, data, resize.Options{Format: resize.FormatJPEG, Quality: 95, Width: 20}).Body)
	if c := flat.NRGBAAt(10, 10); c.R < 225 || c.G < 60 || c.G > 190 {
		t.Errorf("on white: %v, want a mixture of red and white", c)
	}
}

func TestBackground(t *testing.T) {
	glass := pngOf(t, paint(40, 20, func(int, int) color.NRGBA { return color.NRGBA{255, 0, 0, 128} }))
	opaque := pngOf(t, paint(40, 20, func(int, int) color.NRGBA { return color.NRGBA{255, 0, 0, 255} }))
	gray := pngOf(t, image.NewGray(image.Rect(0, 0, 40, 20)))
	bg := func(r, g, b, a uint8) resize.Background {
		return resize.Background{Kind: resize.BackgroundColor, Color: resize.Color{R: r, G: g, B: b, A: a}}
	}
	tests := []struct {
		name         string
		data         []byte
		o            resize.Options
		inside, edge color.NRGBA
	}{
		{"flattened on white", glass, resize.Options{Format: resize.FormatJPEG}, color.NRGBA{255, 127, 127, 255}, color.NRGBA{255, 127, 127, 255}},
		{"flattened on bg", glass, resize.Options{Format: resize.FormatJPEG, Background: bg(0, 0, 255, 255)}, color.NRGBA{128, 0, 127, 255}, color.NRGBA{128, 0, 127, 255}},
		{"kept", glass, resize.Options{Format: resize.FormatPNG}, color.NRGBA{255, 0, 0, 128}, color.NRGBA{255, 0, 0, 128}},
		{"bg where the format has alpha", glass, resize.Options{Format: resize.FormatPNG, Background: bg(0, 0, 255, 255)}, color.NRGBA{128, 0, 127, 255}, color.NRGBA{128, 0, 127, 255}},
		{"padded with nothing", opaque, resize.Options{Format: resize.FormatPNG, Height: 40, Width: 40, Fit: resize.FitPad}, color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 0, 0, 0}},
		{"padded in white", opaque, resize.Options{Format: resize.FormatJPEG, Height: 40, Width: 40, Fit: resize.FitPad}, color.NRGBA{252, 0, 3, 255}, color.NRGBA{255, 255, 255, 255}},
		{"padded in bg", opaque, resize.Options{Format: resize.FormatWebP, Lossless: true, Height: 40, Width: 40, Fit: resize.FitPad, Background: bg(1, 2, 250, 255)}, color.NRGBA{255, 0, 0, 255}, color.NRGBA{1, 2, 250, 255}},
		{"padded in glass", opaque, resize.Options{Format: resize.FormatPNG, Height: 40, Width: 40, Fit: resize.FitPad, Background: bg(10, 20, 250, 100)}, color.NRGBA{255, 0, 0, 255}, color.NRGBA{10, 20, 250, 100}},
		{"glass on glass", glass, resize.Options{Format: resize.FormatPNG, Background: bg(0, 0, 255, 128)}, color.NRGBA{170, 0, 85, 192}, color.NRGBA{170, 0, 85, 192}},
		{"gray padded in color", gray, resize.Options{Format: resize.FormatPNG, Height: 40, Width: 40, Fit: resize.FitPad, Background: bg(200, 20, 50, 255)}, color.NRGBA{0, 0, 0, 255}, color.NRGBA{200, 20, 50, 255}},
		{"gray padded in white", gray, resize.Options{Format: resize.FormatJPEG, Height: 40, Width: 40, Fit: resize.FitPad}, color.NRGBA{0, 0, 0, 255}, color.NRGBA{255, 255, 255, 255}},
		{"gray padded with nothing", gray, resize.Options{Format: resize.FormatPNG, Height: 40, Width: 40, Fit: resize.FitPad}, color.NRGBA{0, 0, 0, 255}, color.NRGBA{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := decode(t, render(t, tt.data, tt.o).Body)
			if c := m.NRGBAAt(m.Rect.Dx()/2, m.Rect.Dy()/2); !near(c, tt.inside, 4) {
				t.Errorf("inside %v, want %v", c, tt.inside)
			}
			if c := m.NRGBAAt(1, 1); !near(c, tt.edge, 4) {
				t.Errorf("edge %v, want %v", c, tt.edge)
			}
		})
	}
}

func TestExtremeSizes(t *testing.T) {
	dot := pngOf(t, paint(1, 1, func(int, int) color.NRGBA { return color.NRGBA{10, 200, 30, 255} }))
	r := render(t, dot, resize.Options{Width: 4000, Enlarge: true, Format: resize.FormatJPEG})
	if m := decode(t, r.Body); m.Rect.Size() != image.Pt(4000, 4000) || !near(m.NRGBAAt(1999, 3999), color.NRGBA{10, 200, 30, 255}, 4) {
		t.Errorf("1×1 to 4000: %v, %v", m.Rect, m.NRGBAAt(1999, 3999))
	}
	for name, data := range map[string][]byte{"JPEG": jpegOf(t, photo(16384, 16), 80), "PNG": pngOf(t, photo(16384, 16))} {
		r = render(t, data, resize.Options{Width: 1, Format: resize.FormatPNG})
		if m := decode(t, r.Body); m.Rect.Size() != image.Pt(1, 1) {
			t.Errorf("%s of 16384×16 to 1: %v", name, m.Rect)
		}
	}
	r = render(t, jpegOf(t, photo(300, 2), 90), resize.Options{Height: 1, Format: resize.FormatPNG})
	if m := decode(t, r.Body); m.Rect.Size() != image.Pt(150, 1) {
		t.Errorf("300×2 to 1 px of height: %v", m.Rect)
	}
}

// TestEveryWidth holds the size to the px where shrink-on-load changes.
func TestEveryWidth(t *testing.T) {
	data := withEXIF(jpegOf(t, photo(401, 303), 85), 6)
	webp := render(t, data, resize.Options{Format: resize.FormatWebP}).Body
	for w := 1; w <= 303; w += 7 {
		want := image.Pt(w, max(1, (401*w*2+303)/(2*303)))
		for _, d := range [][]byte{data, webp} {
			r := render(t, d, resize.Options{Width: w, Format: resize.FormatJPEG})
			if m := decode(t, r.Body); m.Rect.Size() != want || r.Width != want.X || r.Height != want.Y {
				t.Fatalf("w=%d: %v, result %d×%d, want %v", w, m.Rect.Size(), r.Width, r.Height, want)
			}
		}
	}
}

// TestShrinkOnLoad holds that what a decoder reduces looks like the picture reduced from all its px.
func TestShrinkOnLoad(t *testing.T) {
	m := photo(1600, 1200)
	data := jpegOf(t, m, 95)
	webp := render(t, data, resize.Options{Format: resize.FormatWebP, Lossless: true}).Body
	exact := pngOf(t, m)
	for _, w := range []int{900, 500, 300, 150, 60} {
		o := resize.Options{Width: w, Format: resize.FormatPNG}
		want := decode(t, render(t, exact, o).Body)
		for name, d := range map[string][]byte{"JPEG": data, "WebP": webp} {
			got := decode(t, render(t, d, o).Body)
			diff, shift := ssim.MeanDifference(got, want)
			if s := ssim.Compare(got, want); s < 0.97 || diff > 3 || shift > 1 {
				t.Errorf("%s to %d: SSIM %.4f, mean difference %.2f, shift %.2f", name, w, s, diff, shift)
			}
		}
	}
}

func TestLossless(t *testing.T) {
	m := photo(120, 80)
	cut := paint(60, 40, func(x, y int) color.NRGBA {
		return color.NRGBA{uint8(4 * x), uint8(6 * y), uint8(x * y), uint8(255 - x*y%256)}
	})
	for _, format := range []resize.Format{resize.FormatPNG, resize.FormatWebP, resize.FormatAVIF} {
		o := resize.Options{Format: format, Lossless: format != resize.FormatPNG}
		got := decode(t, render(t, pngOf(t, m), o).Body)
		if !bytes.Equal(got.Pix, m.Pix) {
			d, _ := ssim.MeanDifference(got, m)
			t.Errorf("%v changes px by %.3f", format, d)
		}
		got = decode(t, render(t, pngOf(t, cut), o).Body)
		for i := 0; i < len(cut.Pix); i += 4 {
			if a, b := got.Pix[i:i+4], cut.Pix[i:i+4]; b[3] > 0 && !bytes.Equal(a, b) {
				t.Errorf("%v with alpha: px %d is %v, want %v", format, i/4, a, b)
				break
			}
		}
	}
}

// TestSameBytes holds that encoders are deterministic (ruling 15).
func TestSameBytes(t *testing.T) {
	data := jpegOf(t, photo(200, 150), 90)
	for _, format := range append(written(), resize.FormatTIFF, resize.FormatJXL) {
		o := resize.Options{Format: format, Width: 120}
		first := render(t, data, o).Body
		for i := 1; i < 20; i++ {
			if !bytes.Equal(render(t, data, o).Body, first) {
				t.Errorf("%v: run %d differs", format, i)
				break
			}
		}
	}
}

func TestSeveralPlans(t *testing.T) {
	data, e := jpegOf(t, photo(200, 150), 90), newEngine(t)
	src, err := e.Probe(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	var plans []resize.Plan
	for _, w := range []int{50, 20} {
		p, err := resize.Options{Width: w}.Plan(src, resize.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, p)
	}
	results, err := e.Run(t.Context(), data, plans...)
	if err != nil || len(results) != 2 || results[0].Width != 50 || results[1].Width != 20 {
		t.Fatalf("Run = %d results, %v", len(results), err)
	}
	if r := results[0]; r.Decode <= 0 || r.Encode <= 0 || r.Frames != 1 || r.Format != resize.FormatJPEG {
		t.Errorf("result %+v", r)
	}
}

func TestDeadline(t *testing.T) {
	data := jpegOf(t, photo(4000, 3000), 90)
	e := newEngine(t)
	src, err := e.Probe(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := resize.Options{Width: 3900, Format: resize.FormatPNG}.Plan(src, resize.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := e.Run(ctx, data, plan); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run past its deadline = %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the deadline of 20 ms was noticed after %v", took)
	}
	if _, err := e.Run(ctx, data, plan); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run after its deadline = %v", err)
	}
	if _, err := e.Probe(ctx, data); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Probe after its deadline = %v", err)
	}
}

// TestSkippedLines holds that a picture far down in a file is the one it would be at the top.
func TestSkippedLines(t *testing.T) {
	m := photo(300, 1500)
	for name, data := range map[string][]byte{
		"JPEG": jpegOf(t, m, 90), "PNG": pngOf(t, m), "TIFF": tiffOf(m),
		"WebP": render(t, pngOf(t, m), resize.Options{Format: resize.FormatWebP}).Body,
	} {
		whole := decode(t, data)
		for _, top := range []int{0, 127, 700, 1300, 1499} {
			crop := resize.Region{X: 10, Y: float64(top), W: 200, H: 90}
			for _, w := range []int{0, 77} {
				got := decode(t, render(t, data, resize.Options{Crop: crop, Width: w, Format: resize.FormatPNG}).Body)
				cut := paint(200, min(90, 1500-top), func(x, y int) color.NRGBA { return whole.NRGBAAt(x+10, y+top) })
				want := decode(t, render(t, pngOf(t, cut), resize.Options{Width: w, Format: resize.FormatPNG}).Body)
				limit := 0.0
				if w > 0 {
					limit = 3 // shrink-on-load
				}
				if d, _ := ssim.MeanDifference(got, want); d > limit {
					t.Errorf("%s from line %d to %d px: mean difference %.2f", name, top, w, d)
				}
			}
		}
	}
}
