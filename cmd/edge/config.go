package main

import (
	"maps"
	"slices"
	"time"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
)

// Config is the whole configuration. The file edge.example.yaml shows every field with its default
// and unit, and edge.schema.json describes them; tests hold both against this struct. Each value is
// set by a flag, else by the environment (EDGE_ and the names in the env tags), else by the file, else
// by DefaultConfig.
type Config struct {
	Listen       string               `yaml:"listen" env:"LISTEN"`
	Roles        []string             `yaml:"roles" env:"ROLES"` // edge, api, worker
	Admin        Admin                `yaml:"admin" envPrefix:"ADMIN_"`
	Redis        Redis                `yaml:"redis" envPrefix:"REDIS_"`
	Cache        Cache                `yaml:"cache" envPrefix:"CACHE_"`
	Sources      map[string]*Source   `yaml:"sources" env:"-"` // laid over one by one: EDGE_SOURCES_{NAME}_…
	Presets      map[string]string    `yaml:"presets" env:"-"`
	Watermarks   map[string]Watermark `yaml:"watermarks" env:"-"`
	Dialects     []Mount              `yaml:"dialects" envPrefix:"DIALECTS"`
	FormatsIn    []string             `yaml:"formats_in" env:"FORMATS_IN"`
	Limits       Limits               `yaml:"limits" envPrefix:"LIMITS_"`
	Render       Render               `yaml:"render" envPrefix:"RENDER_"`
	Text         Text                 `yaml:"text" envPrefix:"TEXT_"`
	RateLimit    RateLimit            `yaml:"rate_limit" envPrefix:"RATE_LIMIT_"`
	Tokens       []Token              `yaml:"tokens" envPrefix:"TOKENS"`
	Jobs         Jobs                 `yaml:"jobs" envPrefix:"JOBS_"`
	Webhooks     Webhooks             `yaml:"webhooks" envPrefix:"WEBHOOKS_"`
	Ingest       Ingest               `yaml:"ingest" envPrefix:"INGEST_"`
	Events       Events               `yaml:"events" envPrefix:"EVENTS_"`
	TrustProxies []string             `yaml:"trust_proxies" env:"TRUST_PROXIES"`
	Timing       bool                 `yaml:"timing" env:"TIMING"`
	BaseURL      string               `yaml:"base_url" env:"BASE_URL"`
	Log          Log                  `yaml:"log" envPrefix:"LOG_"`
	Shutdown     Shutdown             `yaml:"shutdown" envPrefix:"SHUTDOWN_"`

	warnings         []string     // of what works and should be otherwise
	unknownVariables []string     // EDGE_ variables that name no setting; worth a warning
	files            fingerprints // what was read: the file and those of secrets
}

// Admin is the second listener: metrics, profiles, /v1 without public exposure.
type Admin struct {
	Listen         string `yaml:"listen" env:"LISTEN"` // "" = off
	DebugToken     Secret `yaml:"debug_token" env:"DEBUG_TOKEN"`
	DebugTokenFile string `yaml:"debug_token_file" env:"DEBUG_TOKEN_FILE"`
}

// Redis is the fleet's shared cache; without a URL each node has its memory alone.
type Redis struct {
	URL          RedisURL `yaml:"url" env:"URL"`
	URLFile      string   `yaml:"url_file" env:"URL_FILE"`
	QueueURL     RedisURL `yaml:"queue_url" env:"QUEUE_URL"` // of jobs; "" = url
	QueueURLFile string   `yaml:"queue_url_file" env:"QUEUE_URL_FILE"`
}

// Cache says how much is kept and for how long.
type Cache struct {
	Memory    Size       `yaml:"memory" env:"MEMORY"` // 0 = off
	Redis     CacheRedis `yaml:"redis" envPrefix:"REDIS_"`
	Fresh     Duration   `yaml:"fresh" env:"FRESH"`
	Swr       Duration   `yaml:"stale_while_revalidate" env:"STALE_WHILE_REVALIDATE"`
	Sie       Duration   `yaml:"stale_if_error" env:"STALE_IF_ERROR"`
	Negative  Duration   `yaml:"negative" env:"NEGATIVE"`
	Originals Originals  `yaml:"originals" envPrefix:"ORIGINALS_"`
	Ladder    string     `yaml:"ladder" env:"LADDER"` // off, widths
}

// CacheRedis bounds what goes to Redis.
type CacheRedis struct {
	MaxItem Size     `yaml:"max_item" env:"MAX_ITEM"`
	Timeout Duration `yaml:"timeout" env:"TIMEOUT"` // of one command
}

