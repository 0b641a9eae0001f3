package resize

import "image"

// ratio is a scale factor kept as numerator and denominator, so that a length is rounded once from
// the exact product.
type ratio struct{ num, den float64 }

func (r ratio) of(x float64) float64 { return x * r.num / r.den }
func (r ratio) value() float64       { return r.num / r.den }

// fitted is how a region meets its box.
type fitted struct {
	from   extent      // the region, source px
	x, y   ratio       // scale of the two sides
	dpr    float64     // that was reached
	window image.Point // size after the crop to the box, output px
	canvas image.Point // size of the box that fit=pad fills; zero = none
}

// scaled returns the size after scaling, output px.
func (f fitted) scaled() image.Point {
	return image.Pt(side(f.x.of(f.from.w)), side(f.y.of(f.from.h)))
}

// box is the wish in CSS px after zoom, with 0 for a side that is derived.
type box struct{ w, h float64 }

// fit computes scale, crop size and canvas size for a region of the given size.
func (o Options) fit(from extent) fitted {
	if o.measured() {
		return o.measure(from)
	}
	dpr, zoom := orOne(o.DPR), orOne(o.Zoom)
	b := o.box(from, zoom)
	kind := o.fitKind(b, from)
	f := fitted{from: from, dpr: dpr}
	if kind == FitStretch && (b.w > 0 || b.h > 0) {
		f.x, f.y = b.stretch(from, dpr)
		f.window = f.scaled()
		return f
	}
	s := b.scale(kind, from, zoom)
	if !o.Enlarge && s.num*dpr > s.den {
		if kind != FitPad {
			f.dpr = min(dpr, max(1, s.den/s.num))
		}
		s = ratio{1, 1}
	} else {
		s.num *= dpr
	}
	s = o.atLeast(s, from, f.dpr)
	if p := orOne(o.Proportion); p != 1 {
		s.num *= p
		b = box{b.w * p, b.h * p}
	}
	f.x, f.y = s, s
	f.window = f.cut(kind, b)
	if o.Uncut && kind == FitCover {
		f.window = f.scaled()
	}
	if kind == FitPad {
		f.canvas = b.canvas(f.window, dpr)
	}
	return f
}

// fitKind resolves FitAuto, and what has no box to fill.
func (o Options) fitKind(b box, from extent) Fit {
	whole := b.w > 0 && b.h > 0
	switch o.Fit {
	case FitAuto:
		if whole && (from.w >= from.h) == (b.w >= b.h) {
			return FitCover
		}
		return FitContain
	case FitCover, FitCoverDown:
		if !whole {
			return FitContain
		}
	case FitContain, FitPad, FitStretch:
	}
	return o.Fit
}

// scale returns source px → CSS px for the fits that keep the ratio.
func (b box) scale(kind Fit, from extent, zoom float64) ratio {
	byWidth, byHeight := ratio{b.w, from.w}, ratio{b.h, from.h}
	switch {
	case b.w <= 0 && b.h <= 0:
		return ratio{zoom, 1}
	case b.w <= 0:
		return byHeight
	case b.h <= 0:
		return byWidth
	}
	widthIsLess := b.w*from.h <= b.h*from.w
	if (kind == FitCover || kind == FitCoverDown) == widthIsLess {
		return byHeight
	}
	return byWidth
}

// stretch returns the scales that fill the box exactly; a missing side follows the other one.
func (b box) stretch(from extent, dpr float64) (x, y ratio) {
	x, y = ratio{b.w * dpr, from.w}, ratio{b.h * dpr, from.h}
	if b.w <= 0 {
		x = y
	}
	if b.h <= 0 {
		y = x
	}
	return x, y
}

// atLeast raises the scale until mw and mh are reached, whatever Enlarge says.
func (o Options) atLeast(s ratio, from extent, dpr float64) ratio {
	if w := float64(o.MinWidth) * dpr; w > 0 && s.of(from.w) < w {
		s = ratio{w, from.w}
	}
	if h := float64(o.MinHeight) * dpr; h > 0 && s.of(from.h) < h {
		s = ratio{h, from.h}
	}
	return s
}

// cut returns the size of what is kept of the scaled picture.
func (f fitted) cut(kind Fit, b box) image.Point {
	p := f.scaled()
	w, h := b.w*f.dpr, b.h*f.dpr
	if kind == FitCoverDown {
		return f.cutToRatio(w, h)
	}
	if w > 0 {
		p.X = min(p.X, side(w))
	}
	if h > 0 {
		p.Y = min(p.Y, side(h))
	}
	return p
}

// cutToRatio returns the box, or the largest part of the scaled picture with the box's ratio where
// the picture is too small for it.
func (f fitted) cutToRatio(w, h float64) image.Point {
	sw, sh := f.x.of(f.from.w), f.y.of(f.from.h)
	if w > sw || h > sh {
		if w*sh >= h*sw {
			w, h = sw, h*sw/w
		} else {
			w, h = w*sh/h, sh
		}
	}
	p := f.scaled()
	return image.Pt(min(p.X, side(w)), min(p.Y, side(h)))
}

// canvas returns the size that fit=pad fills: the box at full dpr, a missing side as the picture has it.
func (b box) canvas(picture image.Point, dpr float64) image.Point {
	c := picture
	if b.w > 0 {
		c.X = side(b.w * dpr)
	}
	if b.h > 0 {
		c.Y = side(b.h * dpr)
	}
	return c
}

func orOne(x float64) float64 {
	if x == 0 {
		return 1
	}
	return x
}
