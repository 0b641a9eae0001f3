package hostile

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// bombs are small files that unfold into much: pixels, frames, scans.
func bombs() []File {
	return []File{
		file("bomb-header.png", slices.Concat([]byte(pngMagic), header(60000, 60000, 8, 6), chunk("IDAT", deflated(1<<20)), chunk("IEND", nil)), TooManyPixels),
		file("bomb-largest.png", slices.Concat([]byte(pngMagic), header(1<<31-1, 1<<31-1, 16, 6), chunk("IDAT", deflated(9)), chunk("IEND", nil)), TooManyPixels, Corrupt),
		file("bomb-under-limit.png", slices.Concat([]byte(pngMagic), header(7000, 7000, 1, 0), chunk("IDAT", deflated(7000*876)), chunk("IEND", nil)), Picture, TooManyPixels),
		file("bomb-deep.png", slices.Concat([]byte(pngMagic), header(7000, 7000, 16, 6), chunk("IDAT", deflated(1<<20)), chunk("IEND", nil)), TooManyPixels, Corrupt),
		file("bomb-interlaced.png", interlaced(), Picture, TooManyPixels, Corrupt),
		file("bomb-screen.gif", gifFrames(65535, 65535, 1), TooManyPixels, Corrupt, Picture),
		file("bomb-frames.gif", gifFrames(8, 8, 5000), TooManyFrames, TooManyPixels),
		file("bomb-frames-of-size.gif", gifFrames(2000, 2000, 400), TooManyPixels),
		file("bomb-header.webp", lossless(16383, 16383), TooManyPixels, Corrupt),
		file("bomb-under-limit.webp", lossless(7000, 7000), Picture, TooManyPixels),
		file("bomb-header.tiff", tiff(0, tiffTags(60000, 60000)...), TooManyPixels, Corrupt),
		file("bomb-pages.tiff", tiffPages(4000), Picture, Corrupt, TooManyFrames, TooManyPixels),
		file("bomb-header.jxl", jxlHeader(1<<29, 1<<29), TooManyPixels, Corrupt),
		file("bomb-scans.jpg", progressive(manyScans(3000)), Corrupt),
		file("bomb-scans-unused.jpg", manyScans(3000), Picture, Corrupt),
		file("bomb-header.jpg", wideJPEG(65535, 65535), TooManyPixels, Corrupt),
		file("bomb-largest.avif", hugeAVIF(1<<30, 1<<30), TooManyPixels, Corrupt),
		file("bomb-header.avif", hugeAVIF(65535, 65535), TooManyPixels, Corrupt),
		file("bomb-beyond-us.avif", hugeAVIF(15000, 15000), TooManyPixels), // less than libheif's own limit
		file("bomb-largest.heic", hugeHEIC(1<<30, 1<<30), TooManyPixels, Corrupt),
		file("bomb-header.heic", hugeHEIC(65535, 65535), TooManyPixels, Corrupt),
		file("bomb-beyond-us.heic", hugeHEIC(15000, 15000), TooManyPixels), // less than libheif's own limit
		file("bomb-text.png", chunkAfterHeader(soundPictures().png, "zTXt", append([]byte("Comment\x00\x00"), deflated(8<<20)...)), Picture, Corrupt),
		file("bomb-profile.png", chunkAfterHeader(soundPictures().png, "iCCP", append([]byte("p\x00\x00"), deflated(8<<20)...)), Picture, Corrupt),
	}
}

// interlaced is a picture of many empty passes.
func interlaced() []byte {
	head := header(7000, 7000, 1, 0)
	head[8+12] = 1 // the method of interlacing
	return slices.Concat([]byte(pngMagic), chunk("IHDR", head[8:8+13]), chunk("IDAT", deflated(7000*900)), chunk("IEND", nil))
}

// gifFrames has frames of one pixel on a screen of w × h.
func gifFrames(w, h uint16, frames int) []byte {
	b := binary.LittleEndian.AppendUint16([]byte("GIF89a"), w)
	b = binary.LittleEndian.AppendUint16(b, h)
	b = append(b, 0x80, 0, 0, 0, 0, 0, 255, 255, 255)
	frame := []byte{
		0x21, 0xf9, 4, 0, 1, 0, 0, 0, // shown for 10 ms
		0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0,
	}
	return append(append(b, bytes.Repeat(frame, frames)...), 0x3b)
}

// lossless is a VP8L picture in whose five codes every symbol has no bits: a few bytes for any size.
func lossless(w, h uint64) []byte {
	var b bits
	b.put(0x2f, 8)
	b.put(w-1, 14)
	b.put(h-1, 14)
	b.put(0, 4) // no alpha, version 0
	b.put(0, 3) // no transform, no cache of colors, no codes of codes
	for range 5 {
		b.put(1, 4) // simple, one symbol, of one bit, 0
	}
	return riff("VP8L", append(b.data, 0, 0, 0, 0))
}

