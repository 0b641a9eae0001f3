package dialect_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/signing"
)

func ExampleThumborMount() {
	key := signing.ThumborKey{Secret: "my-security-key"}
	mount := dialect.ThumborMount{Source: "local"}

	e := mount.Split("/6JU7d5jTlmhDXhgtNKC6EOa6itk=/fit-in/-300x200/filters:quality(70):format(webp)/2026/a.jpg")
	signed, err := key.Verify(e.Path, e.Hash)
	if err != nil {
		fmt.Println(err)
		return
	}
	request, err := mount.Request(e, signed)
	fmt.Println(request.Source, request.Key, request.Options, err)
	// Output: local 2026/a.jpg w=300&h=200&flip=h&f=webp&q=70 <nil>
}

// thumborMounts are mounts of both flavors with a folder, an open and a rooted HTTP source.
func thumborMounts() (thumbor, imagor dialect.ThumborMount) {
	thumbor = dialect.ThumborMount{
		Source:  "local",
		Sources: map[string]string{"http://": "cdn", "https://": "cdn", "https://assets.example.com/": "assets", "shop/": "shop"},
		About: map[string]dialect.MountSource{
			"cdn":    {OpenHTTP: true, Limits: resize.DefaultLimits()},
			"assets": {Base: "https://assets.example.com/img/", Limits: resize.DefaultLimits()},
			"local":  {Limits: resize.DefaultLimits()},
			"shop":   {Limits: resize.Limits{OutputSide: 100}},
		},
	}
	imagor = thumbor
	imagor.Flavor = dialect.FlavorImagor
	return thumbor, imagor
}

func ask(m dialect.ThumborMount, path string) (dialect.Request, error) {
	e := m.Split("/unsafe/" + path)
	return m.Wish(e, e.Path)
}

func TestThumborSplit(t *testing.T) {
	t.Parallel()
	thumbor, imagor := thumborMounts()
	hash := "cST4Ko5_FqwT3BDn-Wf4gO3RFSk="
	for _, test := range []struct {
		mount  dialect.ThumborMount
		target string
		want   dialect.ThumborEnvelope
	}{
		{thumbor, "/unsafe/300x200/a.jpg", dialect.ThumborEnvelope{Unsafe: true, Path: "300x200/a.jpg"}},
		{thumbor, "/" + hash + "/300x200/a.jpg?v=2", dialect.ThumborEnvelope{Hash: hash, Path: "300x200/a.jpg", Query: "v=2"}},
		{thumbor, "/" + strings.Replace(hash, "=", "%3D", 1) + "/a.jpg", dialect.ThumborEnvelope{Hash: hash, Path: "a.jpg"}},
		{thumbor, "/short/a%2Fb.jpg", dialect.ThumborEnvelope{Hash: "short", Path: "a%2Fb.jpg"}},
		{thumbor, "/a.jpg", dialect.ThumborEnvelope{Path: "a.jpg"}},
		{thumbor, "/", dialect.ThumborEnvelope{}},
		{thumbor, "", dialect.ThumborEnvelope{}},
		{imagor, "/" + hash + "/300x200/a.jpg", dialect.ThumborEnvelope{Hash: hash, Path: "300x200/a.jpg"}},
		{imagor, "/short/a.jpg", dialect.ThumborEnvelope{Path: "short/a.jpg"}},
		{imagor, "/adaptive-full-fit-in/30x20/a.jpg", dialect.ThumborEnvelope{Path: "adaptive-full-fit-in/30x20/a.jpg"}},
		{imagor, "/unsafe/30x20/a\r\n\u2028b.jpg", dialect.ThumborEnvelope{Unsafe: true, Path: "30x20/ab.jpg"}},
	} {
		got := test.mount.Split(test.target)
		if got != test.want {
			t.Errorf("%s: Split(%q): %s", test.mount.Flavor, test.target, cmp.Diff(test.want, got))
		}
		if status, _ := errorOf(got.Check()); (status == 404) != (got == dialect.ThumborEnvelope{}) {
			t.Errorf("%s: Check of %q is %d", test.mount.Flavor, test.target, status)
		}
	}
}

