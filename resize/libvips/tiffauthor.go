package libvips

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// withAuthor returns a TIFF of one page with Artist and Copyright (TIFF 6.0, section 8), in a directory that
// takes the place of the first one. What is no classic TIFF comes back as it is.
func withAuthor(tiff []byte, artist, copyright string) []byte {
	if artist == "" && copyright == "" || len(tiff) < 8 {
		return tiff
	}
	var order interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return tiff
	}
	const entry = 12
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return tiff
	}
	n := int64(order.Uint16(tiff[at:]))
	if at+2+entry*n+4 > int64(len(tiff)) {
		return tiff
	}
	var entries [][]byte
	for i := range n {
		entries = append(entries, tiff[at+2+entry*i:][:entry])
	}
	next := tiff[at+2+entry*n:][:4]
	out := slices.Clone(tiff)
	for _, text := range [...]struct {
		tag   uint16
		value string
	}{{0x013B, artist}, {0x8298, copyright}} {
		if text.value == "" {
			continue
		}
		e := order.AppendUint16(nil, text.tag)
		e = order.AppendUint16(e, 2)                         // ASCII
		e = order.AppendUint32(e, uint32(len(text.value)+1)) //nolint:gosec // at most 600
		value := append([]byte(text.value), 0, 0, 0, 0)      // short ones lie in the entry itself
		if len(text.value)+1 <= 4 {
			entries = append(entries, append(e, value[:4]...))
			continue
		}
		out = even(out)
		entries = append(entries, order.AppendUint32(e, uint32(len(out)))) //nolint:gosec // below 4 GiB, as it is no BigTIFF
		out = append(out, value[:len(text.value)+1]...)
	}
	slices.SortStableFunc(entries, func(a, b []byte) int { return cmp.Compare(order.Uint16(a), order.Uint16(b)) })
	out = even(out)
	order.PutUint32(out[4:], uint32(len(out)))          //nolint:gosec // as above
	out = order.AppendUint16(out, uint16(len(entries))) //nolint:gosec // two more than there were
	for _, e := range entries {
		out = append(out, e...)
	}
	return append(out, next...)
}

// even adds a byte where a directory may not begin.
func even(b []byte) []byte {
	if len(b)%2 == 1 {
		return append(b, 0)
	}
	return b
}
