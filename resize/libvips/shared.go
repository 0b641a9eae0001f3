package libvips

// #cgo pkg-config: vips
// #include "halve.h"
// #include "message.h"
// #include "shared.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"image"
	"runtime"
	"time"
	"unsafe"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// shared is what the plans of a group are made from: px in memory, 8 bits a band, color premultiplied by
// alpha where there is any. They lie in one piece as libvips decodes them.
type shared struct {
	raster
	halvings       int
	interpretation vips.Interpretation
	profile        []byte // of the source; nil = none
	kept           kept   // metadata of the source
}

// renderGroup makes the pictures of a group from one decode and puts them where their plans stand.
func (e *Engine) renderGroup(ctx context.Context, data []byte, plans []resize.Plan, g resize.Group, results []resize.Result) error {
	start := time.Now()
	base, err := decodeShared(ctx, data, plans[g.Parts[0].Index], g)
	if err != nil {
		return broken(ctx, "render", err)
	}
	for _, part := range g.Parts {
		for base.halvings < part.Halvings {
			base.halve()
		}
		pic := &picture{plan: plans[part.Index], data: data, targets: e.targets, first: &decided{}}
		if results[part.Index], err = pic.result(ctx, start, func() error { return pic.fromShared(ctx, base, part.From) }); err != nil {
			return err
		}
		start = time.Now()
	}
	return nil
}

// decodeShared computes what the finest plan of a group needs.
func decodeShared(ctx context.Context, data []byte, lead resize.Plan, g resize.Group) (*shared, error) {
	pic := &picture{plan: lead, data: data}
	pic.plan.Metadata = resize.MetadataCopyright
	defer pic.close()
	if err := pic.load(); err != nil {
		return nil, err
	}
	pic.keepMetadata()
	s := &shared{kept: pic.kept, interpretation: pic.ref.Interpretation(), profile: pic.ref.GetICCProfile()}
	if err := pic.extract(g.Copied); err != nil {
		return nil, err
	}
	alpha := pic.ref.HasAlpha()
	if alpha {
		if err := pic.ref.PremultiplyAlpha(); err != nil {
			return nil, err
		}
	}
	if err := pic.ref.Cast(vips.BandFormatUchar); err != nil {
		return nil, err
	}
	pixels, err := pic.pixels(ctx)
	if err != nil {
		return nil, err
	}
	s.raster = raster{pixels, pic.ref.Width(), pic.ref.Height(), pic.ref.Bands(), alpha}
	if len(pixels) == 0 || len(pixels) != s.width*s.height*s.bands {
		return nil, fmt.Errorf("%d bytes are not %d×%d px of %d bands", len(pixels), s.width, s.height, s.bands)
	}
	return s, nil
}

// view lends the px to C until the pinner is unpinned.
func (s *shared) view(pin *runtime.Pinner) C.SharedPixels {
	pixels, _ := view(pin, s.pix)
	return C.SharedPixels{
		pixels: pixels, width: C.int(s.width), height: C.int(s.height), bands: C.int(s.bands),
		interpretation: C.int(s.interpretation), premultiplied: flag(s.alpha),
	}
}

// halve makes both sides half as long.
func (s *shared) halve() {
	w, h := max(1, s.width/2), max(1, s.height/2)
	out := make([]byte, w*h*s.bands)
	C.imgedge_halve(unsafe.Pointer(&s.pix[0]), C.int(s.width), C.int(s.height), C.int(s.bands), unsafe.Pointer(&out[0]))
	s.pix, s.width, s.height = out, w, h
	s.halvings++
}

// fromShared executes the picture's plan up to the encoder, from a part of the shared px.
func (p *picture) fromShared(ctx context.Context, s *shared, from image.Rectangle) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := p.take(s, from); err != nil {
		return err
	}
	if p.plan.Metadata != resize.MetadataNone {
		p.kept = s.kept
	}
	if err := p.compose(ctx); err != nil {
		return err
	}
	return p.materialize(ctx, smallBytes)
}

// take resamples a part of the shared px to the plan's size. libvips has no more memory than its lines.
func (p *picture) take(s *shared, from image.Rectangle) error {
	from = inside(from, image.Rect(0, 0, s.width, s.height))
	if from.Empty() {
		return errors.New("nothing is left of the shared picture")
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	in, to := s.view(&pin), p.plan.Scaled
	var message *C.char
	out := C.imgedge_take(&in, C.int(from.Min.X), C.int(from.Min.Y), C.int(from.Dx()), C.int(from.Dy()), C.int(to.X), C.int(to.Y), &message)
	if out == nil {
		defer C.imgedge_free(unsafe.Pointer(message))
		return errors.New(C.GoString(message))
	}
	defer C.imgedge_free(out)
	pixels := unsafe.Slice((*byte)(out), to.X*to.Y*s.bands)
	ref, err := vips.NewImageFromMemory(pixels, to.X, to.Y, s.bands, vips.BandFormatUchar, s.interpretation)
	if err != nil {
		return err
	}
	if len(s.profile) > 0 {
		ref.SetBlob(iccField, s.profile)
	}
	p.replace(ref)
	return nil
}