// A wish that both flavors and the native grammar can say is one struct.
func TestThumborPairs(t *testing.T) {
	t.Parallel()
	thumbor, imagor := thumborMounts()
	for _, test := range []struct {
		path   string // without the image
		native string // without f=keep
		only   string // flavor; "" = both
	}{
		{"", "", ""},
		{"0x0/", "", ""},
		{"x/", "", ""},
		{"300x200/", "w=300&h=200&fit=cover&enlarge=1", ""},
		{"0300x0200/", "w=300&h=200&fit=cover&enlarge=1", ""},
		{"300x/", "w=300&enlarge=1", ""},
		{"300x0/", "w=300&enlarge=1", ""},
		{"x200/", "h=200&enlarge=1", ""},
		{"300x200/filters:no_upscale()/", "w=300&h=200&fit=cover", ""},
		{"300x/filters:no_upscale()/", "w=300", ""},
		{"300x/left/top/", "w=300&enlarge=1", ""},
		{"300x200/left/", "w=300&h=200&fit=cover&enlarge=1&g=west", ""},
		{"300x200/right/middle/", "w=300&h=200&fit=cover&enlarge=1&g=east", ""},
		{"300x200/top/", "w=300&h=200&fit=cover&enlarge=1&g=north", ""},
		{"300x200/center/bottom/", "w=300&h=200&fit=cover&enlarge=1&g=south", ""},
		{"300x200/left/top/", "w=300&h=200&fit=cover&enlarge=1&g=northwest", ""},
		{"300x200/right/bottom/", "w=300&h=200&fit=cover&enlarge=1&g=southeast", ""},
		{"300x200/smart/", "w=300&h=200&fit=cover&enlarge=1&g=smart", ""},
		{"300x200/left/top/smart/", "w=300&h=200&fit=cover&enlarge=1&g=smart", ""},
		{"fit-in/300x200/", "w=300&h=200", ""},
		{"fit-in/300x200/left/top/smart/", "w=300&h=200", ""},
		{"fit-in/300x/", "w=300", ""},
		{"fit-in/300x200/filters:upscale()/", "w=300&h=200&enlarge=1", ""},
		{"fit-in/300x200/filters:fill(fff)/", "w=300&h=200&fit=pad&bg=ffffff", ""},
		{"fit-in/300x200/left/filters:fill(Blue,true)/", "w=300&h=200&fit=pad&bg=0000ff", "thumbor"},
		{"fit-in/300x200/left/filters:fill(Blue)/", "w=300&h=200&fit=pad&bg=0000ff", ""},
		{"fit-in/300x200/filters:fill(transparent)/", "w=300&h=200&fit=pad", ""},
		{"fit-in/300x200/filters:fill(none)/", "w=300&h=200&fit=pad", ""},
		{"fit-in/300x200/filters:fill(auto)/", "w=300&h=200&fit=pad&bg=auto", ""},
		{"fit-in/300x200/filters:fill(blur)/", "w=300&h=200&fit=pad&bg=blur", ""},
		{"fit-in/300x200/filters:upscale():fill(red)/", "w=300&h=200&fit=pad&bg=ff0000&enlarge=1", ""},
		{"full-fit-in/300x200/filters:fill(red)/", "w=300&h=200&fit=cover&bg=ff0000&enlarge=1", "thumbor"},
		{"full-fit-in/300x200/filters:fill(red)/", "w=300&h=200&fit=cover&bg=ff0000", "imagor"},
		{"full-fit-in/300x/", "w=300&enlarge=1", "thumbor"},
		{"adaptive-fit-in/300x300/", "w=300&h=300", ""},
		{"300x200/filters:stretch()/", "w=300&h=200&fit=stretch", ""},
		{"300x/filters:stretch()/", "w=300&enlarge=1", ""},
		{"stretch/300x200/", "w=300&h=200&fit=stretch", "imagor"},
		{"origxorig/", "", "thumbor"},
		{"origx0/", "", "thumbor"},
		{"-300x200/", "w=300&h=200&fit=cover&enlarge=1&flip=h", ""},
		{"300x-200/", "w=300&h=200&fit=cover&enlarge=1&flip=v", ""},
		{"-300x-200/", "w=300&h=200&fit=cover&enlarge=1&rot=180", ""},
		{"-x-/", "rot=180", ""},
		{"-300x200/left/", "w=300&h=200&fit=cover&enlarge=1&flip=h&g=east", ""},
		{"300x-200/left/top/", "w=300&h=200&fit=cover&enlarge=1&flip=v&g=southwest", ""},
		{"300x200/left/top/filters:rotate(90)/", "w=200&h=300&fit=cover&enlarge=1&rot=270&g=southwest", ""},
		{"300x200/left/top/filters:rotate(180)/", "w=300&h=200&fit=cover&enlarge=1&rot=180&g=southeast", ""},
		{"300x200/left/top/filters:rotate(270)/", "w=200&h=300&fit=cover&enlarge=1&rot=90&g=northeast", ""},
		{"300x/filters:rotate(90)/", "h=300&enlarge=1&rot=270", ""},
		{"300x/filters:rotate(90):rotate(270)/", "w=300&enlarge=1", ""},
		{"300x/filters:rotate(-90)/", "h=300&enlarge=1&rot=90", ""},
		{"-300x200/left/filters:rotate(90)/", "w=200&h=300&fit=cover&enlarge=1&rot=90&flip=h&g=north", ""},
		{"300x/filters:orient(90)/", "w=300&enlarge=1&rot=270", ""},
		{"10x10:200x200/", "crop=10,10,190,190", ""},
		{"0x0:200x100/50x/", "crop=0,0,200,100&w=50&enlarge=1", ""},
		{"0x0:0x0/50x/", "w=50&enlarge=1", ""},
		{"20x20:10x10/50x/", "w=50&enlarge=1", ""},
		{"0.1x0.2:0.6x0.8/", "crop=10p,20p,50p,60p", "imagor"},
		{"0x0:1x1/", "", "imagor"},
		{".1x.2:.6x.8/x-/", "crop=10p,20p,50p,60p&flip=v", "imagor"},
		{"0.1x0.2:0.6x0.8/-x/", "crop=40p,20p,50p,60p&flip=h", "imagor"},
		{"0.1x0.2:0.6x0.9/filters:rotate(90)/", "crop=20p,40p,70p,50p&rot=270", "imagor"},
		{"trim/", "trim=1", ""},
		{"trim:top-left:0/", "trim=1", ""},
		{"trim:20/", "trim=12", "thumbor"},
		{"trim:442/", "trim=255", "thumbor"},
		{"trim:20/", "trim=20", "imagor"},
		{"trim:bottom-right:20/", "trim=20&_tp=southeast", "imagor"},
		{"trim:bottom-right/-x/", "trim=1&_tp=southwest&flip=h", ""},
		{"trim/filters:rotate(90)/", "trim=1&_tp=southwest&rot=270", ""},
		{"fit-in/500x400/0x20/filters:fill(white)/", "w=500&h=400&fit=pad&bg=ffffff&pad=20,0", "imagor"},
		{"fit-in/500x400/1x2:3x4/filters:fill(white)/", "w=500&h=400&fit=pad&bg=ffffff&pad=2,3,4,1", "imagor"},
		{"50x40/1x2:3x4/filters:fill(white)/", "w=50&h=40&fit=cover&enlarge=1&bg=ffffff&pad=2,3,4,1", "imagor"},
		{"50x40/1x2:3x4/filters:fill(white):rotate(270)/", "w=40&h=50&fit=cover&enlarge=1&bg=ffffff&pad=1,2,3,4&rot=90", "imagor"},
		{"50x40/1x2:3x4/filters:rotate(90):fill(white)/", "w=40&h=50&fit=cover&enlarge=1&bg=ffffff&pad=1,4,3,2&rot=270", "imagor"},
		{"filters:padding(red,5)/", "bg=ff0000&pad=5", "imagor"},
		{"300x200/filters:proportion(0.5)/", "w=300&h=200&fit=cover&enlarge=1&zoom=0.5", ""},
		{"300x200/filters:proportion(50)/", "w=300&h=200&fit=cover&enlarge=1&zoom=0.5", "imagor"},
		{"filters:proportion(2)/", "zoom=2&enlarge=1", "thumbor"},
		{"filters:proportion(0.5)/", "zoom=0.5", ""},
		{"300x200/filters:focal(0.35x0.25:0.65x0.75)/", "w=300&h=200&fit=cover&enlarge=1&g=fp&fx=0.5&fy=0.5", "imagor"},
		{"300x200/filters:focal(0.25,0.75)/", "w=300&h=200&fit=cover&enlarge=1&g=fp&fx=0.25&fy=0.75", "imagor"},
		{"-300x200/smart/filters:focal(0.25,0.75)/", "w=300&h=200&fit=cover&enlarge=1&g=fp&fx=0.75&fy=0.75&flip=h", "imagor"},
		{"300x200/filters:focal(0.25,0.75):rotate(90)/", "w=200&h=300&fit=cover&enlarge=1&g=fp&fx=0.75&fy=0.75&rot=270", "imagor"},
		{"filters:blur(4)/", "blur=4", "thumbor"},
		{"filters:blur(4)/", "blur=2", "imagor"},
		{"filters:blur(4,2)/", "blur=2", ""},
		{"filters:blur(0)/", "", ""},
		{"filters:sharpen(2,0.5,true)/", "sharpen=2", ""},
		{"filters:sharpen(0,0.5,true)/", "", "thumbor"},
		{"filters:sharpen(1.5)/", "sharpen=4", "imagor"},
		{"filters:brightness(20):contrast(-10)/", "bri=20&con=-10", ""},
		{"filters:saturation(1.2)/", "sat=20", "thumbor"},
		{"filters:saturation(0)/", "sat=-100", "thumbor"},
		{"filters:saturation(20)/", "sat=20", "imagor"},
		{"filters:hue(-70)/", "hue=290", ""},
		{"filters:hue(360)/", "", ""},
		{"filters:grayscale()/", "gray=1", ""},
		{"filters:pixelate()/", "pixelate=10", ""},
		{"filters:pixelate(1)/", "", ""},
		{"filters:round_corner(20,255,0,10)/", "round=20&bg=ff000a", "thumbor"},
		{"filters:round_corner(20|20,255,0,10,true)/", "round=20", "thumbor"},
		{"filters:round_corner(20)/", "round=20", "imagor"},
		{"filters:round_corner(20,20,red)/", "round=20&bg=ff0000", "imagor"},
		{"filters:background_color(0f0)/", "bg=00ff00", ""},
		{"filters:background_color(0F0):fill(lime)/", "bg=00ff00", ""},
		{"filters:background_color(dda0dd)/", "bg=dda0dd", ""},
		{"filters:background_color(rebeccapurple)/", "bg=663399", ""},
		{"filters:quality(70):max_bytes(40000)/", "q=70&mb=40000", ""},
		{"filters:quality(70):quality(80)/", "q=80", ""},
		{"filters:lossless()/", "lossless=1", ""},
		{"filters:cover()/", "anim=0", ""},
		{"filters:page(1):max_frames(3)/", "frames=3", ""},
		{"filters:page(2)/", "page=2", ""},
		{"filters:strip_exif():strip_icc():preview()/", "", ""},
		{"filters:max_age(60)/", "", ""},
		{"filters:watermark(logo.png,10,-20,50)/", "wm=local%2Flogo.png&wmg=southwest&wmx=10&wmy=20&wmo=0.5", ""},
		{"filters:watermark(shop/logo.png,center,center,0)/", "wm=shop%2Flogo.png", ""},
		{"filters:watermark(logo.png,-10p,20p,30,25)/", "wm=local%2Flogo.png&wmg=northeast&wmx=10p&wmy=20p&wmo=0.7&wms=0.25", ""},
		{"filters:watermark(logo.png,repeat,repeat,0)/", "wm=local%2Flogo.png&wmg=northwest&wmr=1", ""},
		{"filters:watermark(logo.png,0,0,100)/", "", ""},
		{"filters:watermark(logo.png,-0,-0,0)/", "wm=local%2Flogo.png&wmg=southeast", ""},
		{"filters:watermark(logo.png,right,b,0)/", "wm=local%2Flogo.png&wmg=southeast", "imagor"},
		{"filters:watermark(logo.png,0.1,-0.25,0)/", "wm=local%2Flogo.png&wmg=southwest&wmx=10p&wmy=25p", "imagor"},
		{"filters:watermark(b64:c2hvcC9hLnBuZw,center,top,0)/", "wm=shop%2Fa.png&wmg=north", "imagor"},
		{"filters:watermark(https%3A%2F%2Fassets.example.com%2Fimg%2Fx%2528.png,center,0,0)/", "wm=assets%2Fx(.png&wmg=north", ""},
		{"filters:label(Hi%20there,10,-20,30,red,50)/", "txt=Hi%20there&txtg=southwest&txtx=10&txty=20&txts=30&txtc=ff0000&txto=0.5", ""},
		{"filters:label(Hi)/", "txt=Hi&txtg=northwest&txts=20&txtc=000000", ""},
		{"filters:text(b64:SGk,center,bottom,sans-24,white,0)/", "txt=Hi&txtg=south&txts=24&txtc=ffffff", "imagor"},
	} {
		for _, mount := range []dialect.ThumborMount{thumbor, imagor} {
			flavor := "thumbor"
			if mount.Flavor != "" {
				flavor = string(mount.Flavor)
			}
			if test.only != "" && test.only != flavor {
				continue
			}
			want, err := resize.Parse(strings.TrimPrefix(test.native+"&f=keep", "&"))
			if err != nil {
				t.Fatalf("%q: %v", test.native, err)
			}
			got, err := ask(mount, test.path+"a.jpg")
			if err != nil || got.Options != want || got.Source != "local" || got.Key != "a.jpg" {
				t.Errorf("%s: %s is %s of %s/%s, %v, want %s", flavor, test.path, got.Options, got.Source, got.Key, err, want)
			}
		}
	}
}

