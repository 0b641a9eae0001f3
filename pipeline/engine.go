package pipeline

import (
	"context"

	"github.com/imgedge/imgedge/resize"
)

// Engine turns bytes into pictures. It may be called concurrently. data must not be changed and is not
// kept. An error that knows its HTTP status says so with HTTPStatus; a deadline is
// context.DeadlineExceeded.
type Engine interface {
	// Probe reads the header alone: 415 if data is no allowed image, 422 if it is broken.
	Probe(ctx context.Context, data []byte) (resize.Source, error)
	// Run makes one picture for each plan, in order.
	Run(ctx context.Context, data []byte, plans ...resize.Plan) ([]resize.Result, error)
}
