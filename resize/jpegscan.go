package resize

import (
	"bytes"
	"encoding/binary"
)

// MaxScans is how many scans a JPEG may have. A legal encoder makes about ten; each one costs a pass
// over all coefficients, so a small file with thousands of empty ones takes seconds of CPU
// (libjpeg-turbo LJT-01-004; its own fuzzers stop at 500).
const MaxScans = 100

// JPEGScans counts the scans (SOS markers) of a JPEG and reports whether decoding has to hold all
// coefficients: progressive, or sequential in more than one scan. It reads no entropy-coded data and
// stops at what it does not understand.
func JPEGScans(data []byte) (scans int, buffered bool) {
	i := 2 // SOI
	for i+4 <= len(data) {
		if data[i] != 0xFF {
			i = nextMarker(data, i)
			continue
		}
		marker := data[i+1]
		switch {
		case marker == 0xFF: // fill byte, ITU T.81 B.1.1.2
			i++
			continue
		case marker == 0xD9: // EOI
			return scans, buffered || scans > 1
		case marker == 0x00 || marker == 0x01 || marker >= 0xD0 && marker <= 0xD8: // no length
			i += 2
			continue
		case marker == 0xC2 || marker == 0xC6 || marker == 0xCA || marker == 0xCE: // progressive SOF
			buffered = true
		case marker == 0xDA:
			scans++
		}
		i += 2 + int(binary.BigEndian.Uint16(data[i+2:]))
		if marker == 0xDA {
			i = nextMarker(data, i)
		}
	}
	return scans, buffered || scans > 1
}

// JPEGOneScan reports whether libjpeg decodes one scan of data, whatever follows it: the file is sequential,
// and its first scan has all components, after which another one is an error (jdinput.c, has_multiple_scans).
// It reads what comes before that scan alone. What libjpeg would refuse there may be either.
func JPEGOneScan(data []byte) bool {
	components := -1
	for i := 2; i+4 <= len(data); { // after SOI
		marker := data[i+1]
		switch {
		case data[i] != 0xFF:
			i = nextMarker(data, i)
			continue
		case marker == 0xFF:
			i++
			continue
		case marker <= 0x01 || marker >= 0xD0 && marker <= 0xD9: // no length
			i += 2
			continue
		case marker == 0xC0 || marker == 0xC1 || marker == 0xC9: // sequential SOF
			if components >= 0 || i+9 >= len(data) {
				return false
			}
			components = int(data[i+9])
		case marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xCC: // any other SOF; neither DHT nor DAC
			return false
		case marker == 0xDA:
			return i+4 < len(data) && components > 0 && int(data[i+4]) == components
		}
		i += 2 + int(binary.BigEndian.Uint16(data[i+2:]))
	}
	return false
}

// nextMarker returns where the next marker stands at or after i, past stuffed bytes and restart
// markers, or len(data).
func nextMarker(data []byte, i int) int {
	for i < len(data) {
		n := bytes.IndexByte(data[i:], 0xFF)
		if n < 0 || i+n+1 >= len(data) {
			return len(data)
		}
		i += n
		if m := data[i+1]; m != 0x00 && (m < 0xD0 || m > 0xD7) && m != 0xFF {
			return i
		}
		i++
	}
	return len(data)
}

// JPEGWhole reports whether an end of image follows the first scan. Its two bytes cannot occur inside
// entropy-coded data (ITU T.81, B.1.1.5), so a file that was cut off has none; one that is damaged in
// between still has.
func JPEGWhole(data []byte) bool {
	return bytes.LastIndex(data, []byte{0xFF, 0xD9}) > firstScan(data)
}

// firstScan returns where the first SOS stands, past thumbnails in other segments, or the end.
func firstScan(data []byte) int {
	for i := 2; i+4 <= len(data); {
		if data[i] != 0xFF {
			i = nextMarker(data, i)
			continue
		}
		switch marker := data[i+1]; {
		case marker == 0xFF:
			i++
		case marker == 0xDA:
			return i
		case marker <= 0x01 || marker >= 0xD0 && marker <= 0xD9:
			i += 2
		default:
			i += 2 + int(binary.BigEndian.Uint16(data[i+2:]))
		}
	}
	return len(data)
}
