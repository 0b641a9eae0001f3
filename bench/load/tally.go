package load

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// longest is the largest time that is told apart from longer ones, µs.
	longest = int64(10 * time.Minute / time.Microsecond)
	// maxKinds is how many verdicts and errors are told apart; others count as "other".
	maxKinds = 32
	// maxBins is how many stretches of time are told apart: beyond them, bins are made twice as wide.
	maxBins = 200
	// firstWidth is how wide bins are at first.
	firstWidth = 100 * time.Millisecond
)

// Verdict is what answers of one Cache-Status had in common.
type Verdict struct {
	Latency *hdrhistogram.Histogram // µs, from the moment the request was meant to be sent
	Service *hdrhistogram.Histogram // µs, from the moment it was sent
	Bytes   int64                   // of bodies
	Bins    []Bin                   // by the moment of the answer
}

// Bin is a short stretch of time.
type Bin struct {
	Latency *hdrhistogram.Histogram // µs, as in Verdict; nil = no answers
	Bytes   int64                   // of bodies
}

func newVerdict() *Verdict {
	const digits = 3
	return &Verdict{Latency: hdrhistogram.New(1, longest, digits), Service: hdrhistogram.New(1, longest, digits)}
}

// bin returns a stretch of time with its histogram, exact to 2 digits.
func (v *Verdict) bin(i int) *Bin {
	const digits = 2
	for len(v.Bins) <= i {
		v.Bins = append(v.Bins, Bin{})
	}
	b := &v.Bins[i]
	if b.Latency == nil {
		b.Latency = hdrhistogram.New(1, longest, digits)
	}
	return b
}

// merge adds o; both have a histogram.
func (b *Bin) merge(o Bin) {
	b.Latency.Merge(o.Latency)
	b.Bytes += o.Bytes
}

// merge adds o.
func (v *Verdict) merge(o *Verdict) {
	v.Latency.Merge(o.Latency)
	v.Service.Merge(o.Service)
	v.Bytes += o.Bytes
	for i, other := range o.Bins {
		if other.Latency != nil {
			v.bin(i).merge(other)
		}
	}
}

// tally is what some of the clients have seen: few tallies with a lock take less memory than one a client.
type tally struct {
	start time.Time
	width time.Duration // of a bin

	mu       sync.Mutex
	statuses map[int]int64
	errors   map[string]int64
	failed   []int64 // errors by bin
	verdicts map[string]*Verdict
	again    int64
}

func newTally(start time.Time) *tally {
	return &tally{start: start, width: firstWidth, statuses: map[int]int64{}, errors: map[string]int64{}, verdicts: map[string]*Verdict{}}
}

// sight is one answer.
type sight struct {
	status             int
	verdict            []byte
	bytes              int
	meant, sent, ended time.Time
}

func (t *tally) answer(s sight) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.statuses[s.status]++
	v := t.verdicts[string(s.verdict)]
	if v == nil {
		name := string(s.verdict)
		if len(t.verdicts) >= maxKinds {
			name = "other"
		}
		if v = t.verdicts[name]; v == nil {
			v = newVerdict()
			t.verdicts[name] = v
		}
	}
	// Clamped into the range, recording cannot fail.
	latency, b := micros(s.ended.Sub(s.meant)), v.bin(t.bin(s.ended)) // the number first: it may widen
	_ = v.Latency.RecordValue(latency)
	_ = v.Service.RecordValue(micros(s.ended.Sub(s.sent)))
	_ = b.Latency.RecordValue(latency)
	v.Bytes += int64(s.bytes)
	b.Bytes += int64(s.bytes)
}

// fail counts a request without an answer.
func (t *tally) fail(text string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.errors[text] == 0 && len(t.errors) >= maxKinds {
		text = "other"
	}
	t.errors[text]++
	i := t.bin(at)
	for len(t.failed) <= i {
		t.failed = append(t.failed, 0)
	}
	t.failed[i]++
}

// bin returns the number of the bin of a moment.
func (t *tally) bin(at time.Time) int {
	since := max(at.Sub(t.start), 0)
	for since/t.width >= maxBins {
		t.widen()
	}
	return int(since / t.width)
}

// widen makes every two bins one.
func (t *tally) widen() {
	t.width *= 2
	for _, v := range t.verdicts {
		narrow := v.Bins
		v.Bins = nil
		for i, b := range narrow {
			if b.Latency != nil {
				v.bin(i / 2).merge(b)
			}
		}
	}
	narrow := t.failed
	t.failed = make([]int64, (len(narrow)+1)/2)
	for i, n := range narrow {
		t.failed[i/2] += n
	}
}

func micros(d time.Duration) int64 { return min(max(d.Microseconds(), 1), longest) }
