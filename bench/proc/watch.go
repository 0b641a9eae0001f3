package proc

import (
	"context"
	"time"
)

// Peak is what was used over a stretch of time.
type Peak struct {
	CPU       time.Duration // used meanwhile
	RSS, PSS  int64         // bytes, the highest seen
	Processes int           // the most seen at once
	Samples   []Sample      // one every Interval
}

// Sample is a look at the trees.
type Sample struct {
	At       time.Duration // since the watch began
	CPU      time.Duration // used since the watch began
	RSS, PSS int64         // bytes
}

// Interval lies between two looks.
const Interval = 500 * time.Millisecond

// Watch follows trees until it is asked for the outcome.
type Watch struct {
	folder string
	roots  []int
	cancel context.CancelFunc
	done   chan struct{}
	first  Usage
	peak   Peak
	err    error
}

// Start begins to watch; Stop has to be called. The error is Read's.
func Start(ctx context.Context, folder string, roots ...int) (*Watch, error) {
	first, err := ReadPSS(folder, roots...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // the last look comes with Stop
	w := &Watch{folder: folder, roots: roots, cancel: cancel, done: make(chan struct{}), first: first}
	w.note(first, 0)
	go w.loop(ctx, time.Now())
	return w, nil
}

// Stop ends the watch and returns what was used. The error is that of the last look: a tree that has gone.
func (w *Watch) Stop() (Peak, error) {
	w.cancel()
	<-w.done
	return w.peak, w.err
}

func (w *Watch) loop(ctx context.Context, start time.Time) {
	defer close(w.done)
	ticker := time.NewTicker(Interval)
	defer ticker.Stop()
	for look := 1; ; look++ {
		read := Read
		last := false
		select {
		case <-ctx.Done():
			read, last = ReadPSS, true
		case <-ticker.C:
			if look%2 == 0 {
				read = ReadPSS
			}
		}
		u, err := read(w.folder, w.roots...)
		if w.err = err; err == nil {
			w.note(u, time.Since(start))
		}
		if last {
			return
		}
	}
}

// note takes a look into account. The PSS of a look that did not ask is that of the look before.
func (w *Watch) note(u Usage, at time.Duration) {
	p := &w.peak
	if n := len(p.Samples); u.PSS == 0 && n > 0 {
		u.PSS = p.Samples[n-1].PSS
	}
	p.CPU = max(p.CPU, u.CPU-w.first.CPU)
	p.RSS, p.PSS, p.Processes = max(p.RSS, u.RSS), max(p.PSS, u.PSS), max(p.Processes, u.Processes)
	p.Samples = append(p.Samples, Sample{At: at, CPU: p.CPU, RSS: u.RSS, PSS: u.PSS})
}
