package resize

import (
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"strings"
	"testing"
)

// jpegOf returns a JPEG source of the given stored size and EXIF orientation.
func jpegOf(w, h, orientation int) Source {
	return Source{Format: FormatJPEG, Width: w, Height: h, Orientation: orientation, Pages: 1, Bands: 3, Depth: 8}
}

func mustPlan(t *testing.T, o Options, src Source) Plan {
	t.Helper()
	p, err := o.Plan(src, DefaultLimits())
	if err != nil {
		t.Fatalf("%+v.Plan(%+v): %v", o, src, err)
	}
	return p
}

// TestPlanSizesOfImgproxy holds sizes that imgproxy 4.0.12 itself answered.
func TestPlanSizesOfImgproxy(t *testing.T) {
	landscape, small, phone := jpegOf(2725, 2225, 1), jpegOf(200, 150, 1), jpegOf(4032, 3024, 6)
	tests := []struct {
		imgproxy string
		o        Options
		src      Source
		w, h     int
	}{
		{"rs:fit:300:200", Options{Width: 300, Height: 200}, landscape, 245, 200},
		{"rs:fill:300:200", Options{Width: 300, Height: 200, Fit: FitCover}, landscape, 300, 200},
		{"rs:force:300:200", Options{Width: 300, Height: 200, Fit: FitStretch}, landscape, 300, 200},
		{"rs:auto:300:200", Options{Width: 300, Height: 200, Fit: FitAuto}, landscape, 300, 200},
		{"rs:auto:200:300", Options{Width: 200, Height: 300, Fit: FitAuto}, landscape, 200, 163},
		{"resize:fill:300:200:1", Options{Width: 300, Height: 200, Fit: FitCover, Enlarge: true}, landscape, 300, 200},
		{"rs:fill-down:6000:3000", Options{Width: 6000, Height: 3000, Fit: FitCoverDown}, landscape, 2725, 1363},
		{"w:400", Options{Width: 400}, landscape, 400, 327},
		{"h:400", Options{Height: 400}, landscape, 490, 400},
		{"width:120/height:90/resizing_type:fill", Options{Width: 120, Height: 90, Fit: FitCover}, landscape, 120, 90},
		{"rt:fill/w:150/h:150", Options{Width: 150, Height: 150, Fit: FitCover}, phone, 150, 150},
		{"w:300 of a phone", Options{Width: 300}, phone, 300, 400},
		{"ar:0/w:300", Options{Width: 300, NoOrient: true}, phone, 300, 225},
		{"w:300/h:0", Options{Width: 300}, landscape, 300, 245},
		{"rs:fit:400:400", Options{Width: 400, Height: 400}, small, 200, 150},
		{"rs:fit:400:400:1", Options{Width: 400, Height: 400, Enlarge: true}, small, 400, 300},
		{"el:1/w:400", Options{Width: 400, Enlarge: true}, small, 400, 300},
		{"rs:fill:400:100", Options{Width: 400, Height: 100, Fit: FitCover}, small, 200, 100},
		{"rs:fill:400:100:1", Options{Width: 400, Height: 100, Fit: FitCover, Enlarge: true}, small, 400, 100},
		{"rs:fit:300:200:0:1", Options{Width: 300, Height: 200, Fit: FitPad}, landscape, 300, 200},
		{"rs:fit:300:300:0:1:no", Options{Width: 300, Height: 300, Fit: FitPad, Gravity: GravityNorth}, small, 300, 300},
		{"dpr:2/rs:fit:100:100", Options{DPR: 2, Width: 100, Height: 100}, landscape, 200, 163},
		{"dpr:3/w:100", Options{DPR: 3, Width: 100}, small, 200, 150},
		{"z:0.5/w:300", Options{Zoom: 0.5, Width: 300}, landscape, 150, 122},
		{"rs:fit:200:200/mh:180", Options{Width: 200, Height: 200, MinHeight: 180}, landscape, 200, 180},
		{"rs:fit:200:200/mw:250", Options{Width: 200, Height: 200, MinWidth: 250}, landscape, 200, 200},
		{"c:500:300", Options{Crop: Region{X: 1112, Y: 962, W: 500, H: 300}}, landscape, 500, 300},
		{"c:0.5:0.5/w:200", Options{Width: 200, Crop: Region{X: 25, Y: 25, W: 50, H: 50, Percent: true}}, phone, 200, 267},
		{"crop:1000:500:nowe/w:100", Options{Width: 100, Crop: Region{W: 1000, H: 500}}, landscape, 100, 50},
		{"c:600:0/h:100", Options{Height: 100, Crop: Region{X: 1062, W: 600, H: 2225}}, landscape, 27, 100},
		{"rs:fill:100:100/g:fp:0.2:0.8", Options{Width: 100, Height: 100, Fit: FitCover, Gravity: GravityFocus, FocusX: 0.2, FocusY: 0.8}, landscape, 100, 100},
		{"rs:fill:100:60/gravity:no:0:10", Options{Width: 100, Height: 60, Fit: FitCover, Gravity: GravityNorth, OffsetY: Length{Value: 10}}, landscape, 100, 60},
		{"rot:90/w:100", Options{Rotate: 90, Width: 100}, landscape, 100, 122},
		{"rotate:180/w:100", Options{Rotate: 180, Width: 100}, phone, 100, 133},
		{"w:100/pd:10:20", Options{Width: 100, Pad: Padding{10, 20, 10, 20}}, landscape, 140, 102},
		{"w:100/padding:1:2:3:4", Options{Width: 100, Pad: Padding{1, 2, 3, 4}}, landscape, 106, 86},
		{"pr:card", Options{Width: 120, Height: 80, Fit: FitCover}, landscape, 120, 80},
		{"pr:card/w:60", Options{Width: 60, Height: 80, Fit: FitCover}, landscape, 60, 80},
	}
	for _, tt := range tests {
		t.Run(tt.imgproxy, func(t *testing.T) {
			if p := mustPlan(t, tt.o, tt.src); p.Width != tt.w || p.Height != tt.h {
				t.Errorf("size = %d×%d, want %d×%d", p.Width, p.Height, tt.w, tt.h)
			}
		})
	}
}

