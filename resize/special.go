package resize

import (
	"crypto/md5"  //nolint:gosec // a checksum that a URL names, no protection
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"strings"
)

// Extent is a size along both axes: px, or percent of the upright source. A side of 0 is the whole.
type Extent struct{ W, H Length }

// Anchor is a gravity of its own, beside that of Options.
type Anchor struct {
	Given          bool // false stands for what the field says
	Gravity        Gravity
	FocusX, FocusY float64 // 0–1, for GravityFocus
	X, Y           Length  // offsets inward
}

// Extend says what a picture that is smaller than its box is extended to, in bg.
type Extend uint8

// The ways to extend.
const (
	ExtendNone  Extend = iota
	ExtendBox          // the box, at the dpr that was reached
	ExtendRatio        // the box's ratio
)

// TrimColor is what trim cuts off; not Given = the color of the corner.
type TrimColor struct {
	Given bool
	Color Color // opaque
}

// TrimEqual says on which sides trim cuts no more than on the opposite one.
type TrimEqual uint8

// The sides that trim keeps equal.
const (
	TrimFree            TrimEqual = iota
	TrimEqualHorizontal           // left and right
	TrimEqualVertical             // top and bottom
	TrimEqualBoth
)

// FormatSet is a set of formats.
type FormatSet uint32

// Formats returns the set of the formats given.
func Formats(formats ...Format) FormatSet {
	var s FormatSet
	for _, f := range formats {
		s |= 1 << f
	}
	return s
}

// Has tells whether f is in the set.
func (s FormatSet) Has(f Format) bool { return s&(1<<f) != 0 }

// Qualities are qualities by format, 1–100; 0 = the format's default.
type Qualities struct{ JPEG, WebP, AVIF, JXL uint8 }

// Of returns the quality of that format; 0 if it has none.
func (q *Qualities) Of(f Format) int {
	if p := q.at(f); p != nil {
		return int(*p)
	}
	return 0
}

// Set sets the quality of a format; formats without quality are passed over.
func (q *Qualities) Set(f Format, quality int) {
	if p := q.at(f); p != nil {
		*p = uint8(min(max(quality, 0), 100))
	}
}

func (q *Qualities) at(f Format) *uint8 {
	switch f {
	case FormatJPEG:
		return &q.JPEG
	case FormatWebP:
		return &q.WebP
	case FormatAVIF:
		return &q.AVIF
	case FormatJXL:
		return &q.JXL
	default:
		return nil
	}
}

// Passes tells whether the options ask for the original of src as it is (_sp), once the probe is known.
// It is for whoever fetches; an engine never sees such a source.
func (o Options) Passes(src Source) bool {
	if !o.Untouched.Has(src.Format) {
		return false
	}
	return o.Format == src.Format || o.Format == FormatKeep || o.Format == FormatAuto
}

// CheckHashsum compares the original's bytes with the sum that the options demand (_hs), if they demand
// one. The error is an *Error with status 422 and code hashsum_mismatch.
func (o Options) CheckHashsum(original []byte) error {
	if o.Hashsum == "" {
		return nil
	}
	name, sum, _ := strings.Cut(o.Hashsum, ".")
	h := hashOf(name)
	if h == nil {
		return badValue("_hs", o.Hashsum, Allowed("_hs"))
	}
	_, _ = h.Write(original) // a hash never fails
	if hex.EncodeToString(h.Sum(nil)) != sum {
		return Unprocessable("hashsum_mismatch", "the original does not have the "+name+" sum that the URL names")
	}
	return nil
}

func hashOf(name string) hash.Hash {
	switch name {
	case "md5":
		return md5.New() //nolint:gosec // see the import
	case "sha1":
		return sha1.New() //nolint:gosec // see the import
	case "sha256":
		return sha256.New()
	case "sha512":
		return sha512.New()
	default:
		return nil
	}
}

// normalizeSpecial is the part of Normalize for what only a dialect can say.
func (o *Options) normalizeSpecial() {
	if o.CropSize = o.CropSize.normalize(); o.CropSize == (Extent{}) {
		o.CropAt, o.RatioGrows = Anchor{}, false
	} else {
		o.Crop = Region{}
	}
	if o.Ratio == (Ratio{}) {
		o.RatioGrows = false
	}
	o.CropAt = o.CropAt.normalize()
	if o.CropAt == (Anchor{Given: true}) {
		o.CropAt = Anchor{}
	}
	if o.ZoomY == 0 || o.ZoomY == orOne(o.Zoom) {
		o.ZoomY = 0
	}
	o.normalizeExtend()
	o.normalizeMeasure()
	if o.Trim == 0 {
		o.TrimColor, o.TrimEqual = TrimColor{}, TrimFree
	}
	if !o.TrimColor.Given {
		o.TrimColor = TrimColor{}
	}
	if o.Format != FormatAuto && o.Format != FormatKeep && o.Format != FormatBest {
		o.Kept = 0
	}
	o.normalizeQualities()
}

