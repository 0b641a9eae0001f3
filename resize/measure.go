package resize

import (
	"image"
	"math"
)

// This file is imgproxy's arithmetic of sides, for the wishes that ours cannot say: a canvas that
// follows the dpr that was reached, a dpr below 1 that makes up for a source too small, two zooms, one
// side of a stretched picture kept, and a longest side.

// measure is fit as imgproxy computes it. Shrinks are source px per CSS px.
func (o Options) measure(from extent) fitted {
	x, y, dpr := o.shrinks(from)
	f := o.sides(from, x/dpr, y/dpr, dpr)
	if out := f.outer(o); o.MaxSide > 0 && max(out.X, out.Y) > o.MaxSide {
		down := float64(o.MaxSide) / float64(max(out.X, out.Y))
		f = o.sides(from, x/dpr/down, y/dpr/down, dpr*down)
	}
	return f
}

// shrinks returns how far both sides are reduced before dpr, and the dpr that is reached.
func (o Options) shrinks(from extent) (x, y, dpr float64) {
	x, y = o.boxShrinks(from)
	zoomX := orOne(o.Zoom)
	zoomY := zoomX
	if o.ZoomY != 0 {
		zoomY = o.ZoomY
	}
	x, y, dpr = x/zoomX, y/zoomY, orOne(o.DPR)
	if !o.Enlarge {
		if least := min(x, y); least < 1 {
			x, y = x/least, y/least
			if o.Extend != ExtendBox {
				dpr /= least // a small dpr would move it even farther from the size asked for
			}
		}
		dpr = min(dpr, x, y)
	}
	if w := float64(o.MinWidth); w > 0 && from.w/w < x {
		x, y = from.w/w, y*(from.w/w)/x
	}
	if h := float64(o.MinHeight); h > 0 && from.h/h < y {
		x, y = x*(from.h/h)/y, from.h/h
	}
	return x, y, dpr
}

func (o Options) boxShrinks(from extent) (x, y float64) {
	x, y = 1, 1
	w, h := float64(o.Width), float64(o.Height)
	if w > 0 {
		x = from.w / w
	}
	if h > 0 {
		y = from.h / h
	}
	switch kind := o.fitKind(box{w, h}, from); {
	case kind == FitStretch:
	case w <= 0 && h <= 0:
	case w <= 0:
		x = y
	case h <= 0:
		y = x
	case kind == FitCover || kind == FitCoverDown:
		x, y = min(x, y), min(x, y)
	default:
		x, y = max(x, y), max(x, y)
	}
	return x, y
}

// sides returns the sides for the given shrinks, dpr included.
func (o Options) sides(from extent, x, y, dpr float64) fitted {
	f := fitted{from: from, dpr: dpr, x: ratio{1, min(x, from.w)}, y: ratio{1, min(y, from.h)}}
	scaled := f.scaled()
	target := o.target(dpr)
	cut := target
	if o.Fit == FitCoverDown && !o.Enlarge && target.X > 0 && target.Y > 0 {
		w, h := float64(target.X)/float64(scaled.X), float64(target.Y)/float64(scaled.Y)
		switch {
		case w > h && w > 1:
			cut = image.Pt(scaled.X, side(float64(scaled.X)*float64(target.Y)/float64(target.X)))
		case h > w && h > 1:
			cut = image.Pt(side(float64(scaled.Y)*float64(target.X)/float64(target.Y)), scaled.Y)
		}
	}
	f.window = image.Pt(lesser(scaled.X, cut.X), lesser(scaled.Y, cut.Y))
	switch {
	case o.Extend == ExtendBox || o.Fit == FitPad:
		f.canvas = image.Pt(max(f.window.X, target.X), max(f.window.Y, target.Y))
	case o.Extend == ExtendRatio && target.X > 0 && target.Y > 0:
		f.canvas = ratioCanvas(f.window, target)
	}
	return f
}

// target returns the box in output px; 0 for a side that was not given.
func (o Options) target(dpr float64) image.Point {
	zoom := box{orOne(o.Zoom), orOne(o.Zoom)}
	if o.ZoomY != 0 {
		zoom.h = o.ZoomY
	}
	return image.Pt(clampPx(float64(o.Width)*dpr*zoom.w), clampPx(float64(o.Height)*dpr*zoom.h))
}

