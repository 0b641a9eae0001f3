package resize

// Format is a picture format, or a wish that ends in one.
type Format uint8

// Formats. FormatAuto is the zero value. The first group can be a result of negotiation or be named
// in a URL; FormatHEIC, FormatSVG, FormatPDF, FormatBMP and FormatICO occur only as sources.
const (
	FormatAuto Format = iota // by Accept
	FormatJPEG
	FormatPNG
	FormatWebP
	FormatAVIF
	FormatJXL
	FormatGIF
	FormatTIFF
	FormatHEIC
	FormatSVG
	FormatPDF
	FormatBMP
	FormatICO
	FormatKeep      // the source's
	FormatBest      // the smallest the client takes
	FormatJSON      // a description
	FormatBlurHash  // text
	FormatThumbHash // text
	FormatRaw       // the original's bytes
)

// Offer is what a client takes beyond the fallback, in the order of preference of the source; unused
// places are FormatAuto. Only AVIF, WebP and JXL occur. The zero value takes nothing but the fallback.
type Offer [3]Format

// formats describes each Format: its name in URLs and configuration, its Content-Type, and its file
// extension without the dot. Wishes have no type of their own.
var formats = [...]struct{ name, mime, extension string }{
	FormatAuto:      {"auto", "", ""},
	FormatJPEG:      {"jpeg", "image/jpeg", "jpg"},
	FormatPNG:       {"png", "image/png", "png"},
	FormatWebP:      {"webp", "image/webp", "webp"},
	FormatAVIF:      {"avif", "image/avif", "avif"},
	FormatJXL:       {"jxl", "image/jxl", "jxl"},
	FormatGIF:       {"gif", "image/gif", "gif"},
	FormatTIFF:      {"tiff", "image/tiff", "tiff"},
	FormatHEIC:      {"heic", "image/heic", "heic"},
	FormatSVG:       {"svg", "image/svg+xml", "svg"},
	FormatPDF:       {"pdf", "application/pdf", "pdf"},
	FormatBMP:       {"bmp", "image/bmp", "bmp"},
	FormatICO:       {"ico", "image/vnd.microsoft.icon", "ico"},
	FormatKeep:      {"keep", "", ""},
	FormatBest:      {"best", "", ""},
	FormatJSON:      {"json", "application/json", "json"},
	FormatBlurHash:  {"blurhash", "text/plain; charset=utf-8", "txt"},
	FormatThumbHash: {"thumbhash", "text/plain; charset=utf-8", "txt"},
	FormatRaw:       {"raw", "", ""},
}

// DefaultFormatsIn returns the formats that originals have unless configured otherwise: those whose loaders
// libvips calls hardened, but for SVG and JXL, which have to be asked for.
func DefaultFormatsIn() []Format {
	return []Format{FormatJPEG, FormatPNG, FormatGIF, FormatWebP, FormatAVIF, FormatHEIC, FormatTIFF}
}

// ParseFormat returns the format of that name, source formats included. Names are lower case: jpeg,
// png, webp, avif, jxl, gif, tiff, heic, svg, pdf, bmp, ico, auto, keep, best, json, blurhash,
// thumbhash, raw.
func ParseFormat(name string) (Format, bool) {
	for i := range formats {
		if formats[i].name == name {
			return Format(i), true
		}
	}
	return FormatAuto, false
}

// String returns the name that ParseFormat reads.
func (f Format) String() string {
	if int(f) >= len(formats) {
		return "unknown"
	}
	return formats[f].name
}

// MIME returns the Content-Type; "" for auto, keep, best and raw, whose type the source decides.
func (f Format) MIME() string {
	if int(f) >= len(formats) {
		return ""
	}
	return formats[f].mime
}

// Extension returns the usual file extension without a dot; "" where MIME is "".
func (f Format) Extension() string {
	if int(f) >= len(formats) {
		return ""
	}
	return formats[f].extension
}

// Raster tells whether f is a picture format that a URL can ask for by name.
func (f Format) Raster() bool { return f >= FormatJPEG && f <= FormatTIFF }

// HasAlpha tells whether a picture of format f can be transparent. A GIF can, in one bit.
func (f Format) HasAlpha() bool {
	switch f {
	case FormatPNG, FormatWebP, FormatAVIF, FormatJXL, FormatGIF, FormatTIFF, FormatHEIC, FormatSVG, FormatICO:
		return true
	default:
		return false
	}
}

// HasLossless tells whether lossless=1 means something for f.
func (f Format) HasLossless() bool {
	return f == FormatWebP || f == FormatAVIF || f == FormatJXL
}

// HasQuality tells whether q and mb mean something for f.
func (f Format) HasQuality() bool { return f.Quality() != 0 }

// Quality returns the default quality, 1–100; 0 if f has none.
func (f Format) Quality() int {
	switch f {
	case FormatJPEG:
		return 80
	case FormatWebP:
		return 79
	case FormatAVIF:
		return 63
	case FormatJXL:
		return 77
	default:
		return 0
	}
}

// Negotiated tells whether f depends on what the client accepts.
func (f Format) Negotiated() bool { return f == FormatAuto || f == FormatBest }
