package edge

import (
	"mime"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
)

// appendCacheStatus words how an answer came about, as the one member this node adds (RFC 9211).
func appendCacheStatus(b []byte, via pipeline.Via) []byte {
	b = append(b, "imgedge"...)
	switch {
	case via.StaleError != 0:
		b = append(b, "; fwd=stale; fwd-status="...)
		b = strconv.AppendInt(b, int64(via.StaleError), 10)
		return append(b, "; detail=stale-if-error"...)
	case via.Hit == pipeline.TierMemory:
		return appendTTL(append(b, "; hit; detail=memory"...), via.TTL)
	case via.Hit == pipeline.TierRedis:
		return appendTTL(append(b, "; hit; detail=redis"...), via.TTL)
	case via.Revalidated:
		b = append(b, "; fwd=stale; fwd-status=304"...)
	default:
		b = append(b, "; fwd=miss"...)
	}
	if via.Stored {
		b = append(b, "; stored"...)
	}
	if via.Collapsed {
		b = append(b, "; collapsed"...)
	}
	if via.OriginalKept {
		b = append(b, "; detail=original-kept"...)
	}
	return b
}

// appendTTL appends the freshness left in whole seconds, rounded down, so that a stale entry's is
// negative.
func appendTTL(b []byte, ttl time.Duration) []byte {
	s := int64(ttl / time.Second)
	if ttl < 0 && ttl%time.Second != 0 {
		s--
	}
	return strconv.AppendInt(append(b, "; ttl="...), s, 10)
}

// appendServerTiming appends a fill's stages in milliseconds.
func appendServerTiming(b []byte, t pipeline.Timing) []byte {
	for st, d := range split(t) {
		if st > 0 {
			b = append(b, ", "...)
		}
		b = append(b, stage(st).String()...)
		b = append(b, ";dur="...)
		b = strconv.AppendFloat(b, float64(d.Microseconds())/1000, 'f', -1, 64)
	}
	return b
}

// appendAge appends an entry's age in whole seconds.
func appendAge(b []byte, e *cache.Entry, now time.Time) []byte {
	return strconv.AppendInt(b, seconds(now.Sub(e.Stored)), 10)
}

// appendHTTPDate appends an IMF-fixdate (RFC 9110 section 5.6.7).
func appendHTTPDate(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "Mon, 02 Jan 2006 15:04:05 GMT")
}

// boundCacheControl returns a configured Cache-Control whose lives end within left seconds.
func boundCacheControl(value string, left int64) string {
	var kept []string
	said := false
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		name, arg, _ := strings.Cut(part, "=")
		switch strings.ToLower(name) {
		case "max-age", "s-maxage", "stale-while-revalidate", "stale-if-error":
			if strings.EqualFold(name, "max-age") {
				said = true
			}
			n, err := strconv.ParseInt(strings.Trim(arg, `"`), 10, 64)
			if strings.HasPrefix(strings.ToLower(name), "stale") {
				continue // would reach beyond what max-age may
			}
			if err != nil || n > left {
				n = left
			}
			part = name + "=" + strconv.FormatInt(n, 10)
		case "immutable":
			continue
		case "no-store", "no-cache":
			said = true
		}
		if part != "" {
			kept = append(kept, part)
		}
	}
	if !said {
		kept = append(kept, "max-age="+strconv.FormatInt(left, 10))
	}
	return strings.Join(kept, ", ")
}

// disposition returns a request's Content-Disposition up to the extension, which the final format gives
// (RFC 6266, RFC 8187).
func disposition(r dialect.Request) string {
	kind, name := "inline", r.Key
	if u, err := url.Parse(r.Key); err == nil && u.Scheme != "" && u.Host != "" {
		name = u.Path
	}
	name = path.Base(name)
	switch {
	case r.Download != "":
		kind, name = "attachment", r.Download
	case r.Name != "":
		name = r.Name
	}
	if ext := path.Ext(name); ext != name && isPictureExtension(ext) {
		name = strings.TrimSuffix(name, ext)
	}
	return string(appendExtValue([]byte(kind+"; filename*=UTF-8''"), name))
}

// isPictureExtension reports whether ext, with its dot, names a format that the final one replaces.
func isPictureExtension(ext string) bool {
	switch strings.ToLower(ext) {
	case ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".heic", ".heif", ".gif", ".tif", ".tiff",
		".jxl", ".svg", ".svgz", ".pdf", ".bmp", ".ico", ".json", ".txt":
		return true
	default:
		return false
	}
}

// appendExtValue percent-encodes what is no attr-char (RFC 8187 section 3.2.1).
func appendExtValue(b []byte, text string) []byte {
	const hexDigits = "0123456789ABCDEF"
	for _, c := range []byte(text) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if letter || strings.IndexByte("!#$&+-.^_`|~", c) >= 0 {
			b = append(b, c)
			continue
		}
		b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}

// extension returns the file name extension of a media type, with its dot; "" = unknown.
func extension(mediaType string) string {
	switch mediaType {
	case "image/jpeg":
		return ".jpg"
	case "image/png":
		return ".png"
	case "image/webp":
		return ".webp"
	case "image/avif":
		return ".avif"
	case "image/gif":
		return ".gif"
	case "image/tiff":
		return ".tiff"
	case "image/jxl":
		return ".jxl"
	case "image/heic", "image/heif":
		return ".heic"
	case "image/svg+xml":
		return ".svg"
	case "image/bmp":
		return ".bmp"
	case "image/x-icon", "image/vnd.microsoft.icon":
		return ".ico"
	case "application/pdf":
		return ".pdf"
	}
	switch base, _, _ := mime.ParseMediaType(mediaType); base {
	case "application/json":
		return ".json"
	case "text/plain":
		return ".txt"
	}
	return ""
}

// sandboxed reports whether an answer could run in a browser and gets a policy that forbids it.
func sandboxed(o resize.Options, mediaType string) bool {
	return o.Format == resize.FormatRaw || mediaType == "image/svg+xml"
}

// sandboxPolicy is the Content-Security-Policy of such answers.
const sandboxPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
