package resize

import (
	"encoding/binary"
	"math"
	"testing"
)

// testProfile builds a profile from its tags.
func testProfile(tags map[string][]byte, order ...string) []byte {
	be := binary.BigEndian
	header := make([]byte, 128)
	copy(header[16:], "RGB XYZ ")
	out := be.AppendUint32(header, uint32(len(order)))
	at := len(out) + 12*len(order)
	var body []byte
	for _, name := range order {
		out = append(out, name...)
		out = be.AppendUint32(out, uint32(at+len(body)))
		out = be.AppendUint32(out, uint32(len(tags[name])))
		body = append(body, tags[name]...)
	}
	return append(out, body...)
}

func testXYZ(x, y, z float64) []byte {
	b := []byte("XYZ \x00\x00\x00\x00")
	for _, v := range []float64{x, y, z} {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(v*65536))))
	}
	return b
}

func testCurve(linear func(float64) float64) []byte {
	b := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), 1024)
	for i := range 1024 {
		b = binary.BigEndian.AppendUint16(b, uint16(math.Round(65535*linear(float64(i)/1023))))
	}
	return b
}

func testParametric(g, a, b, c, d float64) []byte {
	out := []byte("para\x00\x00\x00\x00\x00\x03\x00\x00")
	for _, v := range []float64{g, a, b, c, d} {
		out = binary.BigEndian.AppendUint32(out, uint32(int32(math.Round(v*65536))))
	}
	return out
}

func srgbTags() map[string][]byte {
	curve := testCurve(func(x float64) float64 {
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	})
	return map[string][]byte{
		"rXYZ": testXYZ(0.43607, 0.22249, 0.01392), "gXYZ": testXYZ(0.38515, 0.71687, 0.09708), "bXYZ": testXYZ(0.14307, 0.06061, 0.71410),
		"rTRC": curve, "gTRC": curve, "bTRC": curve,
	}
}

func TestICCIsSRGB(t *testing.T) {
	order := []string{"rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC"}
	with := func(name string, tag []byte) []byte {
		tags := srgbTags()
		tags[name] = tag
		return testProfile(tags, append(append([]string{}, order...), name)...)
	}
	swapped := func(name string, tag []byte) []byte {
		tags := srgbTags()
		tags[name] = tag
		return testProfile(tags, order...)
	}
	if !ICCIsSRGB(testProfile(srgbTags(), order...)) {
		t.Error("sRGB is not recognized")
	}
	para := testParametric(2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045)
	if !ICCIsSRGB(swapped("gTRC", para)) {
		t.Error("sRGB with a parametric curve is not recognized")
	}
	for name, profile := range map[string][]byte{
		"another primary":    swapped("gXYZ", testXYZ(0.29198, 0.69225, 0.04189)),
		"a plain gamma":      swapped("rTRC", testCurve(func(x float64) float64 { return math.Pow(x, 2.2) })),
		"a linear one":       swapped("rTRC", testCurve(func(x float64) float64 { return x })),
		"a gamma number":     swapped("bTRC", []byte("curv\x00\x00\x00\x00\x00\x00\x00\x01\x02\x33")),
		"a short curve":      swapped("bTRC", []byte("curv\x00\x00\x00\x00\x00\x00\x04\x00\x02\x33")),
		"no curve":           swapped("bTRC", nil),
		"another kind":       swapped("bXYZ", []byte("text\x00\x00\x00\x00123456789012")),
		"tables":             with("A2B0", []byte("mft2")),
		"nothing":            nil,
		"cut":                testProfile(srgbTags(), order...)[:300],
		"another parametric": swapped("gTRC", testParametric(2.2, 1, 0, 1, 0)),
	} {
		if ICCIsSRGB(profile) {
			t.Errorf("%s is taken for sRGB", name)
		}
	}
}

func TestICCDescription(t *testing.T) {
	v2 := append(binary.BigEndian.AppendUint32([]byte("desc\x00\x00\x00\x00"), 11), "Display P3\x00more"...)
	v4 := []byte("mluc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0cenUS\x00\x00\x00\x06\x00\x00\x00\x1c\x00P\x003\x00\xe9")
	tests := []struct {
		name string
		tag  []byte
		want string
	}{
		{"version 2", v2, "Display P3"},
		{"version 4", v4, "P3é"},
		{"control characters", append(binary.BigEndian.AppendUint32([]byte("desc\x00\x00\x00\x00"), 9), "a\nb\x1b[1mc\xff"...), "ab[1mc"},
		{"longer than it is", append([]byte("desc\x00\x00\x00\x00\xff\xff\xff\xff"), "x"...), "x"},
		{"offset beyond the end", append(append([]byte{}, v4[:24]...), 0xff, 0xff, 0xff, 0xff), ""},
		{"no record", []byte("mluc\x00\x00\x00\x00\x00\x00\x00\x00"), ""},
		{"another type", []byte("text\x00\x00\x00\x00abcd"), ""},
		{"empty", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ICCDescription(testProfile(map[string][]byte{"desc": tt.tag}, "desc")); got != tt.want {
				t.Errorf("ICCDescription = %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzICC(f *testing.F) {
	f.Add(testProfile(srgbTags(), "rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		ICCDescription(data)
		ICCIsSRGB(data)
	})
}
