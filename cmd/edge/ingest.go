package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/ingest"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/sandbox"
)

// openIngest makes what keeps uploads, where they are configured. A node without the role api reads what is
// noted of images, and takes none.
func (n *Node) openIngest() error {
	if n.Config.Ingest.Source == "" {
		return nil
	}
	store, closer, err := newIngest(n.Config)
	if err != nil {
		return err
	}
	n.undo(closer)
	n.uploaded.Store(store)
	if !n.Config.plays(roleAPI) {
		return nil
	}
	engine := n.Engine
	if n.Sandbox != nil {
		engine = sandbox.Passing{Engine: n.Sandbox} // large uploads are mapped files
	}
	store.Engine = gated{engine, n.Pipeline.Gate, time.Duration(n.Config.Limits.Render)}
	store.Purge = func(ctx context.Context, key string) error {
		_, err := n.Generations.Purge(ctx, cache.Purge{Source: store.Source, Object: key})
		return err
	}
	store.GivenMax = int64(n.Config.Cache.Originals.MaxItem)
	store.Given = func(ctx context.Context, image *ingest.Image, data []byte) {
		if src := n.source(store.Source); src != nil {
			n.Pipeline.Give(ctx, src.served, image.Key, data, notesOf(image.Focus, image.Tags))
		}
	}
	if names := n.Config.Ingest.Presets; len(names) > 0 {
		store.Presets = &ingest.Presets{Maker: presetMaker{n}, Names: names}
		n.undo(store.Presets.Close)
	}
	n.Ingest = store
	n.keepSwept()
	return nil
}

// newIngest opens the store of uploads as the configuration says, without an engine. closer undoes it.
func newIngest(c *Config) (store *ingest.Store, closer func() error, err error) {
	i := &c.Ingest
	source := c.Sources[i.Source]
	bucket, err := openIngestBucket(source.Bucket, i.Prefix, c.Limits.Request)
	if err != nil {
		return nil, nil, fmt.Errorf("ingest: %w", err)
	}
	store = &ingest.Store{
		Source: i.Source, Bucket: bucket, Presigner: bucket, Limits: c.limitsOf(source),
		MaxFiles: i.MaxFiles, MaxFile: int64(i.MaxFile), Grace: time.Duration(i.OrphanGrace),
	}
	closer = bucket.Close
	if i.Normalize != "" {
		o, err := parseNormalize(i.Normalize)
		if err != nil {
			return nil, nil, errors.Join(err, closer())
		}
		store.Normalize = &o
	}
	if i.Archive == "" {
		return store, closer, nil
	}
	place := c.Sources[i.Archive].Bucket
	archive, err := openIngestBucket(place, place.Prefix, c.Limits.Request)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("ingest.archive: %w", err), closer())
	}
	store.Archive = archive
	return store, func() error { return errors.Join(bucket.Close(), archive.Close()) }, nil
}

// notes tells the pipeline of the focal point and the tags of an uploaded image.
func (n *Node) notes(ctx context.Context, key string) (pipeline.Notes, error) {
	store := n.uploaded.Load()
	if store == nil {
		return pipeline.Notes{}, nil
	}
	focus, tags, err := store.Notes(ctx, key)
	return notesOf(focus, tags), err
}

func notesOf(focus *ingest.Focus, tags []string) pipeline.Notes {
	notes := pipeline.Notes{Tags: tags}
	if focus != nil {
		notes.Focus = &resize.Focus{X: focus.X, Y: focus.Y}
	}
	return notes
}

// gated lets uploads wait at the gate like requests for pictures.
type gated struct {
	pipeline.Engine
	gate *pipeline.Gate
	time time.Duration // of one picture
}

var _ ingest.Engine = gated{}

// Run executes the plans once there is room for them.
func (g gated) Run(ctx context.Context, data []byte, plans ...resize.Plan) ([]resize.Result, error) {
	memory := int64(0)
	for _, p := range plans {
		memory = max(memory, p.Memory)
	}
	leave, err := g.gate.Enter(ctx, g.gate.Lane(memory), memory)
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(len(plans))*g.time)
	defer cancel()
	results, err := g.Engine.Run(ctx, data, plans...)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, pipeline.ErrRenderTimeout
	}
	return results, err
}

// presetMaker makes presets through the pipeline, under the keys that requests have.
type presetMaker struct{ node *Node }

var _ ingest.Maker = presetMaker{}

// Make makes the variants of presets. The bytes in hand spare the fetch.
func (m presetMaker) Make(ctx context.Context, key string, data []byte, presets []string) []error {
	errs := make([]error, len(presets))
	src := m.node.source(m.node.Ingest.Source)
	if src == nil {
		for i := range errs {
			errs[i] = errUploadsGone
		}
		return errs
	}
	var given *origin.Original
	if data != nil {
		given = &origin.Original{Data: data, Meta: origin.Meta{MaxAge: -1}}
	}
	var options []resize.Options
	var of []int // the presets of the options
	for i, name := range presets {
		var variants []resize.Options
		variants, errs[i] = m.variants(src, name)
		for _, o := range variants {
			options, of = append(options, o), append(of, i)
		}
	}
	for i, made := range m.node.Pipeline.Make(ctx, src.served, key, given, options) {
		if made.Err != nil && errs[of[i]] == nil {
			errs[of[i]] = made.Err
		}
	}
	return errs
}

// Made reports whether all variants of a preset are in a cache.
func (m presetMaker) Made(ctx context.Context, key, preset string) bool {
	src := m.node.source(m.node.Ingest.Source)
	if src == nil {
		return false
	}
	variants, err := m.variants(src, preset)
	for _, o := range variants {
		if m.node.Pipeline.Where(ctx, pipeline.NewRequest(src.served, key, o)) == pipeline.TierNone {
			return false
		}
	}
	return err == nil
}

var errUploadsGone = errors.New("the source of uploads was taken out of the configuration")

// variants are what browsers get of a preset: where its format is negotiated, what one gets that takes all
// formats of the source, and what one gets that says nothing.
func (m presetMaker) variants(src *openSource, preset string) ([]resize.Options, error) {
	offers := resize.Offers(src.config.negotiationOrder())
	return m.node.live.Load().config.presetVariants(m.node.Ingest.Source, preset, offers[0], resize.Offer{})
}
