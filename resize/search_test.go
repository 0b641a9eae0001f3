package resize

import (
	"image"
	"slices"
	"testing"
)

func planOf(t *testing.T, o Options, src Source) Plan {
	t.Helper()
	p, err := o.Normalize().Plan(src, DefaultLimits())
	if err != nil {
		t.Fatalf("%s: %v", o, err)
	}
	return p
}

func TestPlanSearch(t *testing.T) {
	photo := jpegOf(400, 300, 1)
	moving := Source{Format: FormatGIF, Width: 40, Height: 30, Pages: 5, Animated: true, Bands: 4, Depth: 8, Alpha: true}
	tests := []struct {
		text string
		src  Source
		want Search
	}{
		{"f=jpeg&w=9", photo, Search{}},
		{"f=jpeg&w=9&q=auto", photo, Search{Auto: true}},
		{"f=webp&w=9&mb=900", photo, Search{MaxBytes: 900}},
		{"f=avif&w=90&mb=900&q=auto", photo, Search{Auto: true, MaxBytes: 900}},
		{"w=9&q=auto&mb=900", photo, Search{Auto: true, MaxBytes: 900}},
		{"pad=1&q=auto&mb=900", photo, Search{}},                    // becomes a PNG
		{"_ac=webp&lossless=1&mb=900", photo, Search{}},             // nothing to lower
		{"f=webp&w=9&q=auto&mb=900", moving, Search{MaxBytes: 900}}, // frames are not compared
	}
	for _, tt := range tests {
		o, err := Parse(tt.text)
		if err != nil {
			t.Fatalf("%s: %v", tt.text, err)
		}
		p := planOf(t, o, tt.src)
		p.Search.Reuse = false
		if p.Search != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.text, p.Search, tt.want)
		}
		once := p
		once.Search = Search{}
		if extra := p.Search.bytes(p); p.Search.Tries() != (extra > 0) || once.Search.bytes(once) != 0 {
			t.Errorf("%s: searching takes %d bytes", tt.text, extra)
		}
	}
}

func TestPlanBest(t *testing.T) {
	photo, logo := jpegOf(400, 300, 1), Source{Format: FormatPNG, Width: 400, Height: 300, Pages: 1, Bands: 4, Depth: 8, Alpha: true}
	moving := Source{Format: FormatGIF, Width: 400, Height: 300, Pages: 5, Animated: true, Bands: 4, Depth: 8, Alpha: true}
	tests := []struct {
		text string
		src  Source
		auto bool
		want []Format
	}{
		{"f=best", photo, true, []Format{FormatJPEG, FormatPNG}},
		{"f=best&_ac=avif.webp.jxl", photo, true, []Format{FormatAVIF, FormatWebP, FormatWebP, FormatJXL, FormatJPEG, FormatPNG}},
		{"f=best&_ac=avif.webp&q=70", photo, false, []Format{FormatAVIF, FormatWebP, FormatJPEG, FormatPNG}},
		{"f=best&_ac=webp&lossless=1", photo, false, []Format{FormatWebP, FormatPNG}},
		{"f=best&_ac=webp", logo, true, []Format{FormatWebP, FormatWebP, FormatPNG}},
		{"f=best&_ac=avif.webp", moving, false, []Format{FormatWebP, FormatGIF}},
		{"f=best&_ac=avif&w=9", photo, true, []Format{FormatJPEG, FormatPNG}},
	}
	for _, tt := range tests {
		o, err := Parse(tt.text)
		if err != nil {
			t.Fatalf("%s: %v", tt.text, err)
		}
		p := planOf(t, o, tt.src)
		var got []Format
		for _, e := range p.Search.Best {
			if e.Format != FormatAuto {
				got = append(got, e.Format)
			}
		}
		if !slices.Equal(got, tt.want) || p.Search.Auto != tt.auto {
			t.Errorf("%s: %v, auto %v; want %v, %v", tt.text, got, p.Search.Auto, tt.want, tt.auto)
		}
	}
}

