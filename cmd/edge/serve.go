package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type serveCommand struct {
	configFlag
	Dir    string `placeholder:"FOLDER" help:"Serve this folder too, as source local."`
	Listen string `placeholder:"ADDR" help:"Public address; port 0 picks one (default :8080)."`
	Admin  string `placeholder:"ADDR" help:"Admin address (default 127.0.0.1:8081)."`
	Redis  string `placeholder:"URL" help:"The fleet's Redis."`
	Roles  string `placeholder:"LIST" help:"What this node does: edge (pictures), api (/v1), worker (jobs), comma-separated (default all)."`
	Key    string `placeholder:"HEX" help:"Signing key of the source local: 16 to 64 bytes in hex (default: one for this run)."`
}

// Run serves until SIGTERM or SIGINT.
func (c *serveCommand) Run(ctx context.Context, p *Program) error {
	flags := Overrides{Dir: c.Dir, Listen: c.Listen, Admin: c.Admin, Redis: c.Redis, Key: c.Key, Roles: c.Roles}
	made := c.Dir != "" && c.Key == ""
	if made {
		flags.Key = randomKey()
	}
	load := func() (*Config, error) { return c.configuration(p, flags) }
	cfg, err := load()
	if err != nil {
		return err
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	signals := make(chan os.Signal, 2) // the one that ends it and the one that hurries it
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)

	log := newLogger(p.Stdout, cfg.Log)
	catchLog(log)
	if err := sealMemory(); err != nil {
		log.Warn("a core dump of this process could show secrets", "cause", err)
	}
	if limit := limitMemory(cfg, p.getenv("GOMEMLIMIT")); limit > 0 {
		log.Info("memory limit of the Go heap", "bytes", limit)
	}
	defer startGivingBack(ctx)()
	for _, name := range cfg.unknownVariables {
		log.Warn("a variable names no setting and is ignored", "variable", name)
	}
	for _, warning := range cfg.warnings {
		log.Warn("the configuration works and should be otherwise", "problem", warning)
	}
	s, err := StartService(ctx, cfg, log)
	if err != nil {
		return err
	}
	c.announce(p, s, made)
	reloader := NewReloader(s.Node, load)
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case err := <-s.Ended():
			return fmt.Errorf("serve: %w", err)
		case <-hangups:
			reloader.Reload("SIGHUP")
		case <-look.C:
			reloader.Look()
		case by := <-signals:
			log.Info("leaving", "signal", by.String())
			return s.Leave(ctx, by, signals)
		case <-ctx.Done():
			return s.Stop(context.WithoutCancel(ctx))
		}
	}
}

// configuration reads what is to be served.
func (c *serveCommand) configuration(p *Program, flags Overrides) (*Config, error) {
	cfg, err := c.load(p, flags)
	if err == nil && len(cfg.Sources) == 0 {
		err = usageError("there is nothing to serve: name a folder with --dir, or a configuration with sources")
	}
	return cfg, err
}

// announce tells the operator where to look, on stderr, so that a log in JSON stays JSON.
func (c *serveCommand) announce(p *Program, s *Service, made bool) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(p.Stderr, format+"\n", args...) }
	base := localBase(s.Public.Addr())
	say("edge: serving on %s", base)
	if s.Admin != nil {
		say("edge: admin on %s (/metrics, /debug/pprof/, /v1)", localBase(s.Admin.Addr()))
	}
	if made {
		say("edge: source local is signed with a key made for this run; URLs end with it. Give --key to keep them")
	}
	if !s.Node.Config.plays(roleEdge) {
		return
	}
	for _, name := range s.Node.Config.sourceNames() {
		target, err := s.Node.Config.exampleTarget(name)
		if err != nil {
			continue // an example is only a help
		}
		say("edge: %s, for example: %s%s", name, base, target)
	}
	for i := range s.Node.Config.Dialects {
		m := &s.Node.Config.Dialects[i]
		from := base
		if m.Host != "" {
			from = "host " + m.Host
		}
		say("edge: URLs of %s on %s%s", m.name(), from, m.Prefix)
	}
}

// randomKey returns the hex text of 32 random bytes.
func randomKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, as its documentation says
	return hex.EncodeToString(key)
}
