package dialect_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/resize"
)

// imgproxyValues is every option with what it means, as canonical text without the f=jpeg and the
// meta=copyright that go with it.
var imgproxyValues = []struct{ options, want string }{
	{"resize:fit:300:200:1:1:no:5:10", "w=300&h=200&fit=pad&enlarge=1&g=north&gx=5&gy=10"},
	{"rs:fill:300:200:0:0", "w=300&h=200&fit=cover"},
	{"rs:fill", "fit=cover"},
	{"rs::300", "w=300"},
	{"rs:fill-down:300:200", "w=300&h=200&fit=cover-down"},
	{"rs:force:300:200", "w=300&h=200&fit=stretch"},
	{"rs:force:300:0", "w=300&_ms=1&fit=stretch"},
	{"rs:auto:300:200:t", "w=300&h=200&fit=auto&enlarge=1"},
	{"size:300:200:1", "w=300&h=200&enlarge=1"},
	{"s:300::junk", "w=300"},
	{"s:300:200:0:1", "w=300&h=200&fit=pad"},
	{"s:0:0", ""},
	{"resizing_type:fill/w:10/h:10", "w=10&h=10&fit=cover"},
	{"rt:fit", ""},
	{"width:300", "w=300"},
	{"w:300/w:200", "w=200"},
	{"w:300/w:0", ""},
	{"height:300", "h=300"},
	{"min-width:10/mh:20", "mw=10&mh=20"},
	{"mw:10/min-height:20", "mw=10&mh=20"},
	{"zoom:2", "zoom=2"},
	{"z:2:0.5", "zoom=2&_zy=0.5"},
	{"z:1:1", ""},
	{"z:0.5:0.5", "zoom=0.5"},
	{"dpr:2", "dpr=2"},
	{"dpr:1", ""},
	{"dpr:0.5/w:10", "w=10&dpr=0.5&_ms=1"},
	{"dpr:0.5/w:10/el:1", "w=10&dpr=0.5&enlarge=1"},
	{"enlarge:true", "enlarge=1"},
	{"el:T", "enlarge=1"},
	{"el:yes", ""},
	{"extend:1:so:0:7/w:10/h:10", "w=10&h=10&fit=pad&g=south&gy=7"},
	{"ex:1:fp:0.25:1/s:10:10", "w=10&h=10&fit=pad&g=fp&fx=0.25&fy=1"},
	{"ex:1", ""},
	{"ex:1/rs:fill:10:10", "w=10&h=10&_ex=box&fit=cover"},
	{"ex:1/rs:fill:10:10/g:no", "w=10&h=10&_ex=box&_xg=center&fit=cover&g=north"},
	{"ex:1/s:10:10/dpr:2", "w=10&h=10&dpr=2&_ex=box"},
	{"extend_aspect_ratio:1/s:10:10", "w=10&h=10&_ex=ratio"},
	{"extend_ar:1:we/s:10:10:1", "w=10&h=10&fit=pad&enlarge=1&g=west"},
	{"exar:1/ex:1/s:10:10", "w=10&h=10&fit=pad"},
	{"gravity:noea:10:0.1", "g=northeast&gx=10&gy=10p"},
	{"g:ce", ""},
	{"g:so:-3", "g=south&gx=-3"},
	{"g:fp:0.2:0.8", "g=fp&fx=0.2&fy=0.8"},
	{"g:no:10:10/g:so", "g=south&gx=10&gy=10"},
	{"crop:500:300", "_cs=500,300"},
	{"c:500:300:nowe", "crop=0,0,500,300"},
	{"c:0.5:0.25:nowe", "crop=0p,0p,50p,25p"},
	{"c:0.5:300:nowe", "_cs=50p,300&_cg=northwest"},
	{"c:500.9:0", "_cs=500,0"},
	{"c:500", "_cs=500,0"},
	{"c:0:0:no", ""},
	{"c:500:300:soea:5:0.1", "_cs=500,300&_cg=southeast,5,10p"},
	{"c:500:300/g:no:1:2", "_cs=500,300&_cg=north,1,2&g=north&gx=1&gy=2"},
	{"c:500:300:ce/g:no", "_cs=500,300&g=north"},
	{"c:500:300:nowe/fl:1", "_cs=500,300&_cg=northeast&flip=h"},
	{"c:500:300:no:7/fl:1:1", "_cs=500,300&_cg=south,-7,0&rot=180"},
	{"c:500:300:fp:0.2:1/fl:1", "_cs=500,300&_cg=fp,0.8,1&flip=h"},
	{"crop_aspect_ratio:1.5", "ar=3:2"},
	{"car:1.5:1/c:100:100", "_cs=100,100&ar=3:2&_ce=1"},
	{"crop_ar:0", ""},
	{"padding:10", "pad=10"},
	{"pd:1:2", "pad=1,2"},
	{"pd:1:2:3:4", "pad=1,2,3,4"},
	{"pd::2", "pad=0,2"},
	{"pd:1::3", "pad=1,1,3"},
	{"pd:5/dpr:1.5", "dpr=1.5&_ms=1&pad=5"},
	{"pd:5/dpr:2", "dpr=2&pad=5"},
	{"auto_rotate:0", "orient=0"},
	{"ar:1", ""},
	{"rotate:90", "rot=90"},
	{"rot:-90", "rot=270"},
	{"rot:720", ""},
	{"flip:1", "flip=h"},
	{"fl:0:1", "flip=v"},
	{"background:ff0000", "bg=ff0000"},
	{"bg:F0a", "bg=ff00aa"},
	{"bg:1:2:3", "bg=010203"},
	{"bg:1:2:3/bg:", ""},
	{"bg:fff/background_alpha:0.5", "bg=ffffff80"},
	{"bga:0/bg:fff", "bg=ffffff00"},
	{"bga:0.5", ""},
	{"strip_metadata:1/keep_copyright:0", "meta=none"},
	{"sm:0", "meta=all"},
	{"sm:0/kcr:0", "meta=all"},
	{"kcr:0", "meta=none"},
	{"strip_color_profile:0", "icc=keep"},
	{"scp:1", ""},
	{"preserve_hdr:1/ph:0/enforce_thumbnail:1/eth:0", ""},
	{"quality:50", "q=50"},
	{"q:80", ""},
	{"q:0", ""},
	{"format_quality:jpeg:50:webp:60", "q=50"},
	{"fq:jpg:50/q:70", "q=70"},
	{"fq:png:50", ""},
	{"f:png/q:70/mb:9000", "f=png"},
	{"format:webp", "f=webp"},
	{"ext:gif", "f=gif"},
	{"f:jpeg", ""},
	{"skp:gif", ""},
	{"cachebuster:abc", "v=abc"},
	{"cb:" + strings.Repeat("x", 65), "v=lTfF_fEgSC99WNJentWD9SwCtOME6oFNsWM61WWu1-k"},
	{"cb:a/cb:", ""},
	{"preset:card", "w=120&h=80&fit=cover"},
	{"pr:card/w:60", "w=60&h=80&fit=cover"},
	{"w:60/pr:card", "w=120&h=80&fit=cover"},
	{"pr:card:sized", "w=120&h=60&fit=cover"},
	{"pr:self", "w=120&h=80&fit=cover"},
	{"pr:loop", "w=10&h=20"},
	{"return_attachment:1/att:0/expires:5/exp:0/filename:a/fn:b", ""},
	{"page:0", ""},
	{"pg:2", "page=3"},
	{"pages:1/pgs:0", ""},
	{"disable_animation:1", "anim=0"},
	{"da:0", ""},
	{"watermark:0/wm:0:no", ""},
	{"blur:0/bl:0.2", ""},
	{"sharpen:0/sh:0.05", ""},
	{"pixelate:0/pix:1", ""},
	{"max_bytes:0/mb:0", ""},
	{"brightness:0/br:0/contrast:1/co:1/saturation:1/sa:1/adjust:0:1:1/a:", ""},
	{"monochrome:0/mc:0:ff0000/duotone:0/dt:0", ""},
	{"watermark_url:Yg/wmu:/watermark_text:/wmt:/watermark_size:1:1/wms:0/watermark_rotate:9/wmr:0/wm_rot:5", ""},
	{"autoquality:none/aq:", ""},
	{"jpeg_options:1/jpgo:1:0/png_options:1/pngo:0/webp_options:lossy/webpo:/avif_options:1/avifo:0", ""},
	{"webpo:lossless/f:webp", "f=webp&lossless=1"},
	{"fallback_image_url:bG9jYWw6Ly8vYS5qcGc/fiu:", ""},
	{"cache_tags:a:b/ct:a", ""},
	{"hashsum:none/hs:none:abc", ""},
}

