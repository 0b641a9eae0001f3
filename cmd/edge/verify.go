package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/signing"
)

type verifyCommand struct {
	keyFlag
	URL string `arg:"" help:"URL or request target with its signature."`
}

// Run says good and exits 0, or says why not and exits 1.
func (c *verifyCommand) Run(p *Program) error {
	_, target, err := splitURL(c.URL)
	if err != nil {
		return err
	}
	keysOf, err := c.keys(p, []string{target})
	if err != nil {
		return err
	}
	keys, err := keysOf(sourceOf(target))
	if err != nil {
		return err
	}
	if err := verifyTarget(keys, target, time.Now()); err != nil {
		return err
	}
	p.printf("good\n")
	return nil
}

// verifyTarget checks signature and expiry of a target, and names the likely mistakes.
func verifyTarget(keys signing.Keyring, target string, now time.Time) error {
	if len(keys) == 0 {
		return nil // an unsigned source
	}
	e := dialect.Split(target)
	if err := keys.Verify(e.Signed, e.Signature, e.KeyID); err != nil {
		text := fmt.Sprintf("bad signature; checked was %s", e.Signed)
		if mistakes := signing.Explain(keys, e.Signed, e.Signature); len(mistakes) > 0 {
			text += "\nlikely: " + strings.Join(mistakes, "\nlikely: ")
		}
		return fmt.Errorf("%s", text)
	}
	expires, err := e.Expires()
	if err != nil {
		return err
	}
	if err := signing.CheckExpiry(expires, now); err != nil {
		return fmt.Errorf("expired at %s", time.Unix(expires, 0).UTC().Format(time.RFC3339))
	}
	return nil
}
