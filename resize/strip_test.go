package resize

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"reflect"
	"strings"
	"testing"
)

// stripSample is a file with metadata of every kind in it, and without.
type stripSample struct {
	format      Format
	clean, full []byte
}

func stripSamples(t testing.TB) []stripSample {
	t.Helper()
	m := image.NewPaletted(image.Rect(0, 0, 30, 20), color.Palette{color.Black, color.White, color.NRGBA{200, 30, 40, 255}})
	for i := range m.Pix {
		m.Pix[i] = byte(i * i % 3)
	}
	var j, p, g, w bytes.Buffer
	if err := jpeg.Encode(&j, m, nil); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&p, m); err != nil {
		t.Fatal(err)
	}
	moving := &gif.GIF{Image: []*image.Paletted{m, m}, Delay: []int{7, 9}, LoopCount: 3}
	if err := gif.EncodeAll(&g, moving); err != nil {
		t.Fatal(err)
	}
	seg := func(marker byte, body string) []byte {
		return append(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(body)+2)), body...)
	}
	app := bytes.Join([][]byte{
		seg(0xE1, "Exif\x00\x00secret"), seg(0xE1, "http://ns.adobe.com/xap/1.0/\x00secret"), seg(0xED, "Photoshop 3.0\x00secret"),
		seg(0xFE, "secret"), seg(0xE2, "MPF\x00secret"),
	}, nil)
	jpg := j.Bytes()
	fullJPEG := bytes.Join([][]byte{jpg[:2], app, jpg[2:], []byte("secret behind the end")}, nil)

	chunk := func(kind, body string) []byte {
		b := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), kind+body...)
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
	}
	pic := p.Bytes()
	fullPNG := bytes.Join([][]byte{pic[:33], chunk("tEXt", "Comment\x00secret"), chunk("eXIf", "II*\x00secret"), chunk("tIME", "secret!"), pic[33:], []byte("secret")}, nil)

	anim := g.Bytes()
	at := bytes.IndexByte(anim[13+gifTable(anim[10]):], 0x21) + 13 + gifTable(anim[10])
	fullGIF := bytes.Join([][]byte{anim[:at], []byte("\x21\xfe\x06secret\x00"), []byte("\x21\xff\x0bXMP DataXMP\x06secret\x00"), anim[at:], []byte("secret")}, nil)

	riff := func(chunks ...string) []byte {
		body := "WEBP" + strings.Join(chunks, "")
		return append(append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...), body...)
	}
	part := func(kind, body string) string {
		s := kind + string(binary.LittleEndian.AppendUint32(nil, uint32(len(body)))) + body
		if len(body)%2 == 1 {
			s += "\x00"
		}
		return s
	}
	w.Write(riff(part("VP8X", "\x10\x00\x00\x00123456"), part("VP8L", "\x2fpixels")))
	fullWebP := append(riff(part("VP8X", "\x1c\x00\x00\x00123456"), part("VP8L", "\x2fpixels"), part("EXIF", "secret!"), part("XMP ", "secret")), "secret"...)
	return []stripSample{{FormatJPEG, jpg, fullJPEG}, {FormatPNG, pic, fullPNG}, {FormatGIF, anim, fullGIF}, {FormatWebP, w.Bytes(), fullWebP}}
}

