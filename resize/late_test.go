package resize_test

import (
	"image"
	"testing"

	"github.com/imgedge/imgedge/resize"
)

// What only thumbor and imagor can say has a text that reads back, and is dropped where nothing can use
// it.
func TestLateText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, want string }{
		{"w=300&h=200&_ad=1", "w=300&h=200&_ad=1"},
		{"w=300&_ad=1", "w=300"},
		{"w=300&h=300&_ad=1", "w=300&h=300"},
		{"h=200&_os=w", "h=200&_os=w"},
		{"w=200&_os=w", "w=200"},
		{"_os=h", ""},
		{"w=30&h=20&fit=cover&_nc=1", "w=30&h=20&fit=cover&_nc=1"},
		{"w=30&fit=cover&_nc=1", "w=30&fit=cover"},
		{"w=30&h=20&_nc=1", "w=30&h=20"},
		{"w=30&_pr=0.5", "w=30&_pr=0.5"},
		{"w=30&_pr=1", "w=30"},
		{"g=fp&_fa=10.5,20", "g=fp&_fa=10.5,20"},
		{"g=fp&fx=0.1&fy=0.2&_fa=10.5,20", "g=fp&_fa=10.5,20"},
		{"crop=1,2,3,4&_lt=90h", "crop=1,2,3,4&_lt=90h"},
		{"crop=1p,2p,3p,4p&_lt=90", "crop=1p,2p,3p,4p"},
		{"g=fp&_fa=0,0&_lt=270", "g=fp&_fa=0,0&_lt=270"},
		{"_lt=180", ""},
		{"trim=5&_tp=southeast", "trim=5&_tp=southeast"},
		{"_tp=southeast", ""},
		{"crop=1,2,3,4&trim=5&_tu=1", "crop=1,2,3,4&trim=5&_tu=1"},
		{"trim=5&_tu=1", "trim=5"},
		{"crop=1,2,3,4&_tu=1", "crop=1,2,3,4"},
		{"trim=5&_tc=ff0000&_tp=southeast", "trim=5&_tc=ff0000"},
		{"wm=a/b&_wms=0.5", "wm=a%2Fb&_wms=0.5"},
		{"wm=a/b&wms=0.5&_wms=0.5", "wm=a%2Fb&wms=0.5&_wmb=1"},
		{"wm=a/b&_wmr=h", "wm=a%2Fb&_wmr=h"},
		{"wm=a/b&wmr=1&_wmr=h", "wm=a%2Fb&wmr=1"},
	} {
		o, err := resize.Parse(test.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", test.text, err)
			continue
		}
		if o.String() != test.want {
			t.Errorf("Parse(%q) is %q, want %q", test.text, o, test.want)
		}
		if again, err := resize.Parse(o.String()); err != nil || again != o || o.Normalize() != o {
			t.Errorf("Parse(%q) is %+v, %v, want %+v", o.String(), again, err, o)
		}
	}
	for _, text := range []string{
		"_lt=0", "_lt=45", "_lt=h", "_fa=1", "_fa=-1,2", "_fa=1,2", "_os=both", "_pr=0", "_tp=north", "_wms=0.5", "_wmr=x&wm=a",
	} {
		if o, err := resize.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %q, want an error", text, o)
		}
	}
}

func TestLateGeometry(t *testing.T) {
	t.Parallel()
	wide, tall := image.Pt(400, 300), image.Pt(300, 400)
	for _, test := range []struct {
		text   string
		source image.Point
		size   image.Point
		region image.Rectangle // stored px
	}{
		{"w=200&h=100&_ad=1", wide, image.Pt(133, 100), image.Rect(0, 0, 400, 300)},
		{"w=200&h=100&_ad=1", tall, image.Pt(100, 133), image.Rect(0, 0, 300, 400)},
		{"w=200&h=100&fit=cover&_ad=1", tall, image.Pt(100, 200), image.Rect(0, 0, 300, 400)},
		{"h=100&_os=w&fit=cover&enlarge=1", wide, image.Pt(400, 100), image.Rect(0, 0, 400, 300)},
		{"w=100&_os=h&fit=stretch", wide, image.Pt(100, 300), image.Rect(0, 0, 400, 300)},
		{"h=100&_os=w&fit=cover&enlarge=1&crop=0,0,200,200", wide, image.Pt(200, 100), image.Rect(0, 0, 200, 200)},
		{"w=200&h=200&fit=cover&_nc=1", wide, image.Pt(267, 200), image.Rect(0, 0, 400, 300)},
		{"w=800&h=200&fit=cover&_nc=1", wide, image.Pt(400, 300), image.Rect(0, 0, 400, 300)},
		{"w=800&h=200&fit=cover&_nc=1&enlarge=1", wide, image.Pt(800, 600), image.Rect(0, 0, 400, 300)},
		{"w=800&h=800&_pr=0.5", wide, image.Pt(200, 150), image.Rect(0, 0, 400, 300)},
		{"w=800&h=800&_pr=2", wide, image.Pt(800, 600), image.Rect(0, 0, 400, 300)},
		{"w=200&h=200&_pr=0.5", wide, image.Pt(100, 75), image.Rect(0, 0, 400, 300)},
		{"w=200&h=200&fit=cover&enlarge=1&_pr=1.5", wide, image.Pt(300, 300), image.Rect(0, 0, 400, 300)},
		// The crop speaks of the picture as it was before the turn, so the stored region is the same.
		{"crop=10,20,100,50", wide, image.Pt(100, 50), image.Rect(10, 20, 110, 70)},
		{"crop=10,20,100,50&rot=90&_lt=90", wide, image.Pt(50, 100), image.Rect(10, 20, 110, 70)},
		{"crop=10,20,100,50&rot=180&_lt=180", wide, image.Pt(100, 50), image.Rect(10, 20, 110, 70)},
		{"crop=10,20,100,50&rot=270&_lt=270", wide, image.Pt(50, 100), image.Rect(10, 20, 110, 70)},
		{"crop=10,20,100,50&flip=h&_lt=0h", wide, image.Pt(100, 50), image.Rect(10, 20, 110, 70)},
		{"crop=10,20,100,50&rot=90&flip=h&_lt=90h", wide, image.Pt(50, 100), image.Rect(10, 20, 110, 70)},
		{"crop=10,20,100,50&rot=270&flip=h&_lt=270h", wide, image.Pt(50, 100), image.Rect(10, 20, 110, 70)},
		// Turned by 90 degrees before, mirrored after: 10, 20 of the turned picture of 300 by 400.
		{"crop=10,20,100,50&rot=90&flip=h&_lt=0h", wide, image.Pt(100, 50), image.Rect(20, 190, 70, 290)},
	} {
		o, err := resize.Parse(test.text)
		if err != nil {
			t.Fatalf("Parse(%q): %v", test.text, err)
		}
		p, err := o.Plan(resize.Source{Format: resize.FormatJPEG, Width: test.source.X, Height: test.source.Y, Orientation: 1, Pages: 1}, resize.Limits{})
		if err != nil {
			t.Errorf("%s of %v: %v", test.text, test.source, err)
			continue
		}
		if got := image.Pt(p.Width, p.Height); got != test.size || p.Region != test.region {
			t.Errorf("%s of %v is %v of %v, want %v of %v", test.text, test.source, got, p.Region, test.size, test.region)
		}
	}
}

