package resize_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/imgedge/imgedge/resize"
)

// values draws, for every option, a value that the option takes.
var values = map[string]*rapid.Generator[string]{
	"w": whole(1, 16384), "h": whole(1, 16384), "dpr": decimal(50, 800, 100), "mw": whole(1, 16384), "mh": whole(1, 16384),
	"fit":  rapid.SampledFrom([]string{"contain", "cover", "cover-down", "pad", "stretch", "auto"}),
	"zoom": decimal(1, 2000, 100), "enlarge": bits(), "g": gravities("smart", "entropy", "face"),
	"gx": lengths(), "gy": lengths(), "crop": rapid.Custom(crop), "ar": rapid.Custom(ratio), "trim": whole(1, 255),
	"pad": rapid.Custom(padding), "bg": rapid.OneOf(colors(3), colors(4), rapid.SampledFrom([]string{"auto", "blur"})), "orient": bits(),
	"rot": rapid.OneOf(rapid.SampledFrom([]string{"0", "90", "180", "270"}), decimal(0, 35999, 100)), "flip": rapid.SampledFrom([]string{"h", "v", "hv"}),
	"blur": decimal(3, 1000, 10), "sharpen": decimal(1, 100, 10), "pixelate": whole(2, 256),
	"bri": whole(-100, 100), "con": whole(-100, 100), "sat": whole(-100, 100), "hue": whole(0, 359), "gray": rapid.Just("1"),
	"duotone": rapid.Map(rapid.SliceOfN(colors(3), 2, 2), func(c []string) string { return strings.Join(c, ",") }),
	"round":   rapid.OneOf(whole(1, 16384), rapid.Just("max")),
	"wm":      texts(64), "wmg": gravities(), "wmx": lengths(), "wmy": lengths(), "wms": decimal(1, 10000, 10000), "wmo": decimal(0, 100, 100),
	"wmr": rapid.Just("1"), "wmrot": decimal(0, 35999, 100),
	"txt": texts(200), "txtg": gravities(), "txtx": lengths(), "txty": lengths(), "txts": whole(1, 16384), "txtc": colors(4), "txto": decimal(0, 100, 100),
	"f": rapid.SampledFrom([]string{"auto", "jpeg", "png", "webp", "avif", "jxl", "gif", "tiff", "keep", "best", "blurhash"}),
	"q": rapid.OneOf(whole(1, 100), rapid.Just("auto")), "lossless": rapid.Just("1"), "mb": whole(256, 1<<30), "page": whole(1, 1000000), "frames": whole(1, 1000000),
	"anim": bits(), "meta": rapid.SampledFrom([]string{"none", "copyright", "all"}), "icc": rapid.SampledFrom([]string{"srgb", "keep"}), "v": texts(64),
}

func whole(low, high int) *rapid.Generator[string] {
	return rapid.Map(rapid.IntRange(low, high), func(n int) string { return fmt.Sprint(n) })
}

// decimal draws n/scale for low ≤ n ≤ high, sometimes with zeros behind.
func decimal(low, high, scale int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		n := rapid.IntRange(low, high).Draw(t, "n")
		text := fmt.Sprintf("%d", n/scale)
		if rest := n % scale; rest != 0 {
			text += "." + strings.TrimRight(fmt.Sprintf("%0*d", len(fmt.Sprint(scale))-1, rest), "0")
			text += strings.Repeat("0", rapid.IntRange(0, 2).Draw(t, "zeros"))
		}
		return text
	})
}

func bits() *rapid.Generator[string] { return rapid.SampledFrom([]string{"0", "1"}) }

func gravities(more ...string) *rapid.Generator[string] {
	return rapid.SampledFrom(append([]string{"center", "north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest"}, more...))
}

func lengths() *rapid.Generator[string] {
	percent := rapid.Map(decimal(0, 1000, 10), func(s string) string { return s + "p" })
	return rapid.OneOf(decimal(0, 163840, 10), percent, rapid.Map(whole(1, 16384), func(s string) string { return "-" + s }))
}

func colors(bytes int) *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.Byte(), bytes, bytes), func(b []byte) string { return fmt.Sprintf("%x", b) })
}

func texts(longest int) *rapid.Generator[string] {
	return rapid.StringOfN(rapid.RuneFrom([]rune("aZ09 &=%+/?#;,:é漢🙂~-._")), 1, longest, -1)
}

func crop(t *rapid.T) string {
	if rapid.Bool().Draw(t, "percent") {
		d := decimal(1, 999, 10)
		return fmt.Sprintf("%sp,%sp,%sp,%sp", d.Draw(t, "x"), d.Draw(t, "y"), d.Draw(t, "w"), d.Draw(t, "h"))
	}
	return fmt.Sprintf("%s,%s,%s,%s", whole(0, 1000000).Draw(t, "x"), whole(0, 1000000).Draw(t, "y"), whole(1, 1000000).Draw(t, "w"), whole(1, 1000000).Draw(t, "h"))
}

func ratio(t *rapid.T) string {
	return decimal(1, 9999, 100).Draw(t, "w") + ":" + decimal(1, 9999, 100).Draw(t, "h")
}

func padding(t *rapid.T) string {
	sides := rapid.SliceOfN(whole(0, 3), 1, 4).Draw(t, "sides")
	return strings.Join(sides, ",")
}

