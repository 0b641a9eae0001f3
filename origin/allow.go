package origin

import (
	"fmt"
	"net/url"
	"strings"
)

// pattern is one entry of an allow-list: scheme, host in which a label may be "*" (or the whole host,
// for any public one), port, and a path that the URL's lies under.
type pattern struct {
	scheme string
	labels []string // of the host; nil = any
	port   string   // "" = 80 and 443
	path   string   // escaped, with a slash at its end
}

// parsePattern reads an entry like https://*.example.com/pictures/.
func parsePattern(text string) (pattern, error) {
	u, err := parseOrigin(text)
	if err != nil {
		return pattern{}, err
	}
	p := pattern{scheme: u.Scheme, port: u.Port(), path: u.EscapedPath()}
	if host := strings.ToLower(u.Hostname()); host != "*" {
		p.labels = labelsOf(host)
	}
	for _, label := range p.labels {
		if label == "" || strings.Contains(label, "*") && label != "*" {
			return pattern{}, fmt.Errorf("%q: * must stand for a whole label of the host", text)
		}
	}
	return p, nil
}

// parseOrigin reads the URL of a base or a pattern and gives its path a slash at the end, so that
// /pictures does not mean /pictures-of-others too.
func parseOrigin(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	switch {
	case !webURL(u):
		return nil, fmt.Errorf("%q: want http(s)://host/ without user, query and fragment", u.Redacted())
	case u.RawQuery != "" || u.ForceQuery:
		return nil, fmt.Errorf("%q: a query is not possible here", u.Redacted())
	case !plainPath(u):
		return nil, fmt.Errorf("%q: . and .. are not possible in the path", u.Redacted())
	}
	if !strings.HasSuffix(u.Path, "/") {
		u = u.JoinPath("/")
	}
	return u, nil
}

// matches reports whether u, which webURL and plainPath accept, is allowed.
func (p pattern) matches(u *url.URL) bool {
	return p.scheme == u.Scheme && p.portMatches(u.Port()) && p.hostMatches(strings.ToLower(u.Hostname())) &&
		strings.HasPrefix(rooted(u.EscapedPath()), p.path)
}

func (p pattern) portMatches(port string) bool {
	if p.port != "" {
		return port == p.port || port == "" && p.port == defaultPort(p.scheme)
	}
	return port == "" || port == "80" || port == "443"
}

func (p pattern) hostMatches(host string) bool {
	if p.labels == nil {
		return true
	}
	labels := labelsOf(host)
	if len(labels) != len(p.labels) {
		return false
	}
	for i, want := range p.labels {
		if labels[i] == "" || want != "*" && want != labels[i] {
			return false
		}
	}
	return true
}

// labelsOf splits a host at its dots; an IPv6 address is one label.
func labelsOf(host string) []string {
	if strings.Contains(host, ":") {
		return []string{host}
	}
	return strings.Split(host, ".")
}

// webURL reports whether u is an absolute http(s) URL without user-info and fragment, with a host in
// ASCII and a port, if any, in digits.
func webURL(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Opaque == "" && u.User == nil && u.Fragment == "" &&
		u.Hostname() != "" && printable(u.Host) && !strings.ContainsAny(u.Host, " %") && !strings.HasSuffix(u.Host, ":")
}

// plainPath reports whether no segment of u's path is a dot segment, also for a server that decodes it
// once more, and that it holds no backslash or control character.
func plainPath(u *url.URL) bool {
	again, err := url.PathUnescape(u.Path)
	if err != nil { // a literal percent sign
		again = u.Path
	}
	return plainSegments(u.Path) && plainSegments(again)
}

func plainSegments(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return !strings.ContainsFunc(path, func(r rune) bool { return r == '\\' || r < ' ' || r == 0x7f })
}

// rooted gives an empty path its slash.
func rooted(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}
