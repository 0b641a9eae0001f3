package signing

import (
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// Explain tries the usual mistakes on a signature that does not verify, and returns a sentence for each
// that turns out to be one: with that mistake made, signature is a good one for text under one of the
// keys. It returns nothing for a good signature, and nothing where no mistake is found. Its answers are
// for whoever may know the keys, not for the public.
func Explain(keys Keyring, text, signature string) []string {
	if keys.Verify(text, signature, "") == nil {
		return nil
	}
	if len(signature) == 0 {
		return []string{"there is no signature: s= is missing or empty"}
	}
	var found []string
	for _, spelling := range spellings(signature) {
		if keys.Verify(text, spelling.text, "") == nil {
			found = append(found, spelling.mistake)
		}
	}
	for _, variant := range variants(text) {
		for _, spelling := range append(spellings(signature), guess{"", signature}) {
			if variant.text != text && keys.Verify(variant.text, spelling.text, "") == nil {
				found = append(found, join(variant.mistake, spelling.mistake))
			}
		}
	}
	for _, variant := range append(variants(text), guess{"", text}) {
		if keys.asText().Verify(variant.text, signature, "") == nil {
			found = append(found, join("the key's hex text was used as the secret instead of the bytes it stands for", variant.mistake))
		}
	}
	if len(found) == 0 && keys.beginsWith(text, signature) {
		found = append(found, "the signature is cut short")
	}
	return slices.Compact(found)
}

// guess is a text that may have been meant, and the mistake that leads to the one given.
type guess struct{ mistake, text string }

// spellings returns the signatures that other spellings may stand for.
func spellings(signature string) []guess {
	all := []guess{
		{"the signature is padded with =", strings.TrimRight(signature, "=")},
		{"the signature uses the base64 alphabet with + and / instead of - and _", standardToURL(signature)},
		{"the signature uses the base64 alphabet with + and / and is padded", standardToURL(strings.TrimRight(signature, "="))},
		{"there are spaces or line ends around the signature", strings.TrimSpace(signature)},
	}
	if plain, err := url.PathUnescape(signature); err == nil && plain != signature {
		all = append(all, guess{"the signature is percent-encoded", standardToURL(strings.TrimRight(plain, "=\r\n "))})
	}
	if sum, err := hex.DecodeString(signature); err == nil {
		all = append(all, guess{"the signature is in hex instead of base64url", encoding.EncodeToString(sum)})
	}
	return slices.DeleteFunc(all, func(g guess) bool { return g.text == signature })
}

func standardToURL(s string) string {
	return strings.NewReplacer("+", "-", "/", "_", " ", "-").Replace(s)
}

// variants returns the texts that may have been signed instead of text.
func variants(text string) []guess {
	path, query, _ := strings.Cut(text, "?")
	all := []guess{
		{"the text was signed with a line end behind it", text + "\n"},
		{"the text was signed with a trailing &", text + "&"},
		{"the text was signed with a trailing ?", text + "?"},
		{"the text was signed with &s= behind it", text + "&s="},
		{"the text was signed with ?s= behind it", text + "?s="},
		{"the text was signed without its leading slash", strings.TrimPrefix(text, "/")},
		{"the text was signed with a double slash at its start", "/" + text},
		{"a double slash was sent; the text was signed with single ones", singleSlashes(path) + text[len(path):]},
		{"the path alone was signed, without the options", path},
		{"the options alone were signed, without the path", query},
		{"the text was signed without the source's name", withoutSource(text)},
		{"the text was signed with / where %2F was sent", replaceFold(text, "%2f", "/")},
		{"the key was signed with %2F where / was sent", escapeSlashes(text)},
		{"the text was signed with the escapes in lower case", mapEscapes(text, strings.ToLower)},
		{"the text was signed with the escapes in upper case", mapEscapes(text, strings.ToUpper)},
		{"the text was signed with + where %20 was sent", strings.ReplaceAll(text, "%20", "+")},
		{"the text was signed with %20 where + was sent", strings.ReplaceAll(text, "+", "%20")},
		{"the text was signed with : as %3A", path + "?" + strings.ReplaceAll(query, ":", "%3A")},
		{"the text was signed with , as %2C", path + "?" + strings.ReplaceAll(query, ",", "%2C")},
		{"the text was signed with HTML's &amp; instead of &", strings.ReplaceAll(text, "&", "&amp;")},
		{"the text was sent with HTML's &amp; instead of &", strings.ReplaceAll(text, "&amp;", "&")},
	}
	if plain, err := url.PathUnescape(text); err == nil {
		all = append(all, guess{"the text was signed decoded, not as it was sent", plain})
	}
	all = append(all, orders(path, query)...)
	return slices.DeleteFunc(all, func(g guess) bool { return g.text == text })
}

// orders returns the text with its options in other orders: sorted, reversed, and every order of up to
// five.
func orders(path, query string) []guess {
	const mistake = "the options were signed in another order"
	options := strings.Split(query, "&")
	if len(options) < 2 {
		return nil
	}
	text := func(options []string) guess { return guess{mistake, path + "?" + strings.Join(options, "&")} }
	if len(options) > 5 {
		sorted, reversed := slices.Sorted(slices.Values(options)), slices.Clone(options)
		slices.Reverse(reversed)
		return []guess{text(sorted), text(reversed)}
	}
	var all []guess
	permute(options, 0, func() { all = append(all, text(options)) })
	return all
}

// permute calls visit with every order of s[at:], and leaves s as it was.
func permute(s []string, at int, visit func()) {
	if at == len(s) {
		visit()
		return
	}
	for i := at; i < len(s); i++ {
		s[at], s[i] = s[i], s[at]
		permute(s, at+1, visit)
		s[at], s[i] = s[i], s[at]
	}
}

func join(first, second string) string {
	if second == "" {
		return first
	}
	return first + ", and " + second
}

func singleSlashes(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

// withoutSource cuts the first segment off.
func withoutSource(text string) string {
	if _, rest, ok := strings.Cut(strings.TrimPrefix(text, "/"), "/"); ok {
		return "/" + rest
	}
	return text
}

// escapeSlashes writes the slashes of the key, but not the one before it, as %2F.
func escapeSlashes(text string) string {
	path, query, hasQuery := strings.Cut(text, "?")
	source, key, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	text = "/" + source + "/" + strings.ReplaceAll(key, "/", "%2F")
	if hasQuery {
		text += "?" + query
	}
	return text
}

func replaceFold(s, lower, replacement string) string {
	return strings.NewReplacer(lower, replacement, strings.ToUpper(lower), replacement).Replace(s)
}

// mapEscapes changes the letters of each percent escape.
func mapEscapes(s string, change func(string) string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			b.WriteString(change(s[i : i+3]))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// asText returns the keys that come of taking each secret's hex text for the secret.
func (r Keyring) asText() Keyring {
	keys := make(Keyring, 0, 2*len(r))
	for _, k := range r {
		text := hex.EncodeToString(k.Secret)
		keys = append(keys, Key{ID: k.ID, Secret: []byte(text)}, Key{ID: k.ID, Secret: []byte(strings.ToUpper(text))})
	}
	return keys
}

// beginsWith tells whether signature is the beginning of the right one.
func (r Keyring) beginsWith(text, signature string) bool {
	const shortest = 8 // characters; fewer may be chance
	return len(signature) >= shortest && len(signature) < Length && slices.ContainsFunc(r, func(k Key) bool {
		return len(k.Secret) >= MinSecret && strings.HasPrefix(k.Sign(text), signature)
	})
}
