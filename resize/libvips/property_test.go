package libvips_test

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/sample"
)

// propertyPictures returns PNG files by name: odd sides, edges, tones and alpha.
func propertyPictures(t *testing.T) map[string][]byte {
	t.Helper()
	return map[string][]byte{
		"quadrants 397×263": pngOf(t, sample.Quadrants(397, 263)),
		"scene 397×263":     pngOf(t, sample.Scene(397, 263, 3)),
		"scene 31×101":      pngOf(t, sample.Scene(31, 101, 1)),
		"cutout 97×121":     pngOf(t, sample.Cutout(97, 121, 1)),
	}
}

// samePx compares exactly.
func samePx(t *testing.T, what string, got, want *image.NRGBA) {
	t.Helper()
	if got.Rect.Size() != want.Rect.Size() {
		t.Errorf("%s: %v, want %v", what, got.Rect.Size(), want.Rect.Size())
		return
	}
	count, first := 0, image.Point{}
	for y := range want.Rect.Dy() {
		for x := range want.Rect.Dx() {
			if got.NRGBAAt(x, y) != want.NRGBAAt(x, y) {
				if count == 0 {
					first = image.Pt(x, y)
				}
				count++
			}
		}
	}
	if count > 0 {
		t.Errorf("%s: %d px differ, first at %v: %v, want %v", what, count, first,
			got.NRGBAAt(first.X, first.Y), want.NRGBAAt(first.X, first.Y))
	}
}

// inTurn renders the options one after the other, each on the PNG of the one before.
func inTurn(t *testing.T, data []byte, steps ...resize.Options) *image.NRGBA {
	t.Helper()
	for _, o := range steps {
		o.Format = resize.FormatPNG
		data = render(t, data, o).Body
	}
	return decodeRaw(t, data)
}

// TestPropertyTurns holds that turns and mirrors do what they say and undo each other, px for px.
func TestPropertyTurns(t *testing.T) {
	r90, r180, r270 := resize.Options{Rotate: 90}, resize.Options{Rotate: 180}, resize.Options{Rotate: 270}
	flipH, flipV := resize.Options{FlipH: true}, resize.Options{FlipV: true}
	flipHV := resize.Options{FlipH: true, FlipV: true}
	same := func(m *image.NRGBA) *image.NRGBA { return m }
	half := func(m *image.NRGBA) *image.NRGBA { return turned(turned(m)) }
	tests := []struct {
		name  string
		steps []resize.Options
		want  func(*image.NRGBA) *image.NRGBA
	}{
		{"rot=90", []resize.Options{r90}, turned},
		{"rot=180", []resize.Options{r180}, half},
		{"flip=h", []resize.Options{flipH}, mirrored},
		{"flip=v", []resize.Options{flipV}, func(m *image.NRGBA) *image.NRGBA { return mirrored(half(m)) }},
		{"flip=hv", []resize.Options{flipHV}, half},
		{"rot=90 four times", []resize.Options{r90, r90, r90, r90}, same},
		{"rot=180 twice", []resize.Options{r180, r180}, same},
		{"rot=90, rot=270", []resize.Options{r90, r270}, same},
		{"flip=h twice", []resize.Options{flipH, flipH}, same},
		{"flip=v twice", []resize.Options{flipV, flipV}, same},
		{"flip=hv, rot=180", []resize.Options{flipHV, r180}, same},
	}
	for name, data := range propertyPictures(t) {
		source := decodeRaw(t, data)
		for _, tt := range tests {
			samePx(t, name+", "+tt.name, inTurn(t, data, tt.steps...), tt.want(source))
		}
	}
}

// TestPropertyHalfTurn holds flip=hv against rot=180 where the picture is scaled and cropped too.
func TestPropertyHalfTurn(t *testing.T) {
	for name, data := range propertyPictures(t) {
		for _, o := range []resize.Options{
			{},
			{Width: 29},
			{Width: 23, Height: 37, Fit: resize.FitCover, Gravity: resize.GravityNorthEast},
		} {
			flip, turn := o, o
			flip.FlipH, flip.FlipV = true, true
			turn.Rotate = 180
			samePx(t, fmt.Sprintf("%s, flip=hv and rot=180 of %d×%d", name, o.Width, o.Height),
				inTurn(t, data, flip), inTurn(t, data, turn))
		}
	}
}

