package main

import (
	"context"
	"errors"
	"slices"

	"github.com/imgedge/imgedge/edge"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
)

// openWarmer makes what warms originals that were written behind our back.
func (n *Node) openWarmer() {
	n.Warmer = &pipeline.Warmer{Make: n.warmChanged}
	n.undo(n.Warmer.Close)
}

// rewritten has an original warmed where the configuration in force wants that.
func (n *Node) rewritten(source, key string) {
	if len(n.live.Load().config.Events.Warm) > 0 && !hiddenKey(key) {
		n.Warmer.Warm(pipeline.Place{Source: source, Object: key})
	}
}

// warmChanged makes the presets of events.warm that the source allows of an original.
func (n *Node) warmChanged(ctx context.Context, p pipeline.Place) error {
	w := n.live.Load()
	src := w.sources[p.Source]
	if src == nil {
		return errSourceGone
	}
	offers := resize.Offers(src.config.negotiationOrder())
	var options []resize.Options
	for _, preset := range w.config.Events.Warm {
		if src.config.Presets != nil && !slices.Contains(src.config.Presets, preset) {
			continue
		}
		variants, err := w.config.presetVariants(p.Source, preset, offers...)
		if err != nil {
			return err
		}
		options = append(options, variants...)
	}
	var errs []error
	for _, made := range n.Pipeline.Make(ctx, src.served, p.Object, nil, options) {
		errs = append(errs, made.Err)
	}
	err := errors.Join(errs...)
	if err != nil {
		n.Log.Debug("a changed original was not warmed", "source", p.Source, "key", p.Object, "cause", err)
	}
	return err
}

func (n *Node) emitEvents(emit edge.Emit) {
	s := n.Warmer.Stats()
	emit(edge.EventsWarmed, float64(s.Done), "done")
	emit(edge.EventsWarmed, float64(s.Failed), "failed")
	emit(edge.EventsWarmed, float64(s.Dropped), "dropped")
	emit(edge.EventsWaiting, float64(s.Waiting))
}
