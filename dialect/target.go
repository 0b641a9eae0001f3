package dialect

import "strings"

// Target returns the unsigned native target of a key: the key percent-encoded (whole, if it is an
// absolute URL), options appended as they are, which may be "". It is what signing signs.
func Target(source, key, options string) string {
	absolute := strings.HasPrefix(key, "http://") || strings.HasPrefix(key, "https://")
	b := make([]byte, 0, len(source)+len(key)+len(options)+16)
	b = append(b, '/')
	b = append(b, source...)
	b = append(b, '/')
	b = appendKey(b, key, absolute)
	if options != "" {
		b = append(b, '?')
		b = append(b, options...)
	}
	return string(b)
}

// appendKey percent-encodes every byte but the unreserved ones (RFC 3986, 2.3) and, unless all is asked
// for, the slash.
func appendKey(b []byte, key string, all bool) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(key) {
		c := key[i]
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z',
			c == '-', c == '.', c == '_', c == '~', c == '/' && !all:
			b = append(b, c)
		default:
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}