func TestImgproxyOptions(t *testing.T) {
	t.Parallel()
	for _, test := range imgproxyValues {
		m := imgproxyMount()
		got, err := askImgproxy(m, "f:jpg/"+test.options)
		if err != nil {
			t.Errorf("%q: %v", test.options, err)
			continue
		}
		want := test.want
		if !strings.Contains(want, "f=") {
			want = strings.TrimPrefix(want+"&f=jpeg", "&")
		}
		switch {
		case !strings.Contains(want, "meta="):
			want += "&meta=copyright"
		case strings.Contains(want, "meta=none"):
			want = strings.TrimPrefix(strings.Replace(want, "meta=none", "", 1), "&")
		}
		o, err := resize.Parse(strings.ReplaceAll(want, "&&", "&"))
		if err != nil {
			t.Fatalf("Parse(%q): %v", want, err)
		}
		if got.Options != o {
			t.Errorf("%q is %q, want %q: %s", test.options, got.Options, o, cmp.Diff(o, got.Options))
		}
	}
}

// What resize.Options.Unavailable refuses is a 404 with its text; what it does not means the row's text.
func TestImgproxyOptionsByAvailability(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ options, want string }{
		{"g:sm", "g=smart"},
		{"c:5:5:sm", "_cs=5,5&_cg=smart"},
		{"trim:10", "trim=10"},
		{"t:0.2:fff:1:1", "trim=1&_tc=ffffff&_te=hv"},
		{"t:12.5::0:1", "trim=13&_te=v"},
		{"blur:2.5", "blur=2.5"},
		{"bl:0.3", "blur=0.3"},
		{"sharpen:1", "sharpen=1"},
		{"pixelate:8", "pixelate=8"},
		{"wm:0.5", "wm=logo&wmo=0.5"},
		{"wm:1:soea:10:0.1:0.25/wmr:-90", "wm=logo&wmg=southeast&wmx=10&wmy=10p&wms=0.25&wmrot=270&_wmb=1"},
		{"wm:1:re:5:6/wms:20:10", "wm=logo&wmx=5&wmy=6&wmr=1&_wmw=20&_wmh=10"},
		{"wm:1/wmu:czM6Ly9zaG9wL21hcmsucG5n", "wm=shop%2Fmark.png"},
		{"wm:1/wmu:aHR0cHM6Ly9leGFtcGxlLmNvbS9tLnBuZw", "wm=cdn%2Fhttps%3A%2F%2Fexample.com%2Fm.png"},
		{"wm:0.5:so:0:9/wmt:SMOpbGxv", "txt=H%C3%A9llo&txtg=south&txty=9&txts=16&txtc=000000&txto=0.5"},
		{"mb:9000", "mb=9000"},
		{"mb:9", "mb=256"},
		{"br:255/co:0.5/sa:2", "bri=100&con=-50&sat=100"},
		{"a:-51:1.25", "bri=-20&con=25"},
		{"mc:1", "gray=1"},
		{"dt:1:112233:fff", "duotone=112233,ffffff"},
		{"aq:dssim:0.02:60:80", "q=auto"},
		{"aq:size:9000", "mb=9000"},
		{"skip_processing:jpg:gif", "_sp=jpeg"},
		{"hs:md5:D41D8CD98F00B204E9800998ECF8427E", "_hs=md5.d41d8cd98f00b204e9800998ecf8427e"},
	} {
		want, err := resize.Parse(test.want + "&f=jpeg&meta=copyright")
		if err != nil {
			t.Fatal(err)
		}
		got, err := askImgproxy(imgproxyMount(), "f:jpg/"+test.options)
		if want.Unavailable() == nil {
			if err != nil || got.Options != want {
				t.Errorf("%q is %q, %v; want %q", test.options, got.Options, err, want)
			}
			continue
		}
		var known *resize.Error
		if !errors.As(err, &known) || known.Status != 404 || known.Text != want.Unavailable().Error() {
			t.Errorf("%q: %v; want a 404: %v", test.options, err, want.Unavailable())
		}
	}
}

