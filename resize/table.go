package resize

import (
	"strconv"
	"strings"
)

// Bounds of the option table.
const (
	maxSide    = 16384       // px: w, h, pad, offsets
	maxRegion  = 1_000_000   // px: crop
	maxTerm    = 100_000_000 // of ar, reduced
	maxCount   = 1_000_000   // page, frames
	maxBytes   = 1 << 30     // mb
	maxVersion = 64          // characters of v
	maxText    = 200         // characters of txt
	maxImage   = 1100        // characters of wm: a source's name, a slash and a key
)

// option is one row of the option table, which native URLs, presets, dialects and the canonical text
// share.
type option struct {
	name   string
	values string                              // what is allowed, for errors
	set    func(o *Options, value string) bool // value is decoded; false = not allowed, o is then undefined
	text   func(b []byte, o *Options) []byte   // appends the value, encoded; nothing for the default
}

// table is the option table, in the order of the canonical text.
var table = [...]option{
	whole("w", 1, maxSide, "px", func(o *Options) *int { return &o.Width }),
	whole("h", 1, maxSide, "px", func(o *Options) *int { return &o.Height }),
	decimal("dpr", 0.5, 8, func(o *Options) *float64 { return &o.DPR }),
	word("fit", fitNames[:], func(o *Options) *Fit { return &o.Fit }),
	whole("mw", 1, maxSide, "px", func(o *Options) *int { return &o.MinWidth }),
	whole("mh", 1, maxSide, "px", func(o *Options) *int { return &o.MinHeight }),
	decimal("zoom", 0.01, 20, func(o *Options) *float64 { return &o.Zoom }),
	decimal("_zy", 0.01, 20, func(o *Options) *float64 { return &o.ZoomY }),
	word("_ex", extendNames[:], func(o *Options) *Extend { return &o.Extend }),
	anchored("_xg", false, func(o *Options) *Anchor { return &o.ExtendAt }),
	toggle("_ms", "", "1", func(o *Options) *bool { return &o.Measured }),
	whole("_md", 1, maxSide, "px", func(o *Options) *int { return &o.MaxSide }),
	word("_os", sourceSideNames[:], func(o *Options) *SourceSide { return &o.SourceSide }),
	toggle("_ad", "", "1", func(o *Options) *bool { return &o.Adaptive }),
	toggle("_nc", "", "1", func(o *Options) *bool { return &o.Uncut }),
	decimal("_pr", 0.01, 20, func(o *Options) *float64 { return &o.Proportion }),
	toggle("enlarge", "0", "1", func(o *Options) *bool { return &o.Enlarge }),
	word("g", gravityNames[:], func(o *Options) *Gravity { return &o.Gravity }),
	focus("fx", func(o *Options) *float64 { return &o.FocusX }),
	focus("fy", func(o *Options) *float64 { return &o.FocusY }),
	{"_fa", "x,y: px", setFocusAt, focusAtText},
	offset("gx", func(o *Options) *Length { return &o.OffsetX }),
	offset("gy", func(o *Options) *Length { return &o.OffsetY }),
	{"crop", "x,y,w,h: whole px up to 1000000, or percentages of 0p to 100p; w and h above 0", setCrop, cropText},
	{"_cs", "w,h: px, or percent from 0p to 100p; 0 = the whole side, not both", setCropSize, cropSizeText},
	anchored("_cg", true, func(o *Options) *Anchor { return &o.CropAt }),
	{"ar", "W:H, positive, at most 4 decimals, as 16:9", setRatio, ratioText},
	toggle("_ce", "", "1", func(o *Options) *bool { return &o.RatioGrows }),
	whole("trim", 1, 255, "", func(o *Options) *int { return &o.Trim }),
	{"_tc", "rrggbb", setTrimColor, trimColorText},
	word("_tp", trimCornerNames[:], func(o *Options) *TrimCorner { return &o.TrimCorner }),
	toggle("_tu", "", "1", func(o *Options) *bool { return &o.Untrimmed }),
	word("_te", trimEqualNames[:], func(o *Options) *TrimEqual { return &o.TrimEqual }),
	{"pad", "t[,r[,b[,l]]], each a whole number from 0 to 16384 (px)", setPad, padText},
	{"bg", "rrggbb, rrggbbaa, auto or blur", setBackground, backgroundText},
	toggle("orient", "1", "0", func(o *Options) *bool { return &o.NoOrient }),
	angle("rot", func(o *Options) *float64 { return &o.Rotate }),
	{"flip", "h, v or hv", setFlip, flipText},
	{"_lt", "0h, 90, 90h, 180, 180h, 270 or 270h", setLateTurn, lateTurnText},
	decimal("blur", 0.3, 100, func(o *Options) *float64 { return &o.Blur }),
	decimal("sharpen", 0.1, 10, func(o *Options) *float64 { return &o.Sharpen }),
	whole("pixelate", 2, 256, "px", func(o *Options) *int { return &o.Pixelate }),
	whole("bri", -100, 100, "", func(o *Options) *int { return &o.Brightness }),
	whole("con", -100, 100, "", func(o *Options) *int { return &o.Contrast }),
	whole("sat", -100, 100, "", func(o *Options) *int { return &o.Saturation }),
	whole("hue", 0, 359, "degrees", func(o *Options) *int { return &o.Hue }),
	toggle("gray", "", "1", func(o *Options) *bool { return &o.Gray }),
	{"duotone", "rrggbb,rrggbb", setDuotone, duotoneText},
	{"round", "a whole number from 1 to 16384 (px) or max", setRound, roundText},
	{"wm", "a watermark's name or source/key", setWatermark, watermarkText},
	word("wmg", gravityNames[:GravityNorthWest+1], func(o *Options) *Gravity { return &o.Watermark.Gravity }),
	offset("wmx", func(o *Options) *Length { return &o.Watermark.X }),
	offset("wmy", func(o *Options) *Length { return &o.Watermark.Y }),
	decimal("wms", 0.0001, 1, func(o *Options) *float64 { return &o.Watermark.Scale }),
	opacity("wmo", func(o *Options) *float64 { return &o.Watermark.Opacity }),
	toggle("wmr", "", "1", func(o *Options) *bool { return &o.Watermark.Tiled }),
	angle("wmrot", func(o *Options) *float64 { return &o.Watermark.Rotate }),
	decimal("_wms", 0.0001, 1, func(o *Options) *float64 { return &o.Watermark.ScaleY }),
	word("_wmr", axisNames[:], func(o *Options) *Axis { return &o.Watermark.Along }),
	toggle("_wmb", "", "1", func(o *Options) *bool { return &o.Watermark.Within }),
	whole("_wmw", 1, maxSide, "px", func(o *Options) *int { return &o.Watermark.Width }),
	whole("_wmh", 1, maxSide, "px", func(o *Options) *int { return &o.Watermark.Height }),
	{"txt", "UTF-8 text of 1 to 200 characters without control characters", setText, textText},
	word("txtg", gravityNames[:GravityNorthWest+1], func(o *Options) *Gravity { return &o.Text.Gravity }),
	offset("txtx", func(o *Options) *Length { return &o.Text.X }),
	offset("txty", func(o *Options) *Length { return &o.Text.Y }),
	whole("txts", 1, maxSide, "px", func(o *Options) *int { return &o.Text.Size }),
	{"txtc", "rrggbb or rrggbbaa", setTextColor, textColorText},
	opacity("txto", func(o *Options) *float64 { return &o.Text.Opacity }),
	{"f", "auto, jpeg, png, webp, avif, jxl, gif, tiff, keep, best, json, blurhash, thumbhash or raw", setFormat, formatText},
	{"_ac", "avif, webp and jxl, each at most once, joined by dots", setOffer, offerText},
	formatSet("_kf", func(o *Options) *FormatSet { return &o.Kept }),
	formatSet("_sp", func(o *Options) *FormatSet { return &o.Untouched }),
	{"_fq", "format.quality of jpeg, webp, avif and jxl, joined by commas", setQualities, qualitiesText},
	{"q", "a whole number from 1 to 100 or auto", setQuality, qualityText},
	toggle("lossless", "", "1", func(o *Options) *bool { return &o.Lossless }),
	whole("mb", 256, maxBytes, "bytes", func(o *Options) *int { return &o.MaxBytes }),
	whole("page", 1, maxCount, "", func(o *Options) *int { return &o.Page }),
	whole("frames", 1, maxCount, "", func(o *Options) *int { return &o.Frames }),
	toggle("anim", "1", "0", func(o *Options) *bool { return &o.Still }),
	word("meta", metadataNames[:], func(o *Options) *Metadata { return &o.Metadata }),
	{"icc", "srgb or keep", setICC, iccText},
	{"_hs", "md5, sha1, sha256 or sha512, a dot, and the sum in lower case hex", setHashsum, hashsumText},
	{"v", "UTF-8 text of 1 to 64 characters without control characters", setVersion, versionText},
}

