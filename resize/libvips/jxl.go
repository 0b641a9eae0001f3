package libvips

// #cgo pkg-config: vips
// #include <stdlib.h>
// #include "jxl.h"
// #include "message.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/imgedge/imgedge/resize"
)

// jxl encodes from px through C of our own: govips has neither its metadata nor its quality.
func (p *picture) jxl() ([]byte, error) {
	carrier, err := p.carrier()
	if err != nil {
		return nil, err
	}
	pixels, err := p.ref.ToBytes()
	if err != nil {
		return nil, withMessage(err)
	}
	w, h, bands := p.ref.Width(), p.ref.Height(), p.ref.Bands()
	if len(pixels) == 0 || len(pixels) != w*h*bands {
		return nil, fmt.Errorf("%d bytes are not %d×%d px of %d bands", len(pixels), w, h, bands)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	o := C.JxlOptions{
		width: C.int(w), height: C.int(h), bands: C.int(bands),
		distance: C.double(jxlDistance(p.plan.Quality)), effort: C.int(p.plan.Effort), lossless: flag(p.plan.Lossless),
	}
	from, fromSize := view(&pin, carrier)
	var out unsafe.Pointer
	var size C.size_t
	var message *C.char
	if C.imgedge_jxl(unsafe.Pointer(&pixels[0]), C.size_t(len(pixels)), &o, from, fromSize, &out, &size, &message) != 0 {
		defer C.imgedge_free(unsafe.Pointer(message))
		return nil, errors.New(C.GoString(message))
	}
	defer C.imgedge_free(out)
	return C.GoBytes(out, C.int(size)), nil
}

// jxlDistance is libjxl's own map of a JPEG's quality to a distance, kept where libvips takes it.
func jxlDistance(quality int) float64 {
	q := float64(quality)
	if quality >= 30 {
		return max(0.01, min(15, 0.1+(100-q)*0.09))
	}
	return min(15, 53.0/3000*q*q-23.0/20*q+25)
}

// unblock opens libvips' second wall for what is written, and for the sources that were opted into.
// It is of the whole process.
func unblock(formats []resize.Format) {
	names := []string{"VipsForeignSaveJxlBuffer"} // untrusted only because its loader is
	for _, f := range formats {
		switch f {
		case resize.FormatJXL:
			names = append(names, "VipsForeignLoadJxlBuffer")
		case resize.FormatSVG:
			names = append(names, "VipsForeignLoadSvgBuffer")
		default:
		}
	}
	for _, name := range names {
		c := C.CString(name)
		C.imgedge_unblock(c)
		C.free(unsafe.Pointer(c))
	}
}
