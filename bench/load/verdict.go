package load

import "bytes"

// maxVerdict is the longest verdict that is told apart, bytes.
const maxVerdict = 48

// verdict words, into buffer, what a Cache-Status header (RFC 9211) says of the cache nearest to us, the
// last member: "hit memory", "miss", "miss collapsed", "stale"; "none" without the header. It allocates nothing.
func verdict(header, buffer []byte) []byte {
	member := header[bytes.LastIndexByte(header, ',')+1:]
	var word, detail []byte
	for first := true; len(member) > 0; first = false {
		field, rest, _ := bytes.Cut(member, []byte(";"))
		member = rest
		if first {
			continue // the cache's name
		}
		name, value, _ := bytes.Cut(bytes.TrimSpace(field), []byte("="))
		switch string(name) {
		case "hit":
			word = name
		case "fwd":
			word = value
		case "detail":
			if len(detail) == 0 {
				detail = value
			}
		case "collapsed":
			detail = name
		}
	}
	if len(word) == 0 {
		return append(buffer[:0], "none"...)
	}
	buffer = append(buffer[:0], word...)
	if len(detail) > 0 {
		buffer = append(append(buffer, ' '), detail...)
	}
	return buffer[:min(len(buffer), maxVerdict)]
}
