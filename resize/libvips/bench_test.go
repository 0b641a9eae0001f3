package libvips_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// camera12 returns a JPEG of 12 MP: a photograph of IMGEDGE_CORPUS, or one of our own.
func camera12(b *testing.B) []byte {
	b.Helper()
	if dir := os.Getenv("IMGEDGE_CORPUS"); dir != "" {
		if data, err := os.ReadFile(filepath.Join(dir, "photo-12mp-book.jpg")); err == nil {
			return data
		}
	}
	return jpegOf(b, photo(4288, 2848), 90)
}

// cpu returns the CPU time of this process in ms.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}

func BenchmarkRun(b *testing.B) {
	for _, bb := range []struct {
		name string
		o    resize.Options
	}{
		{"12MP/300.jpeg", resize.Options{Width: 300, Height: 300, Fit: resize.FitCover, Format: resize.FormatJPEG}},
		{"12MP/800.webp", resize.Options{Width: 800, Format: resize.FormatWebP, Quality: 80}},
		{"12MP/1600.jpeg", resize.Options{Width: 1600, Format: resize.FormatJPEG}},
		{"12MP/400.avif", resize.Options{Width: 400, Format: resize.FormatAVIF}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			data, e := camera12(b), newEngine(b)
			src, err := e.Probe(b.Context(), data)
			if err != nil {
				b.Fatal(err)
			}
			plan, err := bb.o.Plan(src, resize.DefaultLimits())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			before, size := cpu(), 0
			for b.Loop() {
				results, err := e.Run(b.Context(), data, plan)
				if err != nil {
					b.Fatal(err)
				}
				size = len(results[0].Body)
			}
			b.ReportMetric((cpu()-before)/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(size), "bytes")
		})
	}
}

// BenchmarkBare is what govips itself needs for the first of BenchmarkRun.
func BenchmarkBare(b *testing.B) {
	data := camera12(b)
	newEngine(b)
	before := cpu()
	for b.Loop() {
		ref, err := vips.NewThumbnailFromBuffer(data, 300, 300, vips.InterestingCentre)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := ref.ExportJpeg(&vips.JpegExportParams{Quality: 80, StripMetadata: true}); err != nil {
			b.Fatal(err)
		}
		ref.Close()
	}
	b.ReportMetric((cpu()-before)/float64(b.N), "cpu-ms/op")
}

func BenchmarkProbe(b *testing.B) {
	data, e := camera12(b), newEngine(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Probe(b.Context(), data); err != nil {
			b.Fatal(err)
		}
	}
}
