package libvips_test

import (
	"bytes"
	"image/color"
	"os"
	"path/filepath"
	"testing"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
	"github.com/imgedge/imgedge/resize/ssim"
)

// lossy are the formats whose quality is searched for.
func lossy() []resize.Format {
	return []resize.Format{resize.FormatJPEG, resize.FormatWebP, resize.FormatAVIF, resize.FormatJXL}
}

// TestAutoQuality holds that q=auto reaches its target with the lowest quality that does, give or take the
// step of the search, and always the same one.
func TestAutoQuality(t *testing.T) {
	m := photo(300, 200)
	data, want := pngOf(t, m), ssim.Luma(m.Pix, 4)
	for _, format := range lossy() {
		r := renderOpen(t, data, resize.Options{Format: format, QualityAuto: true})
		reached := ssim.CompareLuma(lumaOf(t, r.Body), want, 300, 200)
		if reached < 0.98 {
			t.Errorf("q=auto as %v: SSIM %.4f", format, reached)
		}
		quality := 0
		for q := 35; q <= 99 && quality == 0; q += 2 {
			if bytes.Equal(renderOpen(t, data, resize.Options{Format: format, Quality: q}).Body, r.Body) {
				quality = q
			}
		}
		if quality == 0 {
			t.Errorf("q=auto as %v is the result of no quality", format)
			continue
		}
		if quality > 35 {
			less := renderOpen(t, data, resize.Options{Format: format, Quality: quality - 2})
			if got := ssim.CompareLuma(lumaOf(t, less.Body), want, 300, 200); got >= 0.98 {
				t.Errorf("q=auto as %v took %d; %d reaches %.4f too", format, quality, quality-2, got)
			}
		}
		t.Logf("%v: q=%d, SSIM %.4f, %d bytes", format, quality, reached, len(r.Body))
		if again := renderOpen(t, data, resize.Options{Format: format, QualityAuto: true}); !bytes.Equal(again.Body, r.Body) {
			t.Errorf("q=auto as %v differs from run to run", format)
		}
		limit := len(r.Body) * 8 / 10
		if both := renderOpen(t, data, resize.Options{Format: format, QualityAuto: true, MaxBytes: limit}); len(both.Body) > limit {
			t.Errorf("q=auto and mb=%d as %v: %d bytes", limit, format, len(both.Body))
		}
	}
}

