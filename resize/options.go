package resize

// Options is what a URL asks for, after presets and dialects have been resolved. It is a flat,
// comparable value: two Options that are == mean the same picture and share one cache entry. The
// zero value asks for the source as it is, upright, in the negotiated format.
//
// Fields hold normalized values: a field whose value equals its default holds the zero value, so
// that equal wishes are equal structs.
type Options struct {
	Width, Height int     // w, h: box in CSS px, 1–16384; 0 = derived
	DPR           float64 // dpr: device px per CSS px, 0.5–8; 0 = 1
	Fit           Fit     // fit
	MinWidth      int     // mw: px; 0 = none
	MinHeight     int     // mh: px; 0 = none
	Zoom          float64 // zoom: 0.01–20; 0 = 1
	Enlarge       bool    // enlarge
	Gravity       Gravity // g
	FocusX        float64 // fx: 0–1 of the upright width, for GravityFocus
	FocusY        float64 // fy: 0–1 of the upright height, for GravityFocus
	OffsetX       Length  // gx
	OffsetY       Length  // gy
	Crop          Region  // crop: region of the upright source; zero = whole
	Ratio         Ratio   // ar: zero = none
	Trim          int     // trim: tolerance 1–255; 0 = off
	Pad           Padding // pad: CSS px
	Background    Background
	NoOrient      bool    // orient=0: EXIF orientation is not followed
	Rotate        float64 // rot: degrees clockwise, 0 ≤ rot < 360
	FlipH, FlipV  bool    // flip

	Blur       float64   // blur: sigma in output px
	Sharpen    float64   // sharpen: sigma in output px
	Pixelate   int       // pixelate: block in output px
	Brightness int       // bri: −100–100
	Contrast   int       // con: −100–100
	Saturation int       // sat: −100–100
	Hue        int       // hue: degrees 0–359
	Gray       bool      // gray
	Duotone    Duotone   // duotone
	Round      Round     // round: CSS px; blur, sharpen and pixelate are output px at any dpr
	Watermark  Watermark // wm…
	Text       Text      // txt…

	Format      Format   // f; FormatAuto is the zero value
	Offer       Offer    // for auto and best: the formats the client takes, in the source's order; "_ac" in the canonical text
	Quality     int      // q: 1–100; 0 = the format's default
	QualityAuto bool     // q=auto
	Lossless    bool     // lossless
	MaxBytes    int      // mb: ≥ 256; 0 = no limit
	Page        int      // page: from 1; 0 = 1
	Frames      int      // frames: how many to keep; 0 = all
	Still       bool     // anim=0
	Metadata    Metadata // meta
	KeepICC     bool     // icc=keep
	Version     string   // v: ≤ 64 characters

	// What only a dialect can say. In the canonical text the names begin with _; see special.go.
	CropSize   Extent    // _cs: size of the region that is kept, instead of Crop; zero = none
	CropAt     Anchor    // _cg: where CropSize lies; zero = center
	RatioGrows bool      // _ce: Ratio enlarges the region of CropSize instead of reducing it
	ZoomY      float64   // _zy: vertical zoom, 0.01–20; 0 = Zoom
	Extend     Extend    // _ex: what is smaller than the box is extended, whatever Fit says
	ExtendAt   Anchor    // _xg: where the picture lies on the canvas of Extend and FitPad; not given = g
	Measured   bool      // _ms: sides and padding are computed as imgproxy computes them
	MaxSide    int       // _md: px; what would be longer is scaled down to it; 0 = none
	TrimColor  TrimColor // _tc
	TrimEqual  TrimEqual // _te
	Kept       FormatSet // _kf: source formats that f=keep, and f=auto after the offer, keep; zero = f=keep every one, f=auto none
	Qualities  Qualities // _fq: where q is not given
	Untouched  FormatSet // _sp: sources in these formats are answered as they are, if the result would have the same format
	Hashsum    string    // _hs: algorithm.hex that the original's bytes must have

	// Likewise; see late.go.
	SourceSide SourceSide // _os: this side of the box is the source's, after its crop
	Adaptive   bool       // _ad: Width and Height change places where source and box are of different orientation
	Uncut      bool       // _nc: FitCover without its crop
	Proportion float64    // _pr: scales the result of the fit, whatever Enlarge says; 0 = 1
	FocusAt    FocusPoint // _fa: for GravityFocus, instead of FocusX and FocusY
	LateTurn   Turn       // _lt: the last part of the turn that Rotate and flips are; Crop in px and FocusAt speak of the picture before it
	TrimCorner TrimCorner // _tp: whose color trim cuts off
	Untrimmed  bool       // _tu: Crop and focal point speak of the picture before trim
}

