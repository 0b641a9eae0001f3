package resize_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imgedge/imgedge/resize"
)

// What only dialects say has a canonical text too, which reads back; what nothing can use is dropped.
func TestSpecialValues(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, want string }{
		{"_cs=500,300", "_cs=500,300"},
		{"_cs=50p,0&_cg=northwest,5,10p", "_cs=50p,0&_cg=northwest,5,10p"},
		{"_cs=100p,0&_cg=north", ""},
		{"_cs=500,300&_cg=center", "_cs=500,300"},
		{"_cs=500,300&_cg=fp,0.2,0.8", "_cs=500,300&_cg=fp,0.2,0.8"},
		{"_cs=500,300&_cg=smart", "_cs=500,300&_cg=smart"},
		{"_cg=north", ""},
		{"_cs=500,300&_ce=1", "_cs=500,300"},
		{"_cs=500,300&ar=1:1&_ce=1", "_cs=500,300&ar=1:1&_ce=1"},
		{"zoom=2&_zy=2", "zoom=2"},
		{"zoom=2&_zy=1", "zoom=2&_zy=1"},
		{"_zy=1", ""},
		{"w=300&h=200&_ex=box", "w=300&h=200&fit=pad"},
		{"w=300&h=200&_ex=box&_xg=north", "w=300&h=200&fit=pad&g=north"},
		{"w=300&h=200&_ex=box&_xg=center&g=north", "w=300&h=200&fit=pad"},
		{"w=300&h=200&_ex=box&_xg=center&g=north&mw=250", "w=300&h=200&fit=pad&mw=250&_xg=center&g=north"},
		{"w=300&h=200&dpr=2&_ex=box", "w=300&h=200&dpr=2&_ex=box"},
		{"w=300&h=200&dpr=2&enlarge=1&_ex=box", "w=300&h=200&dpr=2&fit=pad&enlarge=1"},
		{"w=300&h=200&fit=cover&_ex=box", "w=300&h=200&fit=cover&_ex=box"},
		{"w=300&h=200&fit=cover&enlarge=1&_ex=box", "w=300&h=200&fit=cover&enlarge=1"},
		{"w=300&h=200&_ex=ratio", "w=300&h=200&_ex=ratio"},
		{"w=300&_ex=ratio", "w=300"},
		{"_ex=box&_xg=south", ""},
		{"w=300&_ms=1", "w=300"},
		{"w=300&dpr=0.5&_ms=1", "w=300&dpr=0.5&_ms=1"},
		{"w=300&fit=stretch&_ms=1", "w=300&fit=stretch&_ms=1"},
		{"w=300&dpr=0.5&_ms=1&_md=100", "w=300&dpr=0.5&_md=100"},
		{"trim=10&_tc=ff00ff&_te=hv", "trim=10&_tc=ff00ff&_te=hv"},
		{"_tc=ff00ff&_te=h", ""},
		{"f=keep&_kf=gif.jpeg.png", "f=keep&_kf=jpeg.png.gif"},
		{"f=webp&_kf=jpeg", "f=webp"},
		{"_fq=webp.60,jpeg.80", "_fq=webp.60"},
		{"f=webp&_fq=webp.60", "f=webp&q=60"},
		{"_fq=webp.60&q=50", "q=50"},
		{"_sp=gif.svg", "_sp=gif.svg"},
		{"_hs=md5.d41d8cd98f00b204e9800998ecf8427e", "_hs=md5.d41d8cd98f00b204e9800998ecf8427e"},
		{"wm=logo&wms=0.5&_wmb=1&_wmw=5", "wm=logo&wms=0.5&_wmb=1"},
		{"wm=logo&_wmw=50&_wmh=20&_wmb=1", "wm=logo&_wmw=50&_wmh=20"},
	} {
		o, err := resize.Parse(test.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", test.text, err)
			continue
		}
		if o.String() != test.want {
			t.Errorf("%q is written %q, want %q", test.text, o, test.want)
		}
		if again, err := resize.Parse(o.String()); err != nil || again != o {
			t.Errorf("Parse(%q): %v: %s", o, err, cmp.Diff(o, again))
		}
		if twice := o.Normalize(); twice != o {
			t.Errorf("%q: normalized twice: %s", test.text, cmp.Diff(o, twice))
		}
	}
}

func TestSpecialRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"_cs=500", "_cs=0,0", "_cs=101p,5", "_cs=1.5,5", "_cg=nowhere", "_cg=fp", "_cg=fp,0.5", "_cg=fp,2,0", "_cg=north,5", "_xg=smart", "_xg=north,x,y",
		"_zy=0", "_ex=all", "_md=0", "_tc=ff00ff80", "_te=x", "_kf=auto", "_kf=", "_fq=png.5", "_fq=jpeg.0", "_fq=jpeg", "_sp=keep",
		"_hs=md5.d41d", "_hs=crc.00", "_hs=md5.D41D8CD98F00B204E9800998ECF8427E", "_wmw=0",
	} {
		if o, err := resize.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %q, want an error", text, o)
		} else if name, _, _ := strings.Cut(text, "="); !strings.HasPrefix(err.Error(), name+":") {
			t.Errorf("Parse(%q): %v does not name the option", text, err)
		}
	}
}

// Sizes worked by hand from imgproxy's rules.
func TestMeasure(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		w, h       int // source
		wantW      int
		wantH      int
	}{
		{"canvas follows the reached dpr", "w=300&h=300&dpr=2&_ex=box", 400, 300, 400, 400},
		{"too small: canvas at dpr 1", "w=300&h=300&dpr=2&_ex=box", 200, 150, 300, 300},
		{"small dpr is not made up for under a canvas", "w=300&h=300&dpr=0.5&_ex=box", 200, 150, 150, 150},
		{"small dpr makes up for a small source", "w=400&h=100&fit=cover&dpr=0.5&_ms=1", 200, 150, 200, 100},
		{"cover, then extended", "w=400&h=100&fit=cover&_ex=box", 200, 150, 400, 100},
		{"ratio around a small source", "w=300&h=300&_ex=ratio", 200, 100, 200, 200},
		{"ratio at the box", "w=300&h=200&_ex=ratio", 2725, 2225, 300, 200},
		{"one side stretched", "w=300&fit=stretch&_ms=1", 2725, 2225, 300, 2225},
		{"one side stretched, too small", "w=300&fit=stretch&_ms=1", 200, 150, 200, 100},
		{"two zooms", "w=300&zoom=0.5&_zy=1", 2725, 2225, 150, 245},
		{"longest side", "w=300&_md=100", 2725, 2225, 100, 82},
		{"longest side with padding", "w=300&pad=50&_md=100", 2725, 2225, 99, 85}, // 400×345 by 0.25: 75×61, 12.5 rounds to 12 on each side
		{"region", "_cs=600,0&h=100", 2725, 2225, 27, 100},
		{"region larger than the source", "_cs=6000,500", 2725, 2225, 2725, 500},
		{"region in percent", "_cs=50p,50p&w=200", 3024, 4032, 200, 267},
		{"region of a ratio", "_cs=1000,500&ar=1:1", 2725, 2225, 500, 500},
		{"region grown to a ratio", "_cs=1000,500&ar=1:1&_ce=1", 2725, 2225, 1000, 1000},
		{"region grown too far", "_cs=2725,500&ar=1:1&_ce=1", 2725, 2225, 2225, 2225},
		{"padding rounds half to even", "w=100&dpr=1.5&pad=3&_ms=1", 2725, 2225, 158, 130},
	} {
		o, err := resize.Parse(test.text)
		if err != nil {
			t.Errorf("%s: Parse(%q): %v", test.name, test.text, err)
			continue
		}
		p, err := o.Plan(resize.Source{Format: resize.FormatJPEG, Width: test.w, Height: test.h, Bands: 3, Depth: 8}, resize.DefaultLimits())
		if err != nil || p.Width != test.wantW || p.Height != test.wantH {
			t.Errorf("%s: %q of %d×%d is %d×%d, %v; want %d×%d", test.name, test.text, test.w, test.h, p.Width, p.Height, err, test.wantW, test.wantH)
		}
	}
}