func TestPlanReuse(t *testing.T) {
	photo := jpegOf(400, 300, 1)
	turned, cmyk, deep := jpegOf(400, 300, 6), photo, Source{Format: FormatPNG, Width: 40, Height: 30, Pages: 1, Bands: 3, Depth: 16}
	cmyk.CMYK, cmyk.Bands = true, 4
	moving := Source{Format: FormatGIF, Width: 40, Height: 30, Pages: 5, Animated: true, Bands: 4, Depth: 8, Alpha: true}
	logo := Source{Format: FormatPNG, Width: 400, Height: 300, Pages: 1, Bands: 4, Depth: 8, Alpha: true}
	tests := []struct {
		text string
		src  Source
		want bool
	}{
		{"", photo, true},
		{"w=400", photo, true},
		{"w=900&h=900&fit=contain&q=50&meta=all&icc=keep", photo, true},
		{"w=200&dpr=2", photo, true},
		{"orient=0", photo, true},
		{"w=400&h=300&fit=cover&g=north", photo, true},
		{"w=399", photo, false},
		{"w=800&enlarge=1", photo, false},
		{"crop=0,0,400,299", photo, false},
		{"crop=1,0,399,300", photo, false},
		{"rot=180", photo, false},
		{"flip=h", photo, false},
		{"rot=5", photo, false},
		{"trim=5", photo, false},
		{"pad=1", photo, false},
		{"blur=1", photo, false},
		{"sharpen=1", photo, false},
		{"pixelate=2", photo, false},
		{"bri=1", photo, false},
		{"con=1", photo, false},
		{"sat=1", photo, false},
		{"hue=1", photo, false},
		{"gray=1", photo, false},
		{"duotone=000000,ffffff", photo, false},
		{"round=5", photo, false},
		{"txt=a", photo, false},
		{"", turned, false},
		{"orient=0", turned, false},
		{"", cmyk, false},
		{"", deep, false},
		{"f=keep", logo, true},
		{"f=keep&bg=ff0000", logo, false},
		{"f=gif", moving, true},
		{"f=gif&frames=3", moving, false},
		{"f=gif&page=2", moving, false},
		{"anim=0", moving, false},
	}
	for _, tt := range tests {
		o, err := Parse(tt.text)
		if err != nil {
			t.Fatalf("%s: %v", tt.text, err)
		}
		if got := planOf(t, o, tt.src).Search.Reuse; got != tt.want {
			t.Errorf("%q of %v: Reuse = %v, want %v", tt.text, tt.src.Format, got, tt.want)
		}
	}
}

// TestSizedKeepsWhatIsSeen holds that an option which is not known to choose size, format or metadata
// alone counts as seen: whoever adds one need not think of the source being sent instead.
func TestSizedKeepsWhatIsSeen(t *testing.T) {
	seen := Options{
		Trim: 1, Pad: Padding{Top: 1}, Blur: 1, Sharpen: 1, Pixelate: 2, Brightness: 1, Contrast: 1, Saturation: 1, Hue: 1, Gray: true,
		Duotone: Duotone{On: true}, Round: Round{Max: true}, Watermark: Watermark{Image: "a"}, Text: Text{Value: "a"},
	}
	if got := seen.sized(); got != seen {
		t.Errorf("sized = %+v, want it unchanged", got)
	}
}

func TestPlanSVG(t *testing.T) {
	src := Source{Format: FormatSVG, Width: 100, Height: 50, Pages: 1, Bands: 4, Depth: 8, Alpha: true}
	tests := []struct {
		text   string
		scale  float64
		loaded image.Rectangle
		w, h   int
	}{
		{"", 1, image.Rect(0, 0, 100, 50), 100, 50},
		{"w=1000", 10, image.Rect(0, 0, 1000, 500), 1000, 500},
		{"w=10", 0.1, image.Rect(0, 0, 10, 5), 10, 5},
		{"w=50&h=50&fit=cover", 1, image.Rect(0, 0, 100, 50), 50, 50},
		{"crop=50,0,50,50&w=500", 10, image.Rect(500, 0, 1000, 500), 500, 500},
		{"w=300&h=300&fit=stretch", 6, image.Rect(0, 0, 600, 300), 300, 300},
		{"meta=all&icc=keep&w=200", 2, image.Rect(0, 0, 200, 100), 200, 100},
	}
	for _, tt := range tests {
		o, err := Parse(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		p := planOf(t, o, src)
		if p.Scale != tt.scale || p.Loaded != tt.loaded || p.Width != tt.w || p.Height != tt.h || p.Metadata != MetadataNone || p.KeepICC {
			t.Errorf("%q: scale %v, loaded %v, %d×%d; want %v, %v, %d×%d", tt.text, p.Scale, p.Loaded, p.Width, p.Height, tt.scale, tt.loaded, tt.w, tt.h)
		}
	}
	p := planOf(t, Options{Crop: Region{W: 1, H: 1}, Width: 4000}, src)
	if px := float64(src.Width*src.Height) * p.Scale * p.Scale; px > maxDrawn*1.01 || p.Width != 4000 {
		t.Errorf("a small part of a drawing makes it draw %.0f px", px)
	}
}

func TestPlanOfTexts(t *testing.T) {
	logo := Source{Format: FormatPNG, Width: 400, Height: 300, Pages: 1, Bands: 4, Depth: 8, Alpha: true}
	for text, want := range map[string]image.Point{
		"f=json": {100, 75}, "f=blurhash": {100, 75}, "f=thumbhash&fit=cover": {100, 75}, "f=thumbhash&ar=1:1": {100, 100},
		"f=thumbhash&w=40": {40, 30}, "f=blurhash&w=200&h=200&fit=cover": {200, 200},
	} {
		o, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		p := planOf(t, o, logo)
		if got := image.Pt(p.Width, p.Height); got != want || p.Flatten || p.Format != o.Format {
			t.Errorf("%s: %v, flatten %v, %v; want %v", text, got, p.Flatten, p.Format, want)
		}
	}
}
