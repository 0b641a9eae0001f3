package libvips_test

import (
	"fmt"
	"image"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/ssim"
)

// qualityVariable names the file that TestQuality writes its table into; not set, it writes none.
const qualityVariable = "IMGEDGE_QUALITY"

// leastQuality is the SSIM of luma that every render reaches against a full decode, alone or in one decode with others.
const leastQuality = 0.985

// TestQuality holds what tight shrink-on-load and 8-bit alpha cost: the px of every picture in every width,
// before encoding, against a Lanczos3 of all the px there are, in floating point and without any step between.
func TestQuality(t *testing.T) {
	files := pictures(t)
	files["alpha.png"] = pngOf(t, cutOut(900, 700))
	files["large.jpg"] = jpegOf(t, photo(2000, 1500), 92)
	widths := []int{100, 320, 800, 1600}
	var table strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		row, kind := make([]string, len(widths)), ""
		t.Run(name, func(t *testing.T) {
			src, err := newEngine(t).Probe(t.Context(), files[name])
			if err != nil {
				t.Fatal(err)
			}
			kind = fmt.Sprintf("%v, %d×%d", src.Format, src.Width, src.Height)
			full := whole(t, files[name], src)
			var best [][]byte
			var plans []resize.Plan
			for i, width := range widths {
				o := resize.Options{Width: width, Format: resize.FormatPNG, NoOrient: true, Still: true}
				plan, err := o.Plan(src, resize.DefaultLimits())
				if err != nil {
					t.Fatal(err)
				}
				row[i] = "–"
				if plan.Scaled == image.Pt(src.Width, src.Height) {
					continue // not resampled
				}
				plans = append(plans, plan.With(resize.Encoder{Format: resize.FormatPNG, Effort: 1}))
				best = append(best, full.lanczos(plan.Scaled.X, plan.Scaled.Y))
				s := similarity(t, files[name], plans[i:], best[i:]...)[0]
				row[i] = fmt.Sprintf("%.4f", s)
				if s < leastQuality {
					t.Errorf("w=%d: SSIM %.4f, loaded %v, scaled to %v", width, s, plan.Loaded, plan.Scaled)
				}
			}
			for i, s := range similarity(t, files[name], plans, best...) {
				if s < leastQuality {
					t.Errorf("w=%d in one decode with others: SSIM %.4f, scaled to %v", widths[i], s, plans[i].Scaled)
				}
			}
		})
		fmt.Fprintf(&table, "| %s | %s | %s |\n", name, kind, strings.Join(row, " | "))
	}
	writeQuality(t, widths, table.String())
}

// similarity renders plans, in one call, and returns the SSIM of each with the best there is.
func similarity(t *testing.T, data []byte, plans []resize.Plan, best ...[]byte) []float64 {
	t.Helper()
	if len(plans) == 0 {
		return nil
	}
	results, err := newEngine(t).Run(t.Context(), data, plans...)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]float64, len(plans))
	for i, r := range results {
		all[i] = ssim.CompareLuma(lumaOf(t, r.Body), best[i], plans[i].Scaled.X, plans[i].Scaled.Y)
	}
	return all
}

func writeQuality(t *testing.T, widths []int, rows string) {
	t.Helper()
	path := os.Getenv(qualityVariable)
	if path == "" {
		return
	}
	head, line := "| picture | source |", "|---|---|"
	for _, w := range widths {
		head += fmt.Sprintf(" w=%d |", w)
		line += "---|"
	}
	text := fmt.Sprintf(`# Quality of the resize

How close results are to the best there is: the structural similarity (SSIM) of luma, before encoding, to a Lanczos3 resize
of the fully decoded picture in floating point. 1 is equal. What keeps a picture from 1 is what makes it fast: the decoder
reduces JPEG and WebP by 2, 4 or 8 and leaves at least 1.3 (at 2) or 2 to the resampler; large factors are means first;
alpha is multiplied in 8 bits. Every value is at least %v; a test holds that. "–" is not resampled.

Made with libvips %s by

    IMGEDGE_CORPUS=… IMGEDGE_QUALITY=$PWD/docs/quality.md go test ./resize/libvips -run TestQuality

%s
%s
%s`, leastQuality, vips.Version, head, line, rows)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// gray is luma at full size.
type gray struct {
	pix           []byte
	width, height int
}

// whole returns the luma of a picture's first frame, in its stored orientation. Where px need no conversion,
// the decoder gives them.
func whole(t *testing.T, data []byte, src resize.Source) gray {
	t.Helper()
	if src.ICC == "" && !src.CMYK && src.Depth == 8 {
		return gray{lumaOf(t, data), src.Width, src.Height}
	}
	o := resize.Options{Format: resize.FormatPNG, NoOrient: true, Still: true}
	plan, err := o.Plan(src, resize.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	plan.Search = resize.Search{}
	results, err := newEngine(t).Run(t.Context(), data, plan.With(resize.Encoder{Format: resize.FormatPNG, Effort: 1}))
	if err != nil {
		t.Fatal(err)
	}
	return gray{lumaOf(t, results[0].Body), src.Width, src.Height}
}

// lanczos resamples with a window of three lobes, rows first. The race detector would look at every px of
// it, which takes minutes and finds nothing.
//
//go:norace
func (g gray) lanczos(width, height int) []byte {
	columns, rows := taps(g.width, width), taps(g.height, height)
	narrow := make([]float32, width*g.height)
	for y := range g.height {
		line := g.pix[y*g.width:][:g.width]
		for x, tap := range columns {
			var sum float32
			for i, w := range tap.weights {
				sum += w * float32(line[tap.first+i])
			}
			narrow[y*width+x] = sum
		}
	}
	out := make([]byte, width*height)
	for y, tap := range rows {
		for x := range width {
			var sum float32
			for i, w := range tap.weights {
				sum += w * narrow[(tap.first+i)*width+x]
			}
			out[y*width+x] = byte(min(255, max(0, sum+0.5)))
		}
	}
	return out
}

// tap is what one px is made of.
type tap struct {
	first   int
	weights []float32
}

func taps(from, to int) []tap {
	scale := float64(from) / float64(to)
	reach := 3 * max(1, scale)
	all := make([]tap, to)
	for i := range all {
		center := (float64(i)+0.5)*scale - 0.5
		first, last := max(0, int(math.Ceil(center-reach))), min(from-1, int(math.Floor(center+reach)))
		weights, sum := make([]float32, last-first+1), float32(0)
		for j := range weights {
			x := (float64(first+j) - center) / max(1, scale)
			weights[j] = float32(sinc(x) * sinc(x/3))
			sum += weights[j]
		}
		for j := range weights {
			weights[j] /= sum
		}
		all[i] = tap{first, weights}
	}
	return all
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}
