package main

import (
	"errors"
	"fmt"
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
	base, target, err := splitURL(c.URL)
	if err != nil {
		return err
	}
	find, err := c.signatories(p)
	if err != nil {
		return err
	}
	from, err := find(base, target)
	if err != nil {
		return err
	}
	if err := from.verify(target, time.Now()); err != nil {
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
		return badSignature(e.Signed, signing.Explain(keys, e.Signed, e.Signature))
	}
	expires, err := e.Expires()
	if err != nil {
		return err
	}
	if err := signing.CheckExpiry(expires, now); err != nil {
		return expiredAt(expires)
	}
	return nil
}

// badSignature says what was checked, and what it is likely to be.
func badSignature(checked string, mistakes []string) error {
	text := "bad signature; checked was " + checked
	for _, mistake := range mistakes {
		text += "\nlikely: " + mistake
	}
	return errors.New(text)
}

func expiredAt(second int64) error {
	return fmt.Errorf("expired at %s", time.Unix(second, 0).UTC().Format(time.RFC3339))
}