// Every option with values it does not take: the error has imgproxy's status and names the option.
func TestImgproxyOptionsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		options string
		status  int
	}{
		{"resize:cover", 404},
		{"rs:fit:x", 404},
		{"rs:fit:1:1:1:1:no:0:0:0", 404},
		{"size:-1", 404},
		{"s:1:1:1:1:sm", 404},
		{"s:1:1:1:1:no:0:0:0", 404},
		{"resizing_type:crop", 404},
		{"width:x", 404},
		{"w:-1", 404},
		{"w:1:2", 404},
		{"w:16385", 404},
		{"w:1.5", 404},
		{"height:1e3", 404},
		{"min-width:-1", 404},
		{"mh:x", 404},
		{"zoom:0", 404},
		{"z:1:0", 404},
		{"z:21", 404},
		{"z:1:1:1", 404},
		{"z:NaN", 404},
		{"dpr:0", 404},
		{"dpr:9", 404},
		{"dpr:Inf", 404},
		{"enlarge:1:1", 404},
		{"extend:1:sm", 404},
		{"ex:1:xx", 404},
		{"exar:1:no:a", 404},
		{"gravity:xx", 404},
		{"g:sm:1", 404},
		{"g:fp", 404},
		{"g:fp:0.5", 404},
		{"g:fp:2:0", 404},
		{"g:fp:0.5:-0.1", 404},
		{"g:no:1:2:3", 404},
		{"g:no:x", 404},
		{"g:obj:face", 404},
		{"crop:-1", 404},
		{"c:x", 404},
		{"c:1:1:xx", 404},
		{"c:1:1:no:0:0:0", 404},
		{"trim:x", 404},
		{"t:-1", 404},
		{"t:1:zz", 404},
		{"t:1:fff:1:1:1", 404},
		{"padding:-1", 404},
		{"pd:1:1:1:1:1", 404},
		{"rotate:45", 404},
		{"rot:x", 404},
		{"flip:1:1:1", 404},
		{"background:zz", 404},
		{"bg:1:2", 404},
		{"bg:1:2:256", 404},
		{"bg:1::3", 404},
		{"bga:2", 404},
		{"blur:-1", 404},
		{"bl:101", 404},
		{"sharpen:11", 404},
		{"pixelate:257", 404},
		{"pix:1.5", 404},
		{"watermark:2", 404},
		{"wm:1:ch", 404},
		{"wm:1:fp", 404},
		{"wm:1:ce:x", 404},
		{"wm:1:ce:0:0:2", 404},
		{"wm:1:ce:0:0:0:0", 404},
		{"strip_metadata:1:1", 404},
		{"quality:101", 404},
		{"q:-1", 404},
		{"format_quality:jpeg", 404},
		{"fq:xyz:50", 404},
		{"fq:jpeg:x", 404},
		{"max_bytes:-1", 404},
		{"format:xyz", 404},
		{"f:JPG", 404},
		{"format:mp4", 404},
		{"format:bmp", 422},
		{"f:ico", 422},
		{"ext:heic", 422},
		{"format:svg", 422},
		{"skip_processing:xyz", 404},
		{"cachebuster:a:b", 404},
		{"expires:soon", 404},
		{"filename:a%2Fb", 404},
		{"fn:%zz", 404},
		{"fn:!!:1", 404},
		{"fn:a:1:1", 404},
		{"preset:nope", 404},
		{"pr:broken", 404},
		{"max_src_resolution:1", 403},
		{"msfs:1", 403},
		{"max_animation_frames:1", 403},
		{"mafr:1", 403},
		{"mrd:1", 403},
		{"crop_aspect_ratio:-1", 404},
		{"brightness:256", 404},
		{"contrast:3", 404},
		{"saturation:-1", 404},
		{"monochrome:0.5", 404},
		{"mc:1:ff0000", 404},
		{"duotone:0.5", 404},
		{"dt:1:zz", 404},
		{"watermark_url:!", 404},
		{"watermark_text:!", 404},
		{"watermark_size:-1", 404},
		{"watermark_rotate:361", 404},
		{"autoquality:magic", 404},
		{"aq:size", 404},
		{"aq:dssim:x", 404},
		{"webp_options:best", 404},
		{"page:-1", 404},
		{"pages:2", 404},
		{"fallback_image_url:!", 404},
		{"cache_tags:a,b", 404},
		{"hashsum:md5:00", 404},
		{"hs:crc32:00000000", 404},
		{"hashsum:md5:d41d8cd98f00b204e9800998ecf8427e/raw:1", 404},
		{"resizing_algorithm:cubic", 404},
		{"objects_position:ce", 404},
		{"unsharp_masking:auto", 404},
		{"blur_detections:5", 404},
		{"draw_detections:1", 404},
		{"colorize:0.5", 404},
		{"gradient:0.5", 404},
		{"gr:0.5", 404},
		{"watermark_shadow:1", 404},
		{"style:x", 404},
		{"dpi:72", 404},
		{"vts:1", 404},
		{"nonsense:1", 404},
		{":1", 404},
	} {
		got, err := askImgproxy(imgproxyMount(), test.options)
		name, _, _ := strings.Cut(test.options, ":")
		if test.status == 422 {
			name = "format"
		}
		if name == "pr" || name == "preset" {
			name = strings.TrimPrefix(test.options, name+":")
			if name == "broken" {
				name = "w"
			}
		}
		var known *resize.Error
		if !errors.As(err, &known) || known.Status != test.status || !strings.Contains(known.Text, name) {
			t.Errorf("%q is %q, %v; want %d naming it", test.options, got.Options, err, test.status)
		}
	}
	for _, extension := range []string{"bmp", "ico", "heic", "svg"} {
		m := imgproxyMount()
		_, err := m.Request(m.Split("/sig/plain/local:///a.jpg@" + extension))
		var known *resize.Error
		if !errors.As(err, &known) || known.Status != 422 || known.Kind != "unsupported_format" {
			t.Errorf("@%s: %v", extension, err)
		}
	}
}

