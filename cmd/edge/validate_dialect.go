package main

import (
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/signing"
)

var (
	mountPrefix = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)
	mountHost   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
)

// validateDialects checks the mounts, each for itself and against what else is served.
func (c *Config) validateDialects(r *report) {
	for i := range c.Dialects {
		m, path := &c.Dialects[i], fmt.Sprintf("dialects[%d]", i)
		found := len(r.problems)
		c.validateMountPlace(r, path, i)
		c.validateMountSources(r, path, m)
		switch m.Dialect {
		case dialectImgproxy:
			m.refuse(r, path, thumborSettings(m))
			c.validateImgproxy(r, path, m, found)
		case dialectThumbor:
			m.refuse(r, path, imgproxySettings(m))
			c.validateThumbor(r, path, m, found)
		default:
			r.add(path+".dialect", fmt.Sprintf("%q is none of %s, %s", m.Dialect, dialectImgproxy, dialectThumbor))
		}
	}
}

// validateMountPlace wants a prefix or a host that shadows nothing: no other mount, no path of ours, no
// source.
func (c *Config) validateMountPlace(r *report, path string, at int) {
	m := &c.Dialects[at]
	if m.place() == "" {
		r.add(path, "needs a prefix, a host, or both: nothing is guessed")
		return
	}
	if m.Host != "" && !mountHost.MatchString(m.Host) {
		r.add(path+".host", fmt.Sprintf("%q is no host; write img.example.com, without scheme and port", m.Host))
	}
	if m.Prefix != "" {
		c.validatePrefix(r, path+".prefix", m.Prefix)
	}
	for i := range at {
		other := &c.Dialects[i]
		if other.place() == "" || !strings.EqualFold(m.Host, other.Host) {
			continue
		}
		if below(m.Prefix, other.Prefix) || below(other.Prefix, m.Prefix) {
			r.add(path, fmt.Sprintf("one of this and dialects[%d] lies below the other: %q, %q", i, m.place(), other.place()))
		}
	}
}

func (c *Config) validatePrefix(r *report, path, prefix string) {
	if !mountPrefix.MatchString(prefix) || strings.Contains(prefix+"/", "/./") || strings.Contains(prefix+"/", "/../") {
		r.add(path, fmt.Sprintf("%q is no prefix; write /imgproxy, with a slash before and none behind", prefix))
		return
	}
	first := sourceOf(prefix)
	switch {
	case slices.Contains(reservedNames(), first):
		r.add(path, fmt.Sprintf("%q lies under a path of the server's own: %s", prefix, strings.Join(reservedNames(), ", ")))
	case c.Sources[first] != nil:
		r.add(path, fmt.Sprintf("%q would hide the source %q", prefix, first))
	}
}

// below tells whether everything under prefix lies under other, too.
func below(prefix, other string) bool {
	return prefix == other || strings.HasPrefix(prefix, other+"/")
}

// place is where a mount lies, for reading.
func (m *Mount) place() string { return m.Host + m.Prefix }

func (c *Config) validateMountSources(r *report, path string, m *Mount) {
	if len(m.Sources) == 0 && m.Source == "" {
		r.add(path+".sources", `is empty; say which source has which images, as in "local:///": photos`)
	}
	for _, prefix := range slices.Sorted(maps.Keys(m.Sources)) {
		at := path + ".sources." + prefix
		name := m.Sources[prefix]
		switch {
		case c.Sources[name] == nil:
			r.add(at, fmt.Sprintf("there is no source %q", name))
		case prefix == "":
			r.add(at, "what the image's URL begins with is missing, as in local:///")
		}
	}
	if m.Source != "" && c.Sources[m.Source] == nil {
		r.add(path+".source", fmt.Sprintf("there is no source %q", m.Source))
	}
}

// given is a setting that belongs to one dialect, and whether it was set.
type given struct {
	name string
	set  bool
}

func imgproxySettings(m *Mount) []given {
	return []given{
		{"keys", len(m.Keys) > 0},
		{"signature_size", m.SignatureSize != 0},
		{"trusted_signatures", len(m.TrustedSignatures) > 0},
		{"unsigned", m.Unsigned},
		{"source_key", m.SourceKey != ""},
		{"presets", len(m.Presets) > 0},
		{"presets_only", m.PresetsOnly},
		{"base_url", m.BaseURL != ""},
		{"replacements", len(m.Replacements) > 0},
		{"base64_filename", m.Base64Filename},
		{"separator", m.Separator != ""},
		{"allowed_options", len(m.AllowedOptions) > 0},
		{"security_options", m.SecurityOptions},
		{"preferred_formats", len(m.PreferredFormats) > 0},
		{"watermark", m.Watermark != ""},
	}
}

func thumborSettings(m *Mount) []given {
	return []given{
		{"flavor", m.Flavor != ""},
		{"source", m.Source != ""},
		{"key", m.Key != ""},
		{"algorithm", m.Algorithm != ""},
		{"truncate", m.Truncate != 0},
		{"unsafe", m.Unsafe},
		{"scheme", m.Scheme != ""},
		{"base_params", m.BaseParams != ""},
	}
}

// refuse notes the settings of another dialect.
func (m *Mount) refuse(r *report, path string, foreign []given) {
	for _, setting := range foreign {
		if setting.set {
			r.add(path+"."+setting.name, "is no setting of a mount of "+m.Dialect)
		}
	}
}