func TestTargets(t *testing.T) {
	data := pngOf(t, photo(200, 150))
	sizes := map[float64]int{}
	for _, target := range []float64{0.9, 0.98, 1} {
		e, err := libvips.New(libvips.Config{Targets: libvips.Targets{JPEG: target}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := tryRender(t.Context(), e, data, resize.Options{Format: resize.FormatJPEG, QualityAuto: true}, resize.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		sizes[target] = len(r.Body)
	}
	if sizes[0.9] >= sizes[0.98] || sizes[0.98] >= sizes[1] {
		t.Errorf("bytes by target: %v", sizes)
	}
	if best := len(render(t, data, resize.Options{Format: resize.FormatJPEG, Quality: 95}).Body); sizes[1] != best {
		t.Errorf("a target out of reach gives %d bytes, want those of the highest quality, %d", sizes[1], best)
	}
	for _, bad := range []float64{-1, 1.1} {
		if _, err := libvips.New(libvips.Config{Targets: libvips.Targets{AVIF: bad}}); err == nil {
			t.Errorf("a target of %v is taken", bad)
		}
	}
}

// TestBest holds that f=best is no larger than what any other format takes at the same similarity.
func TestBest(t *testing.T) {
	drawing := paint(300, 200, func(x, y int) color.NRGBA {
		if (x/50+y/40)%2 == 0 {
			return color.NRGBA{250, 250, 250, 255}
		}
		return color.NRGBA{20, 60, 120, 255}
	})
	cut := paint(120, 90, func(x, y int) color.NRGBA { return color.NRGBA{uint8(x * 2), uint8(y * 2), 90, uint8(min(255, x*3))} })
	all := resize.Offer{resize.FormatAVIF, resize.FormatWebP, resize.FormatJXL}
	for name, data := range map[string][]byte{"photo": pngOf(t, photo(300, 200)), "drawing": pngOf(t, drawing), "with alpha": pngOf(t, cut)} {
		for _, offer := range []resize.Offer{{}, {resize.FormatWebP}, all} {
			o := resize.Options{Format: resize.FormatBest, Offer: offer}
			best := renderOpen(t, data, o)
			if got := resize.Sniff(best.Body); got != best.Format {
				t.Errorf("%s: %v is called %v", name, got, best.Format)
			}
			others := []resize.Options{{Format: resize.FormatPNG}}
			if name != "with alpha" {
				others = append(others, resize.Options{Format: resize.FormatJPEG, QualityAuto: true})
			}
			for _, f := range offer {
				if f != resize.FormatAuto {
					others = append(others, resize.Options{Format: f, QualityAuto: true})
				}
			}
			for _, other := range others {
				if r := renderOpen(t, data, other); len(r.Body) < len(best.Body) {
					t.Errorf("%s for %v: best is %v of %d bytes, but %v has %d", name, offer, best.Format, len(best.Body), r.Format, len(r.Body))
				}
			}
			if again := renderOpen(t, data, o); !bytes.Equal(again.Body, best.Body) {
				t.Errorf("%s for %v differs from run to run", name, offer)
			}
			if name == "with alpha" && decode(t, best.Body).Opaque() {
				t.Errorf("best has lost its alpha as %v", best.Format)
			}
			t.Logf("%s for %v: %v, %d bytes", name, offer, best.Format, len(best.Body))
		}
	}
	moving := gifOf(t, 40, 30, []int{10, 20}, 0, rgb(250, 0, 0), rgb(0, 250, 0))
	r := render(t, moving, resize.Options{Format: resize.FormatBest, Offer: all, Width: 20})
	if r.Frames != 2 || r.Format != resize.FormatGIF && r.Format != resize.FormatWebP {
		t.Errorf("best of an animation is %v with %d frames", r.Format, r.Frames)
	}
}

// TestNeverLarger holds that a result which differs in nothing that is seen is not larger than the source.
func TestNeverLarger(t *testing.T) {
	m := photo(300, 200)
	jpeg := withEXIF(jpegOf(t, m, 20), 1)
	small := func(data []byte, o resize.Options) ([]byte, resize.Source) {
		src, err := newEngine(t).Probe(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		return render(t, data, o).Body, src
	}
	got, _ := small(jpeg, resize.Options{Format: resize.FormatJPEG})
	if len(got) >= len(jpeg) || !bytes.Equal(decode(t, got).Pix, decode(t, jpeg).Pix) {
		t.Errorf("a JPEG of %d bytes became one of %d with other px", len(jpeg), len(got))
	}
	for _, secret := range []string{"Exif", camera, artist} {
		if bytes.Contains(got, []byte(secret)) {
			t.Errorf("%q is left", secret)
		}
	}
	if kept, _ := small(jpeg, resize.Options{Format: resize.FormatKeep, Metadata: resize.MetadataAll, Width: 300}); !bytes.Contains(kept, []byte(camera)) || !bytes.Equal(decode(t, kept).Pix, decode(t, jpeg).Pix) {
		t.Error("with meta=all the source is not the answer, or has lost its metadata")
	}
	for name, o := range map[string]resize.Options{
		"smaller": {Width: 299}, "cropped": {Crop: resize.Region{W: 300, H: 199}}, "turned": {Rotate: 180}, "flipped": {FlipH: true},
		"blurred": {Blur: 1}, "gray": {Gray: true}, "padded": {Pad: resize.Padding{Top: 1}}, "rounded": {Round: resize.Round{Radius: 5}},
		"with text": {Text: resize.Text{Value: "a"}}, "copyright kept": {Metadata: resize.MetadataCopyright},
	} {
		o.Format = resize.FormatJPEG
		if got, _ := small(jpeg, o); bytes.Equal(decode(t, got).Pix, decode(t, jpeg).Pix) {
			t.Errorf("%s: the source was sent", name)
		}
	}
	turned := withEXIF(jpegOf(t, m, 20), 6)
	if got, _ := small(turned, resize.Options{Format: resize.FormatJPEG}); decode(t, got).Rect.Dx() != 200 {
		t.Error("a turned source was sent as it is")
	}
	wide := withICC(jpegOf(t, m, 20), profileOf("Wide", displayP3(), srgbLinear))
	if got, _ := small(wide, resize.Options{Format: resize.FormatJPEG}); bytes.Equal(decode(t, got).Pix, decode(t, wide).Pix) {
		t.Error("a source in another color space was sent without its profile")
	}
	if got, _ := small(wide, resize.Options{Format: resize.FormatJPEG, KeepICC: true}); !bytes.Equal(decode(t, got).Pix, decode(t, wide).Pix) {
		t.Error("with icc=keep the source is not the answer")
	}
	webp := render(t, pngOf(t, m), resize.Options{Format: resize.FormatWebP, Quality: 5}).Body
	if got, _ := small(webp, resize.Options{Format: resize.FormatWebP}); !bytes.Equal(got, webp) {
		t.Errorf("a WebP of %d bytes became one of %d", len(webp), len(got))
	}
	if got, _ := small(jpeg, resize.Options{Format: resize.FormatJPEG, Quality: 1}); len(got) >= len(jpeg)/2 {
		t.Errorf("q=1 is of no effect: %d bytes", len(got))
	}
}

// TestAutoQualityOfCorpus does the same with the photographs that IMGEDGE_CORPUS names.
func TestAutoQualityOfCorpus(t *testing.T) {
	dir := os.Getenv("IMGEDGE_CORPUS")
	if dir == "" {
		return
	}
	names, err := filepath.Glob(filepath.Join(dir, "photo-kodak*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		exact := render(t, data, resize.Options{Width: 500, Format: resize.FormatPNG})
		for _, format := range lossy() {
			fixed := renderOpen(t, data, resize.Options{Width: 500, Format: format})
			r := renderOpen(t, data, resize.Options{Width: 500, Format: format, QualityAuto: true})
			got := ssim.CompareLuma(lumaOf(t, r.Body), lumaOf(t, exact.Body), r.Width, r.Height)
			if got < 0.98 {
				t.Errorf("%s as %v: SSIM %.4f", filepath.Base(name), format, got)
			}
			t.Logf("%-22s %v: %6d bytes, SSIM %.4f; by default %6d", filepath.Base(name), format, len(r.Body), got, len(fixed.Body))
		}
	}
}