func TestPlanSizes(t *testing.T) {
	tests := []struct {
		name string
		o    Options
		src  Source
		w, h int
	}{
		{"as it is", Options{}, jpegOf(640, 480, 1), 640, 480},
		{"upright", Options{}, jpegOf(640, 480, 8), 480, 640},
		{"orientation unknown", Options{}, jpegOf(640, 480, 9), 640, 480},
		{"half of an odd product", Options{Width: 67, DPR: 1.5}, jpegOf(1000, 1000, 1), 101, 101},
		{"decimal dpr", Options{Width: 5, DPR: 2.3}, jpegOf(1000, 1000, 1), 12, 12},
		{"height from the original", Options{Width: 1600}, jpegOf(4272, 2848, 1), 1600, 1067},
		{"never zero", Options{Width: 1}, jpegOf(16384, 16, 1), 1, 1},
		{"one px enlarged", Options{Width: 4000, Enlarge: true}, jpegOf(1, 1, 1), 4000, 4000},
		{"pad is always the box", Options{Width: 300, Height: 300, DPR: 2, Fit: FitPad}, jpegOf(10, 10, 1), 600, 600},
		{"pad one side", Options{Width: 300, Fit: FitPad}, jpegOf(100, 50, 1), 300, 50},
		{"stretch is always the box", Options{Width: 300, Height: 20, Fit: FitStretch}, jpegOf(10, 10, 1), 300, 20},
		{"stretch one side", Options{Width: 5, Fit: FitStretch}, jpegOf(10, 20, 1), 5, 10},
		{"cover one side", Options{Width: 5, Fit: FitCover}, jpegOf(10, 20, 1), 5, 10},
		{"cover at the dpr reached", Options{Width: 100, Height: 100, DPR: 3, Fit: FitCover}, jpegOf(200, 150, 1), 150, 150},
		{"padding at the dpr reached", Options{Width: 100, DPR: 3, Pad: Padding{10, 10, 10, 10}}, jpegOf(200, 150, 1), 240, 190},
		{"padding at full dpr", Options{Width: 100, DPR: 2, Pad: Padding{10, 0, 0, 5}}, jpegOf(2000, 1000, 1), 210, 120},
		{"padding of a source smaller than the box", Options{Width: 400, DPR: 2, Pad: Padding{10, 10, 10, 10}}, jpegOf(200, 150, 1), 220, 170},
		{"dpr alone does not enlarge", Options{DPR: 2}, jpegOf(200, 150, 1), 200, 150},
		{"dpr alone", Options{DPR: 2, Enlarge: true}, jpegOf(200, 150, 1), 400, 300},
		{"dpr below one", Options{Width: 300, DPR: 0.5}, jpegOf(2000, 1000, 1), 150, 75},
		{"zoom alone", Options{Zoom: 0.25}, jpegOf(200, 150, 1), 50, 38},
		{"mw enlarges", Options{Width: 10, MinWidth: 400}, jpegOf(200, 150, 1), 10, 300},
		{"mh without box", Options{MinHeight: 300}, jpegOf(200, 150, 1), 400, 300},
		{"ar", Options{Ratio: Ratio{16, 9}}, jpegOf(1600, 1200, 1), 1600, 900},
		{"ar tall", Options{Ratio: Ratio{1, 2}}, jpegOf(1600, 1200, 1), 600, 1200},
		{"ar rounds once", Options{Ratio: Ratio{16, 9}, Width: 320, Enlarge: true}, jpegOf(37, 37, 1), 320, 180},
		{"ar with cover", Options{Ratio: Ratio{4, 3}, Width: 320, Fit: FitCover}, jpegOf(2725, 2225, 1), 320, 240},
		{"crop is cut at the edge", Options{Crop: Region{X: 150, Y: 100, W: 100, H: 100}}, jpegOf(200, 150, 1), 50, 50},
		{"crop in percent of odd sides", Options{Crop: Region{X: 10, Y: 10, W: 50, H: 50, Percent: true}}, jpegOf(101, 33, 1), 51, 17},
		{"crop of the upright picture", Options{Crop: Region{W: 50, H: 100}}, jpegOf(200, 80, 6), 50, 100},
		{"rot and EXIF", Options{Rotate: 270}, jpegOf(200, 80, 6), 200, 80},
		{"other angles enlarge", Options{Rotate: 45}, jpegOf(100, 100, 1), 141, 141},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if p := mustPlan(t, tt.o, tt.src); p.Width != tt.w || p.Height != tt.h {
				t.Errorf("size = %d×%d, want %d×%d", p.Width, p.Height, tt.w, tt.h)
			}
		})
	}
}

