package resize_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imgedge/imgedge/resize"
)

func ExampleParse() {
	o, err := resize.Parse("fit=cover&h=200&w=300&dpr=1&q=80&f=jpeg")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(o.Width, o.Height, o.Fit)
	fmt.Println(o)
	// Output:
	// 300 200 cover
	// w=300&h=200&fit=cover&f=jpeg
}

func ExampleDraft() {
	var d resize.Draft
	_ = d.Set("q", "70") // a preset
	_ = d.Set("w", "200")
	d.Next()
	_ = d.Set("w", "400") // the URL's own options
	fmt.Println(d.Finish())
	// Output: w=400&q=70 <nil>
}

// Every option with its smallest, largest and an ordinary value, and the canonical text it gives.
func TestOptionValues(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, want string }{
		{"w=1", "w=1"},
		{"w=16384", "w=16384"},
		{"h=1", "h=1"},
		{"h=16384", "h=16384"},
		{"dpr=0.5", "dpr=0.5"},
		{"dpr=8", "dpr=8"},
		{"dpr=1", ""},
		{"fit=contain", ""},
		{"fit=cover", "fit=cover"},
		{"fit=cover-down", "fit=cover-down"},
		{"fit=pad", "fit=pad"},
		{"fit=stretch", "fit=stretch"},
		{"fit=auto", "fit=auto"},
		{"mw=1", "mw=1"},
		{"mh=16384", "mh=16384"},
		{"zoom=0.01", "zoom=0.01"},
		{"zoom=20", "zoom=20"},
		{"zoom=1", ""},
		{"enlarge=0", ""},
		{"enlarge=1", "enlarge=1"},
		{"g=center", ""},
		{"g=north", "g=north"},
		{"g=northeast", "g=northeast"},
		{"g=northwest", "g=northwest"},
		{"g=smart", "g=smart"},
		{"g=entropy", "g=entropy"},
		{"g=face", "g=face"},
		{"g=fp&fx=0&fy=1", "g=fp&fx=0&fy=1"},
		{"fy=0.25&fx=0.5&g=fp", "g=fp&fx=0.5&fy=0.25"},
		{"gx=0", ""},
		{"gx=12.5&gy=10p", "gx=12.5&gy=10p"},
		{"gx=-12&gy=-10.5p", "gx=-12&gy=-10.5p"}, // a dialect's
		{"crop=0,0,1,1", "crop=0,0,1,1"},
		{"crop=10p,5.5p,50p,100p", "crop=10p,5.5p,50p,100p"},
		{"crop=0p,0p,100p,100p", ""},
		{"ar=16:9", "ar=16:9"},
		{"ar=32:18", "ar=16:9"},
		{"ar=1.91:1", "ar=191:100"},
		{"trim=1", "trim=1"},
		{"trim=255", "trim=255"},
		{"pad=0", ""},
		{"pad=5", "pad=5"},
		{"pad=5,5", "pad=5"},
		{"pad=5,6", "pad=5,6"},
		{"pad=5,6,5", "pad=5,6"},
		{"pad=5,6,7", "pad=5,6,7"},
		{"pad=5,6,7,6", "pad=5,6,7"},
		{"pad=5,6,7,8", "pad=5,6,7,8"},
		{"pad=5,5,5,5", "pad=5"},
		{"pad=0,0,0,3", "pad=0,0,0,3"},
		{"bg=FFAA00", "bg=ffaa00"},
		{"bg=ffaa00ff", "bg=ffaa00"},
		{"bg=ffaa0080", "bg=ffaa0080"},
		{"bg=00000000", "bg=00000000"},
		{"bg=auto", "bg=auto"},
		{"bg=blur", "bg=blur"},
		{"orient=1", ""},
		{"orient=0", "orient=0"},
		{"rot=0", ""},
		{"rot=90", "rot=90"},
		{"rot=359.5", "rot=359.5"},
		{"flip=h", "flip=h"},
		{"flip=v", "flip=v"},
		{"flip=hv", "rot=180"},
		{"rot=180&flip=hv", ""},
		{"rot=180&flip=h", "flip=v"},
		{"rot=270&flip=h", "rot=90&flip=v"},
		{"rot=45&flip=hv", "rot=45&flip=hv"},
		{"blur=0.3", "blur=0.3"},
		{"blur=100", "blur=100"},
		{"sharpen=0.1", "sharpen=0.1"},
		{"sharpen=10", "sharpen=10"},
		{"pixelate=2", "pixelate=2"},
		{"pixelate=256", "pixelate=256"},
		{"bri=-100", "bri=-100"},
		{"bri=0", ""},
		{"con=100", "con=100"},
		{"sat=-1", "sat=-1"},
		{"hue=0", ""},
		{"hue=359", "hue=359"},
		{"gray=1", "gray=1"},
		{"duotone=000000,FFffFF", "duotone=000000,ffffff"},
		{"round=1", "round=1"},
		{"round=max", "round=max"},
		{"wm=logo", "wm=logo"},
		{"wm=local%2Fa%20b.png", "wm=local%2Fa%20b.png"},
		{
			"wm=logo&wmg=southeast&wmx=16&wmy=5p&wms=0.2&wmo=0.8&wmr=1&wmrot=30",
			"wm=logo&wmg=southeast&wmx=16&wmy=5p&wms=0.2&wmo=0.8&wmr=1&wmrot=30",
		},
		{"wm=logo&wmo=1", "wm=logo"},
		{"wm=logo&wmo=0", ""},
		{"txt=a%26b=%C3%A9", "txt=a%26b%3D%C3%A9"},
		{"txt=a+b", "txt=a%2Bb"},
		{
			"txt=x&txtg=north&txtx=1&txty=2&txts=40&txtc=ff0000&txto=0.5",
			"txt=x&txtg=north&txtx=1&txty=2&txts=40&txtc=ff0000&txto=0.5",
		},
		{"txt=x&txto=0", ""},
		{"f=auto", ""},
		{"f=jpeg", "f=jpeg"},
		{"f=png", "f=png"},
		{"f=webp", "f=webp"},
		{"f=avif", "f=avif"},
		{"f=jxl", "f=jxl"},
		{"f=gif", "f=gif"},
		{"f=tiff", "f=tiff"},
		{"f=keep", "f=keep"},
		{"f=best", "f=best"},
		{"f=json", "f=json"},
		{"f=blurhash", "f=blurhash"},
		{"f=thumbhash", "f=thumbhash"},
		{"f=raw", "f=raw"},
		{"f=raw&v=7", "f=raw&v=7"},
		{"_ac=avif.webp", "_ac=avif.webp"},
		{"_ac=webp.avif.jxl&f=best", "f=best&_ac=webp.avif.jxl"},
		{"q=1", "q=1"},
		{"q=100", "q=100"},
		{"q=auto", "q=auto"},
		{"lossless=1", "lossless=1"},
		{"mb=256", "mb=256"},
		{"page=1", ""},
		{"page=2", "page=2"},
		{"frames=1", "frames=1"},
		{"anim=1", ""},
		{"anim=0", "anim=0"},
		{"anim=0&frames=5", "anim=0"},
		{"meta=none", ""},
		{"meta=copyright", "meta=copyright"},
		{"meta=all", "meta=all"},
		{"icc=srgb", ""},
		{"icc=keep", "icc=keep"},
		{"v=1", "v=1"},
		{"v=" + strings.Repeat("%C3%A9", 64), "v=" + strings.Repeat("%C3%A9", 64)},
		{"v=a%2Fb%25", "v=a%2Fb%25"},
	} {
		o, err := resize.Parse(test.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", test.text, err)
			continue
		}
		if got := o.String(); got != test.want {
			t.Errorf("Parse(%q).String() = %q, want %q", test.text, got, test.want)
		}
		again, err := resize.Parse(o.String())
		if err != nil || again != o {
			t.Errorf("Parse(%q) = %v, %v; want what it was written from: %s", o, again, err, cmp.Diff(o, again))
		}
	}
}

