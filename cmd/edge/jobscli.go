package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/imgedge/imgedge/jobs"
)

// jobsCommand are the jobs of a running server.
type jobsCommand struct {
	Submit   submitCommand   `cmd:"" help:"Make the same outputs of many pictures."`
	Watch    watchCommand    `cmd:"" help:"Show a job until it ends."`
	List     listCommand     `cmd:"" help:"List jobs, newest first."`
	Cancel   cancelCommand   `cmd:"" help:"End a job; what is done stays."`
	Retry    retryCommand    `cmd:"" help:"Run the failed items of a job again."`
	Download downloadCommand `cmd:"" help:"Fetch the ZIP of a job."`
}

type submitCommand struct {
	remoteFlags
	Files    []string `arg:"" optional:"" name:"file" type:"existingfile" help:"Pictures to send."`
	Outputs  []string `short:"o" name:"output" sep:"none" help:"Options of an output, as in a URL; several make several."`
	Source   string   `help:"Source whose rules hold, and where keys are found."`
	Keys     []string `name:"key" sep:"none" help:"Original at the source, instead of files."`
	Prefix   string   `help:"All originals of the source that begin so, instead of files."`
	Webhook  string   `placeholder:"URL" help:"Told of the end."`
	Kind     string   `default:"json" enum:"json,slack,discord" help:"What the webhook takes: json, slack, discord."`
	Wait     bool     `help:"Show the job until it ends."`
	Download string   `placeholder:"FILE" help:"Wait, and fetch the ZIP."`
}

// jobRequest is the body of POST /v1/jobs for keys.
type jobRequest struct {
	Source  string      `json:"source,omitempty"`
	Keys    []string    `json:"keys,omitempty"`
	Prefix  string      `json:"prefix,omitempty"`
	Outputs []string    `json:"outputs"`
	Webhook *hookWanted `json:"webhook,omitempty"`
}

type hookWanted struct {
	URL  string `json:"url"`
	Kind string `json:"kind"`
}

// Run submits, and waits if that is wanted.
func (c *submitCommand) Run(ctx context.Context, p *Program) error {
	if len(c.Outputs) == 0 || len(c.Files) > 0 == (len(c.Keys) > 0 || c.Prefix != "") {
		return usageError("say what to make (--output) and of what: files, or --key, or --prefix")
	}
	r, err := c.open(p)
	if err != nil {
		return err
	}
	var j jobs.Job
	if len(c.Files) > 0 {
		err = c.sendFiles(ctx, r, &j)
	} else {
		order := jobRequest{Source: c.Source, Keys: c.Keys, Prefix: c.Prefix, Outputs: c.Outputs}
		if c.Webhook != "" {
			order.Webhook = &hookWanted{c.Webhook, c.Kind}
		}
		err = call(ctx, r, http.MethodPost, "/v1/jobs", &order, &j)
	}
	if err != nil {
		return err
	}
	p.printf("%s\n", j.ID)
	if !c.Wait && c.Download == "" {
		return nil
	}
	outcome := r.follow(ctx, p, j.ID)
	if c.Download == "" {
		return outcome
	}
	return errors.Join(outcome, r.download(ctx, p, j.ID, c.Download))
}

// sendFiles uploads the files as they are read.
func (c *submitCommand) sendFiles(ctx context.Context, r *remote, j *jobs.Job) error {
	body, to := io.Pipe()
	form := multipart.NewWriter(to)
	go func() { to.CloseWithError(c.writeForm(form)) }() // ends when the request does
	resp, err := r.send(ctx, http.MethodPost, "/v1/jobs", form.FormDataContentType(), body)
	_ = body.Close() // where the server refuses early, nobody reads the rest
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end
	return read(resp, j)
}