// errorOf returns status and code.
func errorOf(err error) (status int, code string) {
	var e *resize.Error
	if errors.As(err, &e) {
		return e.Status, e.Kind
	}
	return 0, ""
}

// What only the dialect can say, and the sizes that come of it, worked out by hand.
func TestThumborSizes(t *testing.T) {
	t.Parallel()
	thumbor, imagor := thumborMounts()
	wide, tall, small := [2]int{2000, 1000}, [2]int{1000, 2000}, [2]int{200, 150}
	for _, test := range []struct {
		path   string
		source [2]int
		want   [2]int
		only   string
	}{
		// Without fit-in: exactly the box, larger than the source too.
		{"300x200/", wide, [2]int{300, 200}, ""},
		{"300x200/", small, [2]int{300, 200}, ""},
		{"300x0/", small, [2]int{300, 225}, ""},
		{"0x300/", small, [2]int{400, 300}, ""},
		{"0x0/", small, [2]int{200, 150}, ""},
		{"400x100/filters:no_upscale()/", small, [2]int{200, 100}, ""},
		{"400x400/filters:no_upscale()/", small, [2]int{200, 150}, ""},
		// fit-in never enlarges, unless upscale().
		{"fit-in/300x200/", wide, [2]int{300, 150}, ""},
		{"fit-in/300x200/", tall, [2]int{100, 200}, ""},
		{"fit-in/300x300/", small, [2]int{200, 150}, ""},
		{"fit-in/300x300/filters:upscale()/", small, [2]int{300, 225}, ""},
		{"fit-in/300x300/filters:fill(red)/", small, [2]int{300, 300}, ""},
		{"fit-in/300x0/filters:fill(red)/", small, [2]int{300, 150}, ""},
		// full covers the box; thumbor enlarges for it.
		{"full-fit-in/300x300/", wide, [2]int{600, 300}, ""},
		{"full-fit-in/300x300/", tall, [2]int{300, 600}, ""},
		{"full-fit-in/300x300/", small, [2]int{400, 300}, "thumbor"},
		{"full-fit-in/300x300/", small, [2]int{200, 150}, "imagor"},
		{"full-fit-in/300x300/filters:upscale()/", small, [2]int{400, 300}, ""},
		{"full-fit-in/300x300/filters:no_upscale()/", small, [2]int{200, 150}, ""},
		// adaptive turns the box with the source.
		{"adaptive-fit-in/300x100/", wide, [2]int{200, 100}, ""},
		{"adaptive-fit-in/300x100/", tall, [2]int{100, 200}, ""},
		{"adaptive-fit-in/300x200/filters:fill(red)/", tall, [2]int{200, 300}, ""},
		{"adaptive-full-fit-in/300x100/", tall, [2]int{150, 300}, ""},
		// orig is the source's side, behind the crop.
		{"origx100/", wide, [2]int{2000, 100}, "thumbor"},
		{"100xorig/", wide, [2]int{100, 1000}, "thumbor"},
		{"0x0:500x500/origx100/", wide, [2]int{500, 100}, "thumbor"},
		{"fit-in/origx100/", wide, [2]int{200, 100}, "thumbor"},
		{"origx100/filters:rotate(90)/", wide, [2]int{100, 2000}, "thumbor"},
		{"stretch/300x300/", wide, [2]int{300, 300}, "imagor"},
		{"300x300/filters:stretch()/", small, [2]int{300, 300}, ""},
		// The crop is clamped, and one of nothing is none.
		{"1500x500:9999x9999/", wide, [2]int{500, 500}, ""},
		{"10x10:10x200/", wide, [2]int{2000, 1000}, ""},
		{"0.25x0.25:0.75x0.5/", wide, [2]int{1000, 250}, "imagor"},
		// Turns come last.
		{"300x200/filters:rotate(90)/", wide, [2]int{200, 300}, ""},
		{"fit-in/300x200/filters:rotate(90)/", wide, [2]int{150, 300}, ""},
		{"100x/filters:rotate(270)/", wide, [2]int{50, 100}, ""},
		{"10x20:110x70/filters:rotate(90)/", wide, [2]int{50, 100}, ""},
		{"100x/filters:orient(90)/", wide, [2]int{100, 200}, ""},
		{"fit-in/300x200/10x20:30x40/filters:fill(red)/", wide, [2]int{340, 260}, "imagor"},
		{"fit-in/300x200/10x20:30x40/filters:fill(red):rotate(90)/", wide, [2]int{260, 340}, "imagor"},
		// proportion scales what came out.
		{"300x200/filters:proportion(0.5)/", small, [2]int{150, 100}, ""},
		{"fit-in/300x300/filters:proportion(0.5)/", small, [2]int{100, 75}, ""},
		{"fit-in/300x300/filters:proportion(2)/", small, [2]int{400, 300}, "thumbor"},
		{"filters:proportion(2)/", small, [2]int{400, 300}, "thumbor"},
		{"filters:proportion(50)/", small, [2]int{100, 75}, "imagor"},
	} {
		for _, mount := range []dialect.ThumborMount{thumbor, imagor} {
			if test.only == "imagor" && mount.Flavor == "" || test.only == "thumbor" && mount.Flavor != "" {
				continue
			}
			request, err := ask(mount, test.path+"a.jpg")
			if err != nil {
				t.Errorf("%s%s: %v", mount.Flavor, test.path, err)
				continue
			}
			p, err := request.Options.Plan(resize.Source{
				Format: resize.FormatJPEG, Width: test.source[0], Height: test.source[1], Orientation: 1, Pages: 1,
			}, resize.DefaultLimits())
			if got := [2]int{p.Width, p.Height}; err != nil || got != test.want || p.Format != resize.FormatJPEG {
				t.Errorf("%s %s (%s) of %v is %v in %v, %v; want %v", mount.Flavor, test.path, request.Options, test.source, got, p.Format, err, test.want)
			}
		}
	}
}

