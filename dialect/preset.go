package dialect

import (
	"net/url"
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// defaultPreset is the preset that is applied to every request, before all others.
const defaultPreset = "default"

// applyPresets applies the default preset and those that the query names, and begins the URL's own
// level.
func (p *parser) applyPresets(query string) error {
	if text, ok := p.rules.Presets[defaultPreset]; ok {
		if err := applyPreset(&p.draft, text); err != nil {
			return err
		}
	}
	value, ok := lookup(query, "p")
	if !ok || value == "" { // the empty value is refused where the URL's own options are read
		return nil
	}
	names, err := url.PathUnescape(value)
	if err != nil {
		return resize.BadOption("p: the value is not percent-encoded text")
	}
	for more := true; more; {
		var name string
		name, names, more = strings.Cut(names, ",")
		text, ok := p.rules.Presets[name]
		if !ok {
			return resize.BadOption("p: " + quote(name) + " is not allowed; allowed: names of presets of this source, comma separated")
		}
		if err := applyPreset(&p.draft, text); err != nil {
			return err
		}
	}
	return nil
}

// applyPreset sets the options of a preset as a level of their own.
func applyPreset(d *resize.Draft, text string) error {
	for rest := text; rest != ""; {
		pair, after, more := strings.Cut(rest, "&")
		if more && after == "" {
			return emptyOption()
		}
		rest = after
		name, value, err := option(pair)
		if err != nil {
			return err
		}
		for i := range outside {
			if outside[i] == name {
				return resize.BadOption(name + ": a preset may not use it")
			}
		}
		if err := set(d, name, value); err != nil {
			return err
		}
	}
	d.Next()
	return nil
}

// ValidatePreset checks the text of a preset for itself: options of the picture as in a URL, none of p,
// open, exp, kid and dl, nothing that contradicts itself or is not available yet. What only means
// something together with the URL's own options, as wmg without wm, is taken. Errors are *resize.Error
// with code bad_option.
func ValidatePreset(text string) error {
	var d resize.Draft
	if err := applyPreset(&d, text); err != nil {
		return err
	}
	o := d.Options.Normalize()
	if err := o.Validate(); err != nil {
		return err
	}
	return o.Unavailable()
}