func (c *submitCommand) writeForm(form *multipart.Writer) error {
	fields := [][2]string{}
	if c.Source != "" {
		fields = append(fields, [2]string{"source", c.Source})
	}
	for _, output := range c.Outputs {
		fields = append(fields, [2]string{"outputs", output})
	}
	if c.Webhook != "" {
		fields = append(fields, [2]string{"webhook", fmt.Sprintf(`{"url":%q,"kind":%q}`, c.Webhook, c.Kind)})
	}
	for _, f := range fields {
		if err := form.WriteField(f[0], f[1]); err != nil {
			return err
		}
	}
	for _, name := range c.Files {
		if err := writeFile(form, name); err != nil {
			return err
		}
	}
	return form.Close()
}

func writeFile(form *multipart.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read from
	to, err := form.CreateFormFile("file", filepath.Base(name))
	if err != nil {
		return err
	}
	_, err = io.Copy(to, f)
	return err
}

type watchCommand struct {
	remoteFlags
	ID string `arg:"" help:"The job."`
}

// Run shows a job until it ends.
func (c *watchCommand) Run(ctx context.Context, p *Program) error {
	r, err := c.open(p)
	if err != nil {
		return err
	}
	return r.follow(ctx, p, c.ID)
}

type listCommand struct {
	remoteFlags
	Limit int `default:"20" help:"How many, up to 100."`
}

// Run prints a line for each job.
func (c *listCommand) Run(ctx context.Context, p *Program) error {
	r, err := c.open(p)
	if err != nil {
		return err
	}
	var list struct{ Jobs []jobs.Job }
	if err := call[jobRequest](ctx, r, http.MethodGet, "/v1/jobs?limit="+strconv.Itoa(c.Limit), nil, &list); err != nil {
		return err
	}
	for _, j := range list.Jobs {
		p.printf("%s  %s  %-9s  %d of %d done, %d failed\n", j.ID, j.Created.Format(time.DateTime), j.State, j.Done, j.Total, j.Failed)
	}
	return nil
}

type cancelCommand struct {
	remoteFlags
	ID string `arg:"" help:"The job."`
}

// Run ends a job.
func (c *cancelCommand) Run(ctx context.Context, p *Program) error {
	return c.change(ctx, p, http.MethodDelete, c.ID, "")
}

type retryCommand struct {
	remoteFlags
	ID string `arg:"" help:"The job."`
}

// Run runs failed items again.
func (c *retryCommand) Run(ctx context.Context, p *Program) error {
	return c.change(ctx, p, http.MethodPost, c.ID, "/retry")
}

// change makes a call about one job and prints how it stands.
func (f *remoteFlags) change(ctx context.Context, p *Program, method, id, what string) error {
	r, err := f.open(p)
	if err != nil {
		return err
	}
	var j jobs.Job
	if err := call[jobRequest](ctx, r, method, "/v1/jobs/"+url.PathEscape(id)+what, nil, &j); err != nil {
		return err
	}
	p.printf("%s: %d of %d done, %d failed\n", j.State, j.Done, j.Total, j.Failed)
	return nil
}

type downloadCommand struct {
	remoteFlags
	ID   string `arg:"" help:"The job."`
	File string `arg:"" optional:"" help:"Where to write it (default: imgedge-ID.zip)."`
}

// Run fetches an archive.
func (c *downloadCommand) Run(ctx context.Context, p *Program) error {
	r, err := c.open(p)
	if err != nil {
		return err
	}
	file := c.File
	if file == "" {
		file = "imgedge-" + filepath.Base(c.ID) + ".zip"
	}
	return r.download(ctx, p, c.ID, file)
}

// download writes the archive of a job. A file that did not come whole is not left behind.
func (r *remote) download(ctx context.Context, p *Program, id, file string) error {
	resp, err := r.send(ctx, http.MethodGet, "/v1/jobs/"+url.PathEscape(id)+"/archive", "", nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end, or given up
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	bar := newTransferBar(p.Stderr, resp.ContentLength)
	_, err = io.Copy(f, bar.reader(resp.Body))
	bar.end()
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}