// Focal points in px: thumbor drops those outside the crop, and weighs the others by their area.
func TestThumborFocal(t *testing.T) {
	t.Parallel()
	thumbor, imagor := thumborMounts()
	for _, test := range []struct{ flavor, path, want string }{
		{"", "300x200/filters:focal(10x20:30x60)/", "w=300&h=200&enlarge=1&fit=cover&g=fp&_fa=20,40"},
		{"", "300x200/filters:focal(0x0:10x10):focal(90x90:110x110)/", "w=300&h=200&enlarge=1&fit=cover&g=fp&_fa=81,81"},
		{"", "0x0:50x50/300x200/left/filters:focal(90x90:110x110)/", "w=300&h=200&enlarge=1&fit=cover&crop=0,0,50,50&g=west"},
		{"", "0x0:50x50/300x200/filters:focal(90x90:110x110):focal(0x0:10x10)/", "w=300&h=200&enlarge=1&fit=cover&crop=0,0,50,50&g=fp&_fa=5,5"},
		{"", "-300x200/smart/filters:focal(10x20:30x60):rotate(90)/", "w=200&h=300&enlarge=1&fit=cover&g=fp&_fa=20,40&_lt=90h&rot=90&flip=h"},
		{"", "fit-in/300x200/filters:focal(10x20:30x60)/", "w=300&h=200"},
		{"", "trim/10x20:110x70/", "trim=1&crop=10,20,100,50&_tu=1"},
		{"", "10x20:110x70/-x/", "crop=10,20,100,50&flip=h&_lt=0h"},
		{"imagor", "300x200/filters:focal(10,20)/", "w=300&h=200&enlarge=1&fit=cover&g=fp&_fa=10,20"},
		{"imagor", "0x0:50x50/300x200/filters:focal(90x90:110x110)/", "w=300&h=200&enlarge=1&fit=cover&crop=0,0,50,50&g=fp&_fa=100,100"},
		{"", "adaptive-full-fit-in/300x200/", "w=300&h=200&fit=cover&enlarge=1&_ad=1&_nc=1"},
		{"", "filters:autojpg()/", "_kf=jpeg.webp.avif.jxl.gif.tiff"},
		{"", "filters:autojpg(false)/", ""},
		{"", "filters:watermark(a.png,repeat,10,0,none,20)/", "wm=local/a.png&_wmr=h&wmg=northwest&wmy=10&_wms=0.2"},
		{"", "filters:watermark(a.png,0,0,0,20,20)/", "wm=local/a.png&wmg=northwest&wms=0.2&_wmb=1"},
		{"", "filters:watermark(a.png,0,0,0,30,20)/", "wm=local/a.png&wmg=northwest&wms=0.3&_wms=0.2"},
	} {
		mount := thumbor
		if test.flavor != "" {
			mount = imagor
		}
		want, err := resize.Parse(strings.TrimPrefix(test.want+"&f=keep", "&"))
		if err != nil {
			t.Fatalf("%q: %v", test.want, err)
		}
		if got, err := ask(mount, test.path+"a.jpg"); err != nil || got.Options != want {
			t.Errorf("%s %s is %s, %v, want %s", test.flavor, test.path, got.Options, err, want)
		}
	}
}

