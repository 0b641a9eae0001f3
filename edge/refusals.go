package edge

import (
	"net/http"
	"time"
)

// problem is an error of edge itself, and every other error as it is answered.
type problem struct {
	status int
	code   string
	text   string        // public below 500
	retry  time.Duration // 0 = not said
}

// Error returns the text.
func (p problem) Error() string { return p.text }

// HTTPStatus returns the status to answer with.
func (p problem) HTTPStatus() int { return p.status }

// Code returns the machine-readable code.
func (p problem) Code() string { return p.code }

// RetryAfter returns when it makes sense to ask again; 0 = not said.
func (p problem) RetryAfter() time.Duration { return p.retry }

// Error is a constant error of this package, answered as its documentation in api.md says.
type Error string

// The refusals of edge itself.
const (
	errNothingHere   Error = "nothing is served under this path"
	errUnknownSource Error = "no source of this name is configured"
	errExpired       Error = "the URL has expired"
	errMethod        Error = "the method is not allowed here"
	errBadRange      Error = "the range lies outside the picture"
	errUnauthorized  Error = "a bearer token is needed"
	errScope         Error = "the token does not allow this call"
	errForeign       Error = "the call comes from a foreign host or site"
	errStarting      Error = "the server is starting"
	errTooSlow       Error = "the picture was not ready in time"
	errClientGone    Error = "the client has closed the connection"
	errBadRequest    Error = "the request is malformed"
	errHeaderSize    Error = "the request header is too large"
	errRequestSlow   Error = "the request did not arrive in time"
	errBodySize      Error = "the request body is too large"
	errManyUploads   Error = "too many requests that bring files are under way"
	errBodyShort     Error = "the request body ended too early"
	errManyStreams   Error = "this client has too many event streams open"
)

// Error returns the text.
func (e Error) Error() string { return string(e) }

// HTTPStatus returns the status to answer with.
func (e Error) HTTPStatus() int { return e.answer().status }

// Code returns the machine-readable code.
func (e Error) Code() string { return e.answer().code }

// answer returns how the error is answered.
func (e Error) answer() problem {
	status, code := http.StatusInternalServerError, "internal"
	switch e {
	case errNothingHere:
		status, code = http.StatusNotFound, "not_found"
	case errUnknownSource:
		status, code = http.StatusNotFound, "unknown_source"
	case errExpired:
		status, code = http.StatusGone, "expired"
	case errMethod:
		status, code = http.StatusMethodNotAllowed, "method_not_allowed"
	case errBadRange:
		status, code = http.StatusRequestedRangeNotSatisfiable, "bad_range"
	case errUnauthorized:
		status, code = http.StatusUnauthorized, "unauthorized"
	case errScope:
		status, code = http.StatusForbidden, "forbidden_scope"
	case errForeign:
		status, code = http.StatusForbidden, "forbidden_origin"
	case errStarting:
		status, code = http.StatusServiceUnavailable, "starting"
	case errTooSlow:
		status, code = http.StatusGatewayTimeout, "render_timeout"
	case errClientGone:
		status, code = statusClientGone, "client_gone"
	case errBadRequest:
		status, code = http.StatusBadRequest, "bad_request"
	case errHeaderSize:
		status, code = http.StatusRequestHeaderFieldsTooLarge, "too_large"
	case errRequestSlow:
		status, code = http.StatusRequestTimeout, "request_timeout"
	case errManyUploads:
		status, code = http.StatusServiceUnavailable, "overloaded"
	case errBodyShort:
		status, code = http.StatusBadRequest, "bad_request"
	case errManyStreams:
		status, code = http.StatusTooManyRequests, "rate_limited"
	case errBodySize:
		status, code = http.StatusRequestEntityTooLarge, "too_large"
	}
	return problem{status: status, code: code, text: string(e)}
}
