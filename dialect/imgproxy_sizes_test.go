package dialect_test

import (
	"testing"

	"github.com/imgedge/imgedge/resize"
)

// Sizes that imgproxy 4.0.12 itself answered.
func TestImgproxySizes(t *testing.T) {
	t.Parallel()
	large := resize.Source{Format: resize.FormatJPEG, Width: 2725, Height: 2225, Orientation: 1, Pages: 1, Bands: 3, Depth: 8}
	phone, small := large, large
	phone.Width, phone.Height, phone.Orientation = 4032, 3024, 6
	small.Width, small.Height = 200, 150
	for _, test := range []struct {
		options string
		source  resize.Source
		w, h    int
	}{
		{"rs:fit:300:200", large, 245, 200},
		{"rs:fill:300:200", large, 300, 200},
		{"rs:force:300:200", large, 300, 200},
		{"rs:auto:300:200", large, 300, 200},
		{"rs:auto:200:300", large, 200, 163},
		{"resize:fill:300:200:1", large, 300, 200},
		{"rs:fill-down:6000:3000", large, 2725, 1363},
		{"w:400", large, 400, 327},
		{"h:400", large, 490, 400},
		{"width:120/height:90/resizing_type:fill", large, 120, 90},
		{"s:300:200", large, 245, 200},
		{"size:300:200:0:1", large, 300, 200},
		{"rt:fill/w:150/h:150", phone, 150, 150},
		{"w:300", phone, 300, 400},
		{"ar:0/w:300", phone, 300, 225},
		{"w:300/h:0", large, 300, 245},
		{"rs:fit:400:400", small, 200, 150},
		{"rs:fit:400:400:1", small, 400, 300},
		{"el:1/w:400", small, 400, 300},
		{"rs:fill:400:100", small, 200, 100},
		{"rs:fill:400:100:1", small, 400, 100},
		{"rs:fit:300:200:0:1", large, 300, 200},
		{"rs:fit:300:300:0:1:no", small, 300, 300},
		{"w:300/h:200/ex:1", large, 300, 200},
		{"rs:fit:300:200/exar:1", large, 300, 200},
		{"dpr:2/rs:fit:100:100", large, 200, 163},
		{"dpr:3/w:100", small, 200, 150},
		{"z:0.5/w:300", large, 150, 122},
		{"rs:fit:200:200/mh:180", large, 200, 180},
		{"rs:fit:200:200/mw:250", large, 200, 200},
		{"c:500:300", large, 500, 300},
		{"c:0.5:0.5/w:200", phone, 200, 267},
		{"crop:1000:500:nowe/w:100", large, 100, 50},
		{"c:600:0/h:100", large, 27, 100},
		{"rs:fill:100:100/g:fp:0.2:0.8", large, 100, 100},
		{"rs:fill:100:60/g:sm", large, 100, 60},
		{"rs:fill:100:60/gravity:no:0:10", large, 100, 60},
		{"rot:90/w:100", large, 100, 122},
		{"rotate:180/w:100", phone, 100, 133},
		{"w:100/pd:10:20", large, 140, 102},
		{"w:100/padding:1:2:3:4", large, 106, 86},
		{"w:100/bl:2/sh:1/pix:2/q:40/sm:1/cb:x/bg:ff0000/bg:1:2:3", large, 100, 82},
		{"pr:card", large, 120, 80},
		{"pr:card/w:60", large, 60, 80},
		{"w:100/eth:1/kcr:1/scp:1/ph:0", large, 100, 82},

		// From imgproxy's source, worked by hand.
		{"rs:fit:300:300:0:1/dpr:2", small, 300, 300},
		{"rs:fill:400:100/dpr:0.5", small, 200, 100},
		{"rs:fill:400:100:0:1", small, 400, 100},
		{"rs:force:300:0", large, 300, 2225},
		{"rs:fit:300:300/exar:1", small, 200, 200},
		{"c:600:0:no/w:300", large, 300, 1113},
		{"car:1/w:100", large, 100, 100},
		{"z:0.5:1/w:300", large, 150, 245},
		{"w:100/dpr:1.5/pd:3", large, 158, 130},
	} {
		r, err := askImgproxy(imgproxyMount(), test.options)
		if err != nil {
			t.Errorf("%q: %v", test.options, err)
			continue
		}
		p, err := r.Options.Plan(test.source, resize.DefaultLimits())
		if err != nil || p.Width != test.w || p.Height != test.h {
			t.Errorf("%q of %d×%d is %d×%d, %v; imgproxy made %d×%d", test.options, test.source.Width, test.source.Height, p.Width, p.Height, err, test.w, test.h)
		}
	}
}
