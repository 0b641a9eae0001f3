// Package hostile makes files that break decoders or mean to: bombs, truncations, wrong magic numbers,
// polyglots, nonsense in metadata, drawings that reach for files and servers. The same call gives the same
// bytes. Tests, fuzz targets and the soak feed them to the server.
//
//	for _, f := range hostile.Files("127.0.0.1:9") {
//		answer := ask(f.Data)        // status 200, or one of f.Codes
//	}
package hostile

import (
	"bytes"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"slices"
)

// File is one hostile file and what a server has to say to it.
type File struct {
	// Name says what is wrong; it is a good file name, with the extension that the file poses with.
	Name string

	// Data is the file.
	Data []byte

	// Codes are the error codes that answer it, one of which must come; Picture among them is status 200.
	Codes []string
}

// The codes that answer a file, as errors spell them.
const (
	Picture       = "picture"            // 200
	NotAnImage    = "not_an_image"       // 415
	Unsupported   = "unsupported_format" // 415
	Corrupt       = "corrupt_image"      // 422
	TooManyPixels = "too_many_pixels"    // 422
	TooManyFrames = "too_many_frames"    // 422
)

// Allows reports whether code may answer the file.
func (f File) Allows(code string) bool { return slices.Contains(f.Codes, code) }

// Files returns all of them. Drawings that reach for a server name that one, host:port.
func Files(server string) []File {
	return slices.Concat(bombs(), truncated(), metadata(), polyglots(), wrongMagic(), drawings(server), structures())
}

func file(name string, data []byte, codes ...string) File {
	return File{Name: name, Data: data, Codes: codes}
}

// good are sound little pictures that others are made of.
type good struct{ jpeg, png, gif []byte }

func soundPictures() good {
	const w, h = 96, 64
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{R: uint8(2 * x), G: uint8(3 * y), B: uint8(x ^ y), A: uint8(160 + x)})
		}
	}
	frame := func(from int) *image.Paletted {
		f := image.NewPaletted(image.Rect(0, 0, w, h), palette.Plan9)
		for i := range f.Pix {
			f.Pix[i] = uint8(from + i/w)
		}
		return f
	}
	var j, p, g bytes.Buffer
	_ = jpeg.Encode(&j, img, nil) // encoders fail only where their writer does, and a buffer does not
	_ = png.Encode(&p, img)
	_ = gif.EncodeAll(&g, &gif.GIF{Image: []*image.Paletted{frame(0), frame(90), frame(170)}, Delay: []int{5, 5, 5}})
	return good{j.Bytes(), p.Bytes(), g.Bytes()}
}

// truncated are sound files cut off.
func truncated() (files []File) {
	s := soundPictures()
	for _, of := range []struct {
		extension string
		data      []byte
	}{{".jpg", s.jpeg}, {".png", s.png}, {".gif", s.gif}} {
		files = append(files,
			file("cut-in-header"+of.extension, of.data[:10], Corrupt, Unsupported),
			file("cut-in-half"+of.extension, of.data[:len(of.data)/2], Corrupt, Picture),
			file("cut-at-end"+of.extension, of.data[:len(of.data)-9], Corrupt, Picture),
		)
	}
	return append(files,
		file("empty.jpg", nil, NotAnImage, Corrupt),
		file("one-byte.jpg", []byte{0xff}, NotAnImage),
		file("magic-alone.jpg", []byte{0xff, 0xd8, 0xff}, Corrupt, Unsupported),
		file("magic-alone.webp", []byte("RIFF\x04\x00\x00\x00WEBP"), Corrupt, Unsupported),
		file("magic-alone.jxl", []byte{0xff, 0x0a}, Corrupt, Unsupported),
		file("magic-alone.avif", box("ftyp", []byte("avif\x00\x00\x00\x00avifmif1")), Corrupt),
	)
}

// wrongMagic are files that are no pictures, or of kinds that are not taken.
func wrongMagic() []File {
	return []File{
		file("page.jpg", []byte("<!DOCTYPE html><html><script>alert(1)</script></html>"), NotAnImage),
		file("magick.mvg.png", []byte("push graphic-context\nviewbox 0 0 640 480\nimage over 0,0 0,0 'https://127.0.0.1/x.jpg\"|ls \"-la'\npop graphic-context"), NotAnImage),
		file("magick.msl.jpg", []byte(`<?xml version="1.0"?><image><read filename="/etc/passwd"/><write filename="/tmp/x"/></image>`), NotAnImage),
		file("post.script.gif", []byte("%!PS-Adobe-3.0\n(/etc/passwd) (r) file"), NotAnImage),
		file("document.jpg", []byte("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>"), NotAnImage, Unsupported),
		file("bitmap.jpg", append([]byte("BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00"), make([]byte, 60)...), NotAnImage, Unsupported),
		file("fits.png", []byte("SIMPLE  =                    T / FITS\nNAXIS=2"), NotAnImage),
		file("ppm.png", []byte("P6 99999 99999 255\n"), NotAnImage),
		file("vips.jpg", append([]byte{0x08, 0xf2, 0xa6, 0xb6}, make([]byte, 60)...), NotAnImage),
		file("radiance.jpg", []byte("#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 60000 +X 60000\n"), NotAnImage),
		file("truncated.svgz", append([]byte("\x1f\x8b\x08\x00"), make([]byte, 181)...), NotAnImage, Corrupt),
		file("gzip.jpg", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xff\xff"), NotAnImage, Corrupt),
	}
}

// polyglots are sound pictures that are something else besides; what they are besides is never answered.
func polyglots() []File {
	s := soundPictures()
	zip := []byte("PK\x03\x04\x14\x00\x00\x00\x00\x00" + Foreign + "PK\x05\x06" + string(make([]byte, 18)))
	page := []byte("<script>" + Foreign + "</script>")
	return []File{
		file("and-archive.jpg", slices.Concat(s.jpeg, zip), Picture),
		file("and-page.png", slices.Concat(s.png, page), Picture),
		file("and-script.gif", slices.Concat(s.gif, []byte(`;/*`+Foreign+`*/alert(1)`)), Picture),
		file("comment-is-code.jpg", segment(s.jpeg, 0xfe, []byte("<?php "+Foreign+" ?>")), Picture),
		file("text-is-page.png", chunkAfterHeader(s.png, "tEXt", []byte("Comment\x00<script>"+Foreign+"</script>")), Picture),
		file("png-then-jpeg.png", slices.Concat(s.png, s.jpeg), Picture),
		file("jpeg-magic-then-png.jpg", slices.Concat([]byte{0xff, 0xd8, 0xff}, s.png), Corrupt),
	}
}

// Foreign is text within the polyglots that no answer may carry.
const Foreign = "imgedge-polyglot-payload"
