package origin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// TestPublic refuses what a webhook may not reach, before and while it is dialed, and follows no redirect.
func TestPublic(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
	}))
	t.Cleanup(server.Close)
	p, open := NewPublic(nil), NewPublic([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	t.Cleanup(func() { _, _ = p.Close(), open.Close() })
	names := map[string]string{"good.example": "93.184.215.14", "inside.example": "10.0.0.1", "both.example": "93.184.215.14 127.0.0.1"}
	p.lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
		var ips []netip.Addr
		for text := range strings.FieldsSeq(names[host]) {
			ips = append(ips, netip.MustParseAddr(text))
		}
		return ips, nil
	}
	for address, want := range map[string]bool{
		"https://good.example/hook": true, "http://good.example:8080/": true, "http://93.184.215.14/": true,
		"http://inside.example/": false, "http://both.example/": false, "http://nowhere.example/": false,
		"http://127.0.0.1/": false, "http://[::1]/": false, "http://[::ffff:10.0.0.1]/": false, "http://169.254.169.254/": false, "http://0.0.0.0/": false,
		"ftp://good.example/": false, "good.example": false, "http://user:word@good.example/": false, "http:///": false, "http://%zz/": false, "": false,
	} {
		if err := p.Check(t.Context(), address); (err == nil) != want {
			t.Errorf("Check(%q) = %v, want allowed %v", address, err, want)
		}
	}
	ask := func(p *Public) (*http.Response, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		return p.RoundTrip(req)
	}
	if resp, err := ask(p); err == nil {
		_ = resp.Body.Close()
		t.Error("a loopback address was dialed")
	}
	resp, err := ask(open)
	if err != nil {
		t.Fatalf("an allowed address: %v", err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusFound || asked != 1 {
		t.Errorf("status %d after %d requests, want the redirect itself", resp.StatusCode, asked)
	}
}