var (
	fitNames      = [...]string{"contain", "cover", "cover-down", "pad", "stretch", "auto"}
	metadataNames = [...]string{"none", "copyright", "all"}
	gravityNames  = [...]string{
		"center", "north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest",
		"smart", "entropy", "face", "fp",
	}
)

// String returns the name that a URL uses.
func (f Fit) String() string { return nameOf(fitNames[:], f) }

// String returns the name that a URL uses.
func (g Gravity) String() string { return nameOf(gravityNames[:], g) }

// String returns the name that a URL uses.
func (m Metadata) String() string { return nameOf(metadataNames[:], m) }

func nameOf[T ~uint8](names []string, value T) string {
	if int(value) >= len(names) {
		return "unknown"
	}
	return names[value]
}

// find returns the row of that name; −1 if there is none.
func find(name string) int {
	for i := range table {
		if table[i].name == name {
			return i
		}
	}
	return -1
}

// whole is a row of whole numbers; 0 is the default.
func whole(name string, low, high int, unit string, field func(*Options) *int) option {
	return option{
		name:   name,
		values: "a whole number from " + strconv.Itoa(low) + " to " + strconv.Itoa(high) + parens(unit),
		set: func(o *Options, value string) bool {
			n, ok := parseWhole(value, low, high)
			*field(o) = n
			return ok
		},
		text: func(b []byte, o *Options) []byte {
			if n := *field(o); n != 0 {
				b = strconv.AppendInt(b, int64(n), 10)
			}
			return b
		},
	}
}

