package dialect

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// image decodes the image.
func (r thumborReader) image(s string) (string, error) {
	if s == "" {
		return "", resize.BadKey("the path names no image")
	}
	if !r.imagor {
		plain, err := url.PathUnescape(s)
		if err != nil {
			return "", resize.BadKey("the image is not percent-encoded text")
		}
		return plain, nil
	}
	s = r.unescape(s)
	if strings.HasPrefix(s, "color:") {
		return "", resize.BadKey("color: is not served; the image is a picture")
	}
	return fromBase64(s), nil
}

// unescape decodes as imagor does: once, + is a space, and what cannot be decoded stays.
func (r thumborReader) unescape(s string) string {
	if r.decoded {
		return s
	}
	if !r.imagor {
		if plain, err := url.PathUnescape(s); err == nil {
			return plain
		}
		return s
	}
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// fromBase64 decodes b64: and unpadded base64url; what cannot be decoded stays.
func fromBase64(s string) string {
	if text, ok := strings.CutPrefix(s, "b64:"); ok {
		if plain, err := base64.RawURLEncoding.DecodeString(text); err == nil {
			return string(plain)
		}
	}
	return s
}

// imagorHash tells whether a first segment can be a hash.
func imagorHash(s string) bool {
	if len(s) < 17 || s == "adaptive-full-fit-in" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' && c != '=' {
			return false
		}
	}
	return true
}

// withoutBreaks drops line breaks, as imagor does before anything else.
func withoutBreaks(s string) string {
	if !strings.ContainsAny(s, "\r\n\v\f\u0085\u2028\u2029") {
		return s
	}
	return strings.NewReplacer("\r", "", "\n", "", "\v", "", "\f", "", "\u0085", "", "\u2028", "", "\u2029", "").Replace(s)
}
