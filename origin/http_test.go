package origin

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// counted is a web server that counts its requests.
type counted struct {
	*httptest.Server
	n atomic.Int64
}

func serve(t *testing.T, handler http.HandlerFunc) *counted {
	t.Helper()
	c := &counted{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.n.Add(1)
		handler(w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

// rawServer answers each connection with text, byte for byte, and closes it.
func rawServer(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096)) // the request, which fits
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return "http://" + l.Addr().String() + "/"
}

func TestStatuses(t *testing.T) {
	tests := []struct {
		origin, status int
		code           string
		result         Result
		tries          int64
	}{
		{200, 200, "", ResultOK, 1},
		{203, 200, "", ResultOK, 1},
		{204, 502, "origin_failed", ResultInvalid, 1},
		{206, 502, "origin_failed", ResultInvalid, 1},
		{300, 502, "origin_failed", ResultInvalid, 1},
		{302, 502, "origin_failed", ResultInvalid, 1}, // without Location
		{304, 502, "origin_failed", ResultInvalid, 1}, // without a copy
		{400, 502, "origin_failed", ResultInvalid, 1},
		{401, 404, "not_found", ResultDenied, 1},
		{403, 404, "not_found", ResultDenied, 1},
		{404, 404, "not_found", ResultNotFound, 1},
		{410, 404, "not_found", ResultNotFound, 1},
		{418, 502, "origin_failed", ResultInvalid, 1},
		{429, 502, "origin_failed", ResultFailed, 3},
		{500, 502, "origin_failed", ResultFailed, 3},
		{502, 502, "origin_failed", ResultFailed, 3},
		{503, 502, "origin_failed", ResultFailed, 3},
		{504, 502, "origin_failed", ResultFailed, 3},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.origin), func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(tt.origin) })
			src := &Source{Opener: newHTTP(t, HTTPSettings{Base: server.URL})}
			_, err := src.Fetch(t.Context(), "secret-key.jpg", Conditions{})
			if tt.status == 200 {
				if err != nil {
					t.Fatal(err)
				}
			} else {
				wantStatus(t, err, tt.status, tt.code)
			}
			if got := server.n.Load(); got != tt.tries {
				t.Errorf("asked %d times, want %d", got, tt.tries)
			}
			st := src.Stats()
			if st.Requests[tt.result] != 1 || st.Tries != uint64(tt.tries) || len(st.Requests) != int(results) {
				t.Errorf("stats %+v, want one %v after %d tries", st, tt.result, tt.tries)
			}
		})
	}
}

func TestBrokenAnswers(t *testing.T) {
	tests := []struct {
		name, answer string
		want         string // "" = 502
	}{
		{"length kept", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\npicture", "picture"},
		{"until close", "HTTP/1.1 200 OK\r\n\r\npicture", "picture"},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\npicture\r\n0\r\n\r\n", "picture"},
		{"cut short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npicture", ""},
		{"no body at all", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", ""},
		{"chunks cut short", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\npicture\r\n", ""},
		{"chunk cut short", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\npicture", ""},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 3\r\n\r\npicture", ""},
		{"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\npicture", ""},
		{"length past int64", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\npicture", ""},
		{"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", ""},
		{"nothing", "", ""},
		{"header without end", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Long: "+strings.Repeat("a", 1000)+"\r\n", 100), ""},
		{"brotli unasked", "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 7\r\n\r\npicture", ""},
		{"gzip that is none", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\npicture", ""},
		{"gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + string(gzipped(t, []byte("picture"))), "picture"},
		{"gzip cut short", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + string(gzipped(t, []byte("picture"))[:20]), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := &Source{Opener: newHTTP(t, HTTPSettings{Base: rawServer(t, tt.answer)}), Timeout: 5 * time.Second}
			got, err := src.Fetch(t.Context(), "a.jpg", Conditions{})
			if tt.want == "" {
				wantStatus(t, err, http.StatusBadGateway, "origin_failed")
				if st := src.Stats(); st.Tries > 3 {
					t.Errorf("%d tries, want 3 at most", st.Tries)
				}
				return
			}
			if err != nil || string(got.Data) != tt.want {
				t.Fatalf("got %v, %v; want %q", describe(got), err, tt.want)
			}
		})
	}
}

func TestCutBodyIsNotRetried(t *testing.T) {
	src := &Source{Opener: newHTTP(t, HTTPSettings{Base: rawServer(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")})}
	_, err := src.Fetch(t.Context(), "a.jpg", Conditions{})
	wantStatus(t, err, http.StatusBadGateway, "origin_failed")
	if st := src.Stats(); st.Tries != 1 || st.Bytes != 4 {
		t.Errorf("%d tries, %d bytes; want 1 and 4", st.Tries, st.Bytes)
	}
}

func TestSizeIsCut(t *testing.T) {
	const limit = 100_000
	endless := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1000)); err != nil {
				return
			}
		}
	}
	bomb := gzipped(t, make([]byte, 10_000_000))
	tests := []struct {
		name    string
		handler http.HandlerFunc
		status  int
	}{
		{"at the limit, announced", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(limit))
			_, _ = w.Write(make([]byte, limit))
		}, 200},
		{"at the limit, chunked", func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(make([]byte, limit))
		}, 200},
		{"one more, announced", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(limit+1))
			_, _ = w.Write(make([]byte, limit+1))
		}, 413},
		{"one more, chunked", func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(make([]byte, limit+1))
		}, 413},
		{"endless", endless, 413},
		{"gzip bomb", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb)
		}, 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := serve(t, tt.handler)
			src := &Source{Opener: newHTTP(t, HTTPSettings{Base: server.URL}), MaxBytes: limit}
			got, err := src.Fetch(t.Context(), "a.jpg", Conditions{})
			if tt.status == 200 {
				if err != nil || len(got.Data) != limit {
					t.Fatalf("got %v, %v; want %d bytes", describe(got), err, limit)
				}
				return
			}
			wantStatus(t, err, http.StatusRequestEntityTooLarge, "too_large")
			if !strings.Contains(err.Error(), "limits.source_bytes, 100000 bytes") {
				t.Errorf("text %q does not name the limit", err)
			}
			if st := src.Stats(); st.Bytes > limit+1 || st.Tries != 1 {
				t.Errorf("%d bytes read in %d tries, want at most %d in 1", st.Bytes, st.Tries, limit+1)
			}
		})
	}
}

