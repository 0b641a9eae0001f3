package sandbox

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	tendEvery = time.Second
	restAfter = 3 * time.Second // of idleness a worker gives back memory
	maxGrowth = 96 << 20        // bytes a worker may hold on to between two pictures
)

// tend looks after workers: how much memory they hold, that idle ones give it back, and that a lull has few.
func (p *pool) tend() {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case now := <-tick.C:
			for _, w := range p.living() {
				w.look()
			}
			for w := p.tired(now); w != nil; w = p.tired(now) {
				w.rest()
				p.give(w, kindRest)
			}
			p.lull(now)
		}
	}
}

func (p *pool) living() []*worker {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*worker, 0, len(p.alive))
	for w := range p.alive {
		all = append(all, w)
	}
	return all
}

// tired takes a worker that has been idle for a while and has not rested since; nil = there is none.
func (p *pool) tired(now time.Time) *worker {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.idle, func(w *worker) bool {
		return w.used > 0 && !w.rested && now.Sub(w.last) >= restAfter && !w.doomed()
	})
	if i < 0 {
		return nil
	}
	w := p.idle[i]
	p.idle = slices.Delete(p.idle, i, i+1)
	return w
}

// rest lets go of shared memory on both sides.
func (w *worker) rest() {
	const enough = 5 * time.Second
	w.rested = true
	_ = w.conn.SetDeadline(time.Now().Add(enough)) // a socket takes deadlines
	err := send(w.conn, request{Kind: kindRest})
	if err == nil {
		_, err = receive[reply](w.conn, w.buffer)
	}
	if err != nil {
		w.kill(ReasonProtocol)
		return
	}
	_ = w.conn.SetDeadline(time.Time{})
	w.unload()
	w.look()
}

// look notes how much memory the worker holds, and reports whether it has grown too far.
func (w *worker) look() bool {
	resident, private := w.memory()
	w.rss.Store(resident)
	grown := w.base > 0 && private > w.base+maxGrowth
	w.grown.Store(grown)
	return grown
}

// private returns the bytes that the worker shares with nobody.
func (w *worker) private() int64 {
	_, private := w.memory()
	return private
}

// memory returns the worker's resident bytes, and those of them that no file or shared memory is behind.
func (w *worker) memory() (resident, private int64) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(w.cmd.Process.Pid) + "/statm") //nolint:gosec // of a child
	if err != nil {
		return 0, 0 // it has ended
	}
	fields := strings.Fields(string(text))
	if len(fields) < 3 {
		return 0, 0
	}
	page := int64(os.Getpagesize())
	all, _ := strconv.ParseInt(fields[1], 10, 64) // the kernel writes numbers
	files, _ := strconv.ParseInt(fields[2], 10, 64)
	return all * page, (all - files) * page
}
