package resize

import (
	"testing"
	"time"
)

// TestEncodeBudget holds what a plan falls back to where its encoder would take too long: less effort first, then,
// where the client did not name the format, what else it takes.
func TestEncodeBudget(t *testing.T) {
	photo := jpegOf(16000, 12000, 1)
	clear := Source{Format: FormatPNG, Width: 16000, Height: 12000, Pages: 1, Bands: 4, Depth: 8, Alpha: true}
	gif := Source{Format: FormatGIF, Width: 1000, Height: 1000, Pages: 100, Animated: true, Bands: 4, Depth: 8, Alpha: true}
	both := Offer{FormatAVIF, FormatWebP}
	for _, tt := range []struct {
		name   string
		text   string
		offer  Offer
		src    Source
		budget time.Duration
		want   Encoder
	}{
		{"small", "w=800", both, photo, 800 * time.Millisecond, Encoder{FormatAVIF, 63, false, 1}},
		{"less effort", "w=3000", both, photo, 800 * time.Millisecond, Encoder{FormatAVIF, 63, false, 0}},
		{"next format", "w=4800", both, photo, 800 * time.Millisecond, Encoder{FormatWebP, 79, false, 2}},
		{"next format with less effort", "w=5200", both, photo, 800 * time.Millisecond, Encoder{FormatWebP, 79, false, 1}},
		{"what every client takes", "w=8000", both, photo, 800 * time.Millisecond, Encoder{FormatJPEG, 80, false, 0}},
		{"no other format", "w=4800", Offer{FormatAVIF}, photo, 800 * time.Millisecond, Encoder{FormatJPEG, 80, false, 0}},
		{"nothing is cheap enough", "w=8000", both, photo, time.Millisecond, Encoder{FormatJPEG, 80, false, 0}},
		{"no budget", "w=8000", both, photo, 0, Encoder{FormatAVIF, 63, false, 1}},
		{"alpha", "w=8000", both, clear, 800 * time.Millisecond, Encoder{FormatWebP, 79, false, 0}},
		{"named", "w=4800&f=avif", Offer{}, photo, 800 * time.Millisecond, Encoder{FormatAVIF, 63, false, 0}},
		{"named and never cheap", "w=8000&f=avif", Offer{}, photo, time.Millisecond, Encoder{FormatAVIF, 63, false, 0}},
		{"kept", "w=8000&f=keep", Offer{}, clear, 800 * time.Millisecond, Encoder{FormatPNG, 0, false, 1}},
		{"quality costs", "w=2400&q=100", both, photo, 800 * time.Millisecond, Encoder{FormatWebP, 100, false, 2}},
		{"a search costs", "w=1600&q=auto", both, photo, 800 * time.Millisecond, Encoder{FormatAVIF, 63, false, 0}},
		{"lossless", "w=800&f=webp&lossless=1", Offer{}, photo, 400 * time.Millisecond, Encoder{FormatWebP, 79, true, 0}},
		{"an animation", "w=200", both, gif, 800 * time.Millisecond, Encoder{FormatWebP, 79, false, 2}},
		{"a long animation", "w=400", both, gif, 500 * time.Millisecond, Encoder{FormatWebP, 79, false, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, err := Parse(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			p, err := o.Negotiate(tt.offer).Plan(tt.src, Limits{EncodeBudget: tt.budget})
			if err != nil {
				t.Fatal(err)
			}
			if got := (Encoder{p.Format, p.Quality, p.Lossless, p.Effort}); got != tt.want {
				t.Errorf("%d×%d px: %v, want %v", p.Width, p.Height, got, tt.want)
			}
		})
	}
}

// TestEncodeBudgetBest holds that f=best tries what can be had within the budget, and always what every client
// takes.
func TestEncodeBudgetBest(t *testing.T) {
	o := Options{Format: FormatBest, Width: 3000}.Negotiate(Offer{FormatAVIF, FormatWebP})
	for budget, want := range map[time.Duration][]Encoder{
		0: {
			{FormatAVIF, 63, false, 1},
			{FormatWebP, 79, false, 2},
			{FormatWebP, 79, true, 2},
			{FormatJPEG, 80, false, 0},
			{FormatPNG, 0, false, 6},
		},
		2 * time.Second: {{FormatAVIF, 63, false, 0}, {FormatWebP, 79, false, 2}, {FormatJPEG, 80, false, 0}, {FormatPNG, 0, false, 1}},
		time.Nanosecond: {{FormatJPEG, 80, false, 0}, {FormatPNG, 0, false, 1}},
	} {
		p, err := o.Plan(jpegOf(4000, 3000, 1), Limits{EncodeBudget: budget})
		if err != nil {
			t.Fatal(err)
		}
		var got []Encoder
		for _, e := range p.Search.Best {
			if e != (Encoder{}) {
				got = append(got, e)
			}
		}
		if len(got) != len(want) {
			t.Errorf("budget %v: %v, want %v", budget, got, want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("budget %v: %v, want %v", budget, got, want)
				break
			}
		}
	}
}

// TestEncodeCosts holds the table together: rows of a format begin with its default effort and never become
// dearer, and every format that is written has one.
func TestEncodeCosts(t *testing.T) {
	for f := FormatJPEG; f <= FormatTIFF; f++ {
		for _, lossless := range []bool{false, true} {
			if !f.writable() || lossless && !f.HasLossless() {
				continue
			}
			e := Encoder{f, f.Quality(), lossless, f.effort()}
			last := encodeCost{effort: f.effort() + 1}
			for _, c := range encodeCosts {
				if !c.fits(e) {
					continue
				}
				first := last == encodeCost{effort: f.effort() + 1}
				if first && c.effort != f.effort() {
					t.Errorf("%v begins with effort %d, its default is %d", f, c.effort, f.effort())
				}
				if !first && (c.effort >= last.effort || c.usual > last.usual || c.full > last.full) {
					t.Errorf("%v at effort %d is dearer than at %d", f, c.effort, last.effort)
				}
				last = c
			}
			if last.usual == 0 {
				t.Errorf("%v, lossless %v has no cost", f, lossless)
			}
		}
	}
}
