package resize_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/resize"
)

var standardOrder = []resize.Format{resize.FormatAVIF, resize.FormatWebP}

// Rulings 9 and 45: what an Accept header names with a q above 0, in the source's order.
func TestRuling9And45Accept(t *testing.T) {
	t.Parallel()
	reversed := []resize.Format{resize.FormatWebP, resize.FormatAVIF}
	all := []resize.Format{resize.FormatJXL, resize.FormatAVIF, resize.FormatWebP, resize.FormatAVIF, resize.FormatPNG, resize.FormatAuto}
	for _, test := range []struct {
		header string
		order  []resize.Format
		want   string
	}{
		{"", standardOrder, ""},
		{"*/*", standardOrder, ""},
		{"image/*", standardOrder, ""},
		{"image/*;q=1, */*;q=1", standardOrder, ""},
		{"image/webp", standardOrder, "webp"},
		{"image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", standardOrder, "avif.webp"},
		{"image/webp,image/avif", standardOrder, "avif.webp"},
		{"image/webp,image/avif", reversed, "webp.avif"},
		{"image/avif;q=0.1,image/webp;q=1", standardOrder, "avif.webp"},
		{"image/avif;q=0,image/webp", standardOrder, "webp"},
		{"image/avif;q=0.0, image/webp;q=0.000", standardOrder, ""},
		{"image/avif;q=0.001", standardOrder, "avif"},
		{"image/avif;q=0,image/avif;q=0.5", standardOrder, "avif"}, // the highest counts
		{"image/avif;q=0.5,image/avif;q=0", standardOrder, "avif"},
		{"image/avif;q=0,*/*", standardOrder, ""},
		{"IMAGE/WebP;Q=1.000", standardOrder, "webp"},
		{" image/webp \t;\tq=0.5 \t, image/avif ", standardOrder, "avif.webp"},
		{",,image/webp,,", standardOrder, "webp"},
		{"image/webp;level=1;q=0.3", standardOrder, "webp"},
		{"image/webp;level=1;q=0", standardOrder, ""},
		{`image/webp;x="a,b;q=0";q=1`, standardOrder, "webp"},
		{`image/webp;x="a\",image/avif"`, standardOrder, "webp"},
		{`text/html;x="image/avif,image/webp"`, standardOrder, ""},
		{`image/webp;x="open, image/avif`, standardOrder, "webp"},
		{"image/webp;q=1.5", standardOrder, ""},
		{"image/webp;q=2", standardOrder, ""},
		{"image/webp;q=0.5000", standardOrder, ""},
		{"image/webp;q=.5", standardOrder, ""},
		{"image/webp;q=-1", standardOrder, ""},
		{"image/webp;q=", standardOrder, ""},
		{"image/webp;q", standardOrder, ""},
		{"image/webp;q=1.", standardOrder, "webp"},
		{"image/webp;q=0.", standardOrder, ""},
		{"image/webpx, ximage/avif, image/avif2", standardOrder, ""},
		{"image/webp", nil, ""},
		{"image/jxl,image/avif,image/webp,image/png", all, "jxl.avif.webp"},
		{"image/jxl", standardOrder, ""},
	} {
		got := resize.Options{}.Negotiate(resize.ParseAccept(test.header, test.order)).String()
		if got = strings.TrimPrefix(got, "_ac="); got != test.want {
			t.Errorf("ParseAccept(%q, %v) = %q, want %q", test.header, test.order, got, test.want)
		}
	}
}

func TestRuling9NegotiatesOnlyAutoAndBest(t *testing.T) {
	t.Parallel()
	offer := resize.Offer{resize.FormatAVIF}
	for text, want := range map[string]string{
		"w=5": "w=5&_ac=avif", "f=best": "f=best&_ac=avif", "f=webp": "f=webp", "f=keep": "f=keep", "f=raw": "f=raw", "f=json": "f=json",
	} {
		o, err := resize.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Negotiate(offer).String(); got != want {
			t.Errorf("%q negotiated = %q, want %q", text, got, want)
		}
	}
	o := resize.Options{Offer: resize.Offer{resize.FormatWebP}}
	if got := o.Negotiate(resize.Offer{}); got != (resize.Options{}) {
		t.Errorf("an old offer stays: %q", got)
	}
}

// What today's browsers take, in every order a source may have.
func TestOffers(t *testing.T) {
	t.Parallel()
	avif, webp, jxl := resize.FormatAVIF, resize.FormatWebP, resize.FormatJXL
	for _, test := range []struct{ order, want []resize.Format }{ // want: the offers, one after the other, each with a 0 behind it
		{standardOrder, []resize.Format{avif, webp, 0, webp, 0, 0}},
		{[]resize.Format{webp, avif}, []resize.Format{webp, avif, 0, webp, 0, 0}},
		{[]resize.Format{avif, jxl, webp}, []resize.Format{avif, jxl, webp, 0, avif, webp, 0, webp, 0, 0}},
		{[]resize.Format{avif}, []resize.Format{avif, 0, 0}},
		{nil, []resize.Format{0}},
	} {
		var got []resize.Format
		for _, offer := range resize.Offers(test.order) {
			for _, f := range offer {
				if f != 0 {
					got = append(got, f)
				}
			}
			got = append(got, 0)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("Offers(%v) = %v, want %v", test.order, got, test.want)
		}
	}
}

func TestParseAcceptDoesNotAllocate(t *testing.T) {
	header := `image/avif,image/webp;q=0.9,image/apng;x="a,b",image/svg+xml,image/*,*/*;q=0.8`
	if n := testing.AllocsPerRun(100, func() { _ = resize.ParseAccept(header, standardOrder) }); n != 0 {
		t.Errorf("ParseAccept allocates %v times, want 0", n)
	}
}

func BenchmarkParseAccept(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = resize.ParseAccept("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", standardOrder)
	}
}

func FuzzAccept(f *testing.F) {
	for _, seed := range []string{"", "*/*", "image/avif,image/webp;q=0", `image/webp;x="a\",image/avif";q=0.5`, "image/jxl ; q=1.000,", ";;;,,,\"\\"} {
		f.Add(seed)
	}
	order := []resize.Format{resize.FormatWebP, resize.FormatJXL, resize.FormatAVIF}
	f.Fuzz(func(t *testing.T, header string) {
		offer := resize.ParseAccept(header, order)
		lower := strings.ToLower(header)
		last := -1
		for _, format := range offer {
			if format == resize.FormatAuto {
				continue
			}
			if !strings.Contains(lower, format.MIME()) {
				t.Fatalf("ParseAccept(%q) offers %s, which is not named", header, format)
			}
			at := map[resize.Format]int{resize.FormatWebP: 0, resize.FormatJXL: 1, resize.FormatAVIF: 2}[format]
			if at <= last {
				t.Fatalf("ParseAccept(%q) = %v is not in the source's order", header, offer)
			}
			last = at
		}
		if again := resize.ParseAccept(header+", "+header, order); !strings.Contains(header, `"`) && !strings.Contains(header, `\`) && again != offer {
			t.Fatalf("ParseAccept of %q twice = %v, want %v", header, again, offer)
		}
	})
}