// Fit says how the picture meets its box.
type Fit uint8

// The fits of the URL contract; FitContain is the default.
const (
	FitContain   Fit = iota // inside the box
	FitCover                // fill the box, crop the rest
	FitCoverDown            // as cover; too small a source is cropped to the box's ratio
	FitPad                  // inside the box, then extended to it
	FitStretch              // exactly the box, ratio ignored
	FitAuto                 // cover where source and box are of one orientation, else contain
)

// Gravity says which part a crop or a pad keeps.
type Gravity uint8

// The gravities of the URL contract; GravityCenter is the default.
const (
	GravityCenter Gravity = iota
	GravityNorth
	GravityNorthEast
	GravityEast
	GravitySouthEast
	GravitySouth
	GravitySouthWest
	GravityWest
	GravityNorthWest
	GravitySmart   // attention
	GravityEntropy // most detail
	GravityFace    // faces
	GravityFocus   // FocusX, FocusY
)

// Length is an offset: px, or percent of the side it lies along.
type Length struct {
	Value   float64
	Percent bool
}

// Region is a rectangle of the upright source: px, or all four in percent. The zero value is the whole.
type Region struct {
	X, Y, W, H float64
	Percent    bool
}

// Ratio is width to height; the zero value is none.
type Ratio struct{ W, H float64 }

// Padding is in CSS px, sides as in CSS.
type Padding struct{ Top, Right, Bottom, Left int }

// Background is what lies behind: nothing given (the zero value), a color, or derived from the picture.
type Background struct {
	Kind  BackgroundKind
	Color Color
}

// BackgroundKind tells the kinds of Background apart.
type BackgroundKind uint8

// The kinds of background.
const (
	BackgroundNone  BackgroundKind = iota // not given: transparent where the format can, else white
	BackgroundColor                       // rrggbb or rrggbbaa
	BackgroundAuto                        // the mean color of the picture's rim, a fiftieth of its shorter side wide; one for all frames
	BackgroundBlur                        // the picture itself, covering the canvas and blurred by a thirtieth of its longer side
)

// Color is sRGB with straight alpha.
type Color struct{ R, G, B, A uint8 }

// Duotone maps shadows to Dark and lights to Light; On is false in the zero value.
type Duotone struct {
	On          bool
	Dark, Light Color
}

// Round is the radius of the corners in CSS px; Max makes an ellipse.
type Round struct {
	Radius int
	Max    bool
}

// Watermark is a picture laid over the output. Image is a configured name or source/key; "" = none.
type Watermark struct {
	Image   string
	Gravity Gravity
	X, Y    Length
	Scale   float64 // 0–1 of the output's width; 0 = its own size
	Opacity float64 // 0–1; 0 = 1
	Tiled   bool
	Rotate  float64 // degrees clockwise

	// What only a dialect can say.
	Within bool    // _wmb: Scale is of both sides of the output, and the mark fits within them
	ScaleY float64 // _wms: 0–1 of the output's height; with Scale, the mark fits within both; 0 = none
	Along  Axis    // _wmr: repeated in this direction only
	Width  int     // _wmw: px the mark is scaled to fit within; 0 = derived. Scale goes before
	Height int     // _wmh
}

// Text is a line laid over the output. Value is UTF-8, ≤ 200 characters; "" = none.
type Text struct {
	Value   string
	Gravity Gravity
	X, Y    Length
	Size    int // CSS px; 0 = default
	Color   Color
	Colored bool    // Color was given
	Opacity float64 // 0–1; 0 = 1
}

// Metadata says what is kept of EXIF, XMP and IPTC.
type Metadata uint8

// The metadata policies; MetadataNone is the default.
const (
	MetadataNone      Metadata = iota
	MetadataCopyright          // EXIF Copyright and Artist, XMP dc:rights
	MetadataAll                // everything, the position included
)
