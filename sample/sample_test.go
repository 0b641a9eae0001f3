package sample_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/sample"
)

func TestSceneIsDeterministic(t *testing.T) {
	a, b, other := sample.Scene(160, 120, 3), sample.Scene(160, 120, 3), sample.Scene(160, 120, 7)
	if !bytes.Equal(a.Pix, b.Pix) {
		t.Error("Scene(160, 120, 3) twice: pixels differ")
	}
	if bytes.Equal(a.Pix, other.Pix) {
		t.Error("Scene(160, 120, 3) and seed 7: pixels are equal")
	}
	if x, y := sample.Cutout(64, 80, 1), sample.Cutout(64, 80, 1); !bytes.Equal(x.Pix, y.Pix) {
		t.Error("Cutout(64, 80, 1) twice: pixels differ")
	}
}

// TestSceneLooksLikeAPhotograph holds what a codec cares about: a bright sky over a darker ground,
// many tones, and detail.
func TestSceneLooksLikeAPhotograph(t *testing.T) {
	for seed := range uint64(4) {
		img := sample.Scene(240, 160, seed)
		tones := map[color.RGBA]bool{}
		var sky, ground, rough int
		for y := range 160 {
			for x := range 240 {
				c := img.RGBAAt(x, y)
				tones[c] = true
				if c.A != 255 {
					t.Fatalf("Scene(240, 160, %d): pixel %d,%d has alpha %d", seed, x, y, c.A)
				}
				switch {
				case y < 40:
					sky += int(c.G)
				case y >= 140:
					ground += int(c.G) * 2 // half as many rows
					if x > 0 {
						rough += max(int(c.G), int(img.RGBAAt(x-1, y).G)) - min(int(c.G), int(img.RGBAAt(x-1, y).G))
					}
				}
			}
		}
		if sky <= ground || len(tones) < 8000 || rough < 4*240*20 {
			t.Errorf("Scene(240, 160, %d): sky %d, ground %d, %d tones, roughness %d", seed, sky, ground, len(tones), rough)
		}
	}
}

func TestSmallestSizes(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {1, 40}, {40, 1}, {3, 2}} {
		for name, img := range map[string]image.Image{
			"Scene": sample.Scene(size.X, size.Y, 1), "Still": sample.Still(size.X, size.Y, 1),
			"Cutout": sample.Cutout(size.X, size.Y, 1), "Quadrants": sample.Quadrants(size.X, size.Y),
			"Deep": sample.Deep(size.X, size.Y),
		} {
			if got := img.Bounds().Size(); got != size {
				t.Errorf("%s(%d, %d): size %v", name, size.X, size.Y, got)
			}
		}
	}
}

func TestCutoutHasEveryKindOfAlpha(t *testing.T) {
	data, err := sample.PNG(sample.Cutout(200, 250, 1))
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	img, ok := decoded.(*image.NRGBA)
	if !ok {
		t.Fatalf("cut-out decodes as %T, want *image.NRGBA", decoded)
	}
	var none, some, full int
	for i := 3; i < len(img.Pix); i += 4 {
		switch img.Pix[i] {
		case 0:
			none++
		case 255:
			full++
		default:
			some++
		}
	}
	if none < 5000 || some < 2000 || full < 2500 {
		t.Errorf("Cutout(200, 250, 1): %d px transparent, %d between, %d opaque", none, some, full)
	}
}

func TestSpin(t *testing.T) {
	data, err := sample.GIF(sample.Spin(160, 120, 6))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gif.DecodeAll(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Image) != 6 || g.LoopCount != 0 || g.Config.Width != 160 || g.Config.Height != 120 {
		t.Fatalf("Spin(160, 120, 6): %d frames, loop %d, %d×%d", len(g.Image), g.LoopCount, g.Config.Width, g.Config.Height)
	}
	if g.Image[1].Rect == g.Image[0].Rect || bytes.Equal(g.Image[1].Pix, g.Image[2].Pix) {
		t.Errorf("Spin: frame 1 covers %v; want a part of %v that moves", g.Image[1].Rect, g.Image[0].Rect)
	}
}

