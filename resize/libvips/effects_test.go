package libvips_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/imgedge/imgedge/resize"
)

// wish parses canonical options.
func wish(t testing.TB, text string) resize.Options {
	t.Helper()
	o, err := resize.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return o
}

// shown renders the options, as a PNG unless they say otherwise, and decodes the result.
func shown(t testing.TB, data []byte, text string) *image.NRGBA {
	t.Helper()
	o := wish(t, text)
	if o.Format == resize.FormatAuto {
		o.Format = resize.FormatPNG
	}
	return decode(t, render(t, data, o).Body)
}

// spectrum returns many colors, with an alpha that falls from left to right if it is asked for.
func spectrum(w, h int, alpha bool) *image.NRGBA {
	return paint(w, h, func(x, y int) color.NRGBA {
		c := color.NRGBA{uint8(x * 255 / w), uint8(y * 255 / h), uint8((x ^ y) * 7), 255}
		if alpha {
			c.A = uint8(255 - x*200/w)
		}
		return c
	})
}

// Every px is what the plan's matrix says, and alpha is not touched.
func TestTones(t *testing.T) {
	for _, alpha := range []bool{false, true} {
		m := spectrum(64, 48, alpha)
		data := pngOf(t, m)
		for _, text := range []string{"bri=25", "bri=-40", "con=30", "con=-70", "sat=60", "sat=-100", "hue=90", "gray=1", "duotone=102030,ffe0c0", "bri=10&con=20&sat=-30&hue=200"} {
			got := shown(t, data, text)
			o := wish(t, text)
			p, err := o.Plan(resize.Source{Width: 64, Height: 48}, resize.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			for y := range 48 {
				for x := range 64 {
					want := mapped(p.Effects.Duotone, mapped(p.Effects.Tone, m.NRGBAAt(x, y)))
					if c := got.NRGBAAt(x, y); !near(c, want, 1) || c.A != want.A {
						t.Fatalf("%q, alpha %v: %v at %d,%d; want %v", text, alpha, c, x, y, want)
					}
				}
			}
		}
	}
}

func mapped(t resize.Tone, c color.NRGBA) color.NRGBA {
	if !t.On {
		return c
	}
	channel := func(r [4]float64) uint8 {
		v := r[0]*float64(c.R) + r[1]*float64(c.G) + r[2]*float64(c.B) + r[3]
		return uint8(math.Max(0, math.Min(math.Round(v), 255)))
	}
	return color.NRGBA{channel(t.Rows[0]), channel(t.Rows[1]), channel(t.Rows[2]), c.A}
}

// A gray picture stays a good one, and gets color from a duotone.
func TestTonesOfGray(t *testing.T) {
	gray := image.NewGray(image.Rect(0, 0, 20, 20))
	for i := range gray.Pix {
		gray.Pix[i] = 100
	}
	data := pngOf(t, gray)
	for text, want := range map[string]color.NRGBA{
		"bri=20": rgb(151, 151, 151), "f=jpeg&bri=20": rgb(151, 151, 151), "f=jpeg&duotone=000000,ff0000": rgb(100, 0, 0),
	} {
		if c := shown(t, data, text).NRGBAAt(10, 10); !near(c, want, 3) {
			t.Errorf("%q: %v, want %v", text, c, want)
		}
	}
}

// A step becomes the integral of a Gaussian, however wide it is.
func TestBlurIsGaussian(t *testing.T) {
	const w, low, high = 600, 40, 220
	data := pngOf(t, paint(w, 60, func(x, _ int) color.NRGBA {
		if x < w/2 {
			return rgb(low, low, low)
		}
		return rgb(high, high, high)
	}))
	for _, sigma := range []float64{0.5, 1, 2, 5, 6, 6.5, 10, 25, 60} {
		got := shown(t, data, fmt.Sprintf("blur=%g", sigma))
		worst := 0.0
		for x := range w {
			d := (float64(x) - w/2 + 0.5) / sigma
			want := low + (high-low)*step(x-w/2, sigma)
			if math.Abs(d) < 4 && float64(x) > 3*sigma && float64(w-x) > 3*sigma { // the edges are repeated
				worst = math.Max(worst, math.Abs(float64(got.NRGBAAt(x, 30).R)-want))
			}
		}
		if limit := 6.0; worst > limit { // libvips enlarges with a shift of half a px
			t.Errorf("sigma %g: up to %.1f away from a Gaussian, want at most %.1f", sigma, worst, limit)
		}
	}
}

// step is what a sampled Gaussian makes of a step from 0 to 1 in front of px 0.
func step(x int, sigma float64) float64 {
	sum, right := 0.0, 0.0
	for i := -400; i <= 400; i++ {
		v := math.Exp(-float64(i*i) / (2 * sigma * sigma))
		sum += v
		if x+i >= 0 {
			right += v
		}
	}
	return right / sum
}

// What is hidden under transparency is not seen after blurring and sharpening.
func TestMixingKeepsHiddenColors(t *testing.T) {
	data := pngOf(t, paint(80, 40, func(x, _ int) color.NRGBA {
		if x < 40 {
			return rgb(200, 10, 10)
		}
		return color.NRGBA{0, 255, 0, 0}
	}))
	for _, text := range []string{"blur=2", "blur=12", "sharpen=2", "pixelate=7", "rot=20"} {
		m := shown(t, data, text)
		for i := 0; i < len(m.Pix); i += 4 {
			if c := m.Pix[i : i+4]; c[3] > 8 && (c[1] > 30 || c[0] < 170) {
				t.Fatalf("%q: %v shines through", text, c)
			}
		}
	}
}

func TestSharpen(t *testing.T) {
	data := pngOf(t, paint(60, 40, func(x, _ int) color.NRGBA {
		if x < 30 {
			return rgb(90, 90, 90)
		}
		return rgb(160, 160, 160)
	}))
	m := shown(t, data, "sharpen=1.5")
	dark, light := m.NRGBAAt(29, 20), m.NRGBAAt(30, 20)
	if dark.R > 85 || light.R < 165 {
		t.Errorf("beside the edge: %v and %v, want darker and lighter than 90 and 160", dark, light)
	}
	for _, x := range []int{3, 56} {
		if c, want := m.NRGBAAt(x, 20), []uint8{90, 160}[x/30]; !near(c, rgb(want, want, want), 1) {
			t.Errorf("far from the edge: %v, want %d", c, want)
		}
	}
}

func TestPixelate(t *testing.T) {
	source := spectrum(50, 35, true)
	m := shown(t, pngOf(t, source), "pixelate=8")
	for y := range 35 {
		for x := range 50 {
			block := image.Rect(x/8*8, y/8*8, x/8*8+8, y/8*8+8).Intersect(source.Rect)
			if got, want := m.NRGBAAt(x, y), meanOf(source, block); !near(got, want, 1) {
				t.Fatalf("%v at %d,%d; want the mean of %v, %v", got, x, y, block, want)
			}
		}
	}
}

func meanOf(m *image.NRGBA, r image.Rectangle) color.NRGBA {
	var sum [3]float64
	alpha := 0.0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := m.NRGBAAt(x, y)
			a := float64(c.A)
			alpha += a
			for i, v := range [...]uint8{c.R, c.G, c.B} {
				sum[i] += float64(v) * a
			}
		}
	}
	n := float64(r.Dx() * r.Dy())
	return color.NRGBA{uint8(sum[0]/alpha + 0.5), uint8(sum[1]/alpha + 0.5), uint8(sum[2]/alpha + 0.5), uint8(alpha/n + 0.5)}
}