// tiffTags describe an uncompressed gray picture whose pixels begin behind the directory.
func tiffTags(w, h uint32) []tag {
	return []tag{
		{256, 4, 1, w},
		{257, 4, 1, h},
		{258, 3, 1, 8},
		{259, 3, 1, 1},
		{262, 3, 1, 1},
		{273, 4, 1, 8},
		{277, 3, 1, 1},
		{278, 4, 1, h},
		{279, 4, 1, w},
	}
}

// tiffPages has a chain of n directories, each a picture of one pixel.
func tiffPages(n int) []byte {
	page := tiff(0, tiffTags(1, 1)...)[8:]
	b := []byte("II*\x00\x08\x00\x00\x00")
	for i := range n {
		next := uint32(8 + (i+1)*len(page))
		if i == n-1 {
			next = 0
		}
		b = binary.LittleEndian.AppendUint32(append(b, page[:len(page)-4]...), next)
	}
	return b
}

// jxlHeader is a bare codestream that claims a size, and noise.
func jxlHeader(w, h uint64) []byte {
	var b bits
	b.put(0x0aff, 16)
	b.put(0, 1) // sides are not given in eights
	b.put(3, 2) // in 30 bits
	b.put(h-1, 30)
	b.put(0, 3) // no ratio
	b.put(3, 2)
	b.put(w-1, 30)
	b.put(1, 1) // all else is the default
	return append(b.data, bytes.Repeat([]byte{0x5a}, 64)...)
}

// manyScans repeats the scan of a sound JPEG. It is baseline: libjpeg decodes the first alone.
func manyScans(n int) []byte {
	data := soundPictures().jpeg
	scan := bytes.Index(data, []byte{0xff, 0xda})
	return slices.Concat(data[:scan], bytes.Repeat(data[scan:len(data)-2], n), []byte{0xff, 0xd9})
}

// progressive calls a JPEG progressive, so that every scan counts.
func progressive(data []byte) []byte {
	return bytes.Replace(data, []byte{0xff, 0xc0, 0}, []byte{0xff, 0xc2, 0}, 1)
}

// wideJPEG changes the size that a sound JPEG's frame header states.
func wideJPEG(w, h uint16) []byte {
	data := soundPictures().jpeg
	frame := bytes.Index(data, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(data[frame+5:], h)
	binary.BigEndian.PutUint16(data[frame+7:], w)
	return data
}

// hugeHEIF is a still picture in ISO's file format (ISO/IEC 23008-12) that claims a size and holds 64 bytes of noise.
// coding is the item's type, and setup the box that a decoder of it wants.
func hugeHEIF(brand, coding string, setup []byte, w, h uint32) []byte {
	full := func(b ...byte) []byte { return append([]byte{0, 0, 0, 0}, b...) }
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(full(), w), h)
	properties := box("iprp", box("ipco", box("ispe", size), setup), box("ipma", full(0, 0, 0, 1, 0, 1, 2, 1, 0x82)))
	file := func(at uint32) []byte {
		where := binary.BigEndian.AppendUint32(full(0x44, 0, 0, 1, 0, 1, 0, 0, 0, 1), at)
		return slices.Concat(
			box("ftyp", []byte(brand+"\x00\x00\x00\x00"+brand+"mif1miaf")),
			box("meta", full(),
				box("hdlr", full(), make([]byte, 4), []byte("pict"), make([]byte, 13)),
				box("pitm", full(0, 1)),
				box("iinf", full(0, 1), box("infe", []byte{2, 0, 0, 0, 0, 1, 0, 0}, []byte(coding+"\x00"))),
				box("iloc", where, []byte{0, 0, 0, 64}),
				properties),
			box("mdat", []byte(strings.Repeat("x", 64))),
		)
	}
	return file(uint32(len(file(0)) - 64))
}

// hugeAVIF and hugeHEIC claim sides of w and h.
func hugeAVIF(w, h uint32) []byte {
	return hugeHEIF("avif", "av01", box("av1C", []byte{0x81, 0, 0x0c, 0}), w, h) // Main profile, 8 bits, 4:2:0
}

func hugeHEIC(w, h uint32) []byte {
	// HEVCDecoderConfigurationRecord (ISO/IEC 14496-15): Main profile, 8 bits, 4:2:0, no parameter sets.
	setup := []byte{1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 90, 0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f, 0}
	return hugeHEIF("heic", "hvc1", box("hvcC", setup), w, h)
}
