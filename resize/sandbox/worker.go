package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
	"weak"
)

// bootTime is how long a worker may take to get ready.
const bootTime = 20 * time.Second

// worker is a process, as its supervisor sees it. Between take and give it belongs to one call.
type worker struct {
	number int
	cmd    *exec.Cmd
	conn   *net.UnixConn
	buffer []byte
	layers []Layer
	said   *words
	ended  chan struct{} // closed once the process is gone

	input    *shared // nil = none yet
	output   *shared // nil = none yet
	held     held    // what is in the input
	used     int     // jobs done
	pictures int     // of them, those that were not probes
	rested   bool    // nothing was done since it gave back memory
	last     time.Time
	base     int64 // private bytes when it was ready

	rss    atomic.Int64 // bytes resident, when last looked
	grown  atomic.Bool  // it held on to much, when last looked
	reason atomic.Pointer[Reason]
}

// held is an original in a worker's memory. It is known by its place in this process' memory, which a weak
// pointer holds on to without keeping it: callers do not change what they hand over.
type held struct {
	first  weak.Pointer[byte]
	size   int
	wanted bool // probed and not yet run
}

// is reports whether it is the job's data. What is no memory of Go's has no place that could be held on to.
func (h held) is(j *job) bool {
	return !j.passing && h.size > 0 && h.size == len(j.data) && h.first == weak.Make(&j.data[0])
}

// held returns what is held of the job's data.
func (j *job) held() held {
	if j.passing {
		return held{}
	}
	return held{first: weak.Make(&j.data[0]), size: len(j.data), wanted: j.kind == kindProbe}
}

// startWorker starts a process and waits until it is ready, or until stop is closed.
func startWorker(c *Config, number int, stop <-chan struct{}) (*worker, error) {
	conn, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	words, stderr, err := listen(c.Log, number)
	if err != nil {
		return nil, errors.Join(err, conn.Close(), theirs.Close())
	}
	w := &worker{number: number, conn: conn, buffer: make([]byte, maxMessage), said: words, ended: make(chan struct{})}
	w.cmd = &exec.Cmd{
		Path: "/proc/self/exe", Args: append(append([]string{}, c.Command...), strconv.Itoa(number)),
		Env: c.Env, Dir: "/", Stderr: stderr, ExtraFiles: []*os.File{theirs},
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true}, // a terminal's ^C is for the supervisor
	}
	err = w.cmd.Start()
	_, _ = theirs.Close(), stderr.Close() // the worker has them, and its end is to be seen
	if err != nil {
		return nil, errors.Join(err, conn.Close(), words.close())
	}
	go w.wait()
	ready := make(chan struct{})
	go func() {
		select {
		case <-stop:
			w.kill(reasonClose)
		case <-ready:
		}
	}()
	err = w.greet(c)
	close(ready)
	if err != nil {
		w.kill(ReasonStart)
		<-w.ended
		return nil, errors.Join(fmt.Errorf("%w%s", err, w.said.first()), conn.Close())
	}
	w.look()
	w.base = w.private()
	return w, nil
}

// wait reaps the process.
func (w *worker) wait() {
	_ = w.cmd.Wait() // its state says how it ended
	_ = w.said.close()
	close(w.ended)
}

// greet sends what the worker has to know and waits until it is ready.
func (w *worker) greet(c *Config) error {
	_ = w.conn.SetDeadline(time.Now().Add(bootTime)) // a socket takes deadlines
	if err := send(w.conn, setup{Memory: c.Memory, Setup: c.Setup}); err != nil {
		return err
	}
	h, err := receive[hello](w.conn, w.buffer)
	switch {
	case err != nil:
		return fmt.Errorf("it did not get ready: %w", err)
	case h.Error != "":
		return workerError(h.Error)
	}
	w.layers = h.Layers
	return w.conn.SetDeadline(time.Time{})
}

// kill ends the process at once. The first reason counts.
func (w *worker) kill(why Reason) {
	w.reason.CompareAndSwap(nil, &why)
	_ = w.cmd.Process.Kill() // it may have ended by itself
}

// doomed reports whether the process was told to end, or has ended.
func (w *worker) doomed() bool {
	select {
	case <-w.ended:
		return true
	default:
		return w.reason.Load() != nil
	}
}

// why returns the reason of its end.
func (w *worker) why() Reason {
	if r := w.reason.Load(); r != nil {
		return *r
	}
	return ReasonCrash
}

// epitaph says how it ended and what its last words were.
func (w *worker) epitaph() string { return w.cmd.ProcessState.String() + w.said.first() }

// free gives back what this process holds for the worker.
func (w *worker) free() {
	_ = w.conn.Close() // nobody reads any more
	w.input.close()
	w.output.close()
	w.input, w.output = nil, nil
}

// work does one job. An error that is a *deathError is the worker's end.
func (w *worker) work(ctx context.Context, j *job) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	stop := context.AfterFunc(ctx, func() { w.kill(ReasonDeadline) })
	defer func() {
		if !stop() {
			w.kill(ReasonDeadline) // now, not in the middle of the next job
		}
	}()
	w.said.begin()
	w.used++
	if j.kind == kindRun {
		w.pictures++
	}
	w.rested = false
	defer func() { w.last = time.Now() }()
	r, fds, err := w.load(j)
	if err != nil {
		w.unload()
		return answer{}, err
	}
	text, err := encode(r)
	if err != nil {
		w.unload()
		return answer{}, err
	}
	if err := post(w.conn, text, fds...); err != nil {
		return answer{}, w.broken(err, true)
	}
	a, err := w.hear(j)
	if broken := (*brokenError)(nil); errors.As(err, &broken) {
		return answer{}, w.broken(err, !w.output.noted(r.Number))
	}
	return a, err
}

// brokenError is a conversation that cannot go on.
type brokenError struct{ cause error }

// Error returns the cause's text.
func (e *brokenError) Error() string { return e.cause.Error() }

// Unwrap returns the cause.
func (e *brokenError) Unwrap() error { return e.cause }

// broken ends a worker that cannot be talked to.
func (w *worker) broken(err error, idle bool) error {
	w.kill(hung(err))
	<-w.ended
	return &deathError{how: fmt.Sprintf("%s (%v)", w.epitaph(), err), idle: idle}
}

// hung tells a worker that has gone from one that talks nonsense.
func hung(err error) Reason {
	var protocol *protocolError
	if errors.As(err, &protocol) {
		return ReasonProtocol
	}
	return ReasonCrash
}