// Formats, and what they have no use for, which both peers ignore.
func TestThumborFormats(t *testing.T) {
	t.Parallel()
	thumbor, _ := thumborMounts()
	auto := thumbor
	auto.AutoFormat = true
	upright := thumbor
	upright.NoOrient = true
	for _, test := range []struct {
		mount      dialect.ThumborMount
		path, want string
	}{
		{thumbor, "filters:format(jpg)/", "f=jpeg"},
		{thumbor, "filters:format(WEBP):quality(60)/", "f=webp&q=60"},
		{thumbor, "filters:format(avif):lossless()/", "f=avif&lossless=1"},
		{thumbor, "filters:format(png):quality(60):max_bytes(3000):lossless()/", "f=png"},
		{thumbor, "filters:format(jpeg):lossless():quality(80)/", "f=jpeg"},
		{thumbor, "filters:format(webp):lossless():quality(60)/", "f=webp&lossless=1"},
		{thumbor, "filters:format(gif):autojpg()/", "f=gif"},
		{thumbor, "filters:raw():blur(3)/", "f=raw"},
		{thumbor, "meta/300x200/smart/filters:blurhash(4,3):thumbhash():avgcolor()/", "f=json"},
		{thumbor, "meta/", "f=json"},
		{auto, "30x/", "w=30&enlarge=1"},
		{auto, "filters:format(webp)/", "f=webp"},
		{upright, "", "orient=0&f=keep"},
	} {
		want, err := resize.Parse(test.want)
		if err != nil {
			t.Fatalf("%q: %v", test.want, err)
		}
		if got, err := ask(test.mount, test.path+"a.jpg"); err != nil || got.Options != want {
			t.Errorf("%s is %s, %v, want %s", test.path, got.Options, err, want)
		}
	}
}

