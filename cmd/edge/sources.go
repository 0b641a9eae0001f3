package main

import (
	"net/netip"
	"slices"
	"time"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/edge"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
)

// openOrigin opens the place of a source's originals.
func openOrigin(s *Source) (origin.Opener, func() error, error) {
	switch {
	case s.Dir != "":
		folder, err := origin.NewFolder(s.Dir)
		if err != nil {
			return nil, nil, err
		}
		return folder, folder.Close, nil
	case s.Bucket != nil:
		bucket, err := origin.NewBucket(s.Bucket.settings())
		if err != nil {
			return nil, nil, err
		}
		return bucket, bucket.Close, nil
	default:
		server, err := origin.NewHTTP(s.HTTP.settings())
		if err != nil {
			return nil, nil, err
		}
		return server, server.Close, nil
	}
}

func (b *Bucket) settings() origin.BucketSettings {
	region := b.Region
	if region == "" {
		region = defaultRegion
	}
	return origin.BucketSettings{
		Endpoint:  b.Endpoint,
		Region:    region,
		Name:      b.Name,
		Prefix:    b.Prefix,
		AccessKey: string(b.AccessKey),
		SecretKey: string(b.SecretKey),
		PathStyle: b.PathStyle,
	}
}

func (h *HTTP) settings() origin.HTTPSettings {
	headers := make(map[string]string, len(h.Headers))
	for name, value := range h.Headers {
		headers[name] = string(value)
	}
	return origin.HTTPSettings{Base: h.Base, Allow: h.Allow, Headers: headers, AllowNetworks: networks(h.AllowNetworks)}
}

// networks reads a checked list of CIDRs.
func networks(texts []string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		if network, err := parseNetwork(text); err == nil {
			all = append(all, network)
		}
	}
	return all
}

// pipelineSource is what the pipeline knows of a source.
func (c *Config) pipelineSource(name string, from pipeline.Fetcher) *pipeline.Source {
	s := c.Sources[name]
	return &pipeline.Source{
		Name:      name,
		Origin:    from,
		Limits:    c.limitsOf(s),
		FormatsIn: c.formatsIn(),
		Fresh:     s.Fresh.or(time.Duration(c.Cache.Fresh)),
		Swr:       s.Swr.or(time.Duration(c.Cache.Swr)),
		Sie:       s.Sie.or(time.Duration(c.Cache.Sie)),
		Negative:  s.Negative.or(time.Duration(c.Cache.Negative)),
		Tags:      s.Tags,
		Ladder:    c.ladder(s),
	}
}

// ladder returns the widths of which the first asked renders all; nil = off.
func (c *Config) ladder(s *Source) []int {
	if c.Cache.Ladder != "widths" {
		return nil
	}
	return s.Widths
}

// formatsIn are the formats that originals may have.
func (c *Config) formatsIn() []resize.Format { return formats(c.FormatsIn) }

// formats reads a checked list of names.
func formats(names []string) []resize.Format {
	var all []resize.Format
	for _, name := range names {
		if f, ok := resize.ParseFormat(name); ok {
			all = append(all, f)
		}
	}
	return all
}

// formatNames returns the names that formats takes.
func formatNames(formats []resize.Format) []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.String()
	}
	return names
}

// site is what the configuration says about serving.
func (w *wiring) site() *edge.Site {
	c := w.config
	site := &edge.Site{
		Sources:      make(map[string]*edge.Source, len(c.Sources)),
		Mounts:       c.mounts(),
		DebugToken:   string(c.Admin.DebugToken),
		BaseURL:      c.BaseURL,
		TrustProxies: networks(c.TrustProxies),
		Timing:       c.Timing,
		RateLimit: edge.RateLimit{
			Requests: c.RateLimit.Requests, Renders: c.RateLimit.Renders, Window: time.Duration(c.RateLimit.Window),
			TokensOnly: c.RateLimit.By == rateByToken,
		},
		BucketEvents: c.Events.Webhook,
		Dependencies: w.dependencies(),
		JobsSource:   c.Jobs.Source,
	}
	for name, open := range w.sources {
		site.Sources[name] = c.edgeSource(name, open.served)
	}
	for _, t := range c.Tokens {
		token := edge.Token{Name: t.Name, Secret: string(t.Secret)}
		for _, scope := range t.Scopes {
			token.Scopes = append(token.Scopes, edge.Scope(scope))
		}
		site.Tokens = append(site.Tokens, token)
	}
	return site
}

// edgeSource is how a source is served.
func (c *Config) edgeSource(name string, served *pipeline.Source) *edge.Source {
	s := c.Sources[name]
	var bucket Bucket
	if s.Bucket != nil {
		bucket = *s.Bucket
	}
	return &edge.Source{
		Bucket:       bucket.Name,
		Prefix:       bucket.Prefix,
		Name:         name,
		Keys:         s.keyring(),
		Rules:        c.rules(name),
		Accept:       formats(s.Accept),
		MaxAge:       s.MaxAge.or(defaultMaxAge),
		Swr:          served.Swr,
		CacheControl: s.CacheControl,
		Fallback:     s.Fallback,
		AllowOrigin:  s.AllowOrigin,
		TimingOrigin: s.TimingOrigin,
		ResourceFrom: s.Resource,
		Pipeline:     served,
	}
}

// rules are what a source grants to its URLs.
func (c *Config) rules(name string) dialect.Rules {
	s, overlays := c.Sources[name], []string{name}
	if s.Overlays != nil {
		overlays = s.Overlays
	}
	presets := make(map[string]string, len(c.Presets))
	for preset, text := range c.Presets {
		if preset == "default" || s.Presets == nil || slices.Contains(s.Presets, preset) {
			presets[preset] = text
		}
	}
	return dialect.Rules{
		Widths:         s.Widths,
		Presets:        presets,
		Unsigned:       s.Unsigned,
		Free:           s.Free,
		OpenHTTP:       s.HTTP != nil && s.HTTP.Base == "",
		Limits:         c.limitsOf(s),
		Watermarks:     c.watermarks(),
		OverlaySources: overlays,
	}
}
