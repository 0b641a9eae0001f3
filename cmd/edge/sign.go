package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/imgedge/imgedge/signing"
)

// keyFlag names a key beside the configuration.
type keyFlag struct {
	configFlag
	Key string `placeholder:"HEX" help:"Key to use instead of the configuration's: 16 to 64 bytes in hex."`
}

// keys returns the keys of the source that a target names: the one given, else the configuration's.
func (f keyFlag) keys(p *Program, targets []string) (func(source string) (signing.Keyring, error), error) {
	if f.Key != "" {
		secret, err := signing.ParseSecret(f.Key)
		if err != nil {
			return nil, usageError("--key: " + err.Error())
		}
		return func(string) (signing.Keyring, error) { return signing.Keyring{{Secret: secret}}, nil }, nil
	}
	if len(targets) == 0 {
		return nil, usageError("no target")
	}
	cfg, err := f.load(p, Overrides{})
	if err != nil {
		return nil, err
	}
	return func(source string) (signing.Keyring, error) {
		s := cfg.Sources[source]
		if s == nil {
			return nil, fmt.Errorf("there is no source %q; the configuration has: %s", source, strings.Join(cfg.sourceNames(), ", "))
		}
		return s.keyring(), nil
	}, nil
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
	Targets []string `arg:"" name:"target" help:"What to sign, as it will be sent: /shop/a.jpg?w=300"`
}

// Run prints one line a target.
func (c *signCommand) Run(p *Program) error {
	keysOf, err := c.keys(p, c.Targets)
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
		keys, err := keysOf(sourceOf(target))
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			return fmt.Errorf("source %q takes no signatures", sourceOf(target))
		}
		signed, err := keys[0].SignTarget(target)
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
