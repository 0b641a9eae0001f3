package libvips

import "encoding/binary"

// Flags of the VP8X chunk (WebP container specification, "Extended file format").
const (
	flagXMP  = 0x04
	flagEXIF = 0x08
)

// withoutMetadata returns a WebP without its EXIF and XMP chunks, in the same memory. libvips 8.14 writes
// EXIF also where it is told to strip. What is no WebP of whole chunks comes back as it is.
func withoutMetadata(body []byte) []byte {
	const header = 12
	if len(body) < header {
		return body
	}
	end := header
	for i := header; i < len(body); {
		if i+8 > len(body) {
			return body
		}
		size := int(binary.LittleEndian.Uint32(body[i+4:]))
		next := i + 8 + size + size%2
		if size < 0 || next > len(body) {
			return body
		}
		switch string(body[i : i+4]) {
		case "EXIF", "XMP ":
		case "VP8X":
			body[i+8] &^= flagEXIF | flagXMP
			fallthrough
		default:
			end += copy(body[end:], body[i:next])
		}
		i = next
	}
	binary.LittleEndian.PutUint32(body[4:], uint32(end-8))
	return body[:end]
}