// normalizeExtend drops an extension that nothing can need, and says with FitPad what FitPad can say.
func (o *Options) normalizeExtend() {
	whole := o.Width > 0 && o.Height > 0
	switch {
	case o.Width == 0 && o.Height == 0, o.Fit == FitPad:
		o.Extend = ExtendNone
	case o.Extend == ExtendRatio && !whole:
		o.Extend = ExtendNone
	case o.Enlarge && whole && o.ZoomY == 0 && o.Fit != FitContain && o.Fit != FitAuto:
		o.Extend = ExtendNone // the box is filled
	case o.Fit == FitStretch && whole && !o.Measured:
		o.Extend = ExtendNone
	}
	plain := o.ZoomY == 0 && o.MaxSide == 0 && !o.Measured
	if o.Fit == FitContain && plain && o.Extend != ExtendNone && (o.Enlarge || o.DPR == 0 && o.Extend == ExtendBox) &&
		(o.Extend == ExtendBox || o.MinWidth == 0 && o.MinHeight == 0) {
		o.Fit, o.Extend = FitPad, ExtendNone
	}
	o.ExtendAt = o.ExtendAt.normalize()
	if o.Extend == ExtendNone && o.Fit != FitPad {
		o.ExtendAt = Anchor{}
	}
	if o.Fit == FitPad && o.ExtendAt.Given && o.MinWidth == 0 && o.MinHeight == 0 && (o.Ratio == (Ratio{}) || o.CropSize != (Extent{})) {
		// Nothing but the canvas asks for a gravity.
		a := o.ExtendAt
		o.Gravity, o.FocusX, o.FocusY, o.OffsetX, o.OffsetY = a.Gravity, a.FocusX, a.FocusY, a.X, a.Y
	}
	own := Anchor{Given: true, Gravity: o.Gravity, FocusX: o.FocusX, FocusY: o.FocusY, X: o.OffsetX, Y: o.OffsetY}
	if o.ExtendAt == own {
		o.ExtendAt = Anchor{}
	}
}

// normalizeMeasure drops _ms where it changes nothing or is implied.
func (o *Options) normalizeMeasure() {
	oneSided := o.Fit == FitStretch && (o.Width == 0) != (o.Height == 0)
	if !o.Measured || (o.DPR == 0 && !oneSided) || o.implied() {
		o.Measured = false
	}
}

// implied tells whether sides are computed as imgproxy does for the sake of another option.
func (o *Options) implied() bool { return o.ZoomY != 0 || o.Extend != ExtendNone || o.MaxSide != 0 }

func (o *Options) measured() bool { return o.Measured || o.implied() }

func (o *Options) normalizeQualities() {
	for _, f := range [...]Format{FormatJPEG, FormatWebP, FormatAVIF, FormatJXL} {
		if o.Qualities.Of(f) == f.Quality() {
			o.Qualities.Set(f, 0)
		}
	}
	if o.Quality == 0 && !o.QualityAuto && o.Format.fixed() && !(o.Lossless && o.Format.HasLossless()) {
		o.Quality = o.Qualities.Of(o.Format)
	}
	if o.Quality != 0 || o.QualityAuto || o.Format.fixed() {
		o.Qualities = Qualities{}
	}
}

func (e Extent) normalize() Extent {
	return Extent{W: e.W.normalize().whole(), H: e.H.normalize().whole()}
}

// whole drops a length of 100 percent, which is no crop.
func (l Length) whole() Length {
	if l.Percent && l.Value == 100 {
		return Length{}
	}
	return l
}

func (a Anchor) normalize() Anchor {
	if !a.Given {
		return Anchor{}
	}
	if a.Gravity != GravityFocus {
		a.FocusX, a.FocusY = 0, 0
	}
	if a.Gravity == GravityFocus || a.Gravity.picked() {
		a.X, a.Y = Length{}, Length{}
	}
	a.X, a.Y = a.X.normalize(), a.Y.normalize()
	return a
}
