package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/imgedge/imgedge/resize"
)

const (
	maxOutputs = 16  // of an item
	maxName    = 255 // bytes of an item's name
)

// Submit queues a job whose originals lie at their sources. The job is in the bucket before it is in the
// queue. Errors below 500 are of what was asked.
func (e *Engine) Submit(ctx context.Context, owner string, kind Kind, spec Spec, items []Asked) (Job, error) {
	e.setup()
	if kind == KindRender && e.Bucket == nil {
		return Job{}, ErrNoBucket
	}
	if err := e.checkSpec(ctx, &spec); err != nil {
		return Job{}, err
	}
	if err := e.checkItems(kind, &spec, items); err != nil {
		return Job{}, err
	}
	r := e.newRecord(owner, kind, spec)
	r.Asked = items
	return e.begin(ctx, r)
}

func (e *Engine) newRecord(owner string, kind Kind, spec Spec) *Record {
	now := e.Now().UTC()
	r := &Record{ID: newID(now), Kind: kind, Owner: owner, Spec: spec}
	r.Created, _ = idTime(r.ID)
	return r
}

func (e *Engine) checkSpec(ctx context.Context, s *Spec) error {
	if err := checkOutputs(s.Outputs); err != nil {
		return err
	}
	if s.Hook == nil {
		return nil
	}
	if !slices.Contains([]string{"json", "slack", "discord"}, s.Hook.Kind) {
		return badRequest("webhook.kind: %q is not allowed; allowed: json, slack and discord", s.Hook.Kind)
	}
	if e.CheckHook != nil {
		return e.CheckHook(ctx, s.Hook.URL)
	}
	return nil
}

// checkOutputs refuses options that cannot be made into files.
func checkOutputs(texts []string) error {
	if len(texts) > maxOutputs {
		return badRequest("outputs: %d are not allowed; allowed: up to %d", len(texts), maxOutputs)
	}
	for i, text := range texts {
		o, err := resize.Parse(text)
		if err != nil {
			return err
		}
		if o.Format == resize.FormatRaw {
			return badRequest("outputs: f=raw makes nothing")
		}
		if slices.Contains(texts[:i], text) {
			return badRequest("outputs: %q is named twice", text)
		}
	}
	return nil
}

func (e *Engine) checkItems(kind Kind, spec *Spec, items []Asked) error {
	if len(items) == 0 {
		return badRequest("the job has no items")
	}
	if len(items) > e.MaxItems && kind == KindRender {
		return tooLarge("%s: a job has at most %d items", items[e.MaxItems].Name, e.MaxItems)
	}
	for i := range items {
		if err := checkOutputs(items[i].Outputs); err != nil {
			return err
		}
		if len(items[i].Outputs) == 0 && len(spec.Outputs) == 0 {
			return badRequest("outputs: at least one is needed")
		}
	}
	return nil
}

// begin writes the record and queues the items.
func (e *Engine) begin(ctx context.Context, r *Record) (Job, error) {
	if err := e.writeRecord(ctx, r); err != nil {
		return Job{}, fmt.Errorf("write the record of a job: %w", err)
	}
	e.counts.submitted.Add(1)
	if err := e.workNow(); err != nil {
		return Job{}, err
	}
	if err := e.enqueue(ctx, r); err != nil {
		return Job{}, errors.Join(queueFailed(err), e.erase(context.WithoutCancel(ctx), r.ID))
	}
	return e.Get(ctx, r.ID)
}

// enqueue makes Redis know a job and queues its items. Whatever of it is done already is left as it is.
func (e *Engine) enqueue(ctx context.Context, r *Record) error {
	if err := e.state.index(ctx, r.ID, r.Owner, true); err != nil {
		return err
	}
	if err := e.state.create(ctx, r); err != nil {
		return err
	}
	for n := range r.Asked {
		if err := e.queue.item(ctx, r.Kind, r.ID, n, 1); err != nil {
			return err
		}
	}
	return nil
}

// Draft is a job whose files are still coming.
type Draft struct {
	engine *Engine
	record *Record
}

// Begin opens a draft for uploaded files. Submit or Discard ends it; one that is left alone is swept.
func (e *Engine) Begin(ctx context.Context, owner string, spec Spec) (*Draft, error) {
	e.setup()
	if e.Bucket == nil {
		return nil, ErrNoBucket
	}
	if len(spec.Outputs) == 0 {
		return nil, badRequest("outputs: at least one is needed, before the files")
	}
	if err := e.checkSpec(ctx, &spec); err != nil {
		return nil, err
	}
	d := &Draft{engine: e, record: e.newRecord(owner, KindRender, spec)}
	d.record.Draft = true
	if err := e.writeRecord(ctx, d.record); err != nil {
		return nil, fmt.Errorf("write the record of a job: %w", err)
	}
	return d, nil
}

// Room refuses a further file of that name where the job is full.
func (d *Draft) Room(name string) error {
	if len(d.record.Asked) >= d.engine.MaxItems {
		return tooLarge("%s: a job has at most %d items", name, d.engine.MaxItems)
	}
	return nil
}

// Add stores a file. The magic number says whether it is a picture.
func (d *Draft) Add(ctx context.Context, name string, data []byte) error {
	if err := d.Room(name); err != nil {
		return err
	}
	if int64(len(data)) > d.engine.MaxItem {
		return tooLarge("%s: a file has at most %d bytes", name, d.engine.MaxItem)
	}
	f := resize.Sniff(data)
	if f == resize.FormatAuto {
		return resize.Unsupported("not_an_image", name+": the file is not a picture of a known format")
	}
	name = cutName(name)
	n := len(d.record.Asked)
	if err := d.engine.Bucket.Put(ctx, inputKey(d.record.ID, n), data, f.MIME()); err != nil {
		return fmt.Errorf("store an upload: %w", err)
	}
	d.record.Asked = append(d.record.Asked, Asked{Name: name})
	return nil
}

// Submit queues the job.
func (d *Draft) Submit(ctx context.Context) (Job, error) {
	if len(d.record.Asked) == 0 {
		return Job{}, badRequest("the job has no items")
	}
	d.record.Draft = false
	return d.engine.begin(ctx, d.record)
}

// Discard deletes what was stored. ctx may have ended.
func (d *Draft) Discard(ctx context.Context) error {
	return d.engine.erase(context.WithoutCancel(ctx), d.record.ID)
}

// cutName shortens a name to maxName bytes, between two characters.
func cutName(name string) string {
	if len(name) <= maxName {
		return name
	}
	end := maxName
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end]
}
