package cache

import (
	"fmt"
	"net/http"
)

// Error is a constant error of this package.
type Error string

// Error returns the text.
func (e Error) Error() string { return string(e) }

// The errors of stores.
const (
	ErrMiss     = Error("cache miss")                               // no such entry
	ErrOutdated = Error("entry is older than a purge")              // Set: good for those who wait, but not stored
	ErrTooLarge = Error("entry is too large to be kept")            // Set: over the tier's bound
	ErrDamaged  = Error("entry is damaged")                         // DecodeEntry: of another key, cut short or changed
	ErrBreaker  = Error("redis is left alone for now")              // the breaker is open
	ErrUnderWay = Error("a request with the same key is under way") // Answers.Begin
)

// The errors that know their HTTP status.
const (
	ErrOverloaded      = statusError("overloaded")       // Flight.Do: too many wait already
	ErrClosed          = statusError("draining")         // Flight.Do after Close
	ErrPurgeIncomplete = statusError("purge_incomplete") // Purge: this node is clean, the fleet was not told
	ErrBadPurge        = statusError("bad_purge")        // Purge: not exactly one thing to purge
)

// statusError is a constant error that answers for itself over HTTP; its value is its code.
type statusError string

// Error returns the public text.
func (e statusError) Error() string {
	switch e {
	case ErrOverloaded:
		return "too many requests wait for this picture"
	case ErrClosed:
		return "the server is closing"
	case ErrPurgeIncomplete:
		return "this node is clean, but the other nodes could not all be told; try again"
	case ErrBadPurge:
		return "a purge names exactly one of: all, source, source and key, tag"
	}
	return string(e)
}

// HTTPStatus is 400 for ErrBadPurge and 503 for the others.
func (e statusError) HTTPStatus() int {
	if e == ErrBadPurge {
		return http.StatusBadRequest
	}
	return http.StatusServiceUnavailable
}

// Code is the code of the problem document.
func (e statusError) Code() string {
	if e == ErrBadPurge {
		return "bad_option"
	}
	return string(e)
}

// PanicError is a panic of foreign code, caught and handed to those who waited for it.
type PanicError struct {
	Value string // the panic's value, as text
	Stack []byte // for the log
}

// Error returns the panic's value.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %s", e.Value) }
