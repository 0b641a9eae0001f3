package resize

import (
	"slices"
	"strings"
)

// Negotiate returns o as asked by a client that takes offer: only auto and best depend on it.
func (o Options) Negotiate(offer Offer) Options {
	o.Offer = Offer{}
	if o.Format.Negotiated() {
		o.Offer = offer.compact()
	}
	return o
}

// ParseAccept returns which of the formats in order (AVIF, WebP and JXL; others are passed over) the
// client names in its Accept header (RFC 9110, 12.5.1; several lines are joined by commas) with a
// q above 0, in that order. A wildcard names nothing. Where a format is named more than once the
// highest q counts; a q that is no qvalue counts as 0. It does not allocate.
func ParseAccept(header string, order []Format) Offer {
	var named [FormatJXL + 1]bool
	for header != "" {
		var element string
		element, header = cutUnquoted(header, ',')
		name, parameters := cutUnquoted(element, ';')
		if f := offered(strings.Trim(name, " \t")); f != FormatAuto && acceptable(parameters) {
			named[f] = true
		}
	}
	var offer Offer
	for _, f := range order {
		if f.offerable() && named[f] {
			offer.add(f)
		}
	}
	return offer
}

// Offers returns what browsers take of the formats in order, the most first and each offer once: those that know
// JPEG XL know AVIF, those that know AVIF know WebP, and old ones know WebP alone or none of them.
func Offers(order []Format) []Offer {
	var all []Offer
	for _, accept := range [...]string{"image/jxl,image/avif,image/webp", "image/avif,image/webp", "image/webp", ""} {
		if offer := ParseAccept(accept, order); !slices.Contains(all, offer) {
			all = append(all, offer)
		}
	}
	return all
}

// offerable tells whether f can be part of an Offer.
func (f Format) offerable() bool { return f == FormatAVIF || f == FormatWebP || f == FormatJXL }

// offered returns the offerable format of that media type; FormatAuto if there is none.
func offered(mime string) Format {
	for _, f := range [...]Format{FormatAVIF, FormatWebP, FormatJXL} {
		if strings.EqualFold(mime, f.MIME()) {
			return f
		}
	}
	return FormatAuto
}

// acceptable tells whether the parameters of a media range leave it a q above 0.
func acceptable(parameters string) bool {
	for parameters != "" {
		var parameter string
		parameter, parameters = cutUnquoted(parameters, ';')
		name, value, _ := strings.Cut(parameter, "=")
		if strings.EqualFold(strings.Trim(name, " \t"), "q") {
			return positive(strings.Trim(value, " \t"))
		}
	}
	return true
}

// positive tells whether s is a qvalue (RFC 9110, 12.4.2) above 0.
func positive(s string) bool {
	if s == "" || len(s) > 5 || (len(s) > 1 && s[1] != '.') {
		return false
	}
	above := s[0] == '1'
	for i := 2; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' || (s[0] == '1' && s[i] != '0') {
			return false
		}
		above = above || s[i] != '0'
	}
	return above && (s[0] == '0' || s[0] == '1')
}

// cutUnquoted cuts s at the first sep that is outside a quoted string (RFC 9110, 5.6.4).
func cutUnquoted(s string, sep byte) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == sep && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}
