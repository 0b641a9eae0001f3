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
	_, target, err := splitURL(c.URL)
	if err != nil {
		return err
	}
	envelope := dialect.Split(target)
	source := cfg.Sources[envelope.Source]
	if source == nil {
		return fmt.Errorf("there is no source %q", envelope.Source)
	}
	say := func(name, format string, args ...any) {
		p.printf("%-11s "+format+"\n", append([]any{name + ":"}, args...)...)
	}
	say("dialect", "native")
	say("source", "%s", envelope.Source)
	rules := cfg.rules(source)
	if rules.Unsigned && envelope.Signature == "" {
		say("signature", "not needed")
	} else {
		rules.Unsigned = false
		say("signature", "%s", goodOr(verifyTarget(source.keyring(), target, time.Now())))
	}
	request, err := envelope.Request(rules)
	if err != nil {
		return err
	}
	options := request.Options
	if options.Format.Negotiated() {
		order := formats(source.Accept)
		if source.Accept == nil {
			order = []resize.Format{resize.FormatAVIF, resize.FormatWebP}
		}
		options = options.Negotiate(resize.ParseAccept(c.Accept, order))
	}
	key := pipeline.KeyOf(envelope.Source, request.Key, options)
	say("key", "%s", request.Key)
	say("options", "%s", options.String())
	say("cache key", "%s", hex.EncodeToString(key.Variant[:]))
	return explainPicture(ctx, cfg, envelope.Source, &pipeline.Request{Object: request.Key, Options: options, Key: key}, say)
}

// explainPicture asks the origin and Redis.
func explainPicture(ctx context.Context, cfg *Config, source string, r *pipeline.Request, say func(name, format string, args ...any)) error {
	n := &Node{Config: cfg}
	if err := n.Open(); err != nil {
		return err
	}
	defer func() { _ = n.Close() }() // nothing was stored
	r.Source = n.Sources[source].served
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

func goodOr(err error) string {
	if err != nil {
		return err.Error()
	}
	return "good"
}
