package main

import (
	"context"
	"net/http"

	"github.com/imgedge/imgedge/jobs"
)

type warmCommand struct {
	remoteFlags
	URLs    []string `arg:"" optional:"" name:"url" help:"URLs or targets, signed as for a browser."`
	Source  string   `help:"Source of the originals."`
	Keys    []string `name:"key" sep:"none" help:"Original of --source."`
	Prefix  string   `help:"All originals of --source that begin so."`
	Presets []string `name:"preset" help:"Preset to make of each original."`
	Outputs []string `short:"o" name:"output" sep:"none" help:"Options to make of each original, as in a URL."`
	Wait    bool     `help:"Show the progress until the end."`
}

// warmRequest is the body of POST /v1/warm.
type warmRequest struct {
	URLs    []string `json:"urls,omitempty"`
	Source  string   `json:"source,omitempty"`
	Keys    []string `json:"keys,omitempty"`
	Prefix  string   `json:"prefix,omitempty"`
	Presets []string `json:"presets,omitempty"`
	Outputs []string `json:"outputs,omitempty"`
}

// Run has pictures made before somebody asks for them.
func (c *warmCommand) Run(ctx context.Context, p *Program) error {
	if len(c.URLs) > 0 == (c.Source != "") {
		return usageError("say what to make: URLs, or --source with --key or --prefix, and --preset or --output")
	}
	r, err := c.open(p)
	if err != nil {
		return err
	}
	order := warmRequest{URLs: c.URLs, Source: c.Source, Keys: c.Keys, Prefix: c.Prefix, Presets: c.Presets, Outputs: c.Outputs}
	var j jobs.Job
	if err := call(ctx, r, http.MethodPost, "/v1/warm", &order, &j); err != nil {
		return err
	}
	p.printf("%s\n", j.ID)
	if !c.Wait {
		return nil
	}
	return r.follow(ctx, p, j.ID)
}
