package dialect_test

import (
	"image"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/signing"
)

// FuzzImgproxy puts paths through both stages: nothing panics, what is accepted has a canonical text that
// reads back and a sound key, and no changed byte in front of the query verifies.
func FuzzImgproxy(f *testing.F) {
	for _, test := range imgproxyValues {
		f.Add("/"+test.options+"/plain/local:///a.jpg@png", uint(3), byte(1))
	}
	for _, seed := range []string{
		"/plain/https:/example.com/i.jpg", "/rs%3Afill%3A300%3A200/abc/abc", "/bG9jYWw6Ly8vYS5qcGc.png", "/enc/AAAA.png", "/card:sized/plain/s3://shop/a", "//", "/",
		"/trim:10:ff00ff:1:1/plain/local:///a", "/wm:0.5:re:3:0.1:0.5/wmr:-7.5/plain/local:///a", "/wm:1/wmt:SMOpbGxv/plain/local:///a", "/hs:md5:d41d8cd98f00b204e9800998ecf8427e/plain/local:///a",
		"/c:0.3:0.7:fp:0.1:0.9/fl:1:1/rot:90/exar:1:no:0.07/s:7:9/dpr:0.7/plain/local:///a", "/aq:size:1/mb:3/fq:jpg:1:avif:100/plain/http:/x/%2e%2e/a", "/mrd:5/maf:1/msr:1e-9/plain/local:///a",
	} {
		f.Add(seed, uint(7), byte(0x20))
	}
	keys := signing.Imgproxy{Pairs: []signing.Salted{{Key: []byte("key"), Salt: []byte("salt")}}, Size: 12}
	plain, only, open := imgproxyMount(), imgproxyMount(), imgproxyMount()
	only.PresetsOnly, only.BaseURL = true, "local:///"
	open.AllowSecurity, open.AutoFormat, open.Base64Filename, open.Separator = true, true, true, ":"
	open.Decrypt = signing.SourceKey("kkkkkkkkkkkkkkkk").Decrypt
	f.Fuzz(func(t *testing.T, path string, at uint, change byte) {
		for _, m := range []*dialect.ImgproxyMount{plain, only, open} {
			checkImgproxy(t, m, path)
		}
		e := plain.Split("/sig" + path)
		if e.Check() != nil || path == "" || path[0] != '/' {
			return
		}
		e = plain.Split(keys.SignPath(e.Path))
		signed := "/" + e.Signature + e.Sent
		if plain.Split(signed).Path != e.Path {
			t.Fatalf("repairing %q twice gives %q and %q", path, e.Path, plain.Split(signed).Path)
		}
		if err := keys.Verify(e.Path, e.Signature); err != nil {
			t.Fatalf("%q, just signed, does not verify", signed)
		}
		if change == 0 {
			return
		}
		changed := []byte(signed)
		changed[at%uint(len(changed))] ^= change
		c := plain.Split(string(changed))
		if (c.Path != e.Path || c.Signature != e.Signature) && keys.Verify(c.Path, c.Signature) == nil {
			t.Fatalf("%q verifies as well as %q", changed, signed)
		}
	})
}

func checkImgproxy(t *testing.T, m *dialect.ImgproxyMount, path string) {
	t.Helper()
	e := m.Split("/sig" + path)
	_ = m.Expires(e) // must only not panic
	request, err := m.Request(e)
	if err != nil {
		return
	}
	again, err := resize.Parse(request.Options.String())
	if err != nil || again != request.Options {
		t.Fatalf("%q: Parse(%q): %v: %s", path, request.Options, err, cmp.Diff(request.Options, again))
	}
	about := m.About[request.Source]
	check := dialect.CheckKey
	if about.OpenHTTP {
		check = dialect.CheckURL
	}
	if err := check(request.Key); err != nil {
		t.Fatalf("%q: key %q: %v", path, request.Key, err)
	}
	for _, source := range []resize.Source{
		{Format: resize.FormatJPEG, Width: 2725, Height: 2225, Orientation: 6, Pages: 1, Bands: 3, Depth: 8},
		{Format: resize.FormatGIF, Width: 3, Height: 1, Pages: 9, Animated: true, Alpha: true, Bands: 4, Depth: 8},
	} {
		p, err := request.Options.Plan(source, resize.DefaultLimits())
		if err == nil && request.Options.Format != resize.FormatRaw && (p.Width < 1 || p.Height < 1 || p.Window.Empty() || !p.Window.In(turned(p))) {
			t.Fatalf("%q of %d×%d: %+v", path, source.Width, source.Height, p)
		}
	}
}

// turned returns the rectangle of the scaled picture, upright.
func turned(p resize.Plan) image.Rectangle {
	if p.Turn.Swaps() {
		return image.Rect(0, 0, p.Scaled.Y, p.Scaled.X)
	}
	return image.Rectangle{Max: p.Scaled}
}
