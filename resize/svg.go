package resize

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// Bounds of an SVG. They are far above what drawings have, and far below what costs seconds.
const (
	maxSVGBytes    = 8 << 20   // decompressed
	maxSVGDepth    = 200       // elements inside each other
	maxSVGElements = 100_000   // in the file
	maxSVGDrawn    = 300_000   // after every use, pattern, mask, marker and clip path has been followed
	maxSVGFilters  = 500       // filter primitives drawn
	maxSVGLayers   = 16        // groups with opacity, masks, filters or clip paths inside each other
	maxSVGImages   = 32 << 20  // px of all embedded pictures
	maxSVGImage    = 16 << 20  // px of one of them
	maxSVGText     = 10_000    // bytes of text; what follows is left out
	maxSVGStyles   = 512 << 10 // bytes of style sheets
)

const (
	nsSVG   = "http://www.w3.org/2000/svg"
	nsXLink = "http://www.w3.org/1999/xlink"
	nsXML   = "http://www.w3.org/XML/1998/namespace"
)

// CleanSVG returns the SVG or svgz in data reduced to what draws, as UTF-8 text. Only elements and
// attributes of an allow-list remain: no scripts, events, animations, foreign elements, document types or
// processing instructions. References lead inside the document or hold a PNG, JPEG or GIF as data;
// style sheets keep neither at-rules nor other addresses. Cleaning twice is cleaning once.
//
// Errors are *Error: 422 corrupt_image for what is no well-formed SVG or would take too long to draw.
func CleanSVG(data []byte) ([]byte, error) {
	text, err := plainSVG(data, maxSVGBytes)
	if err != nil {
		return nil, err
	}
	if len(text) > maxSVGBytes {
		return nil, badSVG("it is too large")
	}
	c := cleaner{decoder: xml.NewDecoder(bytes.NewReader(text))}
	c.decoder.CharsetReader = charset
	if err := c.document(); err != nil {
		return nil, err
	}
	if err := c.graph.check(); err != nil {
		return nil, err
	}
	return c.out.Bytes(), nil
}

func badSVG(why string) *Error {
	return Unprocessable("corrupt_image", "the image is broken: "+why)
}

// plainSVG decompresses an svgz, up to a little more than most bytes.
func plainSVG(data []byte, most int64) ([]byte, error) {
	if !bytes.HasPrefix(data, []byte(gzipMagic)) {
		return data, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, badSVG("it cannot be decompressed")
	}
	r.Multistream(false)
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil && int64(len(text)) <= most {
		return text, badSVG("it cannot be decompressed")
	}
	return text, nil
}

const gzipMagic = "\x1f\x8b"

// charset takes the two encodings beside UTF-8 that old drawings have.
func charset(label string, input io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf-8", "us-ascii", "ascii":
		return input, nil
	case "iso-8859-1", "latin1":
		text, err := io.ReadAll(input) // at most maxSVGBytes
		if err != nil {
			return nil, err
		}
		runes := make([]rune, len(text))
		for i, b := range text {
			runes[i] = rune(b)
		}
		return strings.NewReader(string(runes)), nil
	default:
		return nil, errors.New("unknown encoding")
	}
}

// cleaner copies what is allowed. Names and namespaces are resolved by encoding/xml and written anew from the
// allow-list, so that a prefix cannot mean one thing here and another to the renderer.
type cleaner struct {
	decoder  *xml.Decoder
	out      bytes.Buffer
	open     []string // elements written and not yet ended
	space    string   // namespace of the root: SVG's, or none
	elements int
	images   int // px
	styles   int // bytes
	letters  int // bytes of text that is drawn
	graph    svgGraph
}

// document reads up to the end of the root.
func (c *cleaner) document() error {
	for {
		token, err := c.decoder.Token()
		if err != nil {
			return badSVG("it is not well-formed")
		}
		switch t := token.(type) {
		case xml.Directive:
			if bytes.Contains(bytes.ToUpper(t), []byte("ENTITY")) {
				return badSVG("it declares entities")
			}
		case xml.StartElement:
			if t.Name.Local != "svg" || t.Name.Space != nsSVG && t.Name.Space != "" {
				return badSVG("its root is not svg")
			}
			c.space = t.Name.Space
			if err := c.start(t); err != nil {
				return err
			}
			return c.content()
		default: // comments, instructions and white space
		}
	}
}

// content copies what is inside the root.
func (c *cleaner) content() error {
	for len(c.open) > 0 {
		token, err := c.decoder.Token()
		if err != nil {
			return badSVG("it is not well-formed")
		}
		switch t := token.(type) {
		case xml.StartElement:
			err = c.element(t)
		case xml.EndElement:
			c.end()
		case xml.CharData:
			c.text(t)
		default: // comments, instructions and directives draw nothing
		}
		if err != nil {
			return err
		}
	}
	c.out.WriteByte('\n')
	return nil
}

