package resize

import "encoding/binary"

// WebPLossless reports whether a WebP has a lossless picture or frame, which is decoded as a whole (VP8L;
// RFC 9649, section 2.6). It looks at the chunks of a still; in an animation they lie one deeper, and what
// is decoded is a whole canvas anyway. It stops at what it does not understand.
func WebPLossless(data []byte) bool {
	const header = 12
	for i := header; i+8 <= len(data); {
		if string(data[i:i+4]) == "VP8L" {
			return true
		}
		size := int64(binary.LittleEndian.Uint32(data[i+4:]))
		next := int64(i) + 8 + size + size%2
		if next > int64(len(data)) {
			return false
		}
		i = int(next)
	}
	return false
}
