package libvips

import (
	"context"
	"slices"

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
		if !resize.JPEGOneScan(data) { // then there is no need to look at all of it
			scans, buffered := resize.JPEGScans(data)
			if scans > resize.MaxScans {
				return src, resize.Unprocessable("corrupt_image", "the image is broken: too many scans")
			}
			src.Progressive = buffered
		}
		whole = resize.JPEGWhole(data)
	case resize.FormatPNG:
		src.Progressive = resize.PNGInterlaced(data)
		whole = resize.PNGWhole(data)
	case resize.FormatWebP:
		src.Progressive = resize.WebPLossless(data)
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
	if slices.Contains(ref.GetFields(), exifField) { // asking for an absent field would fill libvips' error buffer
		src.EXIF = resize.ReadEXIF(ref.GetBlob(exifField))
	}
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
