package edge

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/imgedge/imgedge/jobs"
)

// Lister returns the keys of a source that begin with a prefix, in their order and at most limit+1 of
// them. It may be called concurrently. A source that cannot be listed is an error that knows its status.
type Lister func(ctx context.Context, source, prefix string, limit int) ([]string, error)

// jobAnswer is a job with where to go on.
type jobAnswer struct {
	jobs.Job
	Links jobLinks `json:"links"`
}

// jobLinks are the calls about one job.
type jobLinks struct {
	Self    string `json:"self"`
	Events  string `json:"events"`
	Archive string `json:"archive,omitempty"` // of a job that makes files
}

// jobList is one page of a list.
type jobList struct {
	Jobs []jobs.Job `json:"jobs"`
	Next string     `json:"next,omitempty"` // cursor; "" = the end
}

// underJobs reports whether a path is /v1/jobs or below it, and what stands behind it: "", "/ID", "/ID/CALL".
func underJobs(path []byte) (string, bool) {
	rest, ok := bytes.CutPrefix(path, []byte("/v1/jobs"))
	return string(rest), ok && (len(rest) == 0 || rest[0] == '/')
}

// serveJobs answers the calls of /v1/jobs.
func (x *exchange) serveJobs(path string, allow func(Scope) error) {
	if err := allow(ScopeJobs); err != nil {
		x.refuseCall(err)
		return
	}
	if x.server.Jobs == nil {
		x.fail(errNothingHere)
		return
	}
	if err := x.callJobs(path); err != nil {
		x.fail(err)
	}
}

func (x *exchange) callJobs(path string) error {
	method := string(x.ctx.Method())
	if path == "" {
		switch method {
		case http.MethodPost:
			return x.submitJob()
		case http.MethodGet, http.MethodHead:
			return x.listJobs()
		}
		x.notAllowed("GET, HEAD, POST")
		return nil
	}
	id, call, _ := strings.Cut(path[1:], "/")
	ctx, cancel := x.callTime()
	defer cancel()
	j, err := x.ownJob(ctx, id)
	if err != nil {
		return err
	}
	switch call {
	case "":
		switch method {
		case http.MethodGet, http.MethodHead:
			x.respondJob(http.StatusOK, &j)
			return nil
		case http.MethodDelete:
			return x.cancelJob(ctx, id)
		}
		x.notAllowed("GET, HEAD, DELETE")
		return nil
	case "events":
		if x.only(http.MethodGet) {
			return x.serveEvents(ctx, id)
		}
		return nil
	case "archive":
		if x.only(http.MethodGet) {
			return x.serveArchive(ctx, id)
		}
		return nil
	case "retry":
		if x.only(http.MethodPost) {
			return x.retryJob(ctx, id)
		}
		return nil
	default:
		return errNothingHere
	}
}

// callTime is the time of a call that brings no files.
func (x *exchange) callTime() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), x.server.RequestTimeout)
}

// owner is whose jobs the caller submits; "" = of those who need no token.
func (x *exchange) owner() string {
	if x.token == nil {
		return ""
	}
	return x.token.Name
}

// seesAll reports whether the caller sees the jobs of others: on an admin listener, or with a token of
// ScopeAdmin.
func (x *exchange) seesAll() bool { return x.token == nil || x.token.allows(ScopeAdmin) }

// ownJob returns a job that the caller may see; every other one does not exist.
func (x *exchange) ownJob(ctx context.Context, id string) (jobs.Job, error) {
	j, err := x.server.Jobs.Get(ctx, id)
	if err == nil && j.Owner != x.owner() && !x.seesAll() {
		err = jobs.ErrNotFound
	}
	return j, err
}

// respondJob answers with a job.
func (x *exchange) respondJob(status int, j *jobs.Job) {
	self := x.base() + "/v1/jobs/" + j.ID
	links := jobLinks{Self: self, Events: self + "/events"}
	if j.Kind == jobs.KindRender {
		links.Archive = self + "/archive"
	}
	if status == http.StatusAccepted {
		x.ctx.Response.Header.Set("Location", self)
	}
	respondJSON(x, status, jobAnswer{*j, links})
}

