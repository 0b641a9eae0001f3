package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/imgedge/imgedge/origin"
)

// reservedNames cannot be sources: their paths are ours.
func reservedNames() []string { return []string{"v1", "healthz", "readyz", "metrics", "debug"} }

func (c *Config) validateSource(r *report, name string) {
	s, path := c.Sources[name], "sources."+name
	if !sourceName.MatchString(name) {
		r.add(path, "a source's name has 1 to 32 characters of a-z, 0-9 and -, and does not begin with -")
	}
	if slices.Contains(reservedNames(), name) {
		r.add(path, "the name is reserved: "+strings.Join(reservedNames(), ", "))
	}
	s.validatePlace(r, path)
	s.validateKeys(r, path)
	s.validateAsked(r, path, c.Presets)
	s.validateTimes(r, path)
	s.validateOwnLimits(r, path)
	c.validateFallback(r, path, s.Fallback)
	for i, from := range s.Overlays {
		if c.Sources[from] == nil {
			r.add(fmt.Sprintf("%s.overlays[%d]", path, i), fmt.Sprintf("there is no source %q", from))
		}
	}
	if s.HTTP != nil {
		c.validateNetworks(r, path+".http.allow_networks", s.HTTP.AllowNetworks)
	}
}

// validatePlace wants exactly one place of originals.
func (s *Source) validatePlace(r *report, path string) {
	places := 0
	if s.Dir != "" {
		places++
		if info, err := os.Stat(s.Dir); err != nil || !info.IsDir() {
			r.add(path+".dir", fmt.Sprintf("%q is no folder", s.Dir))
		}
	}
	if s.Bucket != nil {
		places++
		s.Bucket.validate(r, path+".bucket")
	}
	if s.HTTP != nil {
		places++
		s.HTTP.validate(r, path+".http")
	}
	if places != 1 {
		r.add(path, fmt.Sprintf("has %d places of originals; it needs exactly one of dir, bucket and http", places))
	}
}

func (b *Bucket) validate(r *report, path string) {
	found := len(r.problems)
	if b.Name == "" {
		r.add(path+".name", "is missing")
	}
	if u, err := url.Parse(b.Endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		r.add(path+".endpoint", fmt.Sprintf("%q is no endpoint; write http://127.0.0.1:9000 or https://s3.eu-central-1.amazonaws.com", b.Endpoint))
	}
	if (b.AccessKey == "") != (b.SecretKey == "") {
		r.add(path, "access_key and secret_key go together")
	}
	if found == len(r.problems) {
		bucket, err := origin.NewBucket(b.settings()) // does not connect
		closeOrReport(r, path, bucket, err)
	}
}

func (h *HTTP) validate(r *report, path string) {
	switch {
	case h.Base == "" && len(h.Allow) == 0:
		r.add(path, "needs base (one server) or allow (a list of URL patterns)")
	case h.Base != "" && len(h.Allow) > 0:
		r.add(path, "has base and allow; a source has one of them")
	case h.Base != "":
		u, err := url.Parse(h.Base)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			r.add(path+".base", "is no base; write https://assets.example.com/pictures/")
		}
	}
	found := len(r.problems)
	for i, pattern := range h.Allow {
		validateAllow(r, fmt.Sprintf("%s.allow[%d]", path, i), pattern)
	}
	if found == len(r.problems) && (h.Base != "" || len(h.Allow) > 0) {
		server, err := origin.NewHTTP(h.settings()) // does not connect
		closeOrReport(r, path, server, err)
	}
}

// closeOrReport notes what an origin refuses of its settings, or closes it again.
func closeOrReport(r *report, path string, opened io.Closer, err error) {
	if err != nil {
		r.add(path, strings.ReplaceAll(err.Error(), "\n", "; "))
		return
	}
	_ = opened.Close() // nothing was asked of it
}