// Every filter, with arguments that are not allowed. The error names it.
func TestThumborErrors(t *testing.T) {
	t.Parallel()
	thumbor, imagor := thumborMounts()
	for _, test := range []struct{ path, names, only string }{
		{"filters:nothing_known(1)/a.jpg", `unknown filter "nothing_known"`, ""},
		{"filters:curve([(0,0)],[(0,0)],[(0,0)],[(0,0)])/a.jpg", "filter curve: it is not served", ""},
		{"filters:convolution(1;2;1,3,false)/a.jpg", "filter convolution", ""},
		{"filters:equalize()/a.jpg", "filter equalize", ""},
		{"filters:rgb(1,2,3)/a.jpg", "filter rgb", ""},
		{"filters:noise(40)/a.jpg", "filter noise", ""},
		{"filters:red_eye()/a.jpg", "filter red_eye", ""},
		{"filters:frame(f.png)/a.jpg", "filter frame", ""},
		{"filters:extract_focal()/a.jpg", "filter extract_focal", ""},
		{"filters:image(/200x200/b.jpg,0,0)/a.jpg", "filter image", "imagor"},
		{"filters:redact(blur)/a.jpg", "filter redact", ""},
		{"filters:redact_oval(blur)/a.jpg", "filter redact_oval", ""},
		{"filters:draw_detections()/a.jpg", "filter draw_detections", ""},
		{"filters:to_colorspace(p3)/a.jpg", "filter to_colorspace", ""},
		{"filters:colorize(1,2,3,fff)/a.jpg", "filter colorize", ""},
		{"filters:gradient(1)/a.jpg", "filter gradient", ""},
		{"filters:invert()/a.jpg", "filter invert", ""},
		{"filters:crop(1,2,3,4)/a.jpg", "filter crop", ""},
		{"filters:trim()/a.jpg", "filter trim", ""},
		{"filters:dpi(72)/a.jpg", "filter dpi", ""},
		{"filters:blur(-1)/a.jpg", "filter blur", ""},
		{"filters:blur(0.1)/a.jpg", "filter blur", ""},
		{"filters:blur(1e1)/a.jpg", "filter blur", ""},
		{"filters:blur(151)/a.jpg", "filter blur", ""},
		{"filters:blur()/a.jpg", "filter blur: it has 0 arguments; allowed: 1 to 2", ""},
		{"filters:blur(2):blur(3)/a.jpg", "filter blur: it occurs twice", ""},
		{"filters:sharpen(1,5,true)/a.jpg", "filter sharpen", ""},
		{"filters:sharpen(1,1,perhaps)/a.jpg", "filter sharpen", ""},
		{"filters:brightness(101)/a.jpg", "filter brightness", ""},
		{"filters:brightness(1.5)/a.jpg", "filter brightness", ""},
		{"filters:contrast(x)/a.jpg", "filter contrast", ""},
		{"filters:saturation(2.1)/a.jpg", "filter saturation", "thumbor"},
		{"filters:saturation(101)/a.jpg", "filter saturation", "imagor"},
		{"filters:hue(red)/a.jpg", "filter hue", ""},
		{"filters:pixelate(257)/a.jpg", "filter pixelate", ""},
		{"filters:proportion(0)/a.jpg", "filter proportion", ""},
		{"filters:proportion(-1)/a.jpg", "filter proportion", ""},
		{"filters:rotate(45)/a.jpg", "filter rotate", ""},
		{"filters:rotate()/a.jpg", "filter rotate", ""},
		{"filters:orient(1)/a.jpg", "filter orient", ""},
		{"filters:quality(0)/a.jpg", "filter quality", ""},
		{"filters:quality(101)/a.jpg", "filter quality", ""},
		{"filters:max_bytes(255)/a.jpg", "filter max_bytes", ""},
		{"filters:format(heic)/a.jpg", "filter format", ""},
		{"filters:format(bmp)/a.jpg", "filter format", ""},
		{"filters:format(svg)/a.jpg", "filter format", ""},
		{"filters:format(keep)/a.jpg", "filter format", ""},
		{"filters:format()/a.jpg", "filter format", ""},
		{"filters:page(0)/a.jpg", "filter page", ""},
		{"filters:max_frames(0)/a.jpg", "filter max_frames", ""},
		{"filters:max_age(-1)/a.jpg", "filter max_age", ""},
		{"filters:expire(soon)/a.jpg", "filter expire", ""},
		{"filters:expire(-5)/a.jpg", "filter expire", ""},
		{"filters:attachment(a%2Fb)/a.jpg", "filter attachment", ""},
		{"filters:autojpg(x)/a.jpg", "filter autojpg", ""},
		{"filters:fill(nocolor)/a.jpg", "filter fill", ""},
		{"filters:fill(12345)/a.jpg", "filter fill", ""},
		{"filters:fill(red,x)/a.jpg", "filter fill", ""},
		{"filters:fill(red):background_color(blue)/a.jpg", "filter background_color", ""},
		{"filters:background_color(auto)/a.jpg", "filter background_color", ""},
		{"filters:padding(red,1,2,3)/a.jpg", "filter padding", ""},
		{"filters:padding(red,-1)/a.jpg", "filter padding", ""},
		{"filters:focal(10)/a.jpg", "filter focal", ""},
		{"filters:focal(10x10:5x20)/a.jpg", "filter focal", ""},
		{"filters:focal(0.1x0.1:0.2x0.2)/a.jpg", "filter focal", "thumbor"},
		{"30x30/filters:focal(0.1x0.1:0.2x0.2):focal(10,10)/a.jpg", "filter focal", "imagor"},
		{"filters:round_corner(10|20,1,2,3)/a.jpg", "filter round_corner", "thumbor"},
		{"filters:round_corner(10,1,2)/a.jpg", "filter round_corner", "thumbor"},
		{"filters:round_corner(10,256,2,3)/a.jpg", "filter round_corner", "thumbor"},
		{"filters:round_corner(10,20)/a.jpg", "filter round_corner", "imagor"},
		{"filters:round_corner(10,10,nocolor)/a.jpg", "filter round_corner", "imagor"},
		{"filters:watermark(b.png,0,0)/a.jpg", "filter watermark", ""},
		{"filters:watermark(b.png,0,0,101)/a.jpg", "filter watermark", ""},
		{"filters:watermark(b.png,middle,0,0)/a.jpg", "filter watermark", ""},
		{"filters:watermark(b.png,left,0,0)/a.jpg", "filter watermark", "thumbor"},
		{"filters:watermark(b.png,0,0,0,101)/a.jpg", "filter watermark", ""},
		{"filters:watermark(../b.png,0,0,0)/a.jpg", "filter watermark", ""},
		{"filters:watermark(b.png,101p,0,0)/a.jpg", "filter watermark", ""},
		{"filters:label()/a.jpg", "filter label", ""},
		{"filters:label(a,repeat)/a.jpg", "filter label", ""},
		{"filters:label(a,0,0,20,red,0,tahoma)/a.jpg", "filter label", ""},
		{"filters:label(a):text(b,0,0)/a.jpg", "filter text", ""},
		{"filters:text(a,0,0,comic-24)/a.jpg", "filter text", ""},
		{"filters:text(a,0,0,sans-24,red,0,multiply)/a.jpg", "filter text", ""},
		{"filters:text(a,0,0,sans-24,red,0,normal,80p)/a.jpg", "filter text", ""},
		{"filters:blurhash(4,3)/a.jpg", "blurhash", ""},
		{"filters:thumbhash()/a.jpg", "thumbhash", ""},
		{"filters:avgcolor()/a.jpg", "avgcolor", ""},
		{"meta/filters:blurhash(0,3)/a.jpg", "filter blurhash", ""},
		{"filters:grayscale(1)/a.jpg", "filter grayscale", ""},
		{"filters:grayscale/a.jpg", "filters:", ""},
		{"filters:(1)/a.jpg", "filters:", ""},
		{"filters:quality(80/a.jpg", "filters:", ""},
		{"300x200/filters:stretch():no_upscale()/a.jpg", "no_upscale", ""},
		{"fit-in/30x20/filters:fill(red):proportion(0.5)/a.jpg", "filter proportion", ""},
		{"trim:443/a.jpg", "trim", ""},
		{"trim:256/a.jpg", "trim", "imagor"},
		{"16385x1/a.jpg", "size", ""},
		{"1x99999999999999999999/a.jpg", "size", ""},
		{"30x20/1x16385/a.jpg", "padding", "imagor"},
		{"30x20/16000x0/filters:padding(red,500)/a.jpg", "padding", "imagor"},
		{"debug/30x20/a.jpg", "debug/", "thumbor"},
		{"101x/shop/a.jpg", "limits.output_side", ""},
	} {
		for _, mount := range []dialect.ThumborMount{thumbor, imagor} {
			if test.only != "" && test.only != map[bool]string{true: "imagor", false: "thumbor"}[mount.Flavor != ""] {
				continue
			}
			got, err := ask(mount, test.path)
			if status, code := errorOf(err); status != 400 || code != "bad_option" || !strings.Contains(err.Error(), test.names) {
				t.Errorf("%s: %s is %s, error %v; want one that names %s", mount.Flavor, test.path, got.Options, err, test.names)
			}
		}
	}
}