// Originals are source bytes kept so that all variants of a picture cost one fetch.
type Originals struct {
	Memory  Size     `yaml:"memory" env:"MEMORY"` // 0 = off
	Redis   bool     `yaml:"redis" env:"REDIS"`
	MaxItem Size     `yaml:"max_item" env:"MAX_ITEM"`
	TTL     Duration `yaml:"ttl" env:"TTL"`
}

// Source is one place of originals with its own keys and rules. Exactly one of Dir, Bucket and HTTP is
// set; a nil duration is the cache's.
type Source struct {
	Dir          string       `yaml:"dir" env:"DIR"`
	Bucket       *Bucket      `yaml:"bucket" envPrefix:"BUCKET_"`
	HTTP         *HTTP        `yaml:"http" envPrefix:"HTTP_"`
	Keys         []Key        `yaml:"keys" envPrefix:"KEYS"`
	Unsigned     bool         `yaml:"unsigned" env:"UNSIGNED"` // with keys, a signed URL may ask for more
	Free         bool         `yaml:"free" env:"FREE"`
	Widths       []int        `yaml:"widths" env:"WIDTHS"`
	Presets      []string     `yaml:"presets" env:"PRESETS"` // nil = all
	Accept       []string     `yaml:"accept" env:"ACCEPT"`   // nil = avif, webp
	MaxAge       *Duration    `yaml:"max_age" env:"MAX_AGE"` // nil = 24h
	CacheControl string       `yaml:"cache_control" env:"CACHE_CONTROL"`
	Fresh        *Duration    `yaml:"fresh" env:"FRESH"`
	Swr          *Duration    `yaml:"stale_while_revalidate" env:"STALE_WHILE_REVALIDATE"`
	Sie          *Duration    `yaml:"stale_if_error" env:"STALE_IF_ERROR"`
	Negative     *Duration    `yaml:"negative" env:"NEGATIVE"`
	Timeout      *Duration    `yaml:"timeout" env:"TIMEOUT"` // of a whole fetch; nil = 10s
	Tags         []string     `yaml:"tags" env:"TAGS"`
	Fallback     string       `yaml:"fallback" env:"FALLBACK"` // source/key
	Overlays     []string     `yaml:"overlays" env:"OVERLAYS"` // sources whose pictures wm may name as source/key; nil = this one alone
	Limits       SourceLimits `yaml:"limits" envPrefix:"LIMITS_"`
	AllowOrigin  string       `yaml:"allow_origin" env:"ALLOW_ORIGIN"`
	TimingOrigin string       `yaml:"timing_allow_origin" env:"TIMING_ALLOW_ORIGIN"`
	Resource     string       `yaml:"resource_policy" env:"RESOURCE_POLICY"`
}

// Bucket is an S3 bucket, or a part of one below a prefix.
type Bucket struct {
	Endpoint      string `yaml:"endpoint" env:"ENDPOINT"`
	Region        string `yaml:"region" env:"REGION"` // "" = us-east-1
	Name          string `yaml:"name" env:"NAME"`
	Prefix        string `yaml:"prefix" env:"PREFIX"`
	AccessKey     Secret `yaml:"access_key" env:"ACCESS_KEY"`
	AccessKeyFile string `yaml:"access_key_file" env:"ACCESS_KEY_FILE"`
	SecretKey     Secret `yaml:"secret_key" env:"SECRET_KEY"`
	SecretKeyFile string `yaml:"secret_key_file" env:"SECRET_KEY_FILE"`
	PathStyle     bool   `yaml:"path_style" env:"PATH_STYLE"`
}

// HTTP is a web server: rooted at Base, or open to what Allow lists.
type HTTP struct {
	Base          string            `yaml:"base" env:"BASE"`
	Allow         []string          `yaml:"allow" env:"ALLOW"`
	Headers       map[string]Secret `yaml:"headers" env:"-"`
	AllowNetworks []string          `yaml:"allow_networks" env:"ALLOW_NETWORKS"` // CIDRs that are no longer refused
}

// Key is one live signing key.
type Key struct {
	ID         string `yaml:"id" env:"ID"`
	Secret     Secret `yaml:"secret" env:"SECRET"` // hex, 16 to 64 bytes
	SecretFile string `yaml:"secret_file" env:"SECRET_FILE"`
}

