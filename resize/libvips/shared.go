package libvips

// #cgo pkg-config: vips
// #cgo LDFLAGS: -lm
// #include "message.h"
// #include "shared.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"image"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// shared is the scaled pictures of a group, made while the rows of one decode came by: px in C's memory, 8 bits
// a band, straight alpha.
type shared struct {
	pictures       []C.SharedPicture // as the group's parts
	bands          int
	interpretation vips.Interpretation
	profile        []byte // of the source; nil = none
	kept           kept   // metadata of the source
}

// renderGroup makes the pictures of a group from one decode and puts them where their plans stand.
func (e *Engine) renderGroup(ctx context.Context, data []byte, plans []resize.Plan, g resize.Group, results []resize.Result) error {
	start := time.Now()
	s, err := share(ctx, data, plans, g)
	if err != nil {
		return broken(ctx, "render", err)
	}
	defer s.close()
	for i, part := range g.Parts {
		pic := &picture{plan: plans[part.Index], data: data, targets: e.targets, first: &decided{}}
		if results[part.Index], err = pic.result(ctx, start, func() error { return pic.fromShared(ctx, s, i) }); err != nil {
			return err
		}
		start = time.Now()
	}
	return nil
}

// share decodes what the finest plan of a group needs, and scales it for all of them.
func share(ctx context.Context, data []byte, plans []resize.Plan, g resize.Group) (*shared, error) {
	pic := &picture{plan: plans[g.Parts[0].Index], data: data}
	pic.plan.Metadata = resize.MetadataCopyright
	defer pic.close()
	if err := pic.load(); err != nil { // the header alone
		return nil, err
	}
	pic.keepMetadata()
	s := &shared{kept: pic.kept, interpretation: pic.ref.Interpretation(), profile: pic.ref.GetICCProfile()}
	copied := inside(g.Copied, image.Rect(0, 0, pic.ref.Width(), pic.ref.Height()))
	for _, part := range g.Parts {
		p, err := window(part, copied.Size(), plans[part.Index].Scaled)
		if err != nil {
			return nil, err
		}
		s.pictures = append(s.pictures, p)
	}
	return s, s.scale(ctx, data, pic.plan, copied)
}

// window says what is resampled for a part. What is four times as large as it is to be is halved before, and has
// twice the size left at least: libvips takes means before its own Lanczos too.
func window(part resize.Part, size, to image.Point) (C.SharedPicture, error) {
	for range part.Halvings {
		size = half(size)
	}
	from := inside(part.From, image.Rectangle{Max: size})
	if from.Empty() {
		return C.SharedPicture{}, errors.New("nothing is left of the shared picture")
	}
	x, y, w, h := float64(from.Min.X), float64(from.Min.Y), float64(from.Dx()), float64(from.Dy())
	n := part.Halvings
	for ; w >= 4*float64(to.X) && h >= 4*float64(to.Y); n++ {
		x, y, w, h = x/2, y/2, w/2, h/2
	}
	return C.SharedPicture{
		halvings: C.int(n), left: C.double(x), top: C.double(y), width: C.double(w), height: C.double(h),
		to_width: C.int(to.X), to_height: C.int(to.Y),
	}, nil
}

func half(size image.Point) image.Point { return image.Pt(max(1, size.X/2), max(1, size.Y/2)) }

// scale decodes and makes all pictures. It stops between some rows when ctx ends.
func (s *shared) scale(ctx context.Context, data []byte, lead resize.Plan, copied image.Rectangle) error {
	loader, err := loaderOf(lead.Source.Format)
	if err != nil {
		return err
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	file, size := view(&pin, data)
	source := C.SharedSource{
		data: file, size: size, loader: loader, page: C.int(lead.Page), shrink: C.int(max(1, lead.Shrink)), scale: 1,
		left: C.int(copied.Min.X), top: C.int(copied.Min.Y), width: C.int(copied.Dx()), height: C.int(copied.Dy()),
	}
	if lead.Scale > 0 && lead.Scale < 1 {
		source.scale = C.double(lead.Scale)
	}
	var stop atomic.Int32
	end := context.AfterFunc(ctx, func() { stop.Store(1) })
	defer end()
	pin.Pin(&stop)
	var bands C.int
	var message *C.char
	if C.imgedge_share(&source, &s.pictures[0], C.uint(len(s.pictures)), (*C.int)(unsafe.Pointer(&stop)), &bands, &message) != 0 {
		defer C.imgedge_free(unsafe.Pointer(message))
		return errors.New(C.GoString(message))
	}
	s.bands = int(bands)
	return nil
}

// loaderOf names libvips' loader of a format.
func loaderOf(f resize.Format) (C.Loader, error) {
	switch f {
	case resize.FormatJPEG:
		return C.LOAD_JPEG, nil
	case resize.FormatPNG:
		return C.LOAD_PNG, nil
	case resize.FormatWebP:
		return C.LOAD_WEBP, nil
	case resize.FormatGIF:
		return C.LOAD_GIF, nil
	case resize.FormatTIFF:
		return C.LOAD_TIFF, nil
	case resize.FormatAVIF, resize.FormatHEIC:
		return C.LOAD_HEIF, nil
	case resize.FormatJXL:
		return C.LOAD_JXL, nil
	default:
		return 0, fmt.Errorf("%v cannot be shared", f)
	}
}

// close gives back the pictures that nobody took.
func (s *shared) close() {
	for i := range s.pictures {
		s.release(i)
	}
}

func (s *shared) release(i int) {
	C.imgedge_free(s.pictures[i].out)
	s.pictures[i].out = nil
}

// fromShared executes the picture's plan up to the encoder, from a scaled picture of the group.
func (p *picture) fromShared(ctx context.Context, s *shared, i int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := p.take(s, i); err != nil {
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

// take makes a scaled picture of the group the picture.
func (p *picture) take(s *shared, i int) error {
	defer s.release(i)
	to := p.plan.Scaled
	pixels := unsafe.Slice((*byte)(s.pictures[i].out), to.X*to.Y*s.bands)
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
