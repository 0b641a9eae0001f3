package libvips

// #cgo pkg-config: vips
// #include "message.h"
// #include "rotate.h"
import "C"

import (
	"context"
	"errors"
	"image"
	"math"
	"unsafe"

	"github.com/imgedge/imgedge/resize"
)

// rotate turns the picture by an angle that is no multiple of 90 degrees. What becomes empty is
// transparent, for background to fill.
func (p *picture) rotate(ctx context.Context) error {
	if p.plan.Angle == 0 {
		return nil
	}
	if err := p.ref.AddAlpha(); err != nil {
		return err
	}
	px, err := p.raster(ctx)
	if err != nil {
		return err
	}
	if px, err = px.rotate(p.plan.Angle, resize.Rotated(image.Pt(px.width, px.height), p.plan.Angle)); err != nil {
		return err
	}
	return p.use(px, p.ref.Interpretation())
}

// rotate returns the px turned clockwise by degrees, on a canvas of the given size around the same
// center. The px need alpha.
func (r *raster) rotate(degrees float64, to image.Point) (*raster, error) {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	out := C.imgedge_rotate(unsafe.Pointer(&r.pix[0]), C.int(r.width), C.int(r.height), C.int(r.bands),
		C.double(cos), C.double(sin), C.int(to.X), C.int(to.Y))
	if out == nil {
		return nil, withMessage(errors.New("rotate"))
	}
	defer C.imgedge_free(out)
	size := to.X * to.Y * r.bands
	return &raster{C.GoBytes(out, C.int(size)), to.X, to.Y, r.bands, r.alpha}, nil
}