// The extension goes before the format, and means nothing beside raw.
func TestImgproxyExtension(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"f:webp/plain/local:///a.jpg@png":          "f=png&meta=copyright",
		"f:bmp/plain/local:///a.jpg@png":           "f=png&meta=copyright",
		"f:webp/plain/local:///a.jpg":              "f=webp&meta=copyright",
		"raw:1/w:100/cb:7/plain/local:///a.jpg@xy": "f=raw&v=7",
		"raw:0/plain/local:///a.jpg@gif":           "f=gif&meta=copyright",
		"plain/local:///a.jpg":                     "f=keep&_kf=jpeg.png.gif&meta=copyright",
		"q:80/plain/local:///a.jpg":                "f=keep&_kf=jpeg.png.gif&q=80&meta=copyright",
		"fq:webp:60/plain/local:///a.jpg":          "f=keep&_kf=jpeg.png.gif&_fq=webp.60&meta=copyright",
	} {
		m := imgproxyMount()
		r, err := m.Request(m.Split("/sig/" + path))
		if err != nil || r.Options.String() != want {
			t.Errorf("%q is %q, %v; want %q", path, r.Options, err, want)
		}
	}
}

// A wish that the native grammar can say too is the same Options, and so the same cache entry.
func TestImgproxyPairs(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"w:300", "w=300"},
		{"rs:fit:300:200", "w=300&h=200"},
		{"rs:fill:300:200", "w=300&h=200&fit=cover"},
		{"rs:fill:300:200:1", "w=300&h=200&fit=cover&enlarge=1"},
		{"rs:fill-down:300:200", "w=300&h=200&fit=cover-down"},
		{"rs:force:300:200", "w=300&h=200&fit=stretch"},
		{"rs:auto:300:200", "w=300&h=200&fit=auto"},
		{"rs:fit:300:200:0:1", "w=300&h=200&fit=pad"},
		{"rs:fit:300:200:1:1", "w=300&h=200&fit=pad&enlarge=1"},
		{"rs:fit:300:200:0:1:noea", "w=300&h=200&fit=pad&g=northeast"},
		{"h:200", "h=200"},
		{"dpr:2/w:300", "dpr=2&w=300"},
		{"z:0.5/w:300", "zoom=0.5&w=300"},
		{"mw:100/mh:50/w:300", "mw=100&mh=50&w=300"},
		{"g:no/rs:fill:30:20", "g=north&fit=cover&w=30&h=20"},
		{"g:soea:5:10/rs:fill:30:20", "g=southeast&gx=5&gy=10&fit=cover&w=30&h=20"},
		{"g:we:0.1:0/rs:fill:30:20", "g=west&gx=10p&fit=cover&w=30&h=20"},
		{"g:fp:0.3:0.7/rs:fill:30:20", "g=fp&fx=0.3&fy=0.7&fit=cover&w=30&h=20"},
		{"c:400:300:nowe/w:200", "crop=0,0,400,300&w=200"},
		{"c:0.5:0.5:nowe/w:200", "crop=0p,0p,50p,50p&w=200"},
		{"car:1.5/w:300", "ar=3:2&w=300"},
		{"pd:10:20/w:300", "pad=10,20&w=300"},
		{"bg:ff0000/pd:10", "bg=ff0000&pad=10"},
		{"bg:ff0000/bga:0/pd:10", "bg=ff000000&pad=10"},
		{"ar:0/w:300", "orient=0&w=300"},
		{"rot:90/w:300", "rot=90&w=300"},
		{"fl:1/w:300", "flip=h&w=300"},
		{"fl:1:1/w:300", "flip=hv&w=300"},
		{"scp:0", "icc=keep"},
		{"q:60", "q=60"},
		{"q:0", ""},
		{"cb:abc/w:300", "v=abc&w=300"},
		{"da:1", "anim=0"},
		{"pg:1", "page=2"},
		{"f:webp/w:300", "f=webp&w=300"},
		{"f:png/w:300", "f=png&w=300"},
		{"f:gif/w:300", "f=gif&w=300"},
		{"f:avif/q:50/w:300", "f=avif&q=50&w=300"},
		{"f:webp/webpo:lossless", "f=webp&lossless=1"},
	} {
		imgproxy := pair[0]
		native := strings.TrimPrefix(pair[1]+"&meta=copyright", "&")
		if !strings.Contains(imgproxy, "f:") {
			imgproxy, native = "f:jpg/"+imgproxy, native+"&f=jpeg"
		}
		got, err := askImgproxy(imgproxyMount(), imgproxy)
		if err != nil {
			t.Errorf("%q: %v", pair[0], err)
			continue
		}
		want, err := dialect.Split("/local/a.jpg?" + native).Request(dialect.Rules{Limits: resize.DefaultLimits()})
		if err != nil || got.Options != want.Options || got.Source != want.Source || got.Key != want.Key {
			t.Errorf("%q and %q, %v: %s", pair[0], native, err, cmp.Diff(want, got))
		}
	}
}
