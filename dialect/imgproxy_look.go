package dialect

import (
	"math"
	"strings"

	"github.com/imgedge/imgedge/resize"
)

func applyBackground(w *imgproxyWish, name string, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "":
		w.background = resize.Background{}
		return nil
	case len(args) == 1:
		c, err := hexColor(name, args[0])
		if err != nil {
			return err
		}
		w.background = resize.Background{Kind: resize.BackgroundColor, Color: c}
		return nil
	case len(args) == 2:
		return badArgument(name, strings.Join(args, " "), "rgb, rrggbb, or red, green and blue from 0 to 255")
	}
	var rgb [3]int
	for i := range rgb {
		rgb[i] = -1
		if err := whole(name, args[i], 0, 255, &rgb[i]); err != nil {
			return err
		}
		if rgb[i] < 0 {
			return badArgument(name, args[i], "a whole number from 0 to 255")
		}
	}
	w.background = resize.Background{Kind: resize.BackgroundColor, Color: resize.Color{R: uint8(rgb[0]), G: uint8(rgb[1]), B: uint8(rgb[2]), A: 255}}
	return nil
}

func applyBackgroundAlpha(w *imgproxyWish, name string, args []string) error {
	w.alphaGiven = w.alphaGiven || args[0] != ""
	return real64(name, args[0], 0, 1, &w.alpha)
}

// applyBlur drops a sigma so small that it changes no pixel.
func applyBlur(w *imgproxyWish, name string, args []string) error {
	err := real64(name, args[0], 0, 100, &w.o.Blur)
	if w.o.Blur < 0.3 {
		w.o.Blur = 0
	}
	return err
}

func applySharpen(w *imgproxyWish, name string, args []string) error {
	err := real64(name, args[0], 0, 10, &w.o.Sharpen)
	if w.o.Sharpen < 0.1 {
		w.o.Sharpen = 0
	}
	return err
}

func applyPixelate(w *imgproxyWish, name string, args []string) error {
	err := whole(name, args[0], 0, 256, &w.o.Pixelate)
	if w.o.Pixelate == 1 {
		w.o.Pixelate = 0
	}
	return err
}

func applyAdjust(w *imgproxyWish, name string, args []string) error {
	if err := applyBrightness(w, name, args[:1]); err != nil {
		return err
	}
	if err := applyContrast(w, name, []string{argument(args, 1)}); err != nil {
		return err
	}
	return applySaturation(w, name, []string{argument(args, 2)})
}

func applyBrightness(w *imgproxyWish, name string, args []string) error {
	v := 0
	err := whole(name, args[0], -255, 255, &v)
	if err == nil && args[0] != "" {
		w.o.Brightness = int(math.Round(float64(v) * 100 / 255))
	}
	return err
}

func applyContrast(w *imgproxyWish, name string, args []string) error {
	return aroundOne(name, args[0], &w.o.Contrast)
}

func applySaturation(w *imgproxyWish, name string, args []string) error {
	return aroundOne(name, args[0], &w.o.Saturation)
}

// aroundOne reads a factor, of which 1 changes nothing.
func aroundOne(name, arg string, to *int) error {
	v := 1 + float64(*to)/100
	err := real64(name, arg, 0, 2, &v)
	*to = int(math.Round((v - 1) * 100))
	return err
}

// applyMonochrome takes the whole effect or none, in gray.
func applyMonochrome(w *imgproxyWish, name string, args []string) error {
	on, err := allOrNothing(name, args[0], w.o.Gray)
	if err != nil {
		return err
	}
	if color := argument(args, 1); color != "" && on {
		c, err := hexColor(name, color)
		if err != nil {
			return err
		}
		if c.R != c.G || c.G != c.B {
			return badArgument(name, color, "a gray; duotone takes colors")
		}
	}
	w.o.Gray = on
	return nil
}

// applyDuotone takes the whole effect or none.
func applyDuotone(w *imgproxyWish, name string, args []string) error {
	d := w.o.Duotone
	if !d.On {
		d = resize.Duotone{Dark: resize.Color{A: 255}, Light: resize.Color{R: 255, G: 255, B: 255, A: 255}}
	}
	on, err := allOrNothing(name, args[0], d.On)
	if err != nil {
		return err
	}
	d.On = on
	for i, to := range []*resize.Color{&d.Dark, &d.Light} {
		if arg := argument(args, i+1); arg != "" {
			if *to, err = hexColor(name, arg); err != nil {
				return err
			}
		}
	}
	w.o.Duotone = d
	return nil
}

func allOrNothing(name, arg string, on bool) (bool, error) {
	v := 0.0
	if on {
		v = 1
	}
	if err := real64(name, arg, 0, 1, &v); err != nil {
		return false, err
	}
	if v != 0 && v != 1 {
		return false, badArgument(name, arg, "0 or 1: the effect is not mixed with the picture")
	}
	return v == 1, nil
}
