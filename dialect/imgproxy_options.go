package dialect

import (
	"crypto/sha256"
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/imgedge/imgedge/resize"
)

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

func applyResize(w *imgproxyWish, name string, args []string) error {
	if err := applyResizingType(w, name, args[:1]); err != nil {
		return err
	}
	if len(args) == 1 {
		return nil
	}
	return applySize(w, name, args[1:])
}

func applySize(w *imgproxyWish, name string, args []string) error {
	if err := whole(name, args[0], 0, maxImgproxySide, &w.o.Width); err != nil {
		return err
	}
	if err := whole(name, argument(args, 1), 0, maxImgproxySide, &w.o.Height); err != nil {
		return err
	}
	truth(argument(args, 2), &w.o.Enlarge)
	if len(args) < 4 || args[3] == "" {
		return nil
	}
	return applyExtend(w, name, args[3:])
}

func applyResizingType(w *imgproxyWish, name string, args []string) error {
	switch args[0] {
	case "":
	case "fit":
		w.o.Fit = resize.FitContain
	case "fill":
		w.o.Fit = resize.FitCover
	case "fill-down":
		w.o.Fit = resize.FitCoverDown
	case "force":
		w.o.Fit = resize.FitStretch
	case "auto":
		w.o.Fit = resize.FitAuto
	default:
		return badArgument(name, args[0], "fit, fill, fill-down, force, auto")
	}
	return nil
}

func applyZoom(w *imgproxyWish, name string, args []string) error {
	const least, most = 0.01, 20
	if err := real64(name, args[0], least, most, &w.zoomX); err != nil {
		return err
	}
	w.zoomY = w.zoomX
	return real64(name, argument(args, 1), least, most, &w.zoomY)
}

func applyExtend(w *imgproxyWish, name string, args []string) error {
	truth(args[0], &w.extend)
	return extendGravity(&w.extendAt, name, args)
}

func applyExtendRatio(w *imgproxyWish, name string, args []string) error {
	truth(args[0], &w.extendRatio)
	return extendGravity(&w.ratioAt, name, args)
}

func extendGravity(g *imgproxyGravity, name string, args []string) error {
	if len(args) < 2 || args[1] == "" {
		return nil
	}
	return g.parse(name, args[1:], false)
}

func applyGravity(w *imgproxyWish, name string, args []string) error {
	return w.gravity.parse(name, args, true)
}

func applyCrop(w *imgproxyWish, name string, args []string) error {
	const most = 1_000_000 // px
	if err := real64(name, args[0], 0, most, &w.cropW); err != nil {
		return err
	}
	if err := real64(name, argument(args, 1), 0, most, &w.cropH); err != nil {
		return err
	}
	if len(args) < 3 || args[2] == "" {
		return nil
	}
	return w.cropGravity.parse(name, args[2:], true)
}

func applyCropRatio(w *imgproxyWish, name string, args []string) error {
	if err := real64(name, args[0], 0, 10000, &w.cropRatio); err != nil {
		return err
	}
	if w.cropRatio > 0 && w.cropRatio < 0.0001 {
		return badArgument(name, args[0], "0, or a number from 0.0001 to 10000")
	}
	truth(argument(args, 1), &w.o.RatioGrows)
	return nil
}

func applyTrim(w *imgproxyWish, name string, args []string) error {
	w.trim = args[0] != ""
	if err := real64(name, args[0], 0, 255, &w.threshold); err != nil {
		return err
	}
	w.o.TrimColor = resize.TrimColor{}
	if color := argument(args, 1); color != "" {
		c, err := hexColor(name, color)
		if err != nil {
			return err
		}
		w.o.TrimColor = resize.TrimColor{Given: true, Color: c}
	}
	horizontal := w.o.TrimEqual == resize.TrimEqualHorizontal || w.o.TrimEqual == resize.TrimEqualBoth
	vertical := w.o.TrimEqual == resize.TrimEqualVertical || w.o.TrimEqual == resize.TrimEqualBoth
	truth(argument(args, 2), &horizontal)
	truth(argument(args, 3), &vertical)
	w.o.TrimEqual = trimEqual(horizontal, vertical)
	return nil
}

func trimEqual(horizontal, vertical bool) resize.TrimEqual {
	switch {
	case horizontal && vertical:
		return resize.TrimEqualBoth
	case horizontal:
		return resize.TrimEqualHorizontal
	case vertical:
		return resize.TrimEqualVertical
	default:
		return resize.TrimFree
	}
}

// applyPadding reads the sides as in CSS: what is left out is what the opposite side, or the top, has.
func applyPadding(w *imgproxyWish, name string, args []string) error {
	p := &w.o.Pad
	if err := whole(name, args[0], 0, maxImgproxySide, &p.Top); err != nil {
		return err
	}
	p.Right, p.Bottom = p.Top, p.Top
	if err := whole(name, argument(args, 1), 0, maxImgproxySide, &p.Right); err != nil {
		return err
	}
	if err := whole(name, argument(args, 2), 0, maxImgproxySide, &p.Bottom); err != nil {
		return err
	}
	p.Left = p.Right
	return whole(name, argument(args, 3), 0, maxImgproxySide, &p.Left)
}

