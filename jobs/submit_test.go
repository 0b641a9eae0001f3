package jobs

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCutName(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       int // bytes
	}{
		{"short", "a.jpg", 5},
		{"of just that length", strings.Repeat("a", maxName), maxName},
		{"too long", strings.Repeat("a", maxName+1), maxName},
		{"in the middle of a character", strings.Repeat("a", maxName-1) + "é.jpg", maxName - 1},
		{"of four bytes", strings.Repeat("😀", 64), 252},
		{"no text", strings.Repeat("\x80", 300), 0},
	} {
		got := cutName(row.text)
		if len(got) != row.want || !strings.HasPrefix(row.text, got) || !utf8.ValidString(got) {
			t.Errorf("%s: cutName(%q) = %q of %d bytes, want %d", row.name, row.text, got, len(got), row.want)
		}
	}
}
