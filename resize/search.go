package resize

import (
	"image"
	"time"
)

// Search says what the engine finds out by trying where the options leave the encoder's settings open.
// The zero value encodes once, as the Plan says.
type Search struct {
	Auto     bool       // q=auto: the lowest quality whose SSIM reaches the engine's target
	MaxBytes int        // mb: quality is lowered until the result fits; 0 = no limit
	Best     [6]Encoder // f=best: the smallest result of these; the first of equal ones. Unused places are zero
	Reuse    bool       // the source, stripped of its metadata, is the answer where it is smaller
}

// Encoder is a format with its settings.
type Encoder struct {
	Format   Format
	Quality  int // 1–100; 0 for formats without
	Lossless bool
	Effort   int
}

// Tries reports whether the encoder may have to run more than once.
func (s Search) Tries() bool { return s.Auto || s.MaxBytes > 0 || s.Best != [6]Encoder{} }

// With returns the plan with another encoder.
func (p Plan) With(e Encoder) Plan {
	p.Format, p.Quality, p.Lossless, p.Effort = e.Format, e.Quality, e.Lossless, e.Effort
	return p
}

// encoder returns the settings that the options ask for in a format.
func (o Options) encoder(f Format) Encoder {
	e := Encoder{Format: f, Quality: f.Quality(), Lossless: o.Lossless && f.HasLossless(), Effort: f.effort()}
	if q := o.Qualities.Of(f); q > 0 {
		e.Quality = q
	}
	if o.Quality > 0 && e.Quality > 0 {
		e.Quality = o.Quality
	}
	return e
}

// search returns what is to be tried for a picture whose plan is otherwise complete.
func (o Options) search(p Plan, transparent bool, budget time.Duration) Search {
	s := Search{Reuse: o.reuses(p)}
	if o.Format == FormatBest {
		s.Best = o.candidates(p, transparent, budget)
		s.Auto, s.MaxBytes = o.Quality == 0 && !o.Lossless, o.MaxBytes
	} else if p.Quality > 0 && !p.Lossless {
		s.Auto, s.MaxBytes = o.QualityAuto, o.MaxBytes
	}
	if p.Animated() {
		s.Auto = false // px of many frames are too many to compare
	}
	return s
}

// candidates returns what f=best chooses from: what the client takes and what every client takes, also
// without loss, which is less for drawings. What cannot be had within the budget is left out, but for what
// every client takes.
func (o Options) candidates(p Plan, transparent bool, budget time.Duration) (all [6]Encoder) {
	n := 0
	pixels := int64(p.Width) * int64(p.Height) * int64(p.Frames)
	add := func(e Encoder) {
		if !e.Format.holds(p.Width, p.Height) || p.Animated() && !e.Format.animates() {
			return
		}
		e, took := o.afford(e, pixels, budget)
		if budget <= 0 || took <= budget || !e.Format.offerable() {
			all[n] = e
			n++
		}
	}
	for _, f := range o.Offer {
		if f == FormatAuto {
			continue
		}
		add(o.encoder(f))
		if f == FormatWebP && !o.Lossless && o.Quality == 0 && !p.Animated() {
			exact := o.encoder(f)
			exact.Lossless = true
			add(exact)
		}
	}
	if p.Animated() {
		add(o.encoder(FormatGIF))
		return all
	}
	if !transparent && !o.Lossless {
		add(o.encoder(FormatJPEG))
	}
	add(o.encoder(FormatPNG))
	return all
}

// reuses reports whether the options ask for nothing that is seen, so that the source itself is a
// right answer: size, orientation and format are the source's, and no option touches the px.
func (o Options) reuses(p Plan) bool {
	src := p.Source
	switch src.Format {
	case FormatJPEG, FormatPNG, FormatWebP, FormatGIF:
	default:
		return false
	}
	size := image.Pt(src.Width, src.Height)
	whole := p.Page == 0 && p.Frames == max(1, src.Pages) && p.Region.Size() == size && p.Scaled == size &&
		p.Window.Size() == size && image.Pt(p.Width, p.Height) == size && p.Turn == Turn{} && src.Orientation <= 1
	if !whole || src.CMYK || src.Depth > 8 || o.Background.Kind != BackgroundNone && src.Alpha {
		return false
	}
	return o.sized() == Options{}
}

// sized returns the options without those that choose size, format, quality and metadata: what is left
// is seen in a picture of unchanged size.
func (o Options) sized() Options {
	o.Width, o.Height, o.DPR, o.Fit, o.MinWidth, o.MinHeight = 0, 0, 0, 0, 0, 0
	o.Zoom, o.ZoomY, o.Proportion, o.Enlarge, o.MaxSide = 0, 0, 0, false, 0
	o.Gravity, o.FocusX, o.FocusY, o.OffsetX, o.OffsetY = 0, 0, 0, Length{}, Length{}
	o.Crop, o.Ratio, o.CropSize, o.CropAt, o.RatioGrows = Region{}, Ratio{}, Extent{}, Anchor{}, false
	o.Extend, o.ExtendAt, o.Measured, o.SourceSide, o.Adaptive, o.Uncut = 0, Anchor{}, false, 0, false, false
	o.FocusAt, o.LateTurn, o.NoOrient = FocusPoint{}, Turn{}, false
	o.Rotate, o.FlipH, o.FlipV = 0, false, false // Turn and Angle are in the plan
	o.Background = Background{}
	o.Format, o.Offer, o.Quality, o.QualityAuto, o.Lossless, o.MaxBytes = 0, Offer{}, 0, false, false, 0
	o.Kept, o.Qualities, o.Untouched, o.Hashsum = 0, Qualities{}, 0, ""
	o.Page, o.Frames, o.Still, o.Metadata, o.KeepICC, o.Version = 0, 0, false, 0, false, ""
	return o
}

// small returns the options of a text about the picture: without a size of its own it is about a render
// of SmallSide.
func (o Options) small() Options {
	if o.Format.text() && o.Width == 0 && o.Height == 0 && o.SourceSide == SourceNone {
		o.Width, o.Height, o.Fit = SmallSide, SmallSide, FitContain
	}
	return o
}

// drawn returns the options of a picture without px: it is sharp at any size, and has no metadata.
func (o Options) drawn(src Source) Options {
	if src.Format == FormatSVG {
		o.Enlarge, o.Metadata, o.KeepICC = true, MetadataNone, false
	}
	return o
}

// bytes estimates what the search holds beside one encoder: the px, luma twice, the last results decoded.
// Measured at 3 MP: 35 bytes a px for JPEG, 47 for AVIF, 67 for JXL, most of it garbage not yet
// collected.
func (s Search) bytes(p Plan) int64 {
	if !s.Tries() {
		return 0
	}
	out := int64(p.Width) * int64(p.Height)
	n := s.tried(p.Format) * out
	for _, e := range s.Best {
		if e.Format != FormatAuto {
			n = max(n, p.With(e).finishBytes()-p.finishBytes()+s.tried(e.Format)*out)
		}
	}
	return n + out*int64(p.Frames)*4
}

// tried returns the bytes a px that comparing results takes.
func (s Search) tried(f Format) int64 {
	switch {
	case !s.Auto:
		return 0
	case f == FormatJXL:
		return 70
	case f == FormatAVIF:
		return 48
	default:
		return 36
	}
}
