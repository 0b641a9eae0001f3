package resize

import (
	"bytes"
	"encoding/binary"
)

// atom is one box of an ISO base media file (ISO/IEC 14496-12, 4.2).
type atom struct {
	kind             string
	start, body, end int // in the file
}

// atomAt reads the header of the box at an index; false if it is none, or ends behind the data.
func atomAt(data []byte, at int) (atom, bool) {
	if at < 0 || at+8 > len(data) {
		return atom{}, false
	}
	b := atom{kind: string(data[at+4 : at+8]), start: at, body: at + 8}
	size := uint64(binary.BigEndian.Uint32(data[at:]))
	switch size {
	case 0: // to the end of the file
		size = uint64(len(data) - at)
	case 1:
		if at+16 > len(data) {
			return atom{}, false
		}
		size = binary.BigEndian.Uint64(data[at+8:])
		b.body = at + 16
	}
	if size < uint64(b.body-at) || size > uint64(len(data)-at) { //nolint:gosec // neither is negative
		return atom{}, false
	}
	b.end = at + int(size) //nolint:gosec // no more than len(data)
	return b, true
}

// atomsIn returns the boxes that fill data[from:to]; false if they do not.
func atomsIn(data []byte, from, to int) ([]atom, bool) {
	var all []atom
	for from < to {
		b, ok := atomAt(data[:to], from)
		if !ok {
			return nil, false
		}
		all = append(all, b)
		from = b.end
	}
	return all, true
}

// blankBMFF returns an AVIF or HEIC whose items and boxes of metadata hold nothing. The file keeps its
// length, but for what follows its last box. One whose items lie over its own structure is refused: it is
// another file once they are empty.
func blankBMFF(data []byte) ([]byte, bool) {
	clean, ok := blankItems(data)
	if !ok {
		return nil, false
	}
	again, ok := blankItems(clean)
	return clean, ok && bytes.Equal(again, clean)
}

func blankItems(data []byte) ([]byte, bool) {
	b := blanker{out: bytes.Clone(data)}
	pictured := false
	for at := 0; at < len(b.out); {
		top, ok := atomAt(b.out, at)
		if !ok {
			b.out = b.out[:at]
			return b.out, pictured && b.inside()
		}
		switch top.kind {
		case "ftyp", "mdat", "pdin", "styp", "sidx":
		case "meta":
			pictured = true
			if !b.meta(top) {
				return nil, false
			}
		case "moov":
			pictured = true
			if !b.movie(top) {
				return nil, false
			}
		default:
			b.free(top)
		}
		at = top.end
	}
	return b.out, pictured && b.inside()
}

// blanker empties what a file holds beside its picture.
type blanker struct {
	out []byte
	far int // where the last item ends that was seen
}

// inside reports whether every item lies within what is left of the file.
func (b *blanker) inside() bool { return b.far <= len(b.out) }

// free turns a box into free space.
func (b *blanker) free(x atom) {
	copy(b.out[x.start+4:], "free")
	clear(b.out[x.body:x.end])
}

// movie empties the user data of an image sequence and of its tracks.
func (b *blanker) movie(x atom) bool {
	children, ok := atomsIn(b.out, x.body, x.end)
	for _, child := range children {
		switch child.kind {
		case "udta", "meta", "uuid":
			b.free(child)
		case "trak":
			ok = ok && b.movie(child)
		}
	}
	return ok
}

// meta empties the items of metadata: Exif, and whatever has a media type, as XMP has.
func (b *blanker) meta(x atom) bool {
	const fullBox = 4 // version and flags
	if x.body+fullBox > x.end {
		return false
	}
	children, ok := atomsIn(b.out, x.body+fullBox, x.end)
	if !ok {
		return false
	}
	var wanted map[uint32]string
	var places []place
	idat := 0
	for _, child := range children {
		body := b.out[child.body:child.end]
		switch child.kind {
		case "iinf":
			wanted, ok = metadataItems(body)
		case "iloc":
			places, ok = itemExtents(body)
		case "idat":
			idat = child.body
		case "uuid", "xml ", "bxml", "udta":
			b.free(child)
		}
		if !ok {
			return false
		}
	}
	for _, e := range places {
		if !b.item(e, idat, wanted[e.item]) {
			return false
		}
	}
	return true
}

