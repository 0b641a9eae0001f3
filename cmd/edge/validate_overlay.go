package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imgedge/imgedge/dialect"
)

// validateWatermarks wants a picture of a source and options of wm for each.
func (c *Config) validateWatermarks(r *report) {
	for _, name := range slices.Sorted(maps.Keys(c.Watermarks)) {
		mark, path := c.Watermarks[name], "watermarks."+name
		if !sourceName.MatchString(name) {
			r.add(path, "a name has 1 to 32 characters of a-z, 0-9 and -")
		}
		c.validateOverlay(r, path+".image", mark.Image)
		if err := (dialect.WatermarkRule{Image: "any/any.png", Options: mark.Options}).Validate(); err != nil {
			r.add(path+".options", err.Error())
		}
	}
}

// validateOverlay wants source/key of a configured source.
func (c *Config) validateOverlay(r *report, path, image string) {
	source, key, _ := strings.Cut(image, "/")
	if c.Sources[source] == nil || dialect.CheckKey(key) != nil {
		r.add(path, fmt.Sprintf("%q is no source/key of a configured source", image))
	}
}

// watermarks are the rules that URLs may name.
func (c *Config) watermarks() map[string]dialect.WatermarkRule {
	all := make(map[string]dialect.WatermarkRule, len(c.Watermarks))
	for name, mark := range c.Watermarks {
		all[name] = dialect.WatermarkRule{Image: mark.Image, Options: mark.Options}
	}
	return all
}

// validateText wants a list of fonts with the default on it.
func (c *Config) validateText(r *report) {
	if len(c.Text.Fonts) == 0 {
		r.add("text.fonts", "is empty; text could not be set")
	}
	for i, family := range c.Text.Fonts {
		if strings.TrimSpace(family) != family || family == "" || strings.ContainsAny(family, ",\n\x00") {
			r.add(fmt.Sprintf("text.fonts[%d]", i), fmt.Sprintf("%q is no name of a font family", family))
		}
	}
	if len(c.Text.Fonts) > 0 && !slices.Contains(c.Text.Fonts, c.Text.Default) {
		r.add("text.default", fmt.Sprintf("%q is none of text.fonts", c.Text.Default))
	}
}

// fonts are the families that text is set in, the default first.
func (t *Text) fonts() []string {
	rest := slices.DeleteFunc(slices.Clone(t.Fonts), func(family string) bool { return family == t.Default })
	return append([]string{t.Default}, rest...)
}