func TestPlanWindow(t *testing.T) {
	src := jpegOf(400, 200, 1) // covers 100×100 as 200×100: slack 100 px across
	tall := jpegOf(200, 400, 1)
	tests := []struct {
		name string
		o    Options
		src  Source
		min  image.Point
	}{
		{"center", Options{}, src, image.Pt(50, 0)},
		{"west", Options{Gravity: GravityWest}, src, image.Pt(0, 0)},
		{"east", Options{Gravity: GravityEast}, src, image.Pt(100, 0)},
		{"north is central across", Options{Gravity: GravityNorth}, src, image.Pt(50, 0)},
		{"northwest", Options{Gravity: GravityNorthWest}, src, image.Pt(0, 0)},
		{"southeast", Options{Gravity: GravitySouthEast}, src, image.Pt(100, 0)},
		{"north of a tall one", Options{Gravity: GravityNorth}, tall, image.Pt(0, 0)},
		{"south of a tall one", Options{Gravity: GravitySouth}, tall, image.Pt(0, 100)},
		{"southwest of a tall one", Options{Gravity: GravitySouthWest}, tall, image.Pt(0, 100)},
		{"northeast of a tall one", Options{Gravity: GravityNorthEast}, tall, image.Pt(0, 0)},
		{"offset px", Options{OffsetX: Length{Value: 10}}, src, image.Pt(60, 0)},
		{"offset from the east goes inward", Options{Gravity: GravityEast, OffsetX: Length{Value: 10}}, src, image.Pt(90, 0)},
		{"offset percent", Options{Gravity: GravityWest, OffsetX: Length{Value: 10, Percent: true}}, src, image.Pt(20, 0)},
		{"offset negative", Options{OffsetX: Length{Value: -10}}, src, image.Pt(40, 0)},
		{"offset stays inside", Options{Gravity: GravityEast, OffsetX: Length{Value: 900}}, src, image.Pt(0, 0)},
		{"offset × dpr", Options{Gravity: GravityWest, OffsetX: Length{Value: 10}, DPR: 1.5}, src, image.Pt(15, 0)},
		{"focus", Options{Gravity: GravityFocus, FocusX: 0.4, FocusY: 0.5}, src, image.Pt(30, 0)},
		{"focus at the edge", Options{Gravity: GravityFocus, FocusX: 1, FocusY: 1}, src, image.Pt(100, 0)},
		{"focus of the whole, in a crop", Options{
			Gravity: GravityFocus, FocusX: 0.75, FocusY: 0.5, Crop: Region{X: 200, W: 200, H: 50},
		}, src, image.Pt(50, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Width, tt.o.Height, tt.o.Fit = 100, 100, FitCover
			if tt.o.Crop.H == 50 {
				tt.o.Width, tt.o.Height = 100, 50
			}
			p := mustPlan(t, tt.o, tt.src)
			if p.Window.Min != tt.min {
				t.Errorf("window = %v of %v, want it at %v", p.Window, p.Scaled, tt.min)
			}
		})
	}
}

func TestPlanPad(t *testing.T) {
	src := jpegOf(100, 50, 1)
	tests := []struct {
		name string
		o    Options
		at   image.Point
	}{
		{"center", Options{}, image.Pt(0, 25)},
		{"north", Options{Gravity: GravityNorth}, image.Pt(0, 0)},
		{"south", Options{Gravity: GravitySouth}, image.Pt(0, 50)},
		{"south, offset", Options{Gravity: GravitySouth, OffsetY: Length{Value: 5}}, image.Pt(0, 45)},
		{"padding", Options{Pad: Padding{1, 2, 3, 4}}, image.Pt(4, 26)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Width, tt.o.Height, tt.o.Fit = 100, 100, FitPad
			p := mustPlan(t, tt.o, src)
			if p.Offset != tt.at {
				t.Errorf("offset = %v on %v, want %v", p.Offset, p.Canvas, tt.at)
			}
			if p.Canvas != image.Pt(p.Width, p.Height) {
				t.Errorf("canvas %v, size %d×%d", p.Canvas, p.Width, p.Height)
			}
		})
	}
	if p := mustPlan(t, Options{Width: 50, Height: 25, Fit: FitPad}, src); p.Canvas != (image.Point{}) {
		t.Errorf("canvas = %v where nothing is padded", p.Canvas)
	}
}

func TestPlanRegionOfRatio(t *testing.T) {
	tests := []struct {
		name string
		o    Options
		want image.Rectangle
	}{
		{"center", Options{}, image.Rect(100, 0, 300, 200)},
		{"east", Options{Gravity: GravityEast}, image.Rect(200, 0, 400, 200)},
		{"offset in output px", Options{Gravity: GravityWest, OffsetX: Length{Value: 10}, Width: 100}, image.Rect(20, 0, 220, 200)},
		{"offset in percent of the region", Options{Gravity: GravityWest, OffsetX: Length{Value: 10, Percent: true}}, image.Rect(40, 0, 240, 200)},
		{"focus", Options{Gravity: GravityFocus, FocusX: 0.9, FocusY: 0.5}, image.Rect(200, 0, 400, 200)},
		{"in a crop", Options{Crop: Region{X: 10, Y: 20, W: 100, H: 50}, Gravity: GravityWest}, image.Rect(10, 20, 60, 70)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Ratio = Ratio{1, 1}
			if p := mustPlan(t, tt.o, jpegOf(400, 200, 1)); p.Region != tt.want {
				t.Errorf("region = %v, want %v", p.Region, tt.want)
			}
		})
	}
}

