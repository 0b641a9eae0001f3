package sandbox

import (
	"context"

	"github.com/imgedge/imgedge/resize"
)

// Passing is an Engine for data that is no memory of Go's, as a mapped file is. Its place may be that of other
// bytes a moment later, so a worker is never taken to have it already: each call copies it once.
type Passing struct{ Engine *Engine }

var _ Renderer = Passing{}

// Probe is as that of the Engine.
func (p Passing) Probe(ctx context.Context, data []byte) (resize.Source, error) {
	return p.Engine.probe(ctx, &job{kind: kindProbe, data: data, passing: true})
}

// Run is as that of the Engine.
func (p Passing) Run(ctx context.Context, data []byte, plans ...resize.Plan) ([]resize.Result, error) {
	return p.Engine.run(ctx, &job{kind: kindRun, data: data, plans: plans, passing: true})
}