// What a page of a list holds.
const (
	defaultPage = 20
	maxPage     = 100
)

// listJobs answers GET /v1/jobs.
func (x *exchange) listJobs() error {
	args := x.ctx.QueryArgs()
	limit := defaultPage
	if text := string(args.Peek("limit")); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxPage {
			return badBody("limit: 1 to " + strconv.Itoa(maxPage) + " are allowed")
		}
		limit = n
	}
	owner := x.owner()
	if x.seesAll() {
		owner = ""
	}
	ctx, cancel := x.callTime()
	defer cancel()
	all, next, err := x.server.Jobs.List(ctx, owner, string(args.Peek("cursor")), limit)
	if err != nil {
		return err
	}
	respondJSON(x, http.StatusOK, jobList{all, next})
	return nil
}

// cancelJob answers DELETE /v1/jobs/{id}.
func (x *exchange) cancelJob(ctx context.Context, id string) error {
	if err := x.server.Jobs.Cancel(ctx, id); err != nil {
		return err
	}
	return x.accepted(ctx, id)
}

// retryJob answers POST /v1/jobs/{id}/retry.
func (x *exchange) retryJob(ctx context.Context, id string) error {
	if _, err := x.server.Jobs.Retry(ctx, id); err != nil {
		return err
	}
	return x.accepted(ctx, id)
}

// accepted answers 202 with the job as it stands.
func (x *exchange) accepted(ctx context.Context, id string) error {
	j, err := x.server.Jobs.Get(ctx, id)
	if err != nil {
		return err
	}
	x.respondJob(http.StatusAccepted, &j) //nolint:contextcheck // a log line of a failure has no deadline
	return nil
}

// serveEvents answers GET /v1/jobs/{id}/events. Whoever has seen the end is told not to come again: to an
// EventSource 204 says so (HTML standard, section 9.2.3).
func (x *exchange) serveEvents(ctx context.Context, id string) error {
	w, err := x.server.Jobs.Watch(ctx, id, x.lastEventID())
	if err != nil {
		return err
	}
	if w.Over() || x.ctx.IsHead() {
		w.Close()
		x.ctx.SetStatusCode(http.StatusNoContent)
		return nil
	}
	err = x.stream(func(ctx context.Context, send func(event) error) error { //nolint:contextcheck // the stream outlives the call
		defer w.Close()
		for {
			e, err := w.Next(ctx)
			if err != nil {
				return nil // the end, of the job, the stream or the node
			}
			if err := send(event{id: e.ID, name: e.Type, data: []byte(e.Data)}); err != nil {
				return err
			}
		}
	})
	if err != nil {
		w.Close()
	}
	return err
}

// archivePatience is for a client that does not read.
const archivePatience = 30 * time.Second

// serveArchive answers GET /v1/jobs/{id}/archive.
func (x *exchange) serveArchive(ctx context.Context, id string) error {
	a, err := x.server.Jobs.Archive(ctx, id)
	if err != nil {
		return err
	}
	h := &x.ctx.Response.Header
	h.SetContentType("application/zip")
	h.Set("Content-Disposition", `attachment; filename="`+a.Name+`"`)
	h.Set("Cache-Control", "private, no-store")
	x.ctx.SetStatusCode(http.StatusOK)
	if x.ctx.IsHead() {
		x.ctx.Response.SkipBody = true
		h.SetContentLength(int(a.Size))
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background()) // the handler returns before the archive is sent
	body := a.Open(ctx)                                     //nolint:contextcheck // as it says above
	x.ctx.SetBodyStream(&patient{ReadCloser: body, conn: x.ctx.Conn(), cancel: cancel}, int(a.Size))
	return nil
}
