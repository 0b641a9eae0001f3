package pipeline

import "context"

// admission is asked, by the fill, before an original is fetched or a picture made; its error is the answer.
type admission func(ctx context.Context) error

// Admitted returns the request with somebody to ask before work is begun for it: admit is called, by one
// goroutine at a time, when neither memory nor Redis nor another's work has the picture. Its error ends the
// request, and no other that waits for the same picture. Refreshes behind an answer do not ask.
func (r *Request) Admitted(admit func(ctx context.Context) error) *Request {
	own := *r
	own.admit = admit
	return &own
}

// admissionError is the refusal of the request that began a fill.
type admissionError struct{ cause error }

// Error returns the text of the cause.
func (e *admissionError) Error() string { return e.cause.Error() }

// Unwrap returns the cause, which knows its status.
func (e *admissionError) Unwrap() error { return e.cause }

// admitted asks whether work may begin.
func (f *filling) admitted(ctx context.Context) error {
	if f.r.admit == nil || f.refresh {
		return nil
	}
	if err := f.r.admit(ctx); err != nil {
		return &admissionError{err}
	}
	return nil
}
