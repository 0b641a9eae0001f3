package load

import (
	"math"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/bench/check"
)

func TestZipf(t *testing.T) {
	const n, draws = 1000, 200_000
	for _, exponent := range []float64{0, 0.8, 1, 1.3} {
		s, dice := zipf(n, exponent), rand.New(rand.NewPCG(1, 2))
		counts := make([]int, n)
		for range draws {
			counts[s.draw(dice)]++
		}
		var all float64
		for i := range n {
			all += math.Pow(float64(i+1), -exponent)
		}
		for _, i := range []int{0, 1, 9, 99} {
			want := math.Pow(float64(i+1), -exponent) / all * draws
			if got := float64(counts[i]); math.Abs(got-want) > 5*math.Sqrt(want) {
				t.Errorf("exponent %v: rank %d is drawn %v times of %d, want %.0f", exponent, i+1, got, draws, want)
			}
		}
	}
}

// TestMixKeepsItsWeights draws from templates, sizes, formats and Accept headers, all weighted.
func TestMixKeepsItsWeights(t *testing.T) {
	var m Mix
	for _, text := range []string{"3*/a/{key}?w={w}&f={f}", "/b/{key}?h={w}"} {
		tmpl, err := ParseTemplate(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Templates = append(m.Templates, tmpl)
	}
	for _, text := range []string{"w=5*320,3*640,2*1280", "f=3*webp,jpeg"} {
		v, err := ParseValues(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Places = append(m.Places, v)
	}
	m.Places = append(m.Places, Keys([]string{"a b.jpg", "dir/ä.jpg"}, 0, 1))
	m.Accepts = []string{"4*image/avif,image/webp,*/*", "*/*"}
	p, err := m.Population()
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * (2*3*2 + 2*3); p.Size() != want {
		t.Errorf("size %d, want %d", p.Size(), want)
	}
	const draws = 20_000
	counts, dice := map[string]int{}, rand.New(rand.NewPCG(3, 4))
	for range draws {
		target, err := p.Draw(dice)
		if err != nil {
			t.Fatal(err)
		}
		path, query, _ := strings.Cut(target.Text, "?")
		counts[path[:2]]++
		counts[path[2:]]++
		counts["accept "+target.Accept]++
		for field := range strings.SplitSeq(query, "&") {
			counts[field]++
		}
	}
	for what, share := range map[string]float64{
		"/a": 0.75, "/b": 0.25, "/a%20b.jpg": 0.5, "/dir/%C3%A4.jpg": 0.5,
		"w=320": 0.375, "h=320": 0.125, "w=1280": 0.15, "f=webp": 0.5625,
		"accept image/avif,image/webp,*/*": 0.8, "accept */*": 0.2,
	} {
		want := share * draws
		if got := float64(counts[what]); math.Abs(got-want) > 5*math.Sqrt(want) {
			t.Errorf("%q comes %v times of %d, want %.0f", what, got, draws, want)
		}
	}
	seen := map[Target]bool{}
	for i := range p.Size() {
		target, err := p.At(i)
		if err != nil {
			t.Fatal(err)
		}
		seen[*target] = true
	}
	if len(seen) != p.Size() {
		t.Errorf("%d different requests, want %d", len(seen), p.Size())
	}
}

func TestTemplates(t *testing.T) {
	sign := func(target string) (string, error) { return target + "&s=sig", nil }
	tests := []struct {
		name, text, values, size string
		want                     string // of the first request; "" = refused
	}{
		{"no place", "/local/a.jpg?w=3", "", "", "/local/a.jpg?w=3&kid=k&s=sig"},
		{"a range", "/a.jpg?w={w}&f=jpeg", "w=100-102", "", "/a.jpg?w=100&f=jpeg&kid=k&s=sig"},
		{"a list", "/a.jpg?w={w}", "w=640,320", "", "/a.jpg?w=640&kid=k&s=sig"},
		{"numbers", "/a.jpg?v={n}-{run}", "", "", "/a.jpg?v=1-r&kid=k&s=sig"},
		{"twice", "/{w}?{w}&{n}", "w=5", "{w}x", "/5?5&1&kid=k&s=sig"},
		{"no query", "/a", "", "", "/a?kid=k&s=sig"},
		{"no values", "/a?w={w}", "", "", ""},
		{"other values", "/a?w={w}", "x=5", "", ""},
		{"open brace", "/a?w={w", "w=5", "", ""},
		{"a place that is no name", "/a?w={W}", "w=5", "", ""},
		{"no slash", "a?w=3", "", "", ""},
		{"empty", "", "", "", ""},
		{"weight of nothing", "0*/a", "", "", ""},
		{"range turned round", "/a?w={w}", "w=9-3", "", ""},
		{"too many", "/a?w={w}", "w=1-9999999", "", ""},
		{"values without a name", "/a", "=3", "", ""},
		{"values for what has its own", "/a", "n=3", "", ""},
		{"size of what does not occur", "/a", "w=3", "{w}x", ""},
		{"size that is none", "/a?w={w}", "w=3", "{w}", ""},
	}
	for _, tt := range tests {
		m := Mix{KeyID: "k", Run: "r", Sign: sign, Size: tt.size}
		tmpl, err := ParseTemplate(tt.text)
		if err == nil && tt.values != "" {
			var v Values
			v, err = ParseValues(tt.values)
			m.Places = []Values{v}
		}
		var p Population
		if err == nil {
			m.Templates = []Template{tmpl}
			p, err = m.Population()
		}
		if err != nil {
			if tt.want != "" {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		target, err := p.At(0)
		if err != nil || target.Text != tt.want {
			t.Errorf("%s: %q with %q begins with %+v, %v; want %q", tt.name, tt.text, tt.values, target, err, tt.want)
		}
	}
}

// TestSizeAndFormatFollowTheTemplate: what is expected is filled in like the URL.
func TestSizeAndFormatFollowTheTemplate(t *testing.T) {
	tmpl, _ := ParseTemplate("/unsafe/rs:fit:{w}:0/plain/a.jpg@{f}")
	widths, _ := ParseValues("w=30,40")
	formats, _ := ParseValues("f=webp,png")
	p, err := Mix{Templates: []Template{tmpl}, Places: []Values{widths, formats}, Size: "{w}x", Format: "{f}"}.Population()
	if err != nil {
		t.Fatal(err)
	}
	target, err := p.At(3)
	if want := (Target{Text: "/unsafe/rs:fit:40:0/plain/a.jpg@png", Expect: check.Expect{Width: 40, Format: "png"}}); err != nil || *target != want {
		t.Errorf("%+v, %v; want %+v", target, err, want)
	}
}

func TestList(t *testing.T) {
	base := &url.URL{Scheme: "http", Host: "edge.test:80"}
	l := List{Base: base, Accept: "*/*", KeyID: "k", Sign: func(target string) (string, error) { return target + "&s=mine", nil }}
	p, err := l.Read(strings.NewReader("# popular\n\n/a?w=3\tweight=3\nhttp://edge.test:80/b?s=theirs\tsize=30x\tformat=png\taccept=image/png\nhttp://edge.test:80?w=1\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Target{
		{Text: "/a?w=3&kid=k&s=mine", Accept: "*/*"},
		{Text: "/b?s=theirs", Accept: "image/png", Expect: check.Expect{Format: "png", Width: 30}},
		{Text: "/?w=1&kid=k&s=mine", Accept: "*/*"},
	}
	counts, dice := make([]int, 3), rand.New(rand.NewPCG(1, 1))
	for i := range p.Size() {
		got, err := p.At(i)
		if err != nil || *got != want[i] {
			t.Errorf("line %d: %+v, %v; want %+v", i, got, err, want[i])
		}
	}
	for range 5000 {
		got, _ := p.Draw(dice)
		for i := range want {
			if *got == want[i] {
				counts[i]++
			}
		}
	}
	if counts[0] < 2850 || counts[0] > 3150 || counts[1] < 850 || counts[1] > 1150 {
		t.Errorf("drawn %v times, want about 3000, 1000, 1000", counts)
	}
	for _, text := range []string{"", "# nothing", "a.jpg", "http://other.test/a", "https://edge.test:80/a", "/a\tweight=0", "/a\tweight=", "/a\tsize=3", "/a\tcolor=red"} {
		if _, err := l.Read(strings.NewReader(text)); err == nil {
			t.Errorf("%q passes", text)
		}
	}
}
