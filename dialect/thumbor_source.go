package dialect

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// resolve returns source and key of an image, which is decoded.
func (m *ThumborMount) resolve(image string) (source, key string, err error) {
	absolute := m.absolute(image)
	source, prefix := m.prefixed(image)
	if source == "" {
		source = m.Source
	}
	if source == "" {
		source, prefix = m.prefixed(absolute)
	}
	if source == "" {
		return "", "", &resize.Error{Status: http.StatusNotFound, Kind: "unknown_source", Text: "no source of this mount has such images"}
	}
	about := m.About[source]
	switch {
	case about.OpenHTTP:
		key = escapeAddress(absolute)
		return source, key, CheckURL(key)
	case about.Base != "" && (isURL(image) || strings.HasPrefix(absolute, about.Base)):
		key, ok := strings.CutPrefix(absolute, about.Base)
		if !ok || strings.ContainsAny(key, "?#") {
			return "", "", resize.BadKey("the image is no path below the source's base")
		}
		if plain, err := url.PathUnescape(key); err == nil {
			key = plain
		}
		return source, key, CheckKey(key)
	default:
		key = strings.TrimPrefix(strings.TrimPrefix(image, prefix), "/")
		return source, key, CheckKey(key)
	}
}

// prefixed returns the source of the longest prefix that the image has.
func (m *ThumborMount) prefixed(image string) (source, prefix string) {
	for p, name := range m.Sources {
		if strings.HasPrefix(image, p) && (source == "" || len(p) > len(prefix)) {
			source, prefix = name, p
		}
	}
	return source, prefix
}

// absolute returns the image as a URL.
func (m *ThumborMount) absolute(image string) string {
	if isURL(image) {
		return image
	}
	scheme := m.Scheme
	switch {
	case scheme != "":
	case m.imagor():
		scheme = "https"
	default:
		scheme = "http"
	}
	return scheme + "://" + image
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}