func TestTurnedIsUndoneByItsOrientation(t *testing.T) {
	upright := sample.Quadrants(6, 4)
	tests := []struct {
		orientation int
		size        image.Point
		first, last color.RGBA // the file's top left and bottom right
	}{
		{1, image.Pt(6, 4), color.RGBA{255, 0, 0, 255}, color.RGBA{255, 255, 255, 255}},
		{2, image.Pt(6, 4), color.RGBA{0, 255, 0, 255}, color.RGBA{0, 0, 255, 255}},
		{3, image.Pt(6, 4), color.RGBA{255, 255, 255, 255}, color.RGBA{255, 0, 0, 255}},
		{4, image.Pt(6, 4), color.RGBA{0, 0, 255, 255}, color.RGBA{0, 255, 0, 255}},
		{5, image.Pt(4, 6), color.RGBA{255, 0, 0, 255}, color.RGBA{255, 255, 255, 255}},
		{6, image.Pt(4, 6), color.RGBA{0, 255, 0, 255}, color.RGBA{0, 0, 255, 255}},
		{7, image.Pt(4, 6), color.RGBA{255, 255, 255, 255}, color.RGBA{255, 0, 0, 255}},
		{8, image.Pt(4, 6), color.RGBA{0, 0, 255, 255}, color.RGBA{0, 255, 0, 255}},
	}
	for _, tt := range tests {
		img := sample.Turned(upright, tt.orientation)
		size := img.Rect.Size()
		if size != tt.size {
			t.Errorf("Turned(6×4, %d): size %v, want %v", tt.orientation, size, tt.size)
			continue
		}
		if first, last := img.RGBAAt(0, 0), img.RGBAAt(size.X-1, size.Y-1); first != tt.first || last != tt.last {
			t.Errorf("Turned(6×4, %d): corners %v %v, want %v %v", tt.orientation, first, last, tt.first, tt.last)
		}
	}
}

func TestPosterHasInk(t *testing.T) {
	img, err := sample.Poster(300, 400)
	if err != nil {
		t.Fatal(err)
	}
	dark := 0
	for x := range 300 {
		if c := img.RGBAAt(x, 60); c.R < 60 && c.G < 60 {
			dark++
		}
	}
	if dark < 30 {
		t.Errorf("Poster(300, 400): %d dark px in the row of the title, want letters", dark)
	}
}

func TestGrayAndDeepKeepTheirDepth(t *testing.T) {
	data, err := sample.JPEG(sample.Gray(sample.Scene(64, 48, 1)), sample.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := jpeg.DecodeConfig(bytes.NewReader(data)); err != nil || c.ColorModel != color.GrayModel {
		t.Errorf("gray JPEG: %v, %v", c, err)
	}
	data, err = sample.PNG(sample.Deep(64, 48))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := png.DecodeConfig(bytes.NewReader(data)); err != nil || c.ColorModel != color.RGBA64Model {
		t.Errorf("deep PNG: %v, %v; want RGB of 16 bits", c, err)
	}
}

// TestWriteMakesTheGalleryOnce finds the large pictures there already, so that it is done in seconds
// under the race detector too; how they are made does not differ.
func TestWriteMakesTheGalleryOnce(t *testing.T) {
	dir := t.TempDir()
	kept := []string{"adobe.jpg", "coast.jpg", "gray.jpg", "mist-orient3.jpg", "p3.jpg", "portrait-orient6.jpg", "poster.png", "sunset.jpg"}
	for _, name := range kept {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := sample.Write(dir); err != nil {
		t.Fatal(err)
	}
	var names []string
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, f.Name())
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(kept, f.Name()) {
			if string(data) != "mine" {
				t.Errorf("Write overwrote %s", f.Name())
			}
		} else if _, _, err := image.Decode(bytes.NewReader(data)); err != nil {
			t.Errorf("decode %s: %v", f.Name(), err)
		}
	}
	if want := slices.Sorted(slices.Values(sample.Names())); !slices.Equal(names, want) {
		t.Errorf("Write made %v, want %v", names, want)
	}
}

func TestWriteMakesItsFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	if err := sample.WriteFile(dir, "icon.png"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "icon.png")); err != nil {
		t.Error(err)
	}
	if err := sample.WriteFile(dir, "nothing.png"); err == nil {
		t.Error("WriteFile of a name that is not in the gallery: no error")
	}
}

func TestWriteFileOfASize(t *testing.T) {
	dir := t.TempDir()
	for name, decode := range map[string]func(io.Reader) (image.Config, error){"45x30.jpg": jpeg.DecodeConfig, "30x45.png": png.DecodeConfig} {
		if err := sample.WriteFile(dir, name); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		c, err := decode(bytes.NewReader(data))
		if got := fmt.Sprintf("%dx%d", c.Width, c.Height); err != nil || !strings.HasPrefix(name, got+".") {
			t.Errorf("WriteFile(%q) is of %s, %v", name, got, err)
		}
	}
	for _, name := range []string{"45x30", "45x30.webp", "0x30.jpg", "45x65536.jpg", "-45x30.jpg", "45.jpg", "x.png"} {
		if err := sample.WriteFile(dir, name); err == nil {
			t.Errorf("WriteFile(%q): no error", name)
		}
	}
}

func TestWriteSaysWhatFailed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := sample.Write(file); err == nil {
		t.Error("Write into a file: no error")
	}
}
