package edge

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/ingest"
)

const (
	maxImageText = 64 << 10 // bytes of a text field
	maxTexts     = 64       // text fields of a form
)

// uploadImages answers POST /v1/images: text fields, then files as they come.
func (x *exchange) uploadImages() error {
	if x.upload == nil {
		return badBody("the body is no multipart/form-data")
	}
	leave, err := x.server.enterUploads()
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(context.Background(), uploadLife)
	defer cancel()
	form := &imageForm{exchange: x, sum: sha256.New(), order: ingest.Order{Atomic: true}}
	defer form.close()
	key := string(x.ctx.Request.Header.Peek("Idempotency-Key"))
	form.keyed = key != "" && x.server.Answers != nil
	if !form.keyed {
		answer, err := form.upload(ctx)
		if err != nil {
			return err
		}
		respondJSON(x, http.StatusCreated, answer)
		return nil
	}
	return x.uploadOnce(ctx, key, form)
}

// uploadOnce is an upload with an Idempotency-Key: the second one with it gets the first one's answer.
func (x *exchange) uploadOnce(ctx context.Context, key string, form *imageForm) error {
	answers, owner := x.server.Answers, x.owner()
	form.order.ID = ingest.NewUploadID(time.Now())
	before, other, err := answers.Begin(ctx, owner, key, form.order.ID)
	if err != nil { // it may have been committed all the same, and its node or Redis have died since
		if before, err = x.committed(ctx, other); err != nil {
			return err
		}
		answers.Keep(context.WithoutCancel(ctx), owner, key, *before)
	}
	if before != nil {
		return x.uploadAgain(form, before)
	}
	done := false
	defer func() {
		if !done {
			answers.Drop(context.WithoutCancel(ctx), owner, key)
		}
	}()
	answer, err := form.upload(ctx)
	if err != nil {
		return err
	}
	respondJSON(x, http.StatusCreated, answer) //nolint:contextcheck // its log line belongs to no context
	answers.Keep(context.WithoutCancel(ctx), owner, key, cache.Answer{Sum: form.digest(), Status: x.ctx.Response.StatusCode(), Body: x.ctx.Response.Body()})
	done = true
	return nil
}

// committed words the answer of an upload with an Idempotency-Key that did not come to giving it. As long as
// nothing is committed, it is under way.
func (x *exchange) committed(ctx context.Context, id string) (*cache.Answer, error) {
	outcome, sum, err := x.server.Ingest.Answered(ctx, id)
	if ingest.IsNotFound(err) {
		return nil, problem{status: http.StatusConflict, code: "in_progress", text: "a request with this Idempotency-Key is under way"}
	}
	answer, err := x.carryOut(outcome, err)
	if err != nil {
		return nil, err
	}
	respondJSON(x, http.StatusCreated, answer) //nolint:contextcheck // its log line belongs to no context
	before := &cache.Answer{Sum: sum, Status: x.ctx.Response.StatusCode(), Body: bytes.Clone(x.ctx.Response.Body())}
	x.clear()
	return before, nil
}

// uploadAgain answers as before, if the same is uploaded again.
func (x *exchange) uploadAgain(form *imageForm, before *cache.Answer) error {
	if err := form.read(); err != nil {
		return err
	}
	if form.digest() != before.Sum {
		return problem{status: http.StatusUnprocessableEntity, code: "idempotency_mismatch", text: "this Idempotency-Key came with another body before"}
	}
	x.ctx.SetStatusCode(before.Status)
	x.ctx.Response.Header.SetContentType("application/json")
	x.ctx.Response.SetBodyRaw(before.Body)
	return nil
}

// imageForm is a form of files while it is read.
type imageForm struct {
	*exchange
	order ingest.Order
	focus [2]string // fx, fy
	keyed bool      // there is an Idempotency-Key
	sum   hash.Hash // with one, of fields and files, whatever the boundary is
	texts int
}

func (f *imageForm) digest() string { return hex.EncodeToString(f.sum.Sum(nil)) }

func (f *imageForm) close() {
	for _, file := range f.order.Files {
		_ = file.Close() // memory alone
	}
}

// upload reads the form and carries it out.
func (f *imageForm) upload(ctx context.Context) (uploadAnswer, error) {
	if err := f.read(); err != nil {
		return uploadAnswer{}, err
	}
	if f.keyed {
		f.order.Sum = f.digest()
	}
	return f.carryOut(f.server.Ingest.Upload(ctx, f.order))
}

