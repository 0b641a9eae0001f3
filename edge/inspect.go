package edge

import (
	"net/url"
	"strings"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/signing"
)

// Inspector is what a Grammar can do for whoever may know its keys: explain, verify and sign. Targets
// begin with a slash, behind the mount's prefix.
type Inspector interface {
	// Signed says how a target stands with its signature: good, bad, missing or unneeded. The error of a
	// bad or missing one is what a request is refused with.
	Signed(target string) (state string, err error)
	// Peek returns what a target would mean if its signature were good and it had not expired.
	Peek(target string) (dialect.Request, error)
	// Sign returns a target, given without its signature, with that of the first key. The error is
	// signing.ErrTarget, or a 400 where there is no key.
	Sign(target string) (string, error)
}

// How a URL stands with its signature.
const (
	signatureGood     = "good"
	signatureBad      = "bad"
	signatureMissing  = "missing"
	signatureUnneeded = "unneeded"
)

// errNoKey is the refusal of a mount that cannot sign.
func errNoKey() error { return badBody("the mount has no key to sign with") }

// MountOf returns the mount that a target lies under, asked of a host (with or without a port, "" =
// unknown, so that mounts of a host are passed over), and the target behind its prefix. It returns nil
// and the whole target where the native grammar is served.
func (s *Site) MountOf(host, target string) (m *Mount, rest string) {
	st := &state{mounts: newMounts(s.Mounts, -1)}
	found, behind := st.mount([]byte(host), []byte(target))
	if found == nil {
		return nil, target
	}
	return &found.Mount, string(behind)
}

// mountOf returns the mount that a caller's URL names, and the target behind its prefix; nil and the
// whole native target where it lies under none. An absolute URL may name the host of a mount.
func (x *exchange) mountOf(text string) (m *mounted, target string, err error) {
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		whole := originForm([]byte(text))
		if m, rest := x.state.mount([]byte(u.Host), whole); m != nil && m.Host != "" {
			return m, string(rest), nil
		}
	}
	if target, err = x.native(text); err != nil {
		return nil, "", err
	}
	host := x.ctx.Host()
	if u, err := url.Parse(x.base()); err == nil && u.Host != "" {
		host = []byte(u.Host)
	}
	m, rest := x.state.mount(host, []byte(target))
	return m, string(rest), nil
}

// isRoot tells a mount's root, under which nothing is.
func isRoot(target string) bool {
	path, _, _ := strings.Cut(target, "?")
	return path == "" || path == "/"
}

// signable checks a target as it is given for signing: one slash, then what can be sent, no query, which
// no dialect signs. unsafe/ in front, which stands for a signature, is cut off.
func signable(target string) (string, error) {
	if !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") || strings.ContainsFunc(target, unsendable) {
		return "", signing.ErrTarget
	}
	if rest, ok := strings.CutPrefix(target, "/unsafe/"); ok {
		target = "/" + rest
	}
	return target, nil
}

// unsendable tells what cannot stand in a path as it is.
func unsendable(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' || r == '?' }
