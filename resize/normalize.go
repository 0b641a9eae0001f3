package resize

import "math"

// invisible stands for an opacity of 0 in Options that are not normalized, as 0 there means "not
// given".
const invisible = -1

// Normalize returns the one Options of all that mean the same picture as o: defaults become zero
// values, and what nothing can use is dropped. Normalizing twice is normalizing once.
func (o Options) Normalize() Options {
	o.DPR = dropOne(o.DPR)
	o.Zoom = dropOne(o.Zoom)
	if o.Gravity != GravityFocus {
		o.FocusX, o.FocusY = 0, 0
	}
	o.OffsetX, o.OffsetY = o.OffsetX.normalize(), o.OffsetY.normalize()
	if o.Crop == (Region{W: 100, H: 100, Percent: true}) {
		o.Crop = Region{}
	}
	o.Ratio = o.Ratio.reduce()
	if o.Background.Kind != BackgroundColor {
		o.Background.Color = Color{}
	}
	if !o.Duotone.On {
		o.Duotone = Duotone{}
	}
	if o.Round.Max {
		o.Round.Radius = 0
	}
	o.settleTurn()
	o.Watermark = o.Watermark.normalize()
	o.Text = o.Text.normalize()
	o = o.normalizeEncoding()
	o.normalizeSpecial()
	o.normalizeLate()
	return o
}

// settleTurn keeps one spelling for each of the eight ways to place a picture: a mirror in both directions
// is half a turn, and beside a single mirror the turn is below 180 degrees. Angles that are no
// multiple of 90 belong to a later step and stay as they are.
func (o *Options) settleTurn() {
	if o.Rotate = math.Mod(o.Rotate, 360); o.Rotate < 0 {
		o.Rotate = math.Mod(o.Rotate+360, 360) // the sum of a tiny angle is 360
	}
	if math.Mod(o.Rotate, 90) != 0 {
		return
	}
	if o.FlipH && o.FlipV {
		o.FlipH, o.FlipV = false, false
		o.Rotate = math.Mod(o.Rotate+180, 360)
	}
	if o.Rotate >= 180 && (o.FlipH || o.FlipV) {
		o.FlipH, o.FlipV = o.FlipV, o.FlipH
		o.Rotate -= 180
	}
	o.Rotate = math.Abs(o.Rotate) // −0 is 0
}

func (o Options) normalizeEncoding() Options {
	if !o.Format.Negotiated() {
		o.Offer = Offer{}
	}
	o.Offer = o.Offer.compact()
	if o.Lossless && o.Format.HasLossless() {
		o.Quality, o.QualityAuto, o.MaxBytes = 0, false, 0
	}
	if o.QualityAuto || o.Quality == o.Format.Quality() {
		o.Quality = 0
	}
	if o.Page == 1 {
		o.Page = 0
	}
	if o.Still {
		o.Frames = 0
	}
	return o
}

func (l Length) normalize() Length {
	if l.Value == 0 {
		return Length{}
	}
	return l
}

func (w Watermark) normalize() Watermark {
	if w.Image == "" || w.Opacity == invisible {
		return Watermark{}
	}
	w.X, w.Y = w.X.normalize(), w.Y.normalize()
	w.Opacity = dropOne(w.Opacity)
	if w.Scale == 0 {
		w.Within = false
	} else {
		w.Width, w.Height = 0, 0
	}
	return w
}

func (t Text) normalize() Text {
	if t.Value == "" || t.Opacity == invisible {
		return Text{}
	}
	t.X, t.Y = t.X.normalize(), t.Y.normalize()
	t.Opacity = dropOne(t.Opacity)
	if !t.Colored {
		t.Color = Color{}
	}
	return t
}

// compact moves the formats to the front and drops repetitions and what cannot be offered.
func (r Offer) compact() Offer {
	var out Offer
	for _, f := range r {
		if f.offerable() {
			out.add(f)
		}
	}
	return out
}

// add puts f behind the formats offered so far; false if it is there already.
func (r *Offer) add(f Format) bool {
	for i := range r {
		if r[i] == f {
			return false
		}
		if r[i] == FormatAuto {
			r[i] = f
			return true
		}
	}
	return false
}

// dropOne returns 0 for the default, 1.
func dropOne(v float64) float64 {
	if v == 1 || v == 0 { // −0 is 0
		return 0
	}
	return v
}
