package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/dialect"
)

const purgeTimeout = 10 * time.Second

type purgeCommand struct {
	configFlag
	URLs      []string `arg:"" optional:"" name:"url" help:"URLs or targets; every variant of the pictures they name goes."`
	Source    string   `help:"A whole source, or with --key one picture of it."`
	Key       string   `help:"Key of a picture of --source."`
	Tag       string   `help:"Every picture that carries the tag."`
	All       bool     `help:"Everything."`
	Server    string   `placeholder:"URL" help:"Running server to ask (default: the configuration's admin address)."`
	TokenFile string   `placeholder:"FILE" help:"File with the token for --server (default: one of the configuration's)."`
	Direct    bool     `help:"Write to the configuration's Redis without asking a server."`
}

// purgeBody is the body of POST /v1/purge.
type purgeBody struct {
	URLs   []string `json:"urls,omitempty"`
	Source string   `json:"source,omitempty"`
	Key    string   `json:"key,omitempty"`
	Tag    string   `json:"tag,omitempty"`
	All    bool     `json:"all,omitempty"`
}

// Run purges through a running server, or straight in Redis.
func (c *purgeCommand) Run(ctx context.Context, p *Program) error {
	forms := 0
	for _, given := range []bool{len(c.URLs) > 0, c.Source != "", c.Tag != "", c.All} {
		if given {
			forms++
		}
	}
	if forms != 1 || c.Key != "" && c.Source == "" {
		return usageError("say what to purge: URLs, --source (with --key), --tag or --all")
	}
	cfg, err := c.load(p, Overrides{})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, purgeTimeout)
	defer cancel()
	purge := c.ask
	if c.Direct {
		purge = c.write
	}
	n, err := purge(ctx, cfg)
	if err != nil {
		return err
	}
	p.printf("purged: %d\n", n)
	return nil
}

// ask posts to a running server.
func (c *purgeCommand) ask(ctx context.Context, cfg *Config) (int, error) {
	token, err := c.token(cfg)
	if err != nil {
		return 0, err
	}
	server := c.Server
	if server == "" {
		if server, err = cfg.adminBase(); err != nil {
			return 0, err
		}
	}
	body, err := json.Marshal(purgeBody{URLs: c.URLs, Source: c.Source, Key: c.Key, Tag: c.Tag, All: c.All})
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(server, "/")+"/v1/purge", bytes.NewReader(body))
	if err != nil {
		return 0, usageError("--server: " + err.Error())
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("%w\nis the server running? --server says where, --direct purges in Redis without it", err)
	}
	defer func() { _ = response.Body.Close() }() // read to its end below
	return readPurged(response)
}

// readPurged reads the count of a good answer, or the text of a problem.
func readPurged(response *http.Response) (int, error) {
	var answer struct {
		Purged int    `json:"purged"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return 0, fmt.Errorf("the server answered %s with no JSON", response.Status)
	}
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("the server answered %s: %s %s", response.Status, answer.Title, answer.Detail)
	}
	return answer.Purged, nil
}

// token is that of the file, else of the configuration; "" = none, which loopback does not ask for.
func (c *purgeCommand) token(cfg *Config) (string, error) {
	if c.TokenFile != "" {
		text, err := os.ReadFile(c.TokenFile)
		return strings.TrimSpace(string(text)), err
	}
	for _, scope := range []string{"admin", "purge"} {
		for _, t := range cfg.Tokens {
			if slices.Contains(t.Scopes, scope) {
				return string(t.Secret), nil
			}
		}
	}
	return "", nil
}

// adminBase returns the URL of the admin listener as this machine reaches it.
func (c *Config) adminBase() (string, error) {
	if c.Admin.Listen == "" {
		return "", usageError("the configuration has no admin listener; say --server or --direct")
	}
	return addressBase(c.Admin.Listen), nil
}

// addressBase returns the URL of a configured address as this machine reaches it.
func addressBase(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// write purges in Redis; every node takes note of it within a second.
func (c *purgeCommand) write(ctx context.Context, cfg *Config) (n int, err error) {
	if cfg.Redis.URL == "" {
		return 0, usageError("--direct: the configuration has no Redis")
	}
	client, err := cache.OpenRedis(string(cfg.Redis.URL))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	fleet := cache.NewFleet(client, purgeTimeout/2)
	defer func() { err = errors.Join(err, fleet.Close()) }()
	generations := cache.NewGenerations(fleet)
	defer func() { err = errors.Join(err, generations.Close()) }()
	purges, err := c.purges(cfg)
	if err != nil {
		return 0, err
	}
	for _, purge := range purges {
		if _, err := generations.Purge(ctx, purge); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// purges lists what is to be forgotten, URLs as the pictures they name.
func (c *purgeCommand) purges(cfg *Config) ([]cache.Purge, error) {
	if len(c.URLs) == 0 {
		return []cache.Purge{{All: c.All, Source: c.Source, Object: c.Key, Tag: c.Tag}}, nil
	}
	all := make([]cache.Purge, 0, len(c.URLs))
	for _, u := range c.URLs {
		purge, err := cfg.purgeOf(u)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", u, err)
		}
		all = append(all, purge)
	}
	return all, nil
}

// purgeOf names the picture of a URL in any dialect; what is asked of it does not matter.
func (c *Config) purgeOf(url string) (cache.Purge, error) {
	base, target, err := splitURL(url)
	if err != nil {
		return cache.Purge{}, err
	}
	if m, _ := c.mountOf(base, target); m != nil {
		found, err := c.inspect(base, target, time.Now())
		if err == nil {
			err = found.err
		}
		return cache.Purge{Source: found.request.Source, Object: found.request.Key}, err
	}
	path, _, _ := strings.Cut(target, "?")
	envelope := dialect.Split(path)
	if c.Sources[envelope.Source] == nil {
		return cache.Purge{}, fmt.Errorf("there is no source %q", envelope.Source)
	}
	request, err := envelope.Request(dialect.Rules{OpenHTTP: c.rules(envelope.Source).OpenHTTP})
	return cache.Purge{Source: envelope.Source, Object: request.Key}, err
}
