package resize_test

import (
	"image"
	"math"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/resize"
)

func planOf(t *testing.T, text string, src resize.Source) resize.Plan {
	t.Helper()
	o, err := resize.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	p, err := o.Plan(src, resize.DefaultLimits())
	if err != nil {
		t.Fatalf("Plan(%q): %v", text, err)
	}
	return p
}

func still(w, h int) resize.Source {
	return resize.Source{Format: resize.FormatPNG, Width: w, Height: h, Orientation: 1, Pages: 1, Bands: 3, Depth: 8}
}

// apply maps one color as an engine does, clipped and rounded.
func apply(t resize.Tone, c [3]float64) [3]float64 {
	if !t.On {
		return c
	}
	var out [3]float64
	for row, r := range t.Rows {
		v := r[0]*c[0] + r[1]*c[1] + r[2]*c[2] + r[3]
		out[row] = math.Round(math.Max(0, math.Min(v, 255)))
	}
	return out
}

// The colors were worked out by hand from the formulas of the contract.
func TestTone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		options  string
		in, want [3]float64
	}{
		{"", [3]float64{10, 20, 30}, [3]float64{10, 20, 30}},
		{"bri=20", [3]float64{10, 20, 250}, [3]float64{61, 71, 255}},
		{"bri=-100", [3]float64{10, 20, 250}, [3]float64{0, 0, 0}},
		{"con=-100", [3]float64{10, 20, 250}, [3]float64{128, 128, 128}},
		{"con=100", [3]float64{127, 129, 128}, [3]float64{0, 255, 128}},
		{"con=50", [3]float64{100, 128, 150}, [3]float64{45, 128, 193}},
		{"sat=-100", [3]float64{255, 0, 0}, [3]float64{54, 54, 54}},
		{"sat=100", [3]float64{200, 100, 100}, [3]float64{255, 79, 79}},
		{"gray=1", [3]float64{0, 255, 0}, [3]float64{182, 182, 182}},
		{"hue=180", [3]float64{255, 0, 0}, [3]float64{0, 109, 109}},
		{"hue=120", [3]float64{0, 0, 0}, [3]float64{0, 0, 0}},
		{"hue=77", [3]float64{255, 255, 255}, [3]float64{255, 255, 255}},
		{"gray=1&bri=20", [3]float64{255, 0, 0}, [3]float64{105, 105, 105}}, // of 306, 51, 51: not clipped in between
		{"duotone=000000,ffffff", [3]float64{0, 255, 0}, [3]float64{182, 182, 182}},
		{"duotone=102030,f0e0d0", [3]float64{0, 0, 0}, [3]float64{16, 32, 48}},
		{"duotone=102030,f0e0d0", [3]float64{255, 255, 255}, [3]float64{240, 224, 208}},
		{"duotone=102030,f0e0d0&bri=100", [3]float64{255, 255, 255}, [3]float64{240, 224, 208}}, // never beyond the light color
	} {
		e := planOf(t, test.options, still(10, 10)).Effects
		if got := apply(e.Duotone, apply(e.Tone, test.in)); got != test.want && !within(got, test.want, 1) {
			t.Errorf("%q of %v = %v, want %v", test.options, test.in, got, test.want)
		}
	}
}

func within(a, b [3]float64, d float64) bool {
	for i := range a {
		if math.Abs(a[i]-b[i]) > d {
			return false
		}
	}
	return true
}

// What is in output px stays; what is in CSS px follows the dpr that was reached.
func TestEffectLengths(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		options string
		want    resize.Effects
	}{
		{"blur=3&sharpen=2&pixelate=4&w=100&dpr=2", resize.Effects{Blur: 3, Sharpen: 2, Pixelate: 4}},
		{"round=10&w=100&dpr=2", resize.Effects{Round: resize.Corners{X: 20, Y: 20}}},
		{"round=10&w=100&dpr=8", resize.Effects{Round: resize.Corners{X: 40, Y: 40}}}, // the source has 400 px: dpr 4
		{"round=90&w=100", resize.Effects{Round: resize.Corners{X: 37.5, Y: 37.5}}},   // a pill
		{"round=max&w=100", resize.Effects{Round: resize.Corners{X: 50, Y: 37.5}}},    // an ellipse
	} {
		if got := planOf(t, test.options, still(400, 300)).Effects; got != test.want {
			t.Errorf("%q = %+v, want %+v", test.options, got, test.want)
		}
	}
}

// Corners count as transparency where the format is chosen.
func TestRoundNeedsAlpha(t *testing.T) {
	t.Parallel()
	for options, want := range map[string]resize.Format{
		"round=5": resize.FormatPNG, "round=5&bg=ff0000": resize.FormatJPEG, "round=5&bg=auto": resize.FormatJPEG, "blur=5": resize.FormatJPEG,
	} {
		if got := planOf(t, options, still(40, 30)).Format; got != want {
			t.Errorf("%q: %v, want %v", options, got, want)
		}
	}
}

