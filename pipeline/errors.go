package pipeline

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Error is a constant error of this package that knows its answer.
type Error string

// The errors of this package.
const (
	ErrOverloaded    Error = "too many pictures are being made; try again"
	ErrRenderTimeout Error = "making the picture took too long"
	ErrOriginTimeout Error = "the origin took too long"
)

// Error returns the text.
func (e Error) Error() string { return string(e) }

// HTTPStatus returns the status to answer with.
func (e Error) HTTPStatus() int {
	if e == ErrOverloaded {
		return http.StatusServiceUnavailable
	}
	return http.StatusGatewayTimeout
}

// Code returns the machine-readable code.
func (e Error) Code() string {
	switch e {
	case ErrOverloaded:
		return "overloaded"
	case ErrRenderTimeout:
		return "render_timeout"
	default:
		return "origin_timeout"
	}
}

// RetryAfter returns when it makes sense to ask again; 0 = not said.
func (e Error) RetryAfter() time.Duration {
	if e == ErrOverloaded {
		return time.Second
	}
	return 0
}

// coded is an error that knows its answer: every room's public error does.
type coded interface {
	error
	HTTPStatus() int
	Code() string
}

// statusOf returns the status an error is answered with, 500 if it does not know.
func statusOf(err error) int {
	var c coded
	switch {
	case errors.As(err, &c):
		return c.HTTPStatus()
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	default:
		return http.StatusInternalServerError
	}
}

// worthRemembering reports whether a refusal becomes a negative entry: it is about the original, not
// about the moment.
func worthRemembering(status int) bool {
	switch status {
	case http.StatusNotFound, http.StatusGone, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	default:
		return false
	}
}

// outage reports whether a stale copy is served rather than this error.
func outage(status int) bool { return status >= http.StatusInternalServerError }
