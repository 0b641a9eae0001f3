package libvips_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

const packet = `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF ` +
	`xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" ` +
	`xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:x2="http://example.com/" x2:secret="serial-4711"><dc:rights><rdf:Alt>` +
	`<rdf:li xml:lang="x-default">All &amp; rights</rdf:li></rdf:Alt></dc:rights></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`

// fields returns a picture's metadata, joined.
func fields(t *testing.T, body []byte) string {
	t.Helper()
	ref, err := vips.LoadImageFromBuffer(body, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	var b strings.Builder
	for _, name := range ref.GetFields() {
		switch {
		case strings.HasPrefix(name, "exif-ifd"):
			b.WriteString(name + "=" + ref.GetString(name) + "\n")
		case name == "xmp-data":
			b.WriteString("xmp=" + string(ref.GetBlob(name)) + "\n")
		}
	}
	return b.String()
}

func TestMetadata(t *testing.T) {
	source := withXMP(withICC(withEXIF(jpegOf(t, photo(80, 60), 90), 6), profileOf("Wide", displayP3(), srgbLinear)), packet)
	tests := []struct {
		meta      resize.Metadata
		want, not []string
	}{
		{resize.MetadataNone, nil, []string{camera, artist, copyright, "GPS", "xmp=", "adobe:ns", "serial-4711"}},
		{resize.MetadataCopyright, []string{artist, copyright, "All &amp; rights"}, []string{camera, "GPS", "serial-4711"}},
		{resize.MetadataAll, []string{artist, copyright, camera, "GPS", "serial-4711"}, nil},
	}
	for _, tt := range tests {
		for _, format := range written()[:4] {
			for _, keep := range []bool{false, true} {
				r := render(t, source, resize.Options{Width: 30, Format: format, Metadata: tt.meta, KeepICC: keep})
				got := fields(t, r.Body)
				if format == resize.FormatAVIF { // libvips reads no XMP from it
					got += string(r.Body)
				}
				for _, s := range tt.want {
					if !strings.Contains(got, s) {
						t.Errorf("meta %d as %v: %q is missing in\n%s", tt.meta, format, s, got)
					}
				}
				for _, s := range tt.not {
					if strings.Contains(got, s) || bytes.Contains(r.Body, []byte(s)) {
						t.Errorf("meta %d as %v: %q is left in\n%s", tt.meta, format, s, got)
					}
				}
				if tag := orientationTag(t, r.Body); tag > 1 {
					t.Errorf("meta %d as %v: orientation %d on an upright picture", tt.meta, format, tag)
				}
				src, err := newEngine(t).Probe(t.Context(), r.Body)
				if err != nil || (src.ICC == "Wide") != keep {
					t.Errorf("meta %d as %v, icc=keep %v: profile %q, %v", tt.meta, format, keep, src.ICC, err)
				}
				if m := decode(t, r.Body); m.Rect.Dx() != 30 || m.Rect.Dy() != 40 {
					t.Errorf("meta %d as %v: %v", tt.meta, format, m.Rect)
				}
			}
		}
	}
	none := render(t, source, resize.Options{Width: 30, Format: resize.FormatJPEG}).Body
	for _, mark := range []string{"Exif", "http://ns.adobe.com", "ICC_PROFILE"} {
		if bytes.Contains(none, []byte(mark)) {
			t.Errorf("meta=none leaves %q", mark)
		}
	}
	all := render(t, source, resize.Options{Width: 30, Format: resize.FormatJPEG, Metadata: resize.MetadataAll, NoOrient: true}).Body
	if tag := orientationTag(t, all); tag != 6 {
		t.Errorf("meta=all with orient=0: orientation %d, want 6", tag)
	}
}

func TestMetadataOfAnimation(t *testing.T) {
	source := gifOf(t, 20, 20, []int{10, 10}, 0, rgb(250, 0, 0), rgb(0, 250, 0))
	for _, meta := range []resize.Metadata{resize.MetadataNone, resize.MetadataCopyright, resize.MetadataAll} {
		for _, format := range []resize.Format{resize.FormatGIF, resize.FormatWebP} {
			m := play(t, render(t, source, resize.Options{Width: 10, Format: format, Metadata: meta}).Body)
			if len(m.frames) != 2 || total(m.delays) != 200 {
				t.Errorf("meta %d as %v: %d frames, %v", meta, format, len(m.frames), m.delays)
			}
		}
	}
}

// Equal requests get equal bytes, whoever makes them: an ETag is made of the bytes.
func TestMetadataIsOrdered(t *testing.T) {
	source := withXMP(withEXIF(jpegOf(t, photo(80, 60), 90), 6), packet)
	for _, format := range written()[:4] {
		for _, meta := range []resize.Metadata{resize.MetadataCopyright, resize.MetadataAll} {
			o := resize.Options{Width: 30, Format: format, Metadata: meta}
			first := render(t, source, o).Body
			for range 10 {
				if !bytes.Equal(render(t, source, o).Body, first) {
					t.Fatalf("meta %d as %v: other bytes for one picture", meta, format)
				}
			}
		}
	}
}
