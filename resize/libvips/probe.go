package libvips

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// Probe reads the header of data and no pixel. 415 if data is no allowed image, 422 if it is broken or
// a JPEG of too many scans.
func (e *Engine) Probe(ctx context.Context, data []byte) (resize.Source, error) {
	if err := ctx.Err(); err != nil {
		return resize.Source{}, err
	}
	format, err := e.allow(data)
	if err != nil {
		return resize.Source{}, err
	}
	src := resize.Source{Format: format, Bytes: int64(len(data)), Pages: 1, Orientation: 1}
	whole := true
	switch format {
	case resize.FormatSVG:
		if err := probeSVG(data, &src); err != nil {
			return src, broken(ctx, "read header", err)
		}
		return src, nil
	case resize.FormatJPEG:
		scans, buffered := resize.JPEGScans(data)
		if scans > resize.MaxScans {
			return src, resize.Unprocessable("corrupt_image", "the image is broken: too many scans")
		}
		src.Progressive = buffered
		whole = resize.JPEGWhole(data)
	case resize.FormatPNG:
		src.Progressive = resize.PNGInterlaced(data)
		whole = resize.PNGWhole(data)
	case resize.FormatGIF:
		whole = resize.GIFWhole(data) // libvips shows what there is
	default:
	}
	if !whole {
		return src, resize.Unprocessable("corrupt_image", "the image is broken: its end is missing")
	}
	ref, err := vips.LoadImageFromBuffer(data, importParams(format, 0, 1))
	if err != nil {
		return src, broken(ctx, "read header", err)
	}
	defer ref.Close()
	describe(ref, &src)
	return src, nil
}

// importParams returns what every load has in common. A decoder that meets damage fails, except for
// JPEG: there govips' FailOnError is libvips' fail_on=warning, which refuses what cameras and editors
// have always written (extra bytes before a marker). That a JPEG is cut off is found out by Probe.
func importParams(format resize.Format, page, frames int) *vips.ImportParams {
	p := vips.NewImportParams()
	p.FailOnError.Set(format != resize.FormatJPEG)
	p.Access.Set(sequential)
	if page > 0 {
		p.Page.Set(page)
	}
	if frames > 1 {
		p.NumPages.Set(frames)
	}
	return p
}

// sequential is VIPS_ACCESS_SEQUENTIAL: lines are decoded once, top to bottom, and not kept.
const sequential = 1

// describe fills in what the header says.
func describe(ref *vips.ImageRef, src *resize.Source) {
	src.Width, src.Height = ref.Width(), ref.Height()
	src.Bands, src.Alpha = ref.Bands(), ref.HasAlpha()
	src.Depth = depth(ref.BandFormat())
	src.CMYK = ref.Interpretation() == vips.InterpretationCMYK
	src.Pages = max(1, ref.Pages())
	src.Animated = src.Pages > 1 && (src.Format == resize.FormatGIF || src.Format == resize.FormatWebP)
	if o := ref.Orientation(); o >= 1 && o <= 8 && !turnedByDecoder(src.Format) {
		src.Orientation = o
	}
	if ref.HasICCProfile() {
		if src.ICC = resize.ICCDescription(ref.GetICCProfile()); src.ICC == "" {
			src.ICC = "unnamed"
		}
	}
	src.EXIF = exif(ref)
}

// turnedByDecoder reports whether the decoder itself places the picture upright: libheif follows the
// file's irot and imir, and its EXIF tag means nothing then.
func turnedByDecoder(f resize.Format) bool { return f == resize.FormatAVIF || f == resize.FormatHEIC }

func depth(f vips.BandFormat) int {
	switch f {
	case vips.BandFormatUchar, vips.BandFormatChar:
		return 8
	case vips.BandFormatUshort, vips.BandFormatShort:
		return 16
	default:
		return 32
	}
}

// exifNames are the tags that f=json shows: what photographers ask for, never the position, serial
// numbers or names of people other than the author.
func exifNames() []string {
	return []string{
		"ifd0-Make", "ifd0-Model", "ifd0-Software", "ifd0-Artist", "ifd0-Copyright", "ifd0-ImageDescription",
		"ifd0-DateTime", "ifd2-DateTimeOriginal", "ifd2-OffsetTimeOriginal", "ifd2-ExposureTime", "ifd2-FNumber",
		"ifd2-ISOSpeedRatings", "ifd2-FocalLength", "ifd2-FocalLengthIn35mmFilm", "ifd2-ExposureBiasValue",
		"ifd2-MeteringMode", "ifd2-Flash", "ifd2-WhiteBalance", "ifd2-LensModel",
	}
}

// exif returns the subset of EXIF for f=json, in a fixed order.
func exif(ref *vips.ImageRef) []resize.Tag {
	var tags []resize.Tag
	fields := ref.GetFields() // asking for an absent field would fill libvips' error buffer
	for _, name := range exifNames() {
		if !slices.Contains(fields, "exif-"+name) {
			continue
		}
		if value := exifValue(ref.GetString("exif-" + name)); value != "" {
			tags = append(tags, resize.Tag{Name: name[len("ifd0-"):], Value: value})
		}
	}
	return tags
}

// exifValue drops what libvips appends to a value: "1/60 (1/60 sec., Rational, 1 components, 8 bytes)".
// A text may hold brackets itself; its length is told by the count of its bytes.
func exifValue(s string) string {
	value, tail, found := strings.Cut(s, " (")
	if at := strings.LastIndex(tail, ", ASCII, "); found && at >= 0 {
		count, _, _ := strings.Cut(tail[at+len(", ASCII, "):], " ")
		n, err := strconv.Atoi(count)
		if err == nil && n > 0 && n <= len(s) {
			value = s[:n-1] // without the final NUL
		}
	}
	if !found {
		return ""
	}
	const most = 256
	value, _, _ = strings.Cut(value, "\x00")
	return strings.TrimSpace(strings.ToValidUTF8(value[:min(len(value), most)], ""))
}
