package load

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Template is text with places to fill in: {w}, {key}, {n} and so on.
type Template struct {
	weight float64
	text   string
	parts  []part
}

// part is literal text, or a place if it has a name.
type part struct{ text, place string }

// ParseTemplate reads "3*/local/{key}?w={w}": a weight, and a request target in which names may stand in
// braces. {n} is a number that no request had before, {run} a text that no run had before.
func ParseTemplate(text string) (Template, error) {
	weight, rest, err := cutWeight(text)
	if err != nil {
		return Template{}, err
	}
	if !strings.HasPrefix(rest, "/") {
		return Template{}, fmt.Errorf("template %q: want a request target that begins with /", text)
	}
	t, err := parseParts(rest)
	t.weight = weight
	return t, err
}

// parseParts reads any text with places.
func parseParts(text string) (Template, error) {
	t := Template{text: text, weight: 1}
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "{")
		if before != "" {
			t.parts = append(t.parts, part{text: before})
		}
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed || !isPlace(name) {
			return Template{}, fmt.Errorf("template %q: want names in small letters in braces, such as {w}", text)
		}
		t.parts = append(t.parts, part{place: name})
		rest = tail
	}
	return t, nil
}

// String returns the text the template was read from, without its weight.
func (t Template) String() string { return t.text }

// has tells whether a place occurs.
func (t Template) has(place string) bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.place == place })
}

// expand fills the places in.
func (t Template) expand(value func(place string) string) string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.place == "" {
			b.WriteString(p.text)
		} else {
			b.WriteString(value(p.place))
		}
	}
	return b.String()
}

// check tells which places have no values.
func (t Template) check(places []Values) error {
	var problems []error
	for _, p := range t.parts {
		known := p.place == "" || p.place == "n" || p.place == "run" ||
			slices.ContainsFunc(places, func(v Values) bool { return v.name == p.place })
		if !known {
			problems = append(problems, fmt.Errorf("template %q: {%s} has no values", t.text, p.place))
		}
	}
	return errors.Join(problems...)
}
