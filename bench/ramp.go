package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/imgedge/imgedge/bench/load"
	"github.com/imgedge/imgedge/bench/measure"
	"github.com/imgedge/imgedge/bench/report"
)

// ramp says how the highest rate within a goal is searched.
type ramp struct {
	percent float64       // of the answers …
	goal    time.Duration // … come within this time
	step    time.Duration // length of a step
	most    float64       // highest rate that is tried
}

// setGoal reads "p99=100ms" or "p99.9=1s".
func (r *ramp) setGoal(text string) error {
	percent, within, found := strings.Cut(strings.TrimPrefix(text, "p"), "=")
	var errPercent, errWithin error
	r.percent, errPercent = strconv.ParseFloat(percent, 64)
	r.goal, errWithin = time.ParseDuration(within)
	if !found || !strings.HasPrefix(text, "p") || errPercent != nil || errWithin != nil || r.percent <= 0 || r.percent >= 100 || r.goal <= 0 {
		return fmt.Errorf("-goal %q: want a percentile and a time, such as p99=100ms", text)
	}
	return nil
}

func (r *ramp) check(first float64) error {
	var problems []error
	if r.step <= 0 || r.step > time.Minute {
		problems = append(problems, fmt.Errorf("-step %v: want more than 0 and at most 1m", r.step))
	}
	if r.most < 1 || r.most > measure.MaxRate {
		problems = append(problems, fmt.Errorf("-max-rate %v: want 1–%d a second", r.most, measure.MaxRate))
	}
	if first > r.most {
		problems = append(problems, fmt.Errorf("-rate %v: more than -max-rate %v", first, r.most))
	}
	return errors.Join(problems...)
}

// search steps through rates: doubled until one fails, then halved in between until good and bad are within
// 5 %. The best rate is run once more, for the figures of the report; if it fails then, the search goes on
// below it.
type search struct {
	rate      float64 // to try next
	good, bad float64 // the highest that passed, the lowest that failed; 0 = none yet
	most      float64
}

// Bounds of a search.
const (
	firstRate = 50   // a second
	leastRate = 0.5  // a second; below it there is nothing to find
	precision = 1.05 // between good and bad
	maxSteps  = 60   // tries of a rate
)

// note takes the outcome of a step, and tells whether there is more to try.
func (s *search) note(passed bool) bool {
	if passed {
		s.good = max(s.good, s.rate)
	} else if s.bad == 0 || s.rate < s.bad {
		s.bad = s.rate
	}
	switch {
	case s.good >= s.most:
		return false
	case s.bad == 0:
		s.rate = min(s.good*2, s.most)
	case s.good == 0:
		s.rate = s.bad / 2
		return s.rate >= leastRate
	default:
		s.rate = math.Sqrt(s.good * s.bad)
		return s.bad/s.good > precision
	}
	return true
}

// refute takes it that the best rate failed after all: the search goes on below it.
func (s *search) refute(passed []float64) {
	s.bad, s.good = s.good, 0
	for _, rate := range passed {
		if rate < s.bad {
			s.good = max(s.good, rate)
		}
	}
	s.rate = s.bad / 2
	if s.good > 0 {
		s.rate = math.Sqrt(s.good * s.bad)
	}
}

// search runs the ramp and returns the phase at the best rate.
func (s *settings) search(ctx context.Context, subject *measure.Subject, bars *bars) (report.Phase, error) {
	outcome := &report.Ramp{Percent: s.ramp.percent, GoalMS: s.ramp.goal.Seconds() * 1000}
	find := search{rate: min(cmp.Or(s.phase.Rate, firstRate), s.ramp.most), most: s.ramp.most}
	var passed []float64
	for {
		for more := true; more && len(outcome.Steps) < maxSteps && ctx.Err() == nil; {
			_, ok, err := s.twice(ctx, subject, bars, fmt.Sprintf("ramp %.4g/s", find.rate), find.rate, outcome)
			if err != nil {
				return report.Phase{}, err
			}
			if ok {
				passed = append(passed, find.rate)
			}
			more = find.note(ok)
		}
		phase, ok, err := s.twice(ctx, subject, bars, "ramp", max(find.good, leastRate), outcome)
		phase.Ramp = outcome
		if ok {
			outcome.Best = phase.Offered
		}
		if ok || err != nil || find.good == 0 || len(outcome.Steps) >= maxSteps || ctx.Err() != nil {
			return phase, err
		}
		find.refute(passed)
	}
}

// twice tries a rate, and once more if it fails: a machine has other things to do now and then.
func (s *settings) twice(ctx context.Context, subject *measure.Subject, bars *bars, name string, rate float64, outcome *report.Ramp) (report.Phase, bool, error) {
	for attempt := 1; ; attempt++ {
		p, step, err := s.try(ctx, subject, bars, name, rate)
		if err != nil {
			return report.Phase{}, false, err
		}
		outcome.Steps = append(outcome.Steps, step)
		if step.Passed || attempt == 2 {
			return p, step.Passed, nil
		}
	}
}

// try runs one step.
func (s *settings) try(ctx context.Context, subject *measure.Subject, bars *bars, name string, rate float64) (report.Phase, report.Step, error) {
	phase := s.phase
	phase.Rate, phase.Duration, phase.Requests = rate, s.ramp.step, 0
	phase.Grace = max(s.ramp.goal, time.Second) // what comes later has missed the goal anyway
	phase.Seed += uint64(rate)
	p, result, err := bars.runResult(ctx, subject, name, phase)
	if err != nil {
		return p, report.Step{}, err
	}
	return p, s.ramp.judge(p, result), nil
}

// judge compares a step with the goal.
func (r *ramp) judge(p report.Phase, result *load.Result) report.Step {
	step := report.Step{
		Offered: p.Offered, Answered: p.PerSecond, P50: p.Latency.P50,
		AtGoal: float64(result.All().Latency.ValueAtQuantile(r.percent)) / 1000,
	}
	step.Failures = result.Unanswered() + p.Requests - p.Statuses[strconv.Itoa(p.Wanted)]
	if p.Checks != nil {
		step.Failures += p.Checks.Failed
	}
	step.Passed = p.Good() && step.AtGoal <= r.goal.Seconds()*1000
	return step
}
