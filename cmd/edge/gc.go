package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/imgedge/imgedge/ingest"
)

const (
	resumeSince = 24 * time.Hour   // how far a starting node looks back for presets that nobody made
	resumeEvery = 10 * time.Minute // and how often later, for those of nodes that ended
)

type gcCommand struct {
	configFlag
	DryRun bool          `help:"Only say what would be removed."`
	Grace  time.Duration `default:"-1s" placeholder:"1h" help:"Age from which on an orphan is removed (default: ingest.orphan_grace). Less than an upload takes, 15m at most: only while there are none."`
	Rate   float64       `default:"50" help:"Deletions a second."`
}

// Run sweeps the bucket of uploads.
func (c *gcCommand) Run(ctx context.Context, p *Program) error {
	cfg, err := c.load(p, Overrides{})
	if err != nil {
		return err
	}
	if cfg.Ingest.Source == "" {
		return usageError("ingest.source is not configured: there are no uploads to sweep")
	}
	store, closer, err := newIngest(cfg)
	if err != nil {
		return err
	}
	defer func() { _ = closer() }() // only idle connections
	sweep := ingest.Sweep{Delete: !c.DryRun, Rate: c.Rate, Each: func(f ingest.Finding) { p.printf("%s\n", wordFinding(f, c.DryRun)) }}
	switch {
	case c.Grace == 0:
		sweep.Grace = -1 // none is too young
	case c.Grace > 0:
		sweep.Grace = c.Grace
	}
	report, err := store.Sweep(ctx, sweep)
	p.printf("%s\n", wordReport(report))
	return err
}

// wordFinding is the line about one object.
func wordFinding(f ingest.Finding, dry bool) string {
	what := string(f.Kind)
	if f.Remove {
		what = "removed"
		if dry {
			what = "would remove"
		}
	}
	return fmt.Sprintf("%-12s %10d  %8s  %q", what, f.Size, f.Age.Truncate(time.Second), f.Key)
}

func wordReport(r ingest.Report) string {
	return fmt.Sprintf("seen %d, images %d, orphans %d (%d bytes), removed %d, too young %d, foreign %d, broken %d, manifests rebuilt %d",
		r.Seen, r.Images, r.Orphans, r.Bytes, r.Removed, r.Young, r.Foreign, r.Broken, r.Rebuilt)
}

// keepSwept runs the sweep, as ingest.sweep says, and takes up presets that nobody makes, until the node
// closes. One node of the fleet has the turn each time.
func (n *Node) keepSwept() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	n.undo(func() error { stop(); <-done; return nil })
	i := &n.Config.Ingest
	go func() {
		defer close(done)
		n.resumePresets(ctx, resumeSince)
		resume := time.NewTicker(resumeEvery)
		defer resume.Stop()
		// Nodes look more often than they sweep, each at its own time: the one with the turn may have ended.
		every := time.Duration(i.SweepEvery)
		sweep := time.NewTicker(max(time.Millisecond, every/10+time.Duration(rand.Int64N(int64(every)/50+1)))) //nolint:gosec // only so that nodes differ
		defer sweep.Stop()
		last := time.Now()
		for {
			select {
			case <-ctx.Done():
				return
			case <-resume.C:
				if n.Fleet.Turn(ctx, "presets", resumeEvery/2) {
					n.resumePresets(ctx, time.Hour)
				}
			case now := <-sweep.C:
				if i.Sweep != sweepOff && now.Sub(last) >= every && n.Fleet.Turn(ctx, "sweep", every*9/10) {
					last = now
					n.sweep(ctx)
				}
			}
		}
	}()
}

// sweep sweeps once and logs what it found.
func (n *Node) sweep(ctx context.Context) {
	report, err := n.Ingest.Sweep(ctx, ingest.Sweep{Delete: n.Config.Ingest.Sweep == sweepDelete, Each: func(f ingest.Finding) {
		if f.Kind != ingest.KindForeign && f.Kind != ingest.KindYoung {
			n.Log.Info("sweep", "kind", string(f.Kind), "key", f.Key, "bytes", f.Size, "age", f.Age.String(), "delete", n.Config.Ingest.Sweep == sweepDelete)
		}
	}})
	if err != nil {
		if ctx.Err() == nil {
			n.Log.Warn("the sweep ended early", "cause", err, "report", wordReport(report))
			n.Fleet.GiveBack(ctx, "sweep")
		}
		return
	}
	n.Log.Info("the bucket is swept", "report", wordReport(report))
}

func (n *Node) resumePresets(ctx context.Context, since time.Duration) {
	taken, err := n.Ingest.Resume(ctx, time.Now().Add(-since))
	switch {
	case err != nil && ctx.Err() == nil:
		n.Log.Warn("presets of recent uploads could not be looked at", "cause", err)
	case taken > 0:
		n.Log.Info("presets of recent uploads are taken up", "images", taken)
	}
}