// TestPropertyContainAfterCover holds that what fills a box is left as it is by the same box.
func TestPropertyContainAfterCover(t *testing.T) {
	for name, data := range propertyPictures(t) {
		for _, box := range []image.Point{{31, 31}, {17, 29}, {30, 7}} {
			cover := resize.Options{Width: box.X, Height: box.Y, Fit: resize.FitCover}
			contain := resize.Options{Width: box.X, Height: box.Y}
			once := inTurn(t, data, cover)
			if once.Rect.Size() != box {
				t.Errorf("%s, cover of %v: %v", name, box, once.Rect.Size())
			}
			samePx(t, fmt.Sprintf("%s, cover, then contain of %v", name, box), inTurn(t, data, cover, contain), once)
		}
	}
}

// TestPropertyDPR holds that dpr=2 is the box of twice the size, px for px.
func TestPropertyDPR(t *testing.T) {
	scene := sample.Scene(397, 263, 3)
	photo, err := sample.JPEG(scene, sample.Meta{Orientation: 6})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		single resize.Options
		size   image.Point // of the PNG's result at dpr=2
	}{
		{resize.Options{Width: 99}, image.Pt(198, 131)},
		{resize.Options{Width: 47}, image.Pt(94, 62)},
		{resize.Options{Height: 61}, image.Pt(184, 122)},
		{resize.Options{Width: 61, Height: 61, Fit: resize.FitCover}, image.Pt(122, 122)},
		{resize.Options{Width: 71, Height: 33, Fit: resize.FitStretch}, image.Pt(142, 66)},
	}
	for name, data := range map[string][]byte{"PNG": pngOf(t, scene), "turned JPEG": photo} {
		for _, tt := range tests {
			twice, double := tt.single, tt.single
			twice.DPR = 2
			double.Width, double.Height = 2*double.Width, 2*double.Height
			got := inTurn(t, data, twice)
			samePx(t, fmt.Sprintf("%s, dpr=2 of %d×%d", name, tt.single.Width, tt.single.Height), got, inTurn(t, data, double))
			if name == "PNG" && got.Rect.Size() != tt.size {
				t.Errorf("dpr=2 of %d×%d: %v, want %v", tt.single.Width, tt.single.Height, got.Rect.Size(), tt.size)
			}
		}
	}
}

// The sides of one field, px: whole blocks of a JPEG with halved chroma, so that its colors
// stay flat.
const fieldW, fieldH = 96, 64

// fieldColor is the color of a field of the picture of fields, counted from the upper left.
func fieldColor(column, row int) color.RGBA {
	return color.RGBA{uint8(20 + 100*column), uint8(30 + 90*row), uint8(200 - 40*column - 50*row), 255}
}

// nineFields is a picture of three by three fields.
func nineFields() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 3*fieldW, 3*fieldH))
	for y := range 3 * fieldH {
		for x := range 3 * fieldW {
			m.SetRGBA(x, y, fieldColor(x/fieldW, y/fieldH))
		}
	}
	return m
}

// compass are the gravities with the column and the row of fields that they keep.
func compass() map[resize.Gravity]image.Point {
	return map[resize.Gravity]image.Point{
		resize.GravityNorthWest: {0, 0}, resize.GravityNorth: {1, 0}, resize.GravityNorthEast: {2, 0},
		resize.GravityWest: {0, 1}, resize.GravityCenter: {1, 1}, resize.GravityEast: {2, 1},
		resize.GravitySouthWest: {0, 2}, resize.GravitySouth: {1, 2}, resize.GravitySouthEast: {2, 2},
	}
}

// TestPropertyGravity holds that a crop to the box keeps the side its gravity names, exactly in color,
// however the camera was held.
func TestPropertyGravity(t *testing.T) {
	upright := nineFields()
	files := map[string][]byte{"PNG": pngOf(t, upright)}
	for orientation := 1; orientation <= 8; orientation++ {
		data, err := sample.JPEG(sample.Turned(upright, orientation), sample.Meta{Orientation: orientation})
		if err != nil {
			t.Fatal(err)
		}
		files[fmt.Sprintf("orientation %d", orientation)] = data
	}
	for name, data := range files {
		whole := inTurn(t, data, resize.Options{})
		// field is a field's color as decoded, which a JPEG holds within some steps.
		field := func(column, row int) color.NRGBA {
			c := whole.NRGBAAt(column*fieldW+fieldW/2, row*fieldH+fieldH/2)
			if want := color.NRGBA(fieldColor(column, row)); !near(c, want, 4) || name == "PNG" && c != want {
				t.Fatalf("%s: field %d, %d is %v, want %v", name, column, row, c, want)
			}
			return c
		}
		for g, at := range compass() {
			for _, divisor := range []int{1, 2} {
				// Less than one field wide: no column but the kept one is in it.
				narrow := resize.Options{Width: 76 / divisor, Height: 3 * fieldH / divisor, Fit: resize.FitCover, Gravity: g}
				what := fmt.Sprintf("%s, %v at 1/%d, narrow", name, g, divisor)
				corners(t, what, inTurn(t, data, narrow), field(at.X, 0), field(at.X, 0), field(at.X, 2), field(at.X, 2))
				low := resize.Options{Width: 3 * fieldW / divisor, Height: 44 / divisor, Fit: resize.FitCover, Gravity: g}
				what = fmt.Sprintf("%s, %v at 1/%d, low", name, g, divisor)
				corners(t, what, inTurn(t, data, low), field(0, at.Y), field(2, at.Y), field(0, at.Y), field(2, at.Y))
			}
		}
	}
}

