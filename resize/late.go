package resize

import (
	"image"
	"strconv"
	"strings"
)

// This file holds what thumbor and imagor can say and native URLs cannot: a box that depends on the
// source, and px of the source in a picture that is turned after its crop.

// SourceSide says which side of the box is the source's, after its crop.
type SourceSide uint8

// The sides of the source; both together are no box.
const (
	SourceNone SourceSide = iota
	SourceWidth
	SourceHeight
)

// FocusPoint is a focal point in px of the upright source; On is false in the zero value.
type FocusPoint struct {
	On   bool
	X, Y float64
}

// TrimCorner is the corner whose pixel gives the color that trim cuts off.
type TrimCorner uint8

// The corners of the upright source.
const (
	TrimNorthWest TrimCorner = iota
	TrimNorthEast
	TrimSouthEast
	TrimSouthWest
)

// Axis is the direction in which a watermark is repeated.
type Axis uint8

// The directions.
const (
	AxisNone Axis = iota
	AxisHorizontal
	AxisVertical
)

var (
	sourceSideNames = [...]string{"none", "w", "h"}
	trimCornerNames = [...]string{"northwest", "northeast", "southeast", "southwest"}
	axisNames       = [...]string{"none", "h", "v"}
)

// normalizeLate is the part of Normalize for the options of this file.
func (o *Options) normalizeLate() {
	if o.SourceSide == SourceWidth && (o.Width != 0 || o.Height == 0) || o.SourceSide == SourceHeight && (o.Height != 0 || o.Width == 0) {
		o.SourceSide = SourceNone
	}
	if o.Width == 0 || o.Height == 0 || o.Width == o.Height {
		o.Adaptive = false
	}
	if o.Fit != FitCover || o.SourceSide == SourceNone && (o.Width == 0 || o.Height == 0) {
		o.Uncut = false
	}
	o.Proportion = dropOne(o.Proportion)
	if o.Gravity != GravityFocus || !o.FocusAt.On {
		o.FocusAt = FocusPoint{}
	} else {
		o.FocusX, o.FocusY = 0, 0
	}
	o.LateTurn.Angle = ((o.LateTurn.Angle%360 + 360) % 360) / 90 * 90
	if !o.FocusAt.On && (o.Crop == Region{} || o.Crop.Percent) {
		o.LateTurn = Turn{}
	}
	if o.Trim == 0 || o.Crop == (Region{}) && o.Gravity != GravityFocus || o.CropSize != (Extent{}) {
		o.Untrimmed = false
	}
	if o.Trim == 0 || o.TrimColor.Given {
		o.TrimCorner = TrimNorthWest
	}
	if w := &o.Watermark; w.ScaleY != 0 && (w.Within || w.ScaleY == w.Scale) {
		w.ScaleY, w.Within = 0, true
	}
	if o.Watermark.Tiled {
		o.Watermark.Along = AxisNone
	}
}

// box returns the box for a region, times zoom.
func (o Options) box(from extent, zoom float64) box {
	b := box{float64(o.Width), float64(o.Height)}
	switch o.SourceSide {
	case SourceWidth:
		b.w = from.w
	case SourceHeight:
		b.h = from.h
	case SourceNone:
	}
	if o.Adaptive && (from.w < from.h && b.w > b.h || from.w > from.h && b.w < b.h) {
		b.w, b.h = b.h, b.w
	}
	return box{b.w * zoom, b.h * zoom}
}

// cropRegion returns the region to keep of the upright source. A crop in px speaks of the picture before
// LateTurn.
func (o Options) cropRegion(upright image.Point) (image.Rectangle, error) {
	if o.LateTurn == (Turn{}) || o.Crop.Percent {
		return o.Crop.within(upright)
	}
	before := o.LateTurn.swap(upright)
	r, err := o.Crop.within(before)
	return o.LateTurn.inverse().Stored(r, upright), err
}

// anchorIn is anchor for an upright source of the given size, which a focal point in px needs.
func (o Options) anchorIn(upright image.Point) anchor {
	a := o.anchor()
	if !o.FocusAt.On {
		return a
	}
	before := o.LateTurn.swap(upright)
	a.fx, a.fy = o.LateTurn.point(clamp01(o.FocusAt.X/float64(before.X)), clamp01(o.FocusAt.Y/float64(before.Y)))
	return a
}

// afterTrim returns o with crop and focal point of the whole upright source as those of the area that
// trim has left. A crop of nothing that is left is none.
func (o Options) afterTrim(upright image.Point, area image.Rectangle) (Options, error) {
	if !o.Untrimmed {
		return o, nil
	}
	r, err := o.cropRegion(upright)
	if err != nil {
		return o, err
	}
	a := o.anchorIn(upright).in(upright, area)
	o.FocusAt, o.FocusX, o.FocusY = FocusPoint{}, a.fx, a.fy
	if r = r.Intersect(area).Sub(area.Min); r.Empty() || r.Size() == area.Size() {
		o.Crop = Region{}
	} else {
		o.Crop = Region{X: float64(r.Min.X), Y: float64(r.Min.Y), W: float64(r.Dx()), H: float64(r.Dy())}
	}
	o.LateTurn, o.Untrimmed = Turn{}, false
	return o, nil
}

// inverse returns the turn that undoes t.
func (t Turn) inverse() Turn {
	if t.FlipH {
		return t // every mirror image undoes itself
	}
	return Turn{Angle: (360 - t.Angle) % 360}
}

// point returns where a point goes; 0–1 of the sides.
func (t Turn) point(x, y float64) (float64, float64) {
	for range t.Angle / 90 {
		x, y = 1-y, x
	}
	if t.FlipH {
		x = 1 - x
	}
	return x, y
}

func setFocusAt(o *Options, value string) bool {
	x, y, ok := strings.Cut(value, ",")
	var okX, okY bool
	o.FocusAt.On = true
	o.FocusAt.X, okX = parseDecimal(x, 0, maxRegion)
	o.FocusAt.Y, okY = parseDecimal(y, 0, maxRegion)
	return ok && okX && okY
}

func focusAtText(b []byte, o *Options) []byte {
	if o.FocusAt.On {
		b = appendDecimal(b, o.FocusAt.X)
		b = append(b, ',')
		b = appendDecimal(b, o.FocusAt.Y)
	}
	return b
}

func setLateTurn(o *Options, value string) bool {
	digits, flip := strings.CutSuffix(value, "h")
	angle, ok := parseWhole(digits, 0, 270)
	o.LateTurn = Turn{Angle: angle, FlipH: flip}
	return ok && angle%90 == 0 && o.LateTurn != Turn{}
}

func lateTurnText(b []byte, o *Options) []byte {
	if o.LateTurn == (Turn{}) {
		return b
	}
	b = strconv.AppendInt(b, int64(o.LateTurn.Angle), 10)
	if o.LateTurn.FlipH {
		b = append(b, 'h')
	}
	return b
}
