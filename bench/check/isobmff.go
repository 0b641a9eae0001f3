package check

import (
	"encoding/binary"
	"errors"
)

var errNoSize = errors.New("no size")

// isobmffSize returns the largest image spatial extent (box ispe, ISO/IEC 23008-12 6.5.3) of an AVIF or
// HEIC file: that of the picture itself, as tiles and thumbnails are not larger.
func isobmffSize(data []byte) (width, height int, err error) {
	properties := inside(inside(inside(data, "meta", 4), "iprp", 0), "ipco", 0)
	for kind, body := range boxes(properties) {
		if kind != "ispe" || len(body) < 12 {
			continue
		}
		w, h := int(binary.BigEndian.Uint32(body[4:])), int(binary.BigEndian.Uint32(body[8:]))
		if w*h > width*height {
			width, height = w, h
		}
	}
	if width == 0 {
		return 0, 0, errNoSize
	}
	return width, height, nil
}

// inside returns the body of the first box of that kind, without its first skip bytes; nil if there is none.
func inside(data []byte, kind string, skip int) []byte {
	for k, body := range boxes(data) {
		if k == kind && len(body) >= skip {
			return body[skip:]
		}
	}
	return nil
}

// boxes yields kind and body of the boxes that data consists of, and ends where they make no sense.
func boxes(data []byte) func(yield func(string, []byte) bool) {
	return func(yield func(string, []byte) bool) {
		for len(data) >= 8 {
			head, size := uint64(8), uint64(binary.BigEndian.Uint32(data))
			switch {
			case size == 0: // to the end
				size = uint64(len(data))
			case size == 1 && len(data) >= 16:
				head, size = 16, binary.BigEndian.Uint64(data[8:])
			}
			if size < head || size > uint64(len(data)) {
				return
			}
			if !yield(string(data[4:8]), data[head:size]) {
				return
			}
			data = data[size:]
		}
	}
}
