package origin

import (
	"net/http"
	"strconv"
	"time"
)

// Result is how a fetch ended; Stats counts by it and metrics are labeled with it.
type Result uint8

// The results. All from ResultNotFound on are errors.
const (
	ResultOK          Result = iota
	ResultNotModified        // the copy at hand is still good
	ResultNotFound           // absent: 404
	ResultDenied             // the origin would not show it (401, 403, no such bucket, unreadable file): 404, worth a warning
	ResultForbidden          // the source may not be asked for this URL or address: 403
	ResultTooLarge           // over Source.MaxBytes: 413
	ResultInvalid            // an answer of no use, but no outage (a redirect to nowhere, 304 without a copy): 502
	ResultFailed             // unreachable, 429, 5xx, cut short, wrong length: 502
	ResultOpen               // not asked, for the circuit breaker is open: 502
	ResultTimeout            // the whole fetch took longer than Source.Timeout: 504
	ResultCanceled           // the caller left or gave less time than the source may take: 504
	ResultOverloaded         // too many bytes of originals are in memory here: 503
	results                  // how many there are
)

// String returns the metric label.
func (r Result) String() string {
	switch r {
	case ResultOK:
		return "ok"
	case ResultNotModified:
		return "not_modified"
	case ResultNotFound:
		return "not_found"
	case ResultDenied:
		return "denied"
	case ResultForbidden:
		return "forbidden"
	case ResultTooLarge:
		return "too_large"
	case ResultInvalid:
		return "invalid"
	case ResultFailed:
		return "failed"
	case ResultOpen:
		return "breaker_open"
	case ResultTimeout:
		return "timeout"
	case ResultCanceled:
		return "canceled"
	case ResultOverloaded:
		return "overloaded"
	default:
		return strconv.Itoa(int(r))
	}
}

// outage reports whether r speaks against the origin as a whole: what the breaker counts.
func (r Result) outage() bool { return r == ResultFailed || r == ResultTimeout }

// Error is why there is no original.
type Error struct {
	Result Result        // ResultNotFound or later
	Text   string        // public while HTTPStatus is below 500: no host, path or key in it
	Wait   time.Duration // the origin's Retry-After, or our own when overloaded; 0 = none
	Busy   bool          // the origin says that it has too much to do: 429, 503
	Err    error         // the cause, for the log; may be nil
}

// Error returns the public text; with the cause behind it where only the log sees it (status ≥ 500).
func (e *Error) Error() string {
	if e.Err == nil || e.HTTPStatus() < http.StatusInternalServerError {
		return e.Text
	}
	return e.Text + ": " + e.Err.Error()
}

// Unwrap returns the cause, which is not public.
func (e *Error) Unwrap() error { return e.Err }

// RetryAfter returns how long the origin asked to be left alone, 1 s where it did not say how long;
// 0 = it did not ask.
func (e *Error) RetryAfter() time.Duration {
	if e.Busy && e.Wait == 0 {
		return busyFor
	}
	return e.Wait
}

// HTTPStatus returns the status to answer with.
func (e *Error) HTTPStatus() int {
	switch e.Result {
	case ResultNotFound, ResultDenied:
		return http.StatusNotFound
	case ResultForbidden:
		return http.StatusForbidden
	case ResultTooLarge:
		return http.StatusRequestEntityTooLarge
	case ResultTimeout, ResultCanceled:
		return http.StatusGatewayTimeout
	case ResultOverloaded:
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadGateway
	}
}

// Code returns the code of the problem document.
func (e *Error) Code() string {
	switch e.HTTPStatus() {
	case http.StatusNotFound:
		return "not_found"
	case http.StatusForbidden:
		return "forbidden_source"
	case http.StatusRequestEntityTooLarge:
		return "too_large"
	case http.StatusGatewayTimeout:
		return "origin_timeout"
	case http.StatusServiceUnavailable:
		return "overloaded"
	default:
		return "origin_failed"
	}
}

const busyFor = time.Second // a client leaves a busy origin alone, where the origin does not say how long

// constError is a constant error, the cause inside an Error.
type constError string

func (e constError) Error() string { return string(e) }

const (
	errSlow        = constError("the time for the whole fetch is over")
	errAskedEnough = constError("the server has been asked often enough for one request")
	errAddress     = constError("address not allowed")
	errURL         = constError("URL not allowed")
	errHidden      = constError("hidden or malformed name")
	errNotRegular  = constError("not a regular file")
	errNoCopy      = constError("304 without a copy at hand")
	errNoLocation  = constError("redirect without Location")
	errRedirects   = constError("more than 3 redirects")
	errEncoding    = constError("content encoding that was not asked for")
	errWrongLength = constError("length differs from what was announced")
)

const absent = "the source has no such original"

func notFound(err error) *Error {
	return &Error{Result: ResultNotFound, Text: absent, Err: err}
}

func denied(err error) *Error {
	return &Error{Result: ResultDenied, Text: absent, Err: err}
}

func forbidden(err error) *Error {
	return &Error{Result: ResultForbidden, Text: "this source may not be asked for that URL", Err: err}
}

func tooLarge(limit int64) *Error {
	return &Error{Result: ResultTooLarge, Text: "the original is larger than limits.source_bytes, " + strconv.FormatInt(limit, 10) + " bytes"}
}

func invalid(err error) *Error {
	return &Error{Result: ResultInvalid, Text: "the origin's answer is of no use", Err: err}
}

func failed(err error) *Error {
	return &Error{Result: ResultFailed, Text: "the origin failed", Err: err}
}

func timedOut(err error) *Error {
	return &Error{Result: ResultTimeout, Text: "the origin did not answer in time", Err: err}
}

func canceled(cause error) *Error {
	return &Error{Result: ResultCanceled, Text: "the fetch was given up", Err: cause}
}

func breakerOpen(err error) *Error {
	return &Error{Result: ResultOpen, Text: "the origin is down", Wait: openFor, Err: err}
}
