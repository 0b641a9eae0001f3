package edge

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/ingest"
	"github.com/imgedge/imgedge/jobs"
)

// Server serves a Site on a public and an admin listener. Set the fields, call Reload once, then Serve
// and ServeAdmin; fields must not change after the first call. Pictures is required, everything else
// has a usable zero value.
type Server struct {
	Pictures     Pictures
	Purger       Purger         // nil = /v1/purge is absent
	Explainer    Explainer      // nil = /v1/explain leaves out place and plan
	Dependencies []Dependency   // named by /readyz when they fail, before the site's
	Jobs         *jobs.Engine   // nil = /v1/jobs and /v1/warm are absent
	KeysOf       Lister         // of jobs that name a prefix; nil = they are refused
	Rates        RateCounter    // counts for Site.RateLimit over the fleet; nil = this node counts alone
	NoImages     bool           // pictures are served elsewhere: 404 here
	NoAPI        bool           // /v1 is absent from the public listener (404)
	Ingest       *ingest.Store  // nil = /v1/images and /v1/uploads are absent
	Rewritten    Rewritten      // hears of originals that a bucket says were written; nil = nobody does
	Answers      *cache.Answers // to requests with an Idempotency-Key; nil = the key is ignored

	Logger    *slog.Logger         // causes of 5xx and admin events; nil = nowhere
	AccessLog *slog.Logger         // one line a request; nil = off
	LogHits   int                  // one in so many answers from memory gets a line; 0 = each, negative = none
	Registry  *prometheus.Registry // where the metrics are registered; nil = a new one
	Stats     func(Emit)           // called at each scrape for what libraries count; nil = nothing

	RequestTimeout time.Duration // of one image request, fetch and render included; 0 = 30 s
	ReadTimeout    time.Duration // of a whole request's arrival; 0 = 5 s
	WriteTimeout   time.Duration // of writing one answer; 0 = 60 s
	IdleTimeout    time.Duration // of an unused connection; 0 = 30 s
	MaxConns       int           // connections at once, each listener; 0 = unlimited. Where they are all taken a quiet one goes
	MaxConnsPerIP  int           // of the public listener, trusted proxies excepted; 0 = unlimited
	ReadBuffer     int           // bytes; also the largest header; 0 = 16 KiB
	WriteBuffer    int           // bytes, for headers and small answers; pictures are sent by reference; 0 = 4 KiB
	MaxBody        int           // bytes of a /v1 body; 0 = 1 MiB
	MemoSize       int           // verified URLs remembered; 0 = 16,384; negative = none

	Now func() time.Time // the clock; nil = time.Now

	once      sync.Once
	state     atomic.Pointer[state]
	draining  atomic.Bool
	metrics   *metrics
	listeners listeners
	accepts   acceptMemo
	health    health
	streams   streams
	uploads   chan struct{} // a place for each request that brings files
	limiter   *limiter
	closing   sync.Once
	public    *fasthttp.Server
	admin     *fasthttp.Server

	metricsPage fasthttp.RequestHandler
	profilePage fasthttp.RequestHandler
	adminOpen   atomic.Bool // the admin listener is bound to loopback
}

// Reload puts a site in force: requests that begin after it see nothing of the old one, and every URL
// is verified anew; event streams end, and their clients come again. The first call makes the server ready. It may be called at any time.
func (s *Server) Reload(site *Site) {
	s.setup()
	if before := s.state.Swap(s.newState(site)); before != nil {
		close(before.over)
	}
	s.metrics.reloadSuccess.Set(1)
}

// ReloadFailed notes in the metrics that a configuration was refused; the old site stays in force.
func (s *Server) ReloadFailed() {
	s.setup()
	s.metrics.reloadSuccess.Set(0)
}

// Serve answers public requests on ln until Shutdown, which makes it return nil. It may be called for
// several listeners.
func (s *Server) Serve(ln net.Listener) error {
	s.setup()
	s.limiter.start()
	return s.public.Serve(s.listener(ln, s.MaxConnsPerIP))
}

