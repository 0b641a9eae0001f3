package dialect

// imgproxyOption is one row of the option table.
type imgproxyOption struct {
	names    []string // the long one first
	most     int      // arguments; 0 = any number
	security bool     // changes limits
	apply    func(w *imgproxyWish, name string, args []string) error
}

// findImgproxy returns the row of that name; nil if imgproxy has none.
func findImgproxy(name string) *imgproxyOption {
	for i := range imgproxyOptions {
		for _, n := range imgproxyOptions[i].names {
			if n == name {
				return &imgproxyOptions[i]
			}
		}
	}
	return nil
}

// imgproxyOptions are those of the open-source edition, then those of the paid one that are served, then
// those that are refused by name: they have no apply. preset is applied by the parser itself.
var imgproxyOptions = [...]imgproxyOption{
	{names: []string{"resize", "rs"}, most: 8, apply: applyResize},
	{names: []string{"size", "s"}, most: 7, apply: applySize},
	{names: []string{"resizing_type", "rt"}, most: 1, apply: applyResizingType},
	wholeOption([]string{"width", "w"}, maxImgproxySide, func(w *imgproxyWish) *int { return &w.o.Width }),
	wholeOption([]string{"height", "h"}, maxImgproxySide, func(w *imgproxyWish) *int { return &w.o.Height }),
	wholeOption([]string{"min-width", "mw"}, maxImgproxySide, func(w *imgproxyWish) *int { return &w.o.MinWidth }),
	wholeOption([]string{"min-height", "mh"}, maxImgproxySide, func(w *imgproxyWish) *int { return &w.o.MinHeight }),
	{names: []string{"zoom", "z"}, most: 2, apply: applyZoom},
	realOption([]string{"dpr"}, 0.5, 8, func(w *imgproxyWish) *float64 { return &w.o.DPR }),
	truthOption([]string{"enlarge", "el"}, func(w *imgproxyWish) *bool { return &w.o.Enlarge }),
	{names: []string{"extend", "ex"}, most: 4, apply: applyExtend},
	{names: []string{"extend_aspect_ratio", "extend_ar", "exar"}, most: 4, apply: applyExtendRatio},
	{names: []string{"gravity", "g"}, most: 3, apply: applyGravity},
	{names: []string{"crop", "c"}, most: 5, apply: applyCrop},
	{names: []string{"trim", "t"}, most: 4, apply: applyTrim},
	{names: []string{"padding", "pd"}, most: 4, apply: applyPadding},
	{names: []string{"auto_rotate", "ar"}, most: 1, apply: applyAutoRotate},
	{names: []string{"rotate", "rot"}, most: 1, apply: applyRotate},
	{names: []string{"flip", "fl"}, most: 2, apply: applyFlip},
	{names: []string{"background", "bg"}, most: 3, apply: applyBackground},
	{names: []string{"blur", "bl"}, most: 1, apply: applyBlur},
	{names: []string{"sharpen", "sh"}, most: 1, apply: applySharpen},
	{names: []string{"pixelate", "pix"}, most: 1, apply: applyPixelate},
	{names: []string{"watermark", "wm"}, most: 5, apply: applyWatermark},
	{names: []string{"strip_metadata", "sm"}, most: 1, apply: applyStripMetadata},
	{names: []string{"keep_copyright", "kcr"}, most: 1, apply: applyKeepCopyright},
	{names: []string{"strip_color_profile", "scp"}, most: 1, apply: applyStripColorProfile},
	{names: []string{"preserve_hdr", "ph"}, most: 1, apply: applyNothing},
	{names: []string{"enforce_thumbnail", "eth"}, most: 1, apply: applyNothing},
	wholeOption([]string{"quality", "q"}, 100, func(w *imgproxyWish) *int { return &w.quality }),
	{names: []string{"format_quality", "fq"}, apply: applyFormatQuality},
	{names: []string{"max_bytes", "mb"}, most: 1, apply: applyMaxBytes},
	{names: []string{"format", "f", "ext"}, most: 1, apply: (*imgproxyWish).setFormat},
	{names: []string{"skip_processing", "skp"}, apply: applySkipProcessing},
	truthOption([]string{"raw"}, func(w *imgproxyWish) *bool { return &w.raw }),
	{names: []string{"cachebuster", "cb"}, most: 1, apply: applyCacheBuster},
	{names: []string{"expires", "exp"}, most: 1, apply: applyExpires},
	{names: []string{"filename", "fn"}, most: 2, apply: applyFilename},
	truthOption([]string{"return_attachment", "att"}, func(w *imgproxyWish) *bool { return &w.attachment }),
	{names: []string{"preset", "pr"}},
	{names: []string{"max_src_resolution", "msr"}, most: 1, security: true, apply: applyMaxSrcResolution},
	{names: []string{"max_src_file_size", "msfs"}, most: 1, security: true, apply: applyMaxSrcFileSize},
	{names: []string{"max_animation_frames", "maf"}, most: 1, security: true, apply: applyMaxFrames},
	{names: []string{"max_animation_frame_resolution", "mafr"}, most: 1, security: true, apply: applyMaxFrameResolution},
	{names: []string{"max_result_dimension", "mrd"}, most: 1, security: true, apply: applyMaxResult},

	{names: []string{"crop_aspect_ratio", "crop_ar", "car"}, most: 2, apply: applyCropRatio},
	{names: []string{"background_alpha", "bga"}, most: 1, apply: applyBackgroundAlpha},
	{names: []string{"adjust", "a"}, most: 3, apply: applyAdjust},
	{names: []string{"brightness", "br"}, most: 1, apply: applyBrightness},
	{names: []string{"contrast", "co"}, most: 1, apply: applyContrast},
	{names: []string{"saturation", "sa"}, most: 1, apply: applySaturation},
	{names: []string{"monochrome", "mc"}, most: 2, apply: applyMonochrome},
	{names: []string{"duotone", "dt"}, most: 3, apply: applyDuotone},
	{names: []string{"watermark_url", "wmu"}, most: 1, apply: applyWatermarkURL},
	{names: []string{"watermark_text", "wmt"}, most: 1, apply: applyWatermarkText},
	{names: []string{"watermark_size", "wms"}, most: 2, apply: applyWatermarkSize},
	{names: []string{"watermark_rotate", "wm_rot", "wmr"}, most: 1, apply: applyWatermarkRotate},
	{names: []string{"autoquality", "aq"}, most: 5, apply: applyAutoquality},
	{names: []string{"jpeg_options", "jpgo"}, most: 6, apply: applyNothing},
	{names: []string{"png_options", "pngo"}, most: 3, apply: applyNothing},
	{names: []string{"webp_options", "webpo"}, most: 3, apply: applyWebPOptions},
	{names: []string{"avif_options", "avifo"}, most: 2, apply: applyNothing},
	{names: []string{"page", "pg"}, most: 1, apply: applyPage},
	{names: []string{"pages", "pgs"}, most: 1, apply: applyPages},
	truthOption([]string{"disable_animation", "da"}, func(w *imgproxyWish) *bool { return &w.o.Still }),
	{names: []string{"fallback_image_url", "fiu"}, most: 1, apply: applyFallback},
	{names: []string{"cache_tags", "ct"}, apply: applyCacheTags},
	{names: []string{"hashsum", "hs"}, most: 2, apply: applyHashsum},

	{names: []string{"resizing_algorithm", "ra"}},
	{names: []string{"objects_position", "obj_pos", "op"}},
	{names: []string{"unsharp_masking", "ush"}},
	{names: []string{"blur_areas", "ba"}},
	{names: []string{"progressive_blur", "pbl"}},
	{names: []string{"blur_detections", "bd"}},
	{names: []string{"draw_detections", "dd"}},
	{names: []string{"crop_objects"}},
	{names: []string{"colorize", "col"}},
	{names: []string{"gradient", "gr"}},
	{names: []string{"watermark_shadow", "wmsh"}},
	{names: []string{"style", "st"}},
	{names: []string{"dpi"}},
	{names: []string{"color_profile", "cp", "icc"}},
	{names: []string{"video_thumbnail_second", "vts"}},
	{names: []string{"video_thumbnail_keyframes", "vtk"}},
	{names: []string{"video_thumbnail_tile", "vtt"}},
	{names: []string{"video_thumbnail_animation", "vta"}},
	{names: []string{"bypass_cache", "bc"}},
}

const maxImgproxySide = 16384 // px

// wholeOption is a row of whole numbers from 0.
func wholeOption(names []string, high int, field func(*imgproxyWish) *int) imgproxyOption {
	return imgproxyOption{names: names, most: 1, apply: func(w *imgproxyWish, name string, args []string) error {
		return whole(name, args[0], 0, high, field(w))
	}}
}

func realOption(names []string, low, high float64, field func(*imgproxyWish) *float64) imgproxyOption {
	return imgproxyOption{names: names, most: 1, apply: func(w *imgproxyWish, name string, args []string) error {
		return real64(name, args[0], low, high, field(w))
	}}
}

func truthOption(names []string, field func(*imgproxyWish) *bool) imgproxyOption {
	return imgproxyOption{names: names, most: 1, apply: func(w *imgproxyWish, _ string, args []string) error {
		truth(args[0], field(w))
		return nil
	}}
}

// applyNothing is for what changes no picture here.
func applyNothing(*imgproxyWish, string, []string) error { return nil }
