package resize

// GIFWhole reports whether a GIF ends where one of its blocks ends: nothing of a picture is missing. The
// trailer may be, as encoders forget it (GIF89a, appendix B). It reads block lengths alone.
func GIFWhole(data []byte) bool {
	const screen = 13 // header and logical screen descriptor
	if len(data) < screen {
		return false
	}
	i := screen + colorTable(data[10])
	for i < len(data) {
		switch data[i] {
		case 0x3B: // trailer
			return true
		case 0x21: // extension: label, sub-blocks
			i += 2
		case 0x2C: // image: descriptor, table, code size, sub-blocks
			if i+10 > len(data) {
				return false
			}
			i += 11 + colorTable(data[i+9])
		default: // decoders stop here with what they have
			return true
		}
		var ended bool
		if i, ended = skipBlocks(data, i); !ended {
			return false
		}
	}
	return i == len(data)
}

// skipBlocks returns where the sub-blocks at i end, and whether they do.
func skipBlocks(data []byte, i int) (int, bool) {
	for i < len(data) {
		n := int(data[i])
		i += 1 + n
		if n == 0 {
			return i, true
		}
	}
	return i, false
}

// colorTable returns the bytes of the table that a packed field announces.
func colorTable(packed byte) int {
	if packed&0x80 == 0 {
		return 0
	}
	return 3 << (packed&7 + 1)
}