// validateImgproxy checks a mount of imgproxy; found is how many problems there were before the mount.
func (c *Config) validateImgproxy(r *report, path string, m *Mount, found int) {
	c.validateSalted(r, path, m)
	within(r, path+".signature_size", m.SignatureSize, 0, 32)
	if m.SourceKey != "" {
		if signing.Published(string(m.SourceKey)) { // it hides addresses and signs nothing
			c.warnings = append(c.warnings, path+".source_key is a published example: everybody can read what it hides")
		}
		key, err := hex.DecodeString(string(m.SourceKey))
		if err != nil || !slices.Contains([]int{16, 24, 32}, len(key)) {
			r.add(path+".source_key", fmt.Sprintf("%d characters that are no key; it is 16, 24 or 32 bytes in hex", len(m.SourceKey)))
		}
	}
	if m.Separator == "/" || strings.ContainsAny(m.Separator, "?%") {
		r.add(path+".separator", fmt.Sprintf("%q cannot stand between arguments", m.Separator))
	}
	for i, text := range m.Replacements {
		if _, err := dialect.ParseReplacement(text); err != nil {
			r.add(fmt.Sprintf("%s.replacements[%d]", path, i), err.Error())
		}
	}
	for i, f := range m.PreferredFormats {
		oneOf(r, fmt.Sprintf("%s.preferred_formats[%d]", path, i), f, "jpg", "jpeg", "png", "gif", "webp", "avif", "jxl", "tiff")
	}
	if m.Watermark != "" {
		c.validateOverlay(r, path+".watermark", c.watermarkImage(m.Watermark))
	}
	if m.PresetsOnly && len(m.Presets) == 0 {
		r.add(path+".presets_only", "there are no presets")
	}
	c.validateImgproxyPresets(r, path, m)
	if found == len(r.problems) {
		if err := c.imgproxyMount(m).Validate(); err != nil {
			r.add(path, err.Error())
		}
	}
}

// validateSalted wants keys with salts, or that none are wanted.
func (c *Config) validateSalted(r *report, path string, m *Mount) {
	if len(m.Keys) == 0 && len(m.TrustedSignatures) == 0 && !m.Unsigned {
		r.add(path, "has no keys; list key and salt under keys, or say unsigned: true")
	}
	if m.Unsigned && len(m.Keys) > 0 {
		r.add(path+".unsigned", "contradicts keys; a mount has one of them")
	}
	for i, pair := range m.Keys {
		at := fmt.Sprintf("%s.keys[%d]", path, i)
		validateHex(r, at+".key", pair.Key)
		validateHex(r, at+".salt", pair.Salt)
		c.validateLength(r, at+".key", len(pair.Key)/2)
	}
	for i, trusted := range m.TrustedSignatures {
		if trusted == "" || strings.Contains(string(trusted), "/") {
			r.add(fmt.Sprintf("%s.trusted_signatures[%d]", path, i), "is one segment of a path, and not empty")
		}
	}
}

// validateLength wants a key that is not found by trying a moment; the servers whose URLs a mount goes on
// serving take keys of any length, so a weak one is worth a warning.
func (c *Config) validateLength(r *report, path string, bytes int) {
	switch {
	case bytes > 0 && bytes < minMountKey:
		r.add(path, fmt.Sprintf("has %d bytes; a key has at least %d, and better %d", bytes, minMountKey, signing.MinSecret))
	case bytes > 0 && bytes < signing.MinSecret:
		c.warnings = append(c.warnings, fmt.Sprintf("%s has %d bytes: who sees a URL may find it by trying; %d and more are safe", path, bytes, signing.MinSecret))
	}
}

// validateHex wants bytes in hex that are no published example.
func validateHex(r *report, path string, secret Secret) {
	if secret == "" {
		r.add(path, "is missing")
	} else if _, err := hex.DecodeString(string(secret)); err != nil {
		r.add(path, fmt.Sprintf("%d characters that are not hex", len(secret)))
	}
	refusePublished(r, path, secret)
}

// validateImgproxyPresets checks each preset with the others taken for good, so that each problem is
// found where it stands.
func (c *Config) validateImgproxyPresets(r *report, path string, m *Mount) {
	for _, name := range slices.Sorted(maps.Keys(m.Presets)) {
		alone := *m
		alone.Sources, alone.Replacements, alone.PresetsOnly = nil, nil, false
		g := c.imgproxyMount(&alone)
		g.Sources, g.About = map[string]string{"local:///": "any"}, map[string]dialect.MountSource{"any": {}}
		g.Presets = make(map[string]string, len(m.Presets))
		for other := range m.Presets {
			g.Presets[other] = "cb" + separatorOf(m) + "1"
		}
		g.Presets[name] = m.Presets[name]
		if err := g.Validate(); err != nil {
			r.add(path+".presets."+name, strings.TrimPrefix(err.Error(), fmt.Sprintf("presets: %q: ", name)))
		}
	}
}

func separatorOf(m *Mount) string {
	if m.Separator == "" {
		return ":"
	}
	return m.Separator
}

// validateThumbor checks a mount of thumbor or imagor.
func (c *Config) validateThumbor(r *report, path string, m *Mount, found int) {
	if m.Flavor != "" {
		oneOf(r, path+".flavor", m.Flavor, flavorThumbor, flavorImagor)
	}
	if m.Scheme != "" {
		oneOf(r, path+".scheme", m.Scheme, "http", "https")
	}
	c.validateLength(r, path+".key", len(m.Key))
	if err := m.thumborKey().Check(); err != nil && (m.Key != "" || !m.Unsafe) {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			name, text, _ := strings.Cut(line, ": ")
			if name == "key" && m.Key == "" {
				text = "is missing; give one, or say unsafe: true"
			}
			r.add(path+"."+name, text)
		}
	}
	if found == len(r.problems) {
		if err := c.thumborMount(m).Validate(); err != nil {
			r.add(path+".base_params", err.Error())
		}
	}
}
