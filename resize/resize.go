// Package resize says what picture is asked for and what that means: the options of a URL, their
// canonical text, the formats, the negotiation, and the plan (rectangles, sizes, shrink factors)
// that an engine executes. It is pure Go, needs only the standard library and never touches a pixel.
//
//	o, err := resize.Parse("w=300&h=200&fit=cover")
//	plan, err := o.Plan(source, resize.DefaultLimits())
//
// Three coordinate spaces occur. "Stored" is the picture as the file holds it. "Upright" is the
// stored picture after EXIF orientation, rot by multiples of 90 and flip. "Output" is what the
// client receives. Every rectangle says which one it is in.
package resize

// KeyVersion is part of every cache key. It is raised whenever the same options and the same source
// give other bytes than before.
const KeyVersion = 3

// Result is one finished picture.
type Result struct {
	Body   []byte // encoded bytes; immutable from here on
	Format Format // what Body is
	Width  int    // output px
	Height int    // output px, of one frame
	Frames int    // 1 for a still
	Decode int64  // ns spent before encoding, as far as the engine can tell them apart
	Encode int64  // ns spent encoding
}
