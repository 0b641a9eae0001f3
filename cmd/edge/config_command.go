package main

import (
	"bytes"

	"github.com/goccy/go-yaml"
)

type configCommand struct {
	Check  configCheck  `cmd:"" help:"List everything that is wrong; exit 2 if anything is."`
	Show   configShow   `cmd:"" help:"Print what is in force, secrets hidden."`
	Schema configSchema `cmd:"" help:"Print the JSON Schema of the file."`
}

type configCheck struct{ configFlag }

// Run loads the configuration and says that it is good.
func (c *configCheck) Run(p *Program) error {
	cfg, err := c.load(p, Overrides{})
	if err != nil {
		return err
	}
	for _, name := range cfg.unknownVariables {
		p.printf("%s names no setting and is ignored\n", name)
	}
	for _, warning := range cfg.warnings {
		p.printf("warning: %s\n", warning)
	}
	p.printf("the configuration is good\n")
	return nil
}

type configShow struct{ configFlag }

// Run prints the configuration after file, environment and defaults.
func (c *configShow) Run(p *Program) error {
	cfg, err := c.load(p, Overrides{})
	if err != nil {
		return err
	}
	text, err := yaml.MarshalWithOptions(cfg, yaml.IndentSequence(true))
	if err != nil {
		return err
	}
	_, err = p.Stdout.Write(text)
	return err
}

type configSchema struct{}

// Run prints the schema.
func (c *configSchema) Run(p *Program) error {
	_, err := p.Stdout.Write(bytes.TrimRight(schemaJSON, "\n"))
	p.printf("\n")
	return err
}
