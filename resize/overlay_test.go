package resize_test

import (
	"errors"
	"image"
	"testing"

	"github.com/imgedge/imgedge/resize"
)

func TestPlaceIn(t *testing.T) {
	t.Parallel()
	outer, inner := image.Pt(100, 80), image.Pt(20, 10)
	px := func(v float64) resize.Length { return resize.Length{Value: v} }
	for _, test := range []struct {
		place resize.Place
		want  image.Point
	}{
		{resize.Place{DPR: 1}, image.Pt(40, 35)},
		{resize.Place{Gravity: resize.GravityNorthWest, X: px(3), Y: px(4), DPR: 1}, image.Pt(3, 4)},
		{resize.Place{Gravity: resize.GravityNorthWest, X: px(3), Y: px(4), DPR: 1.5}, image.Pt(5, 6)},
		{resize.Place{Gravity: resize.GravitySouthEast, X: px(3), Y: px(4), DPR: 1}, image.Pt(77, 66)},
		{resize.Place{Gravity: resize.GravitySouthEast, X: px(-3), Y: px(-4), DPR: 2}, image.Pt(86, 78)},
		{resize.Place{Gravity: resize.GravitySouth, X: px(5), Y: px(6), DPR: 1}, image.Pt(45, 64)},
		{resize.Place{Gravity: resize.GravityEast, X: resize.Length{Value: 10, Percent: true}, DPR: 2}, image.Pt(70, 35)},
		{resize.Place{Gravity: resize.GravityWest, X: px(-500), DPR: 1}, image.Pt(-500, 35)},
	} {
		if got := test.place.In(outer, inner); got != test.want {
			t.Errorf("%+v.In(%v, %v) = %v, want %v", test.place, outer, inner, got, test.want)
		}
	}
	if got := (resize.Place{DPR: 1}).In(image.Pt(10, 10), image.Pt(15, 14)); got != image.Pt(-2, -2) {
		t.Errorf("a larger one in the middle is at %v, want (-2,-2)", got)
	}
}

// The size of a watermark for a result of 200 × 150 px; the mark itself has 80 × 40.
func TestWithMark(t *testing.T) {
	t.Parallel()
	mark := still(80, 40)
	turned := still(40, 80)
	turned.Orientation = 6
	for _, test := range []struct {
		options string
		src     resize.Source
		w, h    int
	}{
		{"w=200&wm=a/b", mark, 80, 40},
		{"w=200&wm=a/b", turned, 80, 40},
		{"w=100&dpr=2&wm=a/b", mark, 160, 80},
		{"w=200&wm=a/b&wms=0.5", mark, 100, 50},
		{"w=100&dpr=2&wm=a/b&wms=0.5", mark, 100, 50}, // a share of the output is one at any dpr
		{"w=200&pad=50&wm=a/b&wms=0.5", mark, 150, 75},
		{"w=200&wm=a/b&wms=0.5&wmrot=90", mark, 50, 100},
		{"w=200&wm=a/b&wms=0.5&wmrot=180", mark, 100, 50},
		{"w=200&wm=a/b&wms=0.5&wmrot=45", mark, 106, 106},
		{"w=200&wm=a/b&wms=0.2&_wmb=1", mark, 40, 20},
		{"w=200&wm=a/b&wms=0.2&_wmb=1", still(40, 80), 15, 30},
		{"w=200&wm=a/b&_wmw=50", mark, 50, 25},
		{"w=100&dpr=2&wm=a/b&_wmw=50&_wmh=10", mark, 40, 20},
	} {
		p := planOf(t, test.options, still(400, 300))
		if p.Overlay.Picture != nil {
			t.Errorf("%q: the watermark is known before it is handed in", test.options)
		}
		got, err := p.WithMark([]byte("x"), test.src, resize.DefaultLimits())
		if err != nil || got.Overlay.Picture.Width != test.w || got.Overlay.Picture.Height != test.h || got.Memory <= p.Memory {
			t.Errorf("%q: %v, %+v; want %d × %d", test.options, err, got.Overlay.Picture, test.w, test.h)
		}
	}
}

func TestWithMarkTiles(t *testing.T) {
	t.Parallel()
	p, err := planOf(t, "w=200&wm=a/b&wmr=1&wmx=10&wmy=10p&wmg=south", still(400, 300)).WithMark(nil, still(80, 40), resize.DefaultLimits())
	if o := p.Overlay; err != nil || !o.TileX || !o.TileY || o.Gap != image.Pt(10, 15) || o.Place.X.Value != 0 || o.Place.Y.Value != 0 {
		t.Errorf("tiled: %v, %+v", err, o)
	}
	p, err = planOf(t, "w=200&wm=a/b&_wmr=h&wmx=10&wmy=20&wmg=south", still(400, 300)).WithMark(nil, still(80, 40), resize.DefaultLimits())
	if o := p.Overlay; err != nil || !o.TileX || o.TileY || o.Gap != image.Pt(10, 0) || o.Place.X.Value != 0 || o.Place.Y.Value != 20 {
		t.Errorf("a row: %v, %+v", err, o)
	}
}

func TestWithMarkRefuses(t *testing.T) {
	t.Parallel()
	_, err := planOf(t, "w=200&wm=a/b", still(400, 300)).WithMark(nil, still(20000, 20000), resize.DefaultLimits())
	var known *resize.Error
	if !errors.As(err, &known) || known.Status != 422 || known.Kind != "too_many_pixels" || known.Text[:4] != "wm: " {
		t.Errorf("a watermark beyond the limits: %v", err)
	}
	p := planOf(t, "trim=5&w=200&wm=a/b&wms=0.5", still(400, 300))
	p, err = p.WithMark([]byte("x"), still(80, 40), resize.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	p, err = p.Trimmed(image.Rect(0, 0, 100, 100))
	if err != nil || p.Overlay.Picture == nil || p.Overlay.Picture.Width != 50 || string(p.Overlay.Data) != "x" {
		t.Errorf("the watermark after trim: %v, %+v; want half of 100 px", err, p.Overlay.Picture)
	}
}

func TestCaption(t *testing.T) {
	t.Parallel()
	p := planOf(t, "w=100&dpr=2&txt=a%26b&txts=10&txtc=ff000080&txto=0.5&txtg=south&txty=5", still(400, 300))
	want := resize.Caption{
		Value: "a&b", Size: 20, Wrap: 200, Color: resize.Color{R: 255, A: 128}, Opacity: 0.5,
		Place: resize.Place{Gravity: resize.GravitySouth, Y: resize.Length{Value: 5}, DPR: 2},
	}
	if p.Caption != want {
		t.Errorf("Caption = %+v, want %+v", p.Caption, want)
	}
	if p := planOf(t, "txt=%20%20", still(40, 30)); p.Caption.Value != "" {
		t.Errorf("blanks are a caption: %+v", p.Caption)
	}
	if p := planOf(t, "txt=a", still(400, 300)); p.Caption.Size != 32 || p.Caption.Color.R != 255 || p.Caption.Opacity != 1 {
		t.Errorf("defaults: %+v", p.Caption)
	}
	o, _ := resize.Parse("txt=abcdefghij&txts=16384")
	_, err := o.Plan(still(400, 300), resize.DefaultLimits())
	var known *resize.Error
	if !errors.As(err, &known) || known.Status != 422 || known.Kind != "unsupported_size" {
		t.Errorf("a text larger than all: %v", err)
	}
}
