package resize

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
)

// exifName is a tag that f=json shows.
type exifName struct {
	tag  uint16
	sub  bool // in the Exif directory, else in the first one
	name string
}

// exifNames are the tags that f=json shows, in its order: what photographers ask for, never the position,
// serial numbers or names of people other than the author.
func exifNames() []exifName {
	return []exifName{
		{0x010F, false, "Make"},
		{0x0110, false, "Model"},
		{0x0131, false, "Software"},
		{0x013B, false, "Artist"},
		{0x8298, false, "Copyright"},
		{0x010E, false, "ImageDescription"},
		{0x0132, false, "DateTime"},
		{0x9003, true, "DateTimeOriginal"},
		{0x9011, true, "OffsetTimeOriginal"},
		{0x829A, true, "ExposureTime"},
		{0x829D, true, "FNumber"},
		{0x8827, true, "ISOSpeedRatings"},
		{0x920A, true, "FocalLength"},
		{0xA405, true, "FocalLengthIn35mmFilm"},
		{0x9204, true, "ExposureBiasValue"},
		{0x9207, true, "MeteringMode"},
		{0x9209, true, "Flash"},
		{0xA403, true, "WhiteBalance"},
		{0xA434, true, "LensModel"},
	}
}

// ReadEXIF returns the plain values of the tags that f=json shows, from an EXIF block with or without its
// "Exif" header. Texts are UTF-8 of at most 256 bytes; numbers are as short as they can be: 1/60, 4.5, 200.
// What is broken is left out.
func ReadEXIF(block []byte) []Tag {
	r, ok := newExif(block)
	if !ok {
		return nil
	}
	first := r.directory(int(r.order.Uint32(r.data[4:])))
	var sub map[uint16]exifEntry
	if e, ok := first[0x8769]; ok && e.kind == 4 {
		sub = r.directory(int(r.order.Uint32(e.data)))
	}
	var tags []Tag
	for _, n := range exifNames() {
		from := first
		if n.sub {
			from = sub
		}
		if e, ok := from[n.tag]; ok {
			if value := r.text(n, e); value != "" {
				tags = append(tags, Tag{Name: n.name, Value: value})
			}
		}
	}
	return tags
}

// exif reads the TIFF structure of EXIF 2.32, 4.6.
type exif struct {
	data  []byte
	order binary.ByteOrder
}

// exifEntry is a value: its type and its bytes, all of them there.
type exifEntry struct {
	kind  uint16
	count int
	data  []byte
}

func newExif(block []byte) (exif, bool) {
	data := bytes.TrimPrefix(block, []byte("Exif\x00\x00"))
	if len(data) < 8 {
		return exif{}, false
	}
	switch string(data[:4]) {
	case "II*\x00":
		return exif{data, binary.LittleEndian}, true
	case "MM\x00*":
		return exif{data, binary.BigEndian}, true
	default:
		return exif{}, false
	}
}

// directory returns the entries at an offset, the first of each tag. Every byte is looked at once.
func (r exif) directory(at int) map[uint16]exifEntry {
	if at < 0 || at+2 > len(r.data) {
		return nil
	}
	n := int(r.order.Uint16(r.data[at:]))
	all := make(map[uint16]exifEntry, min(n, 64))
	for i := range n {
		p := at + 2 + 12*i
		if p+12 > len(r.data) {
			break
		}
		tag, kind := r.order.Uint16(r.data[p:]), r.order.Uint16(r.data[p+2:])
		count := int64(r.order.Uint32(r.data[p+4:]))
		size := count * kindSize(kind)
		from := int64(p + 8)
		if size > 4 {
			from = int64(r.order.Uint32(r.data[p+8:]))
		}
		if size <= 0 || from+size > int64(len(r.data)) {
			continue
		}
		if _, twice := all[tag]; !twice {
			all[tag] = exifEntry{kind, int(count), r.data[from : from+size]}
		}
	}
	return all
}

func kindSize(kind uint16) int64 {
	switch kind {
	case 1, 2, 6, 7:
		return 1
	case 3, 8:
		return 2
	case 4, 9:
		return 4
	case 5, 10:
		return 8
	default:
		return 0
	}
}

// text returns the first value of an entry.
func (r exif) text(n exifName, e exifEntry) string {
	switch e.kind {
	case 2:
		return plain(n, e.data)
	case 3:
		return strconv.Itoa(int(r.order.Uint16(e.data)))
	case 4:
		return strconv.FormatUint(uint64(r.order.Uint32(e.data)), 10)
	case 5:
		return fraction(n, int64(r.order.Uint32(e.data)), int64(r.order.Uint32(e.data[4:])))
	case 10:
		return fraction(n, int64(int32(r.order.Uint32(e.data))), int64(int32(r.order.Uint32(e.data[4:])))) //nolint:gosec // two's complement is meant
	default:
		return ""
	}
}

// plain returns a text up to its end. A copyright is that of the photographer and, behind a zero, that of
// the editor.
func plain(n exifName, data []byte) string {
	const most = 256
	texts := strings.Split(string(data), "\x00")
	value := strings.TrimSpace(texts[0])
	if n.name == "Copyright" && len(texts) > 1 {
		if editor := strings.TrimSpace(texts[1]); value == "" {
			value = editor
		} else if editor != "" {
			value += ", " + editor
		}
	}
	return strings.ToValidUTF8(value[:min(len(value), most)], "")
}

// fraction reduces a rational: times below a second stay fractions, all else is decimal with at most three
// digits behind the point.
func fraction(n exifName, num, den int64) string {
	if den == 0 {
		return ""
	}
	if num%den == 0 {
		return strconv.FormatInt(num/den, 10)
	}
	if n.name == "ExposureTime" && 0 < num && num < den {
		g := gcd(num, den)
		return strconv.FormatInt(num/g, 10) + "/" + strconv.FormatInt(den/g, 10)
	}
	s := strconv.FormatFloat(float64(num)/float64(den), 'f', 3, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
