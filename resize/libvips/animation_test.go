package libvips_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// moving is what a decoder says of an animation.
type moving struct {
	frames []*image.NRGBA
	delays []int // ms
	loop   int
}

func total(delays []int) (sum int) {
	for _, d := range delays {
		sum += d
	}
	return sum
}

// play decodes all frames.
func play(t *testing.T, body []byte) moving {
	t.Helper()
	params := vips.NewImportParams()
	params.NumPages.Set(-1)
	ref, err := vips.LoadImageFromBuffer(body, params)
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	delays, err := ref.PageDelay()
	if err != nil {
		t.Fatal(err)
	}
	m := moving{delays: delays, loop: ref.Loop()}
	height := ref.PageHeight()
	whole, err := ref.ToGoImage()
	if err != nil {
		t.Fatal(err)
	}
	strip := toNRGBA(whole)
	for y := 0; y < strip.Rect.Dy(); y += height {
		m.frames = append(m.frames, paint(strip.Rect.Dx(), height, func(px, py int) color.NRGBA { return strip.NRGBAAt(px, y+py) }))
	}
	return m
}

func rgb(r, g, b uint8) color.NRGBA { return color.NRGBA{r, g, b, 255} }

func TestAnimation(t *testing.T) {
	colors := []color.NRGBA{rgb(250, 10, 10), rgb(10, 250, 10), rgb(10, 10, 250), rgb(240, 240, 10)}
	source := gifOf(t, 60, 40, []int{10, 25, 40, 7}, 0, colors...)
	webp := render(t, source, resize.Options{Format: resize.FormatWebP, Lossless: true}).Body
	tests := []struct {
		name   string
		data   []byte
		o      resize.Options
		size   image.Point
		first  int // index of the first color
		frames int
		ms     int
	}{
		{"GIF as it is", source, resize.Options{Format: resize.FormatGIF}, image.Pt(60, 40), 0, 4, 820},
		{"GIF smaller", source, resize.Options{Format: resize.FormatGIF, Width: 30}, image.Pt(30, 20), 0, 4, 820},
		{"GIF to WebP", source, resize.Options{Format: resize.FormatWebP, Width: 30}, image.Pt(30, 20), 0, 4, 820},
		{"WebP to GIF", webp, resize.Options{Format: resize.FormatGIF, Width: 30}, image.Pt(30, 20), 0, 4, 820},
		{"WebP to WebP, covered", webp, resize.Options{Format: resize.FormatWebP, Width: 20, Height: 20, Fit: resize.FitCover}, image.Pt(20, 20), 0, 4, 820},
		{"larger", source, resize.Options{Format: resize.FormatWebP, Width: 120, Enlarge: true}, image.Pt(120, 80), 0, 4, 820},
		{"turned", source, resize.Options{Format: resize.FormatGIF, Rotate: 90, Width: 20}, image.Pt(20, 30), 0, 4, 820},
		{"upside down", source, resize.Options{Format: resize.FormatGIF, FlipV: true}, image.Pt(60, 40), 0, 4, 820},
		{"cropped", source, resize.Options{Format: resize.FormatGIF, Crop: resize.Region{X: 5, Y: 35, W: 20, H: 5}}, image.Pt(20, 5), 0, 4, 820},
		{"from the second", source, resize.Options{Format: resize.FormatGIF, Page: 2}, image.Pt(60, 40), 1, 3, 720},
		{"two frames", source, resize.Options{Format: resize.FormatGIF, Frames: 2}, image.Pt(60, 40), 0, 2, 350},
		{"two from the second", webp, resize.Options{Format: resize.FormatWebP, Page: 2, Frames: 2}, image.Pt(60, 40), 1, 2, 650},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := render(t, tt.data, tt.o)
			m := play(t, r.Body)
			if len(m.frames) != tt.frames || r.Frames != tt.frames {
				t.Fatalf("%d frames, result says %d, want %d", len(m.frames), r.Frames, tt.frames)
			}
			if got := total(m.delays); got != tt.ms {
				t.Errorf("runs for %d ms, want %d (%v)", got, tt.ms, m.delays)
			}
			for i, frame := range m.frames {
				if frame.Rect.Size() != tt.size {
					t.Fatalf("frame %d: %v, want %v", i, frame.Rect.Size(), tt.size)
				}
				w, h := tt.size.X, tt.size.Y
				for _, p := range []image.Point{{0, 0}, {w - 1, 0}, {w / 2, h / 2}, {0, h - 1}, {w - 1, h - 1}} {
					if c := frame.NRGBAAt(p.X, p.Y); !near(c, colors[tt.first+i], 12) {
						t.Errorf("frame %d: %v at %v, want %v", i, c, p, colors[tt.first+i])
					}
				}
			}
		})
	}
}

