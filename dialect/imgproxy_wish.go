package dialect

import (
	"math"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// imgproxyWish is what has been read of one path, as written: later options override earlier ones, and
// an option without some of its arguments leaves them as they were.
type imgproxyWish struct {
	mount   *ImgproxyMount
	applied int // options, those of presets included

	o           resize.Options // what needs no second thought
	quality     int            // 0 = by format
	zoomX       float64
	zoomY       float64
	gravity     imgproxyGravity
	cropW       float64 // 1 or more px, below 1 a part of the side, 0 = whole
	cropH       float64
	cropGravity imgproxyGravity
	cropRatio   float64
	extend      bool
	extendAt    imgproxyGravity
	extendRatio bool
	ratioAt     imgproxyGravity
	trim        bool
	threshold   float64
	background  resize.Background
	alpha       float64 // of background
	alphaGiven  bool
	orient      bool // auto_rotate, where it was given
	orientGiven bool

	keepMetadata bool // strip_metadata:0
	noCopyright  bool // keep_copyright:0
	lossless     bool // of WebP

	markOpacity float64
	markAt      string // position
	markX       float64
	markY       float64
	markURL     string // watermark_url
	markText    string // watermark_text
	mark        resize.Watermark

	format     resize.Format // FormatAuto = none given
	formatName string        // as written
	raw        bool

	expires     int64
	name        string
	attachment  bool
	tags        string
	fallback    string
	limits      resize.Limits
	sourceBytes int
}

// maxApplied bounds the options of one URL, those of presets included.
const maxApplied = 1024

// read reads the options of a path and returns the segments that are the source.
func (w *imgproxyWish) read(p string) (source []string, err error) {
	if text, ok := w.mount.Presets[defaultPreset]; ok {
		if err := w.preset(defaultPreset, text, nil); err != nil {
			return nil, err
		}
	}
	segments := strings.Split(strings.TrimPrefix(p, "/"), "/")
	if w.mount.PresetsOnly {
		err = w.readPresets(segments[0])
		source = segments[1:]
	} else {
		source, err = w.readOptions(segments)
	}
	if err == nil && len(source) == 0 {
		err = badSource("is missing")
	}
	return source, err
}

func (w *imgproxyWish) readOptions(segments []string) (source []string, err error) {
	switch segments[0] {
	case "fit", "fill", "fill-down", "force", "auto":
		return nil, imgproxyNotFound("bad_option", quote(segments[0])+": this is imgproxy's old URL format; write rs:"+segments[0]+":…")
	}
	for i, segment := range segments {
		name, args, ok := w.mount.cutOption(segment)
		if !ok {
			return segments[i:], nil
		}
		if len(w.mount.Allowed) > 0 && !slices.Contains(w.mount.Allowed, name) {
			return nil, imgproxyForbidden(quote(name) + ": this option is not allowed on this mount")
		}
		if err := w.apply(name, args, nil); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// readPresets reads the first segment of a presets-only path.
func (w *imgproxyWish) readPresets(segment string) error {
	names := strings.Split(segment, w.mount.separator())
	if _, ok := w.mount.Presets[names[0]]; !ok && len(names) > 1 && findImgproxy(names[0]) != nil {
		return imgproxyForbidden(quote(names[0]) + ": this mount takes presets only")
	}
	return w.presets("preset", names, nil)
}

// cutOption cuts a segment into name and arguments; false if it is none.
func (m *ImgproxyMount) cutOption(segment string) (name string, args []string, ok bool) {
	parts := strings.Split(segment, m.separator())
	return parts[0], parts[1:], len(parts) > 1
}

func (m *ImgproxyMount) separator() string {
	if m.Separator == "" {
		return ":"
	}
	return m.Separator
}

// presets applies the presets named. used are those that are being applied: naming one of them again
// means nothing.
func (w *imgproxyWish) presets(option string, names, used []string) error {
	for _, name := range names {
		text, ok := w.mount.Presets[name]
		if !ok {
			return badArgument(option, name, "names of this mount's presets")
		}
		if slices.Contains(used, name) {
			continue
		}
		if err := w.preset(name, text, used); err != nil {
			return err
		}
	}
	return nil
}

func (w *imgproxyWish) preset(name, text string, used []string) error {
	used = append(slices.Clip(used), name)
	for segment := range strings.SplitSeq(text, "/") {
		option, args, ok := w.mount.cutOption(segment)
		if !ok {
			return imgproxyNotFound("bad_option", "preset "+quote(name)+": "+quote(segment)+" is no option")
		}
		if err := w.apply(option, args, used); err != nil {
			return err
		}
	}
	return nil
}

// apply applies one option.
func (w *imgproxyWish) apply(name string, args, used []string) error {
	if w.applied++; w.applied > maxApplied {
		return imgproxyNotFound("bad_option", "there are more options than can be meant")
	}
	option := findImgproxy(name)
	switch {
	case option == nil:
		return imgproxyNotFound("bad_option", "unknown option "+quote(name))
	case option.apply == nil && option.names[0] == "preset":
		return w.presets(name, args, used)
	case option.apply == nil:
		return imgproxyNotFound("bad_option", quote(name)+": this option of imgproxy is not served here")
	case option.security && !w.mount.AllowSecurity:
		return imgproxyForbidden(quote(name) + ": options that change limits are not allowed on this mount")
	}
	if err := tooMany(name, args, option.most); option.most > 0 && err != nil {
		return err
	}
	return option.apply(w, name, args)
}

// options returns the picture's options, not yet normalized.
func (w *imgproxyWish) options() (resize.Options, error) {
	o := w.o
	if w.raw && o.Hashsum != "" {
		return o, imgproxyNotFound("bad_option", "hashsum: raw takes no such check")
	}
	if w.raw {
		return resize.Options{Format: resize.FormatRaw, Version: o.Version}, nil
	}
	w.setGeometry(&o)
	w.setTrim(&o)
	w.setColor(&o)
	if err := w.setWatermark(&o); err != nil {
		return o, err
	}
	if err := w.setEncoding(&o); err != nil {
		return o, err
	}
	return o, nil
}

func (w *imgproxyWish) setGeometry(o *resize.Options) {
	o.Zoom, o.ZoomY = w.zoomX, w.zoomY
	o.NoOrient = w.mount.NoOrient
	if w.orientGiven {
		o.NoOrient = !w.orient
	}
	g := w.gravity.anchor()
	o.Gravity, o.FocusX, o.FocusY, o.OffsetX, o.OffsetY = g.Gravity, g.FocusX, g.FocusY, g.X, g.Y
	w.setCrop(o)
	switch {
	case w.extend:
		o.Extend, o.ExtendAt = resize.ExtendBox, w.extendAt.anchor()
	case w.extendRatio:
		o.Extend, o.ExtendAt = resize.ExtendRatio, w.ratioAt.anchor()
	}
	oneSided := o.Fit == resize.FitStretch && (o.Width == 0) != (o.Height == 0)
	small := o.DPR > 0 && o.DPR < 1 && !o.Enlarge
	halves := o.Pad != (resize.Padding{}) && o.DPR != math.Trunc(o.DPR)
	o.Measured = oneSided || small || halves
}

// setCrop sets the region, in the way of native URLs where they can say it.
func (w *imgproxyWish) setCrop(o *resize.Options) {
	if w.cropRatio > 0 {
		o.Ratio = resize.Ratio{W: w.cropRatio, H: 1}
	}
	at := w.cropGravity
	if !at.given {
		at = w.gravity
	}
	o.CropSize = resize.Extent{W: cropLength(w.cropW), H: cropLength(w.cropH)}
	if o.CropSize == (resize.Extent{}) {
		return
	}
	o.CropAt = mirrored(at.anchor(), o.FlipH, o.FlipV)
	size := o.CropSize
	corner := o.CropAt == resize.Anchor{Given: true, Gravity: resize.GravityNorthWest}
	sayable := size.W.Value > 0 && size.H.Value > 0 && size.W.Percent == size.H.Percent
	if corner && sayable && o.Ratio == (resize.Ratio{}) && o.Gravity != resize.GravityFocus {
		o.Crop = resize.Region{W: size.W.Value, H: size.H.Value, Percent: size.W.Percent}
		o.CropSize, o.CropAt = resize.Extent{}, resize.Anchor{}
	}
}

func cropLength(v float64) resize.Length {
	switch {
	case v >= 1:
		return resize.Length{Value: math.Trunc(v)}
	case v > 0:
		return percentOf(v)
	default:
		return resize.Length{}
	}
}

// setTrim sets the tolerance, which is whole here and at least 1.
func (w *imgproxyWish) setTrim(o *resize.Options) {
	if w.trim {
		o.Trim = max(1, int(math.Round(w.threshold)))
	}
}

func (w *imgproxyWish) setColor(o *resize.Options) {
	o.Background = w.background
	if w.alphaGiven && o.Background.Kind == resize.BackgroundColor {
		o.Background.Color.A = uint8(math.Round(w.alpha * 255))
	}
	switch {
	case w.keepMetadata:
		o.Metadata = resize.MetadataAll
	case !w.noCopyright:
		o.Metadata = resize.MetadataCopyright
	}
}

// setWatermark sets the mark, which is the mount's, a picture given by its URL, or a text.
func (w *imgproxyWish) setWatermark(o *resize.Options) error {
	if w.markOpacity <= 0 {
		return nil
	}
	kind, tiled := resize.GravityCenter, w.markAt == "re"
	if w.markAt != "" && !tiled {
		var err error
		if kind, err = gravityNamed("watermark", w.markAt, false); err != nil || kind == resize.GravityFocus {
			return badArgument("watermark", w.markAt, "ce, no, so, ea, we, noea, nowe, soea, sowe, re")
		}
	}
	x, y := offsetLength(w.markX), offsetLength(w.markY)
	if w.markText != "" {
		if tiled {
			return badArgument("watermark", "re", "a position that is not re beside watermark_text")
		}
		o.Text = resize.Text{
			Value: w.markText, Gravity: kind, X: x, Y: y, Size: markTextSize,
			Color: resize.Color{A: 255}, Colored: true, Opacity: w.markOpacity,
		}
		return nil
	}
	image := w.mount.Watermark
	if w.markURL != "" {
		source, key, err := w.mount.resolve(w.markURL)
		if err != nil {
			return err
		}
		image = source + "/" + key
	}
	if image == "" {
		return nil // nothing is configured to be laid over, as in imgproxy
	}
	m := w.mark
	m.Image, m.Gravity, m.X, m.Y, m.Opacity, m.Tiled = image, kind, x, y, w.markOpacity, tiled
	m.Within = m.Scale > 0
	o.Watermark = m
	return nil
}

// markTextSize is the px of imgproxy's default font, "sans 16".
const markTextSize = 16

func (w *imgproxyWish) setEncoding(o *resize.Options) error {
	o.Format = w.format
	switch {
	case w.format == resize.FormatAuto:
		o.Kept = w.mount.Preferred
		if o.Kept == 0 {
			o.Kept = resize.Formats(resize.FormatJPEG, resize.FormatPNG, resize.FormatGIF)
		}
		if !w.mount.AutoFormat {
			o.Format = resize.FormatKeep
		}
	case w.format != resize.FormatBest && !w.format.Raster():
		return imgproxyUnsupported(w.formatName)
	}
	fixed := o.Format.Raster()
	if fixed && o.Untouched.Has(o.Format) {
		o.Untouched = resize.Formats(o.Format)
	} else if fixed {
		o.Untouched = 0
	}
	if w.quality > 0 {
		o.Quality, o.QualityAuto = w.quality, false
	}
	if fixed && !o.Format.HasQuality() {
		o.Quality, o.QualityAuto, o.MaxBytes = 0, false, 0
	}
	o.Lossless = w.lossless && o.Format == resize.FormatWebP
	return nil
}

// fileNames returns the names for an attachment and for an inline answer.
func (w *imgproxyWish) fileNames(key string) (download, name string) {
	if !w.attachment {
		return "", w.name
	}
	if w.name != "" {
		return w.name, ""
	}
	if u, err := url.Parse(key); err == nil && u.Host != "" {
		key = u.Path
	}
	if download = path.Base(key); download == "/" || download == "." {
		download = "image"
	}
	return download, ""
}
