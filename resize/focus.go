package resize

// Focus is a point of the upright picture, as a part of its width and height, 0–1.
type Focus struct{ X, Y float64 }

// Around returns the options with a cover that names no gravity keeping the point f. All others are as they
// were.
func (o Options) Around(f Focus) Options {
	covers := o.Fit == FitCover || o.Fit == FitCoverDown || o.Fit == FitAuto
	if !covers || o.Gravity != GravityCenter || o.OffsetX != (Length{}) || o.OffsetY != (Length{}) {
		return o
	}
	o.Gravity, o.FocusX, o.FocusY = GravityFocus, f.X, f.Y
	return o
}
