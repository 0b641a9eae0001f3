package main

import (
	"context"
	"slices"
	"strings"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
)

// checkOptIn says of the formats that have to be opted into whether they could be, and whether those that
// are work.
func (d *doctor) checkOptIn(ctx context.Context, n *Node) {
	d.checkSVG(ctx, n)
	d.checkJXL(ctx, n)
}

// tinySVG is drawn to see whether librsvg is there.
const tinySVG = `<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"><rect width="32" height="32" fill="#123456"/></svg>`

func (d *doctor) checkSVG(ctx context.Context, n *Node) {
	_, err := convert(ctx, n.optedIn("svg"), []byte(tinySVG), resize.Options{Width: 8, Format: resize.FormatPNG})
	d.ability("svg", "drawn", n.allows("svg"), err)
}

// checkJXL writes one, which any client may ask for, and reads it, which has to be opted into.
func (d *doctor) checkJXL(ctx context.Context, n *Node) {
	e, err := convert(ctx, n.Config, testPicture(), resize.Options{Width: 32, Format: resize.FormatJXL})
	if err != nil {
		d.ability("jxl", "written and read", n.allows("jxl"), err)
		return
	}
	_, err = convert(ctx, n.optedIn("jxl"), e.Body, resize.Options{Width: 8, Format: resize.FormatPNG})
	d.ability("jxl", "written and read", n.allows("jxl"), err)
}

// ability prints what can be done with a format that has to be opted into.
func (d *doctor) ability(format, can string, allowed bool, err error) {
	switch {
	case err != nil && allowed:
		d.bad(format, "cannot be %s: %v. Install libvips with its codec or take %s out of formats_in", can, err, format)
	case err != nil:
		d.note(format, "could not be %s here: %v. It is not in formats_in either", can, err)
	case allowed:
		d.good(format, "can be %s", can)
	default:
		d.note(format, "could be %s; originals of it are refused, as formats_in does not list it", can)
	}
}

// allows tells whether originals may have the format.
func (n *Node) allows(format string) bool { return slices.Contains(n.Config.FormatsIn, format) }

// optedIn is the configuration with one more format of originals.
func (n *Node) optedIn(format string) *Config {
	cfg := *n.Config
	if !n.allows(format) {
		cfg.FormatsIn = append(slices.Clone(cfg.FormatsIn), format)
	}
	return &cfg
}

// checkFonts says which fonts of the list are there. Without the default, text looks other than meant;
// without any, there is none.
func (d *doctor) checkFonts(cfg *Config) {
	var found, missing []string
	for _, font := range libvips.Fonts() {
		if font.Found {
			found = append(found, font.Family)
		} else {
			missing = append(missing, font.Family)
		}
	}
	const remedy = "Install it (Debian: fonts-dejavu-core for DejaVu Sans, fonts-noto-cjk for Noto Sans CJK) or take it out of text.fonts"
	switch {
	case len(found) == 0:
		d.bad("fonts", "none of %s is there: txt is a 400. %s", strings.Join(missing, ", "), remedy)
	case slices.Contains(missing, cfg.Text.Default):
		d.bad("fonts", "the default, %s, is not there. %s", cfg.Text.Default, remedy)
	case len(missing) > 0:
		d.warn("fonts", "%s is there, %s is not. %s", strings.Join(found, ", "), strings.Join(missing, ", "), remedy)
	default:
		d.good("fonts", "%s", strings.Join(found, ", "))
	}
}

// checkSandbox says which walls stand around the processes that decode, and has one of them make a picture.
func (d *doctor) checkSandbox(ctx context.Context, n *Node) {
	if n.Sandbox == nil {
		d.warn("sandbox", "render.isolation is none: a bug in a codec is a bug in the server")
		return
	}
	for _, l := range n.Sandbox.Stats().Layers {
		note := l.Note
		if note != "" {
			note = " (" + note + ")"
		}
		if l.On {
			d.good("sandbox", "%s: in force%s", l.Name, note)
		} else {
			d.warn("sandbox", "%s: not in force%s", l.Name, note)
		}
	}
	if err := n.tryWorker(ctx); err != nil {
		d.bad("sandbox", "a worker cannot make a picture: %v", err)
	}
}

// tryWorker has a small picture made.
func (n *Node) tryWorker(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	source, err := n.Engine.Probe(ctx, testPicture())
	if err != nil {
		return err
	}
	plan, err := resize.Options{Width: 16, Format: resize.FormatJPEG}.Normalize().Plan(source, resize.DefaultLimits())
	if err != nil {
		return err
	}
	_, err = n.Engine.Run(ctx, testPicture(), plan)
	return err
}
