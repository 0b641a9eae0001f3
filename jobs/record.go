package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
)

// Record is what was asked, as it lies in the bucket. It is written before anything is queued, and never
// changed.
type Record struct {
	ID      string    `json:"id"`
	Kind    Kind      `json:"kind"`
	Owner   string    `json:"owner"`
	Created time.Time `json:"created"`
	Draft   bool      `json:"draft,omitempty"` // files are still coming; a draft is never queued
	Spec    Spec      `json:"spec"`
	Asked   []Asked   `json:"items"`
}

// Spec is what holds for all items of a job.
type Spec struct {
	Source  string   `json:"source"`            // whose limits and watermarks hold, and where keys are found
	Outputs []string `json:"outputs,omitempty"` // canonical texts of options; each is one picture of every item
	Hook    *Hook    `json:"webhook,omitempty"` // told of the end; nil = nobody is
	Base    string   `json:"base,omitempty"`    // of absolute URLs, for the webhook; "" = they are relative
}

// Hook is who is told of a job's end.
type Hook struct {
	URL  string `json:"url"`
	Kind string `json:"kind"` // json, slack or discord
}

// Asked is one item as it was asked for.
type Asked struct {
	Name    string   `json:"name"`
	Key     string   `json:"key,omitempty"`     // of the original at the source; "" = it was uploaded
	Source  string   `json:"source,omitempty"`  // "" = the job's
	Outputs []string `json:"outputs,omitempty"` // nil = the job's
}

// source returns where an item's original is found and whose limits hold.
func (r *Record) source(n int) string {
	if own := r.Asked[n].Source; own != "" {
		return own
	}
	return r.Spec.Source
}

// outputs returns the texts of an item's options.
func (r *Record) outputs(n int) []string {
	if own := r.Asked[n].Outputs; own != nil {
		return own
	}
	return r.Spec.Outputs
}

// manifest is what came of a job, as it lies in the bucket. Until a job has ended there is none.
type manifest struct {
	Job   Job    `json:"job"`
	Owner string `json:"owner"`
	Run   int    `json:"run"`
}

// The objects of a job, below the prefix: the record, the manifest, uploaded originals and outputs. No
// other object is ever deleted.
//
//	records/ID.json   ID/manifest.json   ID/in/ITEM   ID/out/ITEM-OUTPUT.EXTENSION
const (
	recordFolder = "records/"
	jsonType     = "application/json"
)

func recordKey(id string) string          { return recordFolder + id + ".json" }
func manifestKey(id string) string        { return id + "/manifest.json" }
func inputKey(id string, item int) string { return fmt.Sprintf("%s/in/%d", id, item) }

func outputKey(id string, item, output int, extension string) string {
	return fmt.Sprintf("%s/out/%d-%d.%s", id, item, output, extension)
}

// recordID returns the job of a record's object key.
func recordID(key string) (string, bool) {
	name, ok := strings.CutPrefix(key, recordFolder)
	id, json := strings.CutSuffix(name, ".json")
	return id, ok && json && ValidID(id)
}

// Bucket keeps objects. Keys are relative; the implementation puts a prefix before them. Calls may
// overlap. An object that is absent is fs.ErrNotExist, from Open alone: Delete of nothing succeeds. Calls
// are not retried here except by trying the item again.
type Bucket interface {
	Put(ctx context.Context, key string, body []byte, contentType string) error
	// Open returns the bytes of an object; the caller closes.
	Open(ctx context.Context, key string) (io.ReadCloser, error)
	// List calls each for every key that begins with prefix, until each returns an error, which List returns.
	List(ctx context.Context, prefix string, each func(key string) error) error
	Delete(ctx context.Context, key string) error
}

// maxDocument bounds a record or manifest that is read into memory, bytes.
const maxDocument = 64 << 20

// read returns an object's bytes.
func (e *Engine) read(ctx context.Context, key string, limit int64) ([]byte, error) {
	body, err := e.Bucket.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err = errors.Join(err, body.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	if int64(len(data)) > limit {
		return nil, tooLarge("%s has more than %d bytes", key, limit)
	}
	return data, nil
}

// record returns what was asked: of the most recent jobs it is remembered, for it never changes.
func (e *Engine) record(ctx context.Context, id string) (*Record, error) {
	if r := e.records.get(id); r != nil {
		return r, nil
	}
	var data []byte
	var err error
	if e.Bucket == nil {
		data, err = e.state.record(ctx, id)
	} else {
		data, err = e.read(ctx, recordKey(id), maxDocument)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	} else if err != nil {
		return nil, err
	}
	r := new(Record)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("record of job %s: %w", id, err)
	}
	if !r.Draft {
		e.records.put(r)
	}
	return r, nil
}

// writeRecord stores what was asked: in the bucket, or in Redis where there is none.
func (e *Engine) writeRecord(ctx context.Context, r *Record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if e.Bucket == nil {
		return e.state.putRecord(ctx, r.ID, data, e.Retention)
	}
	return e.Bucket.Put(ctx, recordKey(r.ID), data, jsonType)
}

// manifest returns what came of a job; nil if it has not ended.
func (e *Engine) manifest(ctx context.Context, id string) (*manifest, error) {
	if e.Bucket == nil {
		return nil, nil //nolint:nilnil // no bucket, no manifest
	}
	data, err := e.read(ctx, manifestKey(id), maxDocument)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // its absence says that the job has not ended
	} else if err != nil {
		return nil, err
	}
	m := new(manifest)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("manifest of job %s: %w", id, err)
	}
	m.Job.Owner, m.Job.run = m.Owner, m.Run
	return m, nil
}