// Every refusal is a 400 that names the option; an out-of-range value's also names value and range.
func TestOptionRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, names string }{
		{"w=0", `w: "0"`},
		{"w=16385", `allowed: a whole number from 1 to 16384 (px)`},
		{"w=", "w: the value is empty"},
		{"w", "w: the value is empty"},
		{"h=-5", `h: "-5"`},
		{"W=5", `unknown option "W"`},
		{"width=5", `unknown option "width"`},
		{"_zz=5", `unknown option "_zz"`},
		{"", ""},
		{"&w=5", `unknown option ""`},
		{"w=5&", "empty"},
		{"w=5&&h=6", `unknown option ""`},
		{"w=5&w=5", "w: the option occurs twice"},
		{"dpr=0.49", "0.5 to 8"},
		{"dpr=8.01", "0.5 to 8"},
		{"fit=fill", "contain, cover, cover-down, pad, stretch or auto"},
		{"fit=Cover", "fit"},
		{"zoom=0", "0.01 to 20"},
		{"zoom=20.5", "0.01 to 20"},
		{"enlarge=true", "0 or 1"},
		{"g=middle", "g"},
		{"g=fp", "fx is missing"},
		{"g=fp&fx=0.5", "fy is missing"},
		{"fx=0.5", "fx: needs g=fp"},
		{"g=north&fy=0", "fy: needs g=fp"},
		{"g=fp&fx=1.1&fy=0", "0 to 1"},
		{"gx=10%25", "gx"},
		{"gx=101p", "gx"},
		{"gx=16385", "gx"},
		{"crop=1,2,3", "crop"},
		{"crop=1,2,3,4,5", "crop"},
		{"crop=1,2,0,4", "crop"},
		{"crop=1p,2,3,4", "crop"},
		{"crop=1,2,3,4p", "crop"},
		{"crop=100p,0p,1p,1p", "crop"},
		{"crop=0p,0p,101p,1p", "crop"},
		{"crop=1.5,2,3,4", "crop"},
		{"ar=16", "ar"},
		{"ar=0:9", "ar"},
		{"ar=16x9", "ar"},
		{"ar=1:2:3", "ar"},
		{"ar=1.33333:1", "ar"},
		{"ar=99999999.9999:1", "ar"},
		{"trim=0", "1 to 255"},
		{"trim=256", "1 to 255"},
		{"pad=1,2,3,4,5", "pad"},
		{"pad=1,", "pad"},
		{"pad=-1", "pad"},
		{"bg=fff", "bg"},
		{"bg=gggggg", "bg"},
		{"bg=+fffff", "bg"},
		{"bg=0xffff", "bg"},
		{"bg=ff_ff_ff", "bg"},
		{"rot=360", "less than 360"},
		{"rot=-90", "rot"},
		{"flip=vh", "h, v or hv"},
		{"blur=0.29", "0.3 to 100"},
		{"sharpen=10.1", "0.1 to 10"},
		{"pixelate=1", "2 to 256"},
		{"bri=101", "-100 to 100"},
		{"con=-101", "-100 to 100"},
		{"sat=1.5", "-100 to 100"},
		{"hue=360", "0 to 359"},
		{"gray=0", "gray"},
		{"duotone=000000", "duotone"},
		{"duotone=00000080,ffffff", "duotone"},
		{"round=0", "round"},
		{"wmg=north", "wmg: needs wm"},
		{"wmo=0.5", "wmo: needs wm"},
		{"wm=a&wmg=smart", "wmg"},
		{"wm=a&wms=0", "wms"},
		{"wm=a&wmo=1.1", "wmo"},
		{"wm=a%00b", "wm"},
		{"txtc=ffffff", "txtc: needs txt"},
		{"txt=" + strings.Repeat("a", 201), "txt"},
		{"txt=%FF", "txt"},
		{"txt=a%0Ab", "txt"},
		{"f=jpg", "f"},
		{"f=heic", "f"},
		{"f=svg", "f"},
		{"f=bmp", "f"},
		{"_ac=png", "_ac"},
		{"_ac=avif.avif", "_ac"},
		{"_ac=avif,webp", "_ac"},
		{"q=0", "1 to 100 or auto"},
		{"q=101", "1 to 100 or auto"},
		{"mb=255", "mb"},
		{"page=0", "page"},
		{"frames=0", "frames"},
		{"anim=2", "0 or 1|1 or 0"},
		{"meta=exif", "none, copyright or all"},
		{"icc=p3", "srgb or keep"},
		{"v=" + strings.Repeat("a", 65), "v"},
		{"v=%0d", "v"},
		{"v=%zz", "v"},
	} {
		o, err := resize.Parse(test.text)
		if test.text == "" {
			if err != nil || o != (resize.Options{}) {
				t.Errorf("Parse(\"\") = %v, %v; want the zero value", o, err)
			}
			continue
		}
		var refusal *resize.Error
		if !errors.As(err, &refusal) || refusal.HTTPStatus() != 400 || refusal.Code() != "bad_option" {
			t.Errorf("Parse(%q) = %v, %v; want a 400 bad_option", test.text, o, err)
			continue
		}
		if !slices.ContainsFunc(strings.Split(test.names, "|"), func(s string) bool { return strings.Contains(err.Error(), s) }) {
			t.Errorf("Parse(%q): %q; want it to say %q", test.text, err, test.names)
		}
	}
}

