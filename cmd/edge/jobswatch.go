package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/imgedge/imgedge/jobs"
)

// jobStep is the data of an event.
type jobStep struct {
	State  jobs.State `json:"state"`
	Done   int        `json:"done"`
	Failed int        `json:"failed"`
	Total  int        `json:"total"`
	Item   *jobs.Item `json:"item"`
}

// follow shows a job until it ends, coming again where the stream breaks. A job of which not all is done is an
// error.
func (r *remote) follow(ctx context.Context, p *Program, id string) error {
	var show stepper = plainSteps{p.Stdout}
	if isTerminal(p.Stderr) {
		show = newBarSteps(p.Stderr)
	}
	last := ""
	for {
		step, err := r.listen(ctx, id, &last, show)
		switch {
		case err != nil:
			return err
		case step == nil:
			select { // the node has left, or the stream was cut
			case <-time.After(time.Second):
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		show.end(*step)
		if step.State != jobs.StateDone {
			return fmt.Errorf("the job is %s: %d of %d done, %d failed", step.State, step.Done, step.Total, step.Failed)
		}
		return nil
	}
}

// listen reads one stream of events. It returns the last step of the job; nil = the stream ended before.
func (r *remote) listen(ctx context.Context, id string, last *string, show stepper) (*jobStep, error) {
	resp, err := r.send(ctx, http.MethodGet, "/v1/jobs/"+url.PathEscape(id)+"/events", "", nil, "Last-Event-ID", *last)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end, or to the end of the job
	if resp.StatusCode == http.StatusNoContent {
		return nil, errors.New("the job had ended before")
	}
	event := ""
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			*last = value
		case "event":
			event = value
		case "data":
			var step jobStep
			if err := json.Unmarshal([]byte(value), &step); err != nil {
				return nil, fmt.Errorf("an event that is no JSON: %w", err)
			}
			if event == "done" {
				return &step, nil
			}
			show.step(step)
		}
	}
	return nil, nil
}

// stepper shows the steps of a job.
type stepper interface {
	step(s jobStep)
	end(s jobStep)
}

// plainSteps prints a line an item.
type plainSteps struct{ to io.Writer }

func (p plainSteps) step(s jobStep) {
	if s.Item == nil {
		return
	}
	text := string(s.Item.State)
	if s.Item.Error != nil {
		text += ": " + s.Item.Error.Detail
	}
	_, _ = fmt.Fprintf(p.to, "%d/%d %s %s\n", s.Done+s.Failed, s.Total, s.Item.Name, text)
}

func (p plainSteps) end(s jobStep) {
	_, _ = fmt.Fprintf(p.to, "%s: %d of %d done, %d failed\n", s.State, s.Done, s.Total, s.Failed)
}

// barSteps draws a bar on a terminal.
type barSteps struct {
	progress *mpb.Progress
	bar      *mpb.Bar
}

func newBarSteps(to io.Writer) *barSteps {
	progress := mpb.New(mpb.WithOutput(to), mpb.WithWidth(60))
	return &barSteps{progress, progress.AddBar(0,
		mpb.PrependDecorators(decor.CountersNoUnit("%d / %d")),
		mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_MMSS)))}
}

func (b *barSteps) step(s jobStep) {
	b.bar.SetTotal(int64(s.Total), false)
	b.bar.SetCurrent(int64(s.Done + s.Failed))
}

func (b *barSteps) end(s jobStep) {
	b.bar.SetTotal(int64(s.Total), false)
	b.bar.SetCurrent(int64(s.Done + s.Failed))
	b.bar.SetTotal(int64(s.Done+s.Failed), true)
	b.progress.Wait()
}

// transferBar shows how much of a file has come, on a terminal alone.
type transferBar struct {
	progress *mpb.Progress // nil = nothing is shown
	bar      *mpb.Bar
}

func newTransferBar(to io.Writer, size int64) *transferBar {
	if !isTerminal(to) {
		return &transferBar{}
	}
	progress := mpb.New(mpb.WithOutput(to), mpb.WithWidth(60))
	return &transferBar{progress, progress.AddBar(size,
		mpb.PrependDecorators(decor.CountersKibiByte("% .1f / % .1f")),
		mpb.AppendDecorators(decor.AverageSpeed(decor.SizeB1024(0), "% .1f")))}
}

func (b *transferBar) reader(from io.Reader) io.Reader {
	if b.progress == nil {
		return from
	}
	return b.bar.ProxyReader(from)
}

func (b *transferBar) end() {
	if b.progress != nil {
		b.bar.Abort(false)
		b.progress.Wait()
	}
}
