package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/resize"
)

// Ingest takes uploads into the bucket of a source.
type Ingest struct {
	Source      string   `yaml:"source" env:"SOURCE"`       // "" = uploads are off
	Prefix      string   `yaml:"prefix" env:"PREFIX"`       // of images/, manifests/ and uploads/ in the bucket; the source's own is this and images/
	Presets     []string `yaml:"presets" env:"PRESETS"`     // made of each new image in the background
	Normalize   string   `yaml:"normalize" env:"NORMALIZE"` // options that each still is encoded anew with; "" = stored as it came, cleaned
	Archive     string   `yaml:"archive" env:"ARCHIVE"`     // source that keeps what was sent, untouched; "" = nobody does
	MaxFiles    int      `yaml:"max_files" env:"MAX_FILES"` // of one upload
	MaxFile     Size     `yaml:"max_file" env:"MAX_FILE"`
	Sweep       string   `yaml:"sweep" env:"SWEEP"` // off, report, delete
	OrphanGrace Duration `yaml:"orphan_grace" env:"ORPHAN_GRACE"`
	SweepEvery  Duration `yaml:"sweep_every" env:"SWEEP_EVERY"`
}

// What ingest.sweep may be.
const (
	sweepOff    = "off"
	sweepReport = "report"
	sweepDelete = "delete"
)

const imagesFolder = "images/"

func defaultIngest() Ingest {
	return Ingest{Presets: []string{}, MaxFiles: 50, MaxFile: 50 << 20, Sweep: sweepOff, OrphanGrace: Duration(24 * time.Hour), SweepEvery: Duration(24 * time.Hour)}
}

func (c *Config) validateIngest(r *report) {
	i := &c.Ingest
	within(r, "ingest.max_files", i.MaxFiles, 1, 1000)
	positive(r, "ingest.max_file", int64(i.MaxFile))
	oneOf(r, "ingest.sweep", i.Sweep, sweepOff, sweepReport, sweepDelete)
	positive(r, "ingest.orphan_grace", int64(i.OrphanGrace))
	positive(r, "ingest.sweep_every", int64(i.SweepEvery))
	if i.Source == "" {
		return
	}
	if strings.HasPrefix(i.Prefix, "/") || i.Prefix != "" && !strings.HasSuffix(i.Prefix, "/") {
		r.add("ingest.prefix", fmt.Sprintf("%q is no prefix; write uploads/ or nothing", i.Prefix))
	}
	c.validateIngestSource(r)
	for at, name := range i.Presets {
		path := fmt.Sprintf("ingest.presets[%d]", at)
		if _, ok := c.Presets[name]; !ok {
			r.add(path, fmt.Sprintf("there is no preset %q", name))
		} else if s := c.Sources[i.Source]; s != nil && s.Presets != nil && !slices.Contains(s.Presets, name) {
			r.add(path, fmt.Sprintf("source %q does not allow the preset %q", i.Source, name))
		}
	}
	if i.Normalize != "" {
		if _, err := parseNormalize(i.Normalize); err != nil {
			r.add("ingest.normalize", err.Error())
		}
	}
}

// validateIngestSource checks where uploads go to.
func (c *Config) validateIngestSource(r *report) {
	i := &c.Ingest
	s := c.Sources[i.Source]
	switch {
	case s == nil:
		r.add("ingest.source", fmt.Sprintf("there is no source %q", i.Source))
		return
	case s.Bucket == nil:
		r.add("ingest.source", fmt.Sprintf("%q is no bucket; uploads are kept in one", i.Source))
		return
	case s.Bucket.Prefix != i.Prefix+imagesFolder:
		r.add("ingest.source", fmt.Sprintf("sources.%s.bucket.prefix has to be %q, where uploads put their images", i.Source, i.Prefix+imagesFolder))
	}
	if i.Archive == "" {
		return
	}
	a := c.Sources[i.Archive]
	switch {
	case a == nil:
		r.add("ingest.archive", fmt.Sprintf("there is no source %q", i.Archive))
	case a.Bucket == nil:
		r.add("ingest.archive", fmt.Sprintf("%q is no bucket", i.Archive))
	case a.Bucket.Endpoint == s.Bucket.Endpoint && a.Bucket.Name == s.Bucket.Name &&
		(strings.HasPrefix(i.Prefix+imagesFolder, a.Bucket.Prefix) || strings.HasPrefix(a.Bucket.Prefix, i.Prefix+imagesFolder)):
		r.add("ingest.archive", fmt.Sprintf("%q lies in the same place as the images; give it a prefix of its own", i.Archive))
	}
}

// parseNormalize reads the options that stills are encoded anew with.
func parseNormalize(text string) (resize.Options, error) {
	if err := dialect.ValidatePreset(text); err != nil {
		return resize.Options{}, err
	}
	o, err := resize.Parse(text)
	if err != nil {
		return resize.Options{}, err
	}
	if !o.Format.Raster() && o.Format != resize.FormatKeep {
		return resize.Options{}, resize.BadOption("f: name a picture format, as in f=jpeg&q=90&w=4096, or f=keep")
	}
	return o, nil
}

// presetVariants returns what a preset of the source gives to clients that make one of the offers: one picture
// where its format is not negotiated.
func (c *Config) presetVariants(source, preset string, offers ...resize.Offer) ([]resize.Options, error) {
	o, err := c.presetOptions(source, preset)
	if err != nil {
		return nil, err
	}
	if !o.Format.Negotiated() {
		offers = []resize.Offer{{}}
	}
	all := make([]resize.Options, len(offers))
	for i, offer := range offers {
		all[i] = o.Negotiate(offer)
	}
	return all, nil
}

// negotiationOrder lists the formats that clients are offered beyond what all of them take.
func (s *Source) negotiationOrder() []resize.Format {
	if s.Accept == nil {
		return []resize.Format{resize.FormatAVIF, resize.FormatWebP}
	}
	return formats(s.Accept)
}

// presetOptions returns what a URL of the source asks for that names a preset and nothing else.
func (c *Config) presetOptions(source, preset string) (resize.Options, error) {
	rules := c.rules(source)
	rules.Unsigned = false
	request, err := dialect.Split(dialect.Target(source, "image.jpg", "p="+preset)).Request(rules)
	return request.Options, err
}
