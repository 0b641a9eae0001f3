package main

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/signing"
)

const (
	minToken = 16 // characters of a token
	maxSide  = 16384
	// minMountKey is the least number of bytes of a key of another server's URLs.
	minMountKey = 4
	maxRate     = 1_000_000 // events in a window
)

var (
	sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	keyID      = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)
)

// validate notes everything that cannot work, in the order of the file.
func (c *Config) validate(r *report) {
	c.validateListeners(r)
	c.validateCache(r)
	for _, name := range c.sourceNames() {
		c.validateSource(r, name)
	}
	c.validatePresets(r)
	c.validateWatermarks(r)
	c.validateDialects(r)
	c.validateText(r)
	validateFormatsIn(r, c.FormatsIn)
	c.validateLimits(r)
	c.validateRateLimit(r)
	c.validateTokens(r)
	c.validateJobs(r)
	c.validateNetworks(r, "trust_proxies", c.TrustProxies)
	c.validateIngest(r)
	c.validateEvents(r)
	c.validateRest(r)
}

func (c *Config) validateListeners(r *report) {
	validateAddress(r, "listen", c.Listen)
	if c.Admin.Listen != "" {
		validateAddress(r, "admin.listen", c.Admin.Listen)
		if !isLoopback(c.Admin.Listen) && !c.hasAdminToken() {
			r.add("admin.listen", c.Admin.Listen+" can be reached from elsewhere; that needs a token of scope admin (tokens), or bind it to 127.0.0.1")
		}
	}
	if n := len(c.Admin.DebugToken); n > 0 && n < minToken {
		r.add("admin.debug_token", fmt.Sprintf("has %d characters; a token has at least %d", n, minToken))
	}
	validateRoles(r, c.Roles)
	validateRedisURL(r, "redis.url", c.Redis.URL)
	validateRedisURL(r, "redis.queue_url", c.Redis.QueueURL)
}

func validateRedisURL(r *report, path string, url RedisURL) {
	if url == "" {
		return
	}
	client, err := cache.OpenRedis(string(url)) // does not connect
	if err != nil {
		r.add(path, err.Error())
		return
	}
	_ = client.Close() // nothing was opened
}

func validateAddress(r *report, path, address string) {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		r.add(path, fmt.Sprintf("%q is no address; write host:port, as in 127.0.0.1:8080 or :8080", address))
	}
}

// isLoopback reports whether only this machine can reach the address.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return true // reported as no address
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (c *Config) hasAdminToken() bool {
	return slices.ContainsFunc(c.Tokens, func(t Token) bool { return slices.Contains(t.Scopes, "admin") })
}

func (c *Config) validateCache(r *report) {
	positive(r, "cache.redis.max_item", int64(c.Cache.Redis.MaxItem))
	positive(r, "cache.redis.timeout", int64(c.Cache.Redis.Timeout))
	notNegative(r, "cache.fresh", &c.Cache.Fresh)
	notNegative(r, "cache.stale_while_revalidate", &c.Cache.Swr)
	notNegative(r, "cache.stale_if_error", &c.Cache.Sie)
	notNegative(r, "cache.negative", &c.Cache.Negative)
	positive(r, "cache.originals.max_item", int64(c.Cache.Originals.MaxItem))
	positive(r, "cache.originals.ttl", int64(c.Cache.Originals.TTL))
	oneOf(r, "cache.ladder", c.Cache.Ladder, "off", "widths")
}

func (c *Config) validatePresets(r *report) {
	for _, name := range slices.Sorted(maps.Keys(c.Presets)) {
		if !sourceName.MatchString(name) {
			r.add("presets."+name, "a name has 1 to 32 characters of a-z, 0-9 and -")
		}
		if err := dialect.ValidatePreset(c.Presets[name]); err != nil {
			r.add("presets."+name, err.Error())
		}
	}
}

func validateFormatsIn(r *report, formats []string) {
	known := []string{"jpeg", "png", "gif", "webp", "avif", "heic", "tiff", "jxl", "svg"}
	if len(formats) == 0 {
		r.add("formats_in", "is empty; nothing could be read")
	}
	for i, f := range formats {
		path := fmt.Sprintf("formats_in[%d]", i)
		switch {
		case f == "pdf":
			r.add(path, f+" is not available yet")
		case !slices.Contains(known, f):
			r.add(path, fmt.Sprintf("%q is none of %s", f, strings.Join(known, ", ")))
		}
	}
}

func (c *Config) validateLimits(r *report) {
	l := &c.Limits
	positive(r, "limits.source_bytes", int64(l.SourceBytes))
	positive(r, "limits.source_pixels", int64(l.SourcePixels))
	positive(r, "limits.source_side", int64(l.SourceSide))
	within(r, "limits.output_side", l.OutputSide, 1, maxSide)
	positive(r, "limits.output_pixels", int64(l.OutputPixels))
	positive(r, "limits.frames", int64(l.Frames))
	positive(r, "limits.animation_pixels", int64(l.AnimationPixels))
	positive(r, "limits.memory", int64(l.Memory))
	within(r, "limits.queue", l.Queue, 0, 1<<20)
	positive(r, "limits.queue_wait", int64(l.QueueWait))
	positive(r, "limits.render", int64(l.Render))
	positive(r, "limits.request", int64(l.Request))
	within(r, "limits.connections", l.Connections, 0, 1<<20)
	within(r, "limits.connections_per_ip", l.ConnectionsPerIP, 0, 1<<20)
	within(r, "render.workers", c.Render.Workers, 0, 1024)
	notNegative(r, "render.encode_budget", &c.Render.EncodeBudget)
	c.validateTargets(r)
	oneOf(r, "render.isolation", c.Render.Isolation, isolationProcess, isolationNone)
	within(r, "render.recycle_after", c.Render.RecycleAfter, 0, 1<<30)
	if m := c.Render.WorkerMemory; m != 0 && m < leastWorkerMemory {
		r.add("render.worker_memory", fmt.Sprintf("%s is less than a worker needs to start; at least %s, or 0 for limits.memory + %s", m, Size(leastWorkerMemory), Size(workerSlack)))
	}
}

