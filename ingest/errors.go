package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/imgedge/imgedge/resize"
)

// FileError is why one file of an upload was not taken.
type FileError struct {
	File   string `json:"file"`
	Status int    `json:"-"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// UploadError is why an upload was refused as a whole: the first of its files that could not be taken
// decides.
type UploadError struct {
	Files []FileError // at least one
	Err   error       // the cause of the first, for the log
}

// Error returns the public text, with the cause where only the log sees it.
func (e *UploadError) Error() string {
	first := e.Files[0]
	text := fmt.Sprintf("%s: %s", first.File, first.Detail)
	if first.Status >= http.StatusInternalServerError && e.Err != nil {
		return text + ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *UploadError) Unwrap() error { return e.Err }

// HTTPStatus returns the status of the first file.
func (e *UploadError) HTTPStatus() int { return e.Files[0].Status }

// Code returns the code of the first file.
func (e *UploadError) Code() string { return e.Files[0].Code }

// StorageError is a failure of the bucket.
type StorageError struct{ Err error }

// Error returns the text for the log.
func (e *StorageError) Error() string { return "the bucket failed: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *StorageError) Unwrap() error { return e.Err }

// HTTPStatus returns 502, or 504 where the bucket did not answer in time.
func (e *StorageError) HTTPStatus() int {
	if hangs(e.Err) {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

// Code returns the code of the problem document.
func (e *StorageError) Code() string {
	if hangs(e.Err) {
		return "origin_timeout"
	}
	return "origin_failed"
}

// hangs reports whether an error says that the bucket did not answer in time.
func hangs(err error) bool { return errors.Is(err, context.DeadlineExceeded) }

// storage marks what the bucket failed at; its own answers and the caller's leaving stay what they are.
func storage(err error) error {
	if err == nil || errors.Is(err, ErrAbsent) || errors.Is(err, ErrExists) {
		return err
	}
	return &StorageError{err}
}

// notFound refuses an id that names nothing.
func notFound() error {
	return &resize.Error{Status: http.StatusNotFound, Kind: "not_found", Text: "there is no such image"}
}

// coded is an error that knows how it is answered.
type coded interface {
	error
	HTTPStatus() int
	Code() string
}

// fileError words an error about one file. What does not know its status is a bug: 500.
func fileError(file string, err error) FileError {
	e := FileError{File: file, Status: http.StatusInternalServerError, Code: "internal"}
	var c coded
	if errors.As(err, &c) {
		e.Status, e.Code = c.HTTPStatus(), c.Code()
	}
	if e.Status < http.StatusInternalServerError {
		e.Detail = c.Error()
	} else {
		e.Detail = http.StatusText(e.Status)
	}
	return e
}