func TestRound(t *testing.T) {
	data := pngOf(t, paint(101, 80, func(_, _ int) color.NRGBA { return rgb(10, 200, 30) }))
	for _, test := range []struct {
		text string
		area float64 // px² that are left
	}{
		{"round=20", 101*80 - (4-math.Pi)*20*20},
		{"round=500", 101*80 - (4-math.Pi)*40*40},
		{"round=max", math.Pi * 50.5 * 40},
		{"round=1", 101*80 - (4 - math.Pi)},
	} {
		m := shown(t, data, test.text)
		sum := 0.0
		for y := range 80 {
			for x := range 101 {
				c := m.NRGBAAt(x, y)
				sum += float64(c.A) / 255
				if a, b, d := m.NRGBAAt(100-x, y), m.NRGBAAt(x, 79-y), m.NRGBAAt(100-x, 79-y); a != c || b != c || d != c {
					t.Fatalf("%q: the corners differ at %d,%d", test.text, x, y)
				}
				if c.A > 0 && !near(c, color.NRGBA{10, 200, 30, c.A}, 1) {
					t.Fatalf("%q: %v at %d,%d", test.text, c, x, y)
				}
			}
		}
		if math.Abs(sum-test.area) > 1+test.area/1000 {
			t.Errorf("%q: %.1f px² are left, want %.1f", test.text, sum, test.area)
		}
	}
	if c := shown(t, data, "round=20&f=jpeg").NRGBAAt(0, 0); !near(c, rgb(255, 255, 255), 20) {
		t.Errorf("JPEG without bg: corner %v, want white", c)
	}
	if c := shown(t, data, "round=20&f=jpeg&bg=0000ff").NRGBAAt(0, 0); !near(c, rgb(0, 0, 255), 8) {
		t.Errorf("JPEG on blue: corner %v", c)
	}
	padded := shown(t, data, "round=20&pad=10&bg=0000ff")
	if c := padded.NRGBAAt(10, 10); !near(c, rgb(0, 0, 255), 1) { // rounded first, then padded
		t.Errorf("padded: the picture's corner is %v, want bg", c)
	}
	if c := padded.NRGBAAt(60, 10); !near(c, rgb(10, 200, 30), 1) {
		t.Errorf("padded: the picture's edge is %v", c)
	}
}

