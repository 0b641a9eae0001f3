package resize

import "image"

// Source is what is known of an original before any pixel is decoded.
type Source struct {
	Format      Format
	Width       int    // stored px, of one frame or page
	Height      int    // stored px, of one frame or page
	Orientation int    // EXIF 1–8; anything else in the file counts as 1
	Pages       int    // frames or pages in the file, at least 1
	Animated    bool   // Pages are frames in time (GIF, WebP)
	Alpha       bool   // has an alpha channel
	Bands       int    // channels as decoded, alpha included
	Depth       int    // bits a channel as decoded: 8, 16 or 32
	CMYK        bool   // needs conversion from CMYK
	ICC         string // profile description, "" = no embedded profile
	Bytes       int64  // length of the file
	Progressive bool   // JPEG in several scans, interlaced PNG or lossless WebP: decoding holds the whole picture

	// Trimmed is what the search for a border has left, in stored px; empty = not searched. See Trim.
	Trimmed image.Rectangle

	EXIF []Tag // a subset for f=json, without position; may be nil
}

// Tag is one EXIF tag as text.
type Tag struct{ Name, Value string }

// Upright returns the size after EXIF orientation.
func (s Source) Upright() (width, height int) {
	if s.Orientation >= 5 && s.Orientation <= 8 {
		return s.Height, s.Width
	}
	return s.Width, s.Height
}