func applyAutoRotate(w *imgproxyWish, _ string, args []string) error {
	truth(args[0], &w.orient)
	w.orientGiven = w.orientGiven || args[0] != ""
	return nil
}

func applyRotate(w *imgproxyWish, name string, args []string) error {
	angle := int(w.o.Rotate)
	if err := whole(name, args[0], -1_000_000, 1_000_000, &angle); err != nil {
		return err
	}
	if angle%90 != 0 {
		return badArgument(name, args[0], "multiples of 90")
	}
	w.o.Rotate = float64((angle%360 + 360) % 360)
	return nil
}

func applyFlip(w *imgproxyWish, _ string, args []string) error {
	truth(args[0], &w.o.FlipH)
	truth(argument(args, 1), &w.o.FlipV)
	return nil
}

func applyBackground(w *imgproxyWish, name string, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "":
		w.background = resize.Background{}
		return nil
	case len(args) == 1:
		c, err := hexColor(name, args[0])
		if err != nil {
			return err
		}
		w.background = resize.Background{Kind: resize.BackgroundColor, Color: c}
		return nil
	case len(args) == 2:
		return badArgument(name, strings.Join(args, " "), "rgb, rrggbb, or red, green and blue from 0 to 255")
	}
	var rgb [3]int
	for i := range rgb {
		rgb[i] = -1
		if err := whole(name, args[i], 0, 255, &rgb[i]); err != nil {
			return err
		}
		if rgb[i] < 0 {
			return badArgument(name, args[i], "a whole number from 0 to 255")
		}
	}
	w.background = resize.Background{Kind: resize.BackgroundColor, Color: resize.Color{R: uint8(rgb[0]), G: uint8(rgb[1]), B: uint8(rgb[2]), A: 255}}
	return nil
}

func applyBackgroundAlpha(w *imgproxyWish, name string, args []string) error {
	w.alphaGiven = w.alphaGiven || args[0] != ""
	return real64(name, args[0], 0, 1, &w.alpha)
}

// applyBlur drops a sigma so small that it changes no pixel.
func applyBlur(w *imgproxyWish, name string, args []string) error {
	err := real64(name, args[0], 0, 100, &w.o.Blur)
	if w.o.Blur < 0.3 {
		w.o.Blur = 0
	}
	return err
}

func applySharpen(w *imgproxyWish, name string, args []string) error {
	err := real64(name, args[0], 0, 10, &w.o.Sharpen)
	if w.o.Sharpen < 0.1 {
		w.o.Sharpen = 0
	}
	return err
}

func applyPixelate(w *imgproxyWish, name string, args []string) error {
	err := whole(name, args[0], 0, 256, &w.o.Pixelate)
	if w.o.Pixelate == 1 {
		w.o.Pixelate = 0
	}
	return err
}

func applyAdjust(w *imgproxyWish, name string, args []string) error {
	if err := applyBrightness(w, name, args[:1]); err != nil {
		return err
	}
	if err := applyContrast(w, name, []string{argument(args, 1)}); err != nil {
		return err
	}
	return applySaturation(w, name, []string{argument(args, 2)})
}

func applyBrightness(w *imgproxyWish, name string, args []string) error {
	v := 0
	err := whole(name, args[0], -255, 255, &v)
	if err == nil && args[0] != "" {
		w.o.Brightness = int(math.Round(float64(v) * 100 / 255))
	}
	return err
}

func applyContrast(w *imgproxyWish, name string, args []string) error {
	return aroundOne(name, args[0], &w.o.Contrast)
}

func applySaturation(w *imgproxyWish, name string, args []string) error {
	return aroundOne(name, args[0], &w.o.Saturation)
}

// aroundOne reads a factor, of which 1 changes nothing.
func aroundOne(name, arg string, to *int) error {
	v := 1 + float64(*to)/100
	err := real64(name, arg, 0, 2, &v)
	*to = int(math.Round((v - 1) * 100))
	return err
}

// applyMonochrome takes the whole effect or none, in gray.
func applyMonochrome(w *imgproxyWish, name string, args []string) error {
	on, err := allOrNothing(name, args[0], w.o.Gray)
	if err != nil {
		return err
	}
	if color := argument(args, 1); color != "" && on {
		c, err := hexColor(name, color)
		if err != nil {
			return err
		}
		if c.R != c.G || c.G != c.B {
			return badArgument(name, color, "a gray; duotone takes colors")
		}
	}
	w.o.Gray = on
	return nil
}