func TestThumborSources(t *testing.T) {
	t.Parallel()
	thumbor, imagor := thumborMounts()
	only := func(m dialect.ThumborMount, source string) dialect.ThumborMount {
		m.Source, m.Sources = source, nil
		return m
	}
	without := thumbor
	without.Source = ""
	lost := dialect.ThumborMount{Sources: map[string]string{"shop/": "shop"}}
	for _, test := range []struct {
		mount             dialect.ThumborMount
		path, source, key string
		status            int
		code              string
	}{
		{thumbor, "a/b.jpg", "local", "a/b.jpg", 0, ""},
		{thumbor, "/a/b.jpg", "local", "a/b.jpg", 0, ""},
		{thumbor, "30x20/a%20b%2Fc+d.jpg", "local", "a b/c+d.jpg", 0, ""},
		{thumbor, "shop/b.jpg", "shop", "b.jpg", 0, ""},
		{thumbor, "http://h.example/a.jpg", "cdn", "http://h.example/a.jpg", 0, ""},
		{thumbor, "http%3A%2F%2Fh.example%2Fa%20%C3%A9.jpg", "cdn", "http://h.example/a%20%C3%A9.jpg", 0, ""},
		{thumbor, "https://assets.example.com/img/a%2520b.jpg", "assets", "a b.jpg", 0, ""},
		{thumbor, "https://assets.example.com/other/a.jpg", "", "", 400, "bad_key"},
		{thumbor, "..%2Fa.jpg", "", "", 400, "bad_key"},
		{thumbor, "a/%252e%252e/b.jpg", "", "", 400, "bad_key"},
		{thumbor, "a/%zz.jpg", "", "", 400, "bad_key"},
		{thumbor, "30x20/", "", "", 400, "bad_key"},
		{thumbor, "http://user@h.example/a.jpg", "", "", 400, "bad_key"},
		{without, "h.example/a.jpg", "cdn", "http://h.example/a.jpg", 0, ""},
		{lost, "else/a.jpg", "", "", 404, "unknown_source"},
		{only(thumbor, "cdn"), "my.server.com/some/path.jpg", "cdn", "http://my.server.com/some/path.jpg", 0, ""},
		{only(imagor, "cdn"), "my.server.com/some/path.jpg", "cdn", "https://my.server.com/some/path.jpg", 0, ""},
		{only(imagor, "assets"), "assets.example.com/img/a.jpg", "assets", "a.jpg", 0, ""},
		{only(imagor, "assets"), "deep/a.jpg", "assets", "deep/a.jpg", 0, ""},
		{imagor, "a+b%2Bc.jpg", "local", "a b+c.jpg", 0, ""},
		{imagor, "a%zz.jpg", "local", "a%zz.jpg", 0, ""},
		{imagor, "30x20/b64:c2hvcC9hIGIuanBn", "shop", "a b.jpg", 0, ""},
		{imagor, "b64:***", "local", "b64:***", 0, ""},
		{imagor, "color:red", "", "", 400, "bad_key"},
		{imagor, "filters:watermark(x(1).png,0,0,0):format(png)/a(2).jpg", "local", "a(2).jpg", 0, ""},
		{thumbor, "filters:format(png)/a(2).jpg", "local", "a(2).jpg", 0, ""},
		{thumbor, "filters:format(png)/b)/c.jpg", "local", "b)/c.jpg", 0, ""},
		{thumbor, "30x20/stretch/a.jpg", "local", "stretch/a.jpg", 0, ""},
		{thumbor, "30x20/5x6/a.jpg", "local", "5x6/a.jpg", 0, ""},
		{thumbor, "smart/30x20/a.jpg", "local", "30x20/a.jpg", 0, ""},
		{imagor, "debug/a.jpg", "local", "debug/a.jpg", 0, ""},
		{imagor, "origx20/a.jpg", "local", "origx20/a.jpg", 0, ""},
		{imagor, "300x200", "local", "300x200", 0, ""},
	} {
		got, err := ask(test.mount, test.path)
		status, code := errorOf(err)
		if status != test.status || code != test.code || err == nil && (got.Source != test.source || got.Key != test.key) {
			t.Errorf("%s %s is %s, %q, error %v; want %s, %q, %d %s", test.mount.Flavor, test.path, got.Source, got.Key, err, test.source, test.key, test.status, test.code)
		}
	}
}

// What says nothing of the picture.
func TestThumborEnvelope(t *testing.T) {
	t.Parallel()
	thumbor, imagor := thumborMounts()
	for _, mount := range []dialect.ThumborMount{thumbor, imagor} {
		path := "30x20/filters:expire(1700000000999):max_age(60):attachment(my%20file.jpg)/a/b.jpg"
		e := mount.Split("/unsafe/" + path)
		got, err := mount.Request(e, e.Path)
		if err != nil || got.Expires != 1700000000 || got.MaxAge != 60 || got.Download != "my file.jpg" {
			t.Errorf("%s is %+v, %v", path, got, err)
		}
		if at, err := mount.Expires(e, e.Path); err != nil || at != 1700000000 {
			t.Errorf("%s expires at %d, %v", path, at, err)
		}
		plain, err := ask(mount, "30x20/a/b.jpg")
		if err != nil || plain.Options != got.Options {
			t.Errorf("%s is %s, without them %s, %v", path, got.Options, plain.Options, err)
		}
		if got, err := ask(mount, "filters:attachment():max_age(0)/a/b.jpg"); err != nil || got.Download != "b.jpg" || got.MaxAge != -1 {
			t.Errorf("attachment() and max_age(0) are %+v, %v", got, err)
		}
		// An error that comes after expiry does not hide it.
		e = mount.Split("/unsafe/filters:expire(1700000000000):nothing()/a.jpg")
		if at, err := mount.Expires(e, e.Path); err != nil || at != 1700000000 {
			t.Errorf("%s expires at %d, %v", e.Path, at, err)
		}
	}
}

