package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
	"github.com/imgedge/imgedge/resize/sandbox"
)

// Values of render.isolation.
const (
	isolationProcess = "process"
	isolationNone    = "none"
)

const (
	workerSlack       = 128 << 20 // bytes a worker has beside the pixels
	leastWorkerMemory = 192 << 20 // bytes; libvips and Go start with about 100 MiB mapped
)

// workerCommand is what a worker process is called as, by its supervisor alone.
type workerCommand struct {
	Number int `arg:"" help:"For the list of processes."`
}

// workerSetup is what a worker has to know.
type workerSetup struct {
	Formats []resize.Format
	Fonts   []string
	Targets libvips.Targets
}

// Run renders until the supervisor goes.
func (workerCommand) Run(p *Program) error {
	return sandbox.Serve(sandbox.Worker{
		Start: func(setup []byte) (sandbox.Renderer, error) {
			var s workerSetup
			if err := json.Unmarshal(setup, &s); err != nil {
				return nil, err
			}
			engine, err := libvips.New(libvips.Config{
				FormatsIn: s.Formats, Fonts: s.Fonts, Targets: s.Targets,
				Log: func(message string) { _, _ = fmt.Fprintln(p.Stderr, message) }, // the supervisor logs it
			})
			if err != nil {
				return nil, err
			}
			touch(context.Background(), engine)
			return engine, nil
		},
		Readable: sandbox.FontPaths(),
		Rest:     libvips.TrimHeap,
	})
}

// openSandbox starts the worker processes.
func (n *Node) openSandbox() error {
	c, engine := n.Config, n.engineConfig()
	setup, err := json.Marshal(workerSetup{Formats: engine.FormatsIn, Fonts: engine.Fonts, Targets: engine.Targets})
	if err != nil {
		return err
	}
	memory := int64(c.Render.WorkerMemory)
	if memory == 0 {
		memory = int64(c.Limits.Memory) + workerSlack
	}
	s, err := sandbox.New(sandbox.Config{
		Command:      []string{"edge", "worker"},
		Env:          workerEnvironment(os.Environ()),
		Setup:        setup,
		Workers:      n.workers(),
		Memory:       memory,
		RecycleAfter: c.Render.RecycleAfter,
		Negative:     time.Duration(c.Cache.Negative),
		Lull:         time.Minute,
		Log:          n.logWorker,
	})
	if err != nil {
		return err
	}
	n.Sandbox, n.Engine = s, s
	n.undo(s.Close)
	for _, l := range s.Stats().Layers {
		if !l.On {
			n.Log.Warn("a wall around the workers is missing", "layer", l.Name, "cause", l.Note)
		}
	}
	return nil
}

// workerEnvironment is what a worker sees of the environment. glibc would give each of its threads an arena
// of its own and never take it back.
func workerEnvironment(environ []string) []string {
	return append([]string{"MALLOC_ARENA_MAX=2"}, sandbox.Environment(environ)...)
}

// logWorker logs what workers say and what becomes of them.
func (n *Node) logWorker(e sandbox.Event) {
	switch e.Reason {
	case "":
		n.logVips(e.Text)
	case sandbox.ReasonAge, sandbox.ReasonGrowth:
		n.Log.Info("a worker was replaced", "worker", e.Worker, "reason", string(e.Reason))
	default:
		n.Log.Warn("a worker was replaced", "worker", e.Worker, "reason", string(e.Reason), "cause", e.Text)
	}
}

// tinyAVIF is a picture of 16 × 16 px.
//
//go:embed touch.avif
var tinyAVIF []byte

// touch has everything opened that would be opened with the first picture that needs it, and could not be
// later: the resampler's compiled loops and libheif's plug-ins. Fonts may be read later too. Other codecs
// open nothing, and each one that is used here would cost every worker some megabytes. What does not work is
// left for the picture that needs it.
func touch(ctx context.Context, engine *libvips.Engine) {
	_, _ = engine.Probe(ctx, tinyAVIF) // as long as it was tried
	source, err := engine.Probe(ctx, testPicture())
	if err != nil {
		return
	}
	options := resize.Options{Width: 16, Format: resize.FormatJPEG}
	if plan, err := options.Normalize().Plan(source, resize.DefaultLimits()); err == nil {
		_, _ = engine.Run(ctx, testPicture(), plan)
	}
}
