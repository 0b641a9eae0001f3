package dialect

import (
	"math"

	"github.com/imgedge/imgedge/resize"
)

// setGravity says what a crop to the box keeps: the focal points, the smart detection, or the alignment.
func (w *thumborWish) setGravity(late resize.Turn) error {
	if w.o.Fit != resize.FitCover || w.o.Uncut || w.path.fitIn {
		return nil
	}
	focals := w.focals
	if !w.imagor() {
		focals = w.cropFocals()
	}
	switch {
	case len(focals) > 0:
		return w.setFocus(focals, late)
	case w.path.smart:
		w.o.Gravity = resize.GravitySmart
	default:
		w.o.Gravity = turnedGravity(w.path.h, w.path.v, late)
	}
	return nil
}

// cropFocals drops the focal points outside the crop, as thumbor does.
func (w *thumborWish) cropFocals() []thumborFocal {
	c := w.path.crop
	if w.o.Crop == (resize.Region{}) {
		return w.focals
	}
	var inside []thumborFocal
	for _, f := range w.focals {
		if f.x >= c[0] && f.x <= c[2] && f.y >= c[1] && f.y <= c[3] {
			inside = append(inside, f)
		}
	}
	return inside
}

// setFocus sets the mean of the focal points, by weight.
func (w *thumborWish) setFocus(focals []thumborFocal, late resize.Turn) error {
	var x, y, weight float64
	for _, f := range focals {
		if f.share != focals[0].share {
			return resize.BadOption("filter focal: px and fractions are mixed")
		}
		x, y, weight = x+f.x*f.weight, y+f.y*f.weight, weight+f.weight
	}
	x, y = x/weight, y/weight
	w.o.Gravity = resize.GravityFocus
	if !focals[0].share {
		const most = 1_000_000
		milli := func(v float64) float64 { return math.Round(min(v, most)*1e3) / 1e3 }
		w.o.FocusAt = resize.FocusPoint{On: true, X: milli(x), Y: milli(y)}
		w.o.LateTurn = late
		return nil
	}
	for range late.Angle / 90 {
		x, y = 1-y, x
	}
	if late.FlipH {
		x = 1 - x
	}
	w.o.FocusX, w.o.FocusY = tidy(x), tidy(y)
	return nil
}

// turnedGravity returns the gravity of an alignment after a turn.
func turnedGravity(h, v int, t resize.Turn) resize.Gravity {
	for range t.Angle / 90 {
		h, v = -v, h
	}
	if t.FlipH {
		h = -h
	}
	return gravityOf(h, v)
}

// gravityOf returns the gravity towards −1, 0 or 1 on both axes.
func gravityOf(h, v int) resize.Gravity {
	return [3][3]resize.Gravity{
		{resize.GravityNorthWest, resize.GravityNorth, resize.GravityNorthEast},
		{resize.GravityWest, resize.GravityCenter, resize.GravityEast},
		{resize.GravitySouthWest, resize.GravitySouth, resize.GravitySouthEast},
	}[v+1][h+1]
}