// Limits bound what one request and all requests together may cost.
type Limits struct {
	SourceBytes      Size     `yaml:"source_bytes" env:"SOURCE_BYTES"`
	SourcePixels     int      `yaml:"source_pixels" env:"SOURCE_PIXELS"`
	SourceSide       int      `yaml:"source_side" env:"SOURCE_SIDE"`
	OutputSide       int      `yaml:"output_side" env:"OUTPUT_SIDE"`
	OutputPixels     int      `yaml:"output_pixels" env:"OUTPUT_PIXELS"`
	Frames           int      `yaml:"frames" env:"FRAMES"`
	AnimationPixels  int      `yaml:"animation_pixels" env:"ANIMATION_PIXELS"`
	Memory           Size     `yaml:"memory" env:"MEMORY"` // decoded bytes in flight
	Queue            int      `yaml:"queue" env:"QUEUE"`
	QueueWait        Duration `yaml:"queue_wait" env:"QUEUE_WAIT"`
	Render           Duration `yaml:"render" env:"RENDER"`
	Request          Duration `yaml:"request" env:"REQUEST"`
	Connections      int      `yaml:"connections" env:"CONNECTIONS"`               // each listener; 0 = unlimited
	ConnectionsPerIP int      `yaml:"connections_per_ip" env:"CONNECTIONS_PER_IP"` // 0 = unlimited
}

// SourceLimits override the global limits for one source; a zero field does not.
type SourceLimits struct {
	SourceBytes     Size `yaml:"source_bytes" env:"SOURCE_BYTES"`
	SourcePixels    int  `yaml:"source_pixels" env:"SOURCE_PIXELS"`
	SourceSide      int  `yaml:"source_side" env:"SOURCE_SIDE"`
	OutputSide      int  `yaml:"output_side" env:"OUTPUT_SIDE"`
	OutputPixels    int  `yaml:"output_pixels" env:"OUTPUT_PIXELS"`
	Frames          int  `yaml:"frames" env:"FRAMES"`
	AnimationPixels int  `yaml:"animation_pixels" env:"ANIMATION_PIXELS"`
}

// Render says who renders.
type Render struct {
	Workers      int                `yaml:"workers" env:"WORKERS"`             // pictures at a time; 0 = CPU cores
	Isolation    string             `yaml:"isolation" env:"ISOLATION"`         // process, none
	RecycleAfter int                `yaml:"recycle_after" env:"RECYCLE_AFTER"` // pictures a worker process makes before it is replaced; 0 = never
	WorkerMemory Size               `yaml:"worker_memory" env:"WORKER_MEMORY"` // of one worker process; 0 = limits.memory + 128 MiB
	EncodeBudget Duration           `yaml:"encode_budget" env:"ENCODE_BUDGET"` // predicted time of an encoder, above which it is cheaper; 0 = off
	SSIM         float64            `yaml:"ssim" env:"SSIM"`                   // that q=auto and f=best reach
	SSIMOf       map[string]float64 `yaml:"ssim_of" env:"-"`                   // by format, where it differs: jpeg, webp, avif, jxl
}

// Text says what text is set in.
type Text struct {
	Fonts   []string `yaml:"fonts" env:"FONTS"`     // families; what the default lacks is taken from the others, in this order
	Default string   `yaml:"default" env:"DEFAULT"` // one of Fonts
}

// Watermark is a picture that wm= lays over others by its name.
type Watermark struct {
	Image   string `yaml:"image"`   // source/key
	Options string `yaml:"options"` // wmg, wmx, wmy, wms, wmo, wmr, wmrot, as in a URL
}

// RateLimit bounds what one client may ask for.
type RateLimit struct {
	Requests int      `yaml:"requests" env:"REQUESTS"` // in a window; 0 = unlimited
	Renders  int      `yaml:"renders" env:"RENDERS"`   // in a window; 0 = unlimited
	Window   Duration `yaml:"window" env:"WINDOW"`
	By       string   `yaml:"by" env:"BY"` // ip = addresses, and tokens on /v1; token = tokens alone
}

// Token opens /v1 to a program.
type Token struct {
	Name       string   `yaml:"name" env:"NAME"`
	Secret     Secret   `yaml:"secret" env:"SECRET"`
	SecretFile string   `yaml:"secret_file" env:"SECRET_FILE"`
	Scopes     []string `yaml:"scopes" env:"SCOPES"` // purge, sign, admin, upload, jobs
}

