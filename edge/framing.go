package edge

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// oddFraming reports whether a request's header could be read in two ways by two servers, in the cases
// that fasthttp lets pass: a length beside a transfer coding (RFC 9112 section 6.3), and folded lines
// (section 5.2). It allocates nothing.
func oddFraming(h *fasthttp.RequestHeader) bool {
	raw := h.RawHeaders()
	if bytes.Contains(raw, []byte("\n ")) || bytes.Contains(raw, []byte("\n\t")) {
		return true
	}
	return hasLine(raw, "transfer-encoding:") && hasLine(raw, "content-length:")
}

// hasLine reports whether one of the lines begins with a name in lower case, its colon included.
func hasLine(raw []byte, name string) bool {
	for line := range bytes.Lines(raw) {
		if len(line) >= len(name) && line[0]|0x20 == name[0] && bytes.EqualFold(line[:len(name)], []byte(name)) {
			return true
		}
	}
	return false
}

// refuseOdd answers a request whose end cannot be told for sure, and ends its connection.
func (x *exchange) refuseOdd() {
	x.fail(errBadRequest)
	x.ctx.SetConnectionClose()
}
