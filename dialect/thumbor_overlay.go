package dialect

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/imgedge/imgedge/resize"
)

// overlayPlace is where an overlay lies along one axis.
type overlayPlace struct {
	to     int // −1 near edge, 0 center, 1 far edge
	offset resize.Length
	repeat bool
}

// watermark is image,x,y,alpha[,width%[,height%]].
func (w *thumborWish) watermark(arguments []string) error {
	image := arguments[0]
	if w.imagor() {
		image = fromBase64(image)
	}
	source, key, err := w.mount.resolve(image)
	if err != nil {
		return badFilter("watermark", image, "images of the mount's sources")
	}
	x, err := w.place("watermark", arguments[1], "left", "right")
	if err != nil {
		return err
	}
	y, err := w.place("watermark", arguments[2], "top", "bottom")
	if err != nil {
		return err
	}
	alpha, err := filterDecimal("watermark", arguments[3], 0, 100)
	if err != nil {
		return err
	}
	mark := resize.Watermark{Image: source + "/" + key, Gravity: gravityOf(x.to, y.to), X: x.offset, Y: y.offset}
	mark.Tiled = x.repeat && y.repeat
	switch {
	case mark.Tiled:
	case x.repeat:
		mark.Along = resize.AxisHorizontal
	case y.repeat:
		mark.Along = resize.AxisVertical
	}
	if err := w.markScale(&mark, arguments[4:]); err != nil {
		return err
	}
	if alpha == 100 {
		return nil // nothing is to be seen
	}
	mark.Opacity = opacity(alpha)
	w.o.Watermark = mark
	return nil
}

// markScale reads the percentages of the output's sides.
func (w *thumborWish) markScale(mark *resize.Watermark, percentages []string) error {
	for i, field := range [...]*float64{&mark.Scale, &mark.ScaleY} {
		if i >= len(percentages) || percentages[i] == "none" || percentages[i] == "" {
			continue
		}
		v, err := filterDecimal("watermark", percentages[i], 1, 100)
		if err != nil {
			return err
		}
		*field = tidy(v / 100)
	}
	return nil
}

// place reads a position: px from the near edge, or from the far one if negative; a percentage with p;
// center or repeat. imagor also knows the names of the edges, with a distance beyond them, and fractions.
func (w *thumborWish) place(filter, s, near, far string) (overlayPlace, error) {
	switch s {
	case "center":
		return overlayPlace{}, nil
	case "repeat":
		if filter == "watermark" {
			return overlayPlace{to: -1, repeat: true}, nil
		}
	}
	if w.imagor() {
		if p, ok := edgePlace(s, near, far); ok {
			return p, nil
		}
	}
	number, percent := strings.CutSuffix(s, "p")
	v, ok := plainDecimal(number)
	if w.imagor() && ok && !percent && strings.HasPrefix(strings.TrimPrefix(s, "-"), "0.") {
		v, percent = v*100, true
	}
	magnitude := tidy(v)
	p := overlayPlace{to: -1}
	if strings.HasPrefix(s, "-") {
		p.to, magnitude = 1, tidy(-v)
	}
	most := 16384.0
	if percent {
		most = 100
	}
	if !ok || magnitude > most {
		return p, badFilter(filter, s, "px, percent with p, center, repeat; for imagor also the edges' names")
	}
	p.offset = resize.Length{Value: magnitude, Percent: percent}
	return p, nil
}

// edgePlace reads left, l, left-20 and so on: so many px beyond that edge.
func edgePlace(s, near, far string) (overlayPlace, bool) {
	name, distance, beyond := strings.Cut(s, "-")
	p := overlayPlace{to: -1}
	switch name {
	case near, near[:1]:
	case far, far[:1]:
		p.to = 1
	default:
		return p, false
	}
	if beyond {
		if !digitsOnly(distance) || clampInt(distance) > 16384 {
			return p, false
		}
		p.offset.Value = -float64(clampInt(distance))
	}
	return p, true
}

// label is imagor's text,x,y,size,color,alpha,font.
func (w *thumborWish) label(arguments []string) error {
	all := [7]string{"", "0", "0", "20", "000", "0", ""}
	copy(all[:], arguments)
	size, err := filterInt("label", all[3], 1, maxPad)
	if err != nil {
		return err
	}
	if all[6] != "" {
		return badFilter("label", all[6], "no font: the configuration's is taken")
	}
	return w.setText("label", all, size)
}

// text is imagor's text,x,y[,font[,color[,alpha[,blend,width,align,justify,wrap,spacing,dpi]]]].
func (w *thumborWish) text(arguments []string) error {
	all := [7]string{"", "0", "0", "", "000", "0", ""}
	copy(all[:], arguments[:min(len(arguments), 6)])
	for i, rest := range arguments[min(len(arguments), 6):] {
		if rest != "" && (i != 0 || rest != "normal") {
			return badFilter("text", rest, "text,x,y[,font[,color[,alpha]]]")
		}
	}
	const points = 12 // Pango's default
	size, err := fontSize(all[3], points)
	if err != nil {
		return err
	}
	return w.setText("text", all, size)
}

// fontSize reads the size off a description as sans-24. Other families are not served: the
// configuration's fonts are taken.
func fontSize(description string, without int) (int, error) {
	family, size, sized := description, "", false
	if i := strings.LastIndexByte(description, '-'); i >= 0 && digitsOnly(description[i+1:]) {
		family, size, sized = description[:i], description[i+1:], true
	}
	if family != "" && family != "sans" {
		return 0, badFilter("text", description, "sans and sans-SIZE: the configuration's font is taken")
	}
	if !sized {
		return without, nil
	}
	return filterInt("text", size, 1, maxPad)
}

// setText reads text, x, y, …, color and alpha.
func (w *thumborWish) setText(filter string, all [7]string, size int) error {
	const longest = 200
	value := fromBase64(all[0])
	if value == "" || !utf8.ValidString(value) || utf8.RuneCountInString(value) > longest || strings.ContainsFunc(value, unicode.IsControl) {
		return badFilter(filter, value, "UTF-8 text of 1 to "+strconv.Itoa(longest)+" characters without control characters")
	}
	x, err := w.place(filter, all[1], "left", "right")
	if err != nil {
		return err
	}
	y, err := w.place(filter, all[2], "top", "bottom")
	if err != nil {
		return err
	}
	c, ok := thumborColor(all[4])
	if !ok {
		return badFilter(filter, all[4], "a color: rgb, rrggbb or a name of CSS")
	}
	alpha, err := filterDecimal(filter, all[5], 0, 100)
	if err != nil || alpha == 100 {
		return err
	}
	if w.o.Text.Value != "" {
		return resize.BadOption("filter " + filter + ": there is a text already")
	}
	w.o.Text = resize.Text{
		Value: value, Gravity: gravityOf(x.to, y.to), X: x.offset, Y: y.offset,
		Size: size, Color: c, Colored: true, Opacity: opacity(alpha),
	}
	return nil
}

// opacity is what an alpha of 0 (opaque) to 100 leaves, from 0 to 1.
func opacity(alpha float64) float64 { return tidy(1 - alpha/100) }
