package edge

import (
	"math"
	"strings"
)

// span is a part of a body: the bytes from..to, to excluded.
type span struct{ from, to int }

// rangeKind says what a Range header asks for.
type rangeKind uint8

const (
	rangeNone          rangeKind = iota // nothing usable: answer the whole (RFC 9110 section 14.2)
	rangeOne                            // one part
	rangeUnsatisfiable                  // 416
)

// parseRange reads a Range header for a body of size bytes. A header that does not parse, has another
// unit, or asks for several parts counts as none.
//
//	bytes=FIRST-LAST | bytes=FIRST- | bytes=-LENGTH
func parseRange(header string, size int) (span, rangeKind) {
	unit, set, ok := strings.Cut(header, "=")
	if !ok || !strings.EqualFold(strings.Trim(unit, " \t"), "bytes") {
		return span{}, rangeNone
	}
	first, last, ok := strings.Cut(strings.Trim(set, " \t"), "-")
	if !ok {
		return span{}, rangeNone
	}
	if first == "" {
		return suffixRange(last, size)
	}
	from, ok := digits(first)
	if !ok {
		return span{}, rangeNone
	}
	to := math.MaxInt
	if last != "" {
		if to, ok = digits(last); !ok || to < from {
			return span{}, rangeNone
		}
	}
	if from >= size {
		return span{}, rangeUnsatisfiable
	}
	return span{from, min(to, size-1) + 1}, rangeOne
}

// suffixRange reads the form -LENGTH: the last bytes.
func suffixRange(length string, size int) (span, rangeKind) {
	n, ok := digits(length)
	switch {
	case !ok:
		return span{}, rangeNone
	case n == 0 || size == 0:
		return span{}, rangeUnsatisfiable
	default:
		return span{max(0, size-n), size}, rangeOne
	}
}

// digits reads 1*DIGIT; a number too large for an int counts as the largest one.
func digits(s string) (int, bool) {
	if s == "" {
		return 0, false
	}
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		d := int(c - '0')
		if n > (math.MaxInt-d)/10 {
			n = math.MaxInt
			continue
		}
		n = n*10 + d
	}
	return n, true
}