// A focal point in px keeps the same part of the source whatever turn comes after.
func TestLateFocus(t *testing.T) {
	t.Parallel()
	src := resize.Source{Format: resize.FormatJPEG, Width: 400, Height: 300, Orientation: 1, Pages: 1}
	for _, test := range []struct {
		text   string
		window image.Rectangle // upright output px
	}{
		{"w=100&h=300&fit=cover&g=fp&_fa=300,150", image.Rect(250, 0, 350, 300)},
		{"w=100&h=300&fit=cover&g=fp&_fa=399,150", image.Rect(300, 0, 400, 300)},
		{"w=300&h=100&fit=cover&g=fp&_fa=300,150&rot=90&_lt=90", image.Rect(0, 250, 300, 350)},
		{"w=300&h=100&fit=cover&g=fp&_fa=300,150&rot=270&_lt=270", image.Rect(0, 50, 300, 150)},
		{"w=100&h=300&fit=cover&g=fp&_fa=300,150&flip=h&_lt=0h", image.Rect(50, 0, 150, 300)},
		{"w=100&h=300&fit=cover&g=fp&_fa=300,150&crop=200,0,200,300", image.Rect(50, 0, 150, 300)},
	} {
		o, err := resize.Parse(test.text)
		if err != nil {
			t.Fatalf("Parse(%q): %v", test.text, err)
		}
		p, err := o.Plan(src, resize.Limits{})
		if err != nil || p.Window != test.window {
			t.Errorf("%s keeps %v, %v; want %v", test.text, p.Window, err, test.window)
		}
	}
}

// Trim has left 20, 10 to 320, 260 of 400 by 300 px.
func TestUntrimmed(t *testing.T) {
	t.Parallel()
	src := resize.Source{Format: resize.FormatJPEG, Width: 400, Height: 300, Orientation: 1, Pages: 1, Trimmed: image.Rect(20, 10, 320, 260)}
	for _, test := range []struct {
		text   string
		region image.Rectangle // stored px
		window image.Rectangle // upright output px
	}{
		{"trim=1", image.Rect(20, 10, 320, 260), image.Rect(0, 0, 300, 250)},
		{"trim=1&crop=0,0,100,100", image.Rect(20, 10, 120, 110), image.Rect(0, 0, 100, 100)},
		{"trim=1&crop=0,0,100,100&_tu=1", image.Rect(20, 10, 100, 100), image.Rect(0, 0, 80, 90)},
		{"trim=1&crop=50,60,100,100&_tu=1", image.Rect(50, 60, 150, 160), image.Rect(0, 0, 100, 100)},
		{"trim=1&crop=50p,50p,50p,50p&_tu=1", image.Rect(200, 150, 320, 260), image.Rect(0, 0, 120, 110)},
		{"trim=1&crop=350,0,40,40&_tu=1", image.Rect(20, 10, 320, 260), image.Rect(0, 0, 300, 250)},
		{"trim=1&crop=50,60,100,80&_tu=1&rot=90&_lt=90", image.Rect(50, 60, 150, 140), image.Rect(0, 0, 80, 100)},
		{"trim=1&g=fp&_fa=170,135&w=100&h=250&fit=cover&_tu=1", image.Rect(20, 10, 320, 260), image.Rect(100, 0, 200, 250)},
		{"trim=1&g=fp&fx=0.425&fy=0.5&w=100&h=250&fit=cover&_tu=1", image.Rect(20, 10, 320, 260), image.Rect(100, 0, 200, 250)},
	} {
		o, err := resize.Parse(test.text)
		if err != nil {
			t.Fatalf("Parse(%q): %v", test.text, err)
		}
		p, err := o.Plan(src, resize.Limits{})
		if err != nil || p.Region != test.region || p.Window != test.window {
			t.Errorf("%s is %v of %v, %v; want %v of %v", test.text, p.Window, p.Region, err, test.window, test.region)
		}
	}
}
