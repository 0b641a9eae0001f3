package origin

import (
	"context"
	"errors"
	"time"
)

// What a Source does where its fields are zero.
const (
	DefaultTimeout  = 10 * time.Second
	DefaultMaxBytes = 64 << 20
)

// Source fetches whole originals through an Opener: within a total deadline, up to a number of bytes,
// tried again where that can help and not asked at all while the origin is down. It may be called
// concurrently and must not be copied. Its fields are set before the first Fetch.
type Source struct {
	Opener   Opener
	Name     string        // as configured; for logs and metrics
	Timeout  time.Duration // of a whole fetch: every try, the pauses and the body; 0 = DefaultTimeout
	MaxBytes int64         // of an original; 0 = DefaultMaxBytes
	Room     *Room         // of all sources together, for what is being fetched; nil = no bound

	// Denied is told of each fetch that the origin refused for want of rights, which the client sees
	// as a 404: a misconfiguration looks like that. nil = nobody is told. It may be called concurrently.
	Denied func(key string, cause error)

	counters counters
	peers    peers
}

// peered is an Opener whose keys lie on several servers, which fail one by one.
type peered interface {
	peer(key string) string
}

// Fetch gets the original called key, or NotModified if cond describes it still. Every error is an
// *Error. Only an outage is tried again, and not once bytes of a body have come. The original keeps its place in the
// room: its caller releases that.
//
// The deadline reaches everything that waits on a network; a read from a folder is not broken off in
// the middle, only between two reads.
func (s *Source) Fetch(ctx context.Context, key string, cond Conditions) (*Original, error) {
	timeout := s.timeout()
	f := &fetch{Source: s, key: key, cond: cond, peer: s.peers.get(s.peerName(key)), hasty: leaves(ctx, timeout/2)}
	f.peer.deposit()
	f.asks = asksOf(ctx, f.peer)
	ctx, cancel := context.WithTimeoutCause(context.WithValue(ctx, asksKey{}, f.asks), timeout, errSlow)
	defer cancel()
	orig, err := f.run(ctx)
	if err != nil {
		s.counters.requests[err.Result].Add(1)
		if err.Result == ResultDenied && s.Denied != nil {
			s.Denied(key, err.Err)
		}
		return nil, err
	}
	if orig.NotModified {
		s.counters.requests[ResultNotModified].Add(1)
	} else {
		s.counters.requests[ResultOK].Add(1)
	}
	return orig, nil
}

func (s *Source) timeout() time.Duration {
	if s.Timeout > 0 {
		return s.Timeout
	}
	return DefaultTimeout
}

func (s *Source) maxBytes() int64 {
	if s.MaxBytes > 0 {
		return s.MaxBytes
	}
	return DefaultMaxBytes
}

func (s *Source) peerName(key string) string {
	if p, ok := s.Opener.(peered); ok {
		return p.peer(key)
	}
	return ""
}

// leaves reports whether the caller's own deadline is less than d away.
func leaves(ctx context.Context, d time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < d
}

// read asks the opener once and reads the body. begun tells whether bytes of it came.
func (s *Source) read(ctx context.Context, key string, cond Conditions) (orig *Original, begun bool, err error) {
	s.counters.tries.Add(1)
	obj, err := s.Opener.Open(ctx, key, cond)
	if err != nil {
		return nil, false, err
	}
	if obj.NotModified {
		if cond == (Conditions{}) {
			return nil, false, invalid(errNoCopy)
		}
		return &Original{NotModified: true, Meta: obj.confirm(cond)}, false, nil
	}
	data, place, err := s.readBody(ctx, obj)
	s.counters.bytes.Add(uint64(len(data)))
	if cerr := obj.Body.Close(); err == nil && cerr != nil {
		err = cerr
	}
	if err != nil {
		place.Release()
		return nil, len(data) > 0, err
	}
	return &Original{Data: data, Meta: obj.Meta, Place: place}, true, nil
}

// readBody reads an original within the room there is. The place is to be released after an error too.
func (s *Source) readBody(ctx context.Context, obj *Object) ([]byte, *Place, error) {
	if obj.Size > s.maxBytes() {
		return nil, nil, tooLarge(s.maxBytes())
	}
	place, err := s.Room.Enter(ctx, firstCap(obj.Size, s.maxBytes()))
	if err != nil {
		return nil, place, err
	}
	data, err := readAll(ctx, obj, s.maxBytes(), place.grow)
	place.shrink(int64(cap(data)))
	return data, place, err
}

// confirm completes what a 304 says with the validators it was asked about: some servers repeat none.
func (m Meta) confirm(cond Conditions) Meta {
	if m.ETag == "" {
		m.ETag = cond.ETag
	}
	if m.Modified.IsZero() {
		m.Modified = cond.Modified
	}
	return m
}

// explain words what a try ended with. Late and canceled is what the context says, unless the origin
// had given its final word.
func explain(ctx context.Context, err error, hasty bool) *Error {
	var e *Error
	if errors.As(err, &e) && !e.Result.outage() {
		return e
	}
	cause := context.Cause(ctx)
	switch {
	case cause == nil && e != nil:
		return e
	case cause == nil:
		return failed(err)
	case errors.Is(cause, errSlow), errors.Is(cause, context.DeadlineExceeded) && !hasty:
		return timedOut(err)
	default:
		return canceled(cause)
	}
}
