package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
)

// remoteFlags say which running server a command asks.
type remoteFlags struct {
	configFlag
	Server    string `placeholder:"URL" help:"Running server to ask (default: the configuration's admin address)."`
	TokenFile string `placeholder:"FILE" help:"File with the token for --server (default: one of the configuration's)."`
}

// remote is a running server.
type remote struct {
	base  string // without a slash at the end
	token string // "" = none, which loopback does not ask for
}

// open reads the configuration for a server and a token of scope jobs, where the flags do not say.
func (f *remoteFlags) open(p *Program) (*remote, error) {
	r := &remote{base: strings.TrimRight(f.Server, "/")}
	if f.TokenFile != "" {
		text, err := os.ReadFile(f.TokenFile)
		if err != nil {
			return nil, err
		}
		r.token = strings.TrimSpace(string(text))
	}
	if r.base != "" && r.token != "" {
		return r, nil
	}
	cfg, err := f.load(p, Overrides{})
	if err != nil {
		return nil, err
	}
	if r.base == "" {
		if r.base, err = cfg.adminBase(); err != nil {
			return nil, err
		}
	}
	if r.token == "" {
		r.token = cfg.tokenFor("jobs")
	}
	return r, nil
}

// tokenFor returns the secret of a token of the scope, else of one that may do all; "" = there is none.
func (c *Config) tokenFor(scope string) string {
	for _, wanted := range []string{scope, "admin"} {
		for _, t := range c.Tokens {
			if slices.Contains(t.Scopes, wanted) {
				return string(t.Secret)
			}
		}
	}
	return ""
}

// send makes a call. A status of 300 or more is an error that says what the server said; the body of any
// other answer is the caller's to close.
func (r *remote) send(ctx context.Context, method, path, contentType string, body io.Reader, header ...string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, body)
	if err != nil {
		return nil, usageError("--server: " + err.Error())
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w\nis the server running? --server says where", err)
	}
	if resp.StatusCode < http.StatusMultipleChoices {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }() // an error is made of it
	var problem struct{ Title, Detail string }
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // what came of it is enough
	if err := json.Unmarshal(text, &problem); err != nil {
		return nil, fmt.Errorf("the server answered %s", resp.Status)
	}
	return nil, fmt.Errorf("the server answered %d: %s", resp.StatusCode, problem.Detail)
}

// call sends a JSON body, nil = none, and reads a JSON answer into v.
func call[In, Out any](ctx context.Context, r *remote, method, path string, in *In, v *Out) error {
	var body io.Reader
	contentType := ""
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body, contentType = bytes.NewReader(data), "application/json"
	}
	resp, err := r.send(ctx, method, path, contentType, body)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end
	return read(resp, v)
}

// read reads a JSON answer.
func read[Out any](resp *http.Response, v *Out) error {
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		return fmt.Errorf("the server answered %s with no JSON", resp.Status)
	}
	return nil
}
