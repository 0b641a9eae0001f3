package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"github.com/imgedge/imgedge/resize"
)

// controlFD is where a worker finds its end of the socket pair.
const controlFD = 3

// Worker is what a program has to say for being a worker.
type Worker struct {
	// Start makes the renderer. What it may ever need to open it has to touch now: codecs, fonts,
	// tables. It gets Config.Setup.
	Start func(setup []byte) (Renderer, error)

	// Readable are folders and files that may be read later too; see FontPaths. What is not there is
	// left out.
	Readable []string

	// Rest is called when there has been nothing to do for a while, to give back memory; nil is
	// nothing to do.
	Rest func()
}

// FontPaths are where fontconfig looks for fonts and for what it knows of them.
func FontPaths() []string {
	return []string{"/usr/share/fonts", "/usr/local/share/fonts", "/etc/fonts", "/usr/share/fontconfig", "/var/cache/fontconfig"}
}

// Serve is a worker's whole life: it starts the renderer, locks the process up, and works until the
// supervisor goes. Then the process ends, also in the middle of a picture. An error is one of the start.
func Serve(worker Worker) error {
	unix.CloseOnExec(controlFD)
	if err := closeInherited(); err != nil {
		return err
	}
	conn, err := connection(controlFD)
	if err != nil {
		return err
	}
	buffer := make([]byte, maxMessage)
	s, err := receive[setup](conn, buffer)
	if err != nil {
		return fmt.Errorf("hear of the work: %w", err)
	}
	renderer, layers, err := prepare(worker, s)
	if err != nil {
		return errors.Join(err, send(conn, hello{Error: err.Error()}))
	}
	if err := send(conn, hello{Layers: layers}); err != nil {
		return err
	}
	t := &servant{conn: conn, renderer: renderer, rest: worker.Rest}
	orders := make(chan order) // without room: the next one comes when this one is answered
	go listenTo(conn, buffer, orders)
	for o := range orders {
		if err := t.serve(o); err != nil {
			return err
		}
	}
	return nil
}

// prepare starts the renderer and then locks the process up.
func prepare(worker Worker, s setup) (Renderer, []Layer, error) {
	if err := modest(); err != nil {
		return nil, nil, err
	}
	renderer, err := worker.Start(s.Setup)
	if err != nil {
		return nil, nil, err
	}
	if worker.Rest != nil {
		worker.Rest() // what starting took
	}
	debug.FreeOSMemory()
	layers, err := lock(s.Memory, worker.Readable)
	return renderer, layers, err
}

// order is a request with what came along.
type order struct {
	request request
	fds     []int
}

// listenTo reads requests while the renderer works, so that the end of the supervisor is the end of the
// process whatever it is at.
func listenTo(conn *net.UnixConn, buffer []byte, orders chan<- order) {
	for {
		r, fds, err := receiveRequest(conn, buffer)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, unix.ECONNRESET):
			os.Exit(0)
		case err != nil:
			println("edge worker:", err.Error())
			os.Exit(1)
		}
		orders <- order{r, fds}
	}
}

// servant answers requests, one after the other.
type servant struct {
	conn     *net.UnixConn
	renderer Renderer
	rest     func()
	input    *shared
	output   *shared
	pending  []resize.Result // that did not fit into the output memory
}

// serve answers one request. An error is the end.
func (t *servant) serve(o order) error {
	if err := t.accept(o); err != nil {
		return err
	}
	if t.output != nil {
		t.output.note(o.request.Number)
	}
	ctx := context.Background() // the supervisor's kill is the only deadline
	var r reply
	switch o.request.Kind {
	case kindProbe:
		source, err := t.renderer.Probe(ctx, t.original(o.request.Bytes))
		r = reply{Source: &source, Failure: told(err)}
	case kindRun:
		results, err := t.renderer.Run(ctx, t.original(o.request.Bytes), t.marked(o.request)...)
		if err != nil {
			r = reply{Failure: told(err)}
			break
		}
		r = t.deliver(results)
	case kindOutput:
		r = t.deliver(t.pending)
	case kindRest:
		t.forget()
	default:
		return fmt.Errorf("%q is no kind of request", o.request.Kind)
	}
	return t.answer(r)
}

// answer sends a reply. One that is too long is sent as a failure.
func (t *servant) answer(r reply) error {
	err := send(t.conn, r)
	if err != nil && !errors.Is(err, unix.EPIPE) {
		return send(t.conn, reply{Failure: &failure{Text: "answer: " + err.Error()}})
	}
	return err
}

// accept takes over new memory.
func (t *servant) accept(o order) (err error) {
	fds := o.fds
	for _, part := range [...]struct {
		size int
		prot int
		at   **shared
	}{{o.request.Input, unix.PROT_READ, &t.input}, {o.request.Output, unix.PROT_READ | unix.PROT_WRITE, &t.output}} {
		if part.size == 0 {
			continue
		}
		if len(fds) == 0 {
			return errors.New("memory was announced and none came")
		}
		(*part.at).close()
		if *part.at, err = open(fds[0], part.size, part.prot); err != nil {
			return err
		}
		fds = fds[1:]
	}
	return nil
}

// original returns the original's bytes; they end where their capacity does.
func (t *servant) original(n int) []byte { return t.input.mapped[:n:n] }

// marked returns the plans with the bytes of their watermarks.
func (t *servant) marked(r request) []resize.Plan {
	for i, m := range r.Marks {
		if m.Len > 0 {
			r.Plans[i].Overlay.Data = t.input.mapped[m.Off : m.Off+m.Len : m.Off+m.Len]
		}
	}
	return r.Plans
}

// deliver puts the results where the supervisor finds them, or asks for more room.
func (t *servant) deliver(results []resize.Result) reply {
	t.pending = nil
	total := 0
	for i := range results {
		total += len(results[i].Body)
	}
	if total > t.output.room() {
		t.pending = results
		return reply{Need: total}
	}
	r := reply{Results: results, Sizes: make([]int, len(results))}
	at := 0
	for i := range results {
		r.Sizes[i] = copy(t.output.mapped[at:], results[i].Body)
		at += r.Sizes[i]
		results[i].Body = nil
	}
	return r
}

// forget gives back memory.
func (t *servant) forget() {
	t.input.close()
	t.output.close()
	t.input, t.output, t.pending = nil, nil, nil
	if t.rest != nil {
		t.rest()
	}
	debug.FreeOSMemory()
}

// told makes a failure of an error; nil of none.
func told(err error) *failure {
	if err == nil {
		return nil
	}
	var public interface {
		error
		HTTPStatus() int
		Code() string
	}
	if !errors.As(err, &public) {
		return &failure{Text: err.Error()}
	}
	f := &failure{Status: public.HTTPStatus(), Code: public.Code(), Text: public.Error()}
	if cause := errors.Unwrap(public); cause != nil {
		f.Cause = oneLine(cause.Error(), lineBytes)
	}
	return f
}

// modest makes the process the first to go when memory is short, and leaves no image of it behind.
func modest() error {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0o600) // a wish
	for what, n := range map[int]uint64{unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: 64} {
		if err := unix.Setrlimit(what, &unix.Rlimit{Cur: n, Max: n}); err != nil {
			return fmt.Errorf("lower a limit of the process: %w", err)
		}
	}
	return nil
}
