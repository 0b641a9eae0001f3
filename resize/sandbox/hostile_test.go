package sandbox_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/imgedge/imgedge/internal/hostile"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/sandbox"
)

// hostileEngine has two workers that everything may be sent to.
func hostileEngine(t testing.TB) *sandbox.Engine {
	t.Helper()
	c := config(withVips)
	c.Workers, c.Memory = 2, 640<<20
	return newEngine(t, c)
}

// Files that break decoders break at most a worker: this process lives, every answer is one for the client
// or a deadline, and afterwards pictures are made.
func TestHostilePictures(t *testing.T) {
	e := hostileEngine(t)
	files := originals(t, "IMGEDGE_HOSTILE")
	for _, f := range hostile.Files("127.0.0.1:9") {
		files[f.Name] = f.Data
	}
	names := make(chan string) // handed over one by one
	var hands sync.WaitGroup
	for range 2 {
		hands.Go(func() {
			for name := range names {
				if err := surprise(t.Context(), e, files[name], time.Second); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		names <- name
	}
	close(names)
	hands.Wait()
	t.Logf("%d files, restarts %v", len(files), e.Stats().Restarts)
	for name, data := range painted(t) {
		if err := renderIn(t.Context(), e, data); err != nil {
			t.Errorf("afterwards, %s: %v", name, err)
		}
	}
}

// FuzzWorker sends bytes the whole way: through a worker, into libvips. What a worker dies of is a 422;
// what this process is told is a picture, an error of the client, or nothing within the limit.
func FuzzWorker(f *testing.F) {
	const largest = 64 << 10 // the larger files are bombs, which mutations do not make sharper
	for _, file := range hostile.Files("127.0.0.1:9") {
		if len(file.Data) < largest {
			f.Add(file.Data)
		}
	}
	e := hostileEngine(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := surprise(t.Context(), e, data, 5*time.Second); err != nil {
			t.Error(err)
		}
	})
}

// surprise renders data and returns an error that is neither the client's nor the deadline's.
func surprise(ctx context.Context, e *sandbox.Engine, data []byte, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := renderIn(ctx, e, data)
	if s, _ := status(err); s >= 400 && s < 500 || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

func renderIn(ctx context.Context, e *sandbox.Engine, data []byte) error {
	source, err := e.Probe(ctx, data)
	if err != nil {
		return err
	}
	plan, err := resize.Options{Width: 40, Format: resize.FormatJPEG}.Normalize().Plan(source, resize.DefaultLimits())
	if err != nil {
		return err
	}
	results, err := e.Run(ctx, data, plan)
	if err == nil && resize.Sniff(results[0].Body) != resize.FormatJPEG {
		return errors.New("the result is no JPEG")
	}
	return err
}