// ratioCanvas returns the smallest size around the picture that has the box's ratio.
func ratioCanvas(picture, box image.Point) image.Point {
	w, h := float64(box.X)/float64(picture.X), float64(box.Y)/float64(picture.Y)
	switch {
	case h > w:
		return image.Pt(picture.X, max(picture.Y, side(float64(picture.X)*float64(box.Y)/float64(box.X))))
	case w > h:
		return image.Pt(max(picture.X, side(float64(picture.Y)*float64(box.X)/float64(box.Y))), picture.Y)
	default:
		return picture
	}
}

// outer returns the size of the result with canvas and padding.
func (f fitted) outer(o Options) image.Point {
	p := image.Pt(max(f.window.X, f.canvas.X), max(f.window.Y, f.canvas.Y))
	p.X += roundToEven(float64(o.Pad.Left)*f.dpr) + roundToEven(float64(o.Pad.Right)*f.dpr)
	p.Y += roundToEven(float64(o.Pad.Top)*f.dpr) + roundToEven(float64(o.Pad.Bottom)*f.dpr)
	return p
}

// lesser returns the lesser of a and b, where b = 0 is no bound.
func lesser(a, b int) int {
	if b <= 0 {
		return a
	}
	return min(a, b)
}

// roundToEven rounds half to even, as imgproxy does with paddings.
func roundToEven(x float64) int { return int(math.RoundToEven(max(-1<<30, min(x, 1<<30)))) }

// sizedLayout is layout for a region of CropSize, which has a gravity of its own.
func (o Options) sizedLayout(upright image.Point) layout {
	size := o.CropSize.within(upright)
	full := o.Ratio.within(size.X, size.Y)
	if o.RatioGrows {
		full = o.Ratio.around(size, upright)
	}
	f := o.fit(full)
	l := layout{dpr: f.dpr, scaled: f.scaled()}
	g := o.anchor()
	window := image.Rectangle{Max: l.scaled}
	if o.CropAt.Gravity.picked() {
		// The engine picks the place in the whole picture, once it is scaled.
		l.region = image.Rectangle{Max: upright}
		l.scaled = image.Pt(max(f.window.X, side(f.x.of(float64(upright.X)))), max(f.window.Y, side(f.y.of(float64(upright.Y)))))
		window.Max = l.scaled
	} else {
		part := image.Pt(min(side(full.w), upright.X), min(side(full.h), upright.Y))
		l.region = o.CropAt.anchor().place(image.Rectangle{Max: upright}, part, 1, 1)
	}
	l.window = g.place(window, f.window, f.dpr, f.dpr)
	l.size = Rotated(f.window, o.angle())
	l.pad(o, f, g)
	return l
}

// within returns the size in px of the region, cut off at the picture's.
func (e Extent) within(size image.Point) image.Point {
	length := func(l Length, whole int) int {
		if l.Value <= 0 {
			return whole
		}
		return min(max(1, l.px(whole, 1)), whole)
	}
	return image.Pt(length(e.W, size.X), length(e.H, size.Y))
}

// around returns the smallest size that holds size and has the ratio, or the largest one of the ratio
// that the picture holds.
func (r Ratio) around(size, whole image.Point) extent {
	e := extent{float64(size.X), float64(size.Y)}
	if r.W <= 0 || r.H <= 0 {
		return e
	}
	if e.w*r.H < e.h*r.W {
		e.w = e.h * r.W / r.H
	} else {
		e.h = e.w * r.H / r.W
	}
	if e.w > float64(whole.X) || e.h > float64(whole.Y) {
		return r.within(whole.X, whole.Y)
	}
	return e
}

// anchor returns the anchor as geometry uses it.
func (a Anchor) anchor() anchor {
	return anchor{gravity: a.Gravity, fx: a.FocusX, fy: a.FocusY, dx: a.X, dy: a.Y}
}

// extendAnchor returns where the picture lies on its canvas.
func (o Options) extendAnchor(g anchor) anchor {
	if o.ExtendAt.Given {
		return o.ExtendAt.anchor()
	}
	return g
}