// A region has a gravity of its own, in source px.
func TestSizedRegion(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, want string }{
		{"_cs=500,300", "(50,50)-(550,350)"},
		{"_cs=500,300&_cg=northwest,10,20", "(10,20)-(510,320)"},
		{"_cs=500,300&_cg=southeast,10,20", "(90,80)-(590,380)"},
		{"_cs=500,300&_cg=north&g=south&gy=5", "(50,0)-(550,300)"},
		{"_cs=100,100&_cg=fp,0,1", "(0,300)-(100,400)"},
		{"_cs=500,300&_cg=smart", "(0,0)-(600,400)"},
	} {
		o, err := resize.Parse(test.text)
		if err != nil {
			t.Fatalf("Parse(%q): %v", test.text, err)
		}
		p, err := o.Plan(resize.Source{Format: resize.FormatJPEG, Width: 600, Height: 400, Bands: 3, Depth: 8}, resize.Limits{})
		if err != nil || p.Region.String() != test.want {
			t.Errorf("%q keeps %v, %v; want %v", test.text, p.Region, err, test.want)
		}
		if o.CropAt.Gravity == resize.GravitySmart && (p.Pick != resize.GravitySmart || p.Width != 500 || p.Height != 300) {
			t.Errorf("%q: pick %v, %d×%d", test.text, p.Pick, p.Width, p.Height)
		}
	}
}

// f=keep and f=auto keep only the source formats named.
func TestKept(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text   string
		source resize.Format
		alpha  bool
		want   resize.Format
	}{
		{"f=keep", resize.FormatWebP, false, resize.FormatWebP},
		{"f=keep&_kf=jpeg.png.gif", resize.FormatWebP, false, resize.FormatJPEG},
		{"f=keep&_kf=jpeg.png.gif", resize.FormatWebP, true, resize.FormatPNG},
		{"f=keep&_kf=jpeg.png.gif", resize.FormatPNG, false, resize.FormatPNG},
		{"_kf=jpeg.png.gif", resize.FormatPNG, false, resize.FormatPNG},
		{"_kf=jpeg.png.gif", resize.FormatTIFF, false, resize.FormatJPEG},
		{"_kf=png&_ac=webp", resize.FormatPNG, false, resize.FormatWebP},
		{"", resize.FormatPNG, false, resize.FormatJPEG},
	} {
		o, err := resize.Parse(test.text)
		if err != nil {
			t.Fatalf("Parse(%q): %v", test.text, err)
		}
		p, err := o.Plan(resize.Source{Format: test.source, Width: 60, Height: 40, Bands: 3, Depth: 8, Alpha: test.alpha}, resize.Limits{})
		if err != nil || p.Format != test.want {
			t.Errorf("%q of %v (alpha %t) is %v, %v; want %v", test.text, test.source, test.alpha, p.Format, err, test.want)
		}
	}
}

func TestQualities(t *testing.T) {
	t.Parallel()
	o, err := resize.Parse("f=keep&_fq=jpeg.50,webp.60")
	if err != nil {
		t.Fatal(err)
	}
	for source, want := range map[resize.Format]int{resize.FormatJPEG: 50, resize.FormatWebP: 60, resize.FormatAVIF: 63, resize.FormatPNG: 0} {
		p, err := o.Plan(resize.Source{Format: source, Width: 60, Height: 40, Bands: 3, Depth: 8}, resize.Limits{})
		if err != nil || p.Quality != want {
			t.Errorf("quality of %v = %d, %v; want %d", source, p.Quality, err, want)
		}
	}
}

func TestPassesAndHashsum(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"_sp=gif": true, "_sp=gif&f=keep": true, "_sp=gif&f=gif": true, "_sp=gif&f=png": false, "_sp=png": false, "": false} {
		o, err := resize.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Passes(resize.Source{Format: resize.FormatGIF}); got != want {
			t.Errorf("%q passes a GIF: %t, want %t", text, got, want)
		}
	}
	for text, want := range map[string]bool{
		"": true,
		"_hs=md5.900150983cd24fb0d6963f7d28e17f72":                                    true,
		"_hs=sha1.a9993e364706816aba3e25717850c26c9cd0d89d":                           true,
		"_hs=sha256.ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad": true,
		"_hs=md5.900150983cd24fb0d6963f7d28e17f73":                                    false,
	} {
		o, err := resize.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.CheckHashsum([]byte("abc")); (err == nil) != want {
			t.Errorf("%q: CheckHashsum = %v, want good = %t", text, err, want)
		}
	}
}
