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
	list, ok := CleanPieces(data, f, orientation)
	if !ok {
		return nil, false
	}
	clean := pieces{whole: data, list: list}
	return clean.join(), true
}

// CleanPieces is Clean without a copy: it says which bytes of data the cleaned picture is made of, in their
// order, and what is put between them. AVIF, HEIC and SVG, which are changed all over, are one new piece.
func CleanPieces(data []byte, f Format, orientation int) ([]Piece, bool) {
	s := stripper{pieces: pieces{whole: data}, keepICC: true, looks: true}
	switch f {
	case FormatAVIF, FormatHEIC:
		clean, ok := blankBMFF(data)
		return []Piece{{New: clean}}, ok
	case FormatSVG:
		clean, err := CleanSVG(data)
		return []Piece{{New: clean}}, err == nil
	default:
	}
	if !s.clean(data, f) {
		return nil, false
	}
	if orientation > 1 && orientation <= 8 {
		s.orient(f, orientation)
	}
	return s.list, true
}

// clean keeps the pieces of a picture that Clean keeps.
func (s *stripper) clean(data []byte, f Format) bool {
	switch f {
	case FormatJPEG:
		return s.jpeg(data)
	case FormatPNG:
		return len(data) >= 16 && string(data[8:16]) == "\x00\x00\x00\rIHDR" && s.png(data)
	case FormatWebP:
		return s.webp(data)
	case FormatGIF:
		return s.gif(data)
	case FormatJXL:
		return s.jxl(data)
	default:
		return false
	}
}

// orient writes the EXIF orientation anew where the format has one.
func (s *stripper) orient(f Format, orientation int) {
	switch f {
	case FormatJPEG:
		s.jpegOrientation(orientation)
	case FormatPNG:
		s.pngOrientation(orientation)
	case FormatWebP:
		s.webpOrientation(orientation)
	default:
	}
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
func (s *stripper) jpegOrientation(orientation int) {
	at := 2
	if head := s.own(0, 6); len(head) == 6 && head[2] == 0xFF && head[3] == 0xE0 {
		at += 2 + int(binary.BigEndian.Uint16(head[4:]))
	}
	body := append([]byte("Exif\x00\x00"), orientationEXIF(orientation)...)
	s.insert(at, append([]byte{0xFF, 0xE1, 0, byte(2 + len(body))}, body...))
}

// pngOrientation puts an eXIf chunk behind the header.
func (s *stripper) pngOrientation(orientation int) {
	const header = 8 + 12 + 13
	body := append([]byte("eXIf"), orientationEXIF(orientation)...)
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)-4)) //nolint:gosec // 26
	chunk = append(chunk, body...)
	s.insert(header, binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(body)))
}

// webpOrientation appends an EXIF chunk, which only an extended file may have.
func (s *stripper) webpOrientation(orientation int) {
	const flags, exif = 20, 0x08
	head := s.own(0, flags+1)
	if len(head) <= flags || string(head[12:16]) != "VP8X" {
		return
	}
	body := orientationEXIF(orientation)
	chunk := binary.LittleEndian.AppendUint32([]byte("EXIF"), uint32(len(body))) //nolint:gosec // 26
	s.insert(s.size(), append(chunk, body...))
	head[flags] |= exif
	binary.LittleEndian.PutUint32(head[4:], uint32(s.size()-8)) //nolint:gosec // as long as what was read
}

// jxl keeps the boxes that a decoder needs (ISO/IEC 18181-2). Others hold metadata, or as jbrd, by which a JPEG is had
// back byte for byte, copies of it; a bare codestream has none. The codestream is found by
// its box, not by its place.
func (s *stripper) jxl(data []byte) bool {
	if len(data) < 12 || data[0] == 0xFF {
		s.keep(data)
		return true
	}
	pictured := false
	for at := 0; at < len(data); {
		b, ok := atomAt(data, at)
		if !ok {
			return pictured // what is behind the last box is cut off
		}
		switch b.kind {
		case "jxlc", "jxlp":
			pictured = true
			s.keep(data[at:b.end])
		case "JXL ", "ftyp", "jxll", "jxli":
			s.keep(data[at:b.end])
		}
		at = b.end
	}
	return pictured
}
