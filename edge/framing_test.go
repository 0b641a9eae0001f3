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