// applyDuotone takes the whole effect or none.
func applyDuotone(w *imgproxyWish, name string, args []string) error {
	d := w.o.Duotone
	if !d.On {
		d = resize.Duotone{Dark: resize.Color{A: 255}, Light: resize.Color{R: 255, G: 255, B: 255, A: 255}}
	}
	on, err := allOrNothing(name, args[0], d.On)
	if err != nil {
		return err
	}
	d.On = on
	for i, to := range []*resize.Color{&d.Dark, &d.Light} {
		if arg := argument(args, i+1); arg != "" {
			if *to, err = hexColor(name, arg); err != nil {
				return err
			}
		}
	}
	w.o.Duotone = d
	return nil
}

func allOrNothing(name, arg string, on bool) (bool, error) {
	v := 0.0
	if on {
		v = 1
	}
	if err := real64(name, arg, 0, 1, &v); err != nil {
		return false, err
	}
	if v != 0 && v != 1 {
		return false, badArgument(name, arg, "0 or 1: the effect is not mixed with the picture")
	}
	return v == 1, nil
}

func applyStripMetadata(w *imgproxyWish, _ string, args []string) error {
	strip := !w.keepMetadata
	truth(args[0], &strip)
	w.keepMetadata = !strip
	return nil
}

func applyKeepCopyright(w *imgproxyWish, _ string, args []string) error {
	keep := !w.noCopyright
	truth(args[0], &keep)
	w.noCopyright = !keep
	return nil
}

func applyStripColorProfile(w *imgproxyWish, _ string, args []string) error {
	strip := !w.o.KeepICC
	truth(args[0], &strip)
	w.o.KeepICC = !strip
	return nil
}

// setFormat is the option format, and the extension of the source.
func (w *imgproxyWish) setFormat(name string, args []string) error {
	if args[0] == "" {
		return nil
	}
	f, ok := imgproxyFormat(args[0])
	if !ok {
		return badArgument(name, args[0], "jpg, jpeg, png, webp, avif, jxl, gif, tiff, best")
	}
	w.format, w.formatName = f, args[0]
	return nil
}

func applyFormatQuality(w *imgproxyWish, name string, args []string) error {
	if len(args)%2 != 0 {
		return badArgument(name, strings.Join(args, " "), "pairs of a format and its quality")
	}
	for i := 0; i < len(args); i += 2 {
		f, ok := imgproxyFormat(args[i])
		if !ok {
			return badArgument(name, args[i], "names of formats, each with a quality")
		}
		q := w.o.Qualities.Of(f)
		if err := whole(name, args[i+1], 0, 100, &q); err != nil {
			return err
		}
		w.o.Qualities.Set(f, q)
	}
	return nil
}

// applyMaxBytes raises a limit that no picture reaches to the least that is tried.
func applyMaxBytes(w *imgproxyWish, name string, args []string) error {
	err := whole(name, args[0], 0, 1<<30, &w.o.MaxBytes)
	if w.o.MaxBytes > 0 {
		w.o.MaxBytes = max(256, w.o.MaxBytes)
	}
	return err
}

func applyAutoquality(w *imgproxyWish, name string, args []string) error {
	for _, arg := range args[1:] {
		var v float64
		if err := real64(name, arg, 0, 1<<30, &v); err != nil {
			return err
		}
	}
	switch args[0] {
	case "", "none":
		w.o.QualityAuto = false
	case "dssim", "ml":
		w.o.QualityAuto = true
	case "size":
		if argument(args, 1) == "" {
			return badArgument(name, "size", "size with a number of bytes")
		}
		return applyMaxBytes(w, name, args[1:2])
	default:
		return badArgument(name, args[0], "none, size, dssim, ml")
	}
	return nil
}

func applyWebPOptions(w *imgproxyWish, name string, args []string) error {
	switch args[0] {
	case "":
	case "lossy":
		w.lossless = false
	case "lossless", "near_lossless":
		w.lossless = true
	default:
		return badArgument(name, args[0], "lossy, near_lossless, lossless")
	}
	return nil
}

func applySkipProcessing(w *imgproxyWish, name string, args []string) error {
	for _, arg := range args {
		f, ok := imgproxyFormat(arg)
		if !ok || f == resize.FormatBest {
			return badArgument(name, arg, "names of formats")
		}
		w.o.Untouched |= resize.Formats(f)
	}
	return nil
}

// applyCacheBuster keeps the text as the version; of one that is too long for that, its hash.
func applyCacheBuster(w *imgproxyWish, name string, args []string) error {
	const longest = 64
	text := args[0]
	if !utf8.ValidString(text) || strings.IndexFunc(text, unicode.IsControl) >= 0 {
		return badArgument(name, text, "text without control characters")
	}
	if utf8.RuneCountInString(text) > longest {
		sum := sha256.Sum256([]byte(text))
		text = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	w.o.Version = text
	return nil
}

func applyExpires(w *imgproxyWish, name string, args []string) error {
	if args[0] == "" {
		return nil
	}
	n, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil || n > 9_999_999_999 {
		return badArgument(name, args[0], "Unix seconds")
	}
	w.expires = max(0, n)
	return nil
}