// wish draws options that go together.
func wish(t *rapid.T) map[string]string {
	set := map[string]string{}
	for _, name := range resize.Names() {
		generator, ok := values[name]
		if ok && rapid.IntRange(0, 3).Draw(t, name+"?") == 0 {
			set[name] = generator.Draw(t, name)
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "fp?") == 0 {
		set["g"], set["fx"], set["fy"] = "fp", decimal(0, 1000, 1000).Draw(t, "fx"), decimal(0, 1000, 1000).Draw(t, "fy")
	}
	for name := range set {
		if (strings.HasPrefix(name, "wm") && set["wm"] == "") || (strings.HasPrefix(name, "txt") && set["txt"] == "") {
			delete(set, name)
		}
	}
	f, _ := resize.ParseFormat(set["f"])
	fixed := f.Raster() || f == resize.FormatBlurHash
	if fixed && !f.HasLossless() {
		delete(set, "lossless")
	}
	if _, lossless := set["lossless"]; fixed && (!f.HasQuality() || lossless) {
		delete(set, "q")
		delete(set, "mb")
	}
	return set
}

// spell joins options in an order that t chooses.
func spell(t *rapid.T, set map[string]string, label string) string {
	names := rapid.Permutation(slices.Sorted(mapsKeys(set))).Draw(t, label)
	var pairs []string
	for _, name := range names {
		pairs = append(pairs, name+"="+escape(set[name]))
	}
	return strings.Join(pairs, "&")
}

func mapsKeys(set map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range set {
			if !yield(name) {
				return
			}
		}
	}
}

// escape percent-encodes what would end a value, and nothing more.
func escape(s string) string { return strings.NewReplacer("%", "%25", "&", "%26").Replace(s) }

func TestValuesOfEveryOption(t *testing.T) {
	t.Parallel()
	for _, name := range resize.Names() {
		if _, ok := values[name]; !ok && name != "fx" && name != "fy" {
			t.Errorf("no generator for %s", name)
		}
	}
}

// Text and Options are two forms of one thing: whatever the order and spelling, reading what was
// written gives the same struct, and normalizing it again changes nothing.
func TestTextRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set := wish(t)
		first, second := spell(t, set, "first"), spell(t, set, "second")
		o, err := resize.Parse(first)
		if err != nil {
			t.Fatalf("Parse(%q): %v", first, err)
		}
		if other, err := resize.Parse(second); err != nil || other != o {
			t.Fatalf("Parse(%q) = %v, %v; want as for %q: %s", second, other, err, first, cmp.Diff(o, other))
		}
		if o.Normalize() != o {
			t.Fatalf("Normalize of %q changes %s", first, cmp.Diff(o, o.Normalize()))
		}
		again, err := resize.Parse(o.String())
		if err != nil || again != o {
			t.Fatalf("Parse(%q) of %q = %v, %v: %s", o, first, again, err, cmp.Diff(o, again))
		}
		if err := o.Validate(); err != nil {
			t.Fatalf("Validate of %q: %v", first, err)
		}
	})
}

// Options that are not normalized have the text of their normalized form, and normalizing is done once.
func TestNormalizeOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var o resize.Options
		for name, value := range wish(t) {
			if err := o.Set(name, value); err != nil {
				t.Fatalf("Set(%q, %q): %v", name, value, err)
			}
		}
		o.Rotate = rapid.Float64Range(-1000, 1000).Draw(t, "rotate")
		if rapid.Bool().Draw(t, "right angle") {
			o.Rotate = float64(90 * rapid.IntRange(-9, 9).Draw(t, "turn"))
		}
		o.Offer = resize.Offer(rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 7), func(n int) resize.Format { return resize.Format(n) }), 3, 3).Draw(t, "offer"))
		once := o.Normalize()
		if twice := once.Normalize(); twice != once {
			t.Fatalf("normalizing twice: %s", cmp.Diff(once, twice))
		}
		if o.String() != once.String() {
			t.Fatalf("text %q, and normalized %q", o, once)
		}
	})
}

func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{
		"", "w=300&h=200&fit=cover", "g=fp&fx=0.25&fy=0&gx=10p&gy=-5", "crop=10p,5p,50p,50p&ar=16:9&pad=1,2,3,4&bg=ff00ff80", "rot=270&flip=hv&blur=0.5",
		"wm=a%2Fb&wmg=southeast&wmo=0&txt=%C3%A9%26&txtc=ff0000", "_ac=avif.webp.jxl&q=auto&mb=300", "f=raw&v=1", "f=jpeg&q=80", "w=5&w=6", "dpr=0.5000",
		"txt=%zz", "&", "=", "v=%25", "duotone=000000,ffffff&round=max&hue=0", "anim=0&frames=3&page=1", "ar=0.0001:99999999",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := resize.Parse(text)
		if err != nil {
			return
		}
		canonical := o.String()
		again, err := resize.Parse(canonical)
		if err != nil || again != o {
			t.Fatalf("Parse(%q) of %q = %v, %v: %s", canonical, text, again, err, cmp.Diff(o, again))
		}
		if again.String() != canonical {
			t.Fatalf("%q is written %q", canonical, again)
		}
	})
}

func BenchmarkString(b *testing.B) {
	o, err := resize.Parse("w=640&h=480&fit=cover&f=webp&q=70")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = o.String()
	}
}

// The canonical text is written on every request that no memo knows.
func TestStringAllocations(t *testing.T) {
	o := resize.Options{Width: 640, Height: 480, Fit: resize.FitCover, Format: resize.FormatWebP}
	if n := testing.AllocsPerRun(100, func() { _ = o.String() }); n > 3 {
		t.Errorf("String allocates %v times, want at most 3", n)
	}
}
