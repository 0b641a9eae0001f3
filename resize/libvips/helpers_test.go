package libvips_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"
	"go.uber.org/goleak"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		if text := os.Getenv(optionsVariable); text != "" {
			os.Exit(renderOptions(path, text))
		}
		os.Exit(renderLarge(path))
	}
	code := m.Run()
	if n := vips.OpenImageRefs(); code == 0 && n != 0 {
		println("pictures left open:", n)
		code = 1
	}
	if err := goleak.Find(); code == 0 && err != nil {
		println(err.Error())
		code = 1
	}
	os.Exit(code)
}

func newEngine(t testing.TB) *libvips.Engine {
	t.Helper()
	e, err := libvips.New(libvips.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// render takes data through probe, plan and run.
func render(t testing.TB, data []byte, o resize.Options) resize.Result {
	t.Helper()
	r, err := tryRender(t.Context(), newEngine(t), data, o, resize.DefaultLimits())
	if err != nil {
		t.Fatalf("%+v: %v%s", o, err, causes(err))
	}
	return r
}

func tryRender(ctx context.Context, e *libvips.Engine, data []byte, o resize.Options, lim resize.Limits) (resize.Result, error) {
	src, err := e.Probe(ctx, data)
	if err != nil {
		return resize.Result{}, err
	}
	plan, err := o.Plan(src, lim)
	if err != nil {
		return resize.Result{}, err
	}
	results, err := e.Run(ctx, data, plan)
	if err != nil {
		return resize.Result{}, err
	}
	return results[0], nil
}

func causes(err error) string {
	var all string
	for err = errors.Unwrap(err); err != nil; err = errors.Unwrap(err) {
		all += "\n" + err.Error()
	}
	return all
}

// decode returns the px of an encoded still.
func decode(t testing.TB, body []byte) *image.NRGBA {
	t.Helper()
	newEngine(t)
	ref, err := vips.LoadImageFromBuffer(body, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	m, err := ref.ToGoImage()
	if err != nil {
		t.Fatal(err)
	}
	return toNRGBA(m)
}

// toNRGBA converts px by px, which the race detector need not see.
//
//go:norace
func toNRGBA(m image.Image) *image.NRGBA {
	if n, ok := m.(*image.NRGBA); ok {
		return n
	}
	b := m.Bounds()
	n := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			n.Set(x, y, m.At(b.Min.X+x, b.Min.Y+y))
		}
	}
	return n
}

// paint returns a picture whose px are computed.
func paint(w, h int, at func(x, y int) color.NRGBA) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, at(x, y))
		}
	}
	return m
}

// photo returns a picture with shades, edges and grain.
func photo(w, h int) *image.NRGBA {
	return paint(w, h, func(x, y int) color.NRGBA {
		grain := uint8((x*7919 ^ y*104729) % 13)
		edge := uint8(60 * ((x/23 + y/17) % 2))
		return color.NRGBA{
			uint8(40+150*x/w) + grain, uint8(60+120*y/h) + edge, uint8(90+60*math.Sin(float64(x+y)/40)) + grain, 255,
		}
	})
}

