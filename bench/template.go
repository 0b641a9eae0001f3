package main

import (
	"fmt"
	"strconv"
	"strings"
)

// template is a request target with places to fill in.
type template struct {
	parts  []part
	widths []int // what {w} may be; empty if it does not occur
}

// part is literal text, or a place.
type part struct {
	text  string
	place byte // 'w', 'n', or 0 for text
}

// parseTemplate reads a request target in which {w} and {n} may stand. widths is needed for {w}.
func parseTemplate(text string, widths []int) (template, error) {
	if !strings.HasPrefix(text, "/") {
		return template{}, fmt.Errorf("-template %q: want a request target that begins with /", text)
	}
	t := template{widths: widths}
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "{")
		if before != "" {
			t.parts = append(t.parts, part{text: before})
		}
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed || (name != "w" && name != "n") {
			return template{}, fmt.Errorf("-template %q: only {w} and {n} can stand in braces", text)
		}
		if name == "w" && len(widths) == 0 {
			return template{}, fmt.Errorf("-template %q: {w} needs -w", text)
		}
		t.parts = append(t.parts, part{place: name[0]})
		rest = tail
	}
	return t, nil
}

// expand fills in the number of the request and a width.
func (t template) expand(n int64, width int) string {
	var b strings.Builder
	for _, p := range t.parts {
		switch p.place {
		case 'w':
			b.WriteString(strconv.Itoa(width))
		case 'n':
			b.WriteString(strconv.FormatInt(n, 10))
		default:
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// maxWidth is the largest side a URL can ask for, px.
const maxWidth = 16384

// parseWidths reads a range "100-1000" or a list "320,640,960"; "" is none.
func parseWidths(text string) ([]int, error) {
	if text == "" {
		return nil, nil
	}
	bad := fmt.Errorf("-w %q: want a range such as 100-1000 or a list such as 320,640, each 1–%d", text, maxWidth)
	if low, high, isRange := strings.Cut(text, "-"); isRange {
		from, errFrom := strconv.Atoi(low)
		to, errTo := strconv.Atoi(high)
		if errFrom != nil || errTo != nil || from < 1 || to < from || to > maxWidth {
			return nil, bad
		}
		list := make([]int, 0, to-from+1)
		for w := from; w <= to; w++ {
			list = append(list, w)
		}
		return list, nil
	}
	var list []int
	for field := range strings.SplitSeq(text, ",") {
		w, err := strconv.Atoi(field)
		if err != nil || w < 1 || w > maxWidth {
			return nil, bad
		}
		list = append(list, w)
	}
	return list, nil
}

// String returns the text the template was read from.
func (t template) String() string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.place != 0 {
			b.WriteString("{" + string(p.place) + "}")
		}
		b.WriteString(p.text)
	}
	return b.String()
}