func TestPlanFormat(t *testing.T) {
	photo, logo := jpegOf(400, 300, 1), Source{Format: FormatPNG, Width: 400, Height: 300, Pages: 1, Bands: 4, Depth: 8, Alpha: true}
	moving := Source{Format: FormatGIF, Width: 400, Height: 300, Pages: 5, Animated: true, Bands: 4, Depth: 8, Alpha: true}
	all := Offer{FormatAVIF, FormatWebP}
	red := Background{Kind: BackgroundColor, Color: Color{255, 0, 0, 255}}
	glass := Background{Kind: BackgroundColor, Color: Color{255, 0, 0, 128}}
	tests := []struct {
		name    string
		o       Options
		src     Source
		want    Format
		frames  int
		flatten bool
		back    Color
	}{
		{"fallback", Options{}, photo, FormatJPEG, 1, true, white},
		{"fallback with alpha", Options{}, logo, FormatPNG, 1, false, Color{}},
		{"fallback with alpha on bg", Options{Background: red}, logo, FormatJPEG, 1, true, red.Color},
		{"fallback with alpha on glass", Options{Background: glass}, logo, FormatPNG, 1, false, glass.Color},
		{"padding is transparent", Options{Pad: Padding{Top: 1}}, photo, FormatPNG, 1, false, Color{}},
		{"padding on bg", Options{Pad: Padding{Top: 1}, Background: red}, photo, FormatJPEG, 1, true, red.Color},
		{"jpeg on glass", Options{Format: FormatJPEG, Background: glass}, logo, FormatJPEG, 1, true, Color{255, 127, 127, 255}},
		{"jpeg without bg", Options{Format: FormatJPEG}, logo, FormatJPEG, 1, true, white},
		{"fallback moving", Options{}, moving, FormatGIF, 5, false, Color{}},
		{"still", Options{Still: true}, moving, FormatPNG, 1, false, Color{}},
		{"one frame", Options{Frames: 1}, moving, FormatPNG, 1, false, Color{}},
		{"some frames", Options{Frames: 3}, moving, FormatGIF, 3, false, Color{}},
		{"from a later frame", Options{Page: 4}, moving, FormatGIF, 2, false, Color{}},
		{"first of the client's", Options{Offer: all}, photo, FormatAVIF, 1, false, Color{}},
		{"animations skip AVIF", Options{Offer: all}, moving, FormatWebP, 5, false, Color{}},
		{"AVIF too small", Options{Offer: Offer{FormatAVIF}, Width: 15}, photo, FormatJPEG, 1, true, white},
		{"AVIF too small with alpha", Options{Offer: Offer{FormatAVIF}, Height: 15}, logo, FormatPNG, 1, false, Color{}},
		{"AVIF too small, though WebP is not", Options{Offer: all, Height: 15}, photo, FormatJPEG, 1, true, white},
		{"WebP too large", Options{Offer: Offer{FormatWebP}, Width: 16384, Enlarge: true}, jpegOf(16384, 16, 1), FormatJPEG, 1, true, white},
		{"keep", Options{Format: FormatKeep}, logo, FormatPNG, 1, false, Color{}},
		{"keep moving", Options{Format: FormatKeep}, moving, FormatGIF, 5, false, Color{}},
		{"keep what is not written", Options{Format: FormatKeep}, Source{Format: FormatHEIC, Width: 9, Height: 9, Pages: 1, Bands: 3, Depth: 8}, FormatJPEG, 1, true, white},
		{"keep looks at no client", Options{Format: FormatKeep, Offer: all}, Source{Format: FormatTIFF, Width: 9, Height: 9, Pages: 3, Bands: 3, Depth: 8}, FormatTIFF, 1, false, Color{}},
		{"named", Options{Format: FormatPNG}, moving, FormatPNG, 1, false, Color{}},
		{"named moving", Options{Format: FormatWebP}, moving, FormatWebP, 5, false, Color{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := mustPlan(t, tt.o, tt.src)
			if p.Format != tt.want || p.Frames != tt.frames || p.Flatten != tt.flatten || p.Background != tt.back {
				t.Errorf("format %v, frames %d, flatten %v on %v; want %v, %d, %v on %v",
					p.Format, p.Frames, p.Flatten, p.Background, tt.want, tt.frames, tt.flatten, tt.back)
			}
		})
	}
}

func TestPlanQuality(t *testing.T) {
	tests := []struct {
		o    Options
		want int
	}{
		{Options{}, 80},
		{Options{Format: FormatWebP}, 79},
		{Options{Format: FormatAVIF}, 63},
		{Options{Format: FormatPNG}, 0},
		{Options{Quality: 50}, 50},
		{Options{Quality: 50, Format: FormatKeep}, 50},
	}
	for _, tt := range tests {
		if p := mustPlan(t, tt.o, jpegOf(40, 30, 1)); p.Quality != tt.want {
			t.Errorf("%+v.Plan: quality %d, want %d", tt.o, p.Quality, tt.want)
		}
	}
	if p := mustPlan(t, Options{Lossless: true}, jpegOf(40, 30, 1)); p.Lossless {
		t.Error("a JPEG is planned lossless")
	}
	if p := mustPlan(t, Options{Lossless: true, Format: FormatWebP}, jpegOf(40, 30, 1)); !p.Lossless {
		t.Error("lossless is lost")
	}
}

func TestPlanShrink(t *testing.T) {
	tests := []struct {
		name   string
		o      Options
		src    Source
		shrink int
		loaded image.Rectangle
	}{
		{"none", Options{Width: 900}, jpegOf(1000, 500, 1), 1, image.Rect(0, 0, 1000, 500)},
		{"1.3 is left", Options{Width: 384}, jpegOf(1000, 500, 1), 2, image.Rect(0, 0, 500, 250)},
		{"less than 1.3 would be left", Options{Width: 386}, jpegOf(1000, 500, 1), 1, image.Rect(0, 0, 1000, 500)},
		{"half, where a quarter would leave 1.9", Options{Width: 132}, jpegOf(1000, 500, 1), 2, image.Rect(0, 0, 500, 250)},
		{"4", Options{Width: 100}, jpegOf(1001, 501, 1), 4, image.Rect(0, 0, 251, 126)},
		{"8", Options{Width: 10}, jpegOf(1001, 501, 1), 8, image.Rect(0, 0, 126, 63)},
		{"crop", Options{Width: 100, Crop: Region{X: 100, Y: 10, W: 400, H: 200}}, jpegOf(1000, 500, 1), 2, image.Rect(50, 5, 250, 105)},
		{"crop off the grid", Options{Width: 100, Crop: Region{X: 101, Y: 11, W: 401, H: 201}}, jpegOf(1000, 500, 1), 2, image.Rect(51, 6, 251, 106)},
		{"crop to the odd edge", Options{Width: 20, Crop: Region{X: 801, Y: 1, W: 200, H: 500}}, jpegOf(1001, 501, 1), 4, image.Rect(200, 0, 251, 126)},
		{"odd, where the edge would move by a third of a px", Options{Width: 100}, jpegOf(1900, 1263, 1), 4, image.Rect(0, 0, 475, 316)},
		{"odd, and half would move it too far", Options{Width: 300}, jpegOf(1001, 501, 1), 1, image.Rect(0, 0, 1001, 501)},
		{"odd, cut before the edge", Options{Width: 300, Crop: Region{X: 0, Y: 0, W: 1000, H: 500}}, jpegOf(1001, 501, 1), 2, image.Rect(0, 0, 500, 250)},
		{"the sharper side counts", Options{Width: 100, Height: 500, Fit: FitStretch}, jpegOf(1000, 500, 1), 1, image.Rect(0, 0, 1000, 500)},
		{"png", Options{Width: 10}, Source{Format: FormatPNG, Width: 1000, Height: 500, Bands: 3, Depth: 8}, 1, image.Rect(0, 0, 1000, 500)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if p := mustPlan(t, tt.o, tt.src); p.Shrink != tt.shrink || p.Loaded != tt.loaded || p.Scale != 1 {
				t.Errorf("shrink %d, loaded %v, scale %v; want %d, %v", p.Shrink, p.Loaded, p.Scale, tt.shrink, tt.loaded)
			}
		})
	}
	webp := Source{Format: FormatWebP, Width: 3000, Height: 2000, Pages: 1, Bands: 3, Depth: 8}
	if p := mustPlan(t, Options{Width: 300}, webp); p.Scale != 0.25 || p.Loaded != image.Rect(0, 0, 750, 500) {
		t.Errorf("WebP: scale %v, loaded %v; want 0.25 and 750×500", p.Scale, p.Loaded)
	}
}

