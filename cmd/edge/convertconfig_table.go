package main

import (
	"slices"
	"strings"
)

// imgproxyVariable is one row of the table of imgproxy's environment.
type imgproxyVariable struct {
	name    string   // with a * at its end it stands for all that begin so
	aliases []string // older names
	lost    string   // why there is no equivalent; "" = apply converts it
	apply   converter
}

// converter writes one variable, which is set and not empty.
type converter func(c *conversion, name, value string) error

func (v imgproxyVariable) is(name string) bool {
	if start, ok := strings.CutSuffix(v.name, "*"); ok {
		return strings.HasPrefix(name, start)
	}
	return v.name == name
}

// findVariable returns the row of a variable; nil if it is not known.
func findVariable(name string) *imgproxyVariable {
	for _, row := range imgproxyVariables() {
		if row.is(name) || slices.Contains(row.aliases, name) {
			return &row
		}
	}
	return nil
}

const (
	lostEncoder = "the encoders' settings are fixed, so that equal URLs give equal bytes"
	lostModel   = "there are no models for objects and classes"
	lostVideo   = "videos are not served"
	lostReport  = "errors are logged and counted in /metrics; nothing is sent to other services"
	lostMetrics = "metrics are those of /metrics on the admin listener"
	lostCloud   = "there are no sources of that kind; folders, S3 and HTTP are served"
	lostMemory  = "memory is bounded by limits.memory and the cache's sizes"
	lostHeader  = "headers are neither passed through nor added"
	lostCookie  = "cookies are not passed on"
	lostTimeout = "connections have fixed timeouts"
	lostLicense = "nothing needs a license"
)

// imgproxyVariables is the table, in the order of imgproxy's documentation. Exact names stand before
// those with a *.
func imgproxyVariables() []imgproxyVariable {
	return slices.Concat(serverVariables(), securityVariables(), encodingVariables(), sourceVariables(), otherVariables())
}

