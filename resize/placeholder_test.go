package resize

import (
	"bytes"
	"encoding/base64"
	"testing"
)

// small paints a Small.
func small(w, h int, at func(x, y int) [4]int) Small {
	s := Small{Width: w, Height: h}
	for y := range h {
		for x := range w {
			px := at(x, y)
			s.Pix = append(s.Pix, byte(px[0]), byte(px[1]), byte(px[2]), byte(px[3]))
		}
	}
	return s
}

// The hashes are those of the npm packages thumbhash 0.1.1 and blurhash 2.0.5 for the same px; the
// latter on white, as it knows no alpha.
func TestHashesOfTheReferences(t *testing.T) {
	tests := []struct {
		name            string
		w, h            int
		at              func(x, y int) [4]int
		thumb           string
		blur, one, wide string
		noise           bool // the reference's last bytes are what rounding has left over
	}{
		{
			name: "landscape", w: 40, h: 30, thumb: "XAgOHZhgdndwh4h2iGiIh/GxD/eI",
			at:   func(x, y int) [4]int { return [4]int{x * 6, y * 8, x * y, 255} },
			blur: "LCG91|2}|UKYujRho3aRhNflfWfo", one: "00G91|", wide: "HCG91|2}|UKYn_o?SHxsN@ujRho3aRfVevb1j1a{",
		},
		{
			name: "portrait", w: 30, h: 50, thumb: "3kcKZCJcB3d4eHeId3dqf/eKiA==",
			at:   func(x, y int) [4]int { return [4]int{255 - x*8, x*x + y, y * 5, 255} },
			blur: "T:INdu{Sz]n]jGjte[f*fQn$jaj@", one: "00INdu", wide: "H:INdu{Sz]wNsntPr[rdr[n]jGjtk9fjfie;f6f%",
		},
		{
			name: "square", w: 16, h: 16, thumb: "FvcJPxigh4eCd3d4d3d3h3d3CCl3kI0I",
			at:   func(x, y int) [4]int { return [4]int{x * x, y * 11, 128 - x*y%50, 255} },
			blur: "UICsBp2]|fKQuxRoo2aOgMfkfOfixJSNo0a{", one: "00CsBp", wide: "HICsBp2]|fKQWsxbJo$+FKuxRoo2aOfPi}a_i|a{",
		},
		{
			name: "alpha", w: 24, h: 36, thumb: "pgaGGw4oorCYeIigsRn6Z3B3c3iHd3c=",
			at:   func(x, y int) [4]int { return [4]int{x * 10, y * 7, 200 - x, (x*7 + y*3) & 255} },
			blur: "TeMtg#Q6-U@mx?obtij=j[xIofj?", one: "00Mtg#", wide: "HeMtg#Q6-Ux]t7xukWxubu@mx?obspk9o3k9n,k9",
		},
		{
			name: "alpha, wide", w: 100, h: 20, thumb: "1paFMYZYRoUwmIdnz0dwiI+FiHiIiIg=",
			at: func(x, y int) [4]int {
				if x < 50 {
					return [4]int{x * 2, 100, y * 12, 255}
				}
				return [4]int{x * 2, 100, y * 12, 0}
			},
			blur: "LWL}W{00NH~p%BNCayohfTfTfQfO", one: "00L}W{", wide: "HWL}W{00NH~pjtD%Rk-;fQ%BNCayohfQawayj^fQ",
		},
		{
			name: "one color", w: 10, h: 10, thumb: "2IgABwAoS62Ih4h0h/iHiIeOimCHh4AI", noise: true,
			at:   func(int, int) [4]int { return [4]int{12, 200, 77, 255} },
			blur: "UI1cn?l$fQl$l$g1fQg1fQfQfQfQl$g1fQg1", one: "001cn?", wide: "HI1cn?l$fQl$fQl$fQl$fQl$g1fQg1fQg1fQg1fQ",
		},
		{
			name: "clear", w: 8, h: 8, thumb: "AAiCBQAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
			at:   func(int, int) [4]int { return [4]int{9, 9, 9, 0} },
			blur: "UfTSUA~qfQ~q~qt7fQt7fQfQfQfQ~qt7fQt7", one: "00TSUA", wide: "HfTSUA~qfQ~qfQ~qfQ~qfQ~qt7fQt7fQt7fQt7fQ",
		},
		{
			name: "strip", w: 100, h: 1, thumb: "WYoxmaiHh4eIiAh4iYgAiNc=",
			at:   func(x, _ int) [4]int { return [4]int{x * 2, 255 - x*2, x, 255} },
			blur: "L~DeR2H1tOXO_IH1tOXO_IH1tOXO", one: "00DeR2", wide: "H~DeR2H1tOXOkBbZf%f%bZ_IH1tOXOkBbZf%f%bZ",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := small(tt.w, tt.h, tt.at)
			want, err := base64.StdEncoding.DecodeString(tt.thumb)
			if err != nil {
				t.Fatal(err)
			}
			got := s.ThumbHash()
			if tt.noise {
				got, want = got[:5], append(want[:4:4], got[4])
			}
			if !bytes.Equal(got, want) {
				t.Errorf("ThumbHash = %s, want %s", base64.StdEncoding.EncodeToString(got), tt.thumb)
			}
			for _, b := range []struct {
				nx, ny int
				want   string
			}{{0, 0, tt.blur}, {1, 1, tt.one}, {9, 2, tt.wide}} {
				if got := s.BlurHash(b.nx, b.ny); got != b.want {
					t.Errorf("BlurHash(%d, %d) = %s, want %s", b.nx, b.ny, got, b.want)
				}
			}
		})
	}
}

