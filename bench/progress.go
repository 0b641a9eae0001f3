package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/imgedge/imgedge/bench/load"
	"github.com/imgedge/imgedge/bench/measure"
	"github.com/imgedge/imgedge/bench/report"
)

// bars show how phases get on. Where the output is no terminal they show nothing.
type bars struct {
	container *mpb.Progress
}

func newBars(ctx context.Context, w io.Writer, quiet bool) *bars {
	if quiet {
		w = io.Discard
	}
	return &bars{mpb.NewWithContext(ctx, mpb.WithOutput(w), mpb.WithWidth(40), mpb.WithRefreshRate(refresh))}
}

const refresh = 250 * time.Millisecond

func (b *bars) close() { b.container.Wait() }

// run is runResult without the result.
func (b *bars) run(ctx context.Context, subject *measure.Subject, name string, phase load.Phase) (report.Phase, error) {
	p, _, err := b.runResult(ctx, subject, name, phase)
	return p, err
}

// runResult runs a phase with a bar of its own.
func (b *bars) runResult(ctx context.Context, subject *measure.Subject, name string, phase load.Phase) (report.Phase, *load.Result, error) {
	progress := &load.Progress{}
	phase.Progress = progress
	total := phase.Requests
	if phase.Once {
		total = int64(subject.Population.Size())
	}
	start := time.Now()
	done := func() (at, of int64) {
		if total > 0 {
			return progress.Answers.Load() + progress.Failures.Load(), total
		}
		return min(time.Since(start), phase.Duration).Milliseconds(), phase.Duration.Milliseconds()
	}
	_, of := done()
	bar := b.container.AddBar(
		of,
		mpb.PrependDecorators(decor.Name(name, decor.WC{W: 14, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return words(progress, time.Since(start)) })),
	)
	var ticking sync.WaitGroup
	stop := make(chan struct{})
	ticking.Go(func() {
		ticker := time.NewTicker(refresh)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				at, of := done()
				bar.SetCurrent(min(at, of-1)) // it is complete when the phase is
			}
		}
	})
	p, result, err := subject.Run(ctx, name, phase)
	close(stop)
	ticking.Wait()
	bar.SetCurrent(of)
	bar.Abort(false) // ends it although its context has ended, or it was never shown
	return p, result, err
}

// words is what stands behind a bar.
func words(p *load.Progress, since time.Duration) string {
	answers := p.Answers.Load()
	text := fmt.Sprintf(" %d answers  %.0f/s", answers, float64(answers)/max(since.Seconds(), 0.001))
	if answers > 0 {
		text += fmt.Sprintf("  %.0f %% hits", 100*float64(p.Hits.Load())/float64(answers))
	}
	if failures := p.Failures.Load(); failures > 0 {
		text += fmt.Sprintf("  %d failed", failures)
	}
	return text
}
