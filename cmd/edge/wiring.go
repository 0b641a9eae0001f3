package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/imgedge/imgedge/edge"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/pipeline"
)

// wiring is a configuration with its sources open: what a reload replaces, as a whole. It is not changed
// once it is in force, and requests that began under it may use it for as long as they take.
type wiring struct {
	config  *Config
	sources map[string]*openSource
}

// openSource is a configured source with its origin open.
type openSource struct {
	config *Source
	origin *origin.Source
	served *pipeline.Source
	folder fs.FileInfo // that was opened; nil where the place is no folder
	closer func() error
}

// source returns a source of the configuration in force; nil = there is none.
func (n *Node) source(name string) *openSource { return n.live.Load().sources[name] }

// wire opens the sources of a configuration. Those that are as they were in before (nil = nothing was)
// are taken over with their connections, breakers and counters. On an error what was opened is closed.
func (n *Node) wire(c *Config, before *wiring) (*wiring, error) {
	w := &wiring{config: c, sources: make(map[string]*openSource, len(c.Sources))}
	for _, name := range c.sourceNames() {
		open := before.unchanged(c, name)
		if open == nil {
			var err error
			if open, err = n.openSource(c, name); err != nil {
				return nil, errors.Join(fmt.Errorf("source %s: %w", name, err), w.close(before))
			}
		}
		served := c.pipelineSource(name, open.origin)
		if name == n.Config.Ingest.Source {
			served.Notes = n.notes
		}
		w.sources[name] = &openSource{
			config: c.Sources[name], origin: open.origin, served: served,
			folder: open.folder, closer: open.closer,
		}
	}
	return w, nil
}

func (n *Node) openSource(c *Config, name string) (*openSource, error) {
	s := c.Sources[name]
	opener, closer, err := openOrigin(s)
	if err != nil {
		return nil, err
	}
	open := &openSource{closer: closer, origin: &origin.Source{
		Opener:   opener,
		Name:     name,
		Timeout:  s.Timeout.or(defaultTimeout),
		MaxBytes: c.sourceBytes(s),
		Room:     n.Room,
		Denied: func(key string, cause error) {
			n.Log.Warn("the origin denies an original", "source", name, "key", key, "cause", cause)
		},
	}}
	if s.Dir != "" {
		open.folder, _ = os.Stat(s.Dir) // without it the folder is opened again by the next reload
	}
	return open, nil
}

// close closes the sources that other (nil = nothing) does not use. Requests under way end well: an origin
// closes what is idle, and opens again what is asked for late.
func (w *wiring) close(other *wiring) error {
	var errs []error
	for name, open := range w.sources {
		if other == nil || other.sources[name] == nil || other.sources[name].origin != open.origin {
			errs = append(errs, open.closer())
		}
	}
	return errors.Join(errs...)
}

// unchanged returns the source that c describes as w has it open; nil = it has to be opened.
func (w *wiring) unchanged(c *Config, name string) *openSource {
	if w == nil || w.sources[name] == nil {
		return nil
	}
	open, next := w.sources[name], c.Sources[name]
	same := open.config.liesWhere(next) && open.config.askedLike(next) &&
		open.config.Timeout.or(defaultTimeout) == next.Timeout.or(defaultTimeout) &&
		w.config.sourceBytes(open.config) == c.sourceBytes(next)
	if !same {
		return nil
	}
	if next.Dir != "" {
		now, err := os.Stat(next.Dir)
		if err != nil || open.folder == nil || !os.SameFile(now, open.folder) {
			return nil // another folder has been put in its place
		}
	}
	return open
}

// left lists the sources of before whose originals w has at another place, or does not have: a source of that
// name may come back with others.
func (w *wiring) left(before *wiring) (names []string) {
	for _, name := range before.config.sourceNames() {
		now := w.sources[name]
		if now == nil || !before.sources[name].config.liesWhere(now.config) {
			names = append(names, name)
		}
	}
	return names
}

// liesWhere reports whether two sources have the same originals.
func (s *Source) liesWhere(o *Source) bool {
	switch {
	case s.Dir != o.Dir, (s.Bucket == nil) != (o.Bucket == nil), (s.HTTP == nil) != (o.HTTP == nil):
		return false
	case s.Bucket != nil:
		return s.Bucket.Endpoint == o.Bucket.Endpoint && s.Bucket.Name == o.Bucket.Name && s.Bucket.Prefix == o.Bucket.Prefix
	case s.HTTP != nil:
		return s.HTTP.Base == o.HTTP.Base
	}
	return true
}

// askedLike reports whether two sources of one place are asked in the same way.
func (s *Source) askedLike(o *Source) bool {
	switch {
	case s.Bucket != nil:
		return *s.Bucket == *o.Bucket
	case s.HTTP != nil:
		return slices.Equal(s.HTTP.Allow, o.HTTP.Allow) && maps.Equal(s.HTTP.Headers, o.HTTP.Headers) &&
			slices.Equal(s.HTTP.AllowNetworks, o.HTTP.AllowNetworks)
	}
	return true
}

var errBreakerOpen = errors.New("the source does not answer")

// dependencies are the sources, which readiness names when they do not answer.
func (w *wiring) dependencies() []edge.Dependency {
	all := make([]edge.Dependency, 0, len(w.sources))
	for _, name := range w.config.sourceNames() {
		src := w.sources[name].origin
		all = append(all, edge.Dependency{Name: name, Check: func(context.Context) error {
			if src.Stats().Open > 0 {
				return errBreakerOpen
			}
			return nil
		}})
	}
	return all
}