// quadrants returns red, green, blue and white, left to right and top to bottom.
func quadrants(w, h int) *image.NRGBA {
	return paint(w, h, func(x, y int) color.NRGBA {
		switch {
		case y < h/2 && x < w/2:
			return color.NRGBA{255, 0, 0, 255}
		case y < h/2:
			return color.NRGBA{0, 255, 0, 255}
		case x < w/2:
			return color.NRGBA{0, 0, 255, 255}
		}
		return color.NRGBA{255, 255, 255, 255}
	})
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, m image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// gifOf returns an animation of plain frames.
func gifOf(t testing.TB, w, h int, delays []int, loop int, colors ...color.NRGBA) []byte {
	t.Helper()
	g := &gif.GIF{LoopCount: loop}
	for i, c := range colors {
		frame := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.Transparent, c})
		for p := range frame.Pix {
			frame.Pix[p] = 1
		}
		g.Image = append(g.Image, frame)
		g.Delay = append(g.Delay, delays[i])
		g.Disposal = append(g.Disposal, gif.DisposalNone)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tiffOf returns an uncompressed RGB TIFF, one strip a page.
func tiffOf(pages ...*image.NRGBA) []byte {
	var b bytes.Buffer
	le := binary.LittleEndian
	b.WriteString("II*\x00\x00\x00\x00\x00")
	link := 4 // where the offset of the next directory is written
	for _, m := range pages {
		w, h := m.Rect.Dx(), m.Rect.Dy()
		strip := b.Len()
		for i := 0; i < len(m.Pix); i += 4 {
			b.Write(m.Pix[i : i+3])
		}
		if b.Len()%2 == 1 {
			b.WriteByte(0)
		}
		bits := b.Len()
		b.Write([]byte{8, 0, 8, 0, 8, 0})
		ifd := b.Len()
		le.PutUint32(b.Bytes()[link:], uint32(ifd))
		entries := [][3]int{
			{256, 4, w},
			{257, 4, h},
			{258, 3, bits},
			{259, 3, 1},
			{262, 3, 2},
			{273, 4, strip},
			{277, 3, 3},
			{278, 4, h},
			{279, 4, w * h * 3},
		}
		_ = binary.Write(&b, le, uint16(len(entries)))
		for _, e := range entries {
			count := uint32(1)
			if e[0] == 258 {
				count = 3
			}
			_ = binary.Write(&b, le, uint16(e[0]))
			_ = binary.Write(&b, le, uint16(e[1]))
			_ = binary.Write(&b, le, count)
			_ = binary.Write(&b, le, uint32(e[2]))
		}
		link = b.Len()
		_ = binary.Write(&b, le, uint32(0))
	}
	return b.Bytes()
}

// Texts in the metadata of withEXIF.
const (
	artist    = "Ada Painter"
	copyright = "(c) 1843 A. Painter"
	camera    = "Analytical Camera"
)

// withEXIF returns the JPEG with EXIF: orientation, maker, author and a position.
func withEXIF(data []byte, orientation int) []byte {
	le := binary.LittleEndian
	var tiff bytes.Buffer
	tiff.WriteString("II*\x00\x08\x00\x00\x00")
	texts := []struct {
		tag  int
		text string
	}{{0x010F, camera}, {0x013B, artist}, {0x8298, copyright}}
	const entries = 5
	at := 8 + 2 + entries*12 + 4
	var tail bytes.Buffer
	entry := func(tag, kind, count, value int) {
		_ = binary.Write(&tiff, le, []uint16{uint16(tag), uint16(kind)})
		_ = binary.Write(&tiff, le, []uint32{uint32(count), uint32(value)})
	}
	_ = binary.Write(&tiff, le, uint16(entries))
	for i, x := range texts {
		if i == 1 {
			entry(0x0112, 3, 1, orientation)
		}
		entry(x.tag, 2, len(x.text)+1, at+tail.Len())
		tail.WriteString(x.text + "\x00")
	}
	if tail.Len()%2 == 1 {
		tail.WriteByte(0)
	}
	entry(0x8825, 4, 1, at+tail.Len())
	_ = binary.Write(&tiff, le, uint32(0))
	gps := at + tail.Len()
	_ = binary.Write(&tail, le, uint16(2))
	_ = binary.Write(&tail, le, []uint16{1, 2})
	_ = binary.Write(&tail, le, []uint32{2, 'N'})
	_ = binary.Write(&tail, le, []uint16{2, 5})
	_ = binary.Write(&tail, le, []uint32{3, uint32(gps + 2 + 24 + 4)})
	_ = binary.Write(&tail, le, uint32(0))
	_ = binary.Write(&tail, le, []uint32{51, 1, 30, 1, 0, 1})
	payload := append([]byte("Exif\x00\x00"), append(tiff.Bytes(), tail.Bytes()...)...)
	return withSegment(data, 0xE1, payload)
}

// withICC returns the JPEG with an embedded profile.
func withICC(data, profile []byte) []byte {
	return withSegment(data, 0xE2, append([]byte("ICC_PROFILE\x00\x01\x01"), profile...))
}

// withXMP returns the JPEG with an XMP packet.
func withXMP(data []byte, packet string) []byte {
	return withSegment(data, 0xE1, append([]byte("http://ns.adobe.com/xap/1.0/\x00"), packet...))
}

func withSegment(data []byte, marker byte, payload []byte) []byte {
	out := append([]byte{}, data[:2]...)
	out = append(out, 0xFF, marker)
	out = binary.BigEndian.AppendUint16(out, uint16(len(payload)+2))
	out = append(out, payload...)
	return append(out, data[2:]...)
}

// matrix holds the colorants of an RGB space under D50: rows X, Y, Z, columns R, G, B.
type matrix [3][3]float64

// The colorants as the spaces' own profiles hold them.
func srgbSpace() matrix {
	return matrix{{0.43607, 0.38515, 0.14307}, {0.22249, 0.71687, 0.06061}, {0.01392, 0.09708, 0.71410}}
}

func displayP3() matrix {
	return matrix{{0.51512, 0.29198, 0.15710}, {0.24120, 0.69225, 0.06657}, {-0.00105, 0.04189, 0.78407}}
}

func adobeRGB() matrix {
	return matrix{{0.60974, 0.20528, 0.14919}, {0.31111, 0.62567, 0.06322}, {0.01947, 0.06087, 0.74457}}
}

// profileOf returns a version 2 profile with a matrix and one curve.
func profileOf(name string, m matrix, linear func(float64) float64) []byte {
	be := binary.BigEndian
	fixed := func(x float64) uint32 { return uint32(int32(math.Round(x * 65536))) }
	xyz := func(col int) []byte {
		b := []byte("XYZ \x00\x00\x00\x00")
		for row := range 3 {
			b = be.AppendUint32(b, fixed(m[row][col]))
		}
		return b
	}
	const samples = 1024
	curve := be.AppendUint32([]byte("curv\x00\x00\x00\x00"), samples)
	for i := range samples {
		curve = be.AppendUint16(curve, uint16(math.Round(65535*linear(float64(i)/(samples-1)))))
	}
	desc := be.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(name)+1))
	desc = append(append(desc, name...), make([]byte, 1+4+4+2+1+67)...)
	white := []byte("XYZ \x00\x00\x00\x00\x00\x00\xf6\xd6\x00\x01\x00\x00\x00\x00\xd3\x2d")
	text := append([]byte("text\x00\x00\x00\x00"), "none\x00"...)
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", desc},
		{"cprt", text},
		{"wtpt", white},
		{"rXYZ", xyz(0)},
		{"gXYZ", xyz(1)},
		{"bXYZ", xyz(2)},
		{"rTRC", curve},
		{"gTRC", curve},
		{"bTRC", curve},
	}
	header := make([]byte, 128)
	copy(header[8:], "\x02\x10\x00\x00mntrRGB XYZ ")
	copy(header[36:], "acsp")
	copy(header[68:], white[8:])
	table := be.AppendUint32(nil, uint32(len(tags)))
	body := []byte{}
	for _, tag := range tags {
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
		table = append(table, tag.name...)
		table = be.AppendUint32(table, uint32(128+4+12*len(tags)+len(body)))
		table = be.AppendUint32(table, uint32(len(tag.data)))
		body = append(body, tag.data...)
	}
	out := append(append(header, table...), body...)
	be.PutUint32(out, uint32(len(out)))
	return out
}

