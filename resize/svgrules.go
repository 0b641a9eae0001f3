package resize

import "strings"

// svgRules is what a style sheet adds to the graph: references and layers, by what its selectors
// name last. A selector counts as if its other conditions were met.
type svgRules struct {
	class, id, tag map[string]svgRule
	any            svgRule
}

// svgRule is what declarations do.
type svgRule struct {
	refs  []string
	layer bool
}

func (r svgRule) empty() bool { return len(r.refs) == 0 && !r.layer }

func (r svgRule) with(s svgRule) svgRule {
	return svgRule{append(r.refs[:len(r.refs):len(r.refs)], s.refs...), r.layer || s.layer}
}

// add reads a sheet without comments and at-rules.
func (r *svgRules) add(sheet string) {
	if r.class == nil {
		r.class, r.id, r.tag = map[string]svgRule{}, map[string]svgRule{}, map[string]svgRule{}
	}
	for sheet != "" {
		var selectors, body string
		selectors, sheet, _ = strings.Cut(sheet, "{")
		body, sheet, _ = strings.Cut(sheet, "}")
		rule := svgRule{references(body), layered(body)}
		if rule.empty() {
			continue
		}
		if strings.ContainsAny(selectors, "([") {
			r.any = r.any.with(rule)
			continue
		}
		for _, s := range strings.Split(selectors, ",") {
			r.selector(s, rule)
		}
	}
}

func (r *svgRules) selector(s string, rule svgRule) {
	s = strings.TrimSpace(s)
	s = s[strings.LastIndexAny(s, " \t\r\n\f>+~")+1:]
	s, _, _ = strings.Cut(s, ":")
	named := func(mark string) (string, bool) {
		_, rest, found := strings.Cut(s, mark)
		end := strings.IndexAny(rest, ".#")
		if end >= 0 {
			rest = rest[:end]
		}
		return rest, found
	}
	if name, ok := named("#"); ok {
		r.id[name] = r.id[name].with(rule)
	} else if name, ok := named("."); ok {
		r.class[name] = r.class[name].with(rule)
	} else if s != "" && s != "*" {
		r.tag[s] = r.tag[s].with(rule)
	} else {
		r.any = r.any.with(rule)
	}
}

// of returns what the sheet does to an element.
func (r *svgRules) of(tag, id, class string) svgRule {
	rule := r.any.with(r.tag[tag])
	if id != "" {
		rule = rule.with(r.id[id])
	}
	for name := range strings.FieldsSeq(class) {
		rule = rule.with(r.class[name])
	}
	return rule
}

// layered reports whether declarations make the renderer draw an element apart, into a picture of its own.
func layered(style string) bool {
	for d := range strings.SplitSeq(style, ";") {
		name, value, _ := strings.Cut(d, ":")
		if layers(strings.TrimSpace(name), value) {
			return true
		}
	}
	return false
}

// layers is layered for one property.
func layers(name, value string) bool {
	switch name {
	case "opacity", "mix-blend-mode", "isolation":
		return true
	case "mask", "filter", "clip-path":
		return strings.Contains(value, "(")
	default:
		return false
	}
}
