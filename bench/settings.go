package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/imgedge/imgedge/signing"
)

// Bounds of a run: load is never put on a server without end.
const (
	maxDuration = 10 * time.Minute
	maxClients  = 4096
)

// settings say what load to make.
type settings struct {
	base     *url.URL // scheme and host; the path is empty
	key      signing.Key
	signed   bool
	kid      string // name of the key in the URL; "" = not named
	template template
	clients  int
	duration time.Duration
	requests int64         // at most; 0 = no limit but the duration
	timeout  time.Duration // of one request
	accept   string        // header Accept; "" = not sent
	status   int           // what a good answer has
	seed     uint64        // of the random widths
	jsonFile string        // where the report goes as JSON too; "" = nowhere
}

// parseSettings reads the flags; every problem is reported at once.
func parseSettings(args []string, stderr io.Writer) (settings, error) {
	var s settings
	var base, secret, text, widths string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&base, "url", "", "server to load, such as http://127.0.0.1:8080")
	f.StringVar(&secret, "key", "", "secret in hex that signs the URLs; none = unsigned")
	f.StringVar(&s.kid, "kid", "", "name of the key, sent as kid=")
	f.StringVar(&text, "template", "", "request target, such as '/local/coast.jpg?w={w}&f=jpeg'")
	f.StringVar(&widths, "w", "", "values of {w}: a range 100-1000 or a list 320,640")
	f.IntVar(&s.clients, "clients", 64, "clients at once")
	f.DurationVar(&s.duration, "duration", 10*time.Second, "length of the run, at most 10m")
	f.Int64Var(&s.requests, "requests", 0, "stop after so many requests; 0 = only after the duration")
	f.DurationVar(&s.timeout, "timeout", 30*time.Second, "of one request")
	f.StringVar(&s.accept, "accept", "", "header Accept")
	f.IntVar(&s.status, "status", 200, "status that a good answer has")
	f.Uint64Var(&s.seed, "seed", 1, "of the random widths")
	f.StringVar(&s.jsonFile, "json", "", "file for the report as JSON")
	if err := f.Parse(args); err != nil {
		return settings{}, err
	}
	if f.NArg() > 0 {
		return settings{}, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return s, errors.Join(s.setBase(base), s.setKey(secret), s.setTemplate(text, widths), s.check())
}

func (s *settings) setBase(text string) error {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" {
		return fmt.Errorf("-url %q: want http://host:port or https://host", text)
	}
	s.base = &url.URL{Scheme: u.Scheme, Host: u.Host}
	return nil
}

func (s *settings) setKey(text string) error {
	if text == "" {
		return nil
	}
	secret, err := signing.ParseSecret(text)
	if err != nil {
		return fmt.Errorf("-key: %w", err)
	}
	s.key, s.signed = signing.Key{ID: s.kid, Secret: secret}, true
	return nil
}

func (s *settings) setTemplate(text, widths string) error {
	list, err := parseWidths(widths)
	if err != nil {
		return err
	}
	if s.template, err = parseTemplate(text, list); err != nil {
		return err
	}
	_, err = s.target(s.template.expand(0, list0(list)))
	return err
}

// list0 is the first width, or 0 where there is none.
func list0(list []int) int {
	if len(list) == 0 {
		return 0
	}
	return list[0]
}

func (s *settings) check() error {
	var problems []error
	if s.clients < 1 || s.clients > maxClients {
		problems = append(problems, fmt.Errorf("-clients %d: want 1–%d", s.clients, maxClients))
	}
	if s.duration <= 0 || s.duration > maxDuration {
		problems = append(problems, fmt.Errorf("-duration %v: want more than 0 and at most %v", s.duration, maxDuration))
	}
	if s.timeout <= 0 {
		problems = append(problems, fmt.Errorf("-timeout %v: want more than 0", s.timeout))
	}
	if s.requests < 0 {
		problems = append(problems, fmt.Errorf("-requests %d: want 0 or more", s.requests))
	}
	return errors.Join(problems...)
}
