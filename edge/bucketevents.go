package edge

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/imgedge/imgedge/ingest"
)

// Rewritten is told of an original that was written behind our back, once all nodes have forgotten the old one.
// It does not wait.
type Rewritten func(source, key string)

// serveBucketEvents answers POST /v1/events/{source}.
func (x *exchange) serveBucketEvents(name string) error {
	src := x.state.sources[name]
	if !x.state.site.BucketEvents || x.server.Purger == nil {
		return errNothingHere
	}
	if src == nil || src.Bucket == "" {
		return errUnknownSource
	}
	events, err := ingest.ParseEvents(x.body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), x.server.RequestTimeout)
	defer cancel()
	total, err := x.server.forget(ctx, events, src.Source)
	if err != nil {
		return err
	}
	respondJSON(x, http.StatusOK, purged{total})
	return nil
}

// BucketEvents has every node forget what was written or removed behind our back, in whatever sources it is
// seen. It needs a Purger. After an error this node at least has forgotten all of it, and the same events may come
// again.
func (s *Server) BucketEvents(ctx context.Context, events []ingest.Event) error {
	st := s.state.Load()
	sources := make([]*Source, 0, len(st.sources))
	for _, src := range st.sources {
		sources = append(sources, src.Source)
	}
	_, err := s.forget(ctx, events, sources...)
	return err
}

// forget purges the originals that events name, each once, and returns how many they were.
func (s *Server) forget(ctx context.Context, events []ingest.Event, sources ...*Source) (total int, err error) {
	last := map[Purge]ingest.Event{} // of each original
	for _, src := range sources {
		for _, e := range events {
			key, ok := src.keyOf(e.Bucket, e.Key)
			p := Purge{Source: src.Name, Key: key}
			if _, told := last[p]; ok && (!told || !e.Guess) {
				last[p] = e
			}
		}
	}
	for p, e := range last {
		n, failed := s.Purger.Purge(ctx, p)
		total += n
		switch {
		case failed != nil && err == nil:
			err = failed // but this node is going to be clean of all of them
		case failed == nil && !e.Removed && !e.Guess && s.Rewritten != nil:
			s.Rewritten(p.Source, p.Key)
		}
	}
	if total > 0 {
		s.Logger.LogAttrs(ctx, slog.LevelInfo, "purged by bucket events", slog.Int("objects", total))
	}
	return total, err
}

// keyOf returns the key that an object of a bucket has in the source.
func (s *Source) keyOf(bucket, object string) (string, bool) {
	key, ok := strings.CutPrefix(object, s.Prefix)
	return key, ok && key != "" && s.Bucket == bucket
}
