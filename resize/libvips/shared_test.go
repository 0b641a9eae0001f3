package libvips_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
	"github.com/imgedge/imgedge/resize/ssim"
)

// cutOut returns a picture with soft alpha.
func cutOut(w, h int) *image.NRGBA {
	return paint(w, h, func(x, y int) color.NRGBA {
		return color.NRGBA{uint8(200 * x / w), uint8(200 * y / h), uint8(40 * (x / 50 % 4)), uint8(min(255, max(0, 2*x-y)))}
	})
}

// plansOf returns the plans of options as a URL has them.
func plansOf(t testing.TB, src resize.Source, texts ...string) []resize.Plan {
	t.Helper()
	plans := make([]resize.Plan, 0, len(texts))
	for _, text := range texts {
		o, err := resize.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := o.Plan(src, resize.DefaultLimits())
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		plans = append(plans, plan)
	}
	return plans
}

// TestTogether holds that pictures which share a decode are those of single renders: sizes exactly, px with
// an SSIM of at least 0.99. Where px choose the window and two are as good, it may be another one. All are
// made together of every picture, and every other one alone, those in between of the next picture.
func TestTogether(t *testing.T) {
	e := newEngine(t)
	files := pictures(t)
	files["alpha.png"] = pngOf(t, cutOut(400, 300))
	files["odd.jpg"] = jpegOf(t, photo(801, 603), 92)
	texts := []string{
		"w=64", "w=120", "w=200&h=200&fit=cover", "w=301", "w=90&ar=1:1", "w=140&rot=90&flip=h",
		"crop=10p,20p,60p,60p&w=60", "w=100&h=100&fit=pad&bg=ffcc88", "w=160&gray=1&sharpen=1", "w=80&h=80&fit=cover&g=smart",
	}
	for i := range texts {
		texts[i] += "&f=png&anim=0"
	}
	for n, name := range slices.Sorted(maps.Keys(files)) {
		data := files[name]
		t.Run(name, func(t *testing.T) {
			src, err := e.Probe(t.Context(), data)
			if err != nil {
				t.Fatal(err)
			}
			plans := plansOf(t, src, texts...)
			if src.Depth == 8 && len(resize.Together(plans...).Groups) > 3 {
				t.Errorf("%v share little", resize.Together(plans...).Groups)
			}
			together, err := e.Run(t.Context(), data, plans...)
			if err != nil {
				t.Fatal(err, causes(err))
			}
			for i := n % 2; i < len(plans); i += 2 {
				plan := plans[i]
				alone, err := e.Run(t.Context(), data, plan)
				if err != nil {
					t.Fatal(err)
				}
				got, want := together[i], alone[0]
				if got.Width != want.Width || got.Height != want.Height || got.Format != want.Format {
					t.Errorf("%s: %d×%d %v, alone %d×%d %v", texts[i], got.Width, got.Height, got.Format, want.Width, want.Height, want.Format)
				}
				a, b := decode(t, got.Body), decode(t, want.Body)
				if a.Rect.Size() != b.Rect.Size() {
					t.Fatalf("%s: %v px, alone %v", texts[i], a.Rect.Size(), b.Rect.Size())
				}
				s := ssim.Compare(a, b)
				if s < 0.99 && plan.Pick != resize.GravityCenter {
					s = bestWindow(a, decode(t, scaledOnly(t, e, data, plan)))
				}
				if s < 0.99 {
					t.Errorf("%s: SSIM %.4f of %v, alone from %v to %v", texts[i], s, resize.Together(plans...).Groups, plan.Loaded, plan.Scaled)
				}
			}
		})
	}
}

// scaledOnly renders a plan without cutting its window.
func scaledOnly(t *testing.T, e *libvips.Engine, data []byte, plan resize.Plan) []byte {
	t.Helper()
	size := plan.Scaled
	if plan.Turn.Swaps() {
		size = image.Pt(size.Y, size.X)
	}
	plan.Pick, plan.Window = resize.GravityCenter, image.Rectangle{Max: size}
	plan.Width, plan.Height = plan.Window.Dx(), plan.Window.Dy()
	results, err := e.Run(t.Context(), data, plan)
	if err != nil {
		t.Fatal(err)
	}
	return results[0].Body
}

// bestWindow returns the largest similarity of a picture to a window of another.
func bestWindow(m, of *image.NRGBA) float64 {
	best, size := 0.0, m.Rect.Size()
	for y := range of.Rect.Dy() - size.Y + 1 {
		for x := range of.Rect.Dx() - size.X + 1 {
			at := image.Pt(x, y)
			best = max(best, ssim.Compare(m, toNRGBA(of.SubImage(image.Rectangle{at, at.Add(size)}))))
		}
	}
	return best
}

