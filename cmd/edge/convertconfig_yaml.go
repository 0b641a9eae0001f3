package main

import (
	"regexp"
	"strconv"
	"strings"
)

// yamlMapping is a mapping of YAML in the order in which it was set.
type yamlMapping struct {
	key   string
	value string // as YAML writes it; "" = a mapping
	inner []*yamlMapping
}

// set sets the value at a path. A value that was set is replaced.
func (s *yamlMapping) set(value string, path ...string) {
	for _, key := range path {
		s = s.at(key)
	}
	s.value = value
}

// at returns the setting of a mapping, which is made where there is none.
func (s *yamlMapping) at(key string) *yamlMapping {
	for _, inner := range s.inner {
		if inner.key == key {
			return inner
		}
	}
	inner := &yamlMapping{key: key}
	s.inner = append(s.inner, inner)
	return inner
}

func (s *yamlMapping) write(b *strings.Builder, indent string) {
	for _, inner := range s.inner {
		b.WriteString(indent + yamlText(inner.key) + ":")
		if inner.value != "" {
			b.WriteString(" " + inner.value + "\n")
			continue
		}
		b.WriteString("\n")
		inner.write(b, indent+"  ")
	}
}

var plainText = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)

// yamlText writes a text, in quotes where it could be taken for something else.
func yamlText(text string) string {
	switch text {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n":
	default:
		if plainText.MatchString(text) {
			return text
		}
	}
	return strconv.Quote(text)
}

// yamlList writes a list of texts on one line.
func yamlList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = yamlText(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
