package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tests"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	signed := a.sign(t, a.cert)
	a.key = signed.PrivateKey.(*ecdsa.PrivateKey)
	a.cert, _ = x509.ParseCertificate(signed.Certificate[0]) // just made
	return a
}

// sign makes a certificate, which signs itself where the authority has no key yet.
func (a *authority) sign(t *testing.T, cert *x509.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	by := a.key
	if by == nil {
		by = key
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, a.cert, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// forServer makes a certificate of a server.
func (a *authority) forServer(t *testing.T, address string, until time.Time) *tls.Certificate {
	t.Helper()
	return a.sign(t, &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: until, IPAddresses: []net.IP{net.ParseIP(address)}})
}

// A server that shows a wrong certificate, that does not listen, or whose name nobody knows, is an outage: what is at
// hand is served, the rest is 502, and all is well again when the server is.
func TestOriginCannotBeReached(t *testing.T) {
	trusted := newAuthority(t)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: trusted.cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", file) // where Go looks for the system's authorities, in the child
	t.Setenv("SSL_CERT_DIR", t.TempDir())

	later := time.Now().Add(time.Hour)
	good := trusted.forServer(t, "127.0.0.1", later)
	var shown atomic.Pointer[tls.Certificate]
	shown.Store(good)
	var lost atomic.Bool
	// The resolver refuses a label of 64 letters without asking anybody (RFC 1035 section 2.3.4: 63).
	nowhere := "http://" + strings.Repeat("a", 64) + ".test/"
	picture := painted(t, 400, 300)
	o := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if lost.Load() {
			http.Redirect(w, r, nowhere+"a.jpg", http.StatusFound)
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(picture)
	}))
	o.Config.ErrorLog = quiet()
	o.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{*shown.Load()}}, nil
	}}
	o.Config.SetKeepAlivesEnabled(false) // each try shakes hands
	o.StartTLS()
	t.Cleanup(o.Close)
	leaving := newFaultyOrigin(t, false, nil)
	c := startChild(t, fmt.Sprintf(`
log: {level: error}
render: {isolation: none}
sources:
  web: {http: {base: "https://%s/", allow_networks: [127.0.0.0/8]}, unsigned: true, free: true, negative: 1ms}
  open: {http: {allow: ["https://%[1]s/", %q], allow_networks: [127.0.0.0/8]}, unsigned: true, free: true, negative: 1ms}
  leaving: {http: {base: "%[3]s/", allow_networks: [127.0.0.0/8]}, unsigned: true, free: true}
`, o.Listener.Addr(), nowhere, leaving.URL))
	open := "open/" + url.QueryEscape(o.URL)
	for _, row := range []struct {
		name, below string
		from, back  func()
	}{
		{"another's certificate", "web", func() { shown.Store(trusted.forServer(t, "127.0.0.2", later)) }, func() { shown.Store(good) }},
		{"a certificate that is over", "web", func() { shown.Store(trusted.forServer(t, "127.0.0.1", time.Now().Add(-time.Minute))) }, func() { shown.Store(good) }},
		{"a certificate that nobody trusts", "web", func() { shown.Store(newAuthority(t).forServer(t, "127.0.0.1", later)) }, func() { shown.Store(good) }},
		{"nobody listens", "leaving", leaving.Close, nil},
		{"an unknown name", open, func() { lost.Store(true) }, func() { lost.Store(false) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			known := c.base + "/" + row.below + "/known.jpg?w=100&f=webp"
			first := ask(t, http.MethodGet, known)
			first.wantCode(t, http.StatusOK, "")
			row.from()
			cold := ask(t, http.MethodGet, c.base+"/"+row.below+"/cold.jpg?w=100&f=webp")
			cold.wantCode(t, http.StatusBadGateway, "origin_failed")
			if strings.Contains(string(cold.body), "127.0.0.1") || strings.Contains(string(cold.body), "certificate") {
				t.Errorf("the answer tells of the origin: %s", cold.body)
			}
			stale := ask(t, http.MethodGet, known)
			stale.wantCode(t, http.StatusOK, "")
			if status := stale.Header.Get("Cache-Status"); !strings.Contains(status, "fwd-status=502; detail=stale-if-error") || !bytes.Equal(stale.body, first.body) {
				t.Errorf("Cache-Status %q and %d bytes, want the stale copy of %d", status, len(stale.body), len(first.body))
			}
			if row.back == nil {
				return
			}
			row.back()
			var again answer
			eventually(t, "the origin is used again", func() bool {
				again = ask(t, http.MethodGet, known)
				return !strings.Contains(again.Header.Get("Cache-Status"), "stale-if-error")
			})
			again.wantCode(t, http.StatusOK, "")
		})
	}
}
