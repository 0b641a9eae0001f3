package sample

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// Meta is what a JPEG carries beside its pixels. The zero value carries nothing.
type Meta struct {
	Orientation int    // EXIF orientation 1–8; 0 = no tag. Other values are written as they are
	GPS         bool   // write a position (in the Atlantic, 48.5° N 12.25° W)
	Artist      string // EXIF; "" = no tag
	Copyright   string // EXIF; "" = no tag
	Make, Model string // EXIF camera; "" = no tag
	ICC         []byte // color profile; nil = none
	Quality     int    // of the encoder, 1–100; 0 = 90
}

// Types of EXIF values (TIFF 6.0, section 2).
const (
	typeASCII    = 2
	typeShort    = 3
	typeLong     = 4
	typeRational = 5
)

// entry is one field of an EXIF directory; value holds its bytes, little endian.
type entry struct {
	tag, kind uint16
	count     uint32
	value     []byte
}

func ascii(tag uint16, text string) entry {
	return entry{tag, typeASCII, uint32(len(text) + 1), append([]byte(text), 0)}
}

func short(tag uint16, v uint16) entry {
	return entry{tag, typeShort, 1, binary.LittleEndian.AppendUint16(nil, v)}
}

// degrees is an angle as degrees, minutes and seconds.
func degrees(tag uint16, deg, minutes, seconds uint32) entry {
	var b []byte
	for _, v := range [3]uint32{deg, minutes, seconds} {
		b = binary.LittleEndian.AppendUint32(b, v)
		b = binary.LittleEndian.AppendUint32(b, 1)
	}
	return entry{tag, typeRational, 3, b}
}

// exif returns the TIFF structure of m, little endian; nil if there is nothing to say.
func (m Meta) exif() []byte {
	var list []entry
	for _, t := range []struct {
		tag  uint16
		text string
	}{{0x010f, m.Make}, {0x0110, m.Model}, {0x013b, m.Artist}, {0x8298, m.Copyright}} {
		if t.text != "" {
			list = append(list, ascii(t.tag, t.text))
		}
	}
	if m.Orientation != 0 {
		list = append(list, short(0x0112, uint16(m.Orientation)))
	}
	if m.GPS {
		list = append(list, entry{0x8825, typeLong, 1, make([]byte, 4)})
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, func(a, b entry) int { return cmp.Compare(a.tag, b.tag) })
	const headerSize = 8
	if m.GPS {
		// The position's directory follows the first one, whose size does not depend on the pointer.
		at := uint32(headerSize + len(directory(list, headerSize)))
		list[len(list)-1].value = binary.LittleEndian.AppendUint32(nil, at)
	}
	b := append([]byte("II*\x00\x08\x00\x00\x00"), directory(list, headerSize)...)
	if m.GPS {
		b = append(b, directory(position(), uint32(len(b)))...)
	}
	return b
}

func position() []entry {
	return []entry{
		ascii(1, "N"), degrees(2, 48, 30, 0),
		ascii(3, "W"), degrees(4, 12, 15, 0),
	}
}

// directory lays out the fields of one directory that begins at the offset at; the last one has no successor.
func directory(list []entry, at uint32) []byte {
	const fieldSize = 12
	b := binary.LittleEndian.AppendUint16(nil, uint16(len(list)))
	var far []byte
	farAt := at + 2 + uint32(len(list))*fieldSize + 4
	for _, e := range list {
		b = binary.LittleEndian.AppendUint16(b, e.tag)
		b = binary.LittleEndian.AppendUint16(b, e.kind)
		b = binary.LittleEndian.AppendUint32(b, e.count)
		if len(e.value) <= 4 {
			b = append(b, append(slices.Clone(e.value), 0, 0, 0, 0)[:4]...)
			continue
		}
		b = binary.LittleEndian.AppendUint32(b, farAt+uint32(len(far)))
		far = append(far, e.value...)
		if len(far)%2 != 0 {
			far = append(far, 0)
		}
	}
	b = append(b, 0, 0, 0, 0)
	return append(b, far...)
}
