package libvips_test

import (
	"testing"

	"github.com/imgedge/imgedge/resize"
)

// BenchmarkEffects is what each option costs on a photograph of 12 MP made 800 px wide; the first is the
// picture without any.
func BenchmarkEffects(b *testing.B) {
	data := camera12(b)
	e := newEngine(b)
	mark := pngOf(b, quadrants(300, 200))
	src, err := e.Probe(b.Context(), data)
	if err != nil {
		b.Fatal(err)
	}
	markSource, err := e.Probe(b.Context(), mark)
	if err != nil {
		b.Fatal(err)
	}
	for _, text := range []string{
		"", "bri=10&con=10&sat=20", "duotone=102030,ffeedd", "blur=2", "blur=20", "blur=100", "sharpen=1", "pixelate=10", "round=40",
		"rot=10", "h=800&fit=cover&g=smart", "h=800&fit=cover&g=entropy", "h=800&fit=pad&bg=auto", "h=800&fit=pad&bg=blur",
		"trim=10", "wm=a/b&wms=0.2", "wm=a/b&wms=0.2&wmr=1", "txt=Benchmark%20of%20text",
	} {
		b.Run("800.jpeg&"+text, func(b *testing.B) {
			o := wish(b, "w=800&f=jpeg")
			if text != "" {
				o = wish(b, "w=800&f=jpeg&"+text)
			}
			plan, err := o.Plan(src, resize.DefaultLimits())
			if err == nil {
				plan, err = plan.WithMark(mark, markSource, resize.DefaultLimits())
			}
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			before := cpu()
			for b.Loop() {
				if _, err := e.Run(b.Context(), data, plan); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpu()-before)/float64(b.N), "cpu-ms/op")
		})
	}
}
