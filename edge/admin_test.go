package edge

import (
	"net"
	"net/http"
	"strings"
	"testing"
)

// Rulings 31 and 53: the admin listener on loopback needs no token, but no other site's page may use it.
func TestAdminOnLoopback(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), Purger: &fakePurger{}}, testSite())
	_, port, err := net.SplitHostPort(r.admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		header []string
		status int
	}{
		{"plain", nil, 200},
		{"localhost", []string{"Host: localhost:" + port}, 200},
		{"localhost in upper case", []string{"Host: LOCALHOST"}, 200},
		{"another loopback address", []string{"Host: 127.9.9.9"}, 200},
		{"IPv6 loopback", []string{"Host: [::1]:" + port}, 200},
		{"foreign host", []string{"Host: evil.example.com"}, 403},
		{"foreign host that begins well", []string{"Host: 127.0.0.1.evil.example.com:" + port}, 403},
		{"foreign address", []string{"Host: 10.0.0.1"}, 403},
		{"foreign origin", []string{"Origin: https://evil.example.com"}, 403},
		{"origin of another port", []string{"Origin: http://127.0.0.1:1"}, 403},
		{"null origin", []string{"Origin: null"}, 403},
		{"own origin", []string{"Origin: http://" + r.admin}, 200},
		{"cross-site", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"same-site", []string{"Sec-Fetch-Site: same-site"}, 403},
		{"same-origin", []string{"Sec-Fetch-Site: same-origin"}, 200},
		{"typed by hand", []string{"Sec-Fetch-Site: none"}, 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, call := range [][2]string{{"POST", "/v1/purge"}, {"GET", "/metrics"}, {"GET", "/"}} {
				got := r.do(call[0], r.admin, call[1], `{"all":true}`, row.header...)
				if got.StatusCode != row.status {
					t.Errorf("%s: status %d, want %d: %.200s", call[1], got.StatusCode, row.status, got.body)
				}
				if row.status == 403 {
					got.expect(t, 403, "forbidden_origin")
				}
			}
		})
	}
}

func TestAdminPages(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg"))}, testSite())
	for _, row := range []struct {
		target string
		status int
		holds  string
	}{
		{"/", 200, "<title>imgedge</title>"},
		{"/metrics", 200, "imgedge_config_reload_success 1"},
		{"/debug/pprof/", 200, "goroutine"},
		{"/debug/pprof/goroutine?debug=1", 200, "goroutine profile"},
		{"/healthz", 200, `"status":"ok"`},
		{"/readyz", 200, `"status":"ok"`},
		{"/v1/openapi.json", 200, `"openapi": "3.1.0"`},
		{"/free/a.jpg", 404, "not_found"},
		{"/v1/nothing", 404, "not_found"},
	} {
		got := r.do("GET", r.admin, row.target, "")
		if got.StatusCode != row.status || !strings.Contains(got.body, row.holds) {
			t.Errorf("%s: status %d, want %d and %q: %.300s", row.target, got.StatusCode, row.status, row.holds, got.body)
		}
		if got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: no nosniff", row.target)
		}
	}
}

// Bound elsewhere, everything but the health checks needs a token of scope admin.
func TestAdminElsewhere(t *testing.T) {
	site := testSite()
	site.Tokens = tokens()
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), Purger: &fakePurger{}}, site)
	r.adminOpen.Store(false) // as ServeAdmin does for an address that is not loopback
	for _, target := range []string{"/", "/metrics", "/debug/pprof/", "/v1/openapi.json", "/nothing"} {
		r.do("GET", r.admin, target, "").expect(t, 401, "unauthorized")
		r.do("GET", r.admin, target, "", "Authorization: Bearer sign-secret").expect(t, 403, "forbidden_scope")
	}
	if got := r.do("GET", r.admin, "/metrics", "", "Authorization: Bearer admin-secret", "Host: any.example.com"); got.StatusCode != http.StatusOK {
		t.Errorf("with a token: status %d", got.StatusCode)
	}
	if got := r.do("GET", r.admin, "/healthz", ""); got.StatusCode != http.StatusOK {
		t.Errorf("healthz: status %d", got.StatusCode)
	}
}

func TestIsLoopback(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:1": true, "127.1.2.3:1": true, "[::1]:1": true, "[::ffff:127.0.0.1]:1": true,
		"0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false, "[fe80::1]:1": false,
	} {
		a, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := isLoopback(a); got != want {
			t.Errorf("isLoopback(%s) = %v, want %v", addr, got, want)
		}
	}
	if isLoopback(&net.UnixAddr{Name: "/x"}) {
		t.Error("a unix socket counts as loopback")
	}
}
