package libvips

import (
	"context"
	"errors"
	"fmt"

	"github.com/imgedge/imgedge/resize"
)

// brokenError is a picture that cannot be decoded. Its text is public; the cause, which holds what
// libvips wrote and a Go stack, is for the log.
type brokenError struct{ cause error }

// Error returns the public text.
func (e *brokenError) Error() string { return "the image is broken" }

// HTTPStatus returns 422.
func (e *brokenError) HTTPStatus() int { return resize.Unprocessable("", "").HTTPStatus() }

// Code returns corrupt_image.
func (e *brokenError) Code() string { return "corrupt_image" }

// Unwrap returns what libvips said.
func (e *brokenError) Unwrap() error { return e.cause }

// broken blames the picture for an error of libvips, unless the deadline is the reason.
func broken(ctx context.Context, step string, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	var known interface{ HTTPStatus() int }
	if errors.As(err, &known) {
		return err
	}
	return &brokenError{fmt.Errorf("%s: %w", step, err)}
}
