package hostile

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// metadata are sound pictures with nonsense around the pixels: bad metadata does not refuse a good picture.
func metadata() []File {
	s := soundPictures()
	exif := func(directory []byte) []byte {
		return segment(s.jpeg, 0xe1, append([]byte("Exif\x00\x00"), directory...))
	}
	profile := func(data []byte) []byte {
		return segment(s.jpeg, 0xe2, append([]byte("ICC_PROFILE\x00\x01\x01"), data...))
	}
	huge := binary.BigEndian.AppendUint32(nil, 1<<31)
	return []File{
		file("exif-orientation-99.jpg", exif(tiff(0, tag{0x112, 3, 1, 99})), Picture),
		file("exif-loop.jpg", exif(tiff(8, tag{0x8769, 4, 1, 8}, tag{0x112, 3, 1, 6})), Picture),
		file("exif-offset-outside.jpg", exif([]byte("MM\x00*\xff\xff\xff\xf0")), Picture),
		file("exif-count-huge.jpg", exif(tiff(0, tag{0x112, 3, 1<<32 - 1, 1<<32 - 1}, tag{0x10f, 2, 1<<32 - 1, 8})), Picture),
		file("exif-no-tiff.jpg", exif(bytes.Repeat([]byte{0xff}, 500)), Picture),
		file("exif-entries-65535.jpg", exif([]byte("II*\x00\x08\x00\x00\x00\xff\xff")), Picture),
		file("icc-random.jpg", profile(bytes.Repeat([]byte{0xde, 0xad, 0xbe, 0xef}, 700)), Picture),
		file("icc-size-huge.jpg", profile(slices.Concat(huge, bytes.Repeat([]byte{0}, 32), []byte("acsp"), huge, make([]byte, 200))), Picture),
		file("icc-part-0-of-255.jpg", segment(s.jpeg, 0xe2, []byte("ICC_PROFILE\x00\x00\xffrest")), Picture),
		file("icc-empty.png", chunkAfterHeader(s.png, "iCCP", append([]byte("p\x00\x00"), deflated(0)...)), Picture),
		file("icc-no-zlib.png", chunkAfterHeader(s.png, "iCCP", []byte("p\x00\x00nonsense")), Picture),
		file("xmp-entities.jpg", segment(s.jpeg, 0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><x>&a;</x>")), Picture),
		file("gamma-zero.png", chunkAfterHeader(s.png, "gAMA", make([]byte, 4)), Picture),
		file("density-zero.png", chunkAfterHeader(s.png, "pHYs", make([]byte, 9)), Picture),
		file("animation-without-frames.png", chunkAfterHeader(s.png, "acTL", make([]byte, 8)), Picture, Corrupt),
		file("animation-without-end.png", chunkAfterHeader(s.png, "acTL", []byte{0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0}), Picture, Corrupt, TooManyFrames, TooManyPixels),
	}
}

// structures are files whose parts contradict one another.
func structures() []File {
	s := soundPictures()
	png := func(parts ...[]byte) []byte { return append([]byte(pngMagic), slices.Concat(parts...)...) }
	end, pixels := chunk("IEND", nil), chunk("IDAT", deflated(100))
	flipped := bytes.Clone(s.png)
	flipped[len(flipped)/2] ^= 0x10
	frame := bytes.Index(s.jpeg, []byte{0xff, 0xc0})
	tables := bytes.Index(s.jpeg, []byte{0xff, 0xc4})
	return []File{
		file("checksum-wrong.png", flipped, Picture, Corrupt),
		file("no-pixels.png", png(header(10, 10, 8, 2), end), Corrupt, Picture),
		file("no-header.png", png(pixels, end), Corrupt),
		file("side-zero.png", png(header(0, 10, 8, 2), pixels, end), Corrupt),
		file("no-palette.png", png(header(10, 10, 8, 3), pixels, end), Corrupt, Picture),
		file("chunk-longer-than-file.png", png(header(10, 10, 8, 2), []byte("\x7f\xff\xff\xffIDATxx")), Corrupt, Picture),
		file("depth-7.png", png(header(10, 10, 7, 2), pixels, end), Corrupt),
		file("side-zero.jpg", wideJPEG(0, 0), Corrupt),
		file("no-frame.jpg", slices.Concat(s.jpeg[:frame], s.jpeg[frame+19:]), Corrupt),
		file("no-tables.jpg", slices.Concat(s.jpeg[:tables], s.jpeg[bytes.Index(s.jpeg, []byte{0xff, 0xda}):]), Corrupt, Picture),
		file("segment-longer-than-file.jpg", []byte{0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff, 'E', 'x', 'i', 'f'}, Corrupt, Unsupported),
		file("frame-outside-screen.gif", []byte("GIF89a\x08\x00\x08\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x2c\xff\xff\xff\xff\xff\xff\xff\xff\x00\x02\x02\x44\x01\x00\x3b"), Corrupt, Picture, TooManyPixels),
		file("code-size-13.gif", []byte("GIF89a\x08\x00\x08\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x2c\x00\x00\x00\x00\x08\x00\x08\x00\x00\x0d\x02\x44\x01\x00\x3b"), Corrupt, Picture),
		file("no-frames.gif", []byte("GIF89a\x08\x00\x08\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x3b"), Corrupt, Picture),
		file("length-huge.webp", []byte("RIFF\xf0\xff\xff\xffWEBPVP8 \xf0\xff\xff\xff\x30\x01\x00"), Corrupt),
		file("random.webp", riff("VP8 ", bytes.Repeat([]byte{0x9d, 0x01, 0x2a, 0x10}, 40)), Corrupt),
		file("animation-empty.webp", riff("VP8X", []byte{2, 0, 0, 0, 0xff, 0x3f, 0, 0xff, 0x3f, 0}), Corrupt, TooManyPixels),
		file("directory-loop.tiff", tiff(8, tiffTags(4, 4)...), Picture, Corrupt, TooManyFrames),
		file("strip-outside.tiff", tiff(0, append(tiffTags(400, 400)[:5], tag{273, 4, 1, 1 << 31}, tag{279, 4, 1, 1 << 31})...), Corrupt, Picture),
		file("directory-outside.tiff", []byte("II*\x00\xf0\xff\xff\xff"), Corrupt, Unsupported),
		file("count-huge.tiff", tiff(0, tag{256, 3, 1<<32 - 1, 8}, tag{257, 3, 1, 8}), Corrupt),
		file("random.jxl", append([]byte{0xff, 0x0a}, bytes.Repeat([]byte{0x31, 0x9f, 0x00}, 80)...), Corrupt, TooManyPixels, Picture),
		file("box-loop.heic", slices.Concat(box("ftyp", []byte("heic\x00\x00\x00\x00heicmif1")), []byte("\x00\x00\x00\x00meta\x00\x00\x00\x00")), Corrupt, Unsupported),
		file("random.avif", slices.Concat(box("ftyp", []byte("avif\x00\x00\x00\x00avifmif1")), bytes.Repeat([]byte{0, 0, 0, 9, 'm', 'e', 't', 'a', 7}, 60)), Corrupt),
	}
}
