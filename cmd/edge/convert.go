package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
)

type convertCommand struct {
	configFlag
	In      string `arg:"" help:"Picture to read."`
	Out     string `arg:"" help:"File to write; without f its extension says the format."`
	Options string `arg:"" optional:"" help:"Options as in a URL: 'w=300&f=webp'"`
}

// Run makes one picture with the server's own parts, so that the bytes are the server's.
func (c *convertCommand) Run(ctx context.Context, p *Program) error {
	cfg, err := c.load(p, Overrides{})
	if err != nil {
		return err
	}
	data, err := os.ReadFile(c.In)
	if err != nil {
		return err
	}
	options, err := c.options(cfg)
	if err != nil {
		return err
	}
	e, err := convert(ctx, cfg, data, options)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, e.Body, 0o644); err != nil { //nolint:gosec // a picture for whoever may read the folder
		return err
	}
	p.printf("%s: %s, %d bytes\n", c.Out, e.Type, len(e.Body))
	return nil
}

// options reads the options; a format that they do not name is that of the output's name.
func (c *convertCommand) options(cfg *Config) (resize.Options, error) {
	o, err := cfg.parseOptions(c.Options)
	if err != nil {
		return o, err
	}
	named := strings.HasPrefix(c.Options, "f=") || strings.Contains(c.Options, "&f=")
	extension := filepath.Ext(c.Out)
	if named || o.Format != resize.FormatAuto || extension == "" {
		return o, o.Validate()
	}
	format, ok := formatOf(extension)
	if !ok {
		return o, usageError(fmt.Sprintf("%s: %s is no format that can be written; name one with f=", c.Out, extension))
	}
	o.Format = format
	o = o.Normalize()
	return o, o.Validate()
}

// formatOf returns the format of pictures in files with an extension; false = there is none.
func formatOf(extension string) (resize.Format, bool) {
	name := strings.ToLower(strings.TrimPrefix(extension, "."))
	switch name {
	case "jpg":
		name = "jpeg"
	case "tif":
		name = "tiff"
	}
	f, ok := resize.ParseFormat(name)
	return f, ok && f.Raster()
}

// parseOptions reads options as the operator gives them: every preset and watermark, and pictures of
// every source laid over.
func (c *Config) parseOptions(text string) (resize.Options, error) {
	rules := dialect.Rules{
		Presets: c.Presets, Limits: c.limitsOf(&Source{}), Unsigned: true, Free: true,
		Watermarks: c.watermarks(), OverlaySources: c.sourceNames(),
	}
	o, err := dialect.ParseOptions(text, rules)
	if err != nil || o.Watermark.Image == "" {
		return o, err
	}
	request, err := dialect.Split("/any/any?" + text).Request(rules) // which knows watermarks by name
	return request.Options, err
}

// convert makes one picture of data.
func convert(ctx context.Context, cfg *Config, data []byte, o resize.Options) (*cache.Entry, error) {
	alone := *cfg
	alone.Redis = Redis{}
	alone.Render.Isolation = isolationNone // the operator's own picture, once
	if o.Watermark.Image == "" {
		alone.Sources = nil
	}
	alone.Cache.Memory, alone.Cache.Originals.Memory = 0, 0
	n := &Node{Config: &alone}
	if err := n.Open(); err != nil {
		return nil, err
	}
	defer func() { _ = n.Close() }() // nothing is kept that could be lost
	src := &pipeline.Source{Name: "convert", Origin: fileOrigin(data), Limits: alone.limitsOf(&Source{}), FormatsIn: alone.formatsIn()}
	o = o.Negotiate(resize.Offer{})
	e, _, err := n.Pipeline.Get(ctx, &pipeline.Request{Source: src, Options: o, Key: pipeline.KeyOf(src.Name, "", o)})
	if err != nil {
		return nil, err
	}
	if e.Status >= 400 {
		return nil, fmt.Errorf("%s: %s", e.Code, e.Detail)
	}
	return e, nil
}

// fileOrigin gives its bytes for every key.
type fileOrigin []byte

var _ pipeline.Fetcher = fileOrigin(nil)

// Fetch returns the bytes.
func (f fileOrigin) Fetch(context.Context, string, origin.Conditions) (*origin.Original, error) {
	return &origin.Original{Data: f, Meta: origin.Meta{MaxAge: -1}}, nil
}
