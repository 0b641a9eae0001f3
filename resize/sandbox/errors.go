package sandbox

import (
	"net/http"
	"time"

	"github.com/imgedge/imgedge/resize"
)

// refusal is a worker's refusal that the client may read, with a cause that is for the log.
type refusal struct {
	what  *resize.Error
	cause string
}

// Error returns the public text.
func (r *refusal) Error() string { return r.what.Text }

// HTTPStatus returns the status to answer with.
func (r *refusal) HTTPStatus() int { return r.what.Status }

// Code returns the machine-readable code.
func (r *refusal) Code() string { return r.what.Kind }

// Unwrap returns the cause; nil = none was told.
func (r *refusal) Unwrap() error {
	if r.cause == "" {
		return nil
	}
	return workerError(r.cause)
}

// workerError is what a worker says went wrong, for the log.
type workerError string

// Error returns the text.
func (e workerError) Error() string { return string(e) }

// deathError is the end of a worker under a job, or before it.
type deathError struct {
	how  string // how it ended and its last words
	idle bool   // before it was given the job
}

// Error says how it ended.
func (e *deathError) Error() string { return "a worker died: " + e.how }

// busyError is the want of any worker. It is the operator's trouble, which passes.
type busyError struct{}

var errNoWorker busyError

// Error returns the public text.
func (busyError) Error() string { return "there is nobody to make pictures at the moment; try again" }

// HTTPStatus returns 503.
func (busyError) HTTPStatus() int { return http.StatusServiceUnavailable }

// Code returns overloaded.
func (busyError) Code() string { return "overloaded" }

// RetryAfter returns when it makes sense to ask again.
func (busyError) RetryAfter() time.Duration { return time.Second }
