package check

import (
	"bytes"
	"encoding/hex"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"golang.org/x/image/tiff"
	"pgregory.net/rapid"
)

// picture returns a file of a format that Go can write.
func picture(t *testing.T, format string, width, height int) []byte {
	t.Helper()
	m := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.Black, color.White})
	var b bytes.Buffer
	var err error
	switch format {
	case "jpeg":
		err = jpeg.Encode(&b, m, nil)
	case "png":
		err = png.Encode(&b, m)
	case "gif":
		err = gif.Encode(&b, m, nil)
	case "tiff":
		err = tiff.Encode(&b, m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Headers of formats that Go cannot write, as encoders write them.
func headers(t *testing.T) map[string][]byte {
	t.Helper()
	unhex := func(text string) []byte {
		data, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	box := func(kind string, body []byte) []byte {
		size := len(body) + 8
		return append([]byte{byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size), kind[0], kind[1], kind[2], kind[3]}, body...)
	}
	ispe := func(text string) []byte { return box("ispe", unhex("00000000"+text)) }
	meta := func(properties ...[]byte) []byte {
		return box("meta", append(make([]byte, 4), box("iprp", box("ipco", bytes.Join(properties, nil)))...))
	}
	return map[string][]byte{
		"webp": append([]byte("RIFF\x1a\x00\x00\x00WEBPVP8 \x0e\x00\x00\x00"), unhex("300100 9d012a 2c01 c800 0000 0000")...),          // 300x200
		"avif": append(box("ftyp", []byte("avif\x00\x00\x00\x00mif1")), meta(ispe("00000010 00000010"), ispe("0000012c 000000c8"))...), // 300x200, with a tile of 16x16
	}
}

func TestInspect(t *testing.T) {
	for _, format := range []string{"jpeg", "png", "gif", "tiff"} {
		p, err := Inspect(picture(t, format, 30, 20))
		if err != nil || p != (Picture{format, 30, 20}) {
			t.Errorf("%s of 30x20: %+v, %v", format, p, err)
		}
	}
	for _, format := range []string{"webp", "avif"} {
		p, err := Inspect(headers(t)[format])
		if err != nil || p != (Picture{format, 300, 200}) {
			t.Errorf("%s of 300x200: %+v, %v", format, p, err)
		}
	}
	for _, junk := range []string{"", "<html>", "\xff\xd8", "\x89PNG\r\n\x1a\n", "RIFF\x00\x00\x00\x00WEBP", "\x00\x00\x00\x10ftypavif\x00\x00\x00\x00", "\xff\x0a\x00"} {
		if p, err := Inspect([]byte(junk)); err == nil {
			t.Errorf("%q passes as %+v", junk, p)
		}
	}
}

// TestJXLSize writes SizeHeaders and reads them back.
func TestJXLSize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width, height := rapid.IntRange(1, 1<<14).Draw(t, "width"), rapid.IntRange(1, 1<<14).Draw(t, "height")
		w := writer{}
		w.put(0, 1)
		w.side(height)
		w.put(0, 3)
		w.side(width)
		bare := append([]byte{0xff, 0x0a}, w.data[:]...)
		boxed := append([]byte(jxlContainer), append([]byte("\x00\x00\x00\x00jxlc"), bare...)...)
		for _, data := range [][]byte{bare, boxed} {
			if p, err := Inspect(data); err != nil || p != (Picture{"jxl", width, height}) {
				t.Fatalf("%dx%d reads as %+v, %v (%x)", width, height, p, err, data)
			}
		}
	})
	// Small and with a ratio of 3:2: height 8·(24+1) = 200, bits 1 00011 (LSB first: 24 = 00011), ratio 4.
	w := writer{}
	w.put(1, 1)
	w.put(24, 5)
	w.put(4, 3)
	if p, err := Inspect(append([]byte{0xff, 0x0a}, w.data[:]...)); err != nil || p != (Picture{"jxl", 300, 200}) {
		t.Errorf("small 300x200: %+v, %v", p, err)
	}
}

// writer puts numbers, least significant bit first.
type writer struct {
	data [16]byte
	at   int
}

func (w *writer) put(v, n int) {
	for i := range n {
		w.data[w.at/8] |= byte(v>>i&1) << (w.at % 8)
		w.at++
	}
}

func (w *writer) side(v int) {
	if v <= 1<<9 {
		w.put(0, 2)
		w.put(v-1, 9)
		return
	}
	w.put(2, 2)
	w.put(v-1, 18)
}

func FuzzInspect(f *testing.F) {
	f.Add([]byte("\xff\x0a\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"))
	f.Add([]byte("\x00\x00\x00\x10ftypavif\x00\x00\x00\x00\x00\x00\x00\x01meta\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := Inspect(data); err == nil && (p.Format == "" || p.Width < 0 || p.Height < 0) {
			t.Errorf("%x is %+v", data, p)
		}
	})
}