// The engine and the plan agree to the px about any angle, which the engine checks itself; the picture is
// turned clockwise around its center and keeps its area.
func TestAngle(t *testing.T) {
	data := pngOf(t, quadrants(81, 60))
	for _, angle := range []float64{0.1, 1, 17, 45, 89.9, 90.1, 123.4, 180.5, 200, 269, 300, 359.9} {
		m := shown(t, data, fmt.Sprintf("rot=%g", angle))
		area := 0.0
		for i := 3; i < len(m.Pix); i += 4 {
			area += float64(m.Pix[i]) / 255
		}
		if math.Abs(area-81*60) > 40 {
			t.Errorf("%g degrees: %.1f px² are left of %d", angle, area, 81*60)
		}
		sin, cos := math.Sincos(angle * math.Pi / 180)
		for _, q := range []struct {
			x, y float64
			want color.NRGBA
		}{{-20, -15, rgb(255, 0, 0)}, {20, -15, rgb(0, 255, 0)}, {-20, 15, rgb(0, 0, 255)}, {20, 15, rgb(255, 255, 255)}} {
			x := float64(m.Rect.Dx()-1)/2 + q.x*cos - q.y*sin
			y := float64(m.Rect.Dy()-1)/2 + q.x*sin + q.y*cos
			if c := m.NRGBAAt(int(math.Round(x)), int(math.Round(y))); !near(c, q.want, 3) {
				t.Errorf("%g degrees: %v at %.0f,%.0f, want %v", angle, c, x, y, q.want)
			}
		}
	}
	for w := 1; w < 40; w += 3 {
		for _, text := range []string{"rot=33.3", "rot=45&round=5", "rot=0.01&flip=h", "rot=100&f=jpeg&bg=ff0000&pad=3"} {
			shown(t, data, fmt.Sprintf("w=%d&%s", w, text))
		}
	}
	if c := shown(t, data, "rot=45&f=jpeg&bg=0000ff").NRGBAAt(2, 2); !near(c, rgb(0, 0, 255), 8) {
		t.Errorf("behind the corners: %v, want bg", c)
	}
}

// The colors of an angle's edge are the picture's own: no dark rim.
func TestAngleHasNoRim(t *testing.T) {
	m := shown(t, pngOf(t, paint(60, 60, func(_, _ int) color.NRGBA { return rgb(240, 240, 240) })), "rot=30&bg=f0f0f0")
	for i := 0; i < len(m.Pix); i += 4 {
		if m.Pix[i] < 237 || m.Pix[i+3] != 255 {
			t.Fatalf("px %d is %v", i/4, m.Pix[i:i+4])
		}
	}
}