// TestTurnStored holds, for each of the eight turns, that a rectangle mapped back covers the same px
// that turning the picture px by px would show.
func TestTurnStored(t *testing.T) {
	size := image.Pt(7, 4)
	for orientation := 1; orientation <= 8; orientation++ {
		turn := TurnOf(orientation)
		upright := turnPixels(orientation, size)
		r := image.Rect(1, 1, 3, 4)
		stored := turn.Stored(r, size)
		want := map[image.Point]bool{}
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				want[upright[image.Pt(x, y)]] = true
			}
		}
		if stored.Dx()*stored.Dy() != len(want) {
			t.Fatalf("orientation %d: %v has another area than %v", orientation, stored, r)
		}
		for p := range want {
			if !p.In(stored) {
				t.Errorf("orientation %d: %v of the upright px lies at %v, outside %v", orientation, r, p, stored)
			}
		}
	}
}

// turnPixels returns upright px → stored px, straight from the EXIF table ("the 0th row is …").
func turnPixels(orientation int, size image.Point) map[image.Point]image.Point {
	w, h := size.X, size.Y
	m := map[image.Point]image.Point{}
	for y := range h {
		for x := range w {
			var u image.Point
			switch orientation {
			case 1:
				u = image.Pt(x, y)
			case 2:
				u = image.Pt(w-1-x, y)
			case 3:
				u = image.Pt(w-1-x, h-1-y)
			case 4:
				u = image.Pt(x, h-1-y)
			case 5:
				u = image.Pt(y, x)
			case 6:
				u = image.Pt(h-1-y, x)
			case 7:
				u = image.Pt(h-1-y, w-1-x)
			case 8:
				u = image.Pt(y, w-1-x)
			}
			m[u] = image.Pt(x, y)
		}
	}
	return m
}

// TestTurnThen holds that two turns in a row place every px as their product does.
func TestTurnThen(t *testing.T) {
	size := image.Pt(5, 3)
	for a := 1; a <= 8; a++ {
		for b := 1; b <= 8; b++ {
			first, second := TurnOf(a), TurnOf(b)
			both := first.Then(second)
			middle := first.swap(size)
			for _, r := range []image.Rectangle{image.Rect(0, 0, 1, 1), image.Rect(1, 0, 3, 2)} {
				want := first.Stored(second.Stored(r, middle), size)
				if got := both.Stored(r, size); got != want {
					t.Fatalf("TurnOf(%d).Then(TurnOf(%d)): %v comes from %v, want %v", a, b, r, got, want)
				}
			}
		}
	}
}

func TestPlanTurn(t *testing.T) {
	tests := []struct {
		name string
		o    Options
		exif int
		want Turn
	}{
		{"as it is", Options{}, 1, Turn{}},
		{"EXIF", Options{}, 6, Turn{90, false}},
		{"EXIF ignored", Options{NoOrient: true}, 6, Turn{}},
		{"both quarter turns", Options{Rotate: 90}, 6, Turn{180, false}},
		{"against EXIF", Options{Rotate: 270}, 6, Turn{}},
		{"flip h", Options{FlipH: true}, 1, Turn{0, true}},
		{"flip v", Options{FlipV: true}, 1, Turn{180, true}},
		{"flip hv", Options{FlipH: true, FlipV: true}, 1, Turn{180, false}},
		{"turned, then mirrored", Options{Rotate: 90, FlipH: true}, 1, Turn{90, true}},
		{"mirrored by EXIF, then turned", Options{Rotate: 90}, 2, Turn{270, true}},
		{"mirrored twice", Options{FlipH: true}, 2, Turn{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if p := mustPlan(t, tt.o, jpegOf(40, 30, tt.exif)); p.Turn != tt.want {
				t.Errorf("turn = %+v, want %+v", p.Turn, tt.want)
			}
		})
	}
}

