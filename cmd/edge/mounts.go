package main

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/edge"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/signing"
)

// mounts are the places where other dialects are served. The configuration was checked.
func (c *Config) mounts() []edge.Mount {
	all := make([]edge.Mount, 0, len(c.Dialects))
	for i := range c.Dialects {
		m := &c.Dialects[i]
		mount := edge.Mount{Prefix: m.Prefix, Host: m.Host}
		if m.Dialect == dialectThumbor {
			mount.Grammar = &edge.Thumbor{Mount: c.thumborMount(m), Key: m.thumborKey()}
		} else {
			mount.Grammar = &edge.Imgproxy{Mount: c.imgproxyMount(m), Keys: m.imgproxyKeys()}
		}
		all = append(all, mount)
	}
	return all
}

// mountOf returns the mount that a target lies under, and the target behind its prefix; nil where it is
// a native one. base is what stood before the target in a URL, "" if nothing did.
func (c *Config) mountOf(base, target string) (*edge.Mount, string) {
	site := edge.Site{Mounts: c.mounts()}
	return site.MountOf(hostOf(base), target)
}

// imgproxyMount is the grammar of an imgproxy mount.
func (c *Config) imgproxyMount(m *Mount) *dialect.ImgproxyMount {
	g := &dialect.ImgproxyMount{
		Sources:        m.Sources,
		About:          c.aboutSources(),
		Presets:        m.Presets,
		PresetsOnly:    m.PresetsOnly,
		BaseURL:        m.BaseURL,
		Base64Filename: m.Base64Filename,
		Separator:      m.Separator,
		Allowed:        m.AllowedOptions,
		AllowSecurity:  m.SecurityOptions,
		AutoFormat:     m.AutoFormat,
		Preferred:      preferred(m.PreferredFormats),
		NoOrient:       !m.respectsOrientation(),
		Watermark:      c.watermarkImage(m.Watermark),
	}
	for _, text := range m.Replacements {
		if r, err := dialect.ParseReplacement(text); err == nil {
			g.Replacements = append(g.Replacements, r)
		}
	}
	if key, err := hex.DecodeString(string(m.SourceKey)); err == nil && len(key) > 0 {
		g.Decrypt = signing.SourceKey(key).Decrypt
	}
	return g
}

// imgproxyKeys are what opens an imgproxy mount.
func (m *Mount) imgproxyKeys() signing.Imgproxy {
	keys := signing.Imgproxy{Size: m.SignatureSize, Unsigned: m.Unsigned}
	for _, pair := range m.Keys {
		key, err := hex.DecodeString(string(pair.Key))
		salt, bad := hex.DecodeString(string(pair.Salt))
		if err == nil && bad == nil {
			keys.Pairs = append(keys.Pairs, signing.Salted{Key: key, Salt: salt})
		}
	}
	for _, trusted := range m.TrustedSignatures {
		keys.Trusted = append(keys.Trusted, string(trusted))
	}
	return keys
}

// thumborMount is the grammar of a mount of thumbor or imagor.
func (c *Config) thumborMount(m *Mount) *dialect.ThumborMount {
	return &dialect.ThumborMount{
		Flavor:     dialect.ThumborFlavor(m.Flavor),
		Unsafe:     m.Unsafe,
		Source:     m.Source,
		Sources:    m.Sources,
		About:      c.aboutSources(),
		Scheme:     m.Scheme,
		NoOrient:   !m.respectsOrientation(),
		AutoFormat: m.AutoFormat,
		BaseParams: m.BaseParams,
	}
}

// thumborKey is what opens a mount of thumbor or imagor.
func (m *Mount) thumborKey() signing.ThumborKey {
	return signing.ThumborKey{
		Secret:    string(m.Key),
		Algorithm: signing.ThumborAlgorithm(m.Algorithm),
		Truncate:  m.Truncate,
		Imagor:    m.Flavor == flavorImagor,
	}
}

// name is whose URLs the mount serves.
func (m *Mount) name() string {
	if m.Dialect == dialectThumbor && m.Flavor != "" {
		return m.Flavor
	}
	return m.Dialect
}

func (m *Mount) respectsOrientation() bool {
	return m.RespectOrientation == nil || *m.RespectOrientation
}

// aboutSources is what mounts have to know of the sources.
func (c *Config) aboutSources() map[string]dialect.MountSource {
	all := make(map[string]dialect.MountSource, len(c.Sources))
	for name, s := range c.Sources {
		about := dialect.MountSource{Limits: c.limitsOf(s)}
		if s.HTTP != nil {
			about.OpenHTTP, about.Base = s.HTTP.Base == "", s.HTTP.Base
		}
		all[name] = about
	}
	return all
}

// preferred reads a checked list of formats, of which imgproxy calls JPEG jpg; none is imgproxy's default.
func preferred(names []string) resize.FormatSet {
	names = slices.Clone(names)
	for i, name := range names {
		if name == "jpg" {
			names[i] = "jpeg"
		}
	}
	return resize.Formats(formats(names)...)
}

// watermarkImage returns the source/key that a watermark's name stands for; source/key stands for itself.
func (c *Config) watermarkImage(name string) string {
	if mark, ok := c.Watermarks[name]; ok {
		return mark.Image
	}
	return name
}

// hostOf returns the host, with its port, of what stood before a target: https://img.example.com.
func hostOf(base string) string {
	_, host, _ := strings.Cut(base, "://")
	return host
}
