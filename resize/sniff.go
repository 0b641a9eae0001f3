package resize

import (
	"bytes"
	"encoding/binary"
)

// Sniff returns the format that data begins as, by magic number alone; FormatAuto if none of ours, or if
// data is too short to tell. What it names is not yet a sound picture. A gzip stream is looked into: it
// is an SVG or nothing.
func Sniff(data []byte) Format {
	for _, m := range magics {
		if len(data) >= m.length && bytes.HasPrefix(data, []byte(m.prefix)) && (m.more == nil || m.more(data)) {
			return m.format
		}
	}
	if f := sniffBMFF(data); f != FormatAuto {
		return f
	}
	if sniffSVG(data) {
		return FormatSVG
	}
	return FormatAuto
}

// magics are the magic numbers at the start of a file; length is the shortest header.
var magics = [...]struct {
	prefix string
	length int
	format Format
	more   func(data []byte) bool // nil = nothing more to check
}{
	{"\xff\xd8\xff", 3, FormatJPEG, nil},
	{"\x89PNG\r\n\x1a\n", 8, FormatPNG, nil},
	{"GIF87a", 6, FormatGIF, nil},
	{"GIF89a", 6, FormatGIF, nil},
	{"RIFF", 12, FormatWebP, isWebP},
	{"II*\x00", 8, FormatTIFF, nil},
	{"MM\x00*", 8, FormatTIFF, nil},
	{"II+\x00\x08\x00\x00\x00", 16, FormatTIFF, nil}, // BigTIFF
	{"MM\x00+\x00\x08\x00\x00", 16, FormatTIFF, nil},
	{"\xff\x0a", 2, FormatJXL, nil},
	{"\x00\x00\x00\x0cJXL \r\n\x87\n", 12, FormatJXL, nil},
	{"BM", 26, FormatBMP, isBMP},
	{"\x00\x00\x01\x00", 22, FormatICO, isICO},
	{"%PDF-", 5, FormatPDF, nil},
}

func isWebP(data []byte) bool { return string(data[8:12]) == "WEBP" }

// isBMP checks the size of the header that follows the file header (OS/2 and Windows versions).
func isBMP(data []byte) bool {
	switch binary.LittleEndian.Uint32(data[14:]) {
	case 12, 16, 40, 52, 56, 64, 108, 124:
		return true
	default:
		return false
	}
}

func isICO(data []byte) bool { return binary.LittleEndian.Uint16(data[4:]) > 0 && data[9] == 0 }

// sniffBMFF reads the brands of an ISO base media file (ISO/IEC 14496-12, 4.3): the major brand
// decides, and where that is only structural, the compatible ones.
func sniffBMFF(data []byte) Format {
	if len(data) < 16 || string(data[4:8]) != "ftyp" {
		return FormatAuto
	}
	size := int64(binary.BigEndian.Uint32(data))
	if size < 16 || size > 2048 || size%4 != 0 {
		return FormatAuto
	}
	major := string(data[8:12])
	if f := brand(major); f != FormatAuto {
		return f
	}
	if major != "mif1" && major != "msf1" && major != "miaf" {
		return FormatAuto
	}
	found := FormatAuto
	for at := 16; at+4 <= min(int(size), len(data)); at += 4 {
		switch brand(string(data[at : at+4])) {
		case FormatAVIF:
			return FormatAVIF
		case FormatHEIC:
			found = FormatHEIC
		default:
		}
	}
	return found
}

func brand(name string) Format {
	switch name {
	case "avif", "avis":
		return FormatAVIF
	case "heic", "heix", "hevc", "hevx", "heim", "heis", "hevm", "hevs":
		return FormatHEIC
	default:
		return FormatAuto
	}
}

// sniffSVG tells whether data is markup, compressed or not, whose first kilobytes open an svg element.
func sniffSVG(data []byte) bool {
	const window = 4096
	if bytes.HasPrefix(data, []byte(gzipMagic)) {
		data, _ = plainSVG(data, window) // what could be read before an error tells enough
	}
	data = bytes.TrimPrefix(data[:min(len(data), window)], []byte("\xef\xbb\xbf"))
	data = bytes.TrimLeft(data, " \t\r\n")
	return bytes.HasPrefix(data, []byte("<")) && bytes.Contains(data, []byte("<svg"))
}
