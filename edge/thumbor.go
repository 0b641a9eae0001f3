package edge

import (
	"time"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/signing"
)

// Thumbor is the grammar of thumbor's and imagor's URLs, as the mount's flavor says.
type Thumbor struct {
	Mount *dialect.ThumborMount
	Key   signing.ThumborKey
}

var (
	_ Grammar   = (*Thumbor)(nil)
	_ Inspector = (*Thumbor)(nil)
)

// Dialect returns "thumbor", or "imagor" where the mount has that flavor.
func (g *Thumbor) Dialect() string {
	if g.Mount.Flavor == dialect.FlavorImagor {
		return "imagor"
	}
	return "thumbor"
}

// Read verifies a target and reads it, from the very text that its hash signs.
func (g *Thumbor) Read(target string, now time.Time) (dialect.Request, error) {
	e := g.Mount.Split(target)
	text, err := g.verify(e)
	if err != nil {
		return dialect.Request{}, err
	}
	end, err := g.Mount.Expires(e, text)
	if err != nil {
		return dialect.Request{}, err
	}
	if end != 0 && now.Unix() > end {
		return dialect.Request{}, g.Expired()
	}
	return g.Mount.Request(e, text)
}

// verify returns the text that the hash signs.
func (g *Thumbor) verify(e dialect.ThumborEnvelope) (text string, err error) {
	switch {
	case e.Unsafe && g.Mount.Unsafe:
		return e.Path, nil
	case e.Unsafe:
		return "", g.Key.Mismatch()
	default:
		return g.Key.Verify(e.Path, e.Hash)
	}
}

// Expired returns imagor's 410; thumbor's own URLs never expire.
func (g *Thumbor) Expired() error { return errExpired }

// Explain returns the path behind the hash, and why the hash does not match it.
func (g *Thumbor) Explain(target, prefix string) (text string, hints []string) {
	e := g.Mount.Split(target)
	if e.Unsafe {
		if g.Mount.Unsafe {
			return e.Path, nil
		}
		return e.Path, g.Key.Explain(e.Path, "unsafe", prefix, e.Query)
	}
	return e.Path, g.Key.Explain(e.Path, e.Hash, prefix, e.Query)
}

// Signed says how a target stands with its hash.
func (g *Thumbor) Signed(target string) (state string, err error) {
	e := g.Mount.Split(target)
	_, err = g.verify(e)
	switch {
	case err != nil && (e.Unsafe || e.Hash == ""):
		return signatureMissing, err
	case err != nil:
		return signatureBad, err
	case e.Unsafe:
		return signatureUnneeded, nil
	default:
		return signatureGood, nil
	}
}

// Peek reads a target without believing its hash.
func (g *Thumbor) Peek(target string) (dialect.Request, error) {
	e := g.Mount.Split(target)
	text, err := g.verify(e)
	if err != nil {
		text = e.Path
	}
	return g.Mount.Request(e, text)
}

// Sign puts the hash of the path in front of it.
func (g *Thumbor) Sign(target string) (string, error) {
	if g.Key.Secret == "" {
		return "", errNoKey()
	}
	target, err := signable(target)
	if err != nil {
		return "", err
	}
	return "/" + g.Key.Sign(target[1:]) + target, nil
}
