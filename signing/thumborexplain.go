package signing

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// Explain tries the usual mistakes on a hash that does not verify, and returns a sentence for each that
// turns out to be one, as the function Explain does. prefix is the path that the mount lies under, query
// what stood behind the question mark; both may be "". Its answers are for whoever may know the key, not
// for the public.
func (k ThumborKey) Explain(path, hash, prefix, query string) []string {
	if _, err := k.Verify(path, hash); err == nil {
		return nil
	}
	switch {
	case hash == "":
		return []string{"there is no hash: the path does not begin with one"}
	case hash == "unsafe":
		return []string{"the path says unsafe, which this mount does not allow"}
	case k.Secret == "":
		return []string{"the mount has no key, so that no hash verifies"}
	}
	var found []string
	for _, other := range k.others() {
		for _, text := range append(thumborVariants(path, prefix, query), guess{"", path}) {
			for _, spelling := range append(thumborSpellings(hash), guess{"", hash}) {
				if other.key.matches(text.text, spelling.text) {
					found = append(found, joinAll(other.mistake, text.mistake, spelling.mistake))
				}
			}
		}
	}
	if len(found) == 0 && len(hash) >= 8 && len(hash) < len(k.Sign(path)) && strings.HasPrefix(k.Sign(path), hash) {
		found = append(found, "the hash is cut short, or truncate is not set")
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// thumborGuess is a key that may have been used, and the mistake that leads to it.
type thumborGuess struct {
	mistake string
	key     ThumborKey
}

// others returns the key itself, and those that differ from it by one setting.
func (k ThumborKey) others() []thumborGuess {
	all := []thumborGuess{{"", k}}
	for _, algorithm := range [...]ThumborAlgorithm{SHA1, SHA256, SHA512} {
		if algorithm != k.Algorithm && (algorithm != SHA1 || k.Algorithm != "") {
			other := k
			other.Algorithm = algorithm
			all = append(all, thumborGuess{"the path was signed with " + string(algorithm), other})
		}
	}
	if k.Truncate > 0 {
		other := k
		other.Truncate = 0
		all = append(all, thumborGuess{"the hash is not cut to the configured length", other})
	}
	if k.Imagor {
		other := k
		other.Imagor = false
		all = append(all, thumborGuess{"the hash lacks its padding of =", other})
	}
	if trimmed := strings.TrimSpace(k.Secret); trimmed != k.Secret {
		other := k
		other.Secret = trimmed
		all = append(all, thumborGuess{"the configured key has spaces or a line end around it", other})
	}
	if secret, err := hex.DecodeString(k.Secret); err == nil {
		other := k
		other.Secret = string(secret)
		all = append(all, thumborGuess{"the key was taken for hex; here it is plain text", other})
	}
	return all
}

// thumborSpellings returns the hashes that other spellings may stand for.
func thumborSpellings(hash string) []guess {
	all := []guess{
		{"the hash uses the base64 alphabet with + and / instead of - and _", standardToURL(hash)},
		{"there are spaces or line ends around the hash", strings.TrimSpace(hash)},
		{"the hash is padded with = behind its cut", strings.TrimRight(hash, "=")},
	}
	if sum, err := hex.DecodeString(hash); err == nil {
		all = append(all, guess{"the hash is in hex instead of base64url", base64.URLEncoding.EncodeToString(sum)})
	}
	return slices.DeleteFunc(all, func(g guess) bool { return g.text == hash || g.text == "" })
}

// thumborVariants returns the texts that may have been signed instead of path.
func thumborVariants(path, prefix, query string) []guess {
	prefix = strings.Trim(prefix, "/")
	all := []guess{
		{"the path was signed with its leading slash", "/" + path},
		{"the path was signed with unsafe/ in front", "unsafe/" + path},
		{"the path was signed with the mount's prefix", prefix + "/" + path},
		{"the path was signed with the mount's prefix", "/" + prefix + "/" + path},
		{"the path was signed with its query", path + "?" + query},
		{"the path was signed with a line end behind it", path + "\n"},
		{"a slash of :// was folded on the way", unfold(path)},
		{"a double slash was sent; the path was signed with single ones", singleSlashes(path)},
		{"the path was signed with : where %3A was sent", replaceFold(path, "%3a", ":")},
		{"the path was signed with %3A where : was sent", strings.ReplaceAll(path, ":", "%3A")},
		{"the path was signed with / where %2F was sent", replaceFold(path, "%2f", "/")},
		{"the path was signed with brackets where %28 and %29 were sent", strings.NewReplacer("%28", "(", "%29", ")").Replace(path)},
		{"the path was signed with %28 and %29 where brackets were sent", strings.NewReplacer("(", "%28", ")", "%29").Replace(path)},
		{"the path was signed with the escapes in lower case", mapEscapes(path, strings.ToLower)},
		{"the path was signed with the escapes in upper case", mapEscapes(path, strings.ToUpper)},
		{"the path was signed with + where %20 was sent", strings.ReplaceAll(path, "%20", "+")},
		{"the path was signed with %20 where + was sent", strings.ReplaceAll(path, "+", "%20")},
	}
	if plain, err := url.PathUnescape(path); err == nil {
		all = append(all, guess{"the path was signed decoded, not as it was sent", plain})
	}
	return slices.DeleteFunc(all, func(g guess) bool {
		return g.text == path || prefix == "" && strings.Contains(g.mistake, "prefix") || query == "" && strings.Contains(g.mistake, "query")
	})
}

// unfold restores the second slash behind a scheme that a proxy has eaten.
func unfold(path string) string {
	for _, scheme := range [...]string{"http:/", "https:/"} {
		if i := strings.Index(path, scheme); i >= 0 && !strings.HasPrefix(path[i+len(scheme):], "/") {
			return path[:i] + scheme + "/" + path[i+len(scheme):]
		}
	}
	return path
}

// joinAll joins the mistakes that are not "".
func joinAll(mistakes ...string) string {
	return strings.Join(slices.DeleteFunc(mistakes, func(s string) bool { return s == "" }), ", and ")
}
