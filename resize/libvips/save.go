package libvips

// #cgo pkg-config: vips
// #include <stdlib.h>
// #include "save.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// settings are those of save.
type settings struct {
	width, height, bands int
	webp                 bool // else AVIF
	quality, effort      int
	lossless             bool
}

// save encodes px of 8-bit sRGB, with the metadata of carrier, a JPEG; an empty carrier means none. It
// exists for what govips cannot ask for: AVIF at effort 0, and WebP with a profile.
func save(pixels, carrier []byte, s settings) ([]byte, error) {
	if len(pixels) == 0 || len(pixels) != s.width*s.height*s.bands {
		return nil, fmt.Errorf("%d bytes are not %d×%d px of %d bands", len(pixels), s.width, s.height, s.bands)
	}
	options := C.SaveOptions{
		width: C.int(s.width), height: C.int(s.height), bands: C.int(s.bands), webp: flag(s.webp),
		quality: C.int(s.quality), effort: C.int(s.effort), lossless: flag(s.lossless),
	}
	var from unsafe.Pointer
	if len(carrier) > 0 {
		from = unsafe.Pointer(&carrier[0])
	}
	var out unsafe.Pointer
	var size C.size_t
	var message *C.char
	failed := C.imgedge_save(unsafe.Pointer(&pixels[0]), C.size_t(len(pixels)), &options,
		from, C.size_t(len(carrier)), &out, &size, &message)
	runtime.KeepAlive(pixels)
	runtime.KeepAlive(carrier)
	if failed != 0 {
		defer C.imgedge_free(unsafe.Pointer(message))
		return nil, errors.New(C.GoString(message))
	}
	defer C.imgedge_free(out)
	return C.GoBytes(out, C.int(size)), nil
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// hasOperation reports whether libvips knows an operation.
func hasOperation(name string) bool {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	return C.imgedge_has_saver(c) != 0
}
