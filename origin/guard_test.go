package origin

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	tests := []struct {
		name string
		ips  []string
		want bool // may be dialed
	}{
		{"public IPv4", []string{"1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "198.20.0.1", "223.255.255.254", "11.0.0.1"}, true},
		{"public IPv6", []string{"2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001:80b::200e"}, true},
		{"this network", []string{"0.0.0.0", "0.1.2.3", "0.255.255.255"}, false},
		{"private", []string{"10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255"}, false},
		{"loopback", []string{"127.0.0.1", "127.1.2.3", "127.255.255.255", "::1"}, false},
		{"link-local", []string{"169.254.0.1", "169.254.255.255", "fe80::1", "febf::1"}, false},
		{"CGNAT", []string{"100.64.0.1", "100.127.255.255"}, false},
		{"protocol assignments", []string{"192.0.0.1", "192.0.0.255"}, false},
		{"benchmarking", []string{"198.18.0.1", "198.19.255.255"}, false},
		{"documentation", []string{"192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"}, false},
		{"multicast, reserved, broadcast", []string{"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "ff02::1"}, false},
		{"unique local", []string{"fc00::1", "fd00::1", "fdff:ffff::1"}, false},
		{"site-local", []string{"fec0::1"}, false},
		{"unspecified", []string{"::"}, false},
		{"IPv4-mapped", []string{"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8"}, false},
		{"IPv4-compatible", []string{"::127.0.0.1", "::10.0.0.1", "::169.254.169.254"}, false},
		{"IPv4-translated", []string{"::ffff:0:127.0.0.1"}, false},
		{"NAT64", []string{"64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::10.0.0.1"}, false},
		{"6to4", []string{"2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:a00:1::1"}, false},
		{"Teredo", []string{"2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"}, false},
		{"ISATAP", []string{"2a00:1450::5efe:10.0.0.1", "2a00:1450::200:5efe:127.0.0.1", "fe80::5efe:10.0.0.1"}, false},
		{"metadata", []string{"169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "168.63.129.16"}, false},
		{"zone", []string{"fe80::1%lo", "2606:4700:4700::1111%eth0"}, false},
		{"discard, segment routing", []string{"100::1", "5f00::1"}, false},
	}
	g := newGuard(nil)
	for _, tt := range tests {
		for _, text := range tt.ips {
			err := dialed(g, netip.MustParseAddr(text), "80")
			if (err == nil) != tt.want {
				t.Errorf("%s: %s: %v, want allowed %v", tt.name, text, err, tt.want)
			}
			if err != nil && !errors.Is(err, errAddress) {
				t.Errorf("%s: %s: %v is not the guard's refusal", tt.name, text, err)
			}
		}
	}
	for _, tt := range []struct{ network, address string }{
		{"udp4", "8.8.8.8:80"}, {"unix", "/run/x.sock"}, {"tcp4", "8.8.8.8"}, {"tcp4", ""},
	} {
		if err := g.control(tt.network, tt.address, nil); !errors.Is(err, errAddress) {
			t.Errorf("control(%s, %q) = %v, want a refusal", tt.network, tt.address, err)
		}
	}
}

func dialed(g *guard, ip netip.Addr, port string) error {
	network := "tcp6"
	if ip.Is4() {
		network = "tcp4"
	}
	return g.control(network, net.JoinHostPort(ip.String(), port), nil)
}

func TestGuardAllowNetworks(t *testing.T) {
	g := newGuard([]netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32"), netip.MustParsePrefix("127.0.0.1/32")})
	for text, want := range map[string]bool{
		"10.1.2.3": true, "10.2.0.1": false, "127.0.0.1": true, "127.0.0.2": false, "fd00:1::5": true, "fd00:2::5": false,
		"::ffff:10.1.2.3": true, "::ffff:10.2.2.3": false, "fd00:1::5%eth0": false, "8.8.8.8": true, "169.254.169.254": false,
	} {
		if err := dialed(g, netip.MustParseAddr(text), "8080"); (err == nil) != want {
			t.Errorf("%s: %v, want allowed %v", text, err, want)
		}
	}
}

func TestAllow(t *testing.T) {
	tests := []struct {
		pattern, url string
		want         bool
	}{
		{"https://a.example.com/", "https://a.example.com/x.jpg", true},
		{"https://a.example.com", "https://a.example.com/x.jpg", true},
		{"https://a.example.com/", "https://a.example.com", true},
		{"https://a.example.com/", "https://A.Example.COM/x.jpg?w=1", true},
		{"https://a.example.com/", "http://a.example.com/x.jpg", false},
		{"https://a.example.com/", "https://b.example.com/x.jpg", false},
		{"https://a.example.com", "https://a.example.com.evil.test/x.jpg", false},
		{"https://a.example.com", "https://a.example.com@evil.test/x.jpg", false},
		{"https://a.example.com/", "https://u:p@a.example.com/x.jpg", false},
		{"https://a.example.com/", "https://u@a.example.com/x.jpg", false},
		{"https://a.example.com/", "https://a.example.com./x.jpg", false},
		{"https://a.example.com/", "https://evil.test/https://a.example.com/x.jpg", false},
		{"https://a.example.com/", `https://evil.test\@a.example.com/x.jpg`, false},
		{"https://a.example.com/", "https://evil.test#@a.example.com/x.jpg", false},
		{"https://a.example.com/", "https://a.example.com/x.jpg#f", false},
		{"https://a.example.com/", "//a.example.com/x.jpg", false},
		{"https://a.example.com/", "a.example.com/x.jpg", false},
		{"https://a.example.com/", "https:a.example.com/x.jpg", false},
		{"https://a.example.com/", "file://a.example.com/x.jpg", false},
		{"https://a.example.com/", "gopher://a.example.com/x.jpg", false},
		{"https://a.example.com/", "https:///x.jpg", false},
		{"https://a.example.com/", "", false},
		{"https://*.example.com/", "https://a.example.com/x.jpg", true},
		{"https://*.example.com/", "https://a.b.example.com/x.jpg", false},
		{"https://*.example.com/", "https://example.com/x.jpg", false},
		{"https://*.example.com/", "https://.example.com/x.jpg", false},
		{"https://*.example.com/", "https://aexample.com/x.jpg", false},
		{"https://img.*.example.com/", "https://img.eu.example.com/x.jpg", true},
		{"https://*/", "https://anything.at.all.test/x.jpg", true},
		{"https://*/", "https://1.2.3.4/x.jpg", true},
		{"https://*/", "https://[2606:4700::1]/x.jpg", true},
		{"https://*/", "https://[fe80::1%25eth0]/x.jpg", false},
		{"https://*/", "http://anything.test/x.jpg", false},
		{"https://*/", "https://größe.test/x.jpg", false},
		{"https://a.test/", "https://a.test:443/x.jpg", true},
		{"https://a.test/", "https://a.test:80/x.jpg", true},
		{"https://a.test/", "https://a.test:8443/x.jpg", false},
		{"https://a.test/", "https://a.test:/x.jpg", false},
		{"https://a.test/", "https://a.test:22/x.jpg", false},
		{"https://a.test:8443/", "https://a.test:8443/x.jpg", true},
		{"https://a.test:8443/", "https://a.test/x.jpg", false},
		{"https://a.test:443/", "https://a.test/x.jpg", true},
		{"https://a.test:443/", "https://a.test:80/x.jpg", false},
		{"https://[2606:4700::1]/", "https://[2606:4700::1]/x.jpg", true},
		{"https://a.test/pictures", "https://a.test/pictures/x.jpg", true},
		{"https://a.test/pictures", "https://a.test/pictures-of-others/x.jpg", false},
		{"https://a.test/pictures/", "https://a.test/pictures/../secret.jpg", false},
		{"https://a.test/pictures/", "https://a.test/pictures/%2e%2e/secret.jpg", false},
		{"https://a.test/pictures/", "https://a.test/pictures/%252e%252e/secret.jpg", false},
		{"https://a.test/pictures/", "https://a.test/pictures/..%2fsecret.jpg", false},
		{"https://a.test/pictures/", `https://a.test/pictures/..%5csecret.jpg`, false},
		{"https://a.test/pictures/", "https://a.test/pictures%2fx.jpg", false},
		{"https://a.test/pictures/", "https://a.test/Pictures/x.jpg", false},
		{"https://a.test/pictures/", "https://a.test/pictures/100%25.jpg", true},
		{"https://a.test/", "https://a.test/x%00.jpg", false},
	}
	for _, tt := range tests {
		h, err := NewHTTP(HTTPSettings{Allow: []string{tt.pattern}})
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		u, err := h.locate(tt.url)
		if (err == nil) != tt.want {
			t.Errorf("allow %s, %s: %v %v, want allowed %v", tt.pattern, tt.url, u, err, tt.want)
		}
	}
}

func TestRootedKeys(t *testing.T) {
	h, err := NewHTTP(HTTPSettings{Base: "https://a.test:444/p%2Fq/r"})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"a.jpg": "https://a.test:444/p%2Fq/r/a.jpg", "d/ü ?#%.jpg": "https://a.test:444/p%2Fq/r/d/%C3%BC%20%3F%23%25.jpg",
		"https://evil.test/x": "https://a.test:444/p%2Fq/r/https://evil.test/x", "@evil.test": "https://a.test:444/p%2Fq/r/@evil.test",
		"a:b": "https://a.test:444/p%2Fq/r/a:b", "100%25.jpg": "https://a.test:444/p%2Fq/r/100%2525.jpg",
		"../x": "", "a/../../x": "", `a\b`: "", "%2e%2e/x": "", "a\x00": "", "a\nb": "",
	} {
		u, err := h.locate(key)
		if want == "" {
			if err == nil {
				t.Errorf("locate(%q) = %v, want a refusal", key, u)
			}
			continue
		}
		if err != nil || u.String() != want {
			t.Errorf("locate(%q) = %v, %v; want %s", key, u, err, want)
		}
	}
}

func TestHTTPSettings(t *testing.T) {
	for name, set := range map[string]HTTPSettings{
		"neither":               {},
		"scheme":                {Base: "ftp://a.test/"},
		"no scheme":             {Base: "a.test"},
		"user":                  {Base: "https://me:hush@a.test/"},
		"query":                 {Base: "https://a.test/?x=1"},
		"fragment":              {Base: "https://a.test/#x"},
		"dots":                  {Base: "https://a.test/a/../b/"},
		"star in base":          {Base: "https://*.test/"},
		"part of a label":       {Allow: []string{"https://img*.test/"}},
		"empty label":           {Allow: []string{"https://*..test/"}},
		"star without scheme":   {Allow: []string{"*"}},
		"second entry":          {Allow: []string{"https://a.test/", "javascript:x"}},
		"hop-by-hop field":      {Base: "https://a.test/", Headers: map[string]string{"connection": "close"}},
		"conditional field":     {Base: "https://a.test/", Headers: map[string]string{"If-None-Match": "x"}},
		"line break in value":   {Base: "https://a.test/", Headers: map[string]string{"X-A": "a\r\nX-B: b"}},
		"field name with colon": {Base: "https://a.test/", Headers: map[string]string{"X:A": "a"}},
	} {
		_, err := NewHTTP(set)
		if err == nil {
			t.Errorf("%s: taken", name)
		} else if strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v repeats the password", name, err)
		}
	}
	_, err := NewHTTP(HTTPSettings{Base: "ftp://a.test", Allow: []string{"b"}, Headers: map[string]string{"Te": "x"}})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("three mistakes are told as %v", err)
	}
}

func TestPeerOfOpenSource(t *testing.T) {
	open, err := NewHTTP(HTTPSettings{Allow: []string{"https://*/"}})
	if err != nil {
		t.Fatal(err)
	}
	rootedOrigin, err := NewHTTP(HTTPSettings{Base: "https://a.test/"})
	if err != nil {
		t.Fatal(err)
	}
	if got := open.peer("https://A.test:8443/x.jpg"); got != "a.test:8443" {
		t.Errorf("peer = %q", got)
	}
	if got := open.peer("https://[::1"); got != "" {
		t.Errorf("peer of nonsense = %q", got)
	}
	if got := rootedOrigin.peer("x.jpg"); got != "" {
		t.Errorf("peer of a rooted source = %q", got)
	}
}

func FuzzAllow(f *testing.F) {
	for _, seed := range []string{"https://a.test/in/x.jpg", "https://a.test@evil.test/in/", `https://a.test\@evil/in/`, "https://a.test/in/%2e%2e/x", "https:a.test/in/"} {
		f.Add(seed)
	}
	h, err := NewHTTP(HTTPSettings{Allow: []string{"https://a.test/in/"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, key string) {
		u, err := h.locate(key)
		if err != nil {
			return
		}
		again, err := url.Parse(u.String())
		if err != nil || !strings.EqualFold(again.Hostname(), "a.test") || again.Scheme != "https" || again.User != nil {
			t.Fatalf("locate(%q) = %v, which reads as %v, %v", key, u, again, err)
		}
		if clean := again.JoinPath(); !strings.HasPrefix(clean.Path, "/in") {
			t.Fatalf("locate(%q) leaves the folder: %v", key, clean)
		}
	})
}
