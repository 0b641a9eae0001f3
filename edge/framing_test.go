package edge

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// T16: odd framing is a 400 and ends the connection, so that nothing behind it is read as a request.
func TestFraming(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), ReadTimeout: 2 * time.Second}, testSite())
	smuggled := "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, row := range []struct{ name, request string }{
		{"CL and TE", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled},
		{"TE and CL", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + smuggled},
		{"two CL that differ", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}" + smuggled},
		{"two equal CL", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + smuggled},
		{"CL list", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\n{}" + smuggled},
		{"negative CL", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nContent-Length: -2\r\n\r\n" + smuggled},
		{"CL with a sign", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n{}" + smuggled},
		{"CL beyond all", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\n{}" + smuggled},
		{"CL in hex", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nContent-Length: 0x2\r\n\r\n{}" + smuggled},
		{"bad chunk size", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n" + smuggled},
		{"chunk longer than said", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n" + smuggled},
		{"chunk size beyond all", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n" + smuggled},
		{"other TE", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + smuggled},
		{"two TE", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + smuggled},
		{"TE in HTTP/1.0", "POST /v1/purge HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled},
		{"space before colon", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n" + smuggled},
		{"space before CL's colon", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nContent-Length : 2\r\n\r\n{}" + smuggled},
		{"NUL in a header", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\x00c\r\n\r\n" + smuggled},
		{"NUL in a header's name", "GET /healthz HTTP/1.1\r\nHost: a\r\nX\x00A: b\r\n\r\n" + smuggled},
		{"NUL in the target", "GET /free/a\x00.jpg HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
		{"no colon", "GET /healthz HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n" + smuggled},
		{"folded header", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n" + smuggled},
		{"header folded with a tab", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\tc\r\n\r\n" + smuggled},
		{"first header begins with a space", "GET /healthz HTTP/1.1\r\n Host: a\r\n\r\n" + smuggled},
		{"no protocol", "GET /healthz\r\nHost: a\r\n\r\n" + smuggled},
		{"two spaces", "GET /free/a.jpg w HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
		{"no Host", "GET /healthz HTTP/1.1\r\n\r\n" + smuggled},
		{"two Hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + smuggled},
		{"a chunk size with a sign", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n" + smuggled},
		{"a negative chunk size", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n" + smuggled},
		{"a chunk size with 0x", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n" + smuggled},
		{"a space before a chunk size", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n 2\r\n{}\r\n0\r\n\r\n" + smuggled},
		{"no chunk size", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\n" + smuggled},
		{"a chunk size ended by LF", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n" + smuggled},
		{"a chunk extension ended by LF", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;a\n{}\r\n0\r\n\r\n" + smuggled},
		{"a chunk without its end", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n" + smuggled},
		{"a chunk ended by LF", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\n0\r\n\r\n" + smuggled},
		{"CL in a trailer", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n" + smuggled},
		{"TE: chunked twice", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + smuggled},
		{"TE: almost chunked", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled},
		{"TE: chunked in quotes", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" + smuggled},
		{"TE: chunked behind a control character", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + smuggled},
		{"TE: chunked with a parameter", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n" + smuggled},
		{"TE: no coding", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \r\n\r\n0\r\n\r\n" + smuggled},
		{"TE: identity", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + smuggled},
		{"identity and CL", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}" + smuggled},
		{"CL: two numbers", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nContent-Length: 1 2\r\n\r\n{}" + smuggled},
		{"CL: nothing", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n{}" + smuggled},
		{"CL: letters behind it", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nContent-Length: 2x\r\n\r\n{}" + smuggled},
		{"CL: just beyond 63 bits", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n{}" + smuggled},
		{"CL: a fraction", "POST /v1/purge HTTP/1.1\r\nHost: a\r\nContent-Length: 2.0\r\n\r\n{}" + smuggled},
		{"bare LF in a header", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\nX-C: d\r\n\r\n" + smuggled},
		{"bare LF before the end", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\n\r\n" + smuggled},
		{"bare CR in a header", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\rX-C: d\r\n\r\n" + smuggled},
		{"CR CR LF", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\r\r\n\r\n" + smuggled},
		{"a header between two bare LF", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\n\nGET /free/a.jpg HTTP/1.1\r\nHost: b\r\n\r\n" + smuggled},
		{"space in a name", "GET /healthz HTTP/1.1\r\nHost: a\r\nX A: b\r\n\r\n" + smuggled},
		{"parenthesis in a name", "GET /healthz HTTP/1.1\r\nHost: a\r\nX(A: b\r\n\r\n" + smuggled},
		{"no name", "GET /healthz HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n" + smuggled},
		{"tab before the colon", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A\t: b\r\n\r\n" + smuggled},
		{"control character in a value", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\x01c\r\n\r\n" + smuggled},
		{"DEL in a value", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\x7fc\r\n\r\n" + smuggled},
		{"HTTP/1.2", "GET /healthz HTTP/1.2\r\nHost: a\r\n\r\n" + smuggled},
		{"HTTP/2.0", "GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n" + smuggled},
		{"HTTP/0.9", "GET /healthz HTTP/0.9\r\nHost: a\r\n\r\n" + smuggled},
		{"HTTP/1.10", "GET /healthz HTTP/1.10\r\nHost: a\r\n\r\n" + smuggled},
		{"a protocol in lower case", "GET /healthz http/1.1\r\nHost: a\r\n\r\n" + smuggled},
		{"two spaces in the request line", "GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
		{"a tab in the request line", "GET\t/healthz\tHTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
		{"a space at the end of the request line", "GET /healthz HTTP/1.1 \r\nHost: a\r\n\r\n" + smuggled},
		{"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
		{"odd method", "G(T /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled},
		{"empty Host", "GET /healthz HTTP/1.1\r\nHost: \r\n\r\n" + smuggled},
		{"Host with a path", "GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n" + smuggled},
		{"Host with a space", "GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n" + smuggled},
		{"garbage", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			resp, body, closed := r.raw(r.public, row.request)
			if resp.StatusCode != http.StatusBadRequest {
				t.Errorf("status %d, want 400: %.200s", resp.StatusCode, body)
			}
			if !closed {
				t.Error("the connection goes on")
			}
			if resp.StatusCode == http.StatusBadRequest && resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("Content-Type = %q", resp.Header.Get("Content-Type"))
			}
		})
	}
}

// What is only unusual is served, and its end is found: the request behind it is answered too.
func TestFramingTaken(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg"))}, testSite())
	for _, row := range []struct{ name, request string }{
		{"a GET with a body", "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"},
		{"a HEAD with chunks", "HEAD /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
		{"chunks with extension and trailer", "POST /nothing HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b\r\n{}\r\n000\r\nX-A: b\r\n\r\n"},
		{"a length with zeros", "POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 002\r\n\r\n{}"},
		{"empty lines first", "\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"300 headers", "GET /healthz HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X-A: b\r\n", 300) + "\r\n"},
		{"an upgrade", "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := r.dial()
			c.send(row.request + "GET /free/a.jpg HTTP/1.1\r\nHost: a\r\n\r\n")
			method, _, _ := strings.Cut(strings.TrimSpace(row.request), " ")
			resp, err := http.ReadResponse(c.reader, &http.Request{Method: method})
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body) // its end shows in the next answer
			if resp.StatusCode == http.StatusBadRequest {
				t.Errorf("status %d", resp.StatusCode)
			}
			if resp, body, err := c.answer(); err != nil || body != "x" {
				t.Errorf("the request behind: %v, body %q, %v", resp, body, err)
			}
		})
	}
}

// The raw target is what is checked: no spelling of a path is another's.
func TestRawTarget(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg"))}, testSite())
	for _, row := range []struct {
		target string
		status int
		code   string
	}{
		{"//free/a.jpg", 400, "bad_key"},
		{"///free/a.jpg", 400, "bad_key"},
		{"/free//a.jpg", 400, "bad_key"},
		{"/free/./a.jpg", 400, "bad_key"},
		{"/free/../a.jpg", 400, "bad_key"},
		{"/free/x/../a.jpg", 400, "bad_key"},
		{"/free/..%2fa.jpg", 400, "bad_key"},
		{"/free/%2e%2e/a.jpg", 400, "bad_key"},
		{"/free/%252e%252e/a.jpg", 400, "bad_key"},
		{"/free/a%5cb.jpg", 400, "bad_key"},
		{"/free/a%00.jpg", 400, "bad_key"},
		{"/free/a%0d%0aX-Evil:%201.jpg", 400, "bad_key"},
		{"/free/a.jpg/", 400, "bad_key"},
		{"/./free/a.jpg", 404, "unknown_source"},
		{"/x/../free/a.jpg", 404, "unknown_source"},
		{"/%66ree/a.jpg", 404, "unknown_source"},
		{"/free%2fa.jpg", 404, "unknown_source"},
		{"/healthz/../free/a.jpg", 404, "unknown_source"},
		{"/v1/../free/a.jpg", 404, "not_found"},
		{"/%68ealthz", 404, "unknown_source"},
		{"/free/a.jpg?w=3", 200, ""},
		{"http://elsewhere.example/free/a.jpg?w=3", 200, ""},
		{"free/a.jpg", 400, "bad_request"},
	} {
		t.Run(row.target, func(t *testing.T) {
			resp, body, _ := r.raw(r.public, "GET "+row.target+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			got := answerOf{resp, body}
			if row.status != 200 {
				got.expect(t, row.status, row.code)
			} else if resp.StatusCode != http.StatusOK {
				t.Errorf("status %d: %s", resp.StatusCode, body)
			}
			for name, values := range resp.Header {
				if strings.Contains(strings.ToLower(name+strings.Join(values, "")), "evil") {
					t.Errorf("the target is echoed in %s: %q", name, values)
				}
			}
		})
	}
	resp, _, _ := r.raw(r.public, "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("OPTIONS *: status %d, want 204", resp.StatusCode)
	}
}

// T17: what arrives is bounded in size and time.
func TestLimits(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), ReadTimeout: 300 * time.Millisecond, MaxBody: 100}, testSite())
	long, _, _ := r.raw(r.public, "GET /free/"+strings.Repeat("a", 5000)+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if long.StatusCode != http.StatusBadRequest { // read whole, and then too long a key
		t.Errorf("a target of 5,000 bytes: status %d, want 400", long.StatusCode)
	}
	header, _, closed := r.raw(r.public, "GET /free/a.jpg HTTP/1.1\r\nHost: a\r\nX-A: "+strings.Repeat("a", 20000))
	if header.StatusCode != http.StatusRequestHeaderFieldsTooLarge || !closed {
		t.Errorf("a header of 20,000 bytes: status %d, closed %v, want 431", header.StatusCode, closed)
	}
	body, _, closed := r.raw(r.admin, "POST /v1/purge HTTP/1.1\r\nHost: localhost\r\nContent-Length: 101\r\n\r\n"+strings.Repeat(" ", 101))
	if body.StatusCode != http.StatusRequestEntityTooLarge || !closed {
		t.Errorf("a body of 101 bytes: status %d, closed %v, want 413", body.StatusCode, closed)
	}
	slow, _, closed := r.raw(r.public, "GET /free/a.jpg HTTP/1.1\r\nHos")
	if slow.StatusCode != http.StatusRequestTimeout || !closed {
		t.Errorf("half a header: status %d, closed %v, want 408", slow.StatusCode, closed)
	}
}

// One address has a bounded number of connections, and gives its places back.
func TestMaxConnsPerIP(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), MaxConnsPerIP: 2}, testSite())
	r.client.CloseIdleConnections()
	request := "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
	ask := func() (net.Conn, bool) {
		c, err := net.Dial("tcp", r.public)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, request) // a refused connection may be closed already
		n, _ := c.Read(make([]byte, 1))   // nothing = refused
		return c, n == 1
	}
	var open []net.Conn
	refused := false
	for range 4 {
		c, ok := ask()
		open = append(open, c)
		refused = refused || !ok
	}
	if !refused {
		t.Error("4 connections of one address are served, 2 are allowed")
	}
	trusting := testSite()
	trusting.TrustProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	r.Reload(trusting)
	for range 3 {
		c, ok := ask()
		open = append(open, c)
		if !ok {
			t.Error("a trusted proxy is limited")
		}
	}
	r.Reload(testSite())
	for _, c := range open {
		_ = c.Close()
	}
	for end := time.Now().Add(10 * time.Second); ; {
		c, ok := ask()
		_ = c.Close()
		if ok {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the places are not given back")
		}
	}
}
