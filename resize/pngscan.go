package resize

import "encoding/binary"

// PNGInterlaced reports whether a PNG is stored in Adam7 order, which has to be decoded as a whole
// (PNG, third edition, 11.2.1).
func PNGInterlaced(data []byte) bool { return len(data) > 28 && data[28] == 1 }

// PNGWhole reports whether the chunks of a PNG, up to and including its picture, lie inside data (PNG,
// third edition, 5.3). A chunk that claims a gigabyte costs libpng seconds before it finds the end.
func PNGWhole(data []byte) bool {
	pictured := false
	for i := 8; i < len(data); {
		if i+8 > len(data) {
			return pictured
		}
		kind := string(data[i+4 : i+8])
		if kind == "IEND" {
			return true
		}
		if pictured && kind != "IDAT" {
			return true
		}
		pictured = kind == "IDAT"
		length := int64(binary.BigEndian.Uint32(data[i:]))
		if int64(i)+12+length > int64(len(data)) {
			return false
		}
		i += int(12 + length)
	}
	return pictured
}
