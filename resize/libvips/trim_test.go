package libvips_test

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"testing"

	"github.com/imgedge/imgedge/resize"
)

// bordered returns a picture of the size with a rectangle of photo in one color.
func bordered(w, h int, inner image.Rectangle, border color.NRGBA) *image.NRGBA {
	content := photo(w, h)
	return paint(w, h, func(x, y int) color.NRGBA {
		if image.Pt(x, y).In(inner) {
			return content.NRGBAAt(x, y)
		}
		return border
	})
}

func TestTrim(t *testing.T) {
	inner := image.Rect(30, 20, 110, 90)
	white, clear := rgb(255, 255, 255), color.NRGBA{9, 200, 90, 0}
	dusty := bordered(160, 120, inner, white)
	dusty.SetNRGBA(140, 110, rgb(0, 0, 0))
	lined := bordered(160, 120, inner, white)
	for x := range 160 {
		lined.SetNRGBA(x, 5, rgb(0, 0, 0))
	}
	shaded := bordered(160, 120, inner, white)
	for x := range 30 {
		for y := range 120 {
			shaded.SetNRGBA(x, y, rgb(240, 240, 240))
		}
	}
	hidden := bordered(160, 120, inner, clear)
	hidden.SetNRGBA(2, 2, color.NRGBA{255, 0, 0, 0})
	hidden.SetNRGBA(3, 2, color.NRGBA{0, 0, 255, 0})
	redInWhite := bordered(160, 120, inner, rgb(250, 0, 0))
	for x := range 160 {
		redInWhite.SetNRGBA(x, 0, white)
	}
	for _, test := range []struct {
		name string
		data []byte
		text string
		want image.Point
	}{
		{"PNG", pngOf(t, bordered(160, 120, inner, white)), "trim=10", image.Pt(80, 70)},
		{"dust", pngOf(t, dusty), "trim=10", image.Pt(80, 70)},
		{"a line", pngOf(t, lined), "trim=10", image.Pt(160, 85)},
		{"within the tolerance", pngOf(t, shaded), "trim=20", image.Pt(80, 70)},
		{"beyond the tolerance", pngOf(t, shaded), "trim=10", image.Pt(130, 120)}, // 240 is the border; white is not
		{"transparent", pngOf(t, hidden), "trim=10", image.Pt(80, 70)},
		{"one color", pngOf(t, paint(30, 20, func(_, _ int) color.NRGBA { return white })), "trim=10", image.Pt(30, 20)},
		{"no border", pngOf(t, photo(50, 40)), "trim=1", image.Pt(50, 40)},
		{"another color", pngOf(t, redInWhite), "trim=10&_tc=fa0000", image.Pt(160, 90)},
		{"then scaled", pngOf(t, bordered(160, 120, inner, white)), "trim=10&w=40", image.Pt(40, 35)},
		{"then cropped", pngOf(t, bordered(160, 120, inner, white)), "trim=10&crop=0,0,10,5", image.Pt(10, 5)},
		{"turned", withEXIF(jpegOf(t, bordered(160, 120, inner, white), 95), 6), "trim=30", image.Pt(70, 80)},
		{"the same on both sides", pngOf(t, bordered(160, 120, inner, white)), "trim=10&_te=h", image.Pt(100, 70)},
	} {
		m := shown(t, test.data, test.text)
		got := m.Rect.Size()
		slack := 0
		if test.name == "turned" {
			slack = 4 // JPEG blurs the border
		}
		if d := got.Sub(test.want); d.X < 0 || d.Y < 0 || d.X > slack || d.Y > slack {
			t.Errorf("%s: %v is left, want %v", test.name, got, test.want)
		}
	}
	whole, left := bordered(160, 120, inner, white), shown(t, pngOf(t, bordered(160, 120, inner, white)), "trim=10")
	for _, p := range []image.Point{{0, 0}, {79, 0}, {0, 69}, {79, 69}, {40, 35}} {
		if a, b := left.NRGBAAt(p.X, p.Y), whole.NRGBAAt(p.X+30, p.Y+20); a != b {
			t.Errorf("%v at %v, want %v", a, p, b)
		}
	}
}

