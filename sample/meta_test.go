package sample

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
	"testing"
)

// segments returns the data of all segments with the marker, up to the scan.
func segments(t *testing.T, data []byte, marker byte) (list [][]byte) {
	t.Helper()
	for at := 2; at+4 <= len(data); {
		if data[at] != 0xff {
			t.Fatalf("no marker at %d", at)
		}
		size := int(binary.BigEndian.Uint16(data[at+2:]))
		if data[at+1] == marker {
			list = append(list, data[at+4:at+2+size])
		}
		if data[at+1] == markerSOS {
			return list
		}
		at += 2 + size
	}
	t.Fatal("no scan")
	return nil
}

// fields reads a directory of little-endian TIFF: tag → the field's four last bytes.
func fields(tiff []byte, at uint32) map[uint16][]byte {
	out := map[uint16][]byte{}
	last := uint16(0)
	for i := range uint32(binary.LittleEndian.Uint16(tiff[at:])) {
		f := tiff[at+2+12*i:][:12]
		tag := binary.LittleEndian.Uint16(f)
		if tag <= last {
			return nil // readers may rely on the order
		}
		last = tag
		out[tag] = f[2:]
	}
	return out
}

func TestEXIF(t *testing.T) {
	for orientation := 1; orientation <= 8; orientation++ {
		data, err := JPEG(Quadrants(32, 16), Meta{Orientation: orientation, GPS: true, Artist: "A", Copyright: "Somebody", Make: "M", Model: "Model"})
		if err != nil {
			t.Fatal(err)
		}
		app := segments(t, data, markerAPP1)
		if len(app) != 1 || !bytes.HasPrefix(app[0], []byte("Exif\x00\x00II*\x00")) {
			t.Fatalf("orientation %d: no EXIF segment: %q", orientation, app)
		}
		tiff := app[0][6:]
		f := fields(tiff, binary.LittleEndian.Uint32(tiff[4:]))
		if got := int(binary.LittleEndian.Uint16(f[0x0112][6:])); got != orientation {
			t.Errorf("orientation: got %d, want %d", got, orientation)
		}
		at := binary.LittleEndian.Uint32(f[0x8298][6:])
		if got := string(tiff[at:][:9]); got != "Somebody\x00" {
			t.Errorf("copyright: got %q", got)
		}
		if got := string(f[0x013b][6:8]); got != "A\x00" {
			t.Errorf("artist, a value that fits its field: got %q", got)
		}
		gps := fields(tiff, binary.LittleEndian.Uint32(f[0x8825][6:]))
		at = binary.LittleEndian.Uint32(gps[2][6:])
		if deg, per := binary.LittleEndian.Uint32(tiff[at:]), binary.LittleEndian.Uint32(tiff[at+4:]); deg != 48 || per != 1 || gps[1][6] != 'N' {
			t.Errorf("latitude: got %d/%d %c, want 48/1 N", deg, per, gps[1][6])
		}
		if got := binary.LittleEndian.Uint32(gps[4][6:]); int(got)+24 != len(tiff) {
			t.Errorf("longitude at %d of %d bytes, want the end", got, len(tiff))
		}
		if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
			t.Errorf("decode: %v", err)
		}
	}
}

