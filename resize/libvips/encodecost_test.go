package libvips_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/imgedge/imgedge/resize"
)

// BenchmarkEncodeCost measures what resize's table of encoders predicts: CPU-ns a px of every encoder at every
// effort that a plan may choose, on two photographs of IMGEDGE_CORPUS (or one of our own) in 1200 px, the least of some
// runs so that other work counts little. The source is a TIFF, which costs next to nothing to decode.
func BenchmarkEncodeCost(b *testing.B) {
	e := newEngine(b)
	pictures := photographs(b)
	for _, enc := range encoders() {
		name := fmt.Sprintf("%v/effort=%d/q=%d/lossless=%v", enc.Format, enc.Effort, enc.Quality, enc.Lossless)
		b.Run(name, func(b *testing.B) {
			least := make([]float64, len(pictures))
			for i := range least {
				least[i] = math.Inf(1)
			}
			for b.Loop() {
				for i, data := range pictures {
					src, err := e.Probe(b.Context(), data)
					if err != nil {
						b.Fatal(err)
					}
					plan, err := resize.Options{Format: resize.FormatPNG}.Plan(src, resize.DefaultLimits())
					if err != nil {
						b.Fatal(err)
					}
					before := cpu()
					if _, err := e.Run(b.Context(), data, plan.With(enc)); err != nil {
						b.Fatal(err)
					}
					least[i] = min(least[i], (cpu()-before)*1e6/float64(plan.Width*plan.Height))
				}
			}
			b.ReportMetric(slices.Max(least), "worst-ns/px")
			b.ReportMetric(slices.Min(least), "best-ns/px")
		})
	}
}

// encoders are those whose cost is measured.
func encoders() []resize.Encoder {
	var all []resize.Encoder
	add := func(f resize.Format, lossless bool, efforts []int, qualities ...int) {
		for _, effort := range efforts {
			for _, q := range qualities {
				all = append(all, resize.Encoder{Format: f, Quality: q, Lossless: lossless, Effort: effort})
			}
		}
	}
	add(resize.FormatJPEG, false, []int{0}, 80, 100)
	add(resize.FormatWebP, false, []int{2, 1, 0}, 79, 100)
	add(resize.FormatWebP, true, []int{2, 1, 0}, 79)
	add(resize.FormatAVIF, false, []int{1, 0}, 63, 100)
	add(resize.FormatAVIF, true, []int{1, 0}, 63)
	add(resize.FormatJXL, false, []int{4, 3}, 77, 100)
	add(resize.FormatJXL, true, []int{4, 3}, 77)
	add(resize.FormatPNG, false, []int{6, 3, 1}, 0)
	add(resize.FormatGIF, false, []int{4, 1}, 0)
	add(resize.FormatTIFF, false, []int{0}, 0)
	return all
}

// photographs returns TIFFs: a busy one and a calm one.
func photographs(b *testing.B) [][]byte {
	b.Helper()
	var all [][]byte
	if dir := os.Getenv("IMGEDGE_CORPUS"); dir != "" {
		for _, name := range []string{"photo-12mp-street.jpg", "photo-12mp-book.jpg"} {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				b.Fatal(err)
			}
			small := render(b, data, resize.Options{Width: 1200, Format: resize.FormatPNG})
			all = append(all, tiffOf(decode(b, small.Body)))
		}
		return all
	}
	return append(all, tiffOf(photo(1200, 900)))
}
