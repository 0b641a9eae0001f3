package edge

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

const (
	maxUploads     = 8                // requests that bring files, at once
	uploadPatience = 10 * time.Second // for the next piece of a body
	uploadLife     = 15 * time.Minute // of a whole body
	lingerTime     = time.Second      // for what a client still sends after it was refused
	lingerBytes    = 64 << 20
)

// enterUploads takes one of the places for requests that bring files, for as long as their files are held.
func (s *Server) enterUploads() (leave func(), err error) {
	select {
	case s.uploads <- struct{}{}:
		return func() { <-s.uploads }, nil
	default:
		return nil, errManyUploads
	}
}

// takeBody reads the body of a request whole, up to Server.MaxBody, before anything is done about it. Where
// files come it is left for the call to read, as x.upload. What is not read cannot be told from the next
// request, so the connection ends with it.
func (x *exchange) takeBody() error {
	r := &x.ctx.Request
	if !r.IsBodyStream() || r.Header.ContentLength() == 0 {
		return nil
	}
	if x.bringsFiles() {
		x.upload = &upload{from: r.BodyStream(), conn: x.ctx.Conn(), until: time.Now().Add(uploadLife)}
		return nil
	}
	limit := cmp.Or(x.server.MaxBody, 1<<20)
	if r.Header.ContentLength() > limit {
		x.ctx.SetConnectionClose()
		return errBodySize
	}
	body, err := io.ReadAll(io.LimitReader(r.BodyStream(), int64(limit)+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		x.ctx.SetConnectionClose()
		return errRequestSlow
	case err != nil:
		x.ctx.SetConnectionClose()
		return errBadRequest
	case len(body) > limit:
		x.ctx.SetConnectionClose()
		return errBodySize
	}
	x.body = body
	return nil
}

// bringsFiles reports whether the request's body is read as it comes: the calls that take files, as forms.
func (x *exchange) bringsFiles() bool {
	path, _, _ := bytes.Cut(x.target, []byte("?"))
	return string(x.ctx.Method()) == http.MethodPost && (string(path) == "/v1/jobs" || string(path) == "/v1/images") &&
		bytes.HasPrefix(x.ctx.Request.Header.ContentType(), []byte("multipart/form-data"))
}

// upload is a body that is read as it comes. Each piece may take its time, and all together uploadLife.
type upload struct {
	from  io.Reader
	conn  net.Conn // for its read deadline: the server's own is for the whole request
	until time.Time
	ended bool // everything was read
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	due := time.Now().Add(uploadPatience)
	if due.After(u.until) {
		due = u.until
	}
	if err := u.conn.SetReadDeadline(due); err != nil {
		return 0, err
	}
	n, err := u.from.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		u.ended = true
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = errRequestSlow
	case err != nil:
		err = errBodyShort
	}
	return n, err
}

// finish reports whether the body was read to its end. Of one that was not, it drops what the client still
// sends for a moment: it would not see its answer otherwise, as a connection is reset that is closed before
// its data was read.
func (u *upload) finish() bool {
	if u.ended {
		return true
	}
	u.until = time.Now().Add(lingerTime)
	_, _ = io.Copy(io.Discard, io.LimitReader(u, lingerBytes)) // it matters only that it was read
	return false
}
