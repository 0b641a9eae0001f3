package sandbox

import (
	"fmt"

	"github.com/imgedge/imgedge/resize"
)

// load puts the job's bytes where the worker can read them and returns the request, with the descriptors of
// new memory.
func (w *worker) load(j *job) (r request, fds []int, err error) {
	r = request{Kind: j.kind, Number: uint64(w.used), Bytes: len(j.data)} //nolint:gosec // a count
	var marks [][]byte
	total := len(j.data)
	r.Plans, r.Marks, marks = unmarked(j.plans, &total)
	if w.input.room() < total {
		w.input.close()
		w.held = held{}
		if w.input, err = newInput(total); err != nil {
			return r, nil, err
		}
		r.Input, fds = w.input.size, append(fds, w.input.fd)
	}
	if !w.held.is(j) {
		copy(w.input.mapped, j.data)
	}
	w.held = j.held()
	at := len(j.data)
	for _, mark := range marks {
		at += copy(w.input.mapped[at:], mark)
	}
	if w.output == nil {
		if w.output, err = newOutput(step / 2); err != nil {
			return r, nil, err
		}
		r.Output, fds = w.output.size, append(fds, w.output.fd)
	}
	return r, fds, nil
}

// unload lets go of shared memory, of which the worker may not have heard.
func (w *worker) unload() {
	w.input.close()
	w.output.close()
	w.input, w.output, w.held = nil, nil, held{}
}

// unmarked takes the watermarks' bytes out of plans. total is where the first will lie, and where the last
// ends. Plans that share a watermark share its bytes.
func unmarked(plans []resize.Plan, total *int) (bare []resize.Plan, spans []span, marks [][]byte) {
	bare = make([]resize.Plan, len(plans))
	spans = make([]span, len(plans))
	for i, p := range plans {
		mark := p.Overlay.Data
		p.Overlay.Data = nil
		bare[i] = p
		switch {
		case len(mark) == 0:
		case i > 0 && spans[i-1].Len == len(mark) && &plans[i-1].Overlay.Data[0] == &mark[0]:
			spans[i] = spans[i-1]
		default:
			spans[i] = span{*total, len(mark)}
			marks = append(marks, mark)
			*total += len(mark)
		}
	}
	return bare, spans, marks
}

// hear waits for the worker's answer to the job and checks it.
func (w *worker) hear(j *job) (answer, error) {
	r, err := w.reply()
	if err != nil {
		return answer{}, err
	}
	if r.Need > 0 {
		if r, err = w.enlarge(j, r.Need); err != nil {
			return answer{}, err
		}
	}
	switch {
	case r.Failure != nil:
		return answer{}, r.Failure.err()
	case j.kind == kindProbe:
		source, err := checkSource(r.Source, j.data)
		return answer{source: source}, err
	default:
		results, err := w.collect(j, &r)
		return answer{results: results}, err
	}
}

func (w *worker) reply() (reply, error) {
	r, err := receive[reply](w.conn, w.buffer)
	if err != nil {
		return r, &brokenError{err}
	}
	return r, nil
}

// enlarge gives the worker more memory for its answer and waits for it again.
func (w *worker) enlarge(j *job, need int) (reply, error) {
	if most := mostBytes(j); need > most {
		return reply{}, nonsense("it wants %d bytes for pictures of at most %d", need, most)
	}
	w.output.close()
	var err error
	if w.output, err = newOutput(need); err != nil {
		w.kill(ReasonProtocol) // it waits for an answer that does not come
		return reply{}, err
	}
	if err := send(w.conn, request{Kind: kindOutput, Output: w.output.size}, w.output.fd); err != nil {
		return reply{}, &brokenError{err}
	}
	return w.reply()
}

// collect copies the pictures out.
func (w *worker) collect(j *job, r *reply) ([]resize.Result, error) {
	if len(r.Results) != len(j.plans) || len(r.Sizes) != len(j.plans) {
		return nil, nonsense("%d results of %d sizes for %d plans", len(r.Results), len(r.Sizes), len(j.plans))
	}
	off, most := 0, min(w.output.room(), mostBytes(j))
	for i := range r.Results {
		size := r.Sizes[i]
		if size <= 0 || size > most-off {
			return nil, nonsense("a picture of %d bytes where at most %d can be", size, most-off)
		}
		body, err := w.output.read(off, size)
		if err != nil {
			return nil, fmt.Errorf("copy the picture: %w", err)
		}
		off += size
		r.Results[i].Body = body
		if err := checkResult(&r.Results[i]); err != nil {
			return nil, err
		}
	}
	return r.Results, nil
}