func TestTrimPlan(t *testing.T) {
	t.Parallel()
	turned := still(400, 300)
	turned.Orientation = 6 // upright 300 × 400; stored (x, y) is upright (299 − y, x)
	for _, test := range []struct {
		options string
		src     resize.Source
		at      image.Point
		left    image.Rectangle
		region  image.Rectangle // stored
		w, h    int
	}{
		{"trim=10", still(400, 300), image.Pt(0, 0), image.Rect(10, 20, 110, 70), image.Rect(10, 20, 110, 70), 100, 50},
		{"trim=10&w=50", still(400, 300), image.Pt(0, 0), image.Rect(10, 20, 110, 70), image.Rect(10, 20, 110, 70), 50, 25},
		{"trim=10&crop=10,5,20,10", still(400, 300), image.Pt(0, 0), image.Rect(10, 20, 110, 70), image.Rect(20, 25, 40, 35), 20, 10},
		{"trim=10&ar=1:1&g=west", still(400, 300), image.Pt(0, 0), image.Rect(10, 20, 110, 70), image.Rect(10, 20, 60, 70), 50, 50},
		{"trim=10", still(400, 300), image.Pt(0, 0), image.Rectangle{}, image.Rect(0, 0, 400, 300), 400, 300},
		{"trim=10&_te=h", still(400, 300), image.Pt(0, 0), image.Rect(10, 20, 110, 70), image.Rect(10, 20, 390, 70), 380, 50},
		{"trim=10&_te=hv", still(400, 300), image.Pt(0, 0), image.Rect(10, 20, 110, 70), image.Rect(10, 20, 390, 280), 380, 260},
		{"trim=10&_tg=southeast", still(400, 300), image.Pt(399, 299), image.Rect(0, 0, 400, 300), image.Rect(0, 0, 400, 300), 400, 300},
		{"trim=10", turned, image.Pt(0, 299), image.Rect(10, 20, 110, 70), image.Rect(10, 20, 110, 70), 50, 100},
		{"trim=10&_te=v", turned, image.Pt(0, 299), image.Rect(10, 20, 110, 70), image.Rect(10, 20, 390, 70), 50, 380},
		{"trim=10&crop=0,0,50,10", turned, image.Pt(0, 299), image.Rect(10, 20, 110, 70), image.Rect(10, 20, 20, 70), 50, 10},
	} {
		options := test.options
		p := planOf(t, strings.ReplaceAll(options, "&_tg=southeast", ""), test.src)
		if strings.Contains(options, "_tg") {
			o := p.Trim.Options
			o.TrimCorner = resize.TrimSouthEast
			var err error
			if p, err = o.Plan(test.src, resize.DefaultLimits()); err != nil {
				t.Fatal(err)
			}
		}
		if !p.Trim.On || p.Trim.At != test.at || p.Trim.Tolerance != 10 {
			t.Errorf("%q: Trim = %+v, want one at %v", options, p.Trim, test.at)
		}
		got, err := p.Trimmed(test.left)
		if err != nil || got.Trim.On || got.Region != test.region || got.Width != test.w || got.Height != test.h {
			t.Errorf("%q trimmed to %v: %v, %d × %d, %v; want %v, %d × %d", options, test.left, got.Region, got.Width, got.Height, err, test.region, test.w, test.h)
		}
		if got.Memory > p.Memory {
			t.Errorf("%q: the trimmed plan takes %d bytes, the one before promised %d", options, got.Memory, p.Memory)
		}
	}
	if p := planOf(t, "w=5", still(40, 30)); p.Trim.On {
		t.Error("a search without trim")
	}
}

// The place of a picked window is looked for in all there is, also for ar.
func TestPickedWindow(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		options string
		scaled  image.Point
		window  image.Point
	}{
		{"w=100&h=100&fit=cover&g=smart", image.Pt(133, 100), image.Pt(100, 100)},
		{"ar=1:1&w=100&g=smart", image.Pt(133, 100), image.Pt(100, 100)},
		{"ar=1:1&g=entropy", image.Pt(400, 300), image.Pt(300, 300)},
		{"ar=2:1&w=100&h=100&fit=cover&g=smart", image.Pt(200, 150), image.Pt(100, 100)},
		{"w=100&g=smart", image.Pt(100, 75), image.Pt(100, 75)},
	} {
		p := planOf(t, test.options, still(400, 300))
		if p.Scaled != test.scaled || p.Window.Size() != test.window || p.Region != image.Rect(0, 0, 400, 300) || p.Pick == resize.GravityCenter {
			t.Errorf("%q: scaled %v, window %v, region %v, pick %v; want %v and %v of the whole", test.options, p.Scaled, p.Window, p.Region, p.Pick, test.scaled, test.window)
		}
	}
}

func TestCover(t *testing.T) {
	t.Parallel()
	for _, test := range [][3]image.Point{
		{{400, 300}, {1, 1}, {300, 300}}, {{400, 300}, {800, 100}, {400, 50}}, {{3, 300}, {1000, 1}, {3, 1}}, {{4, 3}, {4, 3}, {4, 3}},
	} {
		if got := resize.Cover(test[0], test[1]); got != test[2] {
			t.Errorf("Cover(%v, %v) = %v, want %v", test[0], test[1], got, test[2])
		}
	}
}
