package jobs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Error is a refusal that knows its HTTP status. Below 500 its text is for the client.
type Error struct {
	Status int
	Kind   string // code of the problem document
	Text   string
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// HTTPStatus returns the status to answer with.
func (e *Error) HTTPStatus() int { return e.Status }

// Code returns the machine-readable code.
func (e *Error) Code() string { return e.Kind }

// Public returns what a client is told, whatever the status: no text here names a host, a path or a key.
func (e *Error) Public() string { return e.Text }

// What is answered about jobs.
var (
	ErrNotFound = &Error{http.StatusNotFound, "not_found", "there is no such job"}
	ErrNotReady = &Error{http.StatusConflict, "not_ready", "the job has not ended"}
	ErrEnded    = &Error{http.StatusConflict, "not_ready", "the job has ended"}
	ErrNoFailed = &Error{http.StatusConflict, "not_ready", "no item of the job has failed"}
	ErrNothing  = &Error{http.StatusConflict, "not_ready", "the job has no output to pack"}
	ErrExpired  = &Error{http.StatusGone, "expired", "the job and its outputs are past their retention"}
	ErrNoBucket = &Error{http.StatusNotFound, "not_found", "jobs are not configured here: jobs.source names no bucket"}
	ErrQueue    = &Error{http.StatusServiceUnavailable, "overloaded", "the queue of jobs, which is kept in Redis, does not answer"}
	ErrRunning  = &Error{http.StatusConflict, "in_progress", "a request with this Idempotency-Key is under way"}
	ErrMismatch = &Error{http.StatusUnprocessableEntity, "idempotency_mismatch", "this Idempotency-Key came with another body before"}
)

func badRequest(format string, args ...any) *Error {
	return &Error{http.StatusBadRequest, "bad_option", fmt.Sprintf(format, args...)}
}

func tooLarge(format string, args ...any) *Error {
	return &Error{http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf(format, args...)}
}

// queueFailed words Redis' trouble for a client and keeps the cause for the log.
func queueFailed(err error) error { return fmt.Errorf("%w: %w", ErrQueue, err) }

// coded is an error that knows how it is answered.
type coded interface {
	error
	HTTPStatus() int
	Code() string
}

// problem is what an item's failure is told as.
func problemOf(err error) *Problem {
	var c coded
	switch {
	case errors.As(err, &c) && c.HTTPStatus() < http.StatusInternalServerError:
		return &Problem{Code: c.Code(), Detail: c.Error()}
	case errors.As(err, &c):
		return &Problem{Code: c.Code(), Detail: http.StatusText(c.HTTPStatus())}
	case errors.Is(err, context.DeadlineExceeded):
		return &Problem{Code: "render_timeout", Detail: "the item took too long"}
	default:
		return &Problem{Code: "storage_failed", Detail: "originals or outputs could not be read or stored"}
	}
}

// passes reports whether trying again may help: the origin's and the bucket's trouble, and a full queue,
// can pass; what is said of the picture cannot.
func passes(err error) bool {
	var c coded
	if !errors.As(err, &c) {
		return !errors.Is(err, context.Canceled)
	}
	switch c.HTTPStatus() {
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		return true
	case http.StatusGatewayTimeout:
		return c.Code() != "render_timeout"
	default:
		return false
	}
}

// crowded reports that there was no room to work: no try of the item was spent.
func crowded(err error) bool {
	var c coded
	return errors.As(err, &c) && c.HTTPStatus() == http.StatusServiceUnavailable
}
