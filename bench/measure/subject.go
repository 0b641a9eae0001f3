package measure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imgedge/imgedge/bench/check"
	"github.com/imgedge/imgedge/bench/load"
	"github.com/imgedge/imgedge/bench/proc"
	"github.com/imgedge/imgedge/bench/report"
	"github.com/imgedge/imgedge/bench/scrape"
)

// Subject is a server under load. It runs one phase at a time.
type Subject struct {
	Population load.Population
	Server     load.Server
	Status     int    // of a good answer
	PIDs       []int  // none = processes are not watched
	Metrics    string // URL; "" = not read

	generator *load.Generator
}

// metricsTimeout is how long a page of metrics may take.
const metricsTimeout = 10 * time.Second

// Run runs one phase and watches the server meanwhile. The error tells what of the server could not be
// watched; load has then not begun.
func (s *Subject) Run(ctx context.Context, name string, phase load.Phase) (report.Phase, *load.Result, error) {
	if s.generator == nil {
		s.generator = load.New(s.Server)
	}
	phase.Check = check.New(s.Status)
	before, err := s.scrape(ctx)
	if err != nil {
		return report.Phase{}, nil, err
	}
	var watch *proc.Watch
	if len(s.PIDs) > 0 {
		if watch, err = proc.Start(ctx, "/proc", s.PIDs...); err != nil {
			return report.Phase{}, nil, fmt.Errorf("watch the server: %w", err)
		}
	}
	spent := ownCPU()
	result := s.generator.Run(ctx, phase, s.Population)
	spent = ownCPU() - spent
	p := report.NewPhase(name, s.Status, phase, result)
	p.WithGenerator(spent)
	if watch != nil {
		p.WithProcess(watch.Stop())
	}
	outcome := phase.Check.Outcome()
	p.Checks = &outcome
	after, err := s.scrape(ctx)
	switch {
	case errors.Is(err, context.Canceled): // the user has seen enough
	case err != nil:
		return report.Phase{}, nil, err
	case after != nil:
		p.WithMetrics(after.Since(before))
	}
	return p, result, nil
}

// Close closes the connections.
func (s *Subject) Close() {
	if s.generator != nil {
		s.generator.Close()
		s.generator = nil
	}
}

// scrape reads the server's metrics; nil if there is no URL for them.
func (s *Subject) scrape(ctx context.Context) (scrape.Values, error) {
	if s.Metrics == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, metricsTimeout)
	defer cancel()
	v, err := scrape.Get(ctx, s.Metrics)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	return v, nil
}
