package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"os"
	"time"

	"github.com/imgedge/imgedge/cache"
)

const (
	lookEvery   = time.Second // at the files of the configuration; two looks notice a change
	forgetLimit = 5 * time.Second
)

// Reload puts another configuration in force while requests run: those that begin after it see nothing of
// the old one, those under way end as they began. It returns the settings that keep their value until a
// restart. On an error the old configuration stays in force, whole. Calls must not overlap.
func (n *Node) Reload(next *Config) (frozen []string, err error) {
	frozen = next.freeze(n.Config)
	before := n.live.Load()
	w, err := n.wire(next, before)
	if err != nil {
		return nil, err
	}
	n.live.Store(w)
	n.Server.Reload(w.site())
	if err := before.close(w); err != nil {
		n.Log.Warn("a source that is no longer used did not close", "cause", err)
	}
	n.forget(w.left(before))
	return frozen, nil
}

// forget drops the pictures of sources whose originals lie elsewhere now, or nowhere.
func (n *Node) forget(sources []string) {
	ctx, cancel := context.WithTimeout(context.Background(), forgetLimit)
	defer cancel()
	for _, name := range sources {
		_, err := n.Generations.Purge(ctx, cache.Purge{Source: name})
		if err != nil {
			n.Log.Warn("the pictures of a source that has moved or gone are forgotten on this node alone; purge it when Redis answers", "source", name, "cause", err)
			continue
		}
		n.Log.Info("a source has moved or gone, its pictures are forgotten", "source", name)
	}
}

// Reloader keeps a node's configuration in step with the files it was read from. It is used by one
// goroutine.
type Reloader struct {
	Node *Node
	Load func() (*Config, error) // reads everything anew and checks it

	seen fingerprints // of the files as they were read last
	last fingerprints // at the last look
}

// NewReloader returns the reloader of a node that was opened with the configuration that load returned.
func NewReloader(n *Node, load func() (*Config, error)) *Reloader {
	return &Reloader{Node: n, Load: load, seen: n.Config.files}
}

// Look reloads if a file has changed, the configuration's or a secret's. A change counts once two looks see
// the same, so that nothing is read while it is being written.
func (r *Reloader) Look() {
	now := r.seen.now()
	settled := maps.Equal(now, r.last)
	r.last = now
	if settled && !maps.Equal(now, r.seen) {
		r.Reload("a file has changed")
	}
}

// Reload reads the configuration and puts it in force. What is wrong with it goes to the log, a line for
// each problem; then the old one stays in force.
func (r *Reloader) Reload(why string) {
	n := r.Node
	next, err := r.Load()
	if next != nil {
		r.seen = next.files
	} else {
		r.seen = r.seen.now()
	}
	var frozen []string
	if err == nil {
		frozen, err = n.Reload(next)
	}
	if err != nil {
		n.Server.ReloadFailed()
		logRefusal(n, why, err)
		return
	}
	n.Log.Info("the configuration is reloaded", "because", why)
	for _, setting := range frozen {
		n.Log.Warn("a setting has changed that needs a restart; the old value stays in force", "setting", setting)
	}
}

func logRefusal(n *Node, why string, err error) {
	const message = "the configuration is refused, the one before stays in force"
	var problems ConfigErrors
	if !errors.As(err, &problems) {
		n.Log.Error(message, "because", why, "problem", err.Error())
	}
	for _, p := range problems {
		n.Log.Error(message, "because", why, "problem", p.String())
	}
}

// fingerprints tell whether files have changed: a hash of what each one holds, or of why it cannot be read.
type fingerprints map[string][sha256.Size]byte

// now reads the files again.
func (f fingerprints) now() fingerprints {
	found := make(fingerprints, len(f))
	for name := range f {
		_, _ = found.read(name) // an error is a fingerprint, too
	}
	return found
}

// read reads a file and notes its fingerprint.
func (f fingerprints) read(name string) ([]byte, error) {
	data, err := os.ReadFile(name) //nolint:gosec // the operator names the file
	if err != nil {
		f[name] = sha256.Sum256([]byte(err.Error()))
		return nil, err
	}
	f[name] = sha256.Sum256(data)
	return data, nil
}