// Log says what is logged and how.
type Log struct {
	Level  string `yaml:"level" env:"LEVEL"`   // debug, info, warn, error
	Format string `yaml:"format" env:"FORMAT"` // auto = text on a terminal, else json
	Hits   int    `yaml:"hits" env:"HITS"`     // a line for one in so many answers from memory; 0 = for none
}

// Shutdown says how a node leaves.
type Shutdown struct {
	Delay   Duration `yaml:"delay" env:"DELAY"`     // readiness answers 503, requests are still taken
	Timeout Duration `yaml:"timeout" env:"TIMEOUT"` // for what is under way
}

const (
	envConfig      = "EDGE_CONFIG" // the file, where --config is not given
	defaultMaxAge  = 24 * time.Hour
	defaultTimeout = 10 * time.Second
	defaultRegion  = "us-east-1"
)

// DefaultConfig is what holds where nothing else is said.
func DefaultConfig() Config {
	limits := resize.DefaultLimits()
	return Config{
		Listen: ":8080",
		Roles:  allRoles(),
		Admin:  Admin{Listen: "127.0.0.1:8081"},
		Cache: Cache{
			Memory:    512 << 20,
			Redis:     CacheRedis{MaxItem: 4 << 20, Timeout: Duration(50 * time.Millisecond)},
			Fresh:     Duration(24 * time.Hour),
			Swr:       Duration(time.Hour),
			Sie:       Duration(168 * time.Hour),
			Negative:  Duration(30 * time.Second),
			Originals: Originals{Memory: 128 << 20, Redis: true, MaxItem: 16 << 20, TTL: Duration(10 * time.Minute)},
			Ladder:    "off",
		},
		FormatsIn: formatNames(resize.DefaultFormatsIn()),
		Limits: Limits{
			SourceBytes:     64 << 20,
			SourcePixels:    limits.SourcePixels,
			SourceSide:      limits.SourceSide,
			OutputSide:      limits.OutputSide,
			OutputPixels:    limits.OutputPixels,
			Frames:          limits.Frames,
			AnimationPixels: limits.AnimationPixels,
			Memory:          Size(limits.Memory),
			Queue:           256,
			QueueWait:       Duration(5 * time.Second),
			Render:          Duration(10 * time.Second),
			Request:         Duration(30 * time.Second),
			Connections:     16384,
		},
		Render:    Render{Isolation: "process", RecycleAfter: 5000, EncodeBudget: Duration(limits.EncodeBudget), SSIM: 0.98},
		Text:      Text{Fonts: []string{libvips.DefaultFont}, Default: libvips.DefaultFont},
		Jobs:      defaultJobs(),
		Webhooks:  defaultWebhooks(),
		Ingest:    defaultIngest(),
		Events:    defaultEvents(),
		Log:       Log{Level: "info", Format: "auto", Hits: 1},
		Shutdown:  Shutdown{Delay: Duration(5 * time.Second), Timeout: Duration(25 * time.Second)},
		RateLimit: RateLimit{Window: Duration(time.Second), By: rateByIP},
	}
}

// sourceNames returns the names of the sources, sorted.
func (c *Config) sourceNames() []string {
	return slices.Sorted(maps.Keys(c.Sources))
}

// or returns the value set for a source, else the general one.
func (d *Duration) or(general time.Duration) time.Duration {
	if d == nil {
		return general
	}
	return time.Duration(*d)
}

// limitsOf returns the limits of a source: the global ones with its own laid over them.
func (c *Config) limitsOf(s *Source) resize.Limits {
	pick := func(own, global int) int {
		if own != 0 {
			return own
		}
		return global
	}
	return resize.Limits{
		SourcePixels:    pick(s.Limits.SourcePixels, c.Limits.SourcePixels),
		SourceSide:      pick(s.Limits.SourceSide, c.Limits.SourceSide),
		OutputSide:      pick(s.Limits.OutputSide, c.Limits.OutputSide),
		OutputPixels:    pick(s.Limits.OutputPixels, c.Limits.OutputPixels),
		Frames:          pick(s.Limits.Frames, c.Limits.Frames),
		AnimationPixels: pick(s.Limits.AnimationPixels, c.Limits.AnimationPixels),
		Memory:          int64(c.Limits.Memory),
		EncodeBudget:    time.Duration(c.Render.EncodeBudget),
	}
}

// sourceBytes returns the cap of an original in bytes.
func (c *Config) sourceBytes(s *Source) int64 {
	if s.Limits.SourceBytes != 0 {
		return int64(s.Limits.SourceBytes)
	}
	return int64(c.Limits.SourceBytes)
}
