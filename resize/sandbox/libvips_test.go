package sandbox_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
	"github.com/imgedge/imgedge/resize/sandbox"
)

// painted are small pictures in the formats that Go writes, one of them moving.
func painted(t *testing.T) map[string][]byte {
	t.Helper()
	const w, h = 160, 120
	colors := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			colors.SetNRGBA(x, y, color.NRGBA{R: uint8(x), G: uint8(2 * y), B: uint8(x ^ y), A: uint8(128 + y)})
		}
	}
	var opaque, alpha, moving bytes.Buffer
	frame := func(from int) *image.Paletted {
		f := image.NewPaletted(image.Rect(0, 0, 40, 30), palette.Plan9)
		for i := range f.Pix {
			f.Pix[i] = uint8(from + i/40)
		}
		return f
	}
	err := errors.Join(
		jpeg.Encode(&opaque, colors, nil), png.Encode(&alpha, colors),
		gif.EncodeAll(&moving, &gif.GIF{Image: []*image.Paletted{frame(0), frame(90)}, Delay: []int{5, 5}}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"painted.jpg": opaque.Bytes(), "painted.png": alpha.Bytes(), "painted.gif": moving.Bytes()}
}

// originals are painted ones, and those below the folders that variables name.
func originals(t *testing.T, variable string) map[string][]byte {
	t.Helper()
	files := painted(t)
	dir := os.Getenv(variable)
	if dir == "" {
		return files
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if len(data) < 8<<20 && resize.Sniff(data) != resize.FormatAuto {
			files[path] = data
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// What comes out of a worker is what the engine in this process makes, byte for byte: nothing that a picture
// needs is out of a worker's reach.
func TestSameBytesAsInThisProcess(t *testing.T) {
	here, err := libvips.New(libvips.Config{FormatsIn: everyFormat()})
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, config(withVips))
	options := []string{
		"w=120", "w=100&h=100&fit=cover&g=smart&f=webp", "w=64&f=avif", "w=64&f=jxl", "w=90&f=png&txt=Hamburgefonstiv%20%E6%BC%A2", "w=80&f=gif",
		"w=120&blur=2&sharpen=1&sat=20", "w=100&rot=17&f=webp", "w=100&h=140&fit=pad&bg=blur&f=jpeg", "w=60&q=auto&f=webp", "w=70&f=best", "w=200&mb=3000", "f=json", "f=blurhash", "w=50&f=tiff", "trim=10&w=60&f=png",
	}
	files := originals(t, "IMGEDGE_CORPUS")
	for n, name := range slices.Sorted(maps.Keys(files)) {
		data := files[name]
		source, err := here.Probe(t.Context(), data)
		got, err2 := e.Probe(t.Context(), data)
		if !reflect.DeepEqual(source, got) || (err == nil) != (err2 == nil) {
			t.Errorf("%s: probed %+v, %v; in a worker %+v, %v", name, source, err, got, err2)
			continue
		}
		for i, text := range options {
			if len(data) > 300_000 && i != n%len(options) || len(data) > 30_000 && i%3 != n%3 {
				continue // of large pictures some
			}
			o, err := resize.Parse(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			plan, err := o.Negotiate(resize.Offer{}).Normalize().Plan(source, resize.DefaultLimits())
			if err != nil {
				continue // a question of plans
			}
			want, err := here.Run(t.Context(), data, plan)
			made, err2 := e.Run(t.Context(), data, plan)
			if err != nil || err2 != nil {
				if err == nil || err2 == nil || err.Error() != err2.Error() {
					t.Errorf("%s %s: %v; in a worker %v", name, text, err, err2)
				}
				continue
			}
			if !bytes.Equal(want[0].Body, made[0].Body) || want[0].Format != made[0].Format || want[0].Width != made[0].Width || want[0].Frames != made[0].Frames {
				t.Errorf("%s %s: %s of %d bytes, in a worker %s of %d", name, text, want[0].Format, len(want[0].Body), made[0].Format, len(made[0].Body))
			}
		}
	}
	restarts := e.Stats().Restarts
	delete(restarts, sandbox.ReasonGrowth) // large pictures leave something behind
	if len(restarts) != 0 {
		t.Errorf("restarts %v, want none for what went wrong", restarts)
	}
}
