// Package sample paints photo-like pictures, so that the project needs no photographs of anybody:
// landscapes with grain, fruit in the tones of skin, text, cut-outs with soft alpha, an animation,
// and files that carry what cameras write: EXIF orientation, position, color profiles. The same
// arguments give the same bytes.
//
//	img := sample.Scene(4032, 3024, 0)
//	data, err := sample.JPEG(img, sample.Meta{Orientation: 6, GPS: true, ICC: sample.DisplayP3.ICC()})
package sample

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// painting is one file of the gallery.
type painting struct {
	name  string
	paint func() ([]byte, error)
}

// credit is the metadata that every JPEG of the gallery carries.
var credit = Meta{
	Artist: "imgedge sample painter", Copyright: "Public domain, painted by a program",
	Make: "imgedge", Model: "Sample 1", GPS: true, Quality: 88,
}

func with(orientation int, space Space) Meta {
	m := credit
	m.Orientation, m.ICC = orientation, space.ICC()
	return m
}

var gallery = [...]painting{
	{"coast.jpg", func() ([]byte, error) { return JPEG(Scene(4032, 3024, 0), with(1, SRGB)) }},
	{"sunset.jpg", func() ([]byte, error) { return JPEG(Scene(2400, 1600, 1), with(1, SRGB)) }},
	{"portrait-orient6.jpg", func() ([]byte, error) { return JPEG(Turned(Still(1200, 1600, 1), 6), with(6, SRGB)) }},
	{"mist-orient3.jpg", func() ([]byte, error) { return JPEG(Turned(Scene(1600, 1067, 3), 3), with(3, SRGB)) }},
	{"p3.jpg", func() ([]byte, error) { return JPEG(Scene(1800, 1200, 2), with(1, DisplayP3)) }},
	{"adobe.jpg", func() ([]byte, error) { return JPEG(SRGB.Convert(Scene(1500, 1000, 6), AdobeRGB), with(1, AdobeRGB)) }},
	{"gray.jpg", func() ([]byte, error) { return JPEG(Gray(Scene(1500, 1000, 7)), credit) }},
	{"cmyk.jpg", func() ([]byte, error) { return CMYKJPEG(CMYK(Scene(1200, 800, 2)), 85) }},
	{"small.jpg", func() ([]byte, error) { return JPEG(Scene(640, 480, 4), credit) }},
	{"cutout.png", func() ([]byte, error) { return PNG(Cutout(1000, 1250, 1)) }},
	{"poster.png", func() ([]byte, error) { return encoded(Poster(1200, 1600)) }},
	{"deep.png", func() ([]byte, error) { return PNG(Deep(1200, 800)) }},
	{"icon.png", func() ([]byte, error) { return PNG(Cutout(64, 64, 2)) }},
	{"spin.gif", func() ([]byte, error) { return GIF(Spin(320, 240, 24)) }},
}

// Names returns the file names of the gallery in the order in which Write makes them.
func Names() []string {
	names := make([]string, len(gallery))
	for i, p := range gallery {
		names[i] = p.name
	}
	return names
}

// Write paints the gallery into the folder dir, which it makes where it is missing. Files that exist
// are left as they are. It uses all cores and takes some seconds.
func Write(dir string) error {
	for _, p := range gallery {
		if err := p.into(dir); err != nil {
			return err
		}
	}
	return nil
}

// WriteFile is Write for one picture: that of the gallery with this name, or a landscape of the size and
// format that the name says, such as 4000x3000.jpg or 12000x8334.png.
func WriteFile(dir, name string) error {
	for _, p := range gallery {
		if p.name == name {
			return p.into(dir)
		}
	}
	p, err := sized(name)
	if err != nil {
		return fmt.Errorf("paint %s: %w", name, err)
	}
	return p.into(dir)
}

// maxSide bounds a landscape, px: what a JPEG can be.
const maxSide = 65535

// sized is the landscape that a name such as 4000x3000.jpg means.
func sized(name string) (painting, error) {
	ext := filepath.Ext(name)
	width, height, found := strings.Cut(strings.TrimSuffix(name, ext), "x")
	w, errW := strconv.ParseUint(width, 10, 32)
	h, errH := strconv.ParseUint(height, 10, 32)
	if !found || errW != nil || errH != nil || min(w, h) == 0 || max(w, h) > maxSide {
		return painting{}, fmt.Errorf("it is neither in the gallery nor WIDTHxHEIGHT with sides of 1 to %d px", maxSide)
	}
	scene := func() *image.RGBA { return Scene(int(w), int(h), 0) }
	switch ext {
	case ".jpg":
		return painting{name, func() ([]byte, error) { return JPEG(scene(), credit) }}, nil
	case ".png":
		return painting{name, func() ([]byte, error) { return PNG(scene()) }}, nil
	default:
		return painting{}, errors.New("its ending is neither .jpg nor .png")
	}
}

func (p painting) into(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the gallery's folder: %w", err)
	}
	if err := p.write(filepath.Join(dir, p.name)); err != nil {
		return fmt.Errorf("paint %s: %w", p.name, err)
	}
	return nil
}

// write makes the file whole or not at all: a reader never sees half of it.
func (p painting) write(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	data, err := p.paint()
	if err != nil {
		return err
	}
	part := path + ".part"
	if err := os.WriteFile(part, data, 0o644); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// PNG encodes img: RGBA with straight alpha, 16 bits a channel where img has them.
func PNG(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("encode PNG: %w", err)
	}
	return b.Bytes(), nil
}

// GIF encodes an animation.
func GIF(g *gif.GIF) ([]byte, error) {
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		return nil, fmt.Errorf("encode GIF: %w", err)
	}
	return b.Bytes(), nil
}

// encoded is PNG for a painter that can fail.
func encoded(img *image.RGBA, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return PNG(img)
}
