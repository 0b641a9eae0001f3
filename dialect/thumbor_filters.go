package dialect

import (
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// thumborFilter is one filter as the path spells it.
type thumborFilter struct {
	name      string
	arguments []string // decoded
}

// filters cuts "filters:…/" off a text. Without it, all of the text is the image.
func (r thumborReader) filters(text string) ([]thumborFilter, string, error) {
	text, ok := strings.CutPrefix(text, "filters:")
	if !ok {
		return nil, text, nil
	}
	end := strings.Index(text, ")/")
	if r.imagor {
		end = r.outside(text, '/') - 1
	}
	if end < 0 {
		return nil, "", resize.BadOption("filters: they do not end in )/")
	}
	spelt, image := text[:end+1], text[min(end+2, len(text)):]
	var filters []thumborFilter
	for spelt != "" {
		var one string
		one, spelt = r.cutFilter(spelt)
		f, err := r.filter(one)
		if err != nil {
			return nil, "", err
		}
		filters = append(filters, f)
	}
	return filters, image, nil
}

// cutFilter cuts the first filter off.
func (r thumborReader) cutFilter(s string) (one, rest string) {
	if r.imagor {
		if i := r.outside(s, ':'); i >= 0 {
			return s[:i], s[i+1:]
		}
		return s, ""
	}
	if i := strings.Index(s, "):"); i >= 0 {
		return s[:i+1], s[i+2:]
	}
	return s, ""
}

// filter reads name(argument,…).
func (r thumborReader) filter(s string) (thumborFilter, error) {
	name, rest, ok := strings.Cut(s, "(")
	inner, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed || !filterName(name) {
		return thumborFilter{}, resize.BadOption("filters: " + quote(s) + " is not of the form name(arguments)")
	}
	f := thumborFilter{name: name}
	if strings.Trim(inner, " ") == "" {
		return f, nil
	}
	for more := true; more; {
		argument := inner
		i := r.outside(inner, ',')
		if more = i >= 0; more {
			argument, inner = inner[:i], inner[i+1:]
		}
		argument = strings.Trim(r.unescape(argument), " ")
		if !r.imagor && len(argument) > 2 && argument[0] == '\'' && argument[len(argument)-1] == '\'' {
			argument = argument[1 : len(argument)-1]
		}
		f.arguments = append(f.arguments, argument)
	}
	return f, nil
}

// outside returns where c occurs first outside of brackets, which only imagor counts; −1 if it does not.
func (r thumborReader) outside(s string, c byte) int {
	depth := 0
	for i := range len(s) {
		switch {
		case s[i] == c && (depth <= 0 || !r.imagor):
			return i
		case s[i] == '(':
			depth++
		case s[i] == ')':
			depth--
		}
	}
	return -1
}

func filterName(s string) bool {
	for i := range len(s) {
		if (s[i] < 'a' || s[i] > 'z') && s[i] != '_' && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// filterRow is one row of the table of filters.
type filterRow struct {
	name        string
	least, most int  // arguments
	once        bool // a second one is an error; of the others, the last one counts or all do
	apply       func(w *thumborWish, arguments []string) error
}

// filterRows is the table of filters, of both flavors.
var filterRows = [...]filterRow{
	{"attachment", 0, 1, false, (*thumborWish).attachment},
	{"autojpg", 0, 1, false, (*thumborWish).autojpg},
	{"avgcolor", 0, 0, false, (*thumborWish).describes},
	{"background_color", 1, 1, false, (*thumborWish).backgroundColor},
	{"blur", 1, 2, true, (*thumborWish).blur},
	{"blurhash", 0, 2, false, (*thumborWish).blurhash},
	{"brightness", 1, 1, true, (*thumborWish).brightness},
	{"contrast", 1, 1, true, (*thumborWish).contrast},
	{"cover", 0, 0, false, (*thumborWish).cover},
	{"expire", 1, 1, false, (*thumborWish).expire},
	{"fill", 1, 2, true, (*thumborWish).fillBox},
	{"focal", 1, 2, false, (*thumborWish).focal},
	{"format", 1, 1, false, (*thumborWish).format},
	{"grayscale", 0, 0, false, (*thumborWish).grayscale},
	{"hue", 1, 1, true, (*thumborWish).hue},
	{"label", 1, 7, true, (*thumborWish).label},
	{"lossless", 0, 0, false, (*thumborWish).lossless},
	{"max_age", 1, 1, false, (*thumborWish).maxAge},
	{"max_bytes", 1, 1, false, (*thumborWish).maxBytes},
	{"max_frames", 1, 1, false, (*thumborWish).maxFrames},
	{"no_upscale", 0, 0, false, (*thumborWish).noUpscale},
	{"orient", 1, 1, true, (*thumborWish).orient},
	{"padding", 2, 5, true, (*thumborWish).padding},
	{"page", 1, 1, false, (*thumborWish).page},
	{"pixelate", 0, 1, true, (*thumborWish).pixelate},
	{"preview", 0, 0, false, (*thumborWish).nothing},
	{"proportion", 1, 1, true, (*thumborWish).proportion},
	{"quality", 1, 1, false, (*thumborWish).quality},
	{"raw", 0, 0, false, (*thumborWish).raw},
	{"rotate", 1, 1, false, (*thumborWish).rotate},
	{"round_corner", 1, 5, true, (*thumborWish).roundCorner},
	{"saturation", 1, 1, true, (*thumborWish).saturation},
	{"sharpen", 1, 3, true, (*thumborWish).sharpen},
	{"stretch", 0, 0, false, (*thumborWish).stretch},
	{"strip_exif", 0, 0, false, (*thumborWish).nothing},
	{"strip_icc", 0, 0, false, (*thumborWish).nothing},
	{"strip_metadata", 0, 0, false, (*thumborWish).nothing},
	{"text", 3, 13, true, (*thumborWish).text},
	{"thumbhash", 0, 0, false, (*thumborWish).describes},
	{"upscale", 0, 0, false, (*thumborWish).upscale},
	{"watermark", 4, 6, true, (*thumborWish).watermark},
}

// A wish can count all rows.
var _ [len(thumborWish{}.seen) - len(filterRows)]struct{}

// refusedFilters are known filters that are not served.
var refusedFilters = [...]string{
	"colorize", "convolution", "crop", "curve", "distributed_collage", "dpi", "draw_detections", "equalize", "extract_focal",
	"frame", "gradient", "image", "invert", "modulate", "noise", "redact", "redact_oval", "red_eye", "rgb", "to_colorspace", "trim",
}

// apply applies one filter to the wish.
func (w *thumborWish) apply(f thumborFilter) error {
	for i := range filterRows {
		row := &filterRows[i]
		if row.name != f.name {
			continue
		}
		if n := len(f.arguments); n < row.least || n > row.most {
			return resize.BadOption("filter " + f.name + ": it has " + counted(n) + "; allowed: " + between(row.least, row.most))
		}
		if row.once && w.seen[i] {
			return resize.BadOption("filter " + f.name + ": it occurs twice")
		}
		w.seen[i] = true
		return row.apply(w, f.arguments)
	}
	for _, name := range refusedFilters {
		if name == f.name {
			return resize.BadOption("filter " + f.name + ": it is not served")
		}
	}
	return resize.BadOption("unknown filter " + quote(f.name))
}

func badFilter(name, value, allowed string) error {
	return resize.BadOption("filter " + name + ": " + quote(value) + " is not allowed; allowed: " + allowed)
}