// What differs in any frame stays in all of them.
func TestTrimAnimation(t *testing.T) {
	palette := color.Palette{color.White, color.Black}
	g := &gif.GIF{}
	for _, spot := range []image.Rectangle{image.Rect(10, 10, 20, 20), image.Rect(30, 12, 40, 25)} {
		frame := image.NewPaletted(image.Rect(0, 0, 60, 50), palette)
		for y := spot.Min.Y; y < spot.Max.Y; y++ {
			for x := spot.Min.X; x < spot.Max.X; x++ {
				frame.SetColorIndex(x, y, 1)
			}
		}
		g.Image, g.Delay, g.Disposal = append(g.Image, frame), append(g.Delay, 13), append(g.Disposal, gif.DisposalNone)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	for _, format := range []resize.Format{resize.FormatGIF, resize.FormatWebP} {
		o := wish(t, "trim=10")
		o.Format = format
		m := play(t, render(t, b.Bytes(), o).Body)
		if len(m.frames) != 2 || m.frames[0].Rect.Size() != image.Pt(30, 15) || total(m.delays) != 260 {
			t.Fatalf("%v: %d frames of %v in %d ms, want 2 of 30 × 15 in 260 ms", format, len(m.frames), m.frames[0].Rect, total(m.delays))
		}
		if a, b := m.frames[0].NRGBAAt(3, 3), m.frames[1].NRGBAAt(3, 3); a.R > 30 || b.R < 220 {
			t.Errorf("%v: %v and %v at 3,3; want black, then white", format, a, b)
		}
	}
}

// The window holds what stands out, whatever way the file is stored.
func TestPickedWindow(t *testing.T) {
	scene := paint(400, 200, func(x, y int) color.NRGBA {
		if image.Pt(x, y).In(image.Rect(310, 60, 370, 140)) {
			return color.NRGBA{uint8(200 + (x*37+y*91)%55), uint8((x * y) % 120), uint8((x * 13) % 60), 255}
		}
		return rgb(120, 125, 130)
	})
	for _, gravity := range []string{"smart", "entropy"} {
		for name, data := range map[string][]byte{
			"PNG": pngOf(t, scene), "JPEG": jpegOf(t, scene, 95), "turned": withEXIF(jpegOf(t, rotatedLeft(scene), 95), 6),
		} {
			for _, text := range []string{"w=200&h=200&fit=cover", "ar=1:1&w=100", "w=100&h=100&fit=cover&dpr=2", "_cs=200,200&_cg=" + gravity} {
				m := shown(t, data, text+"&g="+gravity)
				red := 0
				for i := 0; i < len(m.Pix); i += 4 {
					if m.Pix[i] > 180 && m.Pix[i+2] < 90 {
						red++
					}
				}
				// The patch is 60 × 80 of 200 × 200.
				if share := float64(red) / float64(m.Rect.Dx()*m.Rect.Dy()); share < 0.10 {
					t.Errorf("%s, %s&g=%s: the patch has %.3f of the window, want 0.12", name, text, gravity, share)
				}
			}
		}
	}
}

// rotatedLeft is what a camera stores that tells EXIF orientation 6.
func rotatedLeft(m *image.NRGBA) *image.NRGBA {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	return paint(h, w, func(x, y int) color.NRGBA { return m.NRGBAAt(w-1-y, x) })
}

// All frames share the window that the first one picks.
func TestPickedWindowOfAnimation(t *testing.T) {
	palette := color.Palette{color.Gray{120}, color.NRGBA{255, 0, 0, 255}, color.NRGBA{90, 20, 0, 255}}
	g := &gif.GIF{}
	for _, left := range []int{150, 10} {
		frame := image.NewPaletted(image.Rect(0, 0, 200, 80), palette)
		for y := 20; y < 60; y++ {
			for x := left; x < left+40; x++ {
				frame.SetColorIndex(x, y, uint8(1+(x/3+y/5)%2))
			}
		}
		g.Image, g.Delay, g.Disposal = append(g.Image, frame), append(g.Delay, 10), append(g.Disposal, gif.DisposalNone)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	o := wish(t, "w=80&h=80&fit=cover&g=smart&f=gif")
	m := play(t, render(t, b.Bytes(), o).Body)
	count := func(m *image.NRGBA) (n int) {
		for i := 0; i < len(m.Pix); i += 4 {
			if m.Pix[i+1] < 60 {
				n++
			}
		}
		return n
	}
	if first, second := count(m.frames[0]), count(m.frames[1]); first < 1000 || second != 0 {
		t.Errorf("%d and %d px of the patch; want it in the first frame and gone from the second", first, second)
	}
}
