package libvips

// #cgo pkg-config: libheif
// #include <stdlib.h>
// #include "avif.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/davidbyttow/govips/v2/vips"
)

// slowest is the effort that libvips and we count from: effort 0 is libheif's speed 9.
const slowest = 9

// fullChroma is the quality from which color is not halved, as libvips decides for JPEG and AVIF.
const fullChroma = 90

// avif encodes from px, through libheif.
func (p *picture) avif() ([]byte, error) {
	if err := p.ref.ToColorSpace(vips.InterpretationSRGB); err != nil {
		return nil, err
	}
	extra, err := p.extra()
	if err != nil {
		return nil, err
	}
	pixels, err := p.ref.ToBytes()
	if err != nil {
		return nil, err
	}
	w, h, bands := p.ref.Width(), p.ref.Height(), p.ref.Bands()
	if len(pixels) == 0 || len(pixels) != w*h*bands || bands < 3 || bands > 4 {
		return nil, fmt.Errorf("%d bytes are not %d×%d px of %d bands", len(pixels), w, h, bands)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	o := C.AvifOptions{
		width: C.int(w), height: C.int(h), bands: C.int(bands), quality: C.int(p.plan.Quality),
		speed: C.int(slowest - p.plan.Effort), lossless: flag(p.plan.Lossless),
		full_chroma: flag(p.plan.Quality >= fullChroma),
	}
	o.icc, o.icc_size = view(&pin, extra.icc)
	o.exif, o.exif_size = view(&pin, extra.exif)
	o.xmp, o.xmp_size = view(&pin, extra.xmp)
	var out unsafe.Pointer
	var size C.size_t
	if failed := C.imgedge_avif(unsafe.Pointer(&pixels[0]), &o, &out, &size); failed != nil {
		return nil, errors.New("libheif: " + C.GoString(failed))
	}
	defer C.free(out)
	return C.GoBytes(out, C.int(size)), nil
}

// view lends bytes to C until the pinner is unpinned.
func view(pin *runtime.Pinner, b []byte) (unsafe.Pointer, C.size_t) {
	if len(b) == 0 {
		return nil, 0
	}
	pin.Pin(&b[0])
	return unsafe.Pointer(&b[0]), C.size_t(len(b))
}

// extra is metadata as a file holds it.
type extra struct{ icc, exif, xmp []byte }

// extra returns the result's metadata, read back from a JPEG that carries it.
func (p *picture) extra() (extra, error) {
	carrier, err := p.carrier()
	if err != nil || carrier == nil {
		return extra{}, err
	}
	ref, err := vips.LoadImageFromBuffer(carrier, nil)
	if err != nil {
		return extra{}, err
	}
	defer ref.Close()
	return extra{icc: ref.GetBlob(iccField), exif: ref.GetBlob(exifField), xmp: ref.GetBlob(xmpField)}, nil
}

func canAVIF() bool { return C.imgedge_can_avif() != 0 }
