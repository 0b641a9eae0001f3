package libvips_test

import (
	"fmt"
	"image"
	"image/color"
	"net/url"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
)

// marked renders with a watermark.
func marked(t testing.TB, data, mark []byte, text string) []byte {
	t.Helper()
	e := newEngine(t)
	src, err := e.Probe(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	markSource, err := e.Probe(t.Context(), mark)
	if err != nil {
		t.Fatal(err)
	}
	o := wish(t, text)
	if o.Format == resize.FormatAuto {
		o.Format = resize.FormatPNG
	}
	plan, err := o.Plan(src, resize.DefaultLimits())
	if err == nil {
		plan, err = plan.WithMark(mark, markSource, resize.DefaultLimits())
	}
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	results, err := e.Run(t.Context(), data, plan)
	if err != nil {
		t.Fatalf("%q: %v%s", text, err, causes(err))
	}
	return results[0].Body
}

func filled(w, h int, c color.NRGBA) *image.NRGBA {
	return paint(w, h, func(_, _ int) color.NRGBA { return c })
}

// painted returns the rectangle that differs from a color by more than a hint.
func painted(m *image.NRGBA, under color.NRGBA) (r image.Rectangle) {
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			if !near(m.NRGBAAt(x, y), under, 3) {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

func TestWatermarkPlace(t *testing.T) {
	blue, red := rgb(20, 30, 200), rgb(200, 20, 20)
	data, mark := pngOf(t, filled(100, 80, blue)), pngOf(t, filled(20, 10, red))
	for text, want := range map[string]image.Rectangle{
		"wm=a/b":                                         image.Rect(40, 35, 60, 45),
		"wm=a/b&wmg=northwest":                           image.Rect(0, 0, 20, 10),
		"wm=a/b&wmg=southeast&wmx=3&wmy=4":               image.Rect(77, 66, 97, 76),
		"wm=a/b&wmg=southeast&wmx=-5&wmy=-5":             image.Rect(85, 75, 100, 80),
		"wm=a/b&wmg=north&wmy=10p":                       image.Rect(40, 8, 60, 18),
		"wm=a/b&wms=0.5":                                 image.Rect(25, 28, 75, 53),
		"wm=a/b&wms=0.5&wmrot=90":                        image.Rect(38, 15, 63, 65),
		"w=50&dpr=2&wm=a/b&wmg=east&wmx=5":               image.Rect(50, 30, 90, 50),
		"pad=10&bg=141ec8&wm=a/b&wmg=northwest":          image.Rect(0, 0, 20, 10),
		"rot=90&wm=a/b&wmg=southwest":                    image.Rect(0, 90, 20, 100),
		"wm=a/b&wmr=1":                                   image.Rect(0, 0, 100, 80),
		"wm=a/b&_wmr=h&wmg=south":                        image.Rect(0, 70, 100, 80),
		"wm=a/b&_wmr=v&wmg=east&wmx=5":                   image.Rect(75, 0, 95, 80),
		"wm=a/b&wms=1&wmg=northwest&wmx=-100p":           {},
		"trim=5&wm=a/b&wms=0.2":                          image.Rect(40, 35, 60, 45),
		"crop=0,0,50,50&wm=a/b&wms=0.2&wmg=southeast":    image.Rect(40, 45, 50, 50),
		"w=50&h=50&fit=cover&g=smart&wm=a/b&wmg=north":   image.Rect(15, 0, 35, 10),
		"w=50&h=20&fit=stretch&wm=a/b&wms=0.1&wmg=south": image.Rect(23, 17, 28, 20),
	} {
		m := decode(t, marked(t, data, mark, text))
		got := painted(m, blue)
		if got != want {
			t.Errorf("%q: painted %v, want %v", text, got, want)
		}
		if mid := want.Min.Add(want.Size().Div(2)); !want.Empty() && !near(m.NRGBAAt(mid.X, mid.Y), red, 2) {
			t.Errorf("%q: %v in the middle, want %v", text, m.NRGBAAt(mid.X, mid.Y), red)
		}
	}
}

// Gaps of a pattern lie between its marks, and one mark lies at the gravity.
func TestWatermarkPattern(t *testing.T) {
	blue, red := rgb(20, 30, 200), rgb(200, 20, 20)
	m := decode(t, marked(t, pngOf(t, filled(100, 80, blue)), pngOf(t, filled(20, 10, red)), "wm=a/b&wmr=1&wmx=7&wmy=4&wmg=southeast"))
	for y := range 80 {
		for x := range 100 {
			want := blue
			if (99-x)%27 < 20 && (79-y)%14 < 10 {
				want = red
			}
			if c := m.NRGBAAt(x, y); c != want {
				t.Fatalf("%v at %d,%d, want %v", c, x, y, want)
			}
		}
	}
}

// Alpha of mark, picture and wmo are composed as "over" says.
func TestWatermarkAlpha(t *testing.T) {
	over := func(top, under color.NRGBA, opacity float64) color.NRGBA {
		a, b := float64(top.A)/255*opacity, float64(under.A)/255
		all := a + b*(1-a)
		mix := func(x, y uint8) uint8 { return uint8((float64(x)*a+float64(y)*b*(1-a))/all + 0.5) }
		return color.NRGBA{mix(top.R, under.R), mix(top.G, under.G), mix(top.B, under.B), uint8(all*255 + 0.5)}
	}
	for _, under := range []color.NRGBA{{10, 200, 30, 255}, {10, 200, 30, 100}, {10, 200, 30, 0}} {
		for _, top := range []color.NRGBA{{250, 0, 100, 255}, {250, 0, 100, 77}} {
			for _, opacity := range []float64{1, 0.5, 0.1} {
				body := marked(t, pngOf(t, filled(30, 30, under)), pngOf(t, filled(10, 10, top)), fmt.Sprintf("wm=a/b&wmo=%g", opacity))
				if got, want := decode(t, body).NRGBAAt(15, 15), over(top, under, opacity); !near(got, want, 2) {
					t.Errorf("%v over %v at %g = %v, want %v", top, under, opacity, got, want)
				}
			}
		}
	}
}

// A mark is a picture of its own: turned by its EXIF, converted from its profile, taken from any format.
func TestWatermarkFormats(t *testing.T) {
	blue := rgb(20, 30, 200)
	data := pngOf(t, filled(100, 80, blue))
	turned := withEXIF(jpegOf(t, filled(20, 40, rgb(200, 20, 20)), 95), 6)
	if got, want := painted(decode(t, marked(t, data, turned, "wm=a/b&wmg=northwest")), blue), image.Rect(0, 0, 40, 20); got != want {
		t.Errorf("a turned mark: %v, want %v", got, want)
	}
	p3 := withICC(jpegOf(t, filled(20, 20, rgb(117, 251, 76)), 98), profileOf("P3", displayP3(), srgbLinear))
	if c := decode(t, marked(t, data, p3, "wm=a/b")).NRGBAAt(50, 40); !near(c, rgb(0, 255, 0), 12) {
		t.Errorf("a mark in Display P3: %v, want the green of sRGB", c)
	}
	movie := gifOf(t, 20, 20, []int{10, 10}, 0, rgb(250, 250, 0), rgb(0, 250, 250))
	if c := decode(t, marked(t, data, movie, "wm=a/b")).NRGBAAt(50, 40); !near(c, rgb(250, 250, 0), 8) {
		t.Errorf("an animated mark: %v, want its first frame", c)
	}
	gray := image.NewGray(image.Rect(0, 0, 20, 20))
	for i := range gray.Pix {
		gray.Pix[i] = 90
	}
	if c := decode(t, marked(t, data, pngOf(t, gray), "wm=a/b")).NRGBAAt(50, 40); !near(c, rgb(90, 90, 90), 2) {
		t.Errorf("a gray mark: %v", c)
	}
	if c := decode(t, marked(t, pngOf(t, gray), pngOf(t, filled(4, 4, rgb(250, 0, 0))), "wm=a/b&f=jpeg&q=95")).NRGBAAt(10, 10); c.R < 200 || c.G > 60 {
		t.Errorf("a red mark on gray: %v", c)
	}
	if c := decode(t, marked(t, pngOf(t, gray), jpegOf(t, photo(3000, 2000), 90), "wm=a/b&wms=1")).NRGBAAt(10, 10); c == rgb(90, 90, 90) {
		t.Error("a large mark left no trace")
	}
}

func TestWatermarkTrouble(t *testing.T) {
	e := newEngine(t)
	data := pngOf(t, filled(30, 30, rgb(1, 2, 3)))
	src, err := e.Probe(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := wish(t, "wm=a/b&f=png").Plan(src, resize.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Run(t.Context(), data, plan); err == nil {
		t.Error("a plan without its watermark was executed")
	} else if code, _ := status(err); code != 0 {
		t.Errorf("a watermark that was not handed in is blamed on the client: %d", code)
	}
	whole := jpegOf(t, photo(300, 200), 90)
	markSource, err := e.Probe(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	plan, err = plan.WithMark(append([]byte("\x89PNG"), whole...), markSource, resize.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Run(t.Context(), data, plan)
	if code, kind := status(err); code != 422 || kind != "corrupt_image" {
		t.Errorf("a broken watermark: %v, %d %s", err, code, kind)
	}
}

// lettered renders text on black.
func lettered(t testing.TB, text, options string) *image.NRGBA {
	t.Helper()
	data := pngOf(t, filled(400, 200, rgb(0, 0, 0)))
	return shown(t, data, "txt="+strings.ReplaceAll(url.QueryEscape(text), "+", "%20")+"&"+options)
}

func TestFonts(t *testing.T) {
	newEngine(t)
	fonts := libvips.Fonts()
	if len(fonts) != 1 || fonts[0] != (libvips.Font{Family: libvips.DefaultFont, Found: true}) {
		t.Errorf("Fonts() = %v; want %s, which Debian has in fonts-dejavu-core", fonts, libvips.DefaultFont)
	}
}

func TestTextPlace(t *testing.T) {
	black := rgb(0, 0, 0)
	for _, test := range []struct {
		options string
		check   func(image.Rectangle) bool
	}{
		{"txtg=northwest", func(r image.Rectangle) bool { return r.Min == image.Point{} }},
		{"txtg=southeast&txtx=7&txty=9", func(r image.Rectangle) bool { return r.Max == image.Pt(393, 191) }},
		{"txtg=center", func(r image.Rectangle) bool {
			return abs(r.Min.X-(400-r.Max.X)) <= 2 && abs(r.Min.Y-(200-r.Max.Y)) <= 2
		}},
		{"txts=40", func(r image.Rectangle) bool { return r.Dy() > 24 && r.Dy() < 36 }}, // capitals of DejaVu have 0.73 of the size
		{"w=200&dpr=2&txts=20", func(r image.Rectangle) bool { return r.Dy() > 24 && r.Dy() < 36 }},
		{"txtg=north&txty=-500", func(r image.Rectangle) bool { return r.Empty() }},
	} {
		if r := painted(lettered(t, "HXH", test.options), black); !test.check(r) {
			t.Errorf("%q: painted %v", test.options, r)
		}
	}
}

func abs(n int) int { return max(n, -n) }

func TestTextColor(t *testing.T) {
	brightest := func(m *image.NRGBA) (best color.NRGBA) {
		for i := 0; i < len(m.Pix); i += 4 {
			if c := (color.NRGBA{m.Pix[i], m.Pix[i+1], m.Pix[i+2], m.Pix[i+3]}); int(c.R)+int(c.G) > int(best.R)+int(best.G) {
				best = c
			}
		}
		return best
	}
	for options, want := range map[string]color.NRGBA{
		"txts=80": rgb(255, 255, 255), "txts=80&txtc=c08040": rgb(192, 128, 64), "txts=80&txtc=c0804080": rgb(96, 64, 32),
		"txts=80&txtc=c08040&txto=0.25": rgb(48, 32, 16),
	} {
		if c := brightest(lettered(t, "H", options)); !near(c, want, 2) {
			t.Errorf("%q: %v, want %v", options, c, want)
		}
	}
}

// Text is text: markup shows, and no text is an error.
func TestTextIsNoMarkup(t *testing.T) {
	inked := func(m *image.NRGBA) (n int) {
		for i := 0; i < len(m.Pix); i += 4 {
			n += int(m.Pix[i])
		}
		return n
	}
	bare, tagged := inked(lettered(t, "ab", "txts=30")), inked(lettered(t, "<b>ab</b>", "txts=30"))
	if tagged < bare*2 {
		t.Errorf("<b>ab</b> has %d of ink, ab %d: the tag was obeyed", tagged, bare)
	}
	if a, b := inked(lettered(t, "&amp;", "txts=30")), inked(lettered(t, "&", "txts=30")); a < b*2 {
		t.Errorf("&amp; has %d of ink, & %d: the entity was obeyed", a, b)
	}
	for _, text := range []string{
		"<", "&", "<span size='1000000'>x</span>", "\"'>", "&#0;", "a\u202eb", "\u200b", "\u00a0", "\ufeff", "\ufffe", "e\u0301\u0301\u0301", "👍🏽", "漢字",
		"\u202e\u202e\u202e", "a\u2028b", "%s%n", "\U0010ffff",
	} {
		lettered(t, text, "txts=30")
	}
}

// Right-to-left: the first letter stands on the right, and a Latin word keeps its own direction.
func TestTextDirection(t *testing.T) {
	alef := painted(lettered(t, "\u05d0", "txts=40"), rgb(0, 0, 0))
	both := lettered(t, "\u05d0\u05d5\u05d5\u05d5", "txts=40&txtg=northeast") // alef, then narrow vavs
	ink := painted(both, rgb(0, 0, 0))
	if alef.Dx() < 10 || ink.Dx() <= alef.Dx() {
		t.Fatalf("no letters: %v, %v", alef, ink)
	}
	columns := func(from, to int) (n int) {
		for x := from; x < to; x++ {
			for y := range 60 {
				n += int(both.NRGBAAt(x, y).R)
			}
		}
		return n
	}
	// Alef alone has as much ink in its width as three vavs in more: it is on the right if the right end of
	// that width holds what it holds alone.
	alone := lettered(t, "\u05d0", "txts=40&txtg=northeast")
	sum := 0
	for x := 400 - alef.Dx(); x < 400; x++ {
		for y := range 60 {
			sum += int(alone.NRGBAAt(x, y).R)
		}
	}
	if got := columns(400-alef.Dx(), 400); abs(got-sum) > sum/10 {
		t.Errorf("the right end has %d of ink, alef %d: it does not stand there", got, sum)
	}
}

func TestTextWraps(t *testing.T) {
	long := "A line that is far too long for a picture of four hundred px breaks"
	r := painted(lettered(t, long, "txts=30"), rgb(0, 0, 0))
	if r.Dx() > 400 || r.Dy() < 60 {
		t.Errorf("painted %v, want several lines", r)
	}
	e := newEngine(t)
	_, err := tryRender(t.Context(), e, pngOf(t, filled(40, 20, rgb(0, 0, 0))), wish(t, "txts=16384&f=png&txt="+url.PathEscape(long)), resize.DefaultLimits())
	if code, kind := status(err); code != 422 || kind != "unsupported_size" {
		t.Errorf("letters of 16384 px: %v", err)
	}
}
