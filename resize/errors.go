package resize

import "net/http"

// Error is a refusal that the client may read: it names the option, its value and the allowed range,
// and nothing of the inside.
type Error struct {
	Status int    // HTTP status, 400–499
	Kind   string // code of the problem document: bad_option, bad_key, too_many_pixels, …
	Text   string
}

// Error returns the public text.
func (e *Error) Error() string { return e.Text }

// HTTPStatus returns the status to answer with.
func (e *Error) HTTPStatus() int { return e.Status }

// Code returns the machine-readable code.
func (e *Error) Code() string { return e.Kind }

// BadOption is a 400 for an option that cannot be taken.
func BadOption(text string) *Error {
	return &Error{Status: http.StatusBadRequest, Kind: "bad_option", Text: text}
}

// BadKey is a 400 for an object key that cannot be taken.
func BadKey(text string) *Error {
	return &Error{Status: http.StatusBadRequest, Kind: "bad_key", Text: text}
}

// Unprocessable is a 422 with the given code.
func Unprocessable(kind, text string) *Error {
	return &Error{Status: http.StatusUnprocessableEntity, Kind: kind, Text: text}
}

// Unsupported is a 415 with the given code.
func Unsupported(kind, text string) *Error {
	return &Error{Status: http.StatusUnsupportedMediaType, Kind: kind, Text: text}
}

// TooLarge is a 413 for an original of too many bytes.
func TooLarge(text string) *Error {
	return &Error{Status: http.StatusRequestEntityTooLarge, Kind: "too_large", Text: text}
}
