package edge

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/imgedge/imgedge/jobs"
	"github.com/imgedge/imgedge/resize"
)

const maxFormText = 1 << 20 // bytes of all text fields of a form

// submitJob answers POST /v1/jobs: files as a form, or keys of a source as JSON or a form.
func (x *exchange) submitJob() error {
	ctx, cancel := context.WithTimeout(context.Background(), uploadLife)
	defer cancel()
	submit := x.submitKeys
	if x.upload != nil {
		leave, err := x.server.enterUploads()
		if err != nil {
			return err
		}
		defer leave()
		submit = x.submitForm
	}
	key := string(x.ctx.Request.Header.Peek("Idempotency-Key"))
	if key == "" {
		s := &submission{exchange: x, digest: sha256.New()}
		return x.submitted(ctx, s, submit)
	}
	repeat, err := x.server.Jobs.Remember(ctx, x.owner(), key)
	if err != nil {
		return err
	}
	s := &submission{exchange: x, digest: sha256.New(), repeat: repeat}
	return x.submitted(ctx, s, submit)
}

// submission is one call of POST /v1/jobs.
type submission struct {
	*exchange
	digest hash.Hash    // of all that came
	repeat *jobs.Repeat // nil = without an Idempotency-Key
	order  jobOrder
	draft  *jobs.Draft // once files come
	texts  int         // bytes of text fields
}

// dry reports whether the call was answered before, so that it is only compared.
func (s *submission) dry() bool { return s.repeat != nil && s.repeat.Before != "" }

// submitted runs a submission and answers it; of a repeated one it answers the job of the first.
func (x *exchange) submitted(ctx context.Context, s *submission, submit func(context.Context, *submission) (jobs.Job, error)) error {
	j, err := submit(ctx, s)
	sum := [sha256.Size]byte(s.digest.Sum(nil))
	switch {
	case s.dry() && err == nil:
		if err := s.repeat.Same(sum); err != nil {
			return err
		}
		return x.accepted(ctx, s.repeat.Before)
	case err != nil:
		if s.repeat != nil && !s.dry() {
			err = errors.Join(err, s.repeat.Drop(ctx))
		}
		if s.draft != nil {
			err = errors.Join(err, s.draft.Discard(ctx))
		}
		return err
	}
	if s.repeat != nil {
		if err := s.repeat.Keep(ctx, j.ID, sum); err != nil {
			return err
		}
	}
	x.respondJob(http.StatusAccepted, &j) //nolint:contextcheck // a log line of a failure has no deadline
	return nil
}

// submitKeys reads a JSON order.
func (x *exchange) submitKeys(ctx context.Context, s *submission) (jobs.Job, error) {
	s.digest.Write(x.body)
	order, err := decode[jobOrder](x.body)
	if err != nil || s.dry() {
		return jobs.Job{}, err
	}
	s.order = order
	return s.submitOrder(ctx)
}

// submitOrder queues a job of keys.
func (s *submission) submitOrder(ctx context.Context) (jobs.Job, error) {
	src, spec, err := s.spec(&s.order)
	if err != nil {
		return jobs.Job{}, err
	}
	keys, err := s.keys(ctx, src, s.order.Keys, s.order.Prefix, s.server.Jobs.Limit())
	if err != nil {
		return jobs.Job{}, err
	}
	items := make([]jobs.Asked, len(keys))
	for i, key := range keys {
		items[i] = jobs.Asked{Name: key, Key: key}
	}
	return s.server.Jobs.Submit(ctx, s.owner(), jobs.KindRender, spec, items)
}

// submitForm reads a form as it comes: text fields, then files. What is wrong is said before the rest is
// read.
func (x *exchange) submitForm(ctx context.Context, s *submission) (jobs.Job, error) {
	_, parameters, err := mime.ParseMediaType(string(x.ctx.Request.Header.ContentType()))
	if err != nil || parameters["boundary"] == "" {
		return jobs.Job{}, badBody("the form has no boundary")
	}
	form := multipart.NewReader(x.upload, parameters["boundary"])
	for {
		part, err := form.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return jobs.Job{}, formError(err)
		}
		if err := s.take(ctx, part); err != nil {
			return jobs.Job{}, err
		}
	}
	if _, err := io.Copy(io.Discard, x.upload); err != nil { // what stands behind the form
		return jobs.Job{}, err
	}
	switch {
	case s.dry():
		return jobs.Job{}, nil
	case s.draft == nil:
		return s.submitOrder(ctx)
	default:
		return s.draft.Submit(ctx)
	}
}

// take reads one part.
func (s *submission) take(ctx context.Context, part *multipart.Part) error {
	name, file := part.FormName(), part.FileName()
	_, _ = fmt.Fprintf(s.digest, "%q %q\n", name, file) // a hash takes everything
	switch {
	case file == "" && name == "file":
		return badBody("file: a file with a name is needed, as of curl -F file=@beach.jpg")
	case file == "":
		return s.takeText(name, part)
	case name != "file":
		return badBody("a field with a file is named file, not " + quoted(name))
	}
	if s.dry() {
		return copyPart(s.digest, part)
	}
	if s.draft == nil {
		if err := s.beginDraft(ctx); err != nil {
			return err
		}
	}
	if err := s.draft.Room(file); err != nil {
		return err
	}
	limit := s.server.Jobs.FileLimit()
	data, err := io.ReadAll(io.LimitReader(part, limit+1))
	if err != nil {
		return formError(err)
	}
	if int64(len(data)) > limit {
		return resize.TooLarge(fmt.Sprintf("%s: a file has at most %d bytes", quoted(file), limit))
	}
	sum := sha256.Sum256(data)
	s.digest.Write(sum[:])
	return s.draft.Add(ctx, file, data)
}

func (s *submission) beginDraft(ctx context.Context) error {
	if len(s.order.Keys) > 0 || s.order.Prefix != "" {
		return badBody("a job has either files or keys")
	}
	if s.order.Options == "" && len(s.order.Outputs) == 0 {
		return badBody("options or outputs: at least one is needed, before the files")
	}
	_, spec, err := s.spec(&s.order)
	if err != nil {
		return err
	}
	s.draft, err = s.server.Jobs.Begin(ctx, s.owner(), spec)
	return err
}

// copyPart adds a file to the digest as take does, without keeping it.
func copyPart(digest hash.Hash, part io.Reader) error {
	file := sha256.New()
	if _, err := io.Copy(file, part); err != nil {
		return formError(err)
	}
	digest.Write(file.Sum(nil))
	return nil
}

// takeText reads a text field.
func (s *submission) takeText(name string, part io.Reader) error {
	if s.draft != nil {
		return badBody(quoted(name) + ": text fields come before the files")
	}
	value, err := io.ReadAll(io.LimitReader(part, maxFormText+1))
	if err != nil {
		return formError(err)
	}
	if s.texts += len(value); s.texts > maxFormText {
		return errBodySize
	}
	_, _ = fmt.Fprintf(s.digest, "%q\n", value) // a hash takes everything
	return s.order.set(name, string(value))
}

// formError is a 400 for what is no form; what the transfer says of itself stays.
func formError(err error) error {
	var known coded
	if errors.As(err, &known) {
		return err
	}
	return badBody("the form does not parse")
}

// quoted shortens a name for a message.
func quoted(name string) string {
	const longest = 100
	name = strings.ToValidUTF8(name, "?")
	if len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "") + "…"
	}
	return fmt.Sprintf("%q", name)
}
