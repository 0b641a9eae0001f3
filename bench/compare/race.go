package main

import (
	"context"
	"fmt"
	"io"

	"github.com/imgedge/imgedge/bench/measure"
	"github.com/imgedge/imgedge/bench/report"
)

// rival is a server with its rounds so far.
type rival struct {
	name    string
	targets string
	subject *measure.Subject
	turns   []report.Phase
}

// rivals opens the servers; every problem is reported.
func (s *settings) rivals() ([]*rival, error) {
	rivals := make([]*rival, 0, len(s.servers))
	for _, server := range s.servers {
		subject, err := server.Subject(nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", server.name, err)
		}
		rivals = append(rivals, &rival{name: server.name, targets: server.URL + " " + server.Targets(), subject: subject})
	}
	return rivals, nil
}

// race gives every server its turn, round after round.
func (s *settings) race(ctx context.Context, rivals []*rival, stderr io.Writer) (*outcome, error) {
	defer func() {
		for _, r := range rivals {
			r.subject.Close()
		}
	}()
	for round := 0; round <= s.rounds && ctx.Err() == nil; round++ {
		for _, r := range rivals {
			if err := s.turn(ctx, r, round, stderr); err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
		}
	}
	return newOutcome(rivals), nil
}

// turn is one server's part of a round. Round 0 is the warm-up and is not kept.
func (s *settings) turn(ctx context.Context, r *rival, round int, stderr io.Writer) error {
	phase := s.phase
	phase.Seed = uint64(round) //nolint:gosec // not negative
	if round == 0 {
		if s.warmup == 0 {
			return nil
		}
		phase.Duration, phase.Requests = s.warmup, 0
	}
	p, _, err := r.subject.Run(ctx, fmt.Sprintf("round %d", round), phase)
	if err != nil || round == 0 || ctx.Err() != nil {
		return err
	}
	r.turns = append(r.turns, p)
	fmt.Fprintf(stderr, "round %d of %d: %s: %.4g answers/s\n", round, s.rounds, r.name, p.PerSecond)
	return nil
}
