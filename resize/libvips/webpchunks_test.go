package libvips

import (
	"bytes"
	"testing"
)

func TestWithoutMetadata(t *testing.T) {
	chunk := func(name, data string) string {
		c := name + string([]byte{byte(len(data)), 0, 0, 0}) + data
		if len(data)%2 == 1 {
			c += "\x00"
		}
		return c
	}
	riff := func(chunks ...string) []byte {
		all := "WEBP"
		for _, c := range chunks {
			all += c
		}
		return []byte("RIFF" + string([]byte{byte(len(all)), 0, 0, 0}) + all)
	}
	got := withoutMetadata(riff(chunk("VP8X", "\x1c123456789"), chunk("VP8 ", "odd"), chunk("EXIF", "place"), chunk("XMP ", "x")))
	if want := riff(chunk("VP8X", "\x10123456789"), chunk("VP8 ", "odd")); !bytes.Equal(got, want) {
		t.Errorf("withoutMetadata = %q, want %q", got, want)
	}
	for _, bad := range []string{"", "RIFF", "RIFF\x00\x00\x00\x00WEBPEXIF", "RIFF\x00\x00\x00\x00WEBPEXIF\xff\xff\xff\xff"} {
		if got := withoutMetadata([]byte(bad)); string(got) != bad {
			t.Errorf("withoutMetadata(%q) = %q", bad, got)
		}
	}
}
