package resize

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
)

// Strip returns a JPEG, PNG, WebP or GIF with the same px and without the metadata that the policy does
// not keep, without decoding it. With keepICC a profile stays; without it, a picture whose profile is
// not sRGB is not the same without it. What follows the picture's end is cut off.
//
// It reports false where the file is not understood, where more than leaving out would be needed (a
// copyright to be kept beside what is not), and where its colors would change.
func Strip(data []byte, f Format, meta Metadata, keepICC bool) ([]byte, bool) {
	s := stripper{pieces: pieces{whole: data}, meta: meta, keepICC: keepICC}
	ok := false
	switch f {
	case FormatJPEG:
		ok = s.jpeg(data)
	case FormatPNG:
		ok = s.png(data)
	case FormatWebP:
		ok = s.webp(data)
	case FormatGIF:
		ok = s.gif(data)
	default:
	}
	if !ok || s.found && meta == MetadataCopyright || s.profile != nil && !keepICC && !ICCIsSRGB(s.profile) {
		return nil, false
	}
	return s.join(), true
}

// stripper goes through a file and keeps some of its pieces.
type stripper struct {
	pieces
	meta    Metadata
	keepICC bool
	looks   bool   // everything stays that the picture's looks depend on, see Clean
	found   bool   // there is metadata
	profile []byte // there is a profile
}

// metadata keeps a piece of metadata if all of it is kept.
func (s *stripper) metadata(piece []byte) {
	s.found = true
	if s.meta == MetadataAll {
		s.keep(piece)
	}
}

// color keeps a piece that holds a part of the profile.
func (s *stripper) color(piece, profile []byte) {
	s.profile = append(s.profile, profile...)
	if s.keepICC {
		s.keep(piece)
	}
}

// jpeg walks the segments (ITU T.81, B.1.1).
func (s *stripper) jpeg(data []byte) bool {
	if len(data) < 4 || data[0] != 0xFF || data[1] != 0xD8 {
		return false
	}
	s.keep(data[:2])
	for i := 2; i+2 <= len(data); {
		marker := data[i+1]
		switch {
		case data[i] != 0xFF:
			return false
		case marker == 0xFF:
			i++
			continue
		case marker == 0xD9:
			s.keep(data[i : i+2])
			return true
		case marker < 0xC0 || marker >= 0xD0 && marker <= 0xD8 || i+4 > len(data):
			return false
		}
		end := i + 2 + int(binary.BigEndian.Uint16(data[i+2:]))
		if end < i+4 || end > len(data) {
			return false
		}
		s.jpegSegment(marker, data[i:end])
		if marker == 0xDA {
			next := nextMarker(data, end)
			s.keep(data[end:next])
			end = next
		}
		i = end
	}
	return false
}

// jpegSegment keeps what decoding needs: tables, frames, scans, JFIF's and Adobe's color (APP0, APP14).
func (s *stripper) jpegSegment(marker byte, segment []byte) {
	body := segment[4:]
	switch {
	case marker == 0xE2 && bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")) && len(body) >= 14:
		s.color(segment, body[14:])
	case marker == 0xE0 && bytes.HasPrefix(body, []byte("JFIF\x00")), marker == 0xEE && bytes.HasPrefix(body, []byte("Adobe")):
		s.keep(segment)
	case marker >= 0xE0 && marker <= 0xEF, marker == 0xFE:
		s.metadata(segment)
	default:
		s.keep(segment)
	}
}

// png walks the chunks (PNG, third edition, 5.3).
func (s *stripper) png(data []byte) bool {
	const signature = 8
	if len(data) < signature {
		return false
	}
	s.keep(data[:signature])
	odd, srgb := false, false
	for i := signature; i+12 <= len(data); {
		size := int64(binary.BigEndian.Uint32(data[i:]))
		if int64(i)+12+size > int64(len(data)) {
			return false
		}
		chunk := data[i : i+12+int(size)]
		switch kind := string(chunk[4:8]); kind {
		case "IEND":
			s.keep(chunk)
			return !odd || srgb || s.looks
		case "IHDR", "PLTE", "IDAT", "tRNS":
			s.keep(chunk)
		case "sRGB":
			srgb = true
			s.keep(chunk)
		case "gAMA", "cHRM", "cICP", "mDCV", "mDCv", "cLLI", "cLLi": // browsers heed them, the encoder drops them
			odd = true
			if s.looks {
				s.keep(chunk)
			}
		case "acTL", "fcTL", "fdAT": // moves in a browser, and not in what was encoded
			if !s.looks {
				return false
			}
			s.keep(chunk)
		case "iCCP":
			profile, ok := inflateProfile(chunk[8 : 8+size])
			if !ok && !s.looks {
				return false
			}
			s.color(chunk, profile)
		default:
			s.metadata(chunk)
		}
		i += len(chunk)
	}
	return false
}

