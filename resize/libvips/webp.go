package libvips

// #cgo pkg-config: vips
// #include <stdlib.h>
// #include "message.h"
// #include "webp.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/davidbyttow/govips/v2/vips"
)

// webp encodes from px through C of our own: govips can put no profile into a WebP.
func (p *picture) webp() ([]byte, error) {
	carrier, err := p.carrier()
	if err != nil {
		return nil, err
	}
	pixels, w, h, err := p.packed()
	if err != nil {
		return nil, err
	}
	bands := len(pixels) / (w * h)
	if len(pixels) == 0 || len(pixels) != w*h*bands || p.plan.Frames > 1 && len(p.delays) != p.plan.Frames {
		return nil, fmt.Errorf("%d bytes are not %d×%d px of %d bands in %d frames", len(pixels), w, h, bands, len(p.delays))
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	o := C.WebpOptions{
		width: C.int(w), height: C.int(h), bands: C.int(bands),
		quality: C.int(p.plan.Quality), effort: C.int(p.plan.Effort), lossless: flag(p.plan.Lossless),
		frames: C.int(p.plan.Frames), loop: C.int(p.loop),
	}
	if p.plan.Frames > 1 {
		delays := make([]C.int, len(p.delays))
		for i, d := range p.delays {
			delays[i] = C.int(d)
		}
		pin.Pin(&delays[0])
		o.delays = &delays[0]
	}
	from, fromSize := view(&pin, carrier)
	var out unsafe.Pointer
	var size C.size_t
	var message *C.char
	if C.imgedge_webp(unsafe.Pointer(&pixels[0]), C.size_t(len(pixels)), &o, from, fromSize, &out, &size, &message) != 0 {
		defer C.imgedge_free(unsafe.Pointer(message))
		return nil, errors.New(C.GoString(message))
	}
	defer C.imgedge_free(out)
	body := C.GoBytes(out, C.int(size))
	if p.keepsNothing() {
		body = withoutMetadata(body)
	}
	return body, nil
}

// packed returns the px in sRGB, 8 bits a band, and their size.
func (p *picture) packed() (pixels []byte, width, height int, err error) {
	if p.strip != nil {
		return p.strip, p.plan.Width, p.plan.Height * p.plan.Frames, nil
	}
	if err := p.ref.ToColorSpace(vips.InterpretationSRGB); err != nil {
		return nil, 0, 0, err
	}
	if pixels, err = p.ref.ToBytes(); err != nil {
		return nil, 0, 0, withMessage(err)
	}
	return pixels, p.ref.Width(), p.ref.Height(), nil
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