func TestPlanRefuses(t *testing.T) {
	gif := func(w, h, n int) Source {
		return Source{Format: FormatGIF, Width: w, Height: h, Pages: n, Animated: true, Bands: 4, Depth: 8, Alpha: true}
	}
	roomy := DefaultLimits()
	roomy.SourcePixels, roomy.OutputPixels = 1<<30, 1<<30
	tests := []struct {
		name string
		o    Options
		src  Source
		lim  Limits
		code string // "" = not refused
	}{
		{"50 MP", Options{Width: 300}, jpegOf(10000, 5000, 1), DefaultLimits(), ""},
		{"a little more", Options{Width: 300}, jpegOf(10000, 5001, 1), DefaultLimits(), "too_many_pixels"},
		{"a long side", Options{Width: 300}, jpegOf(16385, 10, 1), DefaultLimits(), "too_many_pixels"},
		{"16384²", Options{Width: 300}, jpegOf(16384, 16384, 1), DefaultLimits(), "too_many_pixels"},
		{"16384² of WebP by memory", Options{Width: 300}, Source{Format: FormatWebP, Width: 16384, Height: 16384, Bands: 4, Depth: 8, Progressive: true}, roomy, "too_many_pixels"},
		{"16384² of PNG as it is", Options{}, Source{Format: FormatPNG, Width: 16384, Height: 16384, Bands: 4, Depth: 8, Alpha: true}, DefaultLimits(), "too_many_pixels"},
		{"100 MP sequential", Options{Width: 300}, jpegOf(12000, 8400, 1), roomy, ""},
		{"100 MP progressive", Options{Width: 300}, Source{Format: FormatJPEG, Width: 12000, Height: 8400, Bands: 3, Depth: 8, Progressive: true}, roomy, "too_many_pixels"},
		{"no picture", Options{}, jpegOf(0, 10, 1), DefaultLimits(), "corrupt_image"},
		{"frames", Options{}, gif(10, 10, 501), DefaultLimits(), "too_many_frames"},
		{"frames, cut", Options{Frames: 500}, gif(10, 10, 501), DefaultLimits(), ""},
		{"frames, still", Options{Still: true}, gif(10, 10, 501), DefaultLimits(), ""},
		{"frames, other format", Options{Format: FormatJPEG}, gif(10, 10, 501), DefaultLimits(), ""},
		{"animation px", Options{Width: 10}, gif(1000, 1001, 100), DefaultLimits(), "too_many_pixels"},
		{"animation px, cut", Options{Width: 10, Frames: 99}, gif(1000, 1001, 100), DefaultLimits(), ""},
		{"animation enlarged", Options{Width: 2000, Enlarge: true}, gif(10, 10, 100), DefaultLimits(), "too_many_pixels"},
		{"AVIF under 16 px", Options{Format: FormatAVIF, Width: 15}, jpegOf(100, 100, 1), DefaultLimits(), "unsupported_size"},
		{"AVIF of 16 px", Options{Format: FormatAVIF, Width: 16}, jpegOf(100, 100, 1), DefaultLimits(), ""},
		{"WebP over 16383 px", Options{Format: FormatWebP}, jpegOf(16384, 100, 1), DefaultLimits(), "unsupported_size"},
		{"WebP of 16383 px", Options{Format: FormatWebP}, jpegOf(16383, 100, 1), DefaultLimits(), ""},
		{"output side", Options{Zoom: 20, Enlarge: true}, jpegOf(1000, 10, 1), DefaultLimits(), "too_many_pixels"},
		{"output px", Options{Width: 16000, Height: 16000, Fit: FitStretch}, jpegOf(10, 10, 1), DefaultLimits(), "too_many_pixels"},
		{"scaled far beyond its window", Options{Width: 16000, Height: 1, Fit: FitCover, Enlarge: true}, jpegOf(10, 10, 1), DefaultLimits(), "too_many_pixels"},
		{"crop outside", Options{Crop: Region{X: 100, Y: 0, W: 10, H: 10}}, jpegOf(100, 100, 1), DefaultLimits(), "unsupported_size"},
		{"page outside", Options{Page: 3}, gif(10, 10, 2), DefaultLimits(), "unsupported_size"},
		{"no limits", Options{}, jpegOf(16384, 16384, 1), Limits{}, ""},
		{"not a picture", Options{Format: FormatRaw}, jpegOf(10, 10, 1), DefaultLimits(), "bad_option"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.o.Plan(tt.src, tt.lim)
			var refused *Error
			code := ""
			if errors.As(err, &refused) {
				code = refused.Code()
				if want := 422; code != "bad_option" && refused.HTTPStatus() != want {
					t.Errorf("status %d, want %d", refused.HTTPStatus(), want)
				}
			}
			if code != tt.code {
				t.Errorf("%+v.Plan(%+v) = %v, want code %q", tt.o, tt.src, err, tt.code)
			}
		})
	}
}

// TestPlanMemory holds the estimate to what it has to tell apart.
func TestPlanMemory(t *testing.T) {
	o := Options{Width: 300}
	mib := func(src Source) int64 { return mustPlan(t, o, src).Memory >> 20 }
	baseline, progressive := jpegOf(7000, 7000, 1), jpegOf(7000, 7000, 1)
	progressive.Progressive = true
	if m := mib(baseline); m > 32 {
		t.Errorf("a sequential JPEG of 49 MP needs %d MiB", m)
	}
	if m := mib(progressive); m < 7000*7000*3*2>>20 {
		t.Errorf("a progressive JPEG of 49 MP needs %d MiB, less than its coefficients", m)
	}
	low := mustPlan(t, Options{Crop: Region{X: 0, Y: 6000, W: 7000, H: 900}}, baseline)
	if low.Memory < 6000*7000*3 {
		t.Errorf("a crop below 6000 lines needs %d MiB, less than these", low.Memory>>20)
	}
	heic := Source{Format: FormatHEIC, Width: 4000, Height: 3000, Pages: 1, Bands: 3, Depth: 8}
	if m := mib(heic); m < 4000*3000*3>>20 {
		t.Errorf("a HEIC of 12 MP needs %d MiB, less than its px", m)
	}
	gif := Source{Format: FormatGIF, Width: 1000, Height: 1000, Pages: 50, Animated: true, Bands: 4, Depth: 8, Alpha: true}
	if m := mustPlan(t, Options{Format: FormatWebP}, gif).Memory; m < 50*4*1000*1000*2 {
		t.Errorf("50 frames of 1 MP need %d bytes, less than the frames", m)
	}
	_, err := Options{Format: FormatWebP}.Plan(gif, Limits{Memory: 1 << 20})
	if want := "needs 508 MiB, budget 1 MiB"; err == nil || err.Error() != want {
		t.Errorf("refused with %v, want %q", err, want)
	}
}