// Ruling 6: one value has one spelling.
func TestRuling6Spelling(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"w=+5", "w=05", "w=5.0", "w=1e3", "w= 5", "w=5 ", "w=%205", "w=0x10", "w=5_0", "w=", "w=٥", "w=00000000005",
		"dpr=.5", "dpr=2.", "dpr=02", "dpr=+2", "dpr=2e0", "dpr=1_5", "dpr=inf", "dpr=nan", "dpr=0x1p1", "dpr=2,5", "dpr=-2",
		"bri=+5", "bri=-0", "bri=--5", "bri=-05", "gx=-0", "gx=-0.0", "gx=-", "gx=p", "gx=-p", "rot=-0",
	} {
		if o, err := resize.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %q, want a refusal", text, o)
		}
	}
	for text, want := range map[string]string{
		"dpr=1.50": "dpr=1.5", "dpr=2.0": "dpr=2", "bri=-5": "bri=-5", "fx=0.10&fy=0.0&g=fp": "g=fp&fx=0.1&fy=0",
		"bg=AbCdEf": "bg=abcdef",
	} {
		if o, err := resize.Parse(text); err != nil || o.String() != want {
			t.Errorf("Parse(%q) = %q, %v; want %q", text, o, err, want)
		}
	}
}

// Ruling 10: what equals its default is dropped, the quality of an explicit format too; enlarge stays.
func TestRuling10Defaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"f=jpeg&q=80": "f=jpeg", "f=webp&q=79": "f=webp", "f=avif&q=63": "f=avif", "f=jxl&q=77": "f=jxl",
		"f=jpeg&q=79": "f=jpeg&q=79", "q=80": "q=80", "f=keep&q=80": "f=keep&q=80", "f=best&q=63": "f=best&q=63",
		"enlarge=1": "enlarge=1", "enlarge=0": "",
		"w=5&dpr=1&fit=contain&zoom=1&g=center&gx=0&pad=0&orient=1&rot=0&f=auto&page=1&anim=1&meta=none&icc=srgb": "w=5",
	} {
		if o, err := resize.Parse(text); err != nil || o.String() != want {
			t.Errorf("Parse(%q) = %q, %v; want %q", text, o, err, want)
		}
	}
}

