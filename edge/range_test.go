package edge

import "testing"

func FuzzRange(f *testing.F) {
	for _, seed := range []string{
		"bytes=0-3", "bytes=7-", "bytes=-3", "bytes=-0", "bytes=9-3", "bytes=0-1,3-4", "lines=0-1", "bytes = 0-1", "bytes=0-",
		"bytes=99999999999999999999-", "bytes=-99999999999999999999", "bytes=0-18446744073709551615", "bytes=", "=", "-", "bytes=--1",
	} {
		f.Add(seed, 10)
		f.Add(seed, 0)
	}
	f.Fuzz(func(t *testing.T, header string, size int) {
		if size < 0 {
			size = -(size + 1)
		}
		part, kind := parseRange(header, size)
		switch kind {
		case rangeOne:
			if part.from < 0 || part.from >= part.to || part.to > size {
				t.Errorf("parseRange(%q, %d) = %v: not a part of the body", header, size, part)
			}
		default:
			if part != (span{}) {
				t.Errorf("parseRange(%q, %d) = %v, %d: a part that is not sent", header, size, part, kind)
			}
		}
	})
}
