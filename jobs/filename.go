package jobs

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	longestBase   = 120 // bytes of a name in an archive, without its extension
	longestFolder = 60
)

// names hands out file names that are safe on any disk and unique in an archive, whatever the case.
type names struct{ taken map[string]bool }

func newNames() *names { return &names{taken: map[string]bool{}} }

// unique returns folder and the cleaned base of name with the extension; on a clash -2, -3, … is put
// before that. folder is "" or ends with a slash, and is ours.
func (n *names) unique(folder, name, extension string) string {
	base := cleanBase(name)
	for i := 1; ; i++ {
		candidate := folder + base
		if i > 1 {
			candidate += "-" + strconv.Itoa(i)
		}
		candidate += "." + extension
		if key := strings.ToLower(candidate); !n.taken[key] {
			n.taken[key] = true
			return candidate
		}
	}
}

// cleanBase returns the last part of a path without its extension and without what a disk or a shell may
// trip over.
func cleanBase(name string) string {
	name = strings.ToValidUTF8(name, "_")
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.TrimLeft(name, ". ")
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, name)
	for len(name) > longestBase {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	name = strings.Trim(name, ". ~-")
	if name == "" || reserved(name) {
		return "picture"
	}
	return name
}

// reserved reports the names of devices on Windows.
func reserved(name string) bool {
	stem, _, _ := strings.Cut(strings.ToLower(name), ".")
	switch stem {
	case "con", "prn", "aux", "nul":
		return true
	}
	return len(stem) == 4 && (strings.HasPrefix(stem, "com") || strings.HasPrefix(stem, "lpt")) && stem[3] >= '0' && stem[3] <= '9'
}

// outputFolders names a folder for each output by its number and its options: 1-w400-fwebp.
func outputFolders(outputs []string) []string {
	folders := make([]string, len(outputs))
	for i, text := range outputs {
		text = strings.Map(func(r rune) rune {
			switch {
			case r == '=':
				return -1
			case r == '&':
				return '-'
			case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '.', r == ',':
				return r
			default:
				return '_'
			}
		}, text)
		folder := fmt.Sprintf("%d-%s", i+1, text)
		folders[i] = strings.TrimRight(folder[:min(len(folder), longestFolder)], "-.")
	}
	return folders
}
