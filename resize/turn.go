package resize

import (
	"image"
	"math"
)

// Turn is one of the eight ways to place a picture upright, in the order: rotate clockwise, then mirror.
// The zero value leaves it as it is.
type Turn struct {
	Angle int  // 0, 90, 180 or 270 degrees clockwise
	FlipH bool // mirrored left to right, after the rotation
}

// TurnOf returns the turn that makes a picture of the given EXIF orientation upright; anything
// outside 1–8 counts as 1 (EXIF 2.32, 4.6.4, tag 0x0112).
func TurnOf(orientation int) Turn {
	switch orientation {
	case 2:
		return Turn{0, true}
	case 3:
		return Turn{180, false}
	case 4:
		return Turn{180, true}
	case 5:
		return Turn{90, true}
	case 6:
		return Turn{90, false}
	case 7:
		return Turn{270, true}
	case 8:
		return Turn{270, false}
	default:
		return Turn{}
	}
}

// Then returns the one turn that does t first and u after it.
func (t Turn) Then(u Turn) Turn {
	angle := u.Angle
	if t.FlipH {
		angle = 360 - angle
	}
	return Turn{Angle: (t.Angle + angle) % 360, FlipH: t.FlipH != u.FlipH}
}

// Swaps reports whether width and height change places.
func (t Turn) Swaps() bool { return t.Angle == 90 || t.Angle == 270 }

// swap returns the size after the turn; it is its own inverse.
func (t Turn) swap(p image.Point) image.Point {
	if t.Swaps() {
		return image.Pt(p.Y, p.X)
	}
	return p
}

// Stored maps a rectangle of the turned picture back into the picture before the turn, whose size is
// given.
func (t Turn) Stored(r image.Rectangle, size image.Point) image.Rectangle {
	if t.FlipH {
		w := t.swap(size).X
		r.Min.X, r.Max.X = w-r.Max.X, w-r.Min.X
	}
	switch t.Angle {
	case 90:
		return image.Rect(r.Min.Y, size.Y-r.Max.X, r.Max.Y, size.Y-r.Min.X)
	case 180:
		return image.Rect(size.X-r.Max.X, size.Y-r.Max.Y, size.X-r.Min.X, size.Y-r.Min.Y)
	case 270:
		return image.Rect(size.X-r.Max.Y, r.Min.X, size.X-r.Min.Y, r.Max.X)
	default:
		return r
	}
}

// placement combines EXIF orientation, rot by multiples of 90 and flip, in this order.
func (o Options) placement(src Source) Turn {
	var t Turn
	if !o.NoOrient {
		t = TurnOf(src.Orientation)
	}
	if o.angle() == 0 {
		t = t.Then(Turn{Angle: int(o.Rotate) % 360})
	}
	if o.FlipH {
		t = t.Then(Turn{FlipH: true})
	}
	if o.FlipV {
		t = t.Then(Turn{Angle: 180, FlipH: true})
	}
	return t
}

// angle returns the rotation that is not a multiple of 90 degrees, or 0.
func (o Options) angle() float64 {
	if math.Mod(o.Rotate, 90) == 0 {
		return 0
	}
	return o.Rotate
}
