package edge

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/imgedge/imgedge/dialect"
)

// Mount serves the URLs of another dialect below a prefix, or under a host name, or both. Nothing is
// guessed: below a mount there is no other grammar.
type Mount struct {
	Prefix  string // as in /imgproxy, without a slash at the end; "" = everything under Host
	Host    string // as in img.example.com, without a port; "" = every host
	Grammar Grammar
}

// Grammar verifies and reads the targets of one dialect. It may be used concurrently.
type Grammar interface {
	// Dialect returns the dialect's name, as the configuration spells it.
	Dialect() string
	// Read returns what a target means; it begins with a slash, behind the mount's prefix. Signature,
	// expiry at now, key and options are checked in this order; errors know their HTTPStatus and Code.
	Read(target string, now time.Time) (dialect.Request, error)
	// Expired returns the error of a URL whose last second has passed.
	Expired() error
	// Explain returns the text that the signature of a target is checked against, and the likely
	// mistakes where it does not match. prefix is the mount's.
	Explain(target, prefix string) (text string, hints []string)
}

// mounted is a Mount prepared for serving.
type mounted struct {
	Mount
	memo *memo
	host []byte
}

// newMounts prepares mounts, in the order in which they are tried: those of a host before those of all,
// longer prefixes before shorter ones.
func newMounts(mounts []Mount, memoSize int) []*mounted {
	all := make([]*mounted, 0, len(mounts))
	for _, m := range mounts {
		all = append(all, &mounted{Mount: m, memo: newMemo(memoSize), host: []byte(m.Host)})
	}
	slices.SortStableFunc(all, func(a, b *mounted) int {
		if (a.Host == "") != (b.Host == "") {
			return len(b.Host) - len(a.Host)
		}
		return len(b.Prefix) - len(a.Prefix)
	})
	return all
}

// mount returns the mount that a target lies under, and the target behind its prefix; nil and the whole
// target where the native grammar is served.
func (st *state) mount(host, target []byte) (*mounted, []byte) {
	for _, m := range st.mounts {
		if m.Host != "" && !bytes.EqualFold(hostname(host), m.host) {
			continue
		}
		path, _, _ := bytes.Cut(target, []byte("?"))
		switch {
		case m.Prefix == "":
			return m, target
		case string(path) == m.Prefix, len(path) > len(m.Prefix) && path[len(m.Prefix)] == '/' && string(path[:len(m.Prefix)]) == m.Prefix:
			return m, target[len(m.Prefix):]
		}
	}
	return nil, target
}

// hostname cuts the port off a Host header.
func hostname(host []byte) []byte {
	i := len(host)
	for i > 0 && host[i-1] >= '0' && host[i-1] <= '9' {
		i--
	}
	if i > 0 && i < len(host) && host[i-1] == ':' {
		return host[:i-1]
	}
	return host
}

// readMounted verifies and reads a target of a mount that is not known yet.
func (x *exchange) readMounted(m *mounted, target string) (*known, error) {
	if path, _, _ := strings.Cut(target, "?"); path == "" || path == "/" {
		return nil, errNothingHere
	}
	request, err := m.Grammar.Read(target, x.start)
	if err != nil {
		return nil, err
	}
	src := x.state.sources[request.Source]
	if src == nil {
		return nil, errUnknownSource
	}
	x.source = src
	k := x.state.known(src, request)
	k.expired = m.Grammar.Expired()
	return m.memo.put(target, k), nil
}
