package resize

import (
	"fmt"
	"image"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestTogether holds who shares a decode with whom: groups separated by |, of plans by their index with how
// often the copy is halved for them.
func TestTogether(t *testing.T) {
	photo := jpegOf(6000, 4000, 1)
	png := Source{Format: FormatPNG, Width: 3000, Height: 2000, Pages: 1, Bands: 3, Depth: 8}
	clear := Source{Format: FormatPNG, Width: 1000, Height: 800, Pages: 1, Bands: 4, Depth: 8, Alpha: true}
	deep := Source{Format: FormatPNG, Width: 1000, Height: 800, Pages: 1, Bands: 3, Depth: 16}
	huge := Source{Format: FormatPNG, Width: 8000, Height: 6000, Pages: 1, Bands: 4, Depth: 8, Alpha: true}
	webp := Source{Format: FormatWebP, Width: 4000, Height: 3000, Pages: 1, Bands: 3, Depth: 8}
	tiff := Source{Format: FormatTIFF, Width: 1000, Height: 800, Pages: 3, Bands: 3, Depth: 8}
	gif := Source{Format: FormatGIF, Width: 600, Height: 400, Pages: 9, Animated: true, Bands: 4, Depth: 8, Alpha: true}
	svg := Source{Format: FormatSVG, Width: 100, Height: 100, Pages: 1, Bands: 4, Depth: 8, Alpha: true}
	for _, tt := range []struct {
		name string
		src  Source
		of   []string
		want string
	}{
		{"one", photo, []string{"w=300"}, "0:0"},
		{"as often as the decoder", photo, []string{"w=300", "w=600", "w=1200", "w=2400", "w=3000"}, "4:0 3:0 2:1 1:2 0:3"},
		{"from what the largest needs", photo, []string{"w=300", "w=600", "w=1200"}, "2:0 1:1 0:2"},
		{"equal needs", photo, []string{"w=600&q=50", "w=600&f=webp", "w=500"}, "0:0 1:0 2:0"},
		{"fits, crops to a ratio and turns", photo, []string{"w=200&h=200&fit=cover", "w=900", "ar=1:1&w=300", "rot=90&w=400&h=600"}, "1:0 2:1 3:1 0:2"},
		{"a crop of more detail", photo, []string{"w=300", "crop=10p,10p,5p,5p&w=300", "w=150"}, "1:0|0:0 2:0"},
		{"a crop of less detail", photo, []string{"w=1200", "crop=1000,1000,2000,2000&w=100"}, "0:0 1:2"},
		{"trim", photo, []string{"w=300", "w=300&trim=10", "w=100"}, "0:0 2:0|1:0"},
		{"no decoder that reduces", png, []string{"w=100", "w=1000", "w=700"}, "1:0 0:0 2:0"},
		{"scale-on-load", webp, []string{"w=1000", "w=100"}, "0:0 1:2"},
		{"alpha", clear, []string{"w=500", "w=100"}, "0:0 1:0"},
		{"alpha not resampled", clear, []string{"w=1000", "w=500", "w=250"}, "0:0|1:0 2:0"},
		{"16 bits", deep, []string{"w=500", "w=100"}, "0:0|1:0"},
		{"of much memory", huge, []string{"w=500", "w=100"}, "0:0 1:0"},
		{"too much memory", huge, []string{"w=5000", "w=4500", "w=4700", "w=100"}, "0:0 1:0 3:0|2:0"},
		{"enlarged", clear, []string{"w=1500&enlarge=1", "w=500", "w=100"}, "0:0|1:0 2:0"},
		{"of another shape", png, []string{"w=3000&h=10&fit=stretch", "w=500", "w=500&h=50&fit=stretch"}, "1:0 2:0|0:0"},
		{"pages", tiff, []string{"w=500", "w=100", "w=100&page=2"}, "0:0 1:0|2:0"},
		{"animation", gif, []string{"w=300", "w=300&anim=0", "w=100", "w=100&f=png"}, "0:0|1:0 3:0|2:0"},
		{"drawing", svg, []string{"w=300", "w=100"}, "0:0|1:0"},
	} {
		var plans []Plan
		for _, text := range tt.of {
			o, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			plans = append(plans, mustPlan(t, o.Negotiate(Offer{}), tt.src))
		}
		b := Together(plans...)
		if got := groups(b); got != tt.want {
			t.Errorf("%s: Together(%v) = %s, want %s", tt.name, tt.of, got, tt.want)
		}
		var memory int64
		for _, g := range b.Groups {
			memory = max(memory, g.Memory)
		}
		if b.Memory != memory {
			t.Errorf("%s: %d bytes, the largest group takes %d", tt.name, b.Memory, memory)
		}
	}
}

func groups(b Batch) string {
	var all []string
	for _, g := range b.Groups {
		var parts []string
		for _, p := range g.Parts {
			parts = append(parts, fmt.Sprintf("%d:%d", p.Index, p.Halvings))
		}
		all = append(all, strings.Join(parts, " "))
	}
	return strings.Join(all, "|")
}

// TestTogetherCrop holds that parts of a crop lie on the px that the decoder's own reduction would give.
func TestTogetherCrop(t *testing.T) {
	src := jpegOf(4000, 3000, 1)
	crop := Region{X: 1003, Y: 517, W: 1600, H: 1600}
	b := Together(
		mustPlan(t, Options{Crop: crop, Width: 1000}, src),
		mustPlan(t, Options{Crop: crop, Width: 400}, src),
	)
	if len(b.Groups) != 1 {
		t.Fatalf("%d groups", len(b.Groups))
	}
	g := b.Groups[0]
	if want := image.Rect(1000, 512, 2603, 2117); g.Copied != want {
		t.Errorf("%v is copied, want %v", g.Copied, want)
	}
	if want := image.Rect(3, 5, 1603, 1605); g.Parts[0].From != want {
		t.Errorf("the first is made from %v, want %v", g.Parts[0].From, want)
	}
	// 1003/2 = 501.5 and 517/2 = 258.5 round to 502 and 259; the copy begins at 500, 256.
	if want := image.Rect(2, 3, 802, 803); g.Parts[1].From != want || g.Parts[1].Halvings != 1 {
		t.Errorf("the second is made from %v after %d halvings, want %v after 1", g.Parts[1].From, g.Parts[1].Halvings, want)
	}
}

// TestTogetherProperties holds what is true of every group: each plan is in one part, which takes px that
// are there and needs no more halving than an earlier one has had, and what is resampled is as large as
// for the plan alone.
func TestTogetherProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := Source{
			Format: rapid.SampledFrom([]Format{FormatJPEG, FormatPNG, FormatWebP}).Draw(t, "format"),
			Width:  rapid.IntRange(1, 5000).Draw(t, "width"), Height: rapid.IntRange(1, 5000).Draw(t, "height"),
			Pages: 1, Bands: 3, Depth: 8, Orientation: rapid.IntRange(1, 8).Draw(t, "orientation"),
		}
		var plans []Plan
		for range rapid.IntRange(1, 6).Draw(t, "plans") {
			o := Options{Width: rapid.IntRange(1, 3000).Draw(t, "w"), Format: FormatJPEG}
			if rapid.Bool().Draw(t, "cropped") {
				o.Crop = Region{X: float64(rapid.IntRange(0, 90).Draw(t, "x")), Y: 5, W: float64(rapid.IntRange(1, 90).Draw(t, "cw")), H: 50, Percent: true}
			}
			p, err := o.Plan(src, DefaultLimits())
			if err != nil {
				continue
			}
			plans = append(plans, p)
		}
		var seen []int
		for _, g := range Together(plans...).Groups {
			if !slices.IsSortedFunc(g.Parts, func(a, b Part) int { return a.Halvings - b.Halvings }) {
				t.Fatalf("halvings fall: %v", g.Parts)
			}
			size := g.Copied.Size()
			for _, part := range g.Parts {
				seen = append(seen, part.Index)
				p := plans[part.Index]
				have := image.Rect(0, 0, max(1, size.X>>part.Halvings), max(1, size.Y>>part.Halvings))
				// A decoder rounds up what is here rounded down: engines move such a rectangle inside.
				if part.From.Empty() || !part.From.In(have.Inset(-1)) {
					t.Fatalf("%v is taken from %v: %+v", part.From, have, p)
				}
				if part.From.Size() != p.Loaded.Size() {
					t.Fatalf("%v is resampled to %v, alone it would be %v", part.From, p.Scaled, p.Loaded)
				}
			}
		}
		slices.Sort(seen)
		for i := range plans {
			if i >= len(seen) || seen[i] != i {
				t.Fatalf("of %d plans %v are made", len(plans), seen)
			}
		}
	})
}
