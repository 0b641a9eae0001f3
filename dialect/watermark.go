package dialect

import (
	"slices"
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// WatermarkRule is a watermark that URLs may name.
type WatermarkRule struct {
	Image   string // "source/key"; OverlaySources need not list the source
	Options string // any of wmg, wmx, wmy, wms, wmo, wmr and wmrot as in a URL; the URL's own and its presets' go before
}

// Validate checks the rule for itself. Errors are *resize.Error with code bad_option.
func (w WatermarkRule) Validate() error {
	if !strings.Contains(w.Image, "/") {
		return resize.BadOption("image: " + quote(w.Image) + " is not allowed; allowed: source/key")
	}
	if err := checkWatermark(w.Image); err != nil {
		return err
	}
	d := resize.Draft{Options: resize.Options{Watermark: resize.Watermark{Image: w.Image}}}
	return w.under(&d)
}

// under sets the rule's options where the draft has none of its own.
func (w WatermarkRule) under(d *resize.Draft) error {
	for rest := w.Options; rest != ""; {
		pair, after, more := strings.Cut(rest, "&")
		if more && after == "" {
			return emptyOption()
		}
		rest = after
		name, value, err := option(pair)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(name, "wm") || name == "wm" {
			return resize.BadOption(quote(name) + ": a watermark may not use it; allowed: wmg, wmx, wmy, wms, wmo, wmr and wmrot")
		}
		if err := d.Under(name, value); err != nil {
			return err
		}
	}
	return nil
}

// resolveWatermark replaces a configured name by what it stands for, so that both spellings of a wish share
// one entry and a changed rule makes another one, and refuses pictures that may not be laid over.
func (r Rules) resolveWatermark(d *resize.Draft) error {
	image := d.Options.Watermark.Image
	if image == "" {
		return nil
	}
	source, _, direct := strings.Cut(image, "/")
	if !direct {
		rule, ok := r.Watermarks[image]
		if !ok {
			return r.refuseWatermark(image)
		}
		d.Options.Watermark.Image = rule.Image
		return rule.under(d)
	}
	if err := checkWatermark(image); err != nil {
		return err
	}
	if !slices.Contains(r.OverlaySources, source) {
		return r.refuseWatermark(image)
	}
	return nil
}

func (r Rules) refuseWatermark(image string) error {
	text := "wm: " + quote(image) + " is not allowed; allowed: the name of a configured watermark"
	if len(r.OverlaySources) > 0 {
		text += ", or source/key of the sources " + strings.Join(r.OverlaySources, ", ")
	}
	return resize.BadOption(text)
}