// element copies an element or skips it with all that is inside.
func (c *cleaner) element(t xml.StartElement) error {
	if c.elements++; c.elements > maxSVGElements {
		return badSVG("it has too many elements")
	}
	switch {
	case t.Name.Space != c.space || !svgElement(t.Name.Local):
		return c.skip()
	case t.Name.Local == "style":
		return c.style(t)
	case t.Name.Local == "image" && !c.shows(t):
		return c.skip()
	}
	return c.start(t)
}

// skip reads over an element. It counts what it passes, as Decoder.Skip does not.
func (c *cleaner) skip() error {
	for depth := 1; depth > 0; {
		token, err := c.decoder.Token()
		if err != nil {
			return badSVG("it is not well-formed")
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
			c.elements++
		case xml.EndElement:
			depth--
		default:
		}
		if c.elements > maxSVGElements || depth > maxSVGDepth {
			return badSVG("it has too many elements")
		}
	}
	return nil
}

// start writes a start tag. A link is a group: it leads nowhere in a picture.
func (c *cleaner) start(t xml.StartElement) error {
	if len(c.open) >= maxSVGDepth {
		return badSVG("its elements lie too deep inside each other")
	}
	name := t.Name.Local
	if name == "a" {
		name = "g"
	}
	c.out.WriteByte('<')
	c.out.WriteString(name)
	if len(c.open) == 0 {
		c.out.WriteString(` xmlns="` + nsSVG + `" xmlns:xlink="` + nsXLink + `"`)
	}
	c.graph.start(name)
	c.attributes(name, t.Attr)
	c.out.WriteByte('>')
	c.open = append(c.open, name)
	return nil
}

func (c *cleaner) end() {
	c.out.WriteString("</" + c.open[len(c.open)-1] + ">")
	c.open = c.open[:len(c.open)-1]
	c.graph.end()
}

// text writes text where it is drawn or read aloud; elsewhere it is white space.
func (c *cleaner) text(t xml.CharData) {
	if len(c.open) == 0 {
		return
	}
	for _, name := range c.open {
		if name == "text" || name == "title" || name == "desc" {
			if c.letters += len(t); c.letters <= maxSVGText {
				c.escape(string(t))
			}
			return
		}
	}
}

// escape writes text for content and attribute values alike. encoding/xml writes what XML cannot hold as
// U+FFFD.
func (c *cleaner) escape(text string) {
	_ = xml.EscapeText(&c.out, []byte(text)) // a buffer takes everything
}

// attributes writes the allowed ones, each once.
func (c *cleaner) attributes(element string, all []xml.Attr) {
	written := make(map[string]bool, len(all))
	for _, a := range all {
		name, value, ok := c.attribute(element, a)
		if !ok || written[name] {
			continue
		}
		written[name] = true
		c.out.WriteString(" " + name + `="`)
		c.escape(value)
		c.out.WriteByte('"')
		c.graph.attribute(name, value)
	}
}

// attribute returns the name an attribute is written by and its value.
func (c *cleaner) attribute(element string, a xml.Attr) (name, value string, ok bool) {
	switch {
	case a.Name.Local == "href" && (a.Name.Space == "" || a.Name.Space == nsXLink):
		value, ok = cleanReference(element, a.Value)
		return "xlink:href", value, ok
	case a.Name.Space == nsXML:
		return "xml:" + a.Name.Local, a.Value, a.Name.Local == "space" || a.Name.Local == "lang"
	case a.Name.Space != "" || !svgAttribute(a.Name.Local):
		return "", "", false
	case a.Name.Local == "style":
		value = cleanDeclarations(a.Value)
		return "style", value, value != ""
	case a.Name.Local == "numOctaves" || a.Name.Local == "order":
		return a.Name.Local, a.Value, oneDigit(a.Value)
	}
	return a.Name.Local, a.Value, cleanValue(a.Value)
}

// oneDigit reports whether every number of a value has one digit: turbulence of a thousand octaves takes
// minutes, and so does a convolution with a large matrix.
func oneDigit(value string) bool {
	for _, n := range strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' }) {
		if len(n) != 1 || n[0] < '0' || n[0] > '9' {
			return false
		}
	}
	return true
}

// cleanReference returns a reference into the document, or for a picture its data.
func cleanReference(element, value string) (string, bool) {
	value = strings.TrimSpace(value)
	if element == "image" {
		return value, strings.HasPrefix(value, "data:") // shows has looked at it
	}
	return value, strings.HasPrefix(value, "#") && len(value) > 1
}