// ServeAdmin answers admin requests on ln until Shutdown. While ln is bound to a loopback address no
// token is asked for, but foreign Host and cross-site requests are refused; elsewhere every call
// except the health checks needs a token of ScopeAdmin. It may be called once.
func (s *Server) ServeAdmin(ln net.Listener) error {
	s.setup()
	s.adminOpen.Store(isLoopback(ln.Addr()))
	return s.admin.Serve(s.listener(ln, 0))
}

func (s *Server) idleTimeout() time.Duration  { return cmp.Or(s.IdleTimeout, 30*time.Second) }
func (s *Server) writeTimeout() time.Duration { return cmp.Or(s.WriteTimeout, time.Minute) }

// trusts reports whether the site in force has ip as a trusted proxy, which speaks for many clients.
func (s *Server) trusts(ip netip.Addr) bool {
	st := s.state.Load()
	return st != nil && contains(st.site.TrustProxies, ip)
}

// Drain makes /readyz answer 503, ends the event streams and lets every answer close its connection.
// Serving goes on.
func (s *Server) Drain() {
	s.setup()
	s.draining.Store(true)
	s.streams.end()
}

// Shutdown closes the listeners and waits for the requests under way, at most until ctx ends. It drains
// first if Drain was not called. Twice is fine.
func (s *Server) Shutdown(ctx context.Context) error {
	s.setup()
	s.Drain()
	var public, admin error
	var wg sync.WaitGroup
	wg.Go(func() { public = s.public.ShutdownWithContext(ctx) })
	wg.Go(func() { admin = s.admin.ShutdownWithContext(ctx) })
	wg.Wait()
	s.closing.Do(s.limiter.close)
	return errors.Join(public, admin)
}

// setup builds what the fields describe, once.
func (s *Server) setup() {
	s.once.Do(func() {
		if s.Registry == nil {
			s.Registry = prometheus.NewRegistry()
		}
		if s.Logger == nil {
			s.Logger = slog.New(slog.DiscardHandler)
		}
		if s.Now == nil {
			s.Now = time.Now
		}
		s.uploads = make(chan struct{}, maxUploads)
		s.limiter = newLimiter(s.Rates, s.Now)
		s.streams.leaving, s.streams.of = make(chan struct{}), map[netip.Prefix]int{}
		s.RequestTimeout = cmp.Or(s.RequestTimeout, 30*time.Second)
		s.metrics = newMetrics(s.Registry, s.Stats, &s.listeners, s.limiter)
		s.metricsPage = metricsHandler(s.Registry)
		s.profilePage = profileHandler()
		s.public = s.newServer(s.servePublic)
		s.admin = s.newServer(s.serveAdmin)
	})
}

// newServer returns a fasthttp server with this server's limits.
func (s *Server) newServer(handler fasthttp.RequestHandler) *fasthttp.Server {
	return &fasthttp.Server{
		Handler:                      handler,
		ErrorHandler:                 s.refuse,
		Logger:                       connLogger{s.Logger},
		ReadTimeout:                  cmp.Or(s.ReadTimeout, 5*time.Second),
		WriteTimeout:                 s.writeTimeout(),
		IdleTimeout:                  s.idleTimeout(),
		MaxIdleWorkerDuration:        parkAfter, // workers have grown stacks
		ConnState:                    noteState,
		ReadBufferSize:               cmp.Or(s.ReadBuffer, 16<<10),
		WriteBufferSize:              cmp.Or(s.WriteBuffer, 4<<10),
		MaxRequestBodySize:           cmp.Or(s.MaxBody, 1<<20),
		StreamRequestBody:            true, // read by takeBody or, where files come, by the call itself
		DisablePreParseMultipartForm: true,
		SecureErrorLogMessage:        true,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		CloseOnShutdown:              true,
	}
}
