package resize

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
)

// shows reports whether an image element holds a picture that may be drawn, and counts its px.
func (c *cleaner) shows(t xml.StartElement) bool {
	value := ""
	for _, a := range t.Attr {
		if a.Name.Local == "href" && (a.Name.Space == "" || a.Name.Space == nsXLink) {
			if value != "" {
				return false // which one is drawn is anyone's guess
			}
			value = strings.TrimSpace(a.Value)
		}
	}
	px := embedded(value)
	if px <= 0 || px > maxSVGImage || c.images+px > maxSVGImages {
		return false
	}
	c.images += px
	return true
}

// embedded returns the px of a picture in a data URL (RFC 2397): a PNG, JPEG or GIF in base64, which says
// what it is; 0 for anything else.
func embedded(url string) int {
	head, body, found := strings.Cut(url, ",")
	if !found {
		return 0
	}
	kind, ok := strings.CutPrefix(head, "data:image/")
	if !ok {
		return 0
	}
	kind, ok = strings.CutSuffix(strings.TrimSpace(kind), ";base64")
	if !ok {
		return 0
	}
	data, err := base64.StdEncoding.DecodeString(strings.Map(noSpace, body))
	if err != nil {
		return 0
	}
	var config image.Config
	switch format := Sniff(data); {
	case format == FormatPNG && kind == "png":
		config, err = png.DecodeConfig(bytes.NewReader(data))
	case format == FormatJPEG && (kind == "jpeg" || kind == "jpg"):
		if scans, _ := JPEGScans(data); scans > MaxScans {
			return 0
		}
		config, err = jpeg.DecodeConfig(bytes.NewReader(data))
	case format == FormatGIF && kind == "gif":
		config, err = gif.DecodeConfig(bytes.NewReader(data))
	default:
		return 0
	}
	if err != nil || config.Width > 1<<15 || config.Height > 1<<15 {
		return 0
	}
	return config.Width * config.Height
}

func noSpace(r rune) rune {
	switch r {
	case ' ', '\t', '\r', '\n':
		return -1
	default:
		return r
	}
}
