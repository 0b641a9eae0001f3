package resize_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/resize"
)

// samples are the shortest headers that are recognized.
var samples = []struct {
	name string
	data string
	want resize.Format
}{
	{"jpeg", "\xff\xd8\xff", resize.FormatJPEG},
	{"png", "\x89PNG\r\n\x1a\n", resize.FormatPNG},
	{"gif 87a", "GIF87a", resize.FormatGIF},
	{"gif 89a", "GIF89a", resize.FormatGIF},
	{"webp", "RIFF\x10\x00\x00\x00WEBP", resize.FormatWebP},
	{"avif", ftyp("avif", "mif1", "miaf"), resize.FormatAVIF},
	{"avif alone", ftyp("avif"), resize.FormatAVIF},
	{"avif sequence", ftyp("avis", "msf1"), resize.FormatAVIF},
	{"avif as mif1", ftyp("mif1", "miaf", "avif"), resize.FormatAVIF},
	{"heic", ftyp("heic", "mif1"), resize.FormatHEIC},
	{"heix", ftyp("heix"), resize.FormatHEIC},
	{"heic as mif1", ftyp("mif1", "heic"), resize.FormatHEIC},
	{"heic sequence as msf1", ftyp("msf1", "hevc"), resize.FormatHEIC},
	{"jxl codestream", "\xff\x0a", resize.FormatJXL},
	{"jxl container", "\x00\x00\x00\x0cJXL \r\n\x87\n", resize.FormatJXL},
	{"tiff little", "II*\x00\x08\x00\x00\x00", resize.FormatTIFF},
	{"tiff big", "MM\x00*\x00\x00\x00\x08", resize.FormatTIFF},
	{"bigtiff", "II+\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00", resize.FormatTIFF},
	{"bmp", "BM" + strings.Repeat("\x00", 12) + "\x28\x00\x00\x00" + strings.Repeat("\x00", 8), resize.FormatBMP},
	{"ico", "\x00\x00\x01\x00\x01\x00" + strings.Repeat("\x00", 16), resize.FormatICO},
	{"pdf", "%PDF-", resize.FormatPDF},
	{"svg", "<svg", resize.FormatSVG},
	{"svg with prolog", "\xef\xbb\xbf <?xml version='1.0'?>\n<!-- x -->\n<svg xmlns='http://www.w3.org/2000/svg'/>", resize.FormatSVG},
}

func ftyp(brands ...string) string {
	body := brands[0] + "\x00\x00\x00\x00" + strings.Join(brands[1:], "")
	return string([]byte{0, 0, 0, byte(8 + len(body))}) + "ftyp" + body
}

func TestSniff(t *testing.T) {
	t.Parallel()
	for _, sample := range samples {
		if got := resize.Sniff([]byte(sample.data)); got != sample.want {
			t.Errorf("%s: Sniff = %v, want %v", sample.name, got, sample.want)
		}
		if got := resize.Sniff([]byte(sample.data + strings.Repeat("\x00", 100))); got != sample.want {
			t.Errorf("%s, longer: Sniff = %v, want %v", sample.name, got, sample.want)
		}
		for cut := range len(sample.data) {
			if got := resize.Sniff([]byte(sample.data[:cut])); sample.want != resize.FormatAVIF && sample.want != resize.FormatHEIC && got != resize.FormatAuto && got != sample.want {
				t.Errorf("%s: Sniff of its first %d bytes = %v", sample.name, cut, got)
			}
		}
	}
}

func TestSniffShortOrForeign(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		"", "\xff", "\xff\xd8", "\x89PNG\r\n\x1a", "GIF88a", "RIFF\x00\x00\x00\x00WAVE", "RIFF", "II*", "MM", "BM", "BMxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		ftyp("mif1"), ftyp("mif1", "miaf"), ftyp("isom", "avif"), ftyp("mp42"), ftyp("qt  "), "\x00\x00\x00\x08ftypavif\x00\x00\x00\x00", "\xff\xff\xff\xffftypavif\x00\x00\x00\x00",
		"\x00\x00\x02\x00\x01\x00" + strings.Repeat("\x00", 16), "<html>", "<?xml version='1.0'?><rss/>", "svg", "%!PS-Adobe", "8BPS", "\x00\x00\x00\x0cjP  ", "push graphic-context",
		"id=ImageMagick", "v\x00", strings.Repeat("\x00", 200),
		"<" + strings.Repeat(" ", 5000) + "<svg",
	} {
		if got := resize.Sniff([]byte(data)); got != resize.FormatAuto {
			t.Errorf("Sniff(%.40q) = %v, want unknown", data, got)
		}
	}
}

// With IMGEDGE_CORPUS every photograph in it is recognized by what its name says.
func TestSniffCorpus(t *testing.T) {
	t.Parallel()
	types := map[string]resize.Format{
		".jpg": resize.FormatJPEG, ".jpeg": resize.FormatJPEG, ".png": resize.FormatPNG, ".webp": resize.FormatWebP, ".gif": resize.FormatGIF,
		".avif": resize.FormatAVIF, ".heic": resize.FormatHEIC, ".tif": resize.FormatTIFF, ".tiff": resize.FormatTIFF, ".jxl": resize.FormatJXL,
	}
	names, err := filepath.Glob(filepath.Join(os.Getenv("IMGEDGE_CORPUS"), "*"))
	if err != nil || os.Getenv("IMGEDGE_CORPUS") == "" {
		return
	}
	for _, name := range names {
		want, ok := types[strings.ToLower(filepath.Ext(name))]
		if !ok {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := resize.Sniff(data); got != want {
			t.Errorf("%s: Sniff = %v, want %v", filepath.Base(name), got, want)
		}
	}
}

func FuzzSniff(f *testing.F) {
	for _, sample := range samples {
		f.Add([]byte(sample.data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got := resize.Sniff(data)
		if got > resize.FormatICO {
			t.Fatalf("Sniff(%q) = %v, which no file is", data, got)
		}
		if len(data) < 2 && got != resize.FormatAuto {
			t.Fatalf("Sniff(%q) = %v of too short a file", data, got)
		}
		if longer := resize.Sniff(append(data[:len(data):len(data)], 0)); got != resize.FormatAuto && got != resize.FormatSVG && got != resize.FormatAVIF && got != resize.FormatHEIC && longer != got {
			t.Fatalf("Sniff(%q) = %v, and with a byte more %v", data, got, longer)
		}
	})
}
