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
