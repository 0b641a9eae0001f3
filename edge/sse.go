package edge

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

const (
	streamHeartbeat = 12 * time.Second // between two comments that keep proxies from closing a silent stream
	streamPatience  = 30 * time.Second // for a client that does not read
	streamLife      = time.Hour        // after which a client has to connect again
	streamsPerPeer  = 16               // streams at once for one client
)

// event is one server-sent event (HTML standard, section 9.2).
type event struct {
	id   int64  // rises; a client that connects again sends the last one it saw; 0 = none
	name string // its type, a word
	data []byte // JSON without line breaks
}

// feed sends events until there are no more, ctx ends, or send fails, which means that the client has
// gone. It runs after the handler has returned, in a goroutine of its own: what it needs of the request
// is copied before. ctx ends when the client leaves, when the server drains or gets another
// site, and after an hour.
//
//	func (x *exchange) serveJobEvents(id string) error {
//		last := x.lastEventID()
//		return x.stream(func(ctx context.Context, send func(event) error) error {
//			for change := range jobs.Changes(ctx, id, last) {
//				if err := send(event{id: change.Seq, name: "item", data: change.JSON}); err != nil {
//					return err
//				}
//			}
//			return nil
//		})
//	}
//
// An error of a feed is logged unless ctx had ended; the client sees the end of the stream, and comes
// again by itself.
type feed func(ctx context.Context, send func(event) error) error

// stream answers with the events of f. What can be refused has to be refused before: the status is 200
// from here on. The only error is a 429 for a client with too many streams.
func (x *exchange) stream(f feed) error {
	s := x.server
	leave, ok := s.streams.enter(x.client())
	if !ok {
		return errManyStreams
	}
	h := &x.ctx.Response.Header
	h.SetContentType("text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would collect events
	x.ctx.SetStatusCode(200)
	if x.ctx.IsHead() {
		leave()
		return nil
	}
	out := &streamWriter{conn: x.ctx.Conn()}
	if c, ok := out.conn.(*conn); ok {
		out.conn = c.Conn // whose deadlines may be set while the server sets its own
	}
	id := string(x.id[:x.idLen])
	out.leaving = s.streams.leaving
	if x.state != nil {
		out.over = x.state.over
	}
	x.ctx.SetBodyStreamWriter(func(w *bufio.Writer) {
		defer leave()
		out.w = w
		if err := out.run(f); err != nil {
			s.Logger.LogAttrs(context.Background(), slog.LevelWarn, "stream ended",
				slog.String("request_id", id), slog.String("cause", err.Error()))
		}
	})
	return nil
}

// lastEventID returns the id of the last event that the client has seen; 0 = none.
func (x *exchange) lastEventID() int64 {
	id, err := strconv.ParseInt(string(x.ctx.Request.Header.Peek("Last-Event-ID")), 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// streamWriter writes one stream.
type streamWriter struct {
	conn    net.Conn        // for its write deadline: the server sets one for the whole answer, which would cut it
	leaving <-chan struct{} // closed when the server drains
	over    <-chan struct{} // closed when another site is in force, which may not have the caller's token; nil = never

	mu sync.Mutex // guards w: events and heartbeats come from two goroutines
	w  *bufio.Writer
}

// run feeds the stream until f returns, and sends heartbeats beside it.
func (o *streamWriter) run(f feed) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), streamLife)
	var beats sync.WaitGroup
	beats.Go(func() {
		defer cancel()
		o.beat(ctx)
	})
	defer beats.Wait()
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	gone := false
	err = f(ctx, func(e event) error {
		err := o.send(e)
		gone = gone || err != nil
		return err
	})
	if gone || ctx.Err() != nil {
		return nil
	}
	return err
}

// beat writes a comment now and then. It returns when ctx, the site or the server ends, or the client has gone.
func (o *streamWriter) beat(ctx context.Context) {
	tick := time.NewTicker(streamHeartbeat)
	defer tick.Stop()
	if o.write([]byte(":\n\n")) != nil { // so that the client has the header at once
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.leaving:
			return
		case <-o.over:
			return
		case <-tick.C:
			if o.write([]byte(":\n\n")) != nil {
				return
			}
		}
	}
}

// send writes one event.
func (o *streamWriter) send(e event) error {
	var b []byte
	if e.id != 0 {
		b = strconv.AppendInt(append(b, "id: "...), e.id, 10)
		b = append(b, '\n')
	}
	b = append(append(append(b, "event: "...), e.name...), '\n')
	b = append(append(append(b, "data: "...), e.data...), "\n\n"...)
	return o.write(b)
}

// write sends b now.
func (o *streamWriter) write(b []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.conn.SetWriteDeadline(time.Now().Add(streamPatience)); err != nil {
		return err
	}
	if _, err := o.w.Write(b); err != nil {
		return err
	}
	return o.w.Flush()
}

// streams counts the streams of each client, and ends them all when the server leaves.
type streams struct {
	leaving chan struct{} // closed by end
	ended   sync.Once

	mu sync.Mutex           // guards of
	of map[netip.Prefix]int // by clientNet
}

// enter takes a place for a client, which is an IPv4 address or an IPv6 /64; leave gives it back.
func (s *streams) enter(address netip.Addr) (leave func(), ok bool) {
	client := clientNet(address)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[client] >= streamsPerPeer {
		return nil, false
	}
	s.of[client]++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.of[client]--; s.of[client] == 0 {
			delete(s.of, client)
		}
	}), true
}

// end tells every stream to end.
func (s *streams) end() { s.ended.Do(func() { close(s.leaving) }) }