// Ruling 9: q, mb and lossless on a fixed format without them.
func TestRuling9FixedFormats(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"f=png&q=80", "f=gif&q=80", "f=tiff&q=80", "f=png&q=auto", "f=png&mb=1000", "f=gif&mb=1000", "f=png&lossless=1",
		"f=jpeg&lossless=1", "f=gif&lossless=1", "f=tiff&lossless=1", "f=blurhash&q=5", "f=thumbhash&mb=300",
		"f=webp&lossless=1&q=70", "f=avif&lossless=1&mb=4000",
		"f=raw&w=5", "f=raw&q=5", "f=raw&page=2", "f=raw&enlarge=0", "f=json&w=5",
	} {
		if o, err := resize.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %q, want a refusal", text, o)
		}
	}
	for _, text := range []string{
		"q=80&lossless=1", "f=keep&q=10&mb=300&lossless=1", "f=best&q=5&lossless=1", "f=jpeg&q=10&mb=300",
		"f=webp&lossless=1", "f=avif&lossless=1", "f=jxl&lossless=1", "f=raw", "f=json&v=1", "f=png&lossless=1&v=1|",
	} {
		text, refused := strings.CutSuffix(text, "|")
		if o, err := resize.Parse(text); (err != nil) != refused {
			t.Errorf("Parse(%q) = %q, %v", text, o, err)
		}
	}
}

