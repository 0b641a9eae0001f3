package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/signing"
)

// keyFlag names a key beside the configuration.
type keyFlag struct {
	configFlag
	Key string `placeholder:"HEX" help:"Key to use instead of the configuration's: 16 to 64 bytes in hex."`
}

// signatory signs and checks the targets of one place: a source, or a mount of another dialect.
type signatory interface {
	// sign returns the target, given without a signature, with that of the first key.
	sign(target string) (string, error)
	// verify says why a target would be refused: its signature, or its time.
	verify(target string, now time.Time) error
}

// signatories returns what finds the place that a target lies in: with --key any source, else what the
// configuration has. base is what stood before the target, "" if nothing did.
func (f keyFlag) signatories(p *Program) (func(base, target string) (signatory, error), error) {
	if f.Key != "" {
		secret, err := signing.ParseSecret(f.Key)
		if err != nil {
			return nil, usageError("--key: " + err.Error())
		}
		return func(_, target string) (signatory, error) {
			return nativeKeys{{ID: dialect.Split(target).KeyID, Secret: secret}}, nil
		}, nil
	}
	cfg, err := f.load(p, Overrides{})
	if err != nil {
		return nil, err
	}
	return func(base, target string) (signatory, error) {
		if m, rest := cfg.mountOf(base, target); m != nil {
			return mountKeys{m, target[:len(target)-len(rest)]}, nil
		}
		name := sourceOf(target)
		s := cfg.Sources[name]
		if s == nil {
			return nil, fmt.Errorf("there is no source %q; the configuration has: %s", name, strings.Join(cfg.placeNames(), ", "))
		}
		return nativeKeys(s.keyring()), nil
	}, nil
}

// placeNames names the sources and the mounts.
func (c *Config) placeNames() []string {
	names := c.sourceNames()
	for i := range c.Dialects {
		names = append(names, c.Dialects[i].name()+" at "+c.Dialects[i].place())
	}
	return names
}

// nativeKeys are the keys of a source.
type nativeKeys signing.Keyring

func (k nativeKeys) sign(target string) (string, error) {
	if len(k) == 0 {
		return "", fmt.Errorf("source %q takes no signatures", sourceOf(target))
	}
	return signing.Keyring(k).SignTarget(target)
}

func (k nativeKeys) verify(target string, now time.Time) error {
	return verifyTarget(signing.Keyring(k), target, now)
}

// keyring returns the keys of a source, the first of which signs. The configuration was checked.
func (s *Source) keyring() signing.Keyring {
	ring := make(signing.Keyring, 0, len(s.Keys))
	for _, k := range s.Keys {
		if secret, err := signing.ParseSecret(string(k.Secret)); err == nil {
			ring = append(ring, signing.Key{ID: k.ID, Secret: secret})
		}
	}
	return ring
}

type signCommand struct {
	keyFlag
	Base    string   `placeholder:"URL" help:"Put before each target, as in https://img.example.com."`
	Targets []string `arg:"" name:"target" help:"What to sign, as it will be sent: /shop/a.jpg?w=300; below a mount without the signature: /imgproxy/rs:fit:300/plain/local:///a.jpg"`
}

// Run prints one line a target.
func (c *signCommand) Run(p *Program) error {
	if len(c.Targets) == 0 {
		return usageError("no target")
	}
	find, err := c.signatories(p)
	if err != nil {
		return err
	}
	for _, given := range c.Targets {
		base, target, err := splitURL(given)
		if err != nil {
			return err
		}
		if c.Base != "" {
			base = strings.TrimRight(c.Base, "/")
		}
		from, err := find(base, target)
		if err != nil {
			return err
		}
		signed, err := from.sign(target)
		if err != nil {
			return fmt.Errorf("%s: %w", given, err)
		}
		p.printf("%s%s\n", base, signed)
	}
	return nil
}

// splitURL cuts a URL into what comes before the request target and the target exactly as written. A
// target alone has no base.
func splitURL(text string) (base, target string, err error) {
	if strings.HasPrefix(text, "/") {
		return "", text, nil
	}
	if u, err := url.Parse(text); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", "", usageError(fmt.Sprintf("%q is neither a URL nor a target that begins with /", text))
	}
	afterScheme := strings.Index(text, "://") + len("://")
	slash := strings.IndexByte(text[afterScheme:], '/')
	if slash < 0 {
		return "", "", usageError(fmt.Sprintf("%q has no path", text))
	}
	return text[:afterScheme+slash], text[afterScheme+slash:], nil
}

// sourceOf returns the first segment of a target.
func sourceOf(target string) string {
	path, _, _ := strings.Cut(target, "?")
	source, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return source
}
