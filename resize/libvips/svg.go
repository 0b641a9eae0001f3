package libvips

// #cgo pkg-config: vips
// #include "message.h"
// #include "svg.h"
import "C"

import (
	"errors"
	"image"
	"math"
	"runtime"
	"unsafe"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// probeSVG fills in the size of an SVG, which is cleaned before librsvg sees it.
func probeSVG(data []byte, src *resize.Source) error {
	text, err := resize.CleanSVG(data)
	if err != nil {
		return err
	}
	if err := openFonts(); err != nil {
		return err
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	from, size := view(&pin, text)
	var w, h C.int
	var message *C.char
	if C.imgedge_svg_size(from, size, &w, &h, &message) != 0 {
		defer C.imgedge_free(unsafe.Pointer(message))
		return errors.New(C.GoString(message))
	}
	src.Width, src.Height = int(w), int(h)
	src.Bands, src.Alpha, src.Depth = 4, true, 8
	return nil
}

// loadSVG draws an SVG at the plan's scale. Its own size may be no whole number of px: what is drawn is
// then a px more or less than planned, and the plan's region is moved along.
func (p *picture) loadSVG() error {
	text, err := resize.CleanSVG(p.data)
	if err != nil {
		return err
	}
	want := image.Pt(scaled(p.plan.Source.Width, p.plan.Scale), scaled(p.plan.Source.Height, p.plan.Scale))
	pixels, got, err := drawSVG(text, want.X)
	if err != nil {
		return err
	}
	ref, err := vips.NewImageFromMemory(pixels, got.X, got.Y, 4, vips.BandFormatUchar, vips.InterpretationSRGB)
	if err != nil {
		return err
	}
	p.ref = ref
	p.plan.Loaded = stretched(p.plan.Loaded, want, got)
	return nil
}

// scaled returns a length times the scale, as resize.Plan counts it.
func scaled(length int, scale float64) int {
	return max(1, int(math.Floor(float64(length)*scale+0.5+1e-9)))
}

// stretched maps a rectangle from a picture of one size to one of another.
func stretched(r image.Rectangle, from, to image.Point) image.Rectangle {
	if from == to {
		return r
	}
	x := func(v int) int { return (v*to.X + from.X/2) / from.X }
	y := func(v int) int { return (v*to.Y + from.Y/2) / from.Y }
	r = image.Rect(x(r.Min.X), y(r.Min.Y), x(r.Max.X), y(r.Max.Y))
	r.Max.X, r.Max.Y = max(r.Max.X, r.Min.X+1), max(r.Max.Y, r.Min.Y+1)
	return r
}

// drawSVG returns RGBA of about the given width.
func drawSVG(text []byte, width int) ([]byte, image.Point, error) {
	if err := openFonts(); err != nil {
		return nil, image.Point{}, err
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	from, size := view(&pin, text)
	var out unsafe.Pointer
	var w, h C.int
	var message *C.char
	if C.imgedge_svg(from, size, C.int(width), &out, &w, &h, &message) != 0 {
		defer C.imgedge_free(unsafe.Pointer(message))
		return nil, image.Point{}, errors.New(C.GoString(message))
	}
	defer C.imgedge_free(out)
	pixels := make([]byte, int(w)*int(h)*4)
	copy(pixels, unsafe.Slice((*byte)(out), len(pixels)))
	return pixels, image.Pt(int(w), int(h)), nil
}