// Ruling 8: a later level overrides, and what it makes useless is dropped; its own contradictions are refused.
func TestRuling8Levels(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		levels []string
		want   string // "" with refused
		refuse string
	}{
		{[]string{"w=200&q=70", "w=300"}, "w=300&q=70", ""},
		{[]string{"q=80", "f=png"}, "f=png", ""},
		{[]string{"q=80", "f=gif&w=5"}, "w=5&f=gif", ""},
		{[]string{"q=80&w=5&v=3", "f=raw"}, "f=raw&v=3", ""},
		{[]string{"f=png", "q=80"}, "", "q: f=png"},
		{[]string{"f=raw", "w=80"}, "", "w: f=raw"},
		{[]string{"lossless=1", "f=jpeg"}, "f=jpeg", ""},
		{[]string{"lossless=1", "f=webp&q=70"}, "f=webp&q=70", ""},
		{[]string{"q=70", "f=webp&lossless=1"}, "f=webp&lossless=1", ""},
		{[]string{"q=auto", "q=70"}, "q=70", ""},
		{[]string{"q=70", "q=auto"}, "q=auto", ""},
		{[]string{"q=70", "q=80&f=jpeg"}, "f=jpeg", ""},
		{[]string{"g=fp&fx=0.1&fy=0.2", "g=north"}, "g=north", ""},
		{[]string{"g=fp&fx=0.1&fy=0.2", "fx=0.3"}, "g=fp&fx=0.3&fy=0.2", ""},
		{[]string{"fx=0.1&fy=0.2", "g=fp"}, "g=fp&fx=0.1&fy=0.2", ""},
		{[]string{"g=fp&fx=0.1&fy=0.2", "g=north&fx=0"}, "", "fx: needs g=fp"},
		{[]string{"wmg=north&wmo=0.5", "wm=logo"}, "wm=logo&wmg=north&wmo=0.5", ""},
		{[]string{"wmg=north&wmo=0.5", "w=5"}, "w=5", ""},
		{[]string{"bg=blur", "bg=ff0000"}, "bg=ff0000", ""},
		{[]string{"round=max", "round=5"}, "round=5", ""},
		{[]string{"flip=hv", "flip=v"}, "flip=v", ""},
		{[]string{"enlarge=1&anim=0&orient=0&icc=keep", "enlarge=0&anim=1&orient=1&icc=srgb"}, "", ""},
	} {
		o, err := draft(test.levels)
		if test.refuse != "" {
			if err == nil || !strings.Contains(err.Error(), test.refuse) {
				t.Errorf("levels %q = %q, %v; want a refusal with %q", test.levels, o, err, test.refuse)
			}
			continue
		}
		if err != nil || o.String() != test.want {
			t.Errorf("levels %q = %q, %v; want %q", test.levels, o, err, test.want)
		}
	}
}

func draft(levels []string) (resize.Options, error) {
	var d resize.Draft
	for i, level := range levels {
		if i > 0 {
			d.Next()
		}
		for pair := range strings.SplitSeq(level, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if err := d.SetEscaped(name, value); err != nil {
				return resize.Options{}, err
			}
		}
	}
	return d.Finish()
}