func srgbLinear(x float64) float64 {
	if x <= 0.04045 {
		return x / 12.92
	}
	return math.Pow((x+0.055)/1.055, 2.4)
}

func adobeLinear(x float64) float64 { return math.Pow(x, 563.0/256) }

// toSRGB converts px by the mathematics of the two spaces.
func toSRGB(m *image.NRGBA, from matrix, linear func(float64) float64) *image.NRGBA {
	inverse := invert(srgbSpace())
	return paint(m.Rect.Dx(), m.Rect.Dy(), func(x, y int) color.NRGBA {
		c := m.NRGBAAt(x, y)
		v := [3]float64{linear(float64(c.R) / 255), linear(float64(c.G) / 255), linear(float64(c.B) / 255)}
		v = inverse.times(from.times(v))
		for i := range v {
			v[i] = math.Max(0, math.Min(v[i], 1))
			if v[i] <= 0.0031308 {
				v[i] *= 12.92
			} else {
				v[i] = 1.055*math.Pow(v[i], 1/2.4) - 0.055
			}
		}
		return color.NRGBA{uint8(255*v[0] + 0.5), uint8(255*v[1] + 0.5), uint8(255*v[2] + 0.5), c.A}
	})
}

func (m matrix) times(v [3]float64) (out [3]float64) {
	for row := range m {
		for col := range m {
			out[row] += m[row][col] * v[col]
		}
	}
	return out
}

func invert(m matrix) (out matrix) {
	det := 0.0
	for i := range 3 {
		det += m[0][i] * (m[1][(i+1)%3]*m[2][(i+2)%3] - m[1][(i+2)%3]*m[2][(i+1)%3])
	}
	for i := range 3 {
		for j := range 3 {
			a, b := (j+1)%3, (j+2)%3
			c, d := (i+1)%3, (i+2)%3
			out[i][j] = (m[a][c]*m[b][d] - m[a][d]*m[b][c]) / det
		}
	}
	return out
}

// near reports whether two colors differ by at most d in each channel.
func near(a, b color.NRGBA, d int) bool {
	for _, p := range [][2]uint8{{a.R, b.R}, {a.G, b.G}, {a.B, b.B}, {a.A, b.A}} {
		if diff := int(p[0]) - int(p[1]); diff > d || diff < -d {
			return false
		}
	}
	return true
}

// status returns the HTTP status and code of an error that knows them.
func status(err error) (int, string) {
	var known interface {
		HTTPStatus() int
		Code() string
	}
	if errors.As(err, &known) {
		return known.HTTPStatus(), known.Code()
	}
	return 0, ""
}