func serverVariables() []imgproxyVariable {
	return []imgproxyVariable{
		{name: "IMGPROXY_KEY", apply: done},
		{name: "IMGPROXY_SALT", apply: done},
		{name: "IMGPROXY_SIGNATURE_SIZE", apply: number("signature_size", 1, 32)},
		{name: "IMGPROXY_TRUSTED_SIGNATURES", apply: list("trusted_signatures", ",")},
		{name: "IMGPROXY_BIND", apply: convertBind},
		{name: "IMGPROXY_NETWORK", apply: only("tcp", "the listener is TCP")},
		{name: "IMGPROXY_TIMEOUT", aliases: []string{"IMGPROXY_WRITE_TIMEOUT"}, apply: seconds("limits", "request")},
		{name: "IMGPROXY_GRACEFUL_STOP_TIMEOUT", apply: seconds("shutdown", "timeout")},
		{name: "IMGPROXY_READ_REQUEST_TIMEOUT", aliases: []string{"IMGPROXY_READ_TIMEOUT"}, lost: lostTimeout},
		{name: "IMGPROXY_WRITE_RESPONSE_TIMEOUT", lost: lostTimeout},
		{name: "IMGPROXY_KEEP_ALIVE_TIMEOUT", lost: lostTimeout},
		{name: "IMGPROXY_CLIENT_KEEP_ALIVE_TIMEOUT", lost: lostTimeout},
		{name: "IMGPROXY_DOWNLOAD_TIMEOUT", apply: convertDownloadTimeout},
		{name: "IMGPROXY_WORKERS", aliases: []string{"IMGPROXY_CONCURRENCY"}, apply: whole(1, "render", "workers")},
		{name: "IMGPROXY_REQUESTS_QUEUE_SIZE", apply: convertQueue},
		{name: "IMGPROXY_MAX_CLIENTS", lost: "limits.connections and limits.connections_per_ip bound connections"},
		{name: "IMGPROXY_TTL", apply: convertTTL},
		{name: "IMGPROXY_CACHE_CONTROL_PASSTHROUGH", lost: "clients are told max_age; the origin's headers shorten how long a picture stays in the cache"},
		{name: "IMGPROXY_SET_CANONICAL_HEADER", lost: lostHeader},
		{name: "IMGPROXY_SO_REUSEPORT", lost: "one process listens"},
		{name: "IMGPROXY_PATH_PREFIX", apply: convertPrefix},
		{name: "IMGPROXY_USER_AGENT", apply: convertUserAgent},
		{name: "IMGPROXY_USE_ETAG", apply: only("true", "every picture has an ETag")},
		{name: "IMGPROXY_ETAG_BUSTER", lost: "ETags are made from the bytes"},
		{name: "IMGPROXY_USE_LAST_MODIFIED", apply: only("true", "Last-Modified is sent where the origin has one")},
		{name: "IMGPROXY_LAST_MODIFIED_BUSTER", lost: "Last-Modified is the origin's"},
		{name: "IMGPROXY_CUSTOM_REQUEST_HEADERS", apply: convertRequestHeaders},
		{name: "IMGPROXY_CUSTOM_RESPONSE_HEADERS", lost: lostHeader},
		{name: "IMGPROXY_CUSTOM_HEADERS_SEPARATOR", apply: done},
		{name: "IMGPROXY_REQUEST_HEADERS_PASSTHROUGH", lost: lostHeader},
		{name: "IMGPROXY_RESPONSE_HEADERS_PASSTHROUGH", lost: lostHeader},
		{name: "IMGPROXY_ENABLE_DEBUG_HEADERS", lost: "timing: true sends Server-Timing; edge explain tells the sizes"},
		{name: "IMGPROXY_SERVER_NAME", lost: lostHeader},
		{name: "IMGPROXY_HEALTH_CHECK_PATH", lost: "the paths are /healthz and /readyz"},
		{name: "IMGPROXY_HEALTH_CHECK_MESSAGE", lost: "/healthz and /readyz answer JSON"},
		{name: "IMGPROXY_COOKIE_PASSTHROUGH", lost: lostCookie},
		{name: "IMGPROXY_COOKIE_PASSTHROUGH_ALL", lost: lostCookie},
		{name: "IMGPROXY_COOKIE_BASE_URL", lost: lostCookie},
		{name: "IMGPROXY_ENABLE_CLIENT_HINTS", lost: "width and dpr come from the URL alone"},
	}
}

