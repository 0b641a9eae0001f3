package ingest

import (
	"bytes"
	"errors"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
	"github.com/imgedge/imgedge/sample"
)

// secrets are what a file must not say any more: the tag that leads to the position, in both byte orders,
// and words of the metadata that the sample writes.
func secrets() map[string][]byte {
	return map[string][]byte{
		"GPS directory, little endian": {0x25, 0x88, 4, 0}, "GPS directory, big endian": {0x88, 0x25, 0, 4},
		"camera": []byte("Secretcam"), "artist": []byte("Jane Secret"), "xmp": []byte("ns.adobe.com/xap"), "xmp packet": []byte("<x:xmpmeta"),
	}
}

func tells(data []byte) []string {
	var all []string
	for name, secret := range secrets() {
		if bytes.Contains(data, secret) {
			all = append(all, name)
		}
	}
	return all
}

func realEngine(t testing.TB) *libvips.Engine {
	t.Helper()
	e, err := libvips.New(libvips.Config{FormatsIn: append(resize.DefaultFormatsIn(), resize.FormatJXL)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// spied is a photograph with position, camera and author, lying on its side, with a wide profile.
func spied(t testing.TB) []byte {
	t.Helper()
	data, err := sample.JPEG(sample.Turned(sample.Scene(96, 64, 2), 6), sample.Meta{
		Orientation: 6, GPS: true, Artist: "Jane Secret", Make: "Secretcam", Model: "Secretcam 1", ICC: sample.DisplayP3.ICC(),
	})
	if err != nil {
		t.Fatal(err)
	}
	xmp := []byte("http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><gps>48.5</gps></x:xmpmeta>")
	segment := append([]byte{0xFF, 0xE1, byte((len(xmp) + 2) >> 8), byte(len(xmp) + 2)}, xmp...)
	return slices.Concat(data[:2], segment, data[2:], []byte("Secretcam behind the end"))
}

// render makes one picture with the real engine.
func render(t testing.TB, e *libvips.Engine, data []byte, options string) []byte {
	t.Helper()
	o, err := resize.Parse(options)
	if err != nil {
		t.Fatal(err)
	}
	src, err := e.Probe(t.Context(), data)
	if err != nil {
		t.Fatalf("probe: %v", err)
	}
	plan, err := o.Plan(src, resize.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	results, err := e.Run(t.Context(), data, plan)
	if err != nil {
		t.Fatalf("run %s: %v", options, err)
	}
	return results[0].Body
}

// A position never survives, in no format that can carry one, and the picture looks as before.
func TestMetadataNeverSurvives(t *testing.T) {
	e := realEngine(t)
	photo := spied(t)
	s := &Store{Engine: e, Limits: resize.DefaultLimits()}
	for _, row := range []struct {
		format string
		same   bool // not encoded anew
	}{
		{"jpeg", true}, {"png", true}, {"webp", true}, {"avif", true}, {"jxl", true}, {"tiff", false},
	} {
		t.Run(row.format, func(t *testing.T) {
			data := photo
			if row.format != "jpeg" {
				data = render(t, e, photo, "f="+row.format+"&meta=all&icc=keep&orient=0")
			}
			if told := tells(data); len(told) < 2 {
				t.Fatalf("the file to be cleaned tells only %v: the test shows nothing", told)
			}
			c, err := s.check(t.Context(), received(t, s, "a."+row.format, data))
			if err != nil {
				t.Fatal(err)
			}
			defer c.drop()
			if told := tells(bytesOf(t, c.clean)); len(told) > 0 {
				t.Errorf("it tells %v", told)
			}
			before, err := e.Probe(t.Context(), data)
			if err != nil {
				t.Fatal(err)
			}
			after, err := e.Probe(t.Context(), bytesOf(t, c.clean))
			if err != nil {
				t.Fatal(err)
			}
			w, h := after.Upright()
			wantW, wantH := before.Upright()
			if c.image.Width != w || c.image.Height != h || w != wantW || h != wantH {
				t.Errorf("size %d×%d of the manifest, %d×%d of the file; want %d×%d", c.image.Width, c.image.Height, w, h, wantW, wantH)
			}
			if row.same && (after.Orientation != before.Orientation || after.ICC != before.ICC || after.Format != before.Format) {
				t.Errorf("was %+v, is %+v", before, after)
			}
			if !row.same {
				return
			}
			if !bytes.Equal(render(t, e, data, "f=png"), render(t, e, bytesOf(t, c.clean), "f=png")) {
				t.Error("it looks different")
			}
		})
	}
}

// HEIC cannot be written here: what is done with its boxes is done with a file of the same structure.
func TestPositionInHEIC(t *testing.T) {
	e := realEngine(t)
	data := render(t, e, spied(t), "f=avif&meta=all&icc=keep")
	heic := bytes.Replace(data, []byte("ftypavif"), []byte("ftypheic"), 1)
	if resize.Sniff(heic) != resize.FormatHEIC {
		t.Fatal("the relabeled file is no HEIC")
	}
	clean, ok := resize.Clean(heic, resize.FormatHEIC, 1)
	if told := tells(clean); !ok || len(told) > 0 {
		t.Errorf("cleaned %v, tells %v", ok, told)
	}
}

func TestNormalize(t *testing.T) {
	e := realEngine(t)
	o, err := resize.Parse("f=jpeg&q=90&w=40")
	if err != nil {
		t.Fatal(err)
	}
	s := &Store{Engine: e, Limits: resize.DefaultLimits(), Normalize: &o}
	c, err := s.check(t.Context(), received(t, s, "a.png", render(t, e, spied(t), "f=png&meta=all")))
	if err != nil {
		t.Fatal(err)
	}
	defer c.drop()
	after, err := e.Probe(t.Context(), bytesOf(t, c.clean))
	if err != nil || after.Format != resize.FormatJPEG || after.Width != 40 || after.ICC != "" || c.image.Key[32:] != ".jpg" || c.image.Width != 40 {
		t.Errorf("normalized to %+v, %v (%+v)", after, err, c.image)
	}
	if told := tells(bytesOf(t, c.clean)); len(told) > 0 {
		t.Errorf("it tells %v", told)
	}
	moving, err := sample.GIF(sample.Spin(32, 32, 4))
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.check(t.Context(), received(t, s, "a.gif", moving))
	if err != nil || m.image.Format != "gif" {
		t.Errorf("an animation became %+v, %v", m, err)
	}
}

// What is damaged behind its header is found out, whatever the format.
func TestDamageIsFound(t *testing.T) {
	e := realEngine(t)
	s := &Store{Engine: e, Limits: resize.DefaultLimits()}
	whole, err := sample.JPEG(sample.Scene(400, 300, 1), sample.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	moving, err := sample.GIF(sample.Spin(64, 64, 6))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"jpeg": whole, "gif": moving}
	for _, f := range []string{"png", "webp", "avif", "tiff"} {
		files[f] = render(t, e, whole, "f="+f)
	}
	for format, data := range files {
		t.Run(format, func(t *testing.T) {
			c, err := s.check(t.Context(), received(t, s, "a", data))
			if err != nil {
				t.Fatalf("whole: %v", err)
			}
			c.drop()
			cut := data[:len(data)*2/3]
			if _, err := s.check(t.Context(), received(t, s, "a", cut)); !isStatus(err, 422) {
				t.Errorf("cut off: %v, want 422", err)
			}
		})
	}
}

// Every hostile file is refused with a 4xx or taken, and nothing else happens.
func TestHostileUploads(t *testing.T) {
	e := realEngine(t)
	s := &Store{Engine: e, Limits: resize.DefaultLimits()}
	files := map[string][]byte{
		"bomb.png":     pngHeader(60000, 60000),
		"text.jpg":     []byte("GIF89"),
		"polyglot.jpg": append(spied(t), []byte("<script>alert(1)</script>")...),
		"svg.jpg":      []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`),
		"pdf.png":      []byte("%PDF-1.4\n"),
	}
	if dir := os.Getenv("IMGEDGE_HOSTILE"); dir != "" {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, ".tsv") || strings.HasSuffix(path, ".md") {
				return err
			}
			data, err := os.ReadFile(path)
			files[path] = data
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	taken := 0
	for name, data := range files {
		c, err := s.check(t.Context(), received(t, s, name, data))
		switch {
		case err == nil:
			taken++
			if bytes.Contains(bytesOf(t, c.clean), []byte("<script")) {
				t.Errorf("%s: a script is stored", name)
			}
			c.drop()
		case errors.Is(err, t.Context().Err()):
			t.Fatal(err)
		default:
			if e := fileError(name, err); e.Status < 400 || e.Status >= 500 {
				t.Errorf("%s: %d, %v", name, e.Status, err)
			}
		}
	}
	t.Logf("%d of %d files were taken", taken, len(files))
}

// pngHeader is a PNG that claims a size.
func pngHeader(w, h int) []byte {
	data, err := sample.PNG(image.NewGray(image.Rect(0, 0, 1, 1)))
	if err != nil {
		panic(err)
	}
	for i, v := range []int{w, h} {
		data[16+4*i], data[17+4*i], data[18+4*i], data[19+4*i] = byte(v>>24), byte(v>>16), byte(v>>8), byte(v)
	}
	return data
}

// bytesOf returns what a file holds.
func bytesOf(t testing.TB, f *File) []byte {
	t.Helper()
	data, err := f.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return data
}
