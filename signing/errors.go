package signing

import "net/http"

// Error is a constant error of this package. Its text may be shown to anyone.
type Error string

// The errors of this package.
const (
	ErrBadSignature = Error("the signature does not match")
	ErrExpired      = Error("the URL has expired")
	ErrSecret       = Error("a secret is 16 to 64 bytes in hex")
	ErrNoKey        = Error("there is no key to sign with, or none of the name that kid gives")
	ErrTarget       = Error("a target to sign begins with one slash, is percent-encoded, has no fragment and no s=")
)

// Error returns the public text.
func (e Error) Error() string { return string(e) }

// HTTPStatus returns the status to answer with.
func (e Error) HTTPStatus() int {
	switch e {
	case ErrBadSignature:
		return http.StatusForbidden
	case ErrExpired:
		return http.StatusGone
	default:
		return http.StatusBadRequest
	}
}

// Code returns the machine-readable code.
func (e Error) Code() string {
	switch e {
	case ErrBadSignature:
		return "bad_signature"
	case ErrExpired:
		return "expired"
	default:
		return "bad_signed_text"
	}
}
