package resize

import "image"

// Trim is the search for borders of one color, which needs the px before the picture can be planned. It
// costs a decode of the whole picture at full size, beside the one that makes the result. An engine
// searches all frames that are kept, calls Plan.Trimmed with the smallest rectangle that holds what
// differs in any of them, and executes the plan it gets.
type Trim struct {
	On        bool
	Tolerance int         // 1–255: px differ from the border by more than this in one of R, G, B, alpha
	Color     TrimColor   // of the border, sRGB; not Given = that of the px at At
	At        image.Point // stored px

	Options Options // what Trimmed plans
	Limits  Limits
}

// trim returns the search that the options ask for; none once it is done.
func (o Options) trim(src Source, turn Turn, lim Limits) Trim {
	if o.Trim == 0 || !src.Trimmed.Empty() {
		return Trim{}
	}
	size := image.Pt(src.Width, src.Height)
	upright := turn.swap(size)
	var at image.Point
	if o.TrimCorner == TrimNorthEast || o.TrimCorner == TrimSouthEast {
		at.X = upright.X - 1
	}
	if o.TrimCorner == TrimSouthEast || o.TrimCorner == TrimSouthWest {
		at.Y = upright.Y - 1
	}
	at = turn.Stored(image.Rectangle{Min: at, Max: at.Add(image.Pt(1, 1))}, size).Min
	return Trim{On: true, Tolerance: o.Trim, Color: o.TrimColor, At: at, Options: o, Limits: lim}
}

// Trimmed returns the plan for what the search has left, in stored px. Where nothing is left, the
// picture is of one color and stays whole. Errors are those of Options.Plan.
func (p Plan) Trimmed(left image.Rectangle) (Plan, error) {
	whole := image.Rect(0, 0, p.Source.Width, p.Source.Height)
	if left = left.Intersect(whole); left.Empty() {
		left = whole
	}
	src := p.Source
	src.Trimmed = left
	next, err := p.Trim.Options.Plan(src, p.Trim.Limits)
	if err != nil || p.Overlay.Picture == nil {
		return next, err
	}
	return next.WithMark(p.Overlay.Data, p.Overlay.Picture.Source, p.Trim.Limits)
}

// area returns what trim has left, upright px of the source; the whole where nothing was trimmed.
func (o Options) area(src Source, turn Turn) image.Rectangle {
	size := turn.swap(image.Pt(src.Width, src.Height))
	whole := image.Rectangle{Max: size}
	if o.Trim == 0 || src.Trimmed.Empty() {
		return whole
	}
	r := turn.inverse().Stored(src.Trimmed, size).Intersect(whole)
	if o.TrimEqual == TrimEqualHorizontal || o.TrimEqual == TrimEqualBoth {
		cut := min(r.Min.X, size.X-r.Max.X)
		r.Min.X, r.Max.X = cut, size.X-cut
	}
	if o.TrimEqual == TrimEqualVertical || o.TrimEqual == TrimEqualBoth {
		cut := min(r.Min.Y, size.Y-r.Max.Y)
		r.Min.Y, r.Max.Y = cut, size.Y-cut
	}
	return r
}

// searchBytes returns what the search holds: the picture in C and in Go.
func (p Plan) searchBytes() int64 {
	if !p.Trim.On {
		return 0
	}
	whole := int64(p.Source.Width) * int64(p.Source.Height)
	return baseBytes + p.decodeBytes(whole, whole) + 2*whole*min(4, int64(max(1, p.Source.Bands)))
}
