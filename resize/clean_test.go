package resize

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"
)

// Everything that tells something goes, and what Strip leaves out for the sake of its pixels stays.
func TestCleanLeavesNothing(t *testing.T) {
	for _, s := range stripSamples(t) {
		got, ok := Clean(s.full, s.format, 1)
		if !ok || !bytes.Equal(got, s.clean) {
			t.Errorf("%v: cleaned %v, %d bytes, want the %d of the clean one", s.format, ok, len(got), len(s.clean))
		}
	}
}

// The orientation is written anew, alone, where its format has a place for it.
func TestCleanKeepsOrientation(t *testing.T) {
	for _, s := range stripSamples(t) {
		got, ok := Clean(s.full, s.format, 6)
		if !ok {
			t.Fatalf("%v: not cleaned", s.format)
		}
		tag := []byte{0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0}
		switch s.format {
		case FormatJPEG, FormatPNG:
			if bytes.Count(got, tag) != 1 {
				t.Errorf("%v: the tag stands there %d times", s.format, bytes.Count(got, tag))
			}
		case FormatGIF:
			if !bytes.Equal(got, s.clean) {
				t.Errorf("a GIF got an orientation")
			}
		default:
		}
		if again, ok := Clean(got, s.format, 6); !ok || !bytes.Equal(again, got) {
			t.Errorf("%v: cleaning twice is not cleaning once", s.format)
		}
		if bytes.Contains(got, []byte("secret")) {
			t.Errorf("%v: a secret is left", s.format)
		}
	}
}

// What the looks depend on stays.
func TestCleanKeepsLooks(t *testing.T) {
	chunk := func(kind, body string) []byte {
		b := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), kind+body...)
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
	}
	var png []byte
	for _, s := range stripSamples(t) {
		if s.format == FormatPNG {
			png = s.clean
		}
	}
	for _, kind := range []string{"gAMA", "cHRM", "cICP", "acTL", "fcTL", "fdAT", "sRGB", "iCCP"} {
		with := bytes.Join([][]byte{png[:33], chunk(kind, "12345678"), chunk("tEXt", "Comment\x00secret"), png[33:]}, nil)
		got, ok := Clean(with, FormatPNG, 1)
		if !ok || !bytes.Contains(got, []byte(kind)) || bytes.Contains(got, []byte("secret")) {
			t.Errorf("%s: cleaned %v, kept %v", kind, ok, bytes.Contains(got, []byte(kind)))
		}
	}
}

// heif is a file of boxes with one picture and two items of metadata.
func heif(exifOffset, xmpOffset uint32) []byte {
	atom := func(kind string, body ...[]byte) []byte {
		b := bytes.Join(body, nil)
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(b)+8)), append([]byte(kind), b...)...)
	}
	u16 := func(v ...uint16) (b []byte) {
		for _, x := range v {
			b = binary.BigEndian.AppendUint16(b, x)
		}
		return b
	}
	u32 := func(v ...uint32) (b []byte) {
		for _, x := range v {
			b = binary.BigEndian.AppendUint32(b, x)
		}
		return b
	}
	infe := func(id uint16, kind string) []byte {
		return atom("infe", []byte{2, 0, 0, 0}, u16(id, 0), []byte(kind), []byte{0})
	}
	iinf := atom("iinf", u32(0), u16(3), infe(1, "hvc1"), infe(2, "Exif"), infe(3, "mime"))
	place := func(id uint16, offset, length uint32) []byte { return append(u16(id, 0, 1), u32(offset, length)...) }
	iloc := atom("iloc", u32(0), []byte{0x44, 0}, u16(3), place(1, 60, 4), place(2, exifOffset, 24), place(3, xmpOffset, 6))
	return bytes.Join([][]byte{
		atom("ftyp", []byte("heic"), u32(0), []byte("mif1")),
		atom("mdat", []byte("picture."), []byte("Exif secret, and room..."), []byte("secret"), []byte("..picture")),
		atom("meta", u32(0), iinf, iloc),
		atom("uuid", []byte("secret")),
	}, nil)
}

func TestCleanHEIC(t *testing.T) {
	const mdat = 20 + 8
	data := heif(mdat+8, mdat+8+24)
	got, ok := Clean(data, FormatHEIC, 1)
	if !ok || len(got) != len(data) || bytes.Contains(got, []byte("secret")) || !bytes.Contains(got, []byte("picture.")) || !bytes.Contains(got, []byte("..picture")) {
		t.Errorf("cleaned %v: %q", ok, got)
	}
	if again, ok := Clean(got, FormatHEIC, 1); !ok || !bytes.Equal(again, got) {
		t.Error("cleaning twice is not cleaning once")
	}
	if got, ok := Clean(append(data, "secret behind the last box"...), FormatHEIC, 1); !ok || len(got) != len(data) {
		t.Errorf("what is behind the end: cleaned %v, %d bytes of %d", ok, len(got), len(data))
	}
	for name, bad := range map[string][]byte{
		"item outside": heif(1<<20, mdat+32), "cut off": data[:60], "no boxes": []byte("secret"), "nothing": nil,
	} {
		if got, ok := Clean(bad, FormatHEIC, 1); ok && bytes.Contains(got, []byte("secret")) {
			t.Errorf("%s: taken with its secret", name)
		}
	}
}

// Of a JXL only what a decoder needs is kept: jbrd has copies of a JPEG's metadata, uuid whatever somebody put there.
func TestCleanJXL(t *testing.T) {
	head := "\x00\x00\x00\x0cJXL \r\n\x87\n" + "\x00\x00\x00\x14ftypjxl \x00\x00\x00\x00jxl "
	picture := "\x00\x00\x00\x0ajxlc\xff\x0a"
	secret := ""
	for _, kind := range []string{"Exif", "xml ", "brob", "jumb", "jbrd", "uuid", "free"} {
		secret += "\x00\x00\x00\x0e" + kind + "secret"
	}
	got, ok := Clean([]byte(head+secret+picture+secret), FormatJXL, 1)
	if !ok || string(got) != head+picture {
		t.Errorf("cleaned %v: %q", ok, got)
	}
}

func TestCleanRefuses(t *testing.T) {
	for _, f := range []Format{FormatTIFF, FormatPDF, FormatBMP, FormatAuto} {
		if _, ok := Clean([]byte("II*\x00 whatever"), f, 1); ok {
			t.Errorf("%v was cleaned", f)
		}
	}
}

// FuzzClean finds panics, endless loops and metadata that comes back.
func FuzzClean(f *testing.F) {
	for _, s := range stripSamples(f) {
		f.Add(s.full)
	}
	f.Add(heif(36, 60))
	f.Add([]byte("\x00\x00\x00\x0cJXL \r\n\x87\n\x00\x00\x00\x0cExifabcd\x00\x00\x00\x0ajxlc\xff\x0a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, format := range []Format{FormatJPEG, FormatPNG, FormatWebP, FormatGIF, FormatAVIF, FormatJXL} {
			clean, ok := Clean(data, format, 6)
			if !ok {
				continue
			}
			if len(clean) > len(data)+64 {
				t.Errorf("%v: %d bytes became %d", format, len(data), len(clean))
			}
			if again, ok := Clean(clean, format, 6); !ok || !bytes.Equal(again, clean) {
				t.Errorf("%v: cleaning twice is not cleaning once (%v)", format, ok)
			}
		}
	})
}
