package edge

import (
	"net/netip"
	"time"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/signing"
)

// Site is what the configuration says about serving. It is swapped whole by Server.Reload and must
// not be changed afterwards.
type Site struct {
	Sources      map[string]*Source // by name; the first path segment of a native URL
	Mounts       []Mount            // other dialects, below a prefix or under a host
	Tokens       []Token            // of /v1; none = /v1 is absent from the public listener (404)
	DebugToken   string             // sent as Imgedge-Debug; "" = nobody may see debugging facts
	BaseURL      string             // of absolute URLs in answers, without a slash at the end; "" = from the request of a trusted proxy, else relative
	TrustProxies []netip.Prefix     // whose X-Forwarded-* and X-Request-Id are believed; nil = nobody's
	RateLimit    RateLimit          // of each client on the public listener; zero = none
	BucketEvents bool               // POST /v1/events/{source} takes the messages of buckets
	Timing       bool               // Server-Timing on every image answer
	Dependencies []Dependency       // named by /readyz when they fail, after the server's own
	JobsSource   string             // whose rules hold for files that come with a job; "" = jobs name a source
}

// Source is how one configured source is served.
type Source struct {
	Name         string
	Keys         signing.Keyring  // the live keys; the first one signs for /v1/sign
	Rules        dialect.Rules    // presets, widths, what may be asked
	Accept       []resize.Format  // order of negotiation before the fallback; nil = AVIF, WebP
	MaxAge       time.Duration    // max-age told to clients, cut to whole seconds
	Swr          time.Duration    // stale-while-revalidate told to clients; 0 = not said
	CacheControl string           // replaces the whole Cache-Control of good answers; "" = made of MaxAge and Swr
	Timing       bool             // Server-Timing on this source's answers
	Fallback     string           // source/key of the picture sent with the status of an error; "" = a problem document
	AllowOrigin  string           // Access-Control-Allow-Origin; "" = not sent
	TimingOrigin string           // Timing-Allow-Origin; "" = not sent
	ResourceFrom string           // Cross-Origin-Resource-Policy; "" = not sent
	Bucket       string           // of its originals, for bucket events; "" = it has none
	Prefix       string           // of its originals in the bucket
	Pipeline     *pipeline.Source // what the pipeline knows of it; its Name is the same
}

// Token is a bearer token of /v1.
type Token struct {
	Name   string  // for the log; never the secret
	Secret string  // compared in constant time; never logged
	Scopes []Scope // ScopeAdmin includes all
}

// Scope is what a token may do.
type Scope string

// The scopes. A configuration may name them all; ScopeUpload opens nothing yet.
const (
	ScopeUpload Scope = "upload"
	ScopeJobs   Scope = "jobs"
	ScopePurge  Scope = "purge"
	ScopeSign   Scope = "sign"
	ScopeAdmin  Scope = "admin"
)

// allows reports whether the token carries the scope, or admin.
func (t *Token) allows(scope Scope) bool {
	for _, s := range t.Scopes {
		if s == scope || s == ScopeAdmin {
			return true
		}
	}
	return scope == ""
}
