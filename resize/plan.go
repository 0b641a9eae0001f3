package resize

import "image"

// Plan is everything an engine needs to make one picture, computed from Options and Source alone.
// The engine executes the fields in their order and decides nothing.
//
//	load (Page, Frames, Shrink, Scale) → Region → resize to Scaled → Turn → Window →
//	Angle → pad to Canvas → flatten → encode
type Plan struct {
	Source Source // what was probed

	// Loading.
	Page   int     // first page or frame to load, from 0
	Frames int     // how many, at least 1
	Shrink int     // JPEG shrink-on-load: 1, 2, 4 or 8
	Scale  float64 // WebP scale-on-load, 0 < Scale ≤ 1; 1 = none

	// Geometry.
	Region image.Rectangle // stored px at full resolution: what is kept before scaling; the whole picture if nothing is cropped
	Scaled image.Point     // size after scaling, stored orientation (before Turn), output px
	Turn   Turn            // stored → upright, applied to the scaled picture
	Window image.Rectangle // upright output px: what is kept of the scaled picture; the whole if nothing is cropped
	Pick   Gravity         // GravitySmart or GravityEntropy: the engine chooses the window's place itself; else GravityCenter
	Angle  float64         // degrees clockwise, not a multiple of 90; 0 = none. Enlarges the canvas
	Canvas image.Point     // final size if padded, output px; zero = no padding
	Offset image.Point     // where the picture lies on Canvas

	// Colour and encoding.
	Background  Color // behind pad, angle and flattening; A = 0 is transparent
	Flatten     bool  // the format has no alpha, or bg was given
	Format      Format
	Quality     int // 1–100
	Lossless    bool
	Effort      int // as the format's encoder counts it
	Metadata    Metadata
	KeepICC     bool
	Orientation int // EXIF tag to write when metadata is kept: 1, or the source's when orient=0

	// Size of the result (of one frame), output px. With Angle, Angle's enlarged size is included.
	Width, Height int

	// What it will cost.
	Memory int64 // bytes, estimated peak
	Pixels int64 // px that the decoder has to produce
}

// Turn is one of the eight ways to place a picture upright, in the order: rotate clockwise, then mirror.
type Turn struct {
	Angle int  // 0, 90, 180 or 270 degrees clockwise
	FlipH bool // mirrored left to right, after the rotation
}
