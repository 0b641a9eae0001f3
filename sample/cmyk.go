package sample

import (
	"errors"
	"image"
	"math"
)

// CMYKJPEG encodes ink as printers' programs do: baseline, four components, inverted, with Adobe's
// marker and no profile. The standard library reads such files but does not write them. quality is
// 1–100. Sides of 0 or over 65,535 px are an error.
func CMYKJPEG(img *image.CMYK, quality int) ([]byte, error) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if w < 1 || h < 1 || w > 65535 || h > 65535 {
		return nil, errors.New("encode CMYK JPEG: a side is out of range 1–65535")
	}
	e := inkEncoder{quant: quantTable(quality)}
	e.out = []byte{0xff, markerSOI}
	e.out = segment(e.out, markerAPP14, []byte{'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0}) // transform 0: CMYK
	e.out = segment(e.out, markerDQT, append([]byte{0}, e.quant[:]...))
	frame := []byte{8, byte(h >> 8), byte(h), byte(w >> 8), byte(w), 4}
	scan := []byte{4}
	for i := range byte(4) {
		frame = append(frame, i+1, 0x11, 0)
		scan = append(scan, i+1, 0)
	}
	e.out = segment(e.out, markerSOF0, frame)
	e.out = segment(e.out, markerDHT, append(append([]byte{0x00}, dcSpec.counts[:]...), dcSpec.values...))
	e.out = segment(e.out, markerDHT, append(append([]byte{0x10}, acSpec.counts[:]...), acSpec.values...))
	e.out = segment(e.out, markerSOS, append(scan, 0, 63, 0))
	e.scan(img)
	return append(e.out, 0xff, markerEOI), nil
}

// huffman is a table as the file states it: how many codes of each length 1–16, and their values.
type huffman struct {
	counts [16]byte
	values []byte
}

// The tables for luminance of ITU T.81, annex K.3.
var (
	dcSpec = huffman{
		[16]byte{0, 1, 5, 1, 1, 1, 1, 1, 1},
		[]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
	}
	acSpec = huffman{
		[16]byte{0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125},
		[]byte{
			0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
			0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0,
			0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28,
			0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49,
			0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
			0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
			0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
			0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5,
			0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2,
			0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8,
			0xf9, 0xfa,
		},
	}
)

// zigzag is where the coefficients of a block come from, in file order (ITU T.81, figure A.6).
var zigzag = [64]int{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// quantTable returns the luminance table of ITU T.81, annex K.1, scaled as libjpeg does, in file order.
func quantTable(quality int) (out [64]byte) {
	base := [64]int{
		16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
		56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
	}
	scale := 200 - 2*quality
	if quality < 50 {
		scale = 5000 / max(quality, 1)
	}
	for i, v := range base {
		out[i] = byte(min(max((v*scale+50)/100, 1), 255))
	}
	return out
}

// code is a Huffman code: the low size bits of bits.
type code struct {
	bits uint32
	size int
}

// codes assigns the canonical codes (ITU T.81, annex C).
func (t huffman) codes() (out [256]code) {
	bits, i := uint32(0), 0
	for n, count := range t.counts {
		for range count {
			out[t.values[i]] = code{bits, n + 1}
			bits++
			i++
		}
		bits <<= 1
	}
	return out
}

// inkEncoder writes the one scan of a picture.
type inkEncoder struct {
	quant [64]byte
	out   []byte
	hold  uint32 // bits not yet written
	held  int    // how many
}

// put writes the low size bits of v (at most 16), stuffing a zero after each 0xff.
func (e *inkEncoder) put(v uint32, size int) {
	e.hold = e.hold<<size | v&(1<<size-1)
	for e.held += size; e.held >= 8; e.held -= 8 {
		b := byte(e.hold >> (e.held - 8))
		e.out = append(e.out, b)
		if b == 0xff {
			e.out = append(e.out, 0)
		}
	}
}

func (e *inkEncoder) scan(img *image.CMYK) {
	dc, ac := dcSpec.codes(), acSpec.codes()
	basis := cosines()
	var last [4]int
	for y := 0; y < img.Rect.Dy(); y += 8 {
		for x := 0; x < img.Rect.Dx(); x += 8 {
			for c := range 4 {
				block := e.block(img, x, y, c, &basis)
				e.dc(block[0]-last[c], &dc)
				last[c] = block[0]
				e.ac(&block, &ac)
			}
		}
	}
	e.put(0x7f, 7) // fill the last byte with ones
}

// cosines returns the 8 × 8 basis of the transform.
func cosines() (t [8][8]float64) {
	for u := range 8 {
		scale := .5
		if u == 0 {
			scale = math.Sqrt(.125)
		}
		for x := range 8 {
			t[u][x] = scale * math.Cos(float64(2*x+1)*float64(u)*math.Pi/16)
		}
	}
	return t
}

// block transforms and quantizes 8 × 8 values of one ink, in file order.
func (e *inkEncoder) block(img *image.CMYK, x0, y0, c int, basis *[8][8]float64) (out [64]int) {
	var rows, both [64]float64
	for y := range 8 {
		var line [8]float64
		for x := range 8 {
			px, py := min(x0+x, img.Rect.Dx()-1), min(y0+y, img.Rect.Dy()-1)
			line[x] = 255 - float64(img.Pix[py*img.Stride+px*4+c]) - 128
		}
		for u := range 8 {
			for x, v := range line {
				rows[y*8+u] += basis[u][x] * v
			}
		}
	}
	for v := range 8 {
		for y := range 8 {
			for u := range 8 {
				both[v*8+u] += basis[v][y] * rows[y*8+u]
			}
		}
	}
	for i, from := range zigzag {
		out[i] = int(math.Round(both[from] / float64(e.quant[i])))
	}
	return out
}

// category is how many bits a value needs; its bits are the value's, ones' complement if negative.
func category(v int) (size int, bits uint32) {
	low := v
	if v < 0 {
		v, low = -v, low-1
	}
	for ; v > 0; v >>= 1 {
		size++
	}
	return size, uint32(low)
}

func (e *inkEncoder) dc(diff int, table *[256]code) {
	size, bits := category(diff)
	e.put(table[size].bits, table[size].size)
	e.put(bits, size)
}

func (e *inkEncoder) ac(block *[64]int, table *[256]code) {
	const (
		endOfBlock = 0x00
		zeros16    = 0xf0
	)
	run := 0
	for _, v := range block[1:] {
		if v == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			e.put(table[zeros16].bits, table[zeros16].size)
		}
		size, bits := category(v)
		c := table[run<<4|size]
		e.put(c.bits, c.size)
		e.put(bits, size)
		run = 0
	}
	if run > 0 {
		e.put(table[endOfBlock].bits, table[endOfBlock].size)
	}
}
