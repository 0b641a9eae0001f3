package dialect

import (
	"math"

	"github.com/imgedge/imgedge/resize"
)

// maxPad is the greatest padding of one side, px.
const maxPad = 16384

// thumborWish collects what path and filters ask for, and turns it into options at the end, when all of
// it is known: thumbor turns last, the options turn first.
type thumborWish struct {
	mount   *ThumborMount
	path    thumborPath
	request Request
	o       resize.Options // what filters set directly
	seen    [64]bool       // of filterRows, by index

	flip      resize.Turn // the minus signs: after the crop, before the filters
	early     resize.Turn // orient(): before the crop
	rotation  resize.Turn // rotate() so far: behind the flip
	atFill    resize.Turn // rotation when fill() came
	jpeg      bool        // autojpg()
	original  bool        // raw()
	described bool        // a filter that only meta/ knows
	focals    []thumborFocal
	scale     float64 // proportion(); 0 = 1
	filled    bool
	colored   bool // o.Background was given
	enlarge   bool // upscale()
	noEnlarge bool // no_upscale()
	force     bool // stretch()
	pad       [4]int
}

// thumborFocal is a focal region's middle.
type thumborFocal struct {
	x, y, weight float64 // px, or 0–1 of the sides
	share        bool
}

func (w *thumborWish) imagor() bool { return w.mount.imagor() }

// options returns what all of it means; neither normalized nor checked.
func (w *thumborWish) options() (resize.Options, error) {
	switch {
	case w.original:
		return resize.Options{Format: resize.FormatRaw}, nil
	case w.path.meta:
		return resize.Options{Format: resize.FormatJSON}, nil
	case w.described:
		return resize.Options{}, resize.BadOption("filters blurhash, thumbhash and avgcolor need meta/")
	}
	w.o.NoOrient = w.mount.NoOrient
	w.setTrim()
	if err := w.setFit(); err != nil {
		return resize.Options{}, err
	}
	if err := w.setPad(); err != nil {
		return resize.Options{}, err
	}
	late := w.flip.Then(w.rotation)
	w.setCrop(late)
	if err := w.setGravity(late); err != nil {
		return resize.Options{}, err
	}
	w.turn(late)
	w.setFormat()
	return w.o, nil
}

func (w *thumborWish) setTrim() {
	if !w.path.trim {
		return
	}
	tolerance := float64(w.path.tolerance)
	if !w.imagor() {
		tolerance /= math.Sqrt(3) // thumbor's is a distance in RGB, ours one of each channel
	}
	w.o.Untrimmed = true // both peers crop and focus in the whole picture
	w.o.Trim = max(1, min(255, int(math.Round(tolerance))))
	if w.path.lastPixel {
		w.o.TrimCorner = resize.TrimSouthEast
	}
}

// setFit says how the picture meets its box, before any turn.
func (w *thumborWish) setFit() error {
	p, o := &w.path, &w.o
	o.Width, o.Height = p.width.px, p.height.px
	if p.width.orig && o.Height > 0 {
		o.SourceSide = resize.SourceWidth
	}
	if p.height.orig && o.Width > 0 {
		o.SourceSide = resize.SourceHeight
	}
	sized := o.Width > 0 || o.Height > 0
	whole := o.Width > 0 && o.Height > 0 || o.SourceSide != resize.SourceNone
	stretched := (w.force || p.stretch) && !p.fitIn
	switch {
	case !sized:
	case p.fitIn:
		w.fitIn(whole)
	case stretched && whole:
		if w.noEnlarge {
			return resize.BadOption("filter no_upscale: it is not served beside stretch")
		}
		o.Fit = resize.FitStretch
	case whole:
		o.Fit, o.Enlarge = resize.FitCover, !w.noEnlarge
	default:
		o.Enlarge = !w.noEnlarge
	}
	return w.setScale(sized)
}

func (w *thumborWish) fitIn(whole bool) {
	p, o := &w.path, &w.o
	o.Enlarge = w.enlarge && !w.noEnlarge
	o.Adaptive = p.adaptive && o.SourceSide == resize.SourceNone
	if p.full {
		o.Enlarge = (w.enlarge || !w.imagor()) && !w.noEnlarge
		if whole {
			o.Fit = resize.FitCover
			o.Uncut = !w.filled // what fill() pastes is cut to the box
		}
		return
	}
	if w.filled {
		o.Fit = resize.FitPad
	}
}