func TestBackgroundFromThePicture(t *testing.T) {
	framed := pngOf(t, paint(100, 50, func(x, y int) color.NRGBA {
		if x < 5 || y < 5 || x >= 95 || y >= 45 {
			return rgb(30, 60, 90)
		}
		return rgb(250, 0, 0)
	}))
	for text, at := range map[string]image.Point{
		"w=100&h=100&fit=pad&bg=auto": {50, 5}, "pad=20&bg=auto&f=jpeg": {3, 3}, "rot=45&bg=auto": {2, 2}, "round=max&bg=auto": {0, 0},
	} {
		if c := shown(t, framed, text).NRGBAAt(at.X, at.Y); !near(c, rgb(30, 60, 90), 30) || c.A != 255 {
			t.Errorf("%q: %v, want the border's color", text, c)
		}
	}
	halves := pngOf(t, paint(100, 50, func(x, _ int) color.NRGBA {
		if x < 50 {
			return rgb(220, 40, 40)
		}
		return rgb(40, 40, 220)
	}))
	m := shown(t, halves, "w=100&h=150&fit=pad&bg=blur")
	if left, right := m.NRGBAAt(5, 5), m.NRGBAAt(94, 145); !near(left, rgb(220, 40, 40), 40) || !near(right, rgb(40, 40, 220), 40) {
		t.Errorf("blurred background: %v and %v, want the picture's colors on their sides", left, right)
	}
	if c := m.NRGBAAt(20, 75); !near(c, rgb(220, 40, 40), 1) {
		t.Errorf("the picture on its blurred self: %v", c)
	}
	clear := pngOf(t, paint(60, 60, func(x, _ int) color.NRGBA {
		if x < 30 {
			return rgb(0, 160, 0)
		}
		return color.NRGBA{255, 0, 255, 0}
	}))
	for _, text := range []string{"bg=blur", "bg=auto", "bg=blur&f=jpeg", "w=60&h=90&fit=pad&bg=blur&round=9"} {
		m := shown(t, clear, text)
		if c := m.NRGBAAt(58, m.Rect.Dy()/2); !near(c, rgb(0, 160, 0), 8) || c.A != 255 {
			t.Errorf("%q behind transparency: %v, want green", text, c)
		}
	}
	empty := pngOf(t, image.NewNRGBA(image.Rect(0, 0, 20, 20)))
	if c := shown(t, empty, "bg=auto&f=jpeg").NRGBAAt(9, 9); !near(c, rgb(255, 255, 255), 2) {
		t.Errorf("bg=auto of nothing: %v, want white", c)
	}
	shown(t, empty, "bg=blur&f=jpeg&pad=5")
}

// Equal wishes give equal bytes, whatever is computed at the same time.
func TestEffectsSameBytes(t *testing.T) {
	data := jpegOf(t, photo(400, 300), 90)
	for _, text := range []string{
		"w=200&rot=12&blur=9&bg=blur&pad=10&round=20", "trim=9&w=150&h=150&fit=cover&g=smart&sharpen=2&sat=40&txt=Equal%20%26%20same",
		"w=120&h=150&fit=pad&bg=auto&pixelate=9&duotone=001122,ffeecc&f=webp", "ar=1:1&g=entropy&w=99&hue=20&f=avif",
	} {
		o := wish(t, text)
		if o.Format == resize.FormatAuto {
			o.Format = resize.FormatJPEG
		}
		first := render(t, data, o).Body
		done := make(chan []byte)
		e := newEngine(t)
		for range 20 {
			go func() {
				r, err := tryRender(t.Context(), e, data, o, resize.DefaultLimits())
				if err != nil {
					t.Error(err)
				}
				done <- r.Body
			}()
		}
		for range 20 {
			if !bytes.Equal(first, <-done) {
				t.Errorf("%q: other bytes", text)
			}
		}
	}
}
