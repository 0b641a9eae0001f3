package resize

import (
	"fmt"
	"image"
	"math"
)

// layout is the geometry of one picture. All of it is upright: region in source px, the rest in
// output px.
type layout struct {
	region image.Rectangle // what is kept of the source
	scaled image.Point     // size of the region after scaling
	window image.Rectangle // what is kept of the scaled picture
	canvas image.Point     // size with padding; zero = none
	offset image.Point     // of the picture on the canvas
	dpr    float64         // the dpr that was reached
	size   image.Point     // of the result
}

// layout computes the geometry for what trim has left of the source.
func (o Options) layout(src Source, turn Turn) (layout, error) {
	area := o.area(src, turn)
	o, err := o.afterTrim(turn.swap(image.Pt(src.Width, src.Height)), area)
	if err != nil {
		return layout{}, err
	}
	l, err := o.layoutOf(area.Size())
	l.region = l.region.Add(area.Min)
	return l, err
}

// layoutOf computes crop, ratio, scaling, crop to the box and padding, in this order, for an upright
// source of the given size.
func (o Options) layoutOf(upright image.Point) (layout, error) {
	if o.CropSize != (Extent{}) {
		return o.sizedLayout(upright), nil
	}
	region, err := o.cropRegion(upright)
	if err != nil {
		return layout{}, err
	}
	full := o.Ratio.within(region.Dx(), region.Dy())
	f := o.fit(full)
	l := layout{dpr: f.dpr, scaled: f.scaled()}

	g := o.anchorIn(upright)
	cuts := f.window != l.scaled
	pads := f.canvas != (image.Point{}) && f.canvas != f.window
	early := g.in(upright, region)
	if cuts || pads {
		early.dx, early.dy = Length{}, Length{} // the offset belongs to the last step at g
	}
	part := image.Pt(min(side(full.w), region.Dx()), min(side(full.h), region.Dy()))
	l.region = early.place(region, part, f.dpr/f.x.value(), f.dpr/f.y.value())
	if o.Gravity.picked() && part != region.Size() {
		// The engine picks the place for ratio and box at once, in all there is.
		l.region = region
		l.scaled = image.Pt(max(f.window.X, side(f.x.of(float64(region.Dx())))), max(f.window.Y, side(f.y.of(float64(region.Dy())))))
	}

	l.window = g.in(upright, l.region).place(image.Rectangle{Max: l.scaled}, f.window, f.dpr, f.dpr)
	l.size = Rotated(f.window, o.angle())
	l.pad(o, f, g)
	return l, nil
}

// pad adds the canvas of fit=pad and the padding of pad.
func (l *layout) pad(o Options, f fitted, g anchor) {
	canvas := image.Pt(max(f.canvas.X, l.size.X), max(f.canvas.Y, l.size.Y))
	at := o.extendAnchor(g).place(image.Rectangle{Max: canvas}, l.size, f.dpr, f.dpr).Min
	round := round
	if o.measured() {
		round = roundToEven
	}
	t, r := round(float64(o.Pad.Top)*f.dpr), round(float64(o.Pad.Right)*f.dpr)
	b, left := round(float64(o.Pad.Bottom)*f.dpr), round(float64(o.Pad.Left)*f.dpr)
	canvas = canvas.Add(image.Pt(left+r, t+b))
	if canvas == l.size {
		return
	}
	l.canvas, l.offset, l.size = canvas, at.Add(image.Pt(left, t)), canvas
}

// within returns the region in whole px of a picture of the given size. A side of 0 reaches to the
// picture's edge; what lies outside is cut off.
func (r Region) within(size image.Point) (image.Rectangle, error) {
	whole := image.Rectangle{Max: size}
	if r == (Region{}) {
		return whole, nil
	}
	sx, sy := 1.0, 1.0
	if r.Percent {
		sx, sy = float64(size.X)/100, float64(size.Y)/100
	}
	got := image.Rectangle{Min: image.Pt(clampPx(r.X*sx), clampPx(r.Y*sy)), Max: size}
	if r.W > 0 {
		got.Max.X = got.Min.X + max(1, clampPx(r.W*sx))
	}
	if r.H > 0 {
		got.Max.Y = got.Min.Y + max(1, clampPx(r.H*sy))
	}
	if got = got.Intersect(whole); got.Empty() {
		return whole, Unprocessable("unsupported_size",
			fmt.Sprintf("crop lies outside the source of %d×%d px", size.X, size.Y))
	}
	return got, nil
}

