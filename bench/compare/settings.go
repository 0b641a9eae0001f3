package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/imgedge/imgedge/bench/load"
	"github.com/imgedge/imgedge/bench/measure"
)

// maxRounds bounds the length of a comparison.
const maxRounds = 100

// settings say what to compare.
type settings struct {
	phase    load.Phase // of each turn
	rounds   int
	warmup   time.Duration // of each server, before the first round; 0 = none
	jsonFile string        // "" = not written
	common   measure.Spec  // what was given before the first server
	servers  []server
}

// server is one of those compared.
type server struct {
	name string
	measure.Spec
}

// parseSettings reads the flags; every problem is reported at once.
func parseSettings(args []string, stderr io.Writer) (settings, error) {
	s := settings{common: measure.Spec{Status: 200, Timeout: 30 * time.Second, Seed: 1}}
	f := flag.NewFlagSet("compare", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Func("server", "name of a server; the flags behind it are about that one", func(name string) error {
		spec := s.common
		spec.Run = strconv.FormatInt(time.Now().UnixNano(), 36)
		spec.Templates, spec.Values = append([]string{}, spec.Templates...), append([]string{}, spec.Values...)
		s.servers = append(s.servers, server{name, spec})
		return nil
	})
	s.serverFlags(f)
	f.IntVar(&s.phase.Clients, "clients", 8, "clients at once")
	f.Float64Var(&s.phase.Rate, "rate", 0, "arrivals a second of an open loop; 0 = closed loop")
	f.DurationVar(&s.phase.Duration, "duration", 5*time.Second, "length of each server's turn")
	f.Int64Var(&s.phase.Requests, "requests", 0, "end a turn after so many requests; 0 = only after -duration")
	f.Float64Var(&s.phase.CheckShare, "check", 0.05, "share of the answers that are checked, 0–1")
	f.IntVar(&s.rounds, "rounds", 5, "turns of each server")
	f.DurationVar(&s.warmup, "warmup", time.Second, "load on each server before the first round")
	f.StringVar(&s.jsonFile, "json", "", "file for all figures as JSON")
	if err := f.Parse(args); err != nil {
		return settings{}, err
	}
	if f.NArg() > 0 {
		return settings{}, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return s, s.check()
}

// serverFlags are about one server, or all when none has been named yet.
func (s *settings) serverFlags(f *flag.FlagSet) {
	spec := func() *measure.Spec {
		if len(s.servers) == 0 {
			return &s.common
		}
		return &s.servers[len(s.servers)-1].Spec
	}
	text := func(name, usage string, set func(*measure.Spec, string) error) {
		f.Func(name, usage, func(value string) error { return set(spec(), value) })
	}
	text("url", "server to load, such as http://127.0.0.1:8080", func(p *measure.Spec, v string) error { p.URL = v; return nil })
	text("key", "secret in hex that signs the URLs; none = unsigned", func(p *measure.Spec, v string) error { p.Key = v; return nil })
	text("kid", "name of the key, sent as kid=", func(p *measure.Spec, v string) error { p.KeyID = v; return nil })
	text("template", "request target with weight, such as '/local/coast.jpg?w={w}'; may be repeated", func(p *measure.Spec, v string) error { p.Templates = append(p.Templates, v); return nil })
	text("set", "values of a place with weights, such as 'w=320,640'; may be repeated", func(p *measure.Spec, v string) error { p.Values = append(p.Values, v); return nil })
	text("accept", "header Accept", func(p *measure.Spec, v string) error { p.Accepts = []string{v}; return nil })
	text("size", "size every picture has to have, such as 300x200 or '{w}x'", func(p *measure.Spec, v string) error { p.Size = v; return nil })
	text("format", "format every picture has to have", func(p *measure.Spec, v string) error { p.Format = v; return nil })
	text("pid", "processes of the server, such as 4711,4712; their children count with them", func(p *measure.Spec, v string) (err error) {
		p.PIDs, err = measure.ParsePIDs(v)
		return err
	})
	text("timeout", "of one request (default 30s)", func(p *measure.Spec, v string) (err error) {
		p.Timeout, err = time.ParseDuration(v)
		return err
	})
	text("population", "how many values {i} has", func(p *measure.Spec, v string) (err error) {
		p.Population, err = strconv.Atoi(v)
		return err
	})
	text("zipf", "exponent of the popularity of {i}", func(p *measure.Spec, v string) (err error) {
		p.Zipf, err = strconv.ParseFloat(v, 64)
		return err
	})
}

func (s *settings) check() error {
	problems := []error{measure.CheckPhase(s.phase)}
	if len(s.servers) < 2 {
		problems = append(problems, errors.New("want two servers or more, each after its own -server"))
	}
	if s.rounds < 1 || s.rounds > maxRounds {
		problems = append(problems, fmt.Errorf("-rounds %d: want 1–%d", s.rounds, maxRounds))
	}
	if s.warmup < 0 || s.warmup > measure.MaxDuration {
		problems = append(problems, fmt.Errorf("-warmup %v: want at most %v", s.warmup, measure.MaxDuration))
	}
	for _, server := range s.servers {
		if server.Population < 0 || server.Population > 1<<20 || server.Zipf < 0 || server.Timeout <= 0 {
			problems = append(problems, fmt.Errorf("%s: -population, -zipf or -timeout out of range", server.name))
		}
	}
	return errors.Join(problems...)
}
