package hostile

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
)

// zeros never ends.
type zeros struct{}

// Read fills p with zero bytes.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// deflated returns n zero bytes as a zlib stream.
func deflated(n int64) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = io.CopyN(w, zeros{}, n) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

const pngMagic = "\x89PNG\r\n\x1a\n"

// chunk is a PNG chunk with its checksum.
func chunk(name string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, name...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// header is a PNG's IHDR; kind is the type of its color.
func header(w, h uint32, depth, kind byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, w)
	b = binary.BigEndian.AppendUint32(b, h)
	return chunk("IHDR", append(b, depth, kind, 0, 0, 0))
}

// pngHeaderBytes is where a PNG's second chunk begins.
const pngHeaderBytes = len(pngMagic) + 12 + 13

func chunkAfterHeader(data []byte, name string, content []byte) []byte {
	return slices.Concat(data[:pngHeaderBytes], chunk(name, content), data[pngHeaderBytes:])
}

// segment puts a marker segment behind a JPEG's first marker.
func segment(data []byte, marker byte, content []byte) []byte {
	head := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(content)+2))
	return slices.Concat(data[:2], head, content, data[2:])
}

// box is an ISO base media box.
func box(name string, contents ...[]byte) []byte {
	content := slices.Concat(contents...)
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(content)+8)), []byte(name), content)
}

// bits are written from the lowest of each byte on, as VP8L and JPEG XL read them.
type bits struct {
	data []byte
	n    int
}

func (b *bits) put(value uint64, count int) {
	for i := range count {
		if b.n%8 == 0 {
			b.data = append(b.data, 0)
		}
		b.data[b.n/8] |= byte(value>>i&1) << (b.n % 8)
		b.n++
	}
}

// tag is an entry of a TIFF directory whose value fits in it; kind 3 = short, 4 = long.
type tag struct {
	id, kind uint16
	count    uint32
	value    uint32
}

// tiff is a little-endian file of one directory at byte 8; next is where it says that another one begins.
func tiff(next uint32, tags ...tag) []byte {
	b := []byte("II*\x00\x08\x00\x00\x00")
	b = binary.LittleEndian.AppendUint16(b, uint16(len(tags)))
	for _, t := range tags {
		b = binary.LittleEndian.AppendUint16(b, t.id)
		b = binary.LittleEndian.AppendUint16(b, t.kind)
		b = binary.LittleEndian.AppendUint32(b, t.count)
		b = binary.LittleEndian.AppendUint32(b, t.value)
	}
	return binary.LittleEndian.AppendUint32(b, next)
}

// riff is a WebP file of one chunk.
func riff(name string, content []byte) []byte {
	if len(content)%2 == 1 {
		content = append(content, 0)
	}
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(content)+12))
	b = append(append(b, "WEBP"...), name...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(content)))
	return append(b, content...)
}