// A path that imagor's second reading has verified is read as it was signed, decoded already.
func TestThumborDecodedReading(t *testing.T) {
	t.Parallel()
	_, imagor := thumborMounts()
	key := signing.ThumborKey{Secret: "secret", Imagor: true}
	signedText := "30x20/filters:format(png)/a+b%20c.jpg"
	for _, test := range []struct{ sent, key string }{
		{signedText, "a b c.jpg"}, // as it is: decoded here
		{"30x20/filters%3Aformat%28png%29/a%2Bb%2520c.jpg", "a+b%20c.jpg"},
	} {
		e := imagor.Split("/" + key.Sign(signedText) + "/" + test.sent)
		signed, err := key.Verify(e.Path, e.Hash)
		if err != nil || signed != signedText {
			t.Fatalf("Verify of %q: %q, %v", test.sent, signed, err)
		}
		got, err := imagor.Request(e, signed)
		if err != nil || got.Key != test.key || got.Options.String() != "w=30&h=20&fit=cover&enlarge=1&f=png" {
			t.Errorf("%q is %q, %s, %v; want %q", test.sent, got.Key, got.Options, err, test.key)
		}
	}
}

func TestThumborBaseParams(t *testing.T) {
	t.Parallel()
	_, mount := thumborMounts()
	mount.BaseParams = "fit-in/filters:quality(60):format(webp)"
	got, err := ask(mount, "30x20/filters:quality(90)/a.jpg")
	if err != nil || got.Options.String() != "w=30&h=20&f=webp&q=60" || got.Key != "a.jpg" {
		t.Errorf("with base params: %s, %q, %v", got.Options, got.Key, err)
	}
	if err := mount.Validate(); err != nil {
		t.Error(err)
	}
	for _, m := range []dialect.ThumborMount{
		{},
		{Source: "local", Flavor: "thumbnail"},
		{Source: "local", BaseParams: "filters:nothing()"},
		{Source: "local", BaseParams: "filters:quality(0)"},
	} {
		if m.Validate() == nil {
			t.Errorf("Validate takes %+v", m)
		}
	}
}

// A long URL is read in less than a millisecond.
func TestThumborLongURL(t *testing.T) {
	t.Parallel()
	thumbor, imagor := thumborMounts()
	for _, part := range []string{"filters:quality(1):", "quality(1):", "(((((", ")/", "0x0:", "trim/", "%28", "watermark(", ",,,,"} {
		path := "/unsafe/filters:" + strings.Repeat(part, 16<<10/len(part)) + "/a.jpg"
		for _, mount := range []dialect.ThumborMount{thumbor, imagor} {
			e := mount.Split(path)
			best := time.Hour
			for range 10 {
				start := time.Now()
				_, _ = mount.Request(e, e.Path)
				best = min(best, time.Since(start))
			}
			if best > 5*time.Millisecond { // 1 ms, but tests run beside others, and with -race
				t.Errorf("%s: 16 KiB of %q take %v", mount.Flavor, part, best)
			}
		}
	}
}

// The targets of the published vectors verify and are read.
func TestThumborVectorTargets(t *testing.T) {
	t.Parallel()
	const gopher = "raw.githubusercontent.com/cshum/imagor/master/testdata/gopher.png"
	thumbor := dialect.ThumborMount{Source: "cdn", About: map[string]dialect.MountSource{"cdn": {OpenHTTP: true}}}
	imagor := thumbor
	imagor.Flavor = dialect.FlavorImagor
	for _, test := range []struct {
		mount        dialect.ThumborMount
		key          signing.ThumborKey
		target       string
		object, want string
		served       bool
	}{
		{
			imagor,
			signing.ThumborKey{Secret: "mysecret", Imagor: true},
			"/cST4Ko5_FqwT3BDn-Wf4gO3RFSk=/500x500/top/" + gopher,
			"https://" + gopher, "w=500&h=500&fit=cover&enlarge=1&g=north&f=keep", true,
		},
		{
			imagor,
			signing.ThumborKey{Secret: "mysecret", Algorithm: signing.SHA256, Truncate: 40, Imagor: true},
			"/IGEn3TxngivD0jy4uuiZim2bdUCvhcnVi1Nm0xGy/500x500/top/" + gopher, "https://" + gopher, "w=500&h=500&fit=cover&enlarge=1&g=north&f=keep", true,
		},
		{
			imagor,
			signing.ThumborKey{Secret: "mysecret", Imagor: true},
			"/OyGJyvfYJw8xNkYDmXU-4NPA2U0=/fit-in/500x400/0x20/filters:fill(white)/" + gopher,
			"https://" + gopher, "w=500&h=400&fit=pad&pad=20,0&bg=ffffff&f=keep", true,
		},
		{
			imagor,
			signing.ThumborKey{Secret: "1234", Imagor: true},
			"/VTAq7YIRbEXgtwAcsTMhAjvBuT8=/meta/10x11:12x13/fit-in/-300x-200/5x6/left/top/smart/filters:some_filter()/img", "", "", false,
		},
		{
			thumbor,
			signing.ThumborKey{Secret: "my-security-key"},
			"/8ammJH8D-7tXy6kU3lTvoXlhu4o=/300x200/my.server.com/some/path/to/image.jpg",
			"http://my.server.com/some/path/to/image.jpg", "w=300&h=200&fit=cover&enlarge=1&f=keep", true,
		},
		{
			thumbor,
			signing.ThumborKey{Secret: "my-security-key"},
			"/B35oBEIwztbc3jm7vsdqLez2C78=/10x10:200x200/300x200/my.server.com/some/path/to/image.jpg",
			"http://my.server.com/some/path/to/image.jpg", "w=300&h=200&fit=cover&enlarge=1&crop=10,10,190,190&f=keep", true,
		},
		{
			thumbor,
			signing.ThumborKey{Secret: "my-security-key"},
			"/as8U2DbUUtTMgvPF26LkjS3MocY=/10x10:200x200/300x200/filters:brightness(20):contrast(10)/my.server.com/some/path/to/image.jpg",
			"http://my.server.com/some/path/to/image.jpg", "w=300&h=200&fit=cover&enlarge=1&crop=10,10,190,190&bri=20&con=10&f=keep", true,
		},
	} {
		e := test.mount.Split(test.target)
		signed, err := test.key.Verify(e.Path, e.Hash)
		if err != nil {
			t.Errorf("%s does not verify: %v", test.target, err)
			continue
		}
		got, err := test.mount.Wish(e, signed)
		if !test.served {
			if err == nil || !strings.Contains(err.Error(), "some_filter") {
				t.Errorf("%s is %s, %v", test.target, got.Options, err)
			}
			continue
		}
		want, parseErr := resize.Parse(test.want)
		if err != nil || parseErr != nil || got.Key != test.object || got.Options != want {
			t.Errorf("%s is %s of %q, %v; want %s, %v", test.target, got.Options, got.Key, err, want, parseErr)
		}
	}
}
