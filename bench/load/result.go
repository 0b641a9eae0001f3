package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Result is what a run has seen.
type Result struct {
	Start    time.Time
	Took     time.Duration
	Bin      time.Duration // the length of a bin
	Statuses map[int]int64
	Errors   map[string]int64 // requests without an answer, by cause
	Verdicts map[string]*Verdict
	Failed   []int64                 // requests without an answer, by bin
	Late     *hdrhistogram.Histogram // µs by which arrivals were handed out late while clients were free
	Again    int64                   // kept connections that the server had closed: opened anew
}

func newResult(start time.Time, took time.Duration, tallies []*tally) *Result {
	width := commonWidth(took, tallies)
	r := &Result{
		Start: start, Took: took, Bin: width,
		Statuses: map[int]int64{}, Errors: map[string]int64{}, Verdicts: map[string]*Verdict{},
		Late: newVerdict().Latency,
	}
	for _, t := range tallies {
		for t.width < width {
			t.widen()
		}
		for status, n := range t.statuses {
			r.Statuses[status] += n
		}
		for text, n := range t.errors {
			r.Errors[text] += n
		}
		for i, n := range t.failed {
			for len(r.Failed) <= i {
				r.Failed = append(r.Failed, 0)
			}
			r.Failed[i] += n
		}
		for name, v := range t.verdicts {
			if r.Verdicts[name] == nil {
				r.Verdicts[name] = newVerdict()
			}
			r.Verdicts[name].merge(v)
		}
		r.Again += t.again
	}
	return r
}

// commonWidth is that of the tally with the widest bins, made wider while bins are many and hold few answers.
func commonWidth(took time.Duration, tallies []*tally) time.Duration {
	const few, many = 5, 20
	width, answers := firstWidth, int64(0)
	for _, t := range tallies {
		width = max(width, t.width)
		for _, n := range t.statuses {
			answers += n
		}
	}
	for bins := int64(took / width); bins > many && answers < few*bins; bins /= 2 {
		width *= 2
	}
	return width
}

// All adds the verdicts up.
func (r *Result) All() *Verdict {
	all := newVerdict()
	for _, v := range r.Verdicts {
		all.merge(v)
	}
	return all
}

// Requests is the number of answers, whatever their status.
func (r *Result) Requests() int64 {
	var n int64
	for _, count := range r.Statuses {
		n += count
	}
	return n
}

// Unanswered is the number of requests without an answer.
func (r *Result) Unanswered() int64 {
	var n int64
	for _, count := range r.Errors {
		n += count
	}
	return n
}

// Rate is answers a second.
func (r *Result) Rate() float64 { return float64(r.Requests()) / r.Took.Seconds() }

// In returns bin i, which is empty when nothing was answered so late.
func (v *Verdict) In(i int) Bin {
	if i >= len(v.Bins) {
		return Bin{}
	}
	return v.Bins[i]
}
