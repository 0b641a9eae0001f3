package resize

import (
	"net/url"
	"strconv"
	"strings"
)

// Parse reads a canonical text: options of the URL contract joined by &, values percent-encoded, each
// option at most once, in any order, and the names that only a dialect or a negotiation can say
// (beginning with _). The empty text is the zero value. Errors are *Error with code bad_option.
func Parse(canonical string) (Options, error) {
	var d Draft
	for canonical != "" {
		var pair string
		var more bool
		pair, canonical, more = strings.Cut(canonical, "&")
		name, value, _ := strings.Cut(pair, "=")
		if err := d.SetEscaped(name, value); err != nil {
			return Options{}, err
		}
		if more && canonical == "" {
			return Options{}, BadOption("an option is empty: the text ends in &")
		}
	}
	return d.Finish()
}

// String returns the canonical text of o, normalized: fixed order, defaults left out, one spelling a
// value. Parse reads it back.
func (o Options) String() string {
	o = o.Normalize()
	b := make([]byte, 0, 128)
	for i := range table {
		start := len(b)
		if start > 0 {
			b = append(b, '&')
		}
		b = append(b, table[i].name...)
		b = append(b, '=')
		before := len(b)
		if b = table[i].text(b, &o); len(b) == before {
			b = b[:start]
		}
	}
	return string(b)
}

// Set sets one option from its decoded text. Names beginning with _ and negative offsets, which a
// native URL may not use, are taken. It leaves o as it was on an error, which is an *Error with code
// bad_option. Callers that use it directly call Normalize and Validate at the end; Draft does both.
func (o *Options) Set(name, value string) error {
	row := find(name)
	if row < 0 {
		return unknownOption(name)
	}
	return o.set(row, value)
}

func (o *Options) set(row int, value string) error {
	before := *o
	if value == "" {
		return BadOption(table[row].name + ": the value is empty; allowed: " + table[row].values)
	}
	if !table[row].set(o, value) {
		*o = before
		return badValue(table[row].name, value, table[row].values)
	}
	return nil
}

// Names returns the names of all options of the URL contract that describe the picture, in the order
// of the canonical text.
func Names() []string {
	names := make([]string, 0, len(table))
	for i := range table {
		if table[i].name[0] != '_' {
			names = append(names, table[i].name)
		}
	}
	return names
}

// Allowed returns what values the option takes, in words; "" for an unknown name.
func Allowed(name string) string {
	if row := find(name); row >= 0 {
		return table[row].values
	}
	return ""
}

// unescape decodes a value once. A plus is a plus.
func unescape(name, value string) (string, error) {
	decoded, err := url.PathUnescape(value)
	if err != nil {
		return "", BadOption(name + ": " + quote(value) + " is not percent-encoded text")
	}
	return decoded, nil
}

func unknownOption(name string) *Error {
	return BadOption("unknown option " + quote(name))
}

func badValue(name, value, allowed string) *Error {
	return BadOption(name + ": " + quote(value) + " is not allowed; allowed: " + allowed)
}

// quote returns s in quotes, cut where it is too long to be read.
func quote(s string) string {
	const longest = 64
	if len(s) > longest {
		return strconv.QuoteToASCII(s[:longest]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