// inflateProfile returns the profile of an iCCP chunk (PNG, third edition, 11.3.2.3).
func inflateProfile(body []byte) ([]byte, bool) {
	const most = 4 << 20
	name := bytes.IndexByte(body, 0)
	if name < 0 || name+2 > len(body) {
		return nil, false
	}
	r, err := zlib.NewReader(bytes.NewReader(body[name+2:]))
	if err != nil {
		return nil, false
	}
	profile, err := io.ReadAll(io.LimitReader(r, most))
	return profile, err == nil
}

// webp walks the chunks (WebP container specification).
func (s *stripper) webp(data []byte) bool {
	const header = 12
	if len(data) < header || string(data[:4]) != "RIFF" || string(data[8:12]) != "WEBP" {
		return false
	}
	end := int64(binary.LittleEndian.Uint32(data[4:])) + 8
	if end > int64(len(data)) || end < header {
		return false
	}
	data = data[:end]
	s.keep(data[:header])
	flags := -1 // where VP8X keeps them
	for i := header; i < len(data); {
		if i+8 > len(data) {
			return false
		}
		size := int64(binary.LittleEndian.Uint32(data[i+4:]))
		next := int64(i) + 8 + size + size%2
		if next > int64(len(data)) {
			return false
		}
		chunk := data[i:next]
		switch string(chunk[:4]) {
		case "VP8X":
			if size < 10 {
				return false
			}
			flags = s.size() + 8
			s.keep(chunk)
		case "VP8 ", "VP8L", "ALPH", "ANIM", "ANMF":
			s.keep(chunk)
		case "ICCP":
			s.color(chunk, chunk[8:8+size])
		default:
			s.metadata(chunk)
		}
		i = int(next)
	}
	if flags >= 0 {
		s.webpFlags(flags)
	}
	size := s.size()
	binary.LittleEndian.PutUint32(s.own(4, 4), uint32(size-8)) //nolint:gosec // no more than was read
	return size > header
}

// webpFlags clears the flags of what was left out.
func (s *stripper) webpFlags(at int) {
	const icc, exif, xmp = 0x20, 0x08, 0x04
	bits := s.own(at, 1)
	if s.meta != MetadataAll {
		bits[0] &^= exif | xmp
	}
	if !s.keepICC {
		bits[0] &^= icc
	}
}

// gif walks the blocks (GIF89a, 12 to 27).
func (s *stripper) gif(data []byte) bool {
	const header = 13
	if len(data) < header || string(data[:3]) != "GIF" {
		return false
	}
	i := header + gifTable(data[10])
	if i > len(data) {
		return false
	}
	s.keep(data[:i])
	for i < len(data) {
		start := i
		switch data[i] {
		case 0x3B: // trailer
			s.keep(data[i : i+1])
			return true
		case 0x21: // extension
			if i+2 > len(data) {
				return false
			}
			label := data[i+1]
			if i = gifBlocks(data, i+2); i < 0 {
				return false
			}
			s.gifExtension(label, data[start:i])
		case 0x2C: // image
			if i+10 > len(data) {
				return false
			}
			at := i + 10 + gifTable(data[i+9]) + 1
			if i = gifBlocks(data, at); i < 0 {
				return false
			}
			s.keep(data[start:i])
		default:
			return false
		}
	}
	return false
}

// gifExtension keeps what shows frames and their timing.
func (s *stripper) gifExtension(label byte, block []byte) {
	loop := label == 0xFF && len(block) > 14 && (string(block[3:14]) == "NETSCAPE2.0" || string(block[3:14]) == "ANIMEXTS1.0")
	if label == 0xF9 || loop {
		s.keep(block)
		return
	}
	s.metadata(block)
}

// gifTable returns the bytes of the color table that packed fields announce.
func gifTable(packed byte) int {
	if packed&0x80 == 0 {
		return 0
	}
	return 3 << (packed&7 + 1)
}

// gifBlocks returns where the sub-blocks that begin at i end; −1 if they do not.
func gifBlocks(data []byte, i int) int {
	for i < len(data) {
		size := int(data[i])
		i += 1 + size
		if size == 0 {
			return i
		}
	}
	return -1
}
