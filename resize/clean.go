package resize

import (
	"encoding/binary"
	"hash/crc32"
)

// Clean returns a picture as it may be kept for good: the same px, without re-encoding, and without what
// the camera and the editor noted about place, device and people. What belongs to its looks stays: profile
// and gamma, animation, and the EXIF orientation, which is written anew alone. What follows the picture's
// end is cut off. orientation is that of the probe.
//
// JPEG, PNG, WebP, GIF and JXL lose their metadata; in AVIF and HEIC it is blanked where it lies, as
// everything else is found by its place in the file; an SVG is cleaned as CleanSVG does it. It reports
// false for every other format and where the file is not understood: then the picture has to be encoded
// anew.
func Clean(data []byte, f Format, orientation int) ([]byte, bool) {
	s := stripper{keepICC: true, looks: true, out: make([]byte, 0, len(data)+64)}
	turned := orientation > 1 && orientation <= 8
	switch f {
	case FormatJPEG:
		if !s.jpeg(data) {
			return nil, false
		}
		if turned {
			s.out = jpegOrientation(s.out, orientation)
		}
	case FormatPNG:
		if len(data) < 16 || string(data[8:16]) != "\x00\x00\x00\rIHDR" || !s.png(data) {
			return nil, false
		}
		if turned {
			s.out = pngOrientation(s.out, orientation)
		}
	case FormatWebP:
		if !s.webp(data) {
			return nil, false
		}
		if turned {
			s.out = webpOrientation(s.out, orientation)
		}
	case FormatGIF:
		if !s.gif(data) {
			return nil, false
		}
	case FormatAVIF, FormatHEIC:
		return blankBMFF(data)
	case FormatJXL:
		return cleanJXL(data)
	case FormatSVG:
		clean, err := CleanSVG(data)
		return clean, err == nil
	default:
		return nil, false
	}
	return s.out, true
}

// orientationEXIF is a TIFF structure (EXIF 2.32, 4.6) with the tag Orientation alone.
func orientationEXIF(orientation int) []byte {
	return []byte{
		'I', 'I', '*', 0, 8, 0, 0, 0, // the directory follows
		1, 0, // one entry
		0x12, 0x01, 3, 0, 1, 0, 0, 0, byte(orientation), 0, 0, 0, // one SHORT
		0, 0, 0, 0, // no further directory
	}
}

// jpegOrientation puts an APP1 behind the start, and behind JFIF's APP0, which has to be the first.
func jpegOrientation(data []byte, orientation int) []byte {
	at := 2
	if len(data) > 6 && data[2] == 0xFF && data[3] == 0xE0 {
		at += 2 + int(binary.BigEndian.Uint16(data[4:]))
	}
	body := append([]byte("Exif\x00\x00"), orientationEXIF(orientation)...)
	segment := append([]byte{0xFF, 0xE1, 0, byte(2 + len(body))}, body...)
	return insert(data, at, segment)
}

// pngOrientation puts an eXIf chunk behind the header.
func pngOrientation(data []byte, orientation int) []byte {
	const header = 8 + 12 + 13
	body := append([]byte("eXIf"), orientationEXIF(orientation)...)
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)-4)) //nolint:gosec // 26
	chunk = append(chunk, body...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(body))
	return insert(data, min(header, len(data)), chunk)
}

// webpOrientation appends an EXIF chunk, which only an extended file may have.
func webpOrientation(data []byte, orientation int) []byte {
	const flags, exif = 20, 0x08
	if len(data) <= flags || string(data[12:16]) != "VP8X" {
		return data
	}
	body := orientationEXIF(orientation)
	data = binary.LittleEndian.AppendUint32(append(data, "EXIF"...), uint32(len(body))) //nolint:gosec // 26
	data = append(data, body...)
	data[flags] |= exif
	binary.LittleEndian.PutUint32(data[4:], uint32(len(data)-8)) //nolint:gosec // as long as what was read
	return data
}

// insert puts piece into data at an index.
func insert(data []byte, at int, piece []byte) []byte {
	out := make([]byte, 0, len(data)+len(piece))
	return append(append(append(out, data[:at]...), piece...), data[at:]...)
}

// cleanJXL leaves out the boxes of metadata (ISO/IEC 18181-2); a bare codestream has none. The codestream is
// found by its box, not by its place.
func cleanJXL(data []byte) ([]byte, bool) {
	if len(data) < 12 || data[0] == 0xFF {
		return data, true
	}
	out := make([]byte, 0, len(data))
	pictured := false
	for at := 0; at < len(data); {
		b, ok := atomAt(data, at)
		if !ok {
			return out, pictured // what is behind the last box is cut off
		}
		switch b.kind {
		case "Exif", "xml ", "brob", "jumb":
		default:
			pictured = pictured || b.kind == "jxlc" || b.kind == "jxlp"
			out = append(out, data[at:b.end]...)
		}
		at = b.end
	}
	return out, pictured
}
