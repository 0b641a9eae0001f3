package resize

import "fmt"

// output is what the plan says of colour and encoding.
type output struct {
	Encoder
	background  Color
	flatten     bool
	transparent bool // what is seen may have alpha
}

// white is what lies behind a picture whose format has no alpha, unless bg says otherwise.
var white = Color{255, 255, 255, 255}

// output chooses the format, now that the source is known, and what follows from it.
func (o Options) output(src Source, l layout, frames int, lim Limits) (output, error) {
	animated := frames > 1
	made := o.angle() != 0 || l.canvas.X > 0 || o.Round != (Round{}) // options that create empty area
	opaque := o.Background.Kind != BackgroundNone && o.Background.opaque()
	transparent := (src.Alpha || made) && !opaque
	format, err := o.finalFormat(src, l, animated, transparent)
	if err != nil {
		return output{}, err
	}
	encoder := o.encoder(format)
	if !format.text() {
		encoder = o.within(lim.EncodeBudget, o.alternatives(format, l, animated, transparent), l, frames)
		format = encoder.Format
	}
	out := output{
		Encoder:     encoder,
		flatten:     opaque || !format.HasAlpha() && !format.text(),
		transparent: transparent,
	}
	if o.Background.Kind == BackgroundColor {
		out.background = o.Background.Color
	}
	if out.flatten {
		out.background = out.background.over(white)
	}
	return out, nil
}

// opaque reports whether nothing shines through. What is derived from the picture is opaque.
func (b Background) opaque() bool { return b.Kind != BackgroundColor || b.Color.A == 255 }

// over lays a color on an opaque one.
func (c Color) over(under Color) Color {
	a := float64(c.A) / 255
	mix := func(x, y uint8) uint8 { return uint8(round(float64(x)*a + float64(y)*(1-a))) }
	return Color{mix(c.R, under.R), mix(c.G, under.G), mix(c.B, under.B), 255}
}

// finalFormat resolves auto, best and keep, and refuses a named format that cannot hold the picture.
func (o Options) finalFormat(src Source, l layout, animated, transparent bool) (Format, error) {
	switch o.Format {
	case FormatAuto, FormatBest:
		return o.negotiated(src, l, animated, transparent), nil
	case FormatKeep:
		if (o.Kept == 0 || o.Kept.Has(src.Format)) && src.Format.writable() && src.Format.holds(l.size.X, l.size.Y) {
			return src.Format, nil
		}
		return fallback(l, animated, transparent), nil
	default:
	}
	if o.Format.text() {
		return o.Format, nil
	}
	if !o.Format.writable() {
		return 0, BadOption("f: this format cannot be made")
	}
	if !o.Format.holds(l.size.X, l.size.Y) {
		return 0, Unprocessable("unsupported_size",
			fmt.Sprintf("a picture of %d×%d px does not fit into the format named by f", l.size.X, l.size.Y))
	}
	return o.Format, nil
}

// negotiated returns the first format the client takes that can hold the picture. Where that would be an
// AVIF but for the picture's smallness, it is what every client takes: so small a picture gains nothing.
func (o Options) negotiated(src Source, l layout, animated, transparent bool) Format {
	for _, f := range o.Offer {
		if f == FormatAVIF && !animated && min(l.size.X, l.size.Y) < leastAVIF {
			break
		}
		if f == FormatAuto || !f.writable() || !f.holds(l.size.X, l.size.Y) || animated && !f.animates() {
			continue
		}
		return f
	}
	if o.Kept.Has(src.Format) && src.Format.writable() && src.Format.holds(l.size.X, l.size.Y) {
		return src.Format
	}
	return fallback(l, animated, transparent)
}

// fallback is what every client takes.
func fallback(l layout, animated, transparent bool) Format {
	switch {
	case animated:
		return FormatGIF
	case transparent || !FormatJPEG.holds(l.size.X, l.size.Y):
		return FormatPNG
	default:
		return FormatJPEG
	}
}

// writable reports whether engines make the format.
func (f Format) writable() bool {
	switch f {
	case FormatJPEG, FormatPNG, FormatWebP, FormatAVIF, FormatJXL, FormatGIF, FormatTIFF:
		return true
	default:
		return false
	}
}

// text reports whether the result is text about a small render.
func (f Format) text() bool {
	return f == FormatJSON || f == FormatBlurHash || f == FormatThumbHash
}

// animates reports whether the format holds more than one frame.
func (f Format) animates() bool { return f == FormatGIF || f == FormatWebP }

// leastAVIF is the least side of an AVIF in px, that of the encoders in use.
const leastAVIF = 16

// holds reports whether a picture of the size, in px, can be written. The upper bounds are the
// formats' own.
func (f Format) holds(width, height int) bool {
	least, most := 1, 1<<30
	switch f {
	case FormatAVIF:
		least, most = leastAVIF, 16384
	case FormatWebP:
		most = 16383
	case FormatJPEG:
		most = 65500
	case FormatGIF:
		most = 65535
	default:
	}
	return min(width, height) >= least && max(width, height) <= most
}

// effort returns how hard the encoder works, in its own scale. WebP at 2 gives 2 % more bytes than
// at 4 in less than half the time; AVIF's scale is libvips' (9 − speed); PNG's is zlib's level.
func (f Format) effort() int {
	switch f {
	case FormatWebP:
		return 2
	case FormatAVIF:
		return 1
	case FormatPNG:
		return 6
	case FormatJXL:
		return 4
	case FormatGIF:
		return 4
	default:
		return 0
	}
}
