package libvips_test

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"testing"

	"github.com/imgedge/imgedge/resize"
)

// movie returns an animation of three frames that differ, and the frames themselves.
func movie(t *testing.T, w, h int) ([]byte, []*image.NRGBA) {
	t.Helper()
	g := &gif.GIF{}
	var frames []*image.NRGBA
	palette := color.Palette{}
	for i := range 216 {
		palette = append(palette, color.NRGBA{uint8(i / 36 * 51), uint8(i / 6 % 6 * 51), uint8(i % 6 * 51), 255})
	}
	for i := range 3 {
		frame := image.NewPaletted(image.Rect(0, 0, w, h), palette)
		for y := range h {
			for x := range w {
				frame.SetColorIndex(x, y, uint8((x/7*11+y/5*37+i*71)%216))
			}
		}
		g.Image, g.Disposal = append(g.Image, frame), append(g.Disposal, gif.DisposalNone)
		frames = append(frames, toNRGBA(frame))
	}
	g.Delay, g.LoopCount = []int{7, 30, 11}, 4 // four repetitions
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), frames
}

// Every option does to every frame what it does to a still, and nothing to the timing.
func TestEffectsOfAnimation(t *testing.T) {
	data, frames := movie(t, 90, 60)
	mark := pngOf(t, filled(20, 10, color.NRGBA{255, 0, 0, 128}))
	for _, text := range []string{
		"bri=20&con=-10&sat=30", "hue=100", "gray=1", "duotone=102030,ffeedd", "blur=3", "blur=12", "sharpen=2", "pixelate=9", "round=15", "round=max&bg=112233",
		"rot=25", "rot=25&bg=ff8800", "w=60&h=90&fit=pad&bg=blur", "w=45&round=9&pad=4,8", "txt=Hi&txtc=ff0000", "wm=a/b&wmg=southeast", "wm=a/b&wmr=1&wmrot=30&wmo=0.5",
		"w=40&h=40&fit=cover&rot=10&gray=1&round=10&txt=a",
	} {
		text += "&f=webp&lossless=1"
		got := play(t, marked(t, data, mark, text))
		if len(got.frames) != len(frames) || total(got.delays) != 480 || got.loop != 5 {
			t.Errorf("%q: %d frames in %d ms, %d loops; want 3 in 480 ms, 5 loops", text, len(got.frames), total(got.delays), got.loop)
			continue
		}
		for i, frame := range frames {
			want := decode(t, marked(t, pngOf(t, frame), mark, text))
			if worst := apart(got.frames[i], want); worst > 3 {
				t.Errorf("%q, frame %d is up to %d away from the still", text, i, worst)
			}
		}
	}
	// What is decided once, by the first frame.
	for _, text := range []string{"w=60&h=90&fit=pad&bg=auto", "w=40&h=40&fit=cover&g=smart", "w=40&h=40&fit=cover&g=entropy", "trim=10"} {
		for _, format := range []resize.Format{resize.FormatGIF, resize.FormatWebP} {
			o := wish(t, text)
			o.Format = format
			got := play(t, render(t, data, o).Body)
			if len(got.frames) != 3 || total(got.delays) != 480 || got.loop != 5 {
				t.Errorf("%q, %v: %d frames in %d ms, %d loops", text, format, len(got.frames), total(got.delays), got.loop)
			}
		}
	}
	o := wish(t, "w=60&h=90&fit=pad&bg=auto&f=webp&lossless=1")
	got := play(t, render(t, data, o).Body)
	for i, frame := range got.frames {
		if c := frame.NRGBAAt(5, 5); c != got.frames[0].NRGBAAt(5, 5) || c.A != 255 {
			t.Errorf("frame %d has background %v, the first %v: it flickers", i, c, got.frames[0].NRGBAAt(5, 5))
		}
	}
}

// apart returns the largest difference of any visible channel.
func apart(a, b *image.NRGBA) (worst int) {
	if a.Rect.Size() != b.Rect.Size() {
		return 256
	}
	for i := 0; i < len(a.Pix); i += 4 {
		for c := range 4 {
			d := abs(int(a.Pix[i+c]) - int(b.Pix[i+c]))
			if c < 3 {
				d = d * int(max(a.Pix[i+3], b.Pix[i+3])) / 255
			}
			worst = max(worst, d)
		}
	}
	return worst
}