func TestFromTarget(t *testing.T) {
	tests := []struct {
		target, accept string
		want           Expect
	}{
		{"/a.jpg", "", Expect{}},
		{"/a.jpg?w=300&f=webp&s=x", "", Expect{Format: "webp", MaxWidth: 300}},
		{"/a.jpg?w=67&h=10&dpr=1.5&fit=cover", "", Expect{MaxWidth: 101, MaxHeight: 15}},
		{"/a.jpg?f=auto", "image/webp", Expect{Accept: "image/webp"}},
		{"/a.jpg?f=auto", "", Expect{Accept: "*/*"}},
		{"/a.jpg?w=300&pad=5", "", Expect{}},
		{"/a.jpg?w=300&rot=90", "", Expect{}},
		{"/a.jpg?p=card&w=300", "", Expect{}},
		{"/unsafe/rs:fit:300:200/plain/local:///a.jpg@png", "", Expect{}},
	}
	for _, tt := range tests {
		if got := FromTarget(tt.target, tt.accept); got != tt.want {
			t.Errorf("FromTarget(%q, %q) = %+v, want %+v", tt.target, tt.accept, got, tt.want)
		}
	}
}

func TestWithSize(t *testing.T) {
	tests := []struct {
		text string
		w, h int
		ok   bool
	}{{"", 0, 0, true}, {"300x200", 300, 200, true}, {"300x", 300, 0, true}, {"x200", 0, 200, true}, {"300", 0, 0, false}, {"-3x2", 0, 0, false}, {"axb", 0, 0, false}}
	for _, tt := range tests {
		got, err := Expect{}.WithSize(tt.text)
		if (err == nil) != tt.ok || got.Width != tt.w || got.Height != tt.h {
			t.Errorf("WithSize(%q) = %+v, %v", tt.text, got, err)
		}
	}
}

// TestChecker shows one answer after another to one checker.
func TestChecker(t *testing.T) {
	good := picture(t, "png", 30, 20)
	answer := func(change func(*Answer)) Answer {
		a := Answer{Target: "/a.png?w=30&f=png", Status: 200, ContentType: "image/png", ETag: `"1"`, Body: good}
		if change != nil {
			change(&a)
		}
		return a
	}
	tests := []struct {
		name   string
		before []Answer
		answer Answer
		want   string // kind of fault; "" = none
	}{
		{"good", nil, answer(nil), ""},
		{"the same twice", []Answer{answer(nil)}, answer(nil), ""},
		{"status", nil, answer(func(a *Answer) { a.Status = 503 }), "wrong status"},
		{"a redirect", nil, answer(func(a *Answer) { a.Status = 302 }), "wrong status"},
		{"no picture", nil, answer(func(a *Answer) { a.Body = []byte("<html>") }), "no picture"},
		{"nothing", nil, answer(func(a *Answer) { a.Body = nil }), "no picture"},
		{"other type than named", nil, answer(func(a *Answer) { a.ContentType = "image/webp" }), "wrong Content-Type"},
		{"other format than asked", nil, answer(func(a *Answer) { a.Target = "/a.png?f=jpeg" }), "wrong format"},
		{"wider than asked", nil, answer(func(a *Answer) { a.Target = "/a.png?w=29" }), "wrong size"},
		{"exactly as expected", nil, answer(func(a *Answer) { a.Expect = Expect{Format: "png", Width: 30, Height: 20} }), ""},
		{"wider than expected", nil, answer(func(a *Answer) { a.Expect = Expect{Width: 29} }), "wrong size"},
		{"lower than expected", nil, answer(func(a *Answer) { a.Expect = Expect{Height: 21} }), "wrong size"},
		{"expected, but no image at all", nil, answer(func(a *Answer) { a.Expect, a.ContentType = Expect{Height: 20}, "text/html"; a.Body = []byte("hello") }), "no picture"},
		{"text where nothing is said of pictures", nil, answer(func(a *Answer) {
			a.Target, a.ContentType, a.Body = "/a.png?f=blurhash", "text/plain", []byte("LEHV6n")
		}), ""},
		{"ETag changes", []Answer{answer(nil)}, answer(func(a *Answer) { a.ETag = `"2"` }), "ETag changed"},
		{"bytes change", []Answer{answer(nil)}, answer(func(a *Answer) { a.Body = picture(t, "png", 29, 20) }), "other bytes under one ETag"},
		{"bytes change without ETag", []Answer{answer(func(a *Answer) { a.ETag = "" })}, answer(func(a *Answer) { a.ETag, a.Body = "", picture(t, "png", 29, 20) }), "bytes changed"},
		{"other bytes for another Accept, with its ETag", []Answer{answer(nil)}, answer(func(a *Answer) {
			a.Accept, a.ETag, a.Body = "image/png", `"2"`, picture(t, "png", 29, 20)
		}), ""},
		{"other bytes for another Accept under the same ETag", []Answer{answer(nil)}, answer(func(a *Answer) {
			a.Accept, a.Body = "image/png", picture(t, "png", 29, 20)
		}), "other bytes under one ETag"},
		{"another URL", []Answer{answer(nil)}, answer(func(a *Answer) { a.Target, a.Body = "/b.png", picture(t, "png", 29, 20) }), ""},
	}
	for _, tt := range tests {
		c := New(200)
		for _, a := range tt.before {
			c.Check(a)
		}
		ok := c.Check(tt.answer)
		o := c.Outcome()
		if ok != (tt.want == "") || o.Checked != int64(len(tt.before)+1) || o.Failed != o.Faults[tt.want] || (tt.want != "") != (o.Failed == 1) {
			t.Errorf("%s: Check is %v with %+v, want %q", tt.name, ok, o, tt.want)
		}
	}
}

func TestCheckerWantsARefusal(t *testing.T) {
	c := New(403)
	if !c.Check(Answer{Target: "/a.jpg?f=webp", Status: 403, ContentType: "application/problem+json"}) {
		t.Errorf("a wanted refusal fails: %+v", c.Outcome())
	}
}
