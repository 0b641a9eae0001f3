package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const (
	maxRedirects   = 3
	maxHeaderBytes = 64 << 10 // of a response
	tlsTimeout     = 5 * time.Second
	idleTimeout    = 90 * time.Second
	idlePerHost    = 32
	idleTotal      = 256
)

// HTTPSettings configure an HTTP origin. With Base it is rooted: keys are paths below it. Without, it
// is open: keys are whole URLs, and Allow says which.
type HTTPSettings struct {
	Base          string            // https://host/path/; the trailing slash is added where it lacks
	Allow         []string          // https://*.example.com/: * is one host label, or alone any host; no port = 80 and 443. On a rooted origin: where redirects may lead besides Base
	Headers       map[string]string // sent with each request to Base's server, or to any server of an open origin; never on to another server after a redirect
	AllowNetworks []netip.Prefix    // lifts the block of private addresses for these
	Lookup        LookupFunc        // resolves names; nil = the system's resolver. What it answers is checked all the same
}

// HTTP opens originals on web servers. It connects to public addresses only, follows at most 3
// redirects, each checked like the first URL, and sends nothing of the client's request.
type HTTP struct {
	base      *url.URL // nil = open
	allow     []pattern
	headers   http.Header
	host      string // Host to send to Base's server; "" = from the URL
	transport steady
}

var _ Opener = (*HTTP)(nil)

// NewHTTP checks the settings, all of them before it answers. Close releases idle connections.
func NewHTTP(set HTTPSettings) (*HTTP, error) {
	h := &HTTP{headers: http.Header{"User-Agent": {"imgedge"}, "Accept": {"*/*"}}}
	errs := []error{h.setBase(set), h.setAllow(set.Allow), h.setHeaders(set.Headers)}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	// Asked for by name: without the field a server may take any coding for welcome.
	h.headers.Set("Accept-Encoding", "identity")
	h.transport = steady{newTransport(newDialer(newGuard(set.AllowNetworks), set.Lookup))}
	return h, nil
}

// newTransport takes no proxy from the environment: it would dial in the guard's place.
func newTransport(d *dialer) *http.Transport {
	return &http.Transport{
		DialContext:            d.DialContext,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		TLSHandshakeTimeout:    tlsTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConns:           idleTotal,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTimeout,
	}
}

func (h *HTTP) setBase(set HTTPSettings) (err error) {
	if set.Base == "" {
		if len(set.Allow) == 0 {
			return errors.New("base: an HTTP source needs base or allow")
		}
		return nil
	}
	if h.base, err = parseOrigin(set.Base); err != nil {
		return fmt.Errorf("base: %w", err)
	}
	if strings.Contains(h.base.Host, "*") {
		return fmt.Errorf("base: %q: * is not possible here", set.Base)
	}
	return nil
}

func (h *HTTP) setAllow(list []string) error {
	var errs []error
	for _, text := range list {
		p, err := parsePattern(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("allow: %w", err))
		}
		h.allow = append(h.allow, p)
	}
	return errors.Join(errs...)
}

func (h *HTTP) setHeaders(fields map[string]string) error {
	var errs []error
	for name, value := range fields {
		switch key := http.CanonicalHeaderKey(name); key {
		case "Host":
			h.host = value
		case "Connection", "Content-Length", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Accept-Encoding",
			"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since":
			errs = append(errs, fmt.Errorf("headers: %s cannot be set", key))
		default:
			if !token(key) || strings.ContainsAny(value, "\r\n\x00") {
				errs = append(errs, fmt.Errorf("headers: %q is no header field", name))
			}
			h.headers.Set(key, value)
		}
	}
	return errors.Join(errs...)
}

// token reports whether s may name a header field.
func token(s string) bool {
	return s != "" && printable(s) && !strings.ContainsAny(s, ` "(),/:;<=>?@[\]{}`)
}

// Close releases idle connections.
func (h *HTTP) Close() error {
	h.transport.CloseIdleConnections()
	return nil
}

