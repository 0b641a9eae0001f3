package libvips

// #cgo pkg-config: vips
// #include "message.h"
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"
)

// withMessage adds what libvips says, which govips leaves out where px are computed. The text is of the
// whole process: beside a picture's own error it may hold another's. It is for the log.
func withMessage(err error) error {
	if err == nil {
		return nil
	}
	c := C.imgedge_message()
	defer C.imgedge_free(unsafe.Pointer(c))
	if said := strings.TrimSpace(C.GoString(c)); said != "" {
		return fmt.Errorf("%w: %w", err, errors.New(said))
	}
	return err
}