// validateTargets checks the similarities that q=auto and f=best reach.
func (c *Config) validateTargets(r *report) {
	similar := func(path string, v float64) {
		if !(v > 0 && v <= 1) {
			r.add(path, fmt.Sprintf("%v is not more than 0 and at most 1", v))
		}
	}
	similar("render.ssim", c.Render.SSIM)
	for _, f := range slices.Sorted(maps.Keys(c.Render.SSIMOf)) {
		oneOf(r, "render.ssim_of."+f, f, "jpeg", "webp", "avif", "jxl")
		similar("render.ssim_of."+f, c.Render.SSIMOf[f])
	}
}

// What a rate limit counts by.
const (
	rateByIP    = "ip"
	rateByToken = "token"
)

func (c *Config) validateRateLimit(r *report) {
	l := &c.RateLimit
	within(r, "rate_limit.requests", l.Requests, 0, maxRate)
	within(r, "rate_limit.renders", l.Renders, 0, maxRate)
	if w := time.Duration(l.Window); w < time.Millisecond || w > time.Hour {
		r.add("rate_limit.window", fmt.Sprintf("%v is not within 1ms–1h", l.Window))
	}
	oneOf(r, "rate_limit.by", l.By, rateByIP, rateByToken)
}

func (c *Config) validateTokens(r *report) {
	known := []string{"upload", "jobs", "purge", "sign", "admin"}
	names := map[string]bool{}
	for i, t := range c.Tokens {
		path := fmt.Sprintf("tokens[%d]", i)
		if t.Name == "" || names[t.Name] {
			r.add(path+".name", "each token needs a name of its own")
		}
		names[t.Name] = true
		refusePublished(r, path+".secret", t.Secret)
		if len(t.Secret) < minToken {
			r.add(path+".secret", fmt.Sprintf("has %d characters; a token has at least %d", len(t.Secret), minToken))
		}
		if len(t.Scopes) == 0 {
			r.add(path+".scopes", "is empty; the token could do nothing")
		}
		for j, scope := range t.Scopes {
			if !slices.Contains(known, scope) {
				r.add(fmt.Sprintf("%s.scopes[%d]", path, j), fmt.Sprintf("%q is none of %s", scope, strings.Join(known, ", ")))
			}
		}
	}
}

func (c *Config) validateNetworks(r *report, path string, networks []string) {
	for i, n := range networks {
		if _, err := parseNetwork(n); err != nil {
			r.add(fmt.Sprintf("%s[%d]", path, i), fmt.Sprintf("%q is no network; write 10.0.0.0/8 or an address", n))
		}
	}
}

// parseNetwork reads a CIDR, or an address as the network of itself.
func parseNetwork(text string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	return network.Masked(), err
}

func (c *Config) validateRest(r *report) {
	if c.BaseURL != "" {
		if u, err := url.Parse(c.BaseURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			r.add("base_url", fmt.Sprintf("%q is no base; write https://img.example.com", c.BaseURL))
		}
	}
	oneOf(r, "log.level", c.Log.Level, "debug", "info", "warn", "error")
	oneOf(r, "log.format", c.Log.Format, "auto", "json", "text")
	within(r, "log.hits", c.Log.Hits, 0, 1<<30)
	notNegative(r, "shutdown.delay", &c.Shutdown.Delay)
	positive(r, "shutdown.timeout", int64(c.Shutdown.Timeout))
}

func positive(r *report, path string, value int64) {
	if value <= 0 {
		r.add(path, "has to be more than 0")
	}
}

func notNegative(r *report, path string, value *Duration) {
	if value != nil && *value < 0 {
		r.add(path, value.String()+" is less than 0")
	}
}

func within(r *report, path string, value, least, most int) {
	if value < least || value > most {
		r.add(path, fmt.Sprintf("%d is not within %d–%d", value, least, most))
	}
}

func oneOf(r *report, path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		r.add(path, fmt.Sprintf("%q is none of %s", value, strings.Join(allowed, ", ")))
	}
}

// validateKey wants the hex text of a key of the right length.
func validateKey(r *report, path string, secret Secret) {
	if _, err := signing.ParseSecret(string(secret)); err != nil {
		r.add(path, fmt.Sprintf("%d characters that are no key; a key is %d to %d bytes in hex, %d to %d digits",
			len(secret), signing.MinSecret, signing.MaxSecret, 2*signing.MinSecret, 2*signing.MaxSecret))
	}
	refusePublished(r, path, secret)
}

// refusePublished refuses a secret that everybody can read.
func refusePublished(r *report, path string, secret Secret) {
	if signing.Published(string(secret)) {
		r.add(path, "is a published example; make your own, with openssl rand -hex 32")
	}
}