func TestTotalDeadline(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
	}{
		{"silent", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"dripping", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100000")
			for tick := time.NewTicker(10 * time.Millisecond); ; {
				select {
				case <-tick.C:
					_, _ = io.WriteString(w, "x")
					_ = http.NewResponseController(w).Flush()
				case <-r.Context().Done():
					tick.Stop()
					return
				}
			}
		}},
		{"redirecting slowly", func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(200 * time.Millisecond):
				http.Redirect(w, r, "/x", http.StatusFound)
			case <-r.Context().Done():
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := serve(t, tt.handler)
			src := &Source{Opener: newHTTP(t, HTTPSettings{Base: server.URL}), Timeout: 300 * time.Millisecond}
			start := time.Now()
			_, err := src.Fetch(t.Context(), "a.jpg", Conditions{})
			wantStatus(t, err, http.StatusGatewayTimeout, "origin_timeout")
			if took := time.Since(start); took < 300*time.Millisecond || took > 3*time.Second {
				t.Errorf("took %v, want about 300ms", took)
			}
			if st := src.Stats(); st.Requests[ResultTimeout] != 1 {
				t.Errorf("stats %+v, want one timeout", st)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	base := server.URL
	server.Close()
	src := &Source{Opener: newHTTP(t, HTTPSettings{Base: base}), Timeout: 5 * time.Second}
	_, err := src.Fetch(t.Context(), "a.jpg", Conditions{})
	wantStatus(t, err, http.StatusBadGateway, "origin_failed")
	if st := src.Stats(); st.Tries != 3 {
		t.Errorf("%d tries, want 3", st.Tries)
	}
}

func TestRetryAfterIsCarried(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "17")
			w.WriteHeader(status)
		})
		src := &Source{Opener: newHTTP(t, HTTPSettings{Base: server.URL}), Timeout: 5 * time.Second}
		_, err := src.Fetch(t.Context(), "a.jpg", Conditions{})
		wantStatus(t, err, http.StatusBadGateway, "origin_failed")
		var later interface{ RetryAfter() time.Duration }
		if !errors.As(err, &later) || later.RetryAfter() != 17*time.Second {
			t.Errorf("%d: error %v does not carry Retry-After 17s", status, err)
		}
		if n := server.n.Load(); n != 1 {
			t.Errorf("%d: asked %d times, want 1: 17 s are more than is left", status, n)
		}
	}
}