// Ruling 5: a box beyond the limits is a 400 that names the limit, computed from the exact product.
func TestRuling5Box(t *testing.T) {
	t.Parallel()
	lim := resize.DefaultLimits()
	for _, test := range []struct {
		text string
		lim  resize.Limits
		says string // "" = taken
	}{
		{"w=16384", lim, ""},
		{"w=8192&dpr=2", lim, ""},
		{"w=8193&dpr=2", lim, "w: 8193 times dpr is 16386 px; limits.output_side is 16384"},
		{"h=16384&dpr=1.5", lim, "limits.output_side"},
		{"w=16384&h=16384", lim, "limits.output_pixels is 50000000"},
		{"w=8000&h=6250", lim, ""},
		{"w=8000&h=6251", lim, "limits.output_pixels"},
		{"w=67&dpr=1.5", resize.Limits{OutputSide: 101}, ""},
		{"w=67&dpr=1.5", resize.Limits{OutputSide: 100}, "is 101 px"},
		{"w=16384&h=16384&dpr=8", resize.Limits{}, ""},
		{"", lim, ""},
	} {
		o, err := resize.Parse(test.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", test.text, err)
			continue
		}
		err = o.CheckBox(test.lim)
		if (err == nil) != (test.says == "") || (err != nil && !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%q: CheckBox = %v, want %q", test.text, err, test.says)
		}
	}
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"g=face", "_cs=5,5&_cg=face"} {
		o, err := resize.Parse(text)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
			continue
		}
		const says = "g=face: this server has no face detector"
		if err := o.Unavailable(); err == nil || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("%q: Unavailable = %v, want %s", text, err, says)
		}
	}
	for _, text := range []string{
		"w=5&h=5&dpr=2&fit=auto&mw=1&mh=1&zoom=2&enlarge=1&g=fp&fx=0&fy=0&gx=1&gy=1p&crop=0,0,5,5&ar=1:1&pad=5&bg=ff0000",
		"orient=0&rot=270&flip=v&f=avif&lossless=1&page=2&frames=3&meta=all&icc=keep&v=2", "anim=0&q=5", "f=gif", "f=keep", "f=raw",
		"f=jxl", "f=tiff", "f=best", "f=blurhash", "f=thumbhash", "q=auto", "mb=300", "f=json", "f=png", "f=webp", "f=jpeg", "g=southwest", "",
		"blur=1&sharpen=1&pixelate=2&bri=1&con=1&sat=1&hue=1&gray=1&duotone=000000,ffffff&round=4", "round=max",
		"g=smart", "g=entropy", "trim=10&_tc=ff0000", "bg=auto", "bg=blur", "rot=45", "rot=90.5", "wm=a", "txt=a",
	} {
		o, err := resize.Parse(text)
		if err != nil || o.Unavailable() != nil {
			t.Errorf("%q: %v, Unavailable = %v; want none", text, err, o.Unavailable())
		}
	}
}

func TestSetLeavesOptionsOnError(t *testing.T) {
	t.Parallel()
	want := resize.Options{Width: 5, Round: resize.Round{Max: true}, Quality: 7}
	for _, set := range [][2]string{{"w", "0"}, {"round", "x"}, {"q", "101"}, {"crop", "1,2,3,x"}, {"nope", "1"}, {"w", ""}} {
		o := want
		if err := o.Set(set[0], set[1]); err == nil || o != want {
			t.Errorf("Set(%q, %q) = %v and changed %s", set[0], set[1], err, cmp.Diff(want, o))
		}
	}
}

func TestErrorsCutLongValues(t *testing.T) {
	t.Parallel()
	_, err := resize.Parse("w=" + strings.Repeat("9", 10000))
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("Parse of a long value: %d bytes of error, want a short one", len(err.Error()))
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	names := resize.Names()
	if !slices.Contains(names, "w") || !slices.Contains(names, "v") || slices.Contains(names, "_ac") {
		t.Errorf("Names() = %q", names)
	}
	for _, name := range names {
		if resize.Allowed(name) == "" {
			t.Errorf("Allowed(%q) is empty", name)
		}
	}
	if got := resize.Allowed("nope"); got != "" {
		t.Errorf("Allowed of an unknown name = %q", got)
	}
}
