package resize

import (
	"encoding/xml"
	"strings"
)

// style copies a style sheet, cleaned.
func (c *cleaner) style(t xml.StartElement) error {
	for _, a := range t.Attr {
		if a.Name.Space == "" && a.Name.Local == "type" && a.Value != "" && a.Value != "text/css" {
			return c.skip()
		}
	}
	var text strings.Builder
	for depth := 1; depth > 0; {
		token, err := c.decoder.Token()
		if err != nil {
			return badSVG("it is not well-formed")
		}
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			c.elements++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 1 {
				text.Write(t)
			}
		default:
		}
		if c.styles+text.Len() > maxSVGStyles || depth > maxSVGDepth || c.elements > maxSVGElements {
			return badSVG("its style sheets are too large")
		}
	}
	c.styles += text.Len()
	sheet := cleanSheet(text.String())
	if sheet == "" {
		return nil
	}
	c.out.WriteString("<style>")
	c.escape(sheet)
	c.out.WriteString("</style>")
	c.graph.rules.add(sheet)
	return nil
}

// cleanSheet drops comments and at-rules (@import, @font-face …); a sheet with anything left that could
// load is dropped whole.
func cleanSheet(sheet string) string {
	if strings.Contains(sheet, `\`) {
		return "" // an escape may spell what is looked for
	}
	sheet = withoutComments(sheet)
	var b strings.Builder
	for {
		at := strings.IndexByte(sheet, '@')
		if at < 0 {
			break
		}
		b.WriteString(sheet[:at])
		sheet = afterRule(sheet[at:])
	}
	b.WriteString(sheet)
	clean := strings.TrimSpace(b.String())
	if !cleanValue(clean) {
		return ""
	}
	return clean
}

// withoutComments puts a space for every comment. An open comment reaches to the end.
func withoutComments(s string) string {
	for {
		from := strings.Index(s, "/*")
		if from < 0 {
			return s
		}
		length := strings.Index(s[from+2:], "*/")
		if length < 0 {
			return s[:from]
		}
		s = s[:from] + " " + s[from+2+length+2:]
	}
}

// afterRule returns what follows the at-rule that s begins with: after its semicolon or its block.
func afterRule(s string) string {
	depth := 0
	var quote byte
	for i := range len(s) {
		switch b := s[i]; {
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '"' || b == '\'':
			quote = b
		case b == ';' && depth == 0:
			return s[i+1:]
		case b == '{':
			depth++
		case b == '}':
			if depth--; depth <= 0 {
				return s[i+1:]
			}
		}
	}
	return ""
}

// cleanDeclarations drops from a style attribute what could load.
func cleanDeclarations(style string) string {
	if strings.Contains(style, `\`) {
		return ""
	}
	var kept []string
	for _, d := range strings.Split(withoutComments(style), ";") {
		if d = strings.TrimSpace(d); d != "" && strings.Contains(d, ":") && cleanValue(d) {
			kept = append(kept, d)
		}
	}
	return strings.Join(kept, ";")
}

// cleanValue reports whether a value of CSS or of a presentation attribute loads nothing: every url() leads
// inside the document, and no other function that takes an address occurs.
func cleanValue(value string) bool {
	if !strings.ContainsAny(value, `(\@:`) {
		return true
	}
	low := strings.ToLower(value)
	for _, bad := range [...]string{`\`, "@", "javascript:", "expression(", "image(", "image-set(", "src(", "element(", "-moz-binding", "behavior:"} {
		if strings.Contains(low, bad) {
			return false
		}
	}
	for {
		at := strings.Index(low, "url(")
		if at < 0 {
			return true
		}
		low = low[at+len("url("):]
		if !strings.HasPrefix(strings.TrimLeft(low, " \t\r\n\f\"'"), "#") {
			return false
		}
	}
}
