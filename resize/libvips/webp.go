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
)

// webpSettings are those of saveWebP.
type webpSettings struct {
	width, height, bands int
	quality, effort      int
	lossless             bool
}

// saveWebP encodes 8-bit px with the metadata of carrier, a JPEG; an empty carrier means none. It exists
// as govips cannot ask for a WebP with a profile.
func saveWebP(pixels, carrier []byte, s webpSettings) ([]byte, error) {
	if len(pixels) == 0 || len(pixels) != s.width*s.height*s.bands {
		return nil, fmt.Errorf("%d bytes are not %d×%d px of %d bands", len(pixels), s.width, s.height, s.bands)
	}
	options := C.WebpOptions{
		width: C.int(s.width), height: C.int(s.height), bands: C.int(s.bands), quality: C.int(s.quality), effort: C.int(s.effort), lossless: flag(s.lossless),
	}
	var from unsafe.Pointer
	if len(carrier) > 0 {
		from = unsafe.Pointer(&carrier[0])
	}
	var out unsafe.Pointer
	var size C.size_t
	var message *C.char
	failed := C.imgedge_webp(unsafe.Pointer(&pixels[0]), C.size_t(len(pixels)), &options,
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