// extent is an exact size: sides that have not been rounded yet.
type extent struct{ w, h float64 }

// within returns the largest part of w × h px that has the ratio, unrounded so that lengths derived
// from it are rounded once.
func (r Ratio) within(w, h int) extent {
	e := extent{float64(w), float64(h)}
	if r.W <= 0 || r.H <= 0 {
		return e
	}
	if e.w*r.H > e.h*r.W {
		return extent{e.h * r.W / r.H, e.h}
	}
	return extent{e.w, e.w * r.H / r.W}
}

// anchor is a gravity with its offsets.
type anchor struct {
	gravity Gravity
	fx, fy  float64 // focal point, 0–1 of the outer rectangle
	dx, dy  Length  // CSS px inward from the side the gravity names, or percent of the outer side
}

// anchor returns the wish's gravity; the focal point is one of the whole upright source.
func (o Options) anchor() anchor {
	return anchor{gravity: o.Gravity, fx: o.FocusX, fy: o.FocusY, dx: o.OffsetX, dy: o.OffsetY}
}

// in moves the focal point from the whole picture into a region of it.
func (a anchor) in(size image.Point, r image.Rectangle) anchor {
	a.fx = clamp01((a.fx*float64(size.X) - float64(r.Min.X)) / float64(r.Dx()))
	a.fy = clamp01((a.fy*float64(size.Y) - float64(r.Min.Y)) / float64(r.Dy()))
	return a
}

// place lays a rectangle of the inner size into outer, at the gravity. Offsets in px are multiplied by
// scaleX and scaleY first. The result never leaves outer.
func (a anchor) place(outer image.Rectangle, inner image.Point, scaleX, scaleY float64) image.Rectangle {
	h, v := a.gravity.towards()
	if a.gravity == GravityFocus {
		h, v = focused, focused
	}
	x := align(h, outer.Dx(), inner.X, a.fx, a.dx.px(outer.Dx(), scaleX))
	y := align(v, outer.Dy(), inner.Y, a.fy, a.dy.px(outer.Dy(), scaleY))
	at := outer.Min.Add(image.Pt(x, y))
	return image.Rectangle{Min: at, Max: at.Add(inner)}
}

// direction says to which end of a side something is drawn.
type direction uint8

const (
	middle direction = iota
	start
	end
	focused
)

// towards splits a gravity into its two axes.
func (g Gravity) towards() (h, v direction) {
	switch g {
	case GravityWest, GravityNorthWest, GravitySouthWest:
		h = start
	case GravityEast, GravityNorthEast, GravitySouthEast:
		h = end
	default:
	}
	switch g {
	case GravityNorth, GravityNorthWest, GravityNorthEast:
		v = start
	case GravitySouth, GravitySouthWest, GravitySouthEast:
		v = end
	default:
	}
	return h, v
}

// align returns where a side of length inner begins on one of length outer.
func align(d direction, outer, inner int, focus float64, offset int) int {
	slack := outer - inner
	at := offset
	switch d {
	case middle:
		at += (slack + 1) / 2
	case start:
	case end:
		at = slack - offset
	case focused:
		at = round(focus*float64(outer) - float64(inner)/2)
	}
	return max(0, min(at, slack))
}

// px returns the offset in whole px along a side.
func (l Length) px(side int, scale float64) int {
	if l.Percent {
		return clampPx(l.Value / 100 * float64(side))
	}
	return clampPx(l.Value * scale)
}

// Rotated returns the size of the smallest upright box around a picture turned by the angle in
// degrees: that of the canvas which Plan.Angle needs.
func Rotated(p image.Point, angle float64) image.Point {
	if angle == 0 {
		return p
	}
	sin, cos := math.Sincos(angle * math.Pi / 180)
	sin, cos = math.Abs(sin), math.Abs(cos)
	w, h := float64(p.X), float64(p.Y)
	return image.Pt(side(w*cos+h*sin), side(w*sin+h*cos))
}

// round rounds half away from zero. The small term absorbs what decimal factors lose in binary:
// 2.3 × 5 is a little less than 11.5 there.
func round(x float64) int {
	if x < 0 {
		return -round(-x)
	}
	return int(math.Floor(x + 0.5 + 1e-9))
}

// side rounds a length that may not vanish.
func side(x float64) int { return max(1, clampPx(x)) }

// clampPx rounds a length, kept far from the end of int.
func clampPx(x float64) int { return round(math.Max(-1<<30, math.Min(x, 1<<30))) }

func clamp01(x float64) float64 { return math.Max(0, math.Min(x, 1)) }