func TestHashesOfNothing(t *testing.T) {
	for _, s := range []Small{{}, {Width: 2, Height: 2, Pix: make([]byte, 15)}} {
		if h, b := s.ThumbHash(), s.BlurHash(0, 0); h != nil || b != "" {
			t.Errorf("hashes of %d×%d px in %d bytes are %v, %q", s.Width, s.Height, len(s.Pix), h, b)
		}
	}
}

func TestColors(t *testing.T) {
	flag := small(90, 60, func(x, y int) [4]int {
		switch {
		case y < 10: // clear, and no color counts
			return [4]int{255, 255, 0, 0}
		case x < 45:
			return [4]int{200 + (x+y)%3, 20, 30, 255}
		case x < 75:
			return [4]int{10, 20, 220 - (x*y)%4, 255}
		default:
			return [4]int{250, 250, 250, 255}
		}
	})
	got := flag.Dominant()
	want := []Color{{201, 20, 30, 255}, {10, 20, 218, 255}, {250, 250, 250, 255}}
	if len(got) != len(want) {
		t.Fatalf("Dominant = %v, want %v", got, want)
	}
	for i := range want {
		if distance(got[i], want[i]) > 12 {
			t.Errorf("dominant color %d is %v, want about %v", i, got[i], want[i])
		}
	}
	if got, want := flag.Average(), (Color{145, 58, 129, 213}); distance(got, want) > 12 || got.A != want.A {
		t.Errorf("Average = %v, want about %v", got, want)
	}
	empty := small(4, 4, func(int, int) [4]int { return [4]int{9, 9, 9, 0} })
	if empty.Dominant() != nil || empty.Average() != (Color{}) {
		t.Errorf("colors of nothing: %v, %v", empty.Dominant(), empty.Average())
	}
	one := small(3, 3, func(int, int) [4]int { return [4]int{1, 2, 3, 255} })
	if d := one.Dominant(); len(d) != 1 || hexOf(d[0]) != "#010203" {
		t.Errorf("Dominant of one color = %v", d)
	}
	noise := small(100, 100, func(x, y int) [4]int { return [4]int{x * 53 % 256, y * 97 % 256, x * y % 256, 255} })
	if d := noise.Dominant(); len(d) != 5 {
		t.Errorf("Dominant of noise has %d colors: %v", len(d), d)
	}
}
