package libvips_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
)

// Any options together give a picture of the plan's size: the engine itself refuses another one. What is
// refused is refused with a status.
func TestAnyWish(t *testing.T) {
	movie, _ := movie(t, 50, 33)
	sources := [][]byte{
		jpegOf(t, photo(150, 101), 90), withEXIF(jpegOf(t, photo(97, 140), 90), 5), pngOf(t, spectrum(90, 77, true)), movie,
		pngOf(t, quadrants(3, 200)), pngOf(t, quadrants(1, 1)),
	}
	mark := pngOf(t, spectrum(30, 20, true))
	choices := [][]string{
		{"", "w=40", "w=77&h=31", "h=60", "w=300&enlarge=1", "w=50&dpr=1.5", "w=1"},
		{"", "fit=cover", "fit=pad", "fit=cover-down", "fit=stretch", "fit=auto"},
		{"", "g=smart", "g=entropy", "g=north", "g=southeast&gx=3"},
		{"", "trim=10", "trim=200", "trim=40&_te=hv", "trim=5&_tc=ff0000"},
		{"", "crop=1,1,30,20", "crop=10p,10p,50p,80p", "_cs=20,30&_cg=smart"},
		{"", "ar=1:1", "ar=7:2"},
		{"", "pad=3", "pad=0,9"},
		{"", "bg=auto", "bg=blur", "bg=ff8800", "bg=00ff0040"},
		{"", "rot=90", "rot=33", "rot=181.5", "rot=270&flip=h"},
		{"", "blur=1", "blur=20", "blur=100"},
		{"", "sharpen=1", "sharpen=10"},
		{"", "pixelate=5", "pixelate=256"},
		{"", "bri=20&sat=-40", "hue=77", "gray=1", "duotone=001122,ffeedd"},
		{"", "round=5", "round=max", "round=3000"},
		{"", "wm=a/b", "wm=a/b&wms=0.3&wmr=1", "wm=a/b&wms=1&wmrot=77", "wm=a/b&_wmw=9&_wmr=v&wmx=-3"},
		{"", "txt=Some%20text", "txt=%D7%A9&txts=90&txtg=west&txtx=-50"},
		{"f=jpeg", "f=png", "f=webp", "f=gif"},
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same wishes at every run
	e := newEngine(t)
	refused := 0
	for range 400 {
		var parts []string
		for _, c := range choices {
			if part := c[random.IntN(len(c))]; part != "" && (len(c) < 5 || random.IntN(2) == 0) {
				parts = append(parts, part)
			}
		}
		text := strings.Join(parts, "&")
		source := random.IntN(len(sources))
		o, err := resize.Parse(text)
		if err != nil {
			t.Fatalf("Parse(%q): %v", text, err)
		}
		if err := anyWish(t, e, sources[source], mark, o); err != nil {
			refused++
			if code, kind := status(err); code != 422 || kind == "corrupt_image" {
				t.Errorf("source %d, %q: %v%s", source, text, err, causes(err))
			}
		}
	}
	t.Logf("%d of 400 wishes were refused", refused)
	if refused > 80 {
		t.Errorf("%d of 400 wishes were refused", refused)
	}
}

func anyWish(t *testing.T, e *libvips.Engine, data, mark []byte, o resize.Options) error {
	t.Helper()
	src, err := e.Probe(t.Context(), data)
	if err != nil {
		return err
	}
	markSource, err := e.Probe(t.Context(), mark)
	if err != nil {
		return err
	}
	plan, err := o.Plan(src, resize.DefaultLimits())
	if err != nil {
		return err
	}
	if plan, err = plan.WithMark(mark, markSource, resize.DefaultLimits()); err != nil {
		return err
	}
	results, err := e.Run(t.Context(), data, plan)
	if err != nil {
		return err
	}
	// The size of what came out is the result's own, which trim may have changed from the plan's.
	ref := decode(t, results[0].Body)
	if w, h := ref.Rect.Dx(), ref.Rect.Dy(); w != results[0].Width || h != results[0].Height {
		t.Errorf("%s: %d × %d px, the result says %d × %d", o, w, h, results[0].Width, results[0].Height)
	}
	return nil
}