// item empties one piece of an item if that is metadata; kind is "" for what is none.
func (b *blanker) item(e place, idat int, kind string) bool {
	start := e.offset
	switch e.method {
	case 0:
	case 1:
		start += int64(idat)
	default: // made of other items
		return kind == ""
	}
	if kind == "" {
		b.far = max(b.far, int(min(start+e.length, 1<<62)))
		return true
	}
	if start < 0 || e.length < 0 || start+e.length > int64(len(b.out)) || e.length == 0 {
		return false
	}
	piece := b.out[start : start+e.length]
	clear(piece)
	// An offset of 0, and a TIFF structure whose directory is empty.
	empty := []byte{0, 0, 0, 0, 'I', 'I', '*', 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	if kind == "Exif" && len(piece) >= len(empty) {
		copy(piece, empty)
	}
	return true
}

// metadataItems returns the items of an iinf body that are metadata (14496-12, 8.11.6).
func metadataItems(body []byte) (map[uint32]string, bool) {
	const versionFlags = 4
	first := versionFlags + 2
	if len(body) < first {
		return nil, false
	}
	if body[0] > 0 {
		first += 2
	}
	infos, ok := atomsIn(body, min(first, len(body)), len(body))
	found := map[uint32]string{}
	for _, info := range infos {
		r := bigEndian{data: body[info.body:info.end]}
		version := r.uint(1)
		r.uint(3)
		wide := 2
		if version > 2 {
			wide = 4
		}
		item := r.uint(wide)
		r.uint(2) // protection
		kind := r.text(4)
		if info.kind != "infe" || version < 2 || r.short {
			return nil, false
		}
		if kind == "Exif" || kind == "mime" || kind == "uri " {
			found[uint32(item)] = kind //nolint:gosec // of at most 4 bytes
		}
	}
	return found, ok
}

// place is a piece of an item.
type place struct {
	item           uint32
	method         uint64 // of construction: 0 = in the file, 1 = in idat
	offset, length int64
}

// maxExtents is more than any camera makes; an extent may take no byte of the file.
const maxExtents = 1 << 14

// itemExtents reads the body of an iloc (14496-12, 8.11.3).
func itemExtents(body []byte) ([]place, bool) {
	r := bigEndian{data: body}
	version := r.uint(1)
	r.uint(3)
	sizes, more := r.uint(1), r.uint(1)
	offsetSize, lengthSize, baseSize, indexSize := int(sizes>>4), int(sizes&15), int(more>>4), int(more&15) //nolint:gosec // 4 bits each
	wide := 2
	if version == 2 {
		wide = 4
	}
	var all []place
	for range r.uint(wide) {
		if r.short {
			return nil, false
		}
		item := r.uint(wide)
		method := uint64(0)
		if version > 0 {
			method = r.uint(2) & 15
		}
		if r.uint(2) != 0 { // in another file
			return nil, false
		}
		base := r.uint(baseSize)
		for range r.uint(2) {
			if version > 0 {
				r.uint(indexSize)
			}
			offset, length := base+r.uint(offsetSize), r.uint(lengthSize)
			if r.short || offset > 1<<40 || length > 1<<40 {
				return nil, false
			}
			if len(all) == maxExtents {
				return nil, false
			}
			all = append(all, place{uint32(item), method, int64(offset), int64(length)}) //nolint:gosec // checked
		}
	}
	return all, !r.short && version <= 2
}

// bigEndian reads numbers one after another.
type bigEndian struct {
	data  []byte
	short bool // there was less than asked for
}

// uint reads a number of n bytes, 0 to 8.
func (r *bigEndian) uint(n int) uint64 {
	if n > len(r.data) {
		r.short = true
		return 0
	}
	var v uint64
	for _, c := range r.data[:n] {
		v = v<<8 | uint64(c)
	}
	r.data = r.data[n:]
	return v
}

// text reads n characters.
func (r *bigEndian) text(n int) string {
	if n > len(r.data) {
		r.short = true
		return ""
	}
	t := string(r.data[:n])
	r.data = r.data[n:]
	return t
}
