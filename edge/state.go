package edge

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"time"

	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
)

// state is a Site prepared for serving, with what was learned while it was in force. It is swapped as
// one, so that a reload forgets every verified URL.
type state struct {
	site    *Site
	sources map[string]*served
	tokens  []hashedToken
	debug   *[sha256.Size]byte // hash of the debug token; nil = none
	memo    *memo
	mounts  []*mounted
	over    chan struct{} // closed when another state is in force
}

// served is a Source prepared for serving.
type served struct {
	*Source
	metrics      *sourceTally
	takes        capability // what its order of negotiation can give
	cacheControl string     // of good answers that never expire
	fallback     *pipeline.Source
	fallbackKey  string
}

// hashedToken is a token by the hash of its secret, so that all comparisons are of one length.
type hashedToken struct {
	*Token
	hash [sha256.Size]byte
}

func (s *Server) newState(site *Site) *state {
	st := &state{site: site, sources: make(map[string]*served, len(site.Sources)), memo: newMemo(s.MemoSize), mounts: newMounts(site.Mounts, s.MemoSize), over: make(chan struct{})}
	for name, src := range site.Sources {
		st.sources[name] = &served{
			Source:       src,
			metrics:      s.metrics.source(name),
			takes:        capabilities(negotiationOrder(src)),
			cacheControl: cacheControl(src),
		}
	}
	for _, src := range st.sources {
		name, key, _ := strings.Cut(src.Fallback, "/")
		if from := st.sources[name]; from != nil && key != "" {
			src.fallback, src.fallbackKey = from.Pipeline, key
		}
	}
	for i := range site.Tokens {
		t := &site.Tokens[i]
		st.tokens = append(st.tokens, hashedToken{t, sha256.Sum256([]byte(t.Secret))})
	}
	if site.DebugToken != "" {
		sum := sha256.Sum256([]byte(site.DebugToken))
		st.debug = &sum
	}
	return st
}

// negotiationOrder is the source's order of formats before the fallback.
func negotiationOrder(src *Source) []resize.Format {
	if src.Accept == nil {
		return []resize.Format{resize.FormatAVIF, resize.FormatWebP}
	}
	return src.Accept
}

// cacheControl words a source's Cache-Control.
func cacheControl(src *Source) string {
	if src.CacheControl != "" {
		return src.CacheControl
	}
	return string(appendCacheControl(nil, seconds(src.MaxAge), seconds(src.Swr)))
}

// appendCacheControl appends public, max-age and, where it is not 0, stale-while-revalidate, in seconds.
func appendCacheControl(b []byte, maxAge, swr int64) []byte {
	b = append(b, "public, max-age="...)
	b = strconv.AppendInt(b, maxAge, 10)
	if swr > 0 {
		b = append(b, ", stale-while-revalidate="...)
		b = strconv.AppendInt(b, swr, 10)
	}
	return b
}

// seconds cuts a duration to whole seconds, at least 0.
func seconds(d time.Duration) int64 { return max(0, int64(d/time.Second)) }
