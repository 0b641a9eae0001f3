package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/imgedge/imgedge/edge"
	"github.com/imgedge/imgedge/ingest"
	"github.com/imgedge/imgedge/ingest/kafka"
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

// readKafka begins to take the messages of buckets from a topic, where one is configured.
func (n *Node) readKafka() error {
	k := &n.Config.Events.Kafka
	if len(k.Brokers) == 0 || !n.Config.plays(roleAPI) {
		return nil
	}
	n.Kafka = &kafka.Reader{
		Brokers: k.Brokers, Topic: k.Topic, Group: k.Group,
		Handle: n.takeRecord,
		Passed: func(partition int32, offset int64, cause error) {
			n.Log.Warn("a record of the topic is passed over", "partition", partition, "offset", offset, "cause", cause)
		},
	}
	if err := n.Kafka.Start(); err != nil {
		return fmt.Errorf("events.kafka: %w", err)
	}
	n.undo(n.Kafka.Close)
	return nil
}

// takeRecord has what a record tells of forgotten, in every source.
func (n *Node) takeRecord(ctx context.Context, value []byte) error {
	events, err := ingest.ParseEvents(value)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(n.Config.Limits.Request))
	defer cancel()
	return n.Server.BucketEvents(ctx, events)
}

// leaveEvents ends what works on the messages of buckets: other nodes go on, and what waits to be warmed is
// made when it is asked for.
func (n *Node) leaveEvents() error {
	if n.Kafka != nil {
		if err := n.Kafka.Close(); err != nil {
			return err
		}
	}
	return n.Warmer.Close()
}

func (n *Node) emitEvents(emit edge.Emit) {
	if n.Kafka != nil {
		s := n.Kafka.Stats()
		emit(edge.KafkaRecords, float64(s.Done), "done")
		emit(edge.KafkaRecords, float64(s.Bad), "bad")
		emit(edge.KafkaErrors, float64(s.Errors))
	}
	s := n.Warmer.Stats()
	emit(edge.EventsWarmed, float64(s.Done), "done")
	emit(edge.EventsWarmed, float64(s.Failed), "failed")
	emit(edge.EventsWarmed, float64(s.Dropped), "dropped")
	emit(edge.EventsWaiting, float64(s.Waiting))
}