// setScale applies proportion(), which scales what came out and may enlarge it.
func (w *thumborWish) setScale(sized bool) error {
	switch {
	case w.scale == 0 || w.scale == 1:
	case !sized:
		w.o.Zoom, w.o.Enlarge = w.scale, w.scale > 1
	case w.o.Enlarge || w.o.Fit == resize.FitStretch:
		w.o.Zoom = w.scale
	case w.o.Fit == resize.FitPad:
		return resize.BadOption("filter proportion: it is not served beside fill")
	default:
		w.o.Proportion = w.scale
	}
	return nil
}

// setPad adds imagor's padding, which fill() applies: sides change places where the picture was turned
// before, and turn with it where it is turned behind.
func (w *thumborWish) setPad() error {
	l, t, r, b := w.path.pad[0], w.path.pad[1], w.path.pad[2], w.path.pad[3]
	before := w.rotation
	if w.filled {
		before = w.atFill
	}
	if before.Swaps() {
		l, t, r, b = t, l, b, r
	}
	for range (w.rotation.Angle - before.Angle + 360) % 360 / 90 {
		l, t, r, b = b, l, t, r
	}
	l, t, r, b = l+w.pad[0], t+w.pad[1], r+w.pad[2], b+w.pad[3]
	if max(l, t, r, b) > maxPad {
		return resize.BadOption("filter padding: more than 16384 px with that of the path")
	}
	w.o.Pad = resize.Padding{Top: t, Right: r, Bottom: b, Left: l}
	return nil
}

// setCrop maps the crop into the picture that is turned already. In px it cannot be mapped without the
// source's size: then LateTurn says what comes after.
func (w *thumborWish) setCrop(late resize.Turn) {
	c := w.path.crop
	if !w.path.cropped || c[2] <= c[0] || c[3] <= c[1] {
		return // as both peers do
	}
	if w.imagor() && c[0] < 1 && c[1] < 1 && c[2] <= 1 && c[3] <= 1 {
		x, y, width, height := c[0], c[1], c[2]-c[0], c[3]-c[1]
		for range late.Angle / 90 {
			x, y, width, height = 1-y-height, x, height, width
		}
		if late.FlipH {
			x = 1 - x - width
		}
		region := resize.Region{X: tidy(x * 100), Y: tidy(y * 100), W: tidy(width * 100), H: tidy(height * 100), Percent: true}
		if region.W > 0 && region.H > 0 && region.X < 100 && region.Y < 100 {
			w.o.Crop = region
		}
		return
	}
	const most = 1_000_000 // px; no picture has as many
	for i := range c {
		c[i] = min(math.Floor(c[i]), most)
	}
	if c[2] <= c[0] || c[3] <= c[1] {
		return
	}
	w.o.Crop = resize.Region{X: c[0], Y: c[1], W: c[2] - c[0], H: c[3] - c[1]}
	if c[0] == 0 && c[1] == 0 && c[2] == most && c[3] == most {
		w.o.Crop = resize.Region{}
	}
	w.o.LateTurn = late
}

// turn makes the late turn the early one: what was said of the picture before it is said of the one
// after it. Crop and gravity are turned already.
func (w *thumborWish) turn(late resize.Turn) {
	o := &w.o
	if late.Swaps() {
		o.Width, o.Height = o.Height, o.Width
		switch o.SourceSide {
		case resize.SourceWidth:
			o.SourceSide = resize.SourceHeight
		case resize.SourceHeight:
			o.SourceSide = resize.SourceWidth
		case resize.SourceNone:
		}
	}
	if o.Trim != 0 {
		corner := int(o.TrimCorner) + late.Angle/90 // the corners are counted clockwise
		if late.FlipH {
			corner = 5 - corner%4 // northwest and northeast change places, and so do the southern ones
		}
		o.TrimCorner = resize.TrimCorner(corner % 4)
	}
	all := w.early.Then(late)
	o.Rotate, o.FlipH = float64(all.Angle), all.FlipH
}

// setFormat settles the format, and drops what it has no use for, as both peers do.
func (w *thumborWish) setFormat() {
	o := &w.o
	if o.Format == resize.FormatAuto && !w.mount.AutoFormat {
		o.Format = resize.FormatKeep
	}
	if w.jpeg && o.Format == resize.FormatKeep {
		o.Kept = resize.Formats(resize.FormatJPEG, resize.FormatWebP, resize.FormatAVIF, resize.FormatJXL, resize.FormatGIF, resize.FormatTIFF)
	}
	if !o.Format.Raster() {
		return
	}
	if !o.Format.HasQuality() {
		o.Quality, o.MaxBytes = 0, 0
	}
	if !o.Format.HasLossless() {
		o.Lossless = false
	}
}