// carryOut words an outcome.
func (x *exchange) carryOut(outcome ingest.Outcome, err error) (uploadAnswer, error) {
	if err != nil {
		return uploadAnswer{}, err
	}
	answer := uploadAnswer{Images: make([]imageAnswer, len(outcome.Images)), Errors: outcome.Errors}
	for i := range outcome.Images {
		answer.Images[i] = x.imageAnswer(&outcome.Images[i].Image)
		answer.Images[i].Existing = outcome.Images[i].Existing
	}
	return answer, nil
}

// read reads fields of the query, then the form to its end.
func (f *imageForm) read() error {
	_, text, _ := strings.Cut(string(f.target), "?")
	query, err := url.ParseQuery(text)
	if err != nil {
		return badBody("the query does not parse")
	}
	for _, name := range [...]string{"atomic", "fx", "fy", "tags"} {
		if query.Has(name) {
			if err := f.field(name, query.Get(name)); err != nil {
				return err
			}
		}
	}
	_, parameters, err := mime.ParseMediaType(string(f.ctx.Request.Header.ContentType()))
	if err != nil || parameters["boundary"] == "" {
		return badBody("the form has no boundary")
	}
	form := multipart.NewReader(f.exchange.upload, parameters["boundary"])
	for {
		part, err := form.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return formError(err)
		}
		if err := f.take(part); err != nil {
			var disk *fs.PathError
			if errors.As(err, &disk) {
				return err // ours, not the client's
			}
			return formError(err)
		}
	}
	if _, err := io.Copy(io.Discard, f.exchange.upload); err != nil { // what stands behind the form
		return formError(err)
	}
	return f.setFocus()
}

// take reads one part: a file called file, or a text field.
func (f *imageForm) take(part *multipart.Part) error {
	name := part.FormName()
	if part.FileName() == "" && name != "file" {
		if f.texts++; f.texts > maxTexts || len(f.order.Files) > 0 {
			return badBody(fmt.Sprintf("field %s: at most %d text fields, and all before the files", name, maxTexts))
		}
		text, err := io.ReadAll(io.LimitReader(part, maxImageText+1))
		if err != nil {
			return err
		}
		if len(text) > maxImageText {
			return badBody("field " + name + " is too long")
		}
		return f.field(name, string(text))
	}
	if name != "file" {
		return badBody("each file field is named file")
	}
	if err := f.server.Ingest.CheckFiles(len(f.order.Files) + 1); err != nil {
		return err
	}
	var content io.Reader = part
	var sum hash.Hash
	if f.keyed {
		sum = sha256.New()
		content = io.TeeReader(part, sum)
	}
	file, err := f.server.Ingest.Receive(content, part.FileName())
	if err != nil {
		return err
	}
	f.order.Files = append(f.order.Files, file)
	if f.keyed {
		_, _ = fmt.Fprintf(f.sum, "file %q %x\n", file.Name, sum.Sum(nil)) // a hash takes everything
	}
	return nil
}

// field takes a text field.
func (f *imageForm) field(name, value string) error {
	_, _ = fmt.Fprintf(f.sum, "%q=%q\n", name, value) // a hash takes everything
	switch name {
	case "atomic":
		atomic, err := strconv.ParseBool(value)
		if err != nil {
			return badBody("atomic: true or false")
		}
		f.order.Atomic = atomic
	case "fx":
		f.focus[0] = value
	case "fy":
		f.focus[1] = value
	case "tags":
		f.order.Tags = nil
		for tag := range strings.SplitSeq(value, ",") {
			if tag = strings.TrimSpace(tag); tag != "" {
				f.order.Tags = append(f.order.Tags, tag)
			}
		}
	default:
		return badBody("field " + strconv.Quote(name) + " is none of atomic, fx, fy, tags, file")
	}
	return nil
}

// setFocus takes the focal point, whose two parts go together.
func (f *imageForm) setFocus() error {
	if f.focus == [2]string{} {
		return nil
	}
	x, xErr := strconv.ParseFloat(f.focus[0], 64)
	y, yErr := strconv.ParseFloat(f.focus[1], 64)
	focus := ingest.Focus{X: x, Y: y}
	if xErr != nil || yErr != nil || !focus.Valid() {
		return badBody("fx and fy go together: two numbers of 0 to 1")
	}
	f.order.Focus = &focus
	return nil
}