// TestTogetherFlat holds that an even color stays what it is, to the bit, at every factor.
func TestTogetherFlat(t *testing.T) {
	e := newEngine(t)
	for _, v := range []uint8{0, 1, 2, 63, 127, 128, 200, 254, 255} {
		want := color.NRGBA{v, 255 - v, v / 2, 255}
		data := pngOf(t, paint(401, 303, func(int, int) color.NRGBA { return want }))
		src, err := e.Probe(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		texts := []string{"w=401&f=png", "w=400&f=png", "w=333&f=png", "w=250&f=png", "w=134&f=png", "w=101&f=png", "w=33&f=png", "w=7&f=png", "w=1&f=png", "w=60&h=7&fit=stretch&f=png"}
		plans := plansOf(t, src, texts...)
		if n := len(resize.Together(plans...).Groups); n != 1 {
			t.Fatalf("%d groups", n)
		}
		results, err := e.Run(t.Context(), data, plans...)
		if err != nil {
			t.Fatal(err, causes(err))
		}
		for i, result := range results {
			m := decode(t, result.Body)
			for j := 0; j < len(m.Pix); j += 4 {
				if got := (color.NRGBA{m.Pix[j], m.Pix[j+1], m.Pix[j+2], m.Pix[j+3]}); got != want {
					t.Fatalf("%s of %v has %v at px %d", texts[i], want, got, j/4)
				}
			}
		}
	}
}

// TestTogetherExact holds px to a Lanczos3 in floating point, where nothing is halved.
func TestTogetherExact(t *testing.T) {
	e, full := newEngine(t), photo(900, 640)
	data, luma := pngOf(t, full), gray{ssim.Luma(full.Pix, 4), 900, 640}
	src, err := e.Probe(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	plans := plansOf(t, src, "w=899&f=png", "w=700&f=png", "w=450&f=png", "w=300&f=png", "w=230&f=png")
	results, err := e.Run(t.Context(), data, plans...)
	if err != nil {
		t.Fatal(err, causes(err))
	}
	for i, result := range results {
		got, want := lumaOf(t, result.Body), luma.lanczos(result.Width, result.Height)
		inner := func(pix []byte) []byte { // at the edge the two go on another way
			var out []byte
			for y := 3; y < result.Height-3; y++ {
				out = append(out, pix[y*result.Width+3:(y+1)*result.Width-3]...)
			}
			return out
		}
		a, b := inner(got), inner(want)
		most, sum := 0, 0
		for j := range a {
			d := int(a[j]) - int(b[j])
			most, sum = max(most, d, -d), sum+d
		}
		if bias := float64(sum) / float64(len(a)); most > 2 || math.Abs(bias) > 0.2 {
			t.Errorf("%v px: differs by up to %d, by %.3f on average", plans[i].Scaled, most, bias)
		}
	}
}

// TestTogetherKeeps holds that metadata and profile of the source reach every picture that keeps them.
func TestTogetherKeeps(t *testing.T) {
	e := newEngine(t)
	data := withEXIF(withICC(jpegOf(t, photo(640, 480), 92), profileOf("Adobe RGB (1998)", adobeRGB(), adobeLinear)), 1)
	src, err := e.Probe(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	results, err := e.Run(t.Context(), data, plansOf(t, src, "w=300&f=jpeg", "w=200&f=jpeg&meta=copyright", "w=100&f=jpeg&meta=all", "w=90&f=jpeg&icc=keep")...)
	if err != nil {
		t.Fatal(err, causes(err))
	}
	for i, want := range []struct{ author, camera, profile bool }{{}, {author: true}, {author: true, camera: true}, {profile: true}} {
		body := results[i].Body
		got := struct{ author, camera, profile bool }{
			bytes.Contains(body, []byte(copyright)), bytes.Contains(body, []byte(camera)), bytes.Contains(body, []byte("ICC_PROFILE")),
		}
		if got != want {
			t.Errorf("picture %d keeps %+v, want %+v", i, got, want)
		}
	}
}

func TestTogetherEnds(t *testing.T) {
	e := newEngine(t)
	data := jpegOf(t, photo(640, 480), 92)
	src, err := e.Probe(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	plans := plansOf(t, src, "w=300&f=jpeg", "w=200&f=jpeg")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Run(ctx, data, plans...); !errors.Is(err, context.Canceled) {
		t.Errorf("Run after the end: %v", err)
	}
	if _, err := e.Run(t.Context(), data[:len(data)/3], plans...); err != nil {
		if s, code := status(err); s != 422 || code != "corrupt_image" {
			t.Errorf("Run of a part of the file: %v", err)
		}
	}
}

// BenchmarkTogether makes eight widths of 24 MP from one decode and from one each.
func BenchmarkTogether(b *testing.B) {
	data, e := camera24(b), newEngine(b)
	src, err := e.Probe(b.Context(), data)
	if err != nil {
		b.Fatal(err)
	}
	var texts []string
	for _, w := range []int{160, 320, 480, 640, 960, 1280, 1600, 1920} {
		texts = append(texts, fmt.Sprintf("w=%d&f=jpeg", w))
	}
	plans := plansOf(b, src, texts...)
	var alone, together float64
	for b.Loop() {
		start := cpu()
		for _, plan := range plans {
			if _, err := e.Run(b.Context(), data, plan); err != nil {
				b.Fatal(err)
			}
		}
		middle := cpu()
		if _, err := e.Run(b.Context(), data, plans...); err != nil {
			b.Fatal(err)
		}
		alone, together = alone+middle-start, together+cpu()-middle
	}
	b.ReportMetric(alone/float64(b.N), "alone-cpu-ms/op")
	b.ReportMetric(together/float64(b.N), "together-cpu-ms/op")
	b.ReportMetric(together/alone, "ratio")
}

// camera24 returns a JPEG of 24 MP: a photograph of IMGEDGE_CORPUS, or one of our own.
func camera24(b *testing.B) []byte {
	b.Helper()
	if dir := os.Getenv("IMGEDGE_CORPUS"); dir != "" {
		entries, err := os.ReadDir(dir)
		if err != nil {
			b.Fatal(err)
		}
		for _, entry := range entries {
			if !strings.HasPrefix(entry.Name(), "photo-24mp") {
				continue
			}
			data, err := os.ReadFile(dir + "/" + entry.Name())
			if err != nil {
				b.Fatal(err)
			}
			return data
		}
	}
	return jpegOf(b, photo(6000, 4000), 90)
}
