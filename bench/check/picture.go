package check

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif"  // reads headers for image.DecodeConfig
	_ "image/jpeg" // likewise
	_ "image/png"  // likewise

	_ "golang.org/x/image/tiff" // likewise
	_ "golang.org/x/image/webp" // likewise
)

// Picture is what the first bytes of an answer say.
type Picture struct {
	Format        string // as in URLs: jpeg, png, gif, webp, avif, heic, jxl, tiff
	Width, Height int    // px, as stored
}

// ErrFormat says that the bytes begin like none of the known pictures.
var ErrFormat = errors.New("no known picture")

// Inspect reads format and size from a picture's header. The error is ErrFormat, or tells what is broken.
func Inspect(data []byte) (Picture, error) {
	p := Picture{Format: sniff(data)}
	var err error
	switch p.Format {
	case "":
		return Picture{}, ErrFormat
	case "avif", "heic":
		p.Width, p.Height, err = isobmffSize(data)
	case "jxl":
		p.Width, p.Height, err = jxlSize(data)
	default:
		var config image.Config
		config, _, err = image.DecodeConfig(bytes.NewReader(data))
		p.Width, p.Height = config.Width, config.Height
	}
	if err != nil {
		return p, fmt.Errorf("read header of %s: %w", p.Format, err)
	}
	return p, nil
}

// sniff names the format by magic number; "" is none.
func sniff(data []byte) string {
	at := func(offset int, magic string) bool {
		return len(data) >= offset+len(magic) && string(data[offset:offset+len(magic)]) == magic
	}
	switch {
	case at(0, "\xff\xd8\xff"):
		return "jpeg"
	case at(0, "\x89PNG\r\n\x1a\n"):
		return "png"
	case at(0, "GIF8"):
		return "gif"
	case at(0, "RIFF") && at(8, "WEBP"):
		return "webp"
	case at(4, "ftypavif"), at(4, "ftypavis"):
		return "avif"
	case at(4, "ftypheic"), at(4, "ftypheix"), at(4, "ftypmif1"):
		return "heic"
	case at(0, "\xff\x0a"), at(0, jxlContainer):
		return "jxl"
	case at(0, "II*\x00"), at(0, "MM\x00*"):
		return "tiff"
	}
	return ""
}
