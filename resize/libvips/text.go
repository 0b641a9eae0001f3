package libvips

// #cgo pkg-config: vips fontconfig
// #include <stdlib.h>
// #include "message.h"
// #include "text.h"
import "C"

import (
	"errors"
	"html"
	"strconv"
	"strings"
	"unsafe"

	"github.com/imgedge/imgedge/resize"
)

// DefaultFont is the family that text has unless Config.Fonts says otherwise. Debian has it in
// fonts-dejavu-core.
const DefaultFont = "DejaVu Sans"

// Font is a family of the allow-list.
type Font struct {
	Family string
	Found  bool // fontconfig has it
}

// Fonts reports which fonts of the allow-list this process has, in their order, for edge doctor. To be
// asked after New.
func Fonts() []Font {
	all := make([]Font, 0, len(starting.fonts))
	failed := openFonts() != nil
	for _, family := range starting.fonts {
		all = append(all, Font{family, !failed && hasFont(family)})
	}
	return all
}

func hasFont(family string) bool {
	name := C.CString(family)
	defer C.free(unsafe.Pointer(name))
	return C.imgedge_has_font(name) != 0
}

// openFonts has fontconfig read what fonts there are, before the first text or drawing needs them: most
// processes never do, and it would take a part of their start and of their memory.
func openFonts() error {
	starting.fontOnce.Do(func() { starting.fontErr = allowFonts(starting.fonts) })
	return starting.fontErr
}

// allowFonts makes the families of the list the only ones that text can be set in: what the first lacks
// is taken from the next, and from nowhere else.
func allowFonts(families []string) error {
	var b strings.Builder
	b.WriteString("<fontconfig><selectfont>")
	for _, family := range families {
		b.WriteString("<acceptfont><pattern><patelt name=\"family\"><string>" + html.EscapeString(family) +
			"</string></patelt></pattern></acceptfont>")
	}
	for _, scalable := range [...]string{"true", "false"} {
		b.WriteString("<rejectfont><pattern><patelt name=\"scalable\"><bool>" + scalable + "</bool></patelt></pattern></rejectfont>")
	}
	b.WriteString("</selectfont></fontconfig>")
	document := C.CString(b.String())
	defer C.free(unsafe.Pointer(document))
	if C.imgedge_fonts(document) == 0 {
		return errors.New("fontconfig does not take the list of fonts")
	}
	return nil
}

// set renders a text. nil if it has no ink. Text that reads from right to left is set so.
func set(c resize.Caption) (*raster, error) {
	fonts := make([]string, 0, len(starting.fonts))
	for _, f := range Fonts() {
		if f.Found {
			fonts = append(fonts, f.Family)
		}
	}
	if len(fonts) == 0 { // Pango ends the process where it finds no font
		return nil, resize.BadOption("txt: this server has no font")
	}
	mask, width, height, err := ink(c, strings.Join(fonts, ",")+" "+strconv.Itoa(c.Size))
	if err != nil || mask == nil {
		return nil, err
	}
	px := &raster{make([]byte, 0, 4*len(mask)), width, height, 4, true}
	for _, v := range mask {
		px.pix = append(px.pix, c.Color.R, c.Color.G, c.Color.B, byte((int(v)*int(c.Color.A)+127)/255))
	}
	return px, nil
}

// ink returns the letters' alpha. The text is escaped: libvips reads all text as markup.
func ink(c resize.Caption, font string) (mask []byte, width, height int, err error) {
	markup, name := C.CString(html.EscapeString(c.Value)), C.CString(font)
	defer C.free(unsafe.Pointer(markup))
	defer C.free(unsafe.Pointer(name))
	var w, h C.int
	out := C.imgedge_text(markup, name, C.int(c.Wrap), &w, &h)
	if out == nil {
		err := withMessage(errors.New("text"))
		if strings.Contains(err.Error(), "no text to render") {
			return nil, 0, 0, nil
		}
		return nil, 0, 0, err
	}
	defer C.imgedge_free(out)
	return C.GoBytes(out, w*h), int(w), int(h), nil
}
