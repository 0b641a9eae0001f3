package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"runtime"
	"time"

	"github.com/imgedge/imgedge/bench/load"
	"github.com/imgedge/imgedge/bench/measure"
	"github.com/imgedge/imgedge/bench/report"
)

// load runs the phases in turn: cold, warmup, then the load itself or the ramp.
func (s *settings) load(ctx context.Context, subject *measure.Subject, stderr io.Writer) (*report.Report, error) {
	if s.cold && subject.Population.Size() == 0 {
		return nil, errors.New("-cold: {n} has no end, so not every URL can be asked for")
	}
	r := &report.Report{
		Version: report.Version, Name: cmp.Or(s.name, s.spec.URL), Started: time.Now().UTC(), Server: s.spec.URL,
		Targets: cmp.Or(s.spec.Targets(), s.urlFile),
		Machine: report.Machine{CPUs: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()},
	}
	bars := newBars(ctx, stderr, s.quiet)
	defer bars.close()
	phases := []struct {
		name   string
		wanted bool
		phase  func() load.Phase
	}{
		{"cold", s.cold, s.once},
		{"warmup", s.warmup > 0, s.warm},
		{"load", !s.isRamp, func() load.Phase { return s.phase }},
	}
	for _, p := range phases {
		if !p.wanted || ctx.Err() != nil {
			continue
		}
		phase, err := bars.run(ctx, subject, p.name, p.phase())
		if err != nil {
			return nil, err
		}
		r.Phases = append(r.Phases, phase)
	}
	if s.isRamp && ctx.Err() == nil {
		phase, err := s.search(ctx, subject, bars)
		if err != nil {
			return nil, err
		}
		r.Phases = append(r.Phases, phase)
	}
	return r, nil
}

// once asks for everything, in a closed loop: the rate of the load is not what is wanted of a cold cache.
func (s *settings) once() load.Phase {
	p := s.phase
	p.Once, p.Rate, p.Requests, p.Duration = true, 0, 0, measure.MaxDuration
	return p
}

func (s *settings) warm() load.Phase {
	p := s.phase
	p.Duration, p.Requests, p.Seed = s.warmup, 0, s.phase.Seed+1
	return p
}
