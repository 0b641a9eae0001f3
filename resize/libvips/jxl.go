package libvips

// #cgo pkg-config: vips
// #include <stdlib.h>
// #include "jxl.h"
// #include "message.h"
import "C"

import (
	"bytes"
	"encoding/binary"
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
	body := C.GoBytes(out, C.int(size))
	if carrier == nil || p.keepsNothing() {
		return body, nil
	}
	e, err := p.extra()
	return boxed(body, e), err
}

// boxed puts a codestream into a container with its metadata (ISO/IEC 18181-2), which libvips 8.14 leaves
// out.
func boxed(codestream []byte, e extra) []byte {
	if !bytes.HasPrefix(codestream, []byte{0xFF, 0x0A}) || len(e.exif)+len(e.xmp) == 0 {
		return codestream
	}
	out := []byte("\x00\x00\x00\x0cJXL \r\n\x87\n\x00\x00\x00\x14ftypjxl \x00\x00\x00\x00jxl ")
	box := func(kind string, parts ...[]byte) {
		size := 8
		for _, part := range parts {
			size += len(part)
		}
		out = append(binary.BigEndian.AppendUint32(out, uint32(size)), kind...) //nolint:gosec // far below 4 GiB
		for _, part := range parts {
			out = append(out, part...)
		}
	}
	if tiff := bytes.TrimPrefix(e.exif, []byte("Exif\x00\x00")); len(tiff) > 0 {
		box("Exif", make([]byte, 4), tiff) // the TIFF structure begins 0 bytes further
	}
	if len(e.xmp) > 0 {
		box("xml ", e.xmp)
	}
	box("jxlc", codestream)
	return out
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
