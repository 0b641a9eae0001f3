package resize

import (
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf16"
)

// ICCDescription returns the text of the profile's desc tag, "" if there is none that can be read
// (ICC.1:2010 9.2.41 and 10.13, ICC.1:2001 6.5.17).
func ICCDescription(profile []byte) string {
	tag := iccTag(profile, "desc")
	if len(tag) < 12 {
		return ""
	}
	switch string(tag[:4]) {
	case "desc":
		return cleanText(string(prefix(tag[12:], uint64(binary.BigEndian.Uint32(tag[8:])))))
	case "mluc":
		return cleanText(firstRecord(tag))
	default:
		return ""
	}
}

// firstRecord returns the first text of a multiLocalizedUnicodeType.
func firstRecord(tag []byte) string {
	if len(tag) < 28 || binary.BigEndian.Uint32(tag[8:]) == 0 {
		return ""
	}
	length, offset := uint64(binary.BigEndian.Uint32(tag[20:])), uint64(binary.BigEndian.Uint32(tag[24:]))
	if offset > uint64(len(tag)) {
		return ""
	}
	raw := prefix(tag[offset:], length)
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(raw[2*i:])
	}
	return string(utf16.Decode(units))
}

// ICCIsSRGB reports whether the profile is sRGB in all but name: its colorants and its curve are. A
// picture that has it needs no conversion.
func ICCIsSRGB(profile []byte) bool {
	if len(profile) < 132 || string(profile[16:20]) != "RGB " || string(profile[20:24]) != "XYZ " {
		return false
	}
	if iccTag(profile, "A2B0") != nil {
		return false // tables win over the matrix
	}
	// sRGB's primaries adapted to D50, as every sRGB profile holds them.
	for name, want := range map[string][3]float64{
		"rXYZ": {0.4361, 0.2225, 0.0139}, "gXYZ": {0.3851, 0.7169, 0.0971}, "bXYZ": {0.1431, 0.0606, 0.7141},
	} {
		got, ok := iccXYZ(iccTag(profile, name))
		if !ok {
			return false
		}
		for i := range got {
			if math.Abs(got[i]-want[i]) > 0.002 {
				return false
			}
		}
	}
	return iccCurveIsSRGB(iccTag(profile, "rTRC")) && iccCurveIsSRGB(iccTag(profile, "gTRC")) && iccCurveIsSRGB(iccTag(profile, "bTRC"))
}

// iccTag returns the data of a tag, nil if it is absent or out of bounds.
func iccTag(profile []byte, name string) []byte {
	if len(profile) < 132 {
		return nil
	}
	n := min(int(binary.BigEndian.Uint32(profile[128:])&0xFFFF), (len(profile)-132)/12)
	for i := range n {
		entry := profile[132+12*i:]
		if string(entry[:4]) != name {
			continue
		}
		offset, size := uint64(binary.BigEndian.Uint32(entry[4:])), uint64(binary.BigEndian.Uint32(entry[8:]))
		if offset+size > uint64(len(profile)) {
			return nil
		}
		return profile[offset : offset+size]
	}
	return nil
}

func iccXYZ(tag []byte) (xyz [3]float64, ok bool) {
	if len(tag) < 20 || string(tag[:4]) != "XYZ " {
		return xyz, false
	}
	for i := range xyz {
		xyz[i] = fixed(tag[8+4*i:])
	}
	return xyz, true
}

// iccCurveIsSRGB samples the curve against IEC 61966-2-1.
func iccCurveIsSRGB(tag []byte) bool {
	if len(tag) < 12 {
		return false
	}
	for _, x := range []float64{0.02, 0.1, 0.25, 0.5, 0.75, 0.9} {
		want := math.Pow((x+0.055)/1.055, 2.4)
		if x <= 0.04045 {
			want = x / 12.92
		}
		got, ok := iccCurve(tag, x)
		if !ok || math.Abs(got-want) > 0.002 {
			return false
		}
	}
	return true
}

// iccCurve evaluates a sampled curve, or the one parametric form that sRGB profiles use.
func iccCurve(tag []byte, x float64) (float64, bool) {
	switch string(tag[:4]) {
	case "curv":
		n := int(binary.BigEndian.Uint32(tag[8:]) & 0xFFFFFF)
		if n < 16 || len(tag) < 12+2*n {
			return 0, false
		}
		at := x * float64(n-1)
		i := min(int(at), n-2)
		lo, hi := binary.BigEndian.Uint16(tag[12+2*i:]), binary.BigEndian.Uint16(tag[14+2*i:])
		return (float64(lo) + (at-float64(i))*(float64(hi)-float64(lo))) / 65535, true
	case "para":
		if binary.BigEndian.Uint16(tag[8:]) != 3 || len(tag) < 32 {
			return 0, false
		}
		g, a, b, c, d := fixed(tag[12:]), fixed(tag[16:]), fixed(tag[20:]), fixed(tag[24:]), fixed(tag[28:])
		if x >= d {
			return math.Pow(a*x+b, g), true
		}
		return c * x, true
	default:
		return 0, false
	}
}

// fixed reads an s15Fixed16Number.
func fixed(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) / 65536 }

func prefix(b []byte, n uint64) []byte { return b[:min(n, uint64(len(b)))] }

// cleanText keeps a text from a file presentable: valid UTF-8, one line, at most 128 bytes.
func cleanText(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r == '\uFFFD' {
			return -1
		}
		return r
	}, s)
	if len(s) > 128 {
		s = strings.ToValidUTF8(s[:128], "")
	}
	return strings.TrimSpace(s)
}