func TestRedirects(t *testing.T) {
	inside := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secret") })
	var other, server *counted
	other = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Token") != "" || r.Header.Get("Authorization") != "" {
			http.Error(w, "leaked", http.StatusTeapot)
			return
		}
		_, _ = io.WriteString(w, "elsewhere")
	})
	server = serve(t, func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{
			"/in/a1": "/in/ok", "/in/a2": "/in/a1", "/in/a3": "/in/a2", "/in/a4": "/in/a3", "/in/loop": "loop",
			"/in/up": "../secret", "/in/dots": "/in/%2e%2e/secret", "/in/double": "/in/%252e%252e/secret", "/in/back": `/in/..\secret`,
			"/in/inside": inside.URL, "/in/other": other.URL + "/open/x", "/in/otherpath": other.URL + "/closed",
			"/in/private": "http://10.0.0.1/in/", "/in/meta": "http://169.254.169.254/latest/", "/in/file": "file:///etc/passwd",
			"/in/ftp": "ftp://127.0.0.1/x", "/in/user": strings.Replace(server.URL, "http://", "http://u:p@", 1) + "/in/ok",
			"/in/bad": "http://[::1", "/in/fragment": "/in/ok#part", "/in/scheme": "gopher:x",
		}[r.URL.Path]
		switch {
		case to != "":
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusMovedPermanently)
		case r.URL.Path == "/in/ok" && r.Header.Get("X-Token") == "t":
			_, _ = io.WriteString(w, "here")
		default:
			http.NotFound(w, r)
		}
	})
	h := newHTTP(t, HTTPSettings{
		Base: server.URL + "/in/", Allow: []string{other.URL + "/open/"},
		Headers: map[string]string{"x-token": "t", "authorization": "Bearer b"},
	})
	tests := []struct {
		key, want string
		status    int
		code      string
	}{
		{"ok", "here", 0, ""},
		{"a1", "here", 0, ""},
		{"a3", "here", 0, ""},
		{"fragment", "here", 0, ""},
		{"other", "elsewhere", 0, ""},
		{"a4", "", 502, "origin_failed"},
		{"loop", "", 502, "origin_failed"},
		{"bad", "", 502, "origin_failed"},
		{"up", "", 403, "forbidden_source"},
		{"dots", "", 403, "forbidden_source"},
		{"double", "", 403, "forbidden_source"},
		{"back", "", 403, "forbidden_source"},
		{"inside", "", 403, "forbidden_source"},
		{"otherpath", "", 403, "forbidden_source"},
		{"private", "", 403, "forbidden_source"},
		{"meta", "", 403, "forbidden_source"},
		{"file", "", 403, "forbidden_source"},
		{"ftp", "", 403, "forbidden_source"},
		{"user", "", 403, "forbidden_source"},
		{"scheme", "", 403, "forbidden_source"},
	}
	for _, tt := range tests {
		t.Run(tt.key, func(t *testing.T) {
			src := &Source{Opener: h, Timeout: 5 * time.Second}
			got, err := src.Fetch(t.Context(), tt.key, Conditions{})
			if tt.status != 0 {
				wantStatus(t, err, tt.status, tt.code)
				return
			}
			if err != nil || string(got.Data) != tt.want {
				t.Fatalf("got %v, %v; want %q", describe(got), err, tt.want)
			}
		})
	}
	if n := inside.n.Load(); n != 0 {
		t.Errorf("the server inside was reached %d times", n)
	}
}

// TestRedirectToInside lets the allow-list pass anything, so that only the dial guard stands.
func TestRedirectToInside(t *testing.T) {
	inside := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secret") })
	insidePort := portOfServer(t, inside.URL)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
	})
	port := portOfServer(t, server.URL)
	h := newHTTP(t, HTTPSettings{
		Allow:         []string{"http://*:" + port + "/", "http://*:" + insidePort + "/", "http://*:1/"},
		AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
			if host == "rebound.test" {
				return []netip.Addr{netip.MustParseAddr("127.0.0.2")}, nil
			}
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		},
	})
	var texts []string
	for _, to := range []string{
		"http://127.0.0.2:" + insidePort + "/", // open port
		"http://127.0.0.2:1/",                  // closed port
		"http://rebound.test:" + insidePort + "/",
		"http://[::1]:" + insidePort + "/",
		"http://[::ffff:127.0.0.2]:" + insidePort + "/",
		"http://0.0.0.0:" + insidePort + "/",
	} {
		src := &Source{Opener: h, Timeout: 5 * time.Second}
		_, err := src.Fetch(t.Context(), server.URL+"/?to="+url.QueryEscape(to), Conditions{})
		wantStatus(t, err, http.StatusForbidden, "forbidden_source")
		texts = append(texts, err.Error())
		if st := src.Stats(); st.Tries != 1 || st.Open != 0 {
			t.Errorf("%s: %+v, want one try that the breaker ignores", to, st)
		}
	}
	if texts = slices.Compact(texts); len(texts) != 1 {
		t.Errorf("texts differ by reason: %q", texts)
	}
	if n := inside.n.Load(); n != 0 {
		t.Errorf("the server inside was reached %d times", n)
	}
}

