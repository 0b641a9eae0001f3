package sample

import (
	"encoding/binary"
	"image"
	"math"
)

// Space is an RGB color space with a D65 white.
type Space struct {
	name      string
	primaries [3][2]float64 // x, y of red, green, blue (CIE 1931)
	gamma     float64       // 0 = the sRGB curve
}

// The color spaces of the gallery.
var (
	SRGB      = Space{name: "sRGB (sample)", primaries: [3][2]float64{{.640, .330}, {.300, .600}, {.150, .060}}}
	DisplayP3 = Space{name: "Display P3 (sample)", primaries: [3][2]float64{{.680, .320}, {.265, .690}, {.150, .060}}}
	AdobeRGB  = Space{name: "Adobe RGB compatible (sample)", primaries: [3][2]float64{{.640, .330}, {.210, .710}, {.150, .060}}, gamma: 563.0 / 256}
)

// matrix is 3 × 3, by rows.
type matrix [3][3]float64

var (
	whiteD65 = [3]float64{.3127 / .3290, 1, (1 - .3127 - .3290) / .3290}
	whiteD50 = [3]float64{.9642, 1, .8249}                                                      // ICC.1:2001-04, profile connection space
	bradford = matrix{{.8951, .2664, -.1614}, {-.7502, 1.7135, .0367}, {.0389, -.0685, 1.0296}} // cone response
)

func (m matrix) apply(v [3]float64) (out [3]float64) {
	for i := range out {
		out[i] = m[i][0]*v[0] + m[i][1]*v[1] + m[i][2]*v[2]
	}
	return out
}

func (m matrix) times(n matrix) (out matrix) {
	for i := range 3 {
		for j := range 3 {
			out[i][j] = m[i][0]*n[0][j] + m[i][1]*n[1][j] + m[i][2]*n[2][j]
		}
	}
	return out
}

func (m matrix) inverse() (out matrix) {
	for i := range 3 {
		a, b := (i+1)%3, (i+2)%3
		for j := range 3 {
			c, d := (j+1)%3, (j+2)%3
			out[j][i] = m[a][c]*m[b][d] - m[a][d]*m[b][c]
		}
	}
	det := m[0][0]*out[0][0] + m[0][1]*out[1][0] + m[0][2]*out[2][0]
	for i := range 3 {
		for j := range 3 {
			out[i][j] /= det
		}
	}
	return out
}

// xyz turns linear RGB of s into XYZ as seen under D65.
func (s Space) xyz() matrix {
	var m matrix
	for j, p := range s.primaries {
		m[0][j], m[1][j], m[2][j] = p[0]/p[1], 1, (1-p[0]-p[1])/p[1]
	}
	scale := m.inverse().apply(whiteD65)
	for i := range 3 {
		for j := range 3 {
			m[i][j] *= scale[j]
		}
	}
	return m
}

// pcs turns linear RGB of s into XYZ adapted to D50, as a profile states it.
func (s Space) pcs() matrix {
	from, to := bradford.apply(whiteD65), bradford.apply(whiteD50)
	adapt := matrix{{to[0] / from[0], 0, 0}, {0, to[1] / from[1], 0}, {0, 0, to[2] / from[2]}}
	return bradford.inverse().times(adapt).times(bradford).times(s.xyz())
}

// linear turns a channel's value 0–1 into light 0–1.
func (s Space) linear(v float64) float64 {
	switch {
	case s.gamma != 0:
		return math.Pow(v, s.gamma)
	case v <= .04045:
		return v / 12.92
	}
	return math.Pow((v+.055)/1.055, 2.4)
}

// encode undoes linear.
func (s Space) encode(v float64) float64 {
	switch {
	case s.gamma != 0:
		return math.Pow(v, 1/s.gamma)
	case v <= .0031308:
		return v * 12.92
	}
	return 1.055*math.Pow(v, 1/2.4) - .055
}

// Convert returns the colors of img, which are numbers of s, as numbers of to. Colors that to cannot
// hold are cut off. Alpha is not looked at: img is opaque.
func (s Space) Convert(img *image.RGBA, to Space) *image.RGBA {
	m := to.xyz().inverse().times(s.xyz())
	var light [256]float64
	for i := range light {
		light[i] = s.linear(float64(i) / 255)
	}
	out := image.NewRGBA(img.Rect)
	for i := 0; i < len(img.Pix); i += 4 {
		p, q := img.Pix[i:i+4:i+4], out.Pix[i:i+4:i+4]
		c := m.apply([3]float64{light[p[0]], light[p[1]], light[p[2]]})
		for j, v := range c {
			q[j] = level(to.encode(clamp(v)))
		}
		q[3] = p[3]
	}
	return out
}

// curvePoints is how many points the sRGB curve is written with.
const curvePoints = 1024

// ICC returns the profile of s: version 2, matrix and curves (ICC.1:2001-04).
func (s Space) ICC() []byte {
	m := s.pcs()
	column := func(j int) []byte { return xyzTag([3]float64{m[0][j], m[1][j], m[2][j]}) }
	curve := s.curveTag()
	return profile([]tag{
		{"desc", descTag(s.name)},
		{"cprt", append([]byte("text\x00\x00\x00\x00Public domain"), 0)},
		{"wtpt", xyzTag(whiteD50)},
		{"rXYZ", column(0)},
		{"gXYZ", column(1)},
		{"bXYZ", column(2)},
		{"rTRC", curve},
		{"gTRC", curve},
		{"bTRC", curve},
	})
}

// tag is one element of a profile.
type tag struct {
	name string
	data []byte
}

// profile puts header, tag table and elements together.
func profile(tags []tag) []byte {
	const headerSize = 128
	b := make([]byte, headerSize, 4096)
	copy(b[8:], []byte{2, 0x10, 0, 0}) // version 2.1
	copy(b[12:], "mntrRGB XYZ ")
	copy(b[24:], []byte{0x07, 0xea, 0, 1, 0, 1}) // made 2026-01-01
	copy(b[36:], "acsp")
	copy(b[68:], xyzTag(whiteD50)[8:])
	at := headerSize + 4 + 12*len(tags)
	b = binary.BigEndian.AppendUint32(b, uint32(len(tags)))
	var body []byte
	for _, t := range tags {
		b = append(b, t.name...)
		b = binary.BigEndian.AppendUint32(b, uint32(at+len(body)))
		b = binary.BigEndian.AppendUint32(b, uint32(len(t.data)))
		body = append(body, t.data...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	b = append(b, body...)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

func xyzTag(v [3]float64) []byte {
	b := []byte("XYZ \x00\x00\x00\x00")
	for _, f := range v {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(f*65536))))
	}
	return b
}

// descTag is a textDescriptionType with empty Unicode and ScriptCode parts.
func descTag(text string) []byte {
	b := []byte("desc\x00\x00\x00\x00")
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)+1))
	b = append(append(b, text...), 0)
	return append(b, make([]byte, 4+4+2+1+67)...)
}

func (s Space) curveTag() []byte {
	b := []byte("curv\x00\x00\x00\x00")
	if s.gamma != 0 {
		b = binary.BigEndian.AppendUint32(b, 1)
		return binary.BigEndian.AppendUint16(b, uint16(math.Round(s.gamma*256)))
	}
	b = binary.BigEndian.AppendUint32(b, curvePoints)
	for i := range curvePoints {
		b = binary.BigEndian.AppendUint16(b, uint16(math.Round(s.linear(float64(i)/(curvePoints-1))*65535)))
	}
	return b
}
