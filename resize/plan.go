package resize

import (
	"fmt"
	"image"
)

// Plan is everything an engine needs to make one picture, computed from Options and Source alone.
// The engine executes the fields in their order and decides nothing.
//
//	load (Page, Frames, Shrink, Scale) → Loaded → resize to Scaled → colour → Turn → Window →
//	Angle → Effects → pad to Canvas → flatten → Overlay → Caption → encode
//
// A step whose outcome is the same may be moved: Window is usually cut before Turn, by Turn.Stored.
type Plan struct {
	Source Source // what was probed
	Trim   Trim   // a search that comes before all else and ends in another plan

	// Loading.
	Page   int             // first page or frame to load, from 0
	Frames int             // how many, at least 1
	Shrink int             // JPEG shrink-on-load: 1, 2, 4 or 8
	Scale  float64         // WebP scale-on-load, 0 < Scale ≤ 1; 1 = none. Of an SVG what it is drawn at, also above 1
	Region image.Rectangle // stored px at full resolution: what is kept before scaling; the whole picture if nothing is cropped
	Loaded image.Rectangle // Region in px of the picture as loaded, after Shrink or Scale

	// Geometry.
	Scaled image.Point     // size after scaling, stored orientation (before Turn), output px
	Turn   Turn            // stored → upright, applied to the scaled picture
	Window image.Rectangle // upright output px: what is kept of the scaled picture; the whole if nothing is cropped
	Pick   Gravity         // GravitySmart or GravityEntropy: the engine chooses the window's place itself; else GravityCenter
	Angle  float64         // degrees clockwise, not a multiple of 90; 0 = none. Enlarges the canvas
	Canvas image.Point     // final size if padded, output px; zero = no padding
	Offset image.Point     // where the picture lies on Canvas

	Effects Effects // what is done to the px; nothing in the zero value

	Overlay Overlay // watermark
	Caption Caption // text, above the watermark

	// DPR is the output px per CSS px that was reached: the wish, or less where a source is too small
	// and may not be enlarged. Lengths of later steps (watermark, text) are multiplied by it.
	DPR float64

	// Colour and encoding.
	Background  Color          // behind pad, angle and flattening; A = 0 is transparent
	Behind      BackgroundKind // BackgroundAuto or BackgroundBlur: the engine derives the background from the picture; else BackgroundNone
	Flatten     bool           // the result is opaque: alpha, if there is any, is laid on Background
	Format      Format
	Quality     int // 1–100; 0 for formats without
	Lossless    bool
	Effort      int // as the format's encoder counts it
	Metadata    Metadata
	KeepICC     bool
	Search      Search
	Orientation int // EXIF tag to write when metadata is kept: 1, or the source's when orient=0

	// Size of the result (of one frame), output px. With Angle, Angle's enlarged size is included.
	Width, Height int

	// What it will cost.
	Memory int64 // bytes, estimated peak beyond the file itself
	Pixels int64 // px that the decoder has to produce
}

// Animated reports whether the result is an animation.
func (p Plan) Animated() bool { return p.Frames > 1 }

// Plan says how the picture is made, or why not: a 400 for options that contradict the source, a 422
// (too_many_pixels, too_many_frames, unsupported_size) for what passes the limits. It allocates
// nothing per pixel and takes microseconds.
func (o Options) Plan(src Source, lim Limits) (Plan, error) {
	if err := lim.checkSource(src); err != nil {
		return Plan{}, err
	}
	o = o.small().drawn(src)
	turn := o.placement(src)
	l, err := o.layout(src, turn)
	if err != nil {
		return Plan{}, err
	}
	page, frames, err := o.frames(src)
	if err != nil {
		return Plan{}, err
	}
	out, err := o.output(src, l, frames, lim)
	if err != nil {
		return Plan{}, err
	}
	if !out.Format.animates() {
		frames = 1
	}
	p := Plan{
		Source: src, Page: page, Frames: frames,
		Turn: turn, Window: l.window, Pick: o.pick(), Angle: o.angle(), Canvas: l.canvas, Offset: l.offset,
		DPR: l.dpr, Background: out.background, Flatten: out.flatten, Format: out.Format,
		Quality: out.Quality, Lossless: out.Lossless, Effort: out.Effort,
		Metadata: o.Metadata, KeepICC: o.KeepICC, Orientation: o.orientation(src),
		Width: l.size.X, Height: l.size.Y,
	}
	picture := Rotated(l.window.Size(), p.Angle)
	if o.Background.Kind != BackgroundColor {
		p.Behind = o.Background.Kind
	}
	p.Effects = o.effects(picture.X, picture.Y, l.dpr)
	stored := image.Pt(src.Width, src.Height)
	p.Region = turn.Stored(l.region, stored)
	p.Scaled = turn.swap(l.scaled)
	p.Shrink, p.Scale, p.Loaded = shrinkOnLoad(src, frames, p.Region, p.Scaled)
	p.Trim = o.trim(src, turn, lim)
	p.Overlay = o.overlay(l.dpr)
	if p.Caption, err = o.caption(l.size, l.dpr); err != nil {
		return Plan{}, err
	}
	p.Search = o.search(p, out.transparent, lim.EncodeBudget)
	p.Memory, p.Pixels = p.cost()
	return p, lim.checkPlan(p)
}

// frames returns the first page, from 0, and how many frames the options keep.
func (o Options) frames(src Source) (page, n int, err error) {
	pages := max(1, src.Pages)
	if o.Page > pages {
		return 0, 0, Unprocessable("unsupported_size", fmt.Sprintf("page=%d: the source has %d", o.Page, pages))
	}
	page = max(0, o.Page-1)
	if !src.Animated || o.Still {
		return page, 1, nil
	}
	n = pages - page
	if o.Frames > 0 {
		n = min(n, o.Frames)
	}
	return page, n, nil
}

// pick returns the gravity that only the pixels can resolve.
func (o Options) pick() Gravity {
	switch {
	case o.CropSize != (Extent{}) && o.CropAt.Gravity.picked():
		return o.CropAt.Gravity
	case o.Gravity.picked():
		return o.Gravity
	default:
		return GravityCenter
	}
}

// picked tells whether only the pixels can resolve the gravity.
func (g Gravity) picked() bool {
	return g == GravitySmart || g == GravityEntropy || g == GravityFace
}

func (o Options) orientation(src Source) int {
	if o.NoOrient {
		return src.Orientation
	}
	return 1
}
