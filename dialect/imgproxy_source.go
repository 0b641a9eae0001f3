package dialect

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Replacement rewrites the beginning of a source: imgproxy's IMGPROXY_URL_REPLACEMENTS.
type Replacement struct {
	pattern *regexp.Regexp
	with    string
}

// ParseReplacement reads pattern=replacement. The pattern begins the source; * in it stands for anything
// but a slash, and ${1}, ${2} … in the replacement for what the first, second … of them found.
func ParseReplacement(text string) (Replacement, error) {
	pattern, with, ok := strings.Cut(text, "=")
	if !ok || pattern == "" {
		return Replacement{}, fmt.Errorf("replacement %q: pattern=replacement is expected", text)
	}
	parts := strings.Split(pattern, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	re, err := regexp.Compile("^" + strings.Join(parts, "([^/]*)"))
	if err != nil {
		return Replacement{}, fmt.Errorf("replacement %q: %w", text, err)
	}
	return Replacement{pattern: re, with: with}, nil
}

// decodeSource returns the URL and the extension of the segments that are the source.
func (m *ImgproxyMount) decodeSource(segments []string) (address, extension string, err error) {
	switch {
	case len(segments) > 1 && segments[0] == "plain":
		address, extension, err = decodePlain(strings.Join(segments[1:], "/"))
	case len(segments) > 1 && segments[0] == "enc":
		address, extension, err = m.decodeEncrypted(segments[1:])
	default:
		address, extension, err = m.decodeBase64(segments)
	}
	if err != nil {
		return "", "", err
	}
	for _, r := range m.Replacements {
		address = r.pattern.ReplaceAllString(address, r.with)
	}
	if !strings.HasPrefix(address, m.BaseURL) {
		address = m.BaseURL + address
	}
	return address, extension, nil
}

func decodePlain(text string) (address, extension string, err error) {
	address, extension, err = cutExtension(text, "@")
	if err != nil {
		return "", "", err
	}
	if address, err = url.PathUnescape(address); err != nil {
		return "", "", badSource("is not percent-encoded text")
	}
	return address, extension, nil
}

func (m *ImgproxyMount) decodeBase64(segments []string) (address, extension string, err error) {
	text, extension, err := cutExtension(m.joinEncoded(segments), ".")
	if err != nil {
		return "", "", err
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return "", "", badSource("is neither plain/… nor base64url; an option needs an argument")
	}
	return string(b), extension, nil
}

func (m *ImgproxyMount) decodeEncrypted(segments []string) (address, extension string, err error) {
	text, extension, err := cutExtension(m.joinEncoded(segments), ".")
	if err != nil {
		return "", "", err
	}
	if m.Decrypt == nil {
		return "", "", badSource("is encrypted, and this mount has no source_key")
	}
	if address, err = m.Decrypt(text); err != nil {
		return "", "", badSource("cannot be decrypted")
	}
	return address, extension, nil
}

func (m *ImgproxyMount) joinEncoded(segments []string) string {
	if m.Base64Filename && len(segments) > 1 {
		segments = segments[:len(segments)-1]
	}
	return strings.Join(segments, "")
}

// cutExtension cuts the extension off; a second one is an error.
func cutExtension(text, mark string) (source, extension string, err error) {
	source, extension, _ = strings.Cut(text, mark)
	if source == "" {
		return "", "", badSource("is empty")
	}
	if strings.Contains(extension, mark) {
		return "", "", badSource("has two extensions: " + mark + " occurs twice")
	}
	return source, extension, nil
}

func badSource(what string) error { return imgproxyNotFound("bad_key", "the source "+what) }

// resolve returns source and key of an image's URL.
func (m *ImgproxyMount) resolve(address string) (source, key string, err error) {
	prefix := ""
	for p, name := range m.Sources {
		if strings.HasPrefix(address, p) && (source == "" || len(p) > len(prefix)) {
			source, prefix = name, p
		}
	}
	if source == "" {
		return "", "", imgproxyNotFound("unknown_source", "no source of this mount has such URLs")
	}
	about := m.About[source]
	switch {
	case about.OpenHTTP:
		key = escapeAddress(address)
		err = CheckURL(key)
	case about.Base != "":
		key, err = belowBase(address, about.Base)
	default:
		key = strings.TrimLeft(strings.TrimPrefix(address, prefix), "/")
		err = CheckKey(key)
	}
	if err != nil {
		return "", "", imgproxyNotFound("bad_key", err.Error())
	}
	return source, key, nil
}

// belowBase returns the key of a URL in a rooted HTTP source: its path below the base, decoded once.
func belowBase(address, base string) (string, error) {
	rest, ok := strings.CutPrefix(address, base)
	if !ok {
		return "", badSource("does not lie below the base of its source")
	}
	if strings.ContainsAny(rest, "?#") {
		return "", badSource("has a query or fragment, which a source with a base does not take")
	}
	if plain, err := url.PathUnescape(rest); err == nil {
		rest = plain
	}
	return rest, CheckKey(rest)
}

// escapeAddress percent-encodes what cannot stand in a URL: spaces and what is not ASCII. A URL that was decoded as a whole, and one that was not, are then the same key.
func escapeAddress(s string) string {
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		if c := s[i]; c == ' ' || c >= 0x80 {
			b = append(b, '%', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}