// TestStrip holds that metadata goes and nothing else does.
func TestStrip(t *testing.T) {
	for _, s := range stripSamples(t) {
		got, ok := Strip(s.full, s.format, MetadataNone, false)
		if !ok || !bytes.Equal(got, s.clean) {
			t.Errorf("%v: Strip = %v, %d bytes of %d, want %d", s.format, ok, len(got), len(s.full), len(s.clean))
		}
		if got, ok = Strip(s.clean, s.format, MetadataCopyright, true); !ok || !bytes.Equal(got, s.clean) {
			t.Errorf("%v without metadata: Strip = %v, %d bytes of %d", s.format, ok, len(got), len(s.clean))
		}
		if _, ok = Strip(s.full, s.format, MetadataCopyright, false); ok {
			t.Errorf("%v: a copyright cannot be picked out", s.format)
		}
		all, ok := Strip(s.full, s.format, MetadataAll, false)
		if !ok || bytes.Count(all, []byte("secret")) != bytes.Count(s.full, []byte("secret"))-1 {
			t.Errorf("%v with all metadata: %v, %d bytes of %d", s.format, ok, len(all), len(s.full))
		}
		for cut := range s.full[:len(s.clean)-1] {
			if _, ok := Strip(s.full[:cut], s.format, MetadataNone, false); ok && cut < len(s.full)-len("secret behind the end")-8 {
				t.Errorf("%v cut to %d bytes of %d is whole", s.format, cut, len(s.full))
				break
			}
		}
		for _, other := range []Format{FormatJPEG, FormatPNG, FormatGIF, FormatWebP, FormatAVIF} {
			if _, ok := Strip(s.full, other, MetadataNone, false); ok && other != s.format {
				t.Errorf("%v passes for %v", s.format, other)
			}
		}
	}
}

func TestStripColor(t *testing.T) {
	samples := stripSamples(t)
	jpg, pic := samples[0].clean, samples[1].clean
	profile := strings.Repeat("wide gamut", 20)
	seg := binary.BigEndian.AppendUint16([]byte{0xFF, 0xE2}, uint16(len(profile)+16))
	seg = append(append(seg, "ICC_PROFILE\x00\x01\x01"...), profile...)
	wide := bytes.Join([][]byte{jpg[:2], seg, jpg[2:]}, nil)
	if _, ok := Strip(wide, FormatJPEG, MetadataNone, false); ok {
		t.Error("a JPEG loses its profile")
	}
	if got, ok := Strip(wide, FormatJPEG, MetadataNone, true); !ok || !bytes.Equal(got, wide) {
		t.Errorf("a JPEG with icc=keep: %v, %d bytes of %d", ok, len(got), len(wide))
	}
	chunk := func(kind, body string) []byte {
		b := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), kind+body...)
		return append(b, 0, 0, 0, 0)
	}
	for kind, want := range map[string]bool{"gAMA": false, "cHRM": false, "cICP": false, "acTL": false, "sRGB": true, "pHYs": true} {
		if _, ok := Strip(bytes.Join([][]byte{pic[:33], chunk(kind, "body"), pic[33:]}, nil), FormatPNG, MetadataNone, false); ok != want {
			t.Errorf("a PNG with %s: %v, want %v", kind, ok, want)
		}
	}
}

func FuzzStrip(f *testing.F) {
	for _, s := range stripSamples(f) {
		f.Add(s.full, uint8(s.format), uint8(0), false)
		f.Add(s.clean, uint8(s.format), uint8(1), true)
		f.Add(s.full, uint8(s.format), uint8(2), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, format, meta uint8, keep bool) {
		before := bytes.Clone(data)
		got, ok := Strip(data, Format(format), Metadata(meta%3), keep)
		if !bytes.Equal(before, data) {
			t.Fatal("the source was written to")
		}
		if !ok {
			return
		}
		if len(got) > len(data) {
			t.Fatalf("%d bytes became %d", len(data), len(got))
		}
		again, ok := Strip(got, Format(format), Metadata(meta%3), keep)
		if !ok || !bytes.Equal(again, got) {
			t.Fatalf("stripping twice: %v, %d and %d bytes", ok, len(got), len(again))
		}
		if Format(format) == FormatPNG || Format(format) == FormatJPEG || Format(format) == FormatGIF {
			samePixels(t, data, got)
		}
	})
}

// samePixels holds that what Go's decoders make of the file did not change.
func samePixels(t *testing.T, data, got []byte) {
	t.Helper()
	if config, _, err := image.DecodeConfig(bytes.NewReader(data)); err != nil || config.Width*config.Height > 1<<16 {
		return
	}
	a, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return
	}
	b, _, err := image.Decode(bytes.NewReader(got))
	if err != nil || !reflect.DeepEqual(a, b) {
		t.Fatalf("px changed: %v", err)
	}
}