func portOfServer(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

// TestNamesResolvingInside asks an open origin, which may ask for any public host, for names.
func TestNamesResolvingInside(t *testing.T) {
	answers := map[string][]string{
		"loopback.test": {"127.0.0.1"}, "ten.test": {"10.1.2.3"}, "both.test": {"10.0.0.1", "127.0.0.1"},
		"meta.test": {"169.254.169.254"}, "mapped.test": {"::ffff:127.0.0.1"}, "six.test": {"::1"}, "nat64.test": {"64:ff9b::7f00:1"},
	}
	h, err := NewHTTP(HTTPSettings{Allow: []string{"http://*/", "https://*/"}, Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
		var ips []netip.Addr
		for _, text := range answers[host] {
			ips = append(ips, netip.MustParseAddr(text))
		}
		return ips, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	src := &Source{Opener: h, Timeout: 2 * time.Second}
	for host := range answers {
		for _, scheme := range []string{"http", "https"} {
			_, err := src.Fetch(t.Context(), scheme+"://"+host+"/a.jpg", Conditions{})
			wantStatus(t, err, http.StatusForbidden, "forbidden_source")
		}
	}
	if _, err := src.Fetch(t.Context(), "http://unknown.test/a.jpg", Conditions{}); resultOf(err) != ResultFailed {
		t.Errorf("a name without address: %v, want failed", err)
	}
}

// TestOddSpellings uses the system's resolver, which reads some of these as addresses.
func TestOddSpellings(t *testing.T) {
	inside := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secret") })
	port := portOfServer(t, inside.URL)
	h, err := NewHTTP(HTTPSettings{Allow: []string{"http://*:" + port + "/", "http://*/"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	for _, host := range []string{
		"127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "0", "0.0.0.0",
		"localhost", "LOCALHOST", "localhost.", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
		"[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "[fe80::1%25lo]", "127.0.0.1%00.example.com", "①②⑦.0.0.1", "127。0。0。1",
	} {
		src := &Source{Opener: h, Timeout: 2 * time.Second}
		_, err := src.Fetch(t.Context(), "http://"+host+":"+port+"/a.jpg", Conditions{})
		var e *Error
		if !errors.As(err, &e) || e.Result != ResultForbidden && e.Result != ResultFailed && e.Result != ResultTimeout {
			t.Errorf("%s: %v, want forbidden, or no such name", host, err)
		}
	}
	if n := inside.n.Load(); n != 0 {
		t.Errorf("the server inside was reached %d times", n)
	}
}

func TestNothingOfTheClient(t *testing.T) {
	var seen http.Header
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		w.Header().Set("Set-Cookie", "id=1")
		_, _ = io.WriteString(w, r.Host)
	})
	h := newHTTP(t, HTTPSettings{Base: server.URL, Headers: map[string]string{"x-key": "k", "host": "pictures.test"}})
	if h.transport.Proxy != nil { // net/http takes none for loopback, whatever the environment says
		t.Error("a proxy would dial in the guard's place")
	}
	src := &Source{Opener: h}
	for range 2 {
		got, err := src.Fetch(t.Context(), "a.jpg", Conditions{ETag: `"v1"`, Modified: time.Now()})
		if err != nil || string(got.Data) != "pictures.test" {
			t.Fatalf("got %v, %v", describe(got), err)
		}
	}
	want := http.Header{
		"Accept": {"*/*"}, "Accept-Encoding": {"identity"}, "User-Agent": {"imgedge"}, "X-Key": {"k"}, "If-None-Match": {`"v1"`},
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("header sent (-want +got):\n%s", diff)
	}
}

func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	h := newHTTP(t, HTTPSettings{Base: server.URL})
	if _, err := (&Source{Opener: h}).Fetch(t.Context(), "a.jpg", Conditions{}); resultOf(err) != ResultFailed {
		t.Errorf("unknown certificate: %v, want failed", err)
	}
	h = newHTTP(t, HTTPSettings{Base: server.URL})
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	config := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.RootCAs = roots
	h.transport.TLSClientConfig = config
	got, err := (&Source{Opener: h}).Fetch(t.Context(), "a.jpg", Conditions{})
	if err != nil || string(got.Data) != "HTTP/2.0" {
		t.Errorf("got %v, %v; want HTTP/2.0", describe(got), err)
	}
}