// TestPlanProperties holds what is true of every plan: limits kept, no empty side, rectangles inside
// their spaces, the ratio kept within a px.
func TestPlanProperties(t *testing.T) {
	lim := DefaultLimits()
	for _, size := range []image.Point{{1, 1}, {3, 2}, {640, 481}, {1, 4000}, {4032, 3024}, {16384, 16}} {
		for orientation := 1; orientation <= 8; orientation++ {
			for _, o := range manyOptions() {
				src := jpegOf(size.X, size.Y, orientation)
				p, err := o.Plan(src, lim)
				if err != nil {
					continue
				}
				if err := sound(p, lim); err != nil {
					t.Fatalf("%+v.Plan(%v, orientation %d): %v\n%+v", o, size, orientation, err, p)
				}
			}
		}
	}
}

func manyOptions() []Options {
	var all []Options
	for _, w := range []int{0, 1, 17, 300, 16384} {
		for _, h := range []int{0, 1, 200} {
			for fit := FitContain; fit <= FitAuto; fit++ {
				for g := GravityCenter; g <= GravityFocus; g += 3 {
					for _, enlarge := range []bool{false, true} {
						o := Options{Width: w, Height: h, Fit: fit, Gravity: g, Enlarge: enlarge}
						all = append(all, o)
						o.DPR, o.Zoom, o.Ratio = 1.3, 0.7, Ratio{3, 2}
						o.Crop = Region{X: 10, Y: 20, W: 70, H: 79.9, Percent: true}
						o.OffsetX, o.OffsetY = Length{Value: -7}, Length{Value: 12, Percent: true}
						all = append(all, o)
						o.MinWidth, o.Pad, o.Rotate = 33, Padding{1, 2, 3, 4}, 90
						all = append(all, o)
					}
				}
			}
		}
	}
	return all
}

func sound(p Plan, lim Limits) error {
	whole := image.Rect(0, 0, p.Source.Width, p.Source.Height)
	scaled := image.Rectangle{Max: p.Turn.swap(p.Scaled)}
	canvas := image.Rectangle{Max: image.Pt(p.Width, p.Height)}
	picture := image.Rectangle{Max: p.Window.Size()}.Add(p.Offset)
	size := image.Pt((p.Source.Width+p.Shrink-1)/p.Shrink, (p.Source.Height+p.Shrink-1)/p.Shrink)
	switch {
	case p.Region.Empty() || !p.Region.In(whole):
		return fmt.Errorf("region %v of %v", p.Region, whole)
	case p.Loaded.Empty() || !p.Loaded.In(image.Rectangle{Max: size}):
		return fmt.Errorf("loaded %v of %v", p.Loaded, size)
	case p.Window.Empty() || !p.Window.In(scaled):
		return fmt.Errorf("window %v of %v", p.Window, scaled)
	case !picture.In(canvas):
		return fmt.Errorf("picture %v on %v", picture, canvas)
	case p.Width > lim.OutputSide || p.Height > lim.OutputSide || p.Width*p.Height > lim.OutputPixels:
		return errors.New("larger than the limits")
	case p.Memory > lim.Memory:
		return errors.New("dearer than the budget")
	}
	return nil
}

// TestShrinkKeepsPlace holds that a crop mapped into the shrunk picture is off by less than half an
// output px.
func TestShrinkKeepsPlace(t *testing.T) {
	for x := 0; x < 40; x++ {
		o := Options{Width: 100, Crop: Region{X: float64(x), Y: float64(3 * x), W: float64(1001 - x), H: 777}}
		for orientation := 1; orientation <= 8; orientation++ {
			p := mustPlan(t, o, jpegOf(4001, 3003, orientation))
			scale := float64(p.Scaled.X) / float64(p.Region.Dx())
			for _, e := range [][2]int{
				{p.Region.Min.X, p.Loaded.Min.X},
				{p.Region.Min.Y, p.Loaded.Min.Y},
				{p.Region.Max.X, p.Loaded.Max.X},
				{p.Region.Max.Y, p.Loaded.Max.Y},
			} {
				off := (float64(e[0]) - float64(e[1]*p.Shrink)) * scale
				if off > 0.5 || off < -0.5 {
					t.Errorf("crop at %d, orientation %d: edge %d is loaded at %d × %d, %.2f output px off",
						x, orientation, e[0], e[1], p.Shrink, off)
				}
			}
		}
	}
}

func TestDescribe(t *testing.T) {
	src := jpegOf(4032, 3024, 6)
	src.Bytes, src.ICC, src.EXIF = 1234, "Display P3", []Tag{{"Model", "X"}, {"Make", "A \"b\""}}
	red := small(4, 3, func(int, int) [4]int { return [4]int{255, 0, 0, 255} })
	want := `{"format":"jpeg","width":3024,"height":4032,"bytes":1234,"frames":1,"alpha":false,"orientation":6,` +
		`"icc":"Display P3","exif":{"Make":"A \"b\"","Model":"X"},"average_color":"#ff0000","dominant_colors":["#ff0000"],` +
		`"thumbhash":"` + base64.StdEncoding.EncodeToString(red.ThumbHash()) + `","blurhash":"` + red.BlurHash(0, 0) + `"}` + "\n"
	if got := string(src.Describe(red)); got != want {
		t.Errorf("Describe = %s, want %s", got, want)
	}
	empty := small(2, 2, func(int, int) [4]int { return [4]int{} })
	if got := string(src.Describe(empty)); !strings.Contains(got, `"average_color":"","dominant_colors":[]`) {
		t.Errorf("Describe of nothing = %s", got)
	}
}