// peer names the server that key lies on; a rooted origin has but one.
func (h *HTTP) peer(key string) string {
	if h.base != nil {
		return ""
	}
	u, err := url.Parse(key)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// Open asks for the original called key.
func (h *HTTP) Open(ctx context.Context, key string, cond Conditions) (*Object, error) {
	first, err := h.locate(key)
	if err != nil {
		return nil, forbidden(err)
	}
	u := first
	for range maxRedirects + 1 {
		resp, err := h.get(ctx, u, cond, sameServer(first, u))
		if err != nil {
			return nil, err
		}
		if !redirects(resp.StatusCode) {
			return objectOf(resp)
		}
		discard(resp)
		if u, err = h.next(u, resp.Header.Get("Location")); err != nil {
			return nil, err
		}
	}
	return nil, invalid(errRedirects)
}

// locate returns the URL that key stands for, if it may be asked.
func (h *HTTP) locate(key string) (*url.URL, error) {
	if h.base != nil {
		u := *h.base
		u.Path = h.base.Path + key
		u.RawPath = h.base.EscapedPath() + (&url.URL{Path: key}).EscapedPath() // %2F in Base stays
		return &u, h.check(&u)
	}
	u, err := url.Parse(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errURL, err)
	}
	return u, h.check(u)
}

// check refuses a URL that neither Base nor Allow covers.
func (h *HTTP) check(u *url.URL) error {
	if !webURL(u) || !plainPath(u) {
		return errURL
	}
	if h.base != nil && sameServer(h.base, u) && strings.HasPrefix(rooted(u.EscapedPath()), h.base.EscapedPath()) {
		return nil
	}
	for _, p := range h.allow {
		if p.matches(u) {
			return nil
		}
	}
	return errURL
}

// next returns where a redirect leads.
func (h *HTTP) next(from *url.URL, location string) (*url.URL, error) {
	if location == "" {
		return nil, invalid(errNoLocation)
	}
	u, err := from.Parse(location)
	if err != nil {
		return nil, invalid(err)
	}
	u.Fragment, u.RawFragment = "", ""
	if err := h.check(u); err != nil {
		return nil, forbidden(err)
	}
	return u, nil
}

// get sends one request. own tells whether u lies on the server that was meant first: only that one
// gets the configured header fields.
func (h *HTTP) get(ctx context.Context, u *url.URL, cond Conditions, own bool) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, forbidden(err)
	}
	if own {
		req.Header, req.Host = h.headers.Clone(), h.host
	} else {
		req.Header.Set("User-Agent", "imgedge")
		req.Header.Set("Accept-Encoding", "identity")
	}
	if name, value := validators(cond); name != "" {
		req.Header.Set(name, value)
	}
	resp, err := h.transport.RoundTrip(req)
	switch {
	case errors.Is(err, errAddress):
		return nil, forbidden(err)
	case err != nil:
		return nil, failed(err)
	}
	return resp, nil
}

// objectOf turns a final answer into an object, or into what its status means.
func objectOf(resp *http.Response) (*Object, error) {
	now := time.Now()
	switch resp.StatusCode {
	case http.StatusNotModified:
		discard(resp)
		return &Object{NotModified: true, Size: -1, Meta: metaOf(resp.Header, now)}, nil
	case http.StatusOK, http.StatusNonAuthoritativeInfo:
	default:
		discard(resp)
		return nil, statusError(resp.StatusCode, resp.Header, fmt.Errorf("origin answered %d", resp.StatusCode), now)
	}
	body, size, err := decoded(resp.Header, resp.Body, resp.ContentLength)
	if err != nil {
		_ = resp.Body.Close() // err says more
		return nil, err
	}
	return &Object{Body: body, Size: size, Meta: metaOf(resp.Header, now)}, nil
}

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	default:
		return false
	}
}

// sameServer compares scheme, host and port.
func sameServer(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return defaultPort(u.Scheme)
}

// discard closes a body that nobody wants. A short one is read first, to keep the connection.
func discard(resp *http.Response) {
	if resp.ContentLength >= 0 && resp.ContentLength <= 4096 {
		_, _ = io.CopyN(io.Discard, resp.Body, resp.ContentLength+1) // the connection is then dropped
	}
	_ = resp.Body.Close() // only read
}
