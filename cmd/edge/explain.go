package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
)

type explainCommand struct {
	configFlag
	Dir    string `placeholder:"FOLDER" help:"Folder of the source local, as given to serve."`
	Key    string `placeholder:"HEX" help:"Key of the source local, as given to serve."`
	Accept string `placeholder:"TYPES" help:"Accept header of the client, as in 'image/avif,image/webp'."`
	URL    string `arg:"" help:"URL or request target."`
}

// Run says what the server would do with the URL. A signature that does not match does not end it.
func (c *explainCommand) Run(ctx context.Context, p *Program) error {
	cfg, err := c.load(p, Overrides{Dir: c.Dir, Key: c.Key})
	if err != nil {
		return err
	}
	base, target, err := splitURL(c.URL)
	if err != nil {
		return err
	}
	found, err := cfg.inspect(base, target, time.Now())
	if err != nil {
		return err
	}
	say := func(name, format string, args ...any) {
		p.printf("%-11s "+format+"\n", append([]any{name + ":"}, args...)...)
	}
	say("dialect", "%s", found.dialect)
	if found.request.Source != "" {
		say("source", "%s", found.request.Source)
	}
	say("signature", "%s", found.signature)
	if found.err != nil {
		return found.err
	}
	if found.request.Expires != 0 {
		say("expires", "%s", time.Unix(found.request.Expires, 0).UTC().Format(time.RFC3339))
	}
	return explainPicture(ctx, cfg, found.request, c.Accept, say)
}

// explainPicture says what is asked of which picture, and asks the origin and Redis for it.
func explainPicture(ctx context.Context, cfg *Config, request dialect.Request, accept string, say func(name, format string, args ...any)) error {
	n := &Node{Config: cfg}
	if err := n.Open(); err != nil {
		return err
	}
	defer func() { _ = n.Close() }() // nothing was stored
	source := n.source(request.Source)
	if source == nil {
		return fmt.Errorf("there is no source %q", request.Source)
	}
	r := pipeline.NewRequest(source.served, request.Key, negotiate(request.Options, source.config, accept))
	if request.Limits != (resize.Limits{}) || request.SourceBytes != 0 {
		r = r.Within(request.Limits, request.SourceBytes)
	}
	say("key", "%s", request.Key)
	say("options", "%s", r.Options.String())
	say("cache key", "%s", hex.EncodeToString(r.Key.Variant[:]))
	if n.Client != nil {
		found := "nowhere; it would be made"
		if n.Pipeline.Where(ctx, r) == pipeline.TierRedis {
			found = "redis"
		}
		say("found", "%s", found)
	}
	plan, err := n.Pipeline.Plan(ctx, r)
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	say("original", "%s %d × %d, %d bytes", plan.Source.Format, plan.Source.Width, plan.Source.Height, plan.Source.Bytes)
	say("result", "%s %d × %d, quality %d", plan.Format, plan.Width, plan.Height, plan.Quality)
	say("memory", "%d MiB estimated", (plan.Memory+(1<<20)-1)>>20)
	return nil
}

// negotiate decides what the client's Accept decides.
func negotiate(o resize.Options, s *Source, accept string) resize.Options {
	if !o.Format.Negotiated() {
		return o
	}
	order := formats(s.Accept)
	if s.Accept == nil {
		order = []resize.Format{resize.FormatAVIF, resize.FormatWebP}
	}
	return o.Negotiate(resize.ParseAccept(accept, order))
}

func goodOr(err error) string {
	if err != nil {
		return err.Error()
	}
	return "good"
}
