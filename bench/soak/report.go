package soak

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Report is what a soak has found.
type Report struct {
	Breaches  []string           // what was not as it has to be; none = it held
	Examples  []string           // the first few answers that were not
	Statuses  map[string]int     // answers by sort of file, status and code
	Verdicts  map[string]int     // answers by what Cache-Status says first
	Faults    map[string]int     // wrong answers by kind
	Disturbed map[string]int     // how often what was done
	Restarts  map[string]float64 // of workers, by reason, as the server counts
	Poisonous float64            // originals that the server has given up on
	Idle      Use                // before
	After     Use                // when the server had had its time to settle
	Peak      int64              // highest PSS of all processes, bytes

	Bound, BoundAfter int64 // what PSS may be under load, and afterwards, bytes
}

// report hands over what the traffic has found.
func (t *traffic) report(r *Report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	outcome := t.checker.Outcome()
	for kind, n := range outcome.Faults {
		t.faults[kind] += int(n)
	}
	r.Statuses, r.Verdicts, r.Faults = t.statuses, t.verdicts, t.faults
	r.Examples = append(t.examples, outcome.Examples...)
}

// judge fills in the breaches; code is the server's exit code.
func (r *Report) judge(code int) {
	breach := func(wrong bool, format string, args ...any) {
		if wrong {
			r.Breaches = append(r.Breaches, fmt.Sprintf(format, args...))
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Faults)) {
		breach(true, "%s: %d answers", kind, r.Faults[kind])
	}
	breach(r.Statuses["sound 200"] == 0, "no sound picture was answered")
	breach(r.Peak > r.Bound, "memory: %d MiB, promised %d", r.Peak>>20, r.Bound>>20)
	breach(r.After.PSS > r.BoundAfter, "memory kept: %d MiB, promised %d", r.After.PSS>>20, r.BoundAfter>>20)
	breach(r.After.Goroutines > r.Idle.Goroutines+more, "goroutines: %d, before %d", r.After.Goroutines, r.Idle.Goroutines)
	breach(r.After.Descriptors > r.Idle.Descriptors+more, "descriptors: %d, before %d", r.After.Descriptors, r.Idle.Descriptors)
	breach(r.After.Workers != r.Idle.Workers, "workers: %d, before %d", r.After.Workers, r.Idle.Workers)
	breach(code != 0, "the server ended with %d", code)
}

// String lists all, for people.
func (r Report) String() string {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s %s\n", what, fmt.Sprintf(format, args...))
	}
	line("answers", "%s", counts(r.Statuses))
	line("cache", "%s", counts(r.Verdicts))
	line("disturbed", "%s", counts(r.Disturbed))
	line("restarts", "%v, given up on %v pictures", r.Restarts, r.Poisonous)
	line("memory", "%d MiB idle, %d at most (promised %d), %d afterwards (promised %d)", r.Idle.PSS>>20, r.Peak>>20, r.Bound>>20, r.After.PSS>>20, r.BoundAfter>>20)
	line("goroutines", "%d, then %d", r.Idle.Goroutines, r.After.Goroutines)
	line("descriptors", "%d, then %d", r.Idle.Descriptors, r.After.Descriptors)
	for _, text := range r.Examples {
		line("wrong", "%s", text)
	}
	for _, text := range r.Breaches {
		line("BREACH", "%s", text)
	}
	if len(r.Breaches) == 0 {
		b.WriteString("it held\n")
	}
	return b.String()
}

func counts(of map[string]int) string {
	all := make([]string, 0, len(of))
	for _, name := range slices.Sorted(maps.Keys(of)) {
		all = append(all, fmt.Sprintf("%s %d", name, of[name]))
	}
	return strings.Join(all, ", ")
}
