package edge

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// oddFraming reports whether a request's header could be read in two ways by two servers, in the cases
// that fasthttp lets pass: a length beside a transfer coding, or a coding other than chunked (RFC 9112
// section 6), lines that end in a bare LF (section 2.2), folded lines (section 5.2), spaces in a name
// (section 5.1) and versions that are neither 1.1 nor 1.0. It allocates nothing.
func oddFraming(h *fasthttp.RequestHeader) bool {
	if version := h.Protocol(); string(version) != "HTTP/1.1" && string(version) != "HTTP/1.0" {
		return true
	}
	coded, sized := false, false
	for raw := h.RawHeaders(); len(raw) > 0; {
		end := bytes.IndexByte(raw, '\n')
		if end < 1 || raw[end-1] != '\r' {
			return true
		}
		line := raw[:end-1]
		raw = raw[end+1:]
		if len(line) == 0 {
			break
		}
		name := line[:max(0, bytes.IndexByte(line, ':'))]
		switch {
		case bytes.IndexByte(name, ' ') >= 0 || line[0] == ' ' || line[0] == '\t':
			return true
		case is(name, "transfer-encoding"):
			coded = true
		case is(name, "content-length"):
			sized = true
		}
	}
	return coded && (sized || h.ContentLength() != chunked)
}

// chunked is fasthttp's content length of a chunked body.
const chunked = -1

// is compares a name with one in lower case.
func is(name []byte, lower string) bool {
	return len(name) == len(lower) && bytes.EqualFold(name, []byte(lower))
}

// refuseOdd answers a request whose end cannot be told for sure, and ends its connection.
func (x *exchange) refuseOdd() {
	x.fail(errBadRequest)
	x.ctx.SetConnectionClose()
}
