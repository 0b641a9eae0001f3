package pipeline

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
)

// lives fills the times of an entry made or confirmed now. The origin may shorten the freshness that
// the source is configured with, never lengthen it. An origin that says no-cache or max-age=0 is
// asked before every use, so its pictures are not served while they are refreshed behind. Both grace
// periods count from the end of freshness (RFC 5861).
func (s *Source) lives(e *cache.Entry, meta origin.Meta, now time.Time) {
	fresh, swr := s.Fresh, s.Swr
	if meta.MaxAge >= 0 && meta.MaxAge < fresh {
		fresh = meta.MaxAge
	}
	if meta.MaxAge == 0 {
		swr = 0
	}
	e.Stored = now
	e.Fresh = now.Add(fresh)
	e.Swr = e.Fresh.Add(swr)
	e.Stale = e.Fresh.Add(max(swr, s.Sie))
}

// shortened returns the max-age that the origin has given an entry made earlier, as far as it is known: −1
// where the source's own freshness held.
func (s *Source) shortened(e *cache.Entry) time.Duration {
	if e == nil {
		return -1
	}
	if life := e.Fresh.Sub(e.Stored); life < s.Fresh {
		return life
	}
	return -1
}

// picture makes the entry of a finished picture.
func (r *Request) picture(body []byte, mime string, orig *original) *cache.Entry {
	e := &cache.Entry{
		Status:       http.StatusOK,
		Body:         body,
		Type:         mime,
		ETag:         etag(body),
		Modified:     orig.Modified,
		OriginETag:   orig.ETag,
		OriginalSize: int64(len(orig.Data)),
		Tags:         slices.Concat(r.Source.Tags, r.Tags, orig.Tags),
		Generation:   orig.generation,
	}
	r.Source.lives(e, orig.Meta, orig.fetched)
	return e
}

// confirmed is a copy of e with a new life, after the origin said that the original is unchanged. Bytes
// and ETag stay.
func (s *Source) confirmed(e *cache.Entry, meta origin.Meta, gen cache.Generation, now time.Time) *cache.Entry {
	again := *e
	again.Generation = gen
	again.Retry, again.RetryStatus = time.Time{}, 0
	s.lives(&again, meta, now)
	return &again
}

// refusal makes the negative entry of an error worth remembering.
func (r *Request) refusal(err error, gen cache.Generation, now time.Time) *cache.Entry {
	var c coded
	if !errors.As(err, &c) || !worthRemembering(c.HTTPStatus()) {
		return nil
	}
	until := now.Add(r.Source.Negative)
	return &cache.Entry{
		Status: c.HTTPStatus(), Code: c.Code(), Detail: c.Error(),
		Stored: now, Fresh: until, Swr: until, Stale: until,
		Tags: slices.Concat(r.Source.Tags, r.Tags), Generation: gen,
	}
}

// postponed is a copy of a stale entry that is served without asking the origin again before the
// source's negative life has passed.
func (s *Source) postponed(e *cache.Entry, status int, now time.Time) *cache.Entry {
	later := *e
	later.Retry, later.RetryStatus = now.Add(s.Negative), status
	return &later
}

// etag is a strong validator of these very bytes (RFC 9110 section 8.8.3), equal on every node.
func etag(body []byte) string {
	sum := sha256.Sum256(body)
	var tag [26]byte
	tag[0], tag[25] = '"', '"'
	base64.RawURLEncoding.Encode(tag[1:25], sum[:18])
	return string(tag[:])
}
