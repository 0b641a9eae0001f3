package sandbox

import "time"

// lull ends all workers but one when none has been asked for in a while: what is left steps in at once, and the
// others come back behind it, see wakeLocked.
func (p *pool) lull(now time.Time) {
	after := p.config.Lull
	p.mu.Lock()
	defer p.mu.Unlock()
	if after == 0 || p.closed || now.Sub(p.asked) < after || len(p.idle) != len(p.alive) || len(p.idle) < 2 {
		return
	}
	for _, w := range p.idle[1:] {
		if !w.doomed() {
			w.kill(reasonLull)
			p.asleep++
		}
	}
}

// wakeLocked notes that a worker is asked for, and starts those that a lull has ended.
func (p *pool) wakeLocked() {
	p.asked = time.Now()
	n := p.asleep
	if n == 0 {
		return
	}
	p.asleep = 0
	p.tasks.Go(func() {
		for range n { // one by one: the picture that is asked for wants processors too
			p.boot()
		}
	})
}