func TestRaw(t *testing.T) {
	script := []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)
	if got, err := Raw(script, FormatSVG); err != nil || strings.Contains(string(got), "alert") {
		t.Errorf("Raw of an SVG = %s, %v", got, err)
	}
	if got, err := Raw(script, FormatJPEG); err != nil || string(got) != string(script) {
		t.Errorf("Raw of a JPEG = %s, %v", got, err)
	}
}

func TestJPEGScans(t *testing.T) {
	sof := "\xff\xc0\x00\x04ab"
	sos := "\xff\xda\x00\x04cdentropy\xff\x00data\xff\xd0more"
	tests := []struct {
		name     string
		data     string
		scans    int
		buffered bool
	}{
		{"baseline", "\xff\xd8" + sof + sos + "\xff\xd9", 1, false},
		{"baseline in two scans", "\xff\xd8" + sof + sos + sos + "\xff\xd9", 2, true},
		{"progressive", "\xff\xd8\xff\xc2\x00\x04ab" + sos + sos + sos + "\xff\xd9", 3, true},
		{"an SOS in a thumbnail does not count", "\xff\xd8\xff\xe1\x00\x08\xff\xda\x00\x02xx" + sof + sos + "\xff\xd9", 1, false},
		{"fill bytes", "\xff\xd8\xff\xff" + sof + sos, 1, false},
		{"after the end", "\xff\xd8" + sof + sos + "\xff\xd9" + sos, 1, false},
		{"cut", "\xff\xd8" + sof + sos[:9], 1, false},
		{"length beyond the end", "\xff\xd8\xff\xe1\xff\xff", 0, false},
		{"empty", "", 0, false},
		{"marker at the end", "\xff\xd8" + sof + sos + "\xff", 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			scans, buffered := JPEGScans([]byte(tt.data))
			if scans != tt.scans || buffered != tt.buffered {
				t.Errorf("JPEGScans(%q) = %d, %v; want %d, %v", tt.data, scans, buffered, tt.scans, tt.buffered)
			}
		})
	}
}

func TestJPEGOneScan(t *testing.T) {
	const soi, eoi = "\xff\xd8", "\xff\xd9"
	sof := func(kind byte, components int) string {
		return "\xff" + string([]byte{kind}) + "\x00" + string([]byte{byte(8 + 3*components)}) + "\x08\x00\x10\x00\x10" +
			string([]byte{byte(components)}) + strings.Repeat("\x01\x11\x00", components)
	}
	sos := func(components int) string {
		return "\xff\xda\x00" + string([]byte{byte(6 + 2*components), byte(components)}) + strings.Repeat("\x01\x00", components) + "\x00\x3f\x00data"
	}
	inside := "\xff\xe1\x00" + string([]byte{byte(2 + len(sof(0xC2, 3)+sos(1)))}) + sof(0xC2, 3) + sos(1)
	for _, tt := range []struct {
		name string
		data string
		want bool
	}{
		{"baseline", soi + sof(0xC0, 3) + sos(3) + eoi, true},
		{"extended", soi + sof(0xC1, 3) + sos(3) + eoi, true},
		{"arithmetic", soi + sof(0xC9, 3) + sos(3) + eoi, true},
		{"gray", soi + sof(0xC0, 1) + sos(1) + eoi, true},
		{"tables and a thumbnail before", soi + inside + "\xff\xc4\x00\x04ab\xff\xcc\x00\x04ab" + sof(0xC0, 3) + "\xff\xdd\x00\x04ab" + sos(3), true},
		{"more scans, which libjpeg refuses", soi + sof(0xC0, 3) + sos(3) + sos(3) + eoi, true},
		{"baseline in scans", soi + sof(0xC0, 3) + sos(1) + sos(2) + eoi, false},
		{"progressive", soi + sof(0xC2, 3) + sos(3) + sos(1) + eoi, false},
		{"progressive with arithmetic", soi + sof(0xCA, 3) + sos(3) + sos(1) + eoi, false},
		{"hierarchical", soi + sof(0xC5, 3) + sos(3) + eoi, false},
		{"no frame", soi + sos(3) + eoi, false},
		{"two frames", soi + sof(0xC0, 3) + sof(0xC0, 3) + sos(3), false},
		{"no components", soi + sof(0xC0, 0) + sos(0), false},
		{"cut in the frame", soi + sof(0xC0, 3)[:8], false},
		{"cut in the scan", soi + sof(0xC0, 3) + sos(3)[:4], false},
		{"no scan", soi + sof(0xC0, 3) + eoi, false},
		{"empty", "", false},
	} {
		if got := JPEGOneScan([]byte(tt.data)); got != tt.want {
			t.Errorf("%s: JPEGOneScan = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestJPEGWhole(t *testing.T) {
	thumbnail := "\xff\xe1\x00\x0a\xff\xd8\xff\xda\x00\x00\xff\xd9"
	whole := "\xff\xd8" + thumbnail + "\xff\xda\x00\x04cdentropy\xff\x00data\xff\xd9"
	if !JPEGWhole([]byte(whole)) || !JPEGWhole([]byte(whole+"behind it")) {
		t.Error("a whole JPEG is called cut")
	}
	for n := range len(whole) - 1 {
		if JPEGWhole([]byte(whole[:n])) {
			t.Errorf("%q is called whole", whole[:n])
		}
	}
}

func FuzzJPEGScans(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xc2\x00\x04ab\xff\xda\x00\x04cd\xff\x00\xff\xd9"))
	f.Fuzz(func(t *testing.T, data []byte) {
		JPEGWhole(data)
		JPEGOneScan(data)
		if scans, _ := JPEGScans(data); scans > len(data) {
			t.Errorf("%d scans in %d bytes", scans, len(data))
		}
	})
}

func BenchmarkPlan(b *testing.B) {
	o, src, lim := Options{Width: 300, Height: 300, Fit: FitCover}, jpegOf(4032, 3024, 6), DefaultLimits()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := o.Plan(src, lim); err != nil {
			b.Fatal(err)
		}
	}
}