// decimal is a row of decimals; 0 is the default.
func decimal(name string, low, high float64, field func(*Options) *float64) option {
	return option{
		name:   name,
		values: "a number from " + string(appendDecimal(nil, low)) + " to " + string(appendDecimal(nil, high)),
		set: func(o *Options, value string) bool {
			v, ok := parseDecimal(value, low, high)
			*field(o) = v
			return ok
		},
		text: func(b []byte, o *Options) []byte { return appendNonzero(b, *field(o)) },
	}
}

// angle is a row of degrees clockwise; 0 is the default.
func angle(name string, field func(*Options) *float64) option {
	return option{
		name:   name,
		values: "degrees clockwise, from 0 to less than 360",
		set: func(o *Options, value string) bool {
			v, ok := parseAngle(value)
			*field(o) = v
			return ok
		},
		text: func(b []byte, o *Options) []byte { return appendNonzero(b, *field(o)) },
	}
}

// opacity is a row of 0–1 whose field holds 0 for "not given", that is 1, and invisible for 0.
func opacity(name string, field func(*Options) *float64) option {
	return option{
		name:   name,
		values: "a number from 0 to 1",
		set: func(o *Options, value string) bool {
			v, ok := parseDecimal(value, 0, 1)
			if v == 0 {
				v = invisible
			}
			*field(o) = v
			return ok
		},
		text: func(b []byte, o *Options) []byte { return appendNonzero(b, *field(o)) },
	}
}

// focus is a row of a focal point's coordinate, which is written whenever the gravity asks for it.
func focus(name string, field func(*Options) *float64) option {
	return option{
		name:   name,
		values: "a number from 0 to 1",
		set: func(o *Options, value string) bool {
			v, ok := parseDecimal(value, 0, 1)
			*field(o) = v
			return ok
		},
		text: func(b []byte, o *Options) []byte {
			if o.Gravity == GravityFocus && !o.FocusAt.On {
				b = appendDecimal(b, *field(o))
			}
			return b
		},
	}
}

// offset is a row of lengths; 0 is the default.
func offset(name string, field func(*Options) *Length) option {
	return option{
		name:   name,
		values: "px up to 16384, or percent from 0p to 100p",
		set: func(o *Options, value string) bool {
			l, ok := parseLength(value)
			*field(o) = l
			return ok
		},
		text: func(b []byte, o *Options) []byte {
			if l := *field(o); l.Value != 0 {
				b = appendLength(b, l)
			}
			return b
		},
	}
}

// toggle is a row of two words; the first is the default, or "" if the default cannot be written.
func toggle(name, off, on string, field func(*Options) *bool) option {
	values := on
	if off != "" {
		values = off + " or " + on
	}
	return option{
		name:   name,
		values: values,
		set: func(o *Options, value string) bool {
			*field(o) = value == on
			return value == on || value == off
		},
		text: func(b []byte, o *Options) []byte {
			if *field(o) {
				b = append(b, on...)
			}
			return b
		},
	}
}

// word is a row of names; the first is the default.
func word[T ~uint8](name string, names []string, field func(*Options) *T) option {
	return option{
		name:   name,
		values: strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1],
		set: func(o *Options, value string) bool {
			for i := range names {
				if names[i] == value {
					*field(o) = T(i)
					return true
				}
			}
			return false
		},
		text: func(b []byte, o *Options) []byte {
			if v := *field(o); v != 0 {
				b = append(b, nameOf(names, v)...)
			}
			return b
		},
	}
}

func appendNonzero(b []byte, v float64) []byte {
	if v != 0 {
		b = appendDecimal(b, v)
	}
	return b
}

func parens(unit string) string {
	if unit == "" {
		return ""
	}
	return " (" + unit + ")"
}