func TestNoMetaWritesNone(t *testing.T) {
	data, err := JPEG(Quadrants(8, 8), Meta{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(segments(t, data, markerAPP1)) + len(segments(t, data, markerAPP2)); n != 0 {
		t.Errorf("Meta{}: %d metadata segments, want 0", n)
	}
}

func TestLongProfileIsSplit(t *testing.T) {
	long := bytes.Repeat([]byte("profile "), 20000) // 160,000 bytes: three segments
	data, err := JPEG(Quadrants(8, 8), Meta{ICC: long})
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	parts := segments(t, data, markerAPP2)
	for i, p := range parts {
		if string(p[:12]) != "ICC_PROFILE\x00" || int(p[12]) != i+1 || int(p[13]) != len(parts) {
			t.Fatalf("segment %d begins %q", i, p[:14])
		}
		got = append(got, p[14:]...)
	}
	if len(parts) != 3 || !bytes.Equal(got, long) {
		t.Errorf("%d segments hold %d bytes, want 3 and %d", len(parts), len(got), len(long))
	}
}

// TestICC reads the profiles by the letter of the format and holds the figures against the published
// ones (IEC 61966-2-1 adapted to D50; Adobe RGB (1998) Color Image Encoding, 4.3.6; Display P3 as in CSS Color 4).
func TestICC(t *testing.T) {
	tests := []struct {
		space Space
		want  [3][3]float64 // rXYZ, gXYZ, bXYZ
	}{
		{SRGB, [3][3]float64{{.4361, .2225, .0139}, {.3851, .7169, .0971}, {.1431, .0606, .7141}}},
		{AdobeRGB, [3][3]float64{{.6097, .3111, .0195}, {.2053, .6257, .0609}, {.1492, .0632, .7446}}},
		{DisplayP3, [3][3]float64{{.5151, .2412, -.0011}, {.2919, .6922, .0419}, {.1572, .0666, .7841}}},
	}
	for _, tt := range tests {
		b := tt.space.ICC()
		if int(binary.BigEndian.Uint32(b)) != len(b) || string(b[12:24]) != "mntrRGB XYZ " || string(b[36:40]) != "acsp" || b[8] != 2 {
			t.Fatalf("%s: header %q", tt.space.name, b[:40])
		}
		tags := profileTags(t, b)
		for i, name := range []string{"rXYZ", "gXYZ", "bXYZ"} {
			for j, want := range tt.want[i] {
				got := float64(int32(binary.BigEndian.Uint32(tags[name][8+4*j:]))) / 65536
				if math.Abs(got-want) > .0012 {
					t.Errorf("%s %s[%d]: got %.4f, want %.4f", tt.space.name, name, j, got, want)
				}
			}
		}
		for _, name := range []string{"desc", "cprt", "wtpt", "rTRC", "gTRC", "bTRC"} {
			if len(tags[name]) == 0 {
				t.Errorf("%s: tag %s is missing", tt.space.name, name)
			}
		}
	}
}

func profileTags(t *testing.T, b []byte) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for i := range int(binary.BigEndian.Uint32(b[128:])) {
		e := b[132+12*i:]
		at, size := binary.BigEndian.Uint32(e[4:]), binary.BigEndian.Uint32(e[8:])
		if at%4 != 0 || int(at+size) > len(b) {
			t.Fatalf("tag %s at %d, %d bytes of %d", e[:4], at, size, len(b))
		}
		out[string(e[:4])] = b[at : at+size]
	}
	return out
}

func TestConvert(t *testing.T) {
	tests := []struct {
		name     string
		from, to Space
		in, want color.RGBA
	}{
		{"white stays white", SRGB, DisplayP3, color.RGBA{255, 255, 255, 255}, color.RGBA{255, 255, 255, 255}},
		{"gray stays gray", SRGB, DisplayP3, color.RGBA{100, 100, 100, 255}, color.RGBA{100, 100, 100, 255}},
		{"red of sRGB in P3", SRGB, DisplayP3, color.RGBA{255, 0, 0, 255}, color.RGBA{234, 51, 35, 255}},
		{"green of sRGB in P3", SRGB, DisplayP3, color.RGBA{0, 255, 0, 255}, color.RGBA{117, 251, 76, 255}},
		{"red of P3 does not fit sRGB", DisplayP3, SRGB, color.RGBA{255, 0, 0, 255}, color.RGBA{255, 0, 0, 255}},
		{"red of sRGB in Adobe RGB", SRGB, AdobeRGB, color.RGBA{255, 0, 0, 255}, color.RGBA{219, 0, 0, 255}},
	}
	for _, tt := range tests {
		got := tt.from.Convert(Flat(1, 1, tt.in), tt.to).RGBAAt(0, 0)
		if distance(got, tt.want) > 1 {
			t.Errorf("%s: %v becomes %v, want %v", tt.name, tt.in, got, tt.want)
		}
	}
}

// distance is the largest difference of a channel.
func distance(a, b color.RGBA) int {
	most := 0
	for _, d := range []int{int(a.R) - int(b.R), int(a.G) - int(b.G), int(a.B) - int(b.B), int(a.A) - int(b.A)} {
		most = max(most, d, -d)
	}
	return most
}

func TestCMYKJPEGDecodesToItsInk(t *testing.T) {
	ink := CMYK(Scene(75, 50, 2)) // sides that are no multiples of a block
	data, err := CMYKJPEG(ink, 95)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	got, ok := decoded.(*image.CMYK)
	if !ok || got.Rect.Size() != image.Pt(75, 50) {
		t.Fatalf("decodes to %T %v, want CMYK 75×50", decoded, decoded.Bounds())
	}
	sum := 0.0
	for y := range 50 {
		for x := range 75 {
			for c := range 4 {
				sum += math.Abs(float64(got.Pix[got.PixOffset(x, y)+c]) - float64(ink.Pix[ink.PixOffset(x, y)+c]))
			}
		}
	}
	if mean := sum / (75 * 50 * 4); mean > 6 {
		t.Errorf("mean difference of ink %.1f of 255, want at most 6", mean)
	}
	flat := image.NewCMYK(image.Rect(0, 0, 16, 16))
	draw.Draw(flat, flat.Rect, image.NewUniform(color.CMYK{200, 20, 90, 40}), image.Point{}, draw.Src)
	data, err = CMYKJPEG(flat, 90)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err = jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	want := flat.CMYKAt(5, 5)
	if c, ok := decoded.At(5, 5).(color.CMYK); !ok || math.Abs(float64(c.C)-float64(want.C)) > 3 || math.Abs(float64(c.K)-float64(want.K)) > 3 {
		t.Errorf("flat ink: got %v, want about %v", decoded.At(5, 5), want)
	}
	if _, err := CMYKJPEG(image.NewCMYK(image.Rect(0, 0, 0, 5)), 90); err == nil {
		t.Error("CMYKJPEG of an empty picture: no error")
	}
}
