package dialect

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/imgedge/imgedge/resize"
)

// option cuts a pair into its name and its decoded value. An empty pair or value is an error.
func option(pair string) (name, value string, err error) {
	name, value, _ = strings.Cut(pair, "=")
	switch {
	case name == "":
		return "", "", emptyOption()
	case value == "":
		return "", "", empty(name)
	}
	if value, err = url.PathUnescape(value); err != nil {
		return "", "", resize.BadOption(quote(name) + ": the value is not percent-encoded text")
	}
	return name, value, nil
}

// set sets an option of the picture as a native URL may write it: neither the names that only dialects
// use, nor a minus where the option has no negative values.
func set(d *resize.Draft, name, value string) error {
	if strings.HasPrefix(name, "_") {
		return resize.BadOption("unknown option " + quote(name))
	}
	if value != "" && value[0] == '-' {
		switch name {
		case "gx", "gy", "wmx", "wmy", "txtx", "txty":
			return resize.BadOption(name + ": " + quote(value) + " is not allowed; allowed: " + resize.Allowed(name))
		}
	}
	return d.Set(name, value)
}

// openable tells whether an option may stand behind the signature.
func openable(name string) bool {
	switch name {
	case "w", "h", "dpr", "q", "f":
		return true
	default:
		return false
	}
}

// checkOpen checks the value of open: names that can be opened, each once.
func checkOpen(value string) error {
	for at, rest, more := 0, value, true; more; {
		var name string
		name, rest, more = strings.Cut(rest, ",")
		if !openable(name) || listed(value[:max(at-1, 0)], name) {
			return resize.BadOption("open: " + quote(name) + " is not allowed; allowed: w, h, dpr, q and f, each once")
		}
		at += len(name) + 1
	}
	return nil
}

// listed tells whether name is in a comma separated list.
func listed(list, name string) bool {
	for more := list != ""; more; {
		var item string
		if item, list, more = strings.Cut(list, ","); item == name {
			return true
		}
	}
	return false
}

// checkOpened checks the value just set by an option that nobody signed, so that such options cannot
// fill the cache with arbitrary variants.
func (p *parser) checkOpened(name string) error {
	o := &p.draft.Options
	switch name {
	case "w":
		return p.checkWidth(name, o.Width)
	case "h":
		return p.checkWidth(name, o.Height)
	case "dpr":
		switch o.DPR {
		case 1, 1.5, 2, 3:
			return nil
		}
		return unsigned(name, strconv.FormatFloat(o.DPR, 'f', -1, 64), "1, 1.5, 2 and 3")
	case "q":
		if o.QualityAuto {
			return unsigned(name, "auto", "multiples of 5")
		}
		if o.Quality%5 != 0 {
			return unsigned(name, strconv.Itoa(o.Quality), "multiples of 5")
		}
	case "f":
		if o.Format != resize.FormatAuto && !o.Format.Raster() {
			return unsigned(name, o.Format.String(), "auto, jpeg, png, webp, avif, jxl, gif and tiff")
		}
	}
	return nil
}

func (p *parser) checkWidth(name string, px int) error {
	if len(p.rules.Widths) == 0 {
		return resize.BadOption(name + ": this source has no widths, so its sizes must be signed")
	}
	text := make([]byte, 0, 64)
	for i, width := range p.rules.Widths {
		if width == px {
			return nil
		}
		if i > 0 {
			text = append(text, ", "...)
		}
		text = strconv.AppendInt(text, int64(width), 10)
	}
	return unsigned(name, strconv.Itoa(px), string(text))
}

// fileName checks the value of dl: one name of a file, safe in a header and on any disk.
func fileName(s string) (string, error) {
	const longest = 255
	unsafe := func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) }
	if len(s) > longest || !utf8.ValidString(s) || s == "." || s == ".." || strings.ContainsFunc(s, unsafe) {
		return "", resize.BadOption("dl: " + quote(s) + " is not allowed; allowed: a file name of up to 255 bytes of UTF-8 without slashes and control characters")
	}
	return s, nil
}

// lookup returns the undecoded value of the first option of that name.
func lookup(query, name string) (string, bool) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if value, ok := strings.CutPrefix(pair, name); ok && strings.HasPrefix(value, "=") {
			return value[1:], true
		}
	}
	return "", false
}

func emptyOption() error { return resize.BadOption("an option is empty") }

func empty(name string) error {
	if allowed := resize.Allowed(name); allowed != "" {
		return resize.BadOption(name + ": the value is empty; allowed: " + allowed)
	}
	return resize.BadOption(quote(name) + ": the value is empty")
}

func twice(name string) error { return resize.BadOption(name + ": the option occurs twice") }

func notUnsigned(name string) error {
	return resize.BadOption(quote(name) + ": this source is unsigned and takes only p, w, h, dpr, q and f")
}

func unsigned(name, value, allowed string) error {
	return resize.BadOption(name + ": " + value + " is not allowed without a signature; allowed: " + allowed)
}

// quote returns s in quotes, cut where it is too long to be read.
func quote(s string) string {
	const longest = 64
	if len(s) > longest {
		return strconv.QuoteToASCII(s[:longest]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
