package resize

import (
	"bytes"
	"image"
	"image/png"
	"testing"
)

func TestPNGWhole(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 40))); err != nil {
		t.Fatal(err)
	}
	data := b.Bytes()
	if !PNGWhole(data) {
		t.Error("a whole PNG is called cut")
	}
	end := bytes.Index(data, []byte("IEND")) - 4
	for n := range len(data) {
		if got, want := PNGWhole(data[:n]), n >= end; got != want {
			t.Errorf("cut at %d of %d: whole is %v, want %v", n, len(data), got, want)
		}
	}
	const afterHeader = 8 + 12 + 13
	huge := append(bytes.Clone(data[:afterHeader]), 0x3f, 0xff, 0xff, 0xff)
	huge = append(append(huge, "tEXt"...), data[afterHeader:]...)
	if PNGWhole(huge) {
		t.Error("a chunk of a gigabyte is believed")
	}
}

func TestPNGInterlaced(t *testing.T) {
	header := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"), 0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 1)
	if !PNGInterlaced(header) {
		t.Error("Adam7 is not seen")
	}
	header[28] = 0
	if PNGInterlaced(header) || PNGInterlaced(header[:28]) {
		t.Error("Adam7 is seen where it is not")
	}
}

func FuzzPNGWhole(f *testing.F) {
	f.Add([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x00IDAT\x00\x00\x00\x00"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		PNGWhole(data)
		PNGInterlaced(data)
	})
}