// corners compares the corner px exactly: upper left, upper right, lower left, lower right.
func corners(t *testing.T, what string, m *image.NRGBA, want ...color.NRGBA) {
	t.Helper()
	right, bottom := m.Rect.Dx()-1, m.Rect.Dy()-1
	for i, p := range []image.Point{{0, 0}, {right, 0}, {0, bottom}, {right, bottom}} {
		if got := m.NRGBAAt(p.X, p.Y); got != want[i] {
			t.Errorf("%s: %v at %v, want %v", what, got, p, want[i])
		}
	}
}

// TestPropertyBoxes holds the sizes of many plans: nothing is enlarged without the wish, contain stays
// within its box and touches it, and cover fills it where the source is large enough.
func TestPropertyBoxes(t *testing.T) {
	random := rand.New(rand.NewPCG(397, 263))
	shrunk, filled, small := 0, 0, 0
	for range 400 {
		src := resize.Source{
			Format: resize.FormatJPEG, Width: 1 + random.IntN(3000), Height: 1 + random.IntN(3000),
			Orientation: 1 + random.IntN(8), Pages: 1, Bands: 3, Depth: 8, Bytes: 1 << 20,
		}
		o := resize.Options{
			Width: 1 + random.IntN(1500), Height: 1 + random.IntN(1500), DPR: []float64{0, 1.5, 2}[random.IntN(3)],
			Gravity: resize.Gravity(random.IntN(9)), Format: resize.FormatJPEG,
		}
		upright := image.Pt(src.Upright())
		dpr := max(1, o.DPR)
		box := image.Pt(int(math.Round(float64(o.Width)*dpr)), int(math.Round(float64(o.Height)*dpr)))
		what := fmt.Sprintf("source %v, box %v × %v", upright, image.Pt(o.Width, o.Height), dpr)
		within := image.Pt(min(box.X, upright.X), min(box.Y, upright.Y))
		large := within == box

		for _, enlarge := range []bool{false, true} {
			o.Enlarge, o.Fit = enlarge, resize.FitContain
			got := planned(t, o, src)
			if got.X > box.X || got.Y > box.Y {
				t.Errorf("%s, contain, enlarge=%v: %v leaves the box", what, enlarge, got)
			}
			if touches := got.X == box.X || got.Y == box.Y; !touches && (enlarge || got != upright) {
				t.Errorf("%s, contain, enlarge=%v: %v neither touches the box nor is the source", what, enlarge, got)
			}
			o.Fit = resize.FitCover
			if got := planned(t, o, src); (large || enlarge) && got != box {
				t.Errorf("%s, cover, enlarge=%v: %v, want the box", what, enlarge, got)
			}
		}
		o.Enlarge = false
		for _, fit := range []resize.Fit{resize.FitContain, resize.FitCover, resize.FitCoverDown, resize.FitAuto} {
			o.Fit = fit
			if got := planned(t, o, src); got.X > within.X || got.Y > within.Y {
				t.Errorf("%s, %v: %v is larger than source or box", what, fit, got)
			}
		}
		switch {
		case large:
			filled++
		case upright.X < box.X && upright.Y < box.Y:
			small++
		default:
			shrunk++
		}
	}
	if min(shrunk, filled, small) < 50 {
		t.Errorf("%d sources larger than the box, %d smaller, %d on one side: want 50 of each", filled, small, shrunk)
	}
}

// planned returns the size of the result, px, without limits: a thin source that fills a box may pass them.
func planned(t *testing.T, o resize.Options, src resize.Source) image.Point {
	t.Helper()
	p, err := o.Plan(src, resize.Limits{})
	if err != nil {
		t.Fatalf("%+v of %+v: %v", o, src, err)
	}
	return image.Pt(p.Width, p.Height)
}
