package edge

import (
	"strings"
	"time"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/signing"
)

// Imgproxy is the grammar of imgproxy's URLs.
type Imgproxy struct {
	Mount *dialect.ImgproxyMount
	Keys  signing.Imgproxy
}

var (
	_ Grammar   = (*Imgproxy)(nil)
	_ Inspector = (*Imgproxy)(nil)
)

// Dialect returns "imgproxy".
func (g *Imgproxy) Dialect() string { return "imgproxy" }

// Read verifies a target over its repaired path and reads it. Statuses are imgproxy's own.
func (g *Imgproxy) Read(target string, now time.Time) (dialect.Request, error) {
	e := g.Mount.Split(target)
	if err := e.Check(); err != nil {
		return dialect.Request{}, err
	}
	if err := g.Keys.Verify(e.Path, e.Signature); err != nil {
		return dialect.Request{}, err
	}
	if end := g.Mount.Expires(e); end != 0 && now.Unix() > end {
		return dialect.Request{}, g.Expired()
	}
	return g.Mount.Request(e)
}

// Expired returns imgproxy's 404.
func (g *Imgproxy) Expired() error { return dialect.ImgproxyExpired() }

// Explain returns the repaired path, and why the signature does not match it.
func (g *Imgproxy) Explain(target, prefix string) (text string, hints []string) {
	e := g.Mount.Split(target)
	return e.Path, g.Keys.Explain(signing.ImgproxyText{Path: e.Path, Sent: e.Sent, Query: e.Query, Prefix: prefix}, e.Signature)
}

// Signed says how a target stands with its signature. Where no keys are needed, anything but an option
// is one.
func (g *Imgproxy) Signed(target string) (state string, err error) {
	e := g.Mount.Split(target)
	err = g.Keys.Verify(e.Path, e.Signature)
	switch {
	case err != nil && e.Signature == "":
		return signatureMissing, err
	case err != nil:
		return signatureBad, err
	case g.Keys.Unsigned && len(g.Keys.Pairs) == 0:
		return signatureUnneeded, nil
	default:
		return signatureGood, nil
	}
}

// Peek reads a target without believing its signature.
func (g *Imgproxy) Peek(target string) (dialect.Request, error) {
	return g.Mount.Request(g.Mount.Split(target))
}

// Sign puts the signature of the repaired path in front of the path as it is given, behind /info.
func (g *Imgproxy) Sign(target string) (string, error) {
	if len(g.Keys.Pairs) == 0 {
		return "", errNoKey()
	}
	target, err := signable(target)
	if err != nil {
		return "", err
	}
	info := ""
	if path, ok := strings.CutPrefix(target, "/info/"); ok {
		info, target = "/info", "/"+path
	}
	repaired := g.Mount.Split(info + "/_" + target).Path
	return info + "/" + g.Keys.Pairs[0].Sign(repaired, g.Keys.Size) + target, nil
}
