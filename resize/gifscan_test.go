package resize

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"testing"
)

func TestGIFWhole(t *testing.T) {
	var b bytes.Buffer
	frame := image.NewPaletted(image.Rect(0, 0, 30, 30), color.Palette{color.Black, color.White})
	g := &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{5, 5}}
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	data := b.Bytes()
	if !GIFWhole(data) {
		t.Error("a whole GIF is called cut")
	}
	if !GIFWhole(data[:len(data)-1]) {
		t.Error("a GIF without trailer is called cut")
	}
	if !GIFWhole(append(bytes.Clone(data), "after the end"...)) {
		t.Error("bytes after the trailer matter")
	}
	second := bytes.LastIndexByte(data, 0x2C)
	for n := second + 1; n < len(data)-1; n++ {
		if GIFWhole(data[:n]) {
			t.Errorf("a GIF cut at %d of %d is called whole", n, len(data))
		}
	}
	if GIFWhole(data[:12]) || GIFWhole(nil) {
		t.Error("less than a header is called whole")
	}
}

func FuzzGIFWhole(f *testing.F) {
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	f.Fuzz(func(_ *testing.T, data []byte) { GIFWhole(data) })
}
