package dialect_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/signing"
)

// FuzzThumbor puts paths through both flavors: nothing panics, what is accepted has a canonical text that
// reads back and a sound key, and no changed byte verifies.
func FuzzThumbor(f *testing.F) {
	for _, seed := range []string{
		"300x200/smart/a.jpg", "fit-in/-300x-200/5x6:7x8/left/top/smart/filters:quality(80):blur(3,2)/a.jpg", "meta/trim:bottom-right:20/10x11:12x13/a.jpg",
		"0.1x0.2:0.6x0.8/adaptive-full-fit-in/300x200/filters:fill(auto):rotate(90)/a.jpg", "origx20/filters:focal(1x2:30x40):proportion(0.5)/http%3A%2F%2Fh.example/a.jpg",
		"filters:watermark(shop/b(1).png,-10p,repeat,50,20,none):round_corner(20|20,1,2,3)/a+b.jpg", "filters:label(b64:SGk,center,-20,30,red,50):expire(1700000000000)/b64:YS5qcGc",
		"30x20/1x2:3x4/filters:padding(red,1,2):fill(none):orient(180):rotate(-90)/a.jpg", "stretch/300x200/filters:format(png):lossless():max_bytes(3000)/a%zz.jpg", "color:red", "",
		"filters:background_color(fff):sharpen(1,0.5,true):saturation(1.2):hue(-70):pixelate():page(2):max_frames(3):autojpg()/a.jpg", "filters:text(Hi,0.1,r-20,sans-24,white,10)/a.jpg",
	} {
		f.Add(seed, uint(3), byte(1))
	}
	thumbor, imagor := thumborMounts()
	f.Fuzz(func(t *testing.T, path string, at uint, change byte) {
		for _, mount := range []dialect.ThumborMount{thumbor, imagor} {
			checkThumbor(t, mount, path)
			checkThumborHash(t, mount, path, at, change)
		}
	})
}

func checkThumbor(t *testing.T, mount dialect.ThumborMount, path string) {
	t.Helper()
	e := mount.Split("/unsafe/" + path)
	if _, err := mount.Expires(e, e.Path); err != nil && strings.Contains(err.Error(), "%!") {
		t.Fatal(err)
	}
	for _, signed := range []string{e.Path, e.Path + "?"} { // the second one is read as decoded
		request, err := mount.Wish(e, signed)
		if err != nil {
			continue
		}
		again, err := resize.Parse(request.Options.String())
		if err != nil || again != request.Options {
			t.Fatalf("%s: %q: Parse(%q) = %v, %v: %s", mount.Flavor, path, request.Options, again, err, cmp.Diff(request.Options, again))
		}
		check := dialect.CheckKey
		if mount.About[request.Source].OpenHTTP {
			check = dialect.CheckURL
		}
		if err := check(request.Key); err != nil {
			t.Fatalf("%s: %q: key %q: %v", mount.Flavor, path, request.Key, err)
		}
		if _, err := request.Options.Plan(resize.Source{Format: resize.FormatPNG, Width: 300, Height: 200, Pages: 1}, resize.DefaultLimits()); err != nil && strings.Contains(err.Error(), "%!") {
			t.Fatal(err)
		}
	}
}

func checkThumborHash(t *testing.T, mount dialect.ThumborMount, path string, at uint, change byte) {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	key := signing.ThumborKey{Secret: "a secret of the fuzz test", Imagor: mount.Flavor == dialect.FlavorImagor}
	e := mount.Split("/unsafe/" + path)
	if mount.Split("/unsafe/"+e.Path).Path != e.Path {
		return // what is left of one line break has made another, which is dropped from what was signed
	}
	target := "/" + key.Sign(e.Path) + "/" + e.Path
	e = mount.Split(target)
	signed, err := key.Verify(e.Path, e.Hash)
	if err != nil || signed != e.Path {
		t.Fatalf("%s: %q, just signed, does not verify: %+v, %v", mount.Flavor, target, e, err)
	}
	if change == 0 {
		return
	}
	changed := []byte(target)
	changed[at%uint(len(changed))] ^= change
	other := mount.Split(string(changed))
	got, err := key.Verify(other.Path, other.Hash)
	if err != nil {
		return
	}
	// Two spellings may be one text: of the hash, or, by imagor's rules, of the path; the text is the same.
	if got != signed {
		t.Fatalf("%s: %q verifies as well as %q, and says %q", mount.Flavor, changed, target, got)
	}
	if plain, _ := url.QueryUnescape(other.Path); other.Path != e.Path && plain != signed {
		t.Fatalf("%s: %q verifies as well as %q", mount.Flavor, changed, target)
	}
}
