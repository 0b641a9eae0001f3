package dialect

import (
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// setBackground sets the one background that there is.
func (w *thumborWish) setBackground(name, value string, b resize.Background) error {
	if w.colored && w.o.Background != b {
		return badFilter(name, value, "the background that another filter has named")
	}
	w.o.Background, w.colored = b, true
	return nil
}

func (w *thumborWish) setColor(name, value string) error {
	c, ok := thumborColor(value)
	if !ok {
		return badFilter(name, value, "a color: rgb, rrggbb or a name of CSS")
	}
	return w.setBackground(name, value, resize.Background{Kind: resize.BackgroundColor, Color: c})
}

func (w *thumborWish) backgroundColor(arguments []string) error {
	return w.setColor("background_color", arguments[0])
}

// fillBox fills what the picture leaves of the box. Transparent parts of the picture are filled too,
// whatever the second argument says.
func (w *thumborWish) fillBox(arguments []string) error {
	if len(arguments) > 1 {
		if _, err := filterBool("fill", arguments[1]); err != nil {
			return err
		}
	}
	w.filled, w.atFill = true, w.rotation
	return w.setFill("fill", arguments[0])
}

func (w *thumborWish) setFill(name, value string) error {
	switch strings.ToLower(value) {
	case "auto":
		return w.setBackground(name, value, resize.Background{Kind: resize.BackgroundAuto})
	case "blur":
		return w.setBackground(name, value, resize.Background{Kind: resize.BackgroundBlur})
	case "transparent", "none":
		return w.setBackground(name, value, resize.Background{})
	default:
		return w.setColor(name, value)
	}
}

// padding is color, left, top, right and bottom; what is left out is as on the other side.
func (w *thumborWish) padding(arguments []string) error {
	if len(arguments) == 4 {
		return badFilter("padding", strings.Join(arguments, ","), "color,left[,top[,right,bottom]]")
	}
	var sides [4]int
	for i, a := range arguments[1:] {
		var err error
		if sides[i], err = filterInt("padding", a, 0, maxPad); err != nil {
			return err
		}
	}
	switch len(arguments) {
	case 2:
		sides[1], sides[2], sides[3] = sides[0], sides[0], sides[0]
	case 3:
		sides[2], sides[3] = sides[0], sides[1]
	}
	w.pad = sides
	return w.setFill("padding", arguments[0])
}

// roundCorner is a[|b],r,g,b[,transparent] for thumbor and rx[,ry[,color]] for imagor.
func (w *thumborWish) roundCorner(arguments []string) error {
	first, second, two := strings.Cut(arguments[0], "|")
	colors := arguments[1:]
	if w.imagor() && len(colors) > 0 {
		if second, two = colors[0], true; second == "" {
			second = first
		}
		colors = colors[1:]
	}
	radius, err := filterInt("round_corner", first, 0, maxPad)
	if err != nil {
		return err
	}
	if two && second != first {
		return badFilter("round_corner", strings.Join(arguments, ","), "one radius; ellipses are not served")
	}
	w.o.Round = resize.Round{Radius: radius}
	if w.imagor() {
		if len(colors) > 1 {
			return badFilter("round_corner", strings.Join(arguments, ","), "rx[,ry[,color]]")
		}
		if len(colors) == 1 {
			return w.setColor("round_corner", colors[0])
		}
		return nil
	}
	return w.roundColor(colors)
}

func (w *thumborWish) roundColor(colors []string) error {
	if len(colors) != 3 && len(colors) != 4 {
		return badFilter("round_corner", strings.Join(colors, ","), "radius,r,g,b[,transparent]")
	}
	var rgb [3]int
	for i := range rgb {
		var err error
		if rgb[i], err = filterInt("round_corner", colors[i], 0, 255); err != nil {
			return err
		}
	}
	if len(colors) == 4 {
		transparent, err := filterBool("round_corner", colors[3])
		if err != nil || transparent {
			return err
		}
	}
	c := resize.Color{R: uint8(rgb[0]), G: uint8(rgb[1]), B: uint8(rgb[2]), A: 255}
	return w.setBackground("round_corner", strings.Join(colors, ","), resize.Background{Kind: resize.BackgroundColor, Color: c})
}