func securityVariables() []imgproxyVariable {
	return []imgproxyVariable{
		{name: "IMGPROXY_MAX_SRC_RESOLUTION", apply: convertMegapixels},
		{name: "IMGPROXY_MAX_SRC_FILE_SIZE", apply: convertFileSize},
		{name: "IMGPROXY_MAX_ANIMATION_FRAMES", apply: convertFrames},
		{name: "IMGPROXY_MAX_ANIMATION_FRAME_RESOLUTION", lost: "limits.source_pixels is that of one frame, limits.animation_pixels that of all"},
		{name: "IMGPROXY_MAX_RESULT_DIMENSION", apply: convertResult},
		{name: "IMGPROXY_MAX_SVG_CHECK_BYTES", lost: "an SVG is known by its first element"},
		{name: "IMGPROXY_MAX_REDIRECTS", lost: "3 redirects are followed"},
		{name: "IMGPROXY_MAX_CHAINED_PIPELINES", lost: "pipelines are not chained"},
		{name: "IMGPROXY_PNG_UNLIMITED", lost: "limits hold for every format"},
		{name: "IMGPROXY_SVG_UNLIMITED", lost: "limits hold for every format"},
		{name: "IMGPROXY_SECRET", lost: "pictures are opened by signatures; set the header in the proxy in front"},
		{name: "IMGPROXY_SOURCE_URL_ENCRYPTION_KEY", apply: convertSourceKey},
		{name: "IMGPROXY_ALLOW_ORIGIN", apply: convertAllowOrigin},
		{name: "IMGPROXY_ALLOWED_SOURCES", apply: done},
		{name: "IMGPROXY_ALLOW_LOOPBACK_SOURCE_ADDRESSES", apply: convertNetworks("127.0.0.0/8", "::1/128")},
		{name: "IMGPROXY_ALLOW_LINK_LOCAL_SOURCE_ADDRESSES", apply: convertNetworks("169.254.0.0/16", "fe80::/10")},
		{name: "IMGPROXY_ALLOW_PRIVATE_SOURCE_ADDRESSES", apply: convertNetworks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")},
		{name: "IMGPROXY_SANITIZE_SVG", apply: only("true", "SVGs are always cleaned")},
		{name: "IMGPROXY_ALWAYS_RASTERIZE_SVG", apply: only("true", "an SVG is always made a picture of pixels")},
		{name: "IMGPROXY_SVG_FIX_UNSUPPORTED", lost: "what the renderer does not know is not replaced"},
		{name: "IMGPROXY_IGNORE_SSL_VERIFICATION", lost: "certificates are always checked"},
		{name: "IMGPROXY_DEVELOPMENT_ERRORS_MODE", lost: "errors below 500 say what is wrong; admin.debug_token shows why a signature fails"},
		{name: "IMGPROXY_ALLOW_SECURITY_OPTIONS", apply: truthOf("security_options")},
		{name: "IMGPROXY_ALLOWED_PROCESSING_OPTIONS", apply: list("allowed_options", ",")},
		{name: "IMGPROXY_ARGUMENTS_SEPARATOR", apply: textOf("separator")},
	}
}

func encodingVariables() []imgproxyVariable {
	return []imgproxyVariable{
		{name: "IMGPROXY_QUALITY", apply: convertQuality},
		{name: "IMGPROXY_FORMAT_QUALITY", apply: convertQualities},
		{name: "IMGPROXY_WEBP_COMPRESSION", apply: convertWebP},
		{name: "IMGPROXY_AUTOQUALITY_METHOD", apply: convertAutoquality},
		{name: "IMGPROXY_AUTOQUALITY_TARGET", apply: convertTarget},
		{name: "IMGPROXY_AUTOQUALITY_*", lost: "render.ssim and render.ssim_of say what is aimed at; the search has no other bounds"},
		{name: "IMGPROXY_JPEG_*", lost: lostEncoder},
		{name: "IMGPROXY_PNG_*", lost: lostEncoder},
		{name: "IMGPROXY_WEBP_*", lost: lostEncoder},
		{name: "IMGPROXY_AVIF_*", lost: lostEncoder},
		{name: "IMGPROXY_JXL_*", lost: lostEncoder},
		{name: "IMGPROXY_AUTO_WEBP", aliases: []string{"IMGPROXY_ENABLE_WEBP_DETECTION"}, apply: convertAccept},
		{name: "IMGPROXY_AUTO_AVIF", aliases: []string{"IMGPROXY_ENABLE_AVIF_DETECTION"}, apply: convertAccept},
		{name: "IMGPROXY_AUTO_JXL", apply: convertAccept},
		{name: "IMGPROXY_ENFORCE_WEBP", apply: convertEnforced},
		{name: "IMGPROXY_ENFORCE_AVIF", apply: convertEnforced},
		{name: "IMGPROXY_ENFORCE_JXL", apply: convertEnforced},
		{name: "IMGPROXY_PREFERRED_FORMATS", apply: convertPreferred},
		{name: "IMGPROXY_SKIP_PROCESSING_FORMATS", apply: convertSkipped},
		{name: "IMGPROXY_BEST_FORMAT_BY_DEFAULT", apply: optionIf(true, "f", "best")},
		{name: "IMGPROXY_BEST_FORMAT_*", lost: "f=best takes the smallest of the formats that the client takes"},
		{name: "IMGPROXY_STRIP_METADATA", apply: optionIf(false, "sm", "0")},
		{name: "IMGPROXY_KEEP_COPYRIGHT", apply: optionIf(false, "kcr", "0")},
		{name: "IMGPROXY_STRIP_METADATA_DPI", lost: "the resolution in dpi is not written"},
		{name: "IMGPROXY_STRIP_COLOR_PROFILE", apply: optionIf(false, "scp", "0")},
		{name: "IMGPROXY_COLOR_PROFILES_DIR", lost: "pictures are sRGB, or keep their profile"},
		{name: "IMGPROXY_PRESERVE_HDR", apply: only("false", "pictures have 8 bits")},
		{name: "IMGPROXY_AUTO_ROTATE", apply: convertAutoRotate},
		{name: "IMGPROXY_ENFORCE_THUMBNAIL", apply: only("false", "the picture itself is taken")},
		{name: "IMGPROXY_RETURN_ATTACHMENT", apply: optionIf(true, "att", "1")},
		{name: "IMGPROXY_USE_LINEAR_COLORSPACE", apply: only("false", "pictures are scaled as they are stored")},
		{name: "IMGPROXY_DISABLE_SHRINK_ON_LOAD", apply: only("false", "large pictures are always shrunk while they are read")},
		{name: "IMGPROXY_PDF_NO_BACKGROUND", lost: "PDFs are not served"},
		{name: "IMGPROXY_ENABLE_RAW_FORMATS", lost: "camera raw files are not served"},
	}
}

func sourceVariables() []imgproxyVariable {
	return []imgproxyVariable{
		{name: "IMGPROXY_LOCAL_FILESYSTEM_ROOT", apply: done},
		{name: "IMGPROXY_USE_S3", apply: done},
		{name: "IMGPROXY_S3_REGION", apply: done},
		{name: "IMGPROXY_S3_ENDPOINT", apply: done},
		{name: "IMGPROXY_S3_ENDPOINT_USE_PATH_STYLE", apply: done},
		{name: "IMGPROXY_S3_ALLOWED_BUCKETS", apply: done},
		{name: "IMGPROXY_S3_DENIED_BUCKETS", apply: done},
		{name: "IMGPROXY_S3_*", lost: "a bucket has an access key and a secret key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or is public"},
		{name: "IMGPROXY_USE_GCS", apply: only("false", lostCloud)},
		{name: "IMGPROXY_GCS_*", lost: lostCloud},
		{name: "IMGPROXY_USE_ABS", apply: only("false", lostCloud)},
		{name: "IMGPROXY_ABS_*", lost: lostCloud},
		{name: "IMGPROXY_USE_SWIFT", apply: only("false", lostCloud)},
		{name: "IMGPROXY_SWIFT_*", lost: lostCloud},
		{name: "IMGPROXY_SOURCE_URL_QUERY_SEPARATOR", lost: "keys of folders and buckets have no query"},
		{name: "IMGPROXY_BASE_URL", apply: textOf("base_url")},
		{name: "IMGPROXY_URL_REPLACEMENTS", apply: convertReplacements},
		{name: "IMGPROXY_BASE64_URL_INCLUDES_FILENAME", apply: truthOf("base64_filename")},
		{name: "IMGPROXY_PRESETS", apply: convertPresets},
		{name: "IMGPROXY_PRESETS_SEPARATOR", apply: done},
		{name: "IMGPROXY_PRESETS_PATH", apply: done},
		{name: "IMGPROXY_ONLY_PRESETS", apply: done},
		{name: "IMGPROXY_INFO_*", lost: "/info/ has no presets"},
		{name: "IMGPROXY_WATERMARK_PATH", apply: convertWatermark},
		{name: "IMGPROXY_WATERMARK_URL", apply: convertWatermark},
		{name: "IMGPROXY_WATERMARK_DATA", lost: "write the picture to a file and name it with IMGPROXY_WATERMARK_PATH"},
		{name: "IMGPROXY_WATERMARK_OPACITY", apply: only("1", "the opacity is that of the URL")},
		{name: "IMGPROXY_WATERMARK_PREPROCESS_URL", lost: "a watermark is taken as it is"},
		{name: "IMGPROXY_WATERMARKS_CACHE_SIZE", lost: "watermarks are kept like other originals (cache.originals)"},
		{name: "IMGPROXY_FALLBACK_IMAGE_PATH", apply: convertFallback},
		{name: "IMGPROXY_FALLBACK_IMAGE_URL", apply: convertFallback},
		{name: "IMGPROXY_FALLBACK_IMAGE_DATA", lost: "write the picture to a file and name it with IMGPROXY_FALLBACK_IMAGE_PATH"},
		{name: "IMGPROXY_FALLBACK_IMAGE_HTTP_CODE", apply: only("0", "a fallback is sent with the status of the error")},
		{name: "IMGPROXY_FALLBACK_IMAGE_*", lost: "a fallback is taken and kept like other pictures"},
		{name: "IMGPROXY_FALLBACK_IMAGES_CACHE_SIZE", lost: "fallbacks are kept like other originals (cache.originals)"},
	}
}

func otherVariables() []imgproxyVariable {
	return []imgproxyVariable{
		{name: "IMGPROXY_PROMETHEUS_BIND", apply: convertPrometheus},
		{name: "IMGPROXY_PROMETHEUS_*", lost: "the names begin with imgedge_"},
		{name: "IMGPROXY_LOG_FORMAT", apply: convertLogFormat},
		{name: "IMGPROXY_LOG_LEVEL", apply: convertLogLevel},
		{name: "IMGPROXY_LOG_*", lost: "level and format are all that can be set"},
		{name: "IMGPROXY_SYSLOG_*", lost: "logs go to stderr"},
		{name: "IMGPROXY_DATADOG_*", lost: lostMetrics},
		{name: "IMGPROXY_NEW_RELIC_*", lost: lostMetrics},
		{name: "IMGPROXY_CLOUD_WATCH_*", lost: lostMetrics},
		{name: "IMGPROXY_OPEN_TELEMETRY_*", lost: lostMetrics},
		{name: "IMGPROXY_REPORT_*", lost: lostReport},
		{name: "IMGPROXY_BUGSNAG_*", lost: lostReport},
		{name: "IMGPROXY_HONEYBADGER_*", lost: lostReport},
		{name: "IMGPROXY_SENTRY_*", lost: lostReport},
		{name: "IMGPROXY_AIRBRAKE_*", lost: lostReport},
		{name: "IMGPROXY_DOWNLOAD_BUFFER_SIZE", lost: lostMemory},
		{name: "IMGPROXY_FREE_MEMORY_INTERVAL", lost: lostMemory},
		{name: "IMGPROXY_BUFFER_POOL_CALIBRATION_THRESHOLD", lost: lostMemory},
		{name: "IMGPROXY_MALLOC", lost: lostMemory},
		{name: "IMGPROXY_VIPS_*", lost: lostMemory},
		{name: "IMGPROXY_CACHE_*", lost: "results are kept in memory (cache.memory) and in Redis (redis.url)"},
		{name: "IMGPROXY_SMART_CROP_*", lost: "g=smart is libvips' attention"},
		{name: "IMGPROXY_UNSHARP_*", lost: "pictures are sharpened where the URL says so"},
		{name: "IMGPROXY_OBJECT_DETECTION_*", lost: lostModel},
		{name: "IMGPROXY_CLASSIFICATION_*", lost: lostModel},
		{name: "IMGPROXY_ENABLE_VIDEO_THUMBNAILS", lost: lostVideo},
		{name: "IMGPROXY_VIDEO_*", lost: lostVideo},
		{name: "IMGPROXY_ENV_*", lost: "give the file with --env-file, or the variables themselves"},
		{name: "IMGPROXY_LICENSE_*", lost: lostLicense},
		{name: "IMGPROXY_FAIL_ON_DEPRECATION", lost: "edge config check tells what is wrong with a configuration"},
	}
}
