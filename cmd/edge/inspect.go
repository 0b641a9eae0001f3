package main

import (
	"fmt"
	"time"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/edge"
	"github.com/imgedge/imgedge/signing"
)

// mountKeys are the keys of a mount. Targets have its prefix in front.
type mountKeys struct {
	*edge.Mount
	prefix string
}

var (
	_ signatory = mountKeys{}
	_ signatory = nativeKeys{}
)

// inspector returns the grammar's other side.
func (k mountKeys) inspector() (edge.Inspector, error) {
	if i, ok := k.Grammar.(edge.Inspector); ok {
		return i, nil
	}
	return nil, fmt.Errorf("the dialect %s cannot be looked into", k.Grammar.Dialect())
}

func (k mountKeys) sign(target string) (string, error) {
	i, err := k.inspector()
	if err != nil {
		return "", err
	}
	signed, err := i.Sign(target[len(k.prefix):])
	return k.prefix + signed, err
}

func (k mountKeys) verify(target string, now time.Time) error {
	i, err := k.inspector()
	if err != nil {
		return err
	}
	rest := target[len(k.prefix):]
	if err := k.signed(i, rest); err != nil {
		return err
	}
	request, err := i.Peek(rest)
	if err != nil {
		return nil //nolint:nilerr // the signature is good; explain says what is wrong behind it
	}
	if signing.CheckExpiry(request.Expires, now) != nil {
		return expiredAt(request.Expires)
	}
	return nil
}

// signed says what is wrong with the signature of a target behind the prefix.
func (k mountKeys) signed(i edge.Inspector, rest string) error {
	if _, err := i.Signed(rest); err != nil {
		return badSignature(k.Grammar.Explain(rest, k.prefix))
	}
	return nil
}

// inspected is what can be told of a URL without asking for the picture.
type inspected struct {
	dialect   string
	signature string // good, not needed, or what is wrong with it
	request   dialect.Request
	err       error // of the request; the rest stands all the same
}

// inspect reads a URL as the server would, but goes on behind a bad signature and a passed end. base is
// what stood before the target, "" if nothing did.
func (c *Config) inspect(base, target string, now time.Time) (inspected, error) {
	m, rest := c.mountOf(base, target)
	if m == nil {
		return c.inspectNative(target, now)
	}
	k := mountKeys{m, target[:len(target)-len(rest)]}
	i, err := k.inspector()
	if err != nil {
		return inspected{}, err
	}
	found := inspected{dialect: m.Grammar.Dialect(), signature: "good"}
	state, err := i.Signed(rest)
	switch {
	case err != nil:
		found.signature = k.signed(i, rest).Error()
	case state != "good":
		found.signature = "not needed"
	default:
		found.signature = goodOr(k.verify(target, now))
	}
	found.request, found.err = i.Peek(rest)
	return found, nil
}

func (c *Config) inspectNative(target string, now time.Time) (inspected, error) {
	envelope := dialect.Split(target)
	source := c.Sources[envelope.Source]
	if source == nil {
		return inspected{}, fmt.Errorf("there is no source %q", envelope.Source)
	}
	found := inspected{dialect: "native", signature: "not needed"}
	rules := c.rules(envelope.Source)
	if !rules.Unsigned || envelope.Signature != "" {
		rules.Unsigned = false
		found.signature = goodOr(verifyTarget(source.keyring(), target, now))
	}
	found.request, found.err = envelope.Request(rules)
	found.request.Source = envelope.Source
	return found, nil
}
