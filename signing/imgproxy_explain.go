package signing

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// ImgproxyText is what a signature of an imgproxy URL may have been made from.
type ImgproxyText struct {
	Path   string // repaired, from its slash on: what is checked
	Sent   string // the same as it was sent
	Query  string // with its question mark; "" if there was none
	Prefix string // of the mount, as /imgproxy; "" if there is none
}

// Explain tries the usual mistakes on a signature that does not verify, and returns a sentence for each
// that turns out to be one. It returns nothing for a good signature, and nothing where no mistake is
// found. Its answers are for whoever may know the keys, not for the public.
func (g Imgproxy) Explain(text ImgproxyText, signature string) []string {
	switch {
	case g.Verify(text.Path, signature) == nil:
		return nil
	case signature == "":
		return []string{"there is no signature: the first segment is empty"}
	case strings.Contains(signature, ":"):
		return []string{"there is no signature: the first segment is an option"}
	}
	var found []string
	texts := append([]guess{{"", text.Path}}, text.variants()...)
	for _, keys := range g.mistakes() {
		for _, variant := range texts {
			for _, spelling := range append([]guess{{"", signature}}, spellings(signature)...) {
				if keys.Verify(variant.text, spelling.text) == nil {
					found = append(found, sentence(keys.mistake, variant.mistake, spelling.mistake))
				}
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// keyGuess is a set of pairs that may have been used, and the mistake that leads to it.
type keyGuess struct {
	Imgproxy
	mistake string
}

// mistakes returns the pairs themselves and what they become by the usual mistakes.
func (g Imgproxy) mistakes() []keyGuess {
	change := func(mistake string, size int, f func(Salted) []Salted) keyGuess {
		k := keyGuess{Imgproxy{Size: size}, mistake}
		for _, pair := range g.Pairs {
			k.Pairs = append(k.Pairs, f(pair)...)
		}
		return k
	}
	same := func(p Salted) []Salted { return []Salted{p} }
	all := []keyGuess{
		change("", g.Size, same),
		change("the salt was left out", g.Size, func(p Salted) []Salted { return []Salted{{Key: p.Key}} }),
		change("key and salt were swapped", g.Size, func(p Salted) []Salted { return []Salted{{Key: p.Salt, Salt: p.Key}} }),
		change("the salt of another pair was used", g.Size, g.otherSalts),
		change("the hex text of key and salt was used instead of the bytes it stands for", g.Size, asHexText),
	}
	for size := 1; size <= sha256.Size; size++ {
		if size >= 6 && size != signatureBytes(g.Size) { // fewer bytes may be chance
			all = append(all, change("the signature is cut to another size than the mount's", size, same))
		}
	}
	return all
}

func (g Imgproxy) otherSalts(p Salted) []Salted {
	var pairs []Salted
	for _, other := range g.Pairs {
		if string(other.Salt) != string(p.Salt) {
			pairs = append(pairs, Salted{Key: p.Key, Salt: other.Salt})
		}
	}
	return pairs
}

func asHexText(p Salted) []Salted {
	key, salt := hex.EncodeToString(p.Key), hex.EncodeToString(p.Salt)
	upper := strings.ToUpper
	return []Salted{{[]byte(key), []byte(salt)}, {[]byte(upper(key)), []byte(upper(salt))}, {[]byte(key), p.Salt}, {p.Key, []byte(salt)}}
}

// variants returns the texts that may have been signed instead of the path.
func (t ImgproxyText) variants() []guess {
	path := t.Path
	head, source, plain := strings.Cut(path, "/plain/")
	all := []guess{
		{"the path was signed as it was sent, before its repair", t.Sent},
		{"the query was signed too", path + t.Query},
		{"the mount's prefix was signed too", t.Prefix + path},
		{"the path was signed without its leading slash", strings.TrimPrefix(path, "/")},
		{"the path was signed with : as %3A", strings.ReplaceAll(path, ":", "%3A")},
		{"the path was signed with : as %3A", strings.ReplaceAll(head, ":", "%3A") + path[len(head):]},
		{"the path was signed with : as %3a", strings.ReplaceAll(path, ":", "%3a")},
		{"the path was signed with a folded slash in the source", strings.Replace(path, "://", ":/", 1)},
		{"the path was signed with a trailing slash", path + "/"},
		{"a trailing slash was sent that was not signed", strings.TrimSuffix(path, "/")},
		{"the text was signed with a line end behind it", path + "\n"},
		{"the path was signed with the escapes in lower case", mapEscapes(path, strings.ToLower)},
		{"the path was signed with the escapes in upper case", mapEscapes(path, strings.ToUpper)},
	}
	if decoded, err := url.PathUnescape(path); err == nil {
		all = append(all, guess{"the path was signed decoded, not as it was sent", decoded})
	}
	if plain {
		all = append(all, guess{"the source was signed percent-encoded, but sent as it is", head + "/plain/" + url.QueryEscape(source)})
	}
	if bare, _, ok := strings.Cut(path, "@"); ok {
		all = append(all, guess{"the path was signed without its extension", bare})
	}
	if i := strings.LastIndexByte(path, '.'); i >= 0 && !plain {
		all = append(all, guess{"the path was signed without its extension", path[:i]})
	}
	return slices.DeleteFunc(all, func(g guess) bool { return g.text == path })
}

// sentence joins the mistakes that were made together.
func sentence(mistakes ...string) string {
	return strings.Join(slices.DeleteFunc(mistakes, func(s string) bool { return s == "" }), ", and ")
}