// validateAllow wants a scheme, a host and a path that ends with a slash: without it,
// http://a.example would also let http://a.example@evil.example pass.
func validateAllow(r *report, path, pattern string) {
	rest, ok := strings.CutPrefix(pattern, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(pattern, "http://")
	}
	host, _, slash := strings.Cut(rest, "/")
	if !ok || host == "" || !slash || strings.Contains(host, "@") || !strings.HasSuffix(pattern, "/") {
		r.add(path, fmt.Sprintf("%q is no pattern; write https://*.example.com/, with a slash at the end", pattern))
	}
}

func (s *Source) validateKeys(r *report, path string) {
	if len(s.Keys) == 0 && !s.Unsigned {
		r.add(path, "has no keys; list some under keys, or say unsigned: true")
	}
	if s.Free && !s.Unsigned {
		r.add(path+".free", "belongs to unsigned sources; a signature allows every option")
	}
	ids := map[string]bool{}
	for i, k := range s.Keys {
		at := fmt.Sprintf("%s.keys[%d]", path, i)
		if !keyID.MatchString(k.ID) || ids[k.ID] {
			r.add(at+".id", "each key needs a name of its own, of 1 to 32 characters of a-z, A-Z, 0-9, - and _")
		}
		ids[k.ID] = true
		if k.Secret == "" {
			r.add(at+".secret", "is missing")
		} else {
			validateKey(r, at+".secret", k.Secret)
		}
	}
}

// validateAsked checks what may be asked of the source.
func (s *Source) validateAsked(r *report, path string, presets map[string]string) {
	for i, w := range s.Widths {
		within(r, fmt.Sprintf("%s.widths[%d]", path, i), w, 1, maxSide)
	}
	for i, p := range s.Presets {
		if _, ok := presets[p]; !ok {
			r.add(fmt.Sprintf("%s.presets[%d]", path, i), fmt.Sprintf("there is no preset %q", p))
		}
	}
	for i, f := range s.Accept {
		at := fmt.Sprintf("%s.accept[%d]", path, i)
		oneOf(r, at, f, "avif", "webp", "jxl")
		if slices.Index(s.Accept, f) < i {
			r.add(at, f+" is listed twice")
		}
	}
	if strings.ContainsAny(s.CacheControl+s.AllowOrigin+s.TimingOrigin, "\r\n\x00") {
		r.add(path, "a header's value has one line")
	}
	if s.Resource != "" {
		oneOf(r, path+".resource_policy", s.Resource, "same-site", "same-origin", "cross-origin")
	}
}

func (s *Source) validateTimes(r *report, path string) {
	notNegative(r, path+".max_age", s.MaxAge)
	notNegative(r, path+".fresh", s.Fresh)
	notNegative(r, path+".stale_while_revalidate", s.Swr)
	notNegative(r, path+".stale_if_error", s.Sie)
	notNegative(r, path+".negative", s.Negative)
	if s.Timeout != nil {
		positive(r, path+".timeout", int64(*s.Timeout))
	}
}

func (s *Source) validateOwnLimits(r *report, path string) {
	l := s.Limits
	within(r, path+".limits.source_pixels", l.SourcePixels, 0, 1<<40)
	within(r, path+".limits.source_side", l.SourceSide, 0, 1<<20)
	within(r, path+".limits.output_side", l.OutputSide, 0, maxSide)
	within(r, path+".limits.output_pixels", l.OutputPixels, 0, 1<<40)
	within(r, path+".limits.frames", l.Frames, 0, 1<<20)
	within(r, path+".limits.animation_pixels", l.AnimationPixels, 0, 1<<40)
}

func (c *Config) validateFallback(r *report, path, fallback string) {
	if fallback == "" {
		return
	}
	source, key, _ := strings.Cut(fallback, "/")
	if c.Sources[source] == nil || key == "" {
		r.add(path+".fallback", fmt.Sprintf("%q is no source/key of a configured source", fallback))
	}
}
