package dialect

import (
	"math"
	"path"
	"strconv"
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// The functions of this file are the filters of the table but for the overlays. Each has as many
// arguments as the table says.

func (*thumborWish) nothing([]string) error { return nil }

func (w *thumborWish) describes([]string) error {
	w.described = true
	return nil
}

// blurhash checks the numbers of components; the JSON of meta/ has its own.
func (w *thumborWish) blurhash(arguments []string) error {
	for _, a := range arguments {
		if _, err := filterInt("blurhash", a, 1, 9); err != nil {
			return err
		}
	}
	return w.describes(nil)
}

func (w *thumborWish) attachment(arguments []string) (err error) {
	name := path.Base(w.request.Key)
	if len(arguments) > 0 && arguments[0] != "" {
		name = arguments[0]
	}
	if name == "." || name == "/" {
		name = "image" // of a URL without a path
	}
	if w.request.Download, err = fileName(name); err != nil {
		return badFilter("attachment", name, "a file name of up to 255 bytes of UTF-8 without slashes and control characters")
	}
	return nil
}

func (w *thumborWish) expire(arguments []string) error {
	milliseconds, err := strconv.ParseInt(arguments[0], 10, 64)
	if err != nil || !digitsOnly(arguments[0]) || milliseconds < 1000 || milliseconds > 9_999_999_999_999 {
		return badFilter("expire", arguments[0], "Unix milliseconds from 1000 to 9999999999999")
	}
	w.request.Expires = milliseconds / 1000
	return nil
}

func (w *thumborWish) maxAge(arguments []string) error {
	seconds, err := filterInt("max_age", arguments[0], 0, math.MaxInt32)
	if w.request.MaxAge = int64(seconds); seconds == 0 {
		w.request.MaxAge = -1
	}
	return err
}

func (w *thumborWish) raw([]string) error {
	w.original = true
	return nil
}

func (w *thumborWish) upscale([]string) error {
	w.enlarge, w.noEnlarge = true, false
	return nil
}

func (w *thumborWish) noUpscale([]string) error {
	w.enlarge, w.noEnlarge = false, true
	return nil
}

func (w *thumborWish) stretch([]string) error {
	w.force = true
	return nil
}

func (w *thumborWish) cover([]string) error {
	w.o.Still = true
	return nil
}

func (w *thumborWish) grayscale([]string) error {
	w.o.Gray = true
	return nil
}

func (w *thumborWish) lossless([]string) error {
	w.o.Lossless = true
	return nil
}

func (w *thumborWish) autojpg(arguments []string) error {
	w.jpeg = true
	if len(arguments) == 0 {
		return nil
	}
	var err error
	w.jpeg, err = filterBool("autojpg", arguments[0])
	return err
}

func (w *thumborWish) format(arguments []string) error {
	name := strings.ToLower(arguments[0])
	if name == "jpg" {
		name = "jpeg"
	}
	f, ok := resize.ParseFormat(name)
	if !ok || !f.Raster() {
		return badFilter("format", arguments[0], "jpeg, png, webp, avif, gif, jxl and tiff")
	}
	w.o.Format = f
	return nil
}

func (w *thumborWish) quality(arguments []string) (err error) {
	w.o.Quality, err = filterInt("quality", arguments[0], 1, 100)
	return err
}

func (w *thumborWish) maxBytes(arguments []string) (err error) {
	w.o.MaxBytes, err = filterInt("max_bytes", arguments[0], 256, 1<<30)
	return err
}

func (w *thumborWish) page(arguments []string) (err error) {
	w.o.Page, err = filterInt("page", arguments[0], 1, 1_000_000)
	return err
}

func (w *thumborWish) maxFrames(arguments []string) (err error) {
	w.o.Frames, err = filterInt("max_frames", arguments[0], 1, 1_000_000)
	return err
}

func (w *thumborWish) brightness(arguments []string) (err error) {
	w.o.Brightness, err = filterInt("brightness", arguments[0], -100, 100)
	return err
}

func (w *thumborWish) contrast(arguments []string) (err error) {
	w.o.Contrast, err = filterInt("contrast", arguments[0], -100, 100)
	return err
}

// saturation is a factor for thumbor and a percentage to add for imagor.
func (w *thumborWish) saturation(arguments []string) (err error) {
	if w.imagor() {
		w.o.Saturation, err = filterInt("saturation", arguments[0], -100, 100)
		return err
	}
	factor, err := filterDecimal("saturation", arguments[0], 0, 2)
	w.o.Saturation = int(math.Round((factor - 1) * 100))
	return err
}

func (w *thumborWish) hue(arguments []string) error {
	degrees, err := filterInt("hue", arguments[0], -3600, 3600)
	w.o.Hue = (degrees%360 + 360) % 360
	return err
}

// blur has a sigma, or the radius as sigma; for imagor half of it.
func (w *thumborWish) blur(arguments []string) error {
	radius, err := filterDecimal("blur", arguments[0], 0, 150)
	if err != nil {
		return err
	}
	sigma := radius
	if w.imagor() {
		sigma /= 2
	}
	if len(arguments) > 1 {
		given, err := filterDecimal("blur", arguments[1], 0, 100)
		if err != nil {
			return err
		}
		if given > 0 || w.imagor() {
			sigma = given
		}
	}
	sigma = tidy(sigma)
	if sigma != 0 && (sigma < 0.3 || sigma > 100) {
		return badFilter("blur", strings.Join(arguments, ","), "a sigma of 0, or 0.3 to 100")
	}
	w.o.Blur = sigma
	return nil
}

// sharpen has amount, radius and luminance_only; imagor also takes the radius alone. The sigma is that
// which imagor takes for thumbor's radius.
func (w *thumborWish) sharpen(arguments []string) error {
	radius := arguments[0]
	if len(arguments) > 1 {
		amount, err := filterDecimal("sharpen", arguments[0], 0, 1000)
		if err != nil {
			return err
		}
		if amount == 0 && !w.imagor() {
			return nil
		}
		radius = arguments[1]
	}
	if len(arguments) > 2 {
		if _, err := filterBool("sharpen", arguments[2]); err != nil {
			return err
		}
	}
	v, err := filterDecimal("sharpen", radius, 0, 4.5)
	w.o.Sharpen = tidy(1 + 2*v)
	return err
}

func (w *thumborWish) pixelate(arguments []string) error {
	block := 10
	if len(arguments) > 0 {
		var err error
		if block, err = filterInt("pixelate", arguments[0], 1, 256); err != nil {
			return err
		}
	}
	if block > 1 {
		w.o.Pixelate = block
	}
	return nil
}

// proportion is a factor; for imagor a percentage where it is above 1.
func (w *thumborWish) proportion(arguments []string) error {
	most := 20.0
	if w.imagor() {
		most = 100
	}
	v, err := filterDecimal("proportion", arguments[0], 0.01, most)
	if w.imagor() && v > 1 {
		v /= 100
	}
	w.scale = tidy(v)
	return err
}

// rotate turns counter-clockwise, behind everything else.
func (w *thumborWish) rotate(arguments []string) error {
	t, err := counterClockwise("rotate", arguments[0])
	w.rotation = w.rotation.Then(t)
	return err
}

// orient turns counter-clockwise, before everything else.
func (w *thumborWish) orient(arguments []string) (err error) {
	w.early, err = counterClockwise("orient", arguments[0])
	return err
}

func counterClockwise(name, value string) (resize.Turn, error) {
	degrees, err := filterInt(name, value, -3600, 3600)
	if err != nil || degrees%90 != 0 {
		return resize.Turn{}, badFilter(name, value, "multiples of 90 degrees")
	}
	return resize.Turn{Angle: ((-degrees)%360 + 360) % 360}, nil
}

// focal is LxT:RxB in px; for imagor also l,t or fractions.
func (w *thumborWish) focal(arguments []string) error {
	value := strings.Join(arguments, ",")
	numbers := strings.FieldsFunc(value, func(r rune) bool { return r == 'x' || r == ':' || r == ',' })
	if len(numbers) != 4 && (len(numbers) != 2 || !w.imagor()) {
		return badFilter("focal", value, "LxT:RxB")
	}
	var at [4]float64
	for i, number := range numbers {
		v, err := filterDecimal("focal", number, 0, math.MaxInt32)
		if err != nil {
			return err
		}
		if !w.imagor() && v != math.Trunc(v) {
			return badFilter("focal", value, "LxT:RxB in px")
		}
		at[i] = v
	}
	f := thumborFocal{share: w.imagor() && at[0] < 1 && at[1] < 1 && at[2] <= 1 && at[3] <= 1}
	if len(numbers) == 2 {
		f.x, f.y, f.weight = at[0], at[1], 1
		w.focals = append(w.focals, f)
		return nil
	}
	width, height := at[2]-at[0], at[3]-at[1]
	if width <= 0 || height <= 0 {
		return badFilter("focal", value, "a region whose right and bottom lie behind left and top")
	}
	f.x, f.y, f.weight = (at[0]+at[2])/2, (at[1]+at[3])/2, width*height
	w.focals = append(w.focals, f)
	return nil
}
