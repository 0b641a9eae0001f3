package dialect

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/imgedge/imgedge/resize"
)

// maxKey is the length of a decoded key, in bytes.
const maxKey = 1024

// decodeKey decodes the path behind the source once and checks it. absolute asks for a URL.
func decodeKey(raw string, absolute bool) (string, error) {
	key, err := url.PathUnescape(raw)
	if err != nil {
		return "", resize.BadKey("the key is not percent-encoded text")
	}
	if absolute {
		return key, CheckURL(key)
	}
	return key, CheckKey(key)
}

// CheckKey checks the decoded key of an object: 1 to 1,024 bytes of UTF-8, segments joined by single
// slashes, none of them "." or "..", without backslashes and control characters; the same once more
// after another decoding of each segment, which must not bring a slash either. Errors are *resize.Error
// with code bad_key.
func CheckKey(key string) error {
	if err := checkLength(key); err != nil {
		return err
	}
	return checkSegments(key)
}

// CheckURL checks the key of an open HTTP source: an absolute http or https URL of at most 1,024 bytes,
// without user-info and fragment, whose path obeys the rules of CheckKey. Errors are *resize.Error with
// code bad_key.
func CheckURL(key string) error {
	if err := checkLength(key); err != nil {
		return err
	}
	if err := checkText(key); err != nil {
		return err
	}
	u, err := url.Parse(key)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.Opaque != "" {
		return resize.BadKey("the key of this source is an absolute http or https URL, percent-encoded")
	}
	if u.User != nil || strings.Contains(u.Host, "@") {
		return resize.BadKey("the key holds user-info")
	}
	if strings.Contains(key, "#") {
		return resize.BadKey("the key holds a fragment")
	}
	path := pathOf(key)
	if path == "" || path == "/" {
		return nil
	}
	return checkSegments(path[1:])
}

// pathOf returns the path of an absolute URL as it is written, from its slash on.
func pathOf(absolute string) string {
	_, rest, _ := strings.Cut(absolute, "://")
	rest, _, _ = strings.Cut(rest, "?")
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return ""
}

func checkLength(key string) error {
	if key == "" {
		return resize.BadKey("the key is empty")
	}
	if len(key) > maxKey {
		return resize.BadKey("the key is longer than 1024 bytes")
	}
	return nil
}

func checkSegments(path string) error {
	for more := true; more; {
		var segment string
		segment, path, more = strings.Cut(path, "/")
		if segment == "" {
			return resize.BadKey("the key has an empty segment")
		}
		if err := checkSegment(segment); err != nil {
			return err
		}
		if again := decodeLeniently(segment); again != segment {
			if strings.Contains(again, "/") {
				return resize.BadKey("the key holds a slash that is encoded twice")
			}
			if err := checkSegment(again); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkSegment(segment string) error {
	if segment == "." || segment == ".." {
		return resize.BadKey("the key has a segment that is . or ..")
	}
	return checkText(segment)
}

func checkText(s string) error {
	if !utf8.ValidString(s) {
		return resize.BadKey("the key is not UTF-8")
	}
	if strings.Contains(s, `\`) {
		return resize.BadKey("the key holds a backslash")
	}
	if strings.IndexFunc(s, unicode.IsControl) >= 0 {
		return resize.BadKey("the key holds a control character")
	}
	return nil
}

// decodeLeniently decodes every percent escape of s and leaves a percent sign that begins none, so that
// one stray sign cannot hide an escape beside it.
func decodeLeniently(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			b = append(b, fromHex(s[i+1])<<4|fromHex(s[i+2]))
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func fromHex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// ValidSource tells whether name has the form of a source's name: [a-z0-9][a-z0-9-]{0,31}.
func ValidSource(name string) bool {
	if name == "" || len(name) > 32 || name[0] == '-' {
		return false
	}
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// checkWatermark checks the value of wm where it names a picture of a source.
func checkWatermark(image string) error {
	source, key, ok := strings.Cut(image, "/")
	if !ok {
		return nil
	}
	if !ValidSource(source) || CheckKey(key) != nil && CheckURL(key) != nil {
		return resize.BadOption("wm: " + quote(image) + " is not allowed; allowed: " + resize.Allowed("wm"))
	}
	return nil
}