func TestAnimationPadded(t *testing.T) {
	colors := []color.NRGBA{rgb(250, 10, 10), rgb(10, 250, 10)}
	source := gifOf(t, 40, 20, []int{10, 10}, 0, colors...)
	for _, format := range []resize.Format{resize.FormatGIF, resize.FormatWebP} {
		o := resize.Options{Format: format, Width: 40, Height: 40, Fit: resize.FitPad}
		for i, frame := range play(t, render(t, source, o).Body).frames {
			if edge, inside := frame.NRGBAAt(20, 2), frame.NRGBAAt(20, 20); edge.A != 0 || !near(inside, colors[i], 12) {
				t.Errorf("%v, frame %d: edge %v, inside %v", format, i, edge, inside)
			}
		}
		o.Background = resize.Background{Kind: resize.BackgroundColor, Color: resize.Color{R: 10, G: 20, B: 240, A: 255}}
		for i, frame := range play(t, render(t, source, o).Body).frames {
			if edge, inside := frame.NRGBAAt(20, 37), frame.NRGBAAt(20, 20); !near(edge, rgb(10, 20, 240), 12) || !near(inside, colors[i], 12) {
				t.Errorf("%v on bg, frame %d: edge %v, inside %v", format, i, edge, inside)
			}
		}
	}
}

// TestLoop holds the loop count, read from the files' own bytes.
func TestLoop(t *testing.T) {
	for _, times := range []int{0, 4} {
		source := gifOf(t, 20, 20, []int{10, 10}, times, rgb(250, 0, 0), rgb(0, 250, 0))
		want := gifLoop(t, source)
		out := render(t, source, resize.Options{Format: resize.FormatGIF, Width: 10}).Body
		if got := gifLoop(t, out); got != want {
			t.Errorf("GIF of loop count %d comes out with %d", want, got)
		}
		webp := render(t, source, resize.Options{Format: resize.FormatWebP, Width: 10}).Body
		plays := want + 1 // NETSCAPE2.0 counts repetitions, ANIM counts showings
		if want == 0 {
			plays = 0
		}
		if got := webpLoop(t, webp); got != plays && got != want {
			t.Errorf("GIF of loop count %d becomes WebP of %d", want, got)
		}
		back := render(t, webp, resize.Options{Format: resize.FormatGIF}).Body
		if got := gifLoop(t, back); got != want {
			t.Errorf("GIF of loop count %d comes back from WebP with %d", want, got)
		}
	}
}

func gifLoop(t *testing.T, body []byte) int {
	t.Helper()
	g, err := gif.DecodeAll(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return g.LoopCount
}

func webpLoop(t *testing.T, body []byte) int {
	t.Helper()
	at := bytes.Index(body, []byte("ANIM"))
	if at < 0 {
		t.Fatal("no ANIM chunk")
	}
	return int(binary.LittleEndian.Uint16(body[at+12:]))
}

func TestStillOfAnimation(t *testing.T) {
	colors := []color.NRGBA{rgb(250, 10, 10), rgb(10, 250, 10), rgb(10, 10, 250)}
	source := gifOf(t, 40, 30, []int{10, 10, 10}, 0, colors...)
	webp := render(t, source, resize.Options{Format: resize.FormatWebP, Lossless: true}).Body
	for name, data := range map[string][]byte{"GIF": source, "WebP": webp} {
		for _, format := range written() {
			for page := 1; page <= 3; page++ {
				r := render(t, data, resize.Options{Format: format, Still: true, Page: page, Width: 30})
				m := decode(t, r.Body)
				if m.Rect.Size() != image.Pt(30, 23) || r.Frames != 1 || !near(m.NRGBAAt(15, 11), colors[page-1], 12) {
					t.Errorf("%s, frame %d as %v: %v, %v, %d frames", name, page, format, m.Rect.Size(), m.NRGBAAt(15, 11), r.Frames)
				}
			}
		}
	}
}

func TestPagesOfTIFF(t *testing.T) {
	pages := []color.NRGBA{rgb(250, 10, 10), rgb(10, 250, 10), rgb(10, 10, 250)}
	var pictures []*image.NRGBA
	for _, c := range pages {
		pictures = append(pictures, paint(32, 20, func(int, int) color.NRGBA { return c }))
	}
	data := tiffOf(pictures...)
	src, err := newEngine(t).Probe(t.Context(), data)
	if err != nil || src.Pages != 3 || src.Animated || src.Height != 20 {
		t.Fatalf("Probe = %+v, %v", src, err)
	}
	for page := 1; page <= 3; page++ {
		r := render(t, data, resize.Options{Page: page, Width: 64, Enlarge: true, Format: resize.FormatPNG, Pad: resize.Padding{Top: 1}})
		if m := decode(t, r.Body); m.Rect.Size() != image.Pt(64, 41) || !near(m.NRGBAAt(9, 20), pages[page-1], 2) {
			t.Errorf("page %d: %v, %v", page, m.Rect.Size(), m.NRGBAAt(9, 20))
		}
	}
}
