package edge

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/imgedge/imgedge/ingest"
)

// serveIngest answers the calls about uploads, and reports whether the path is one of them.
func (x *exchange) serveIngest(path []byte, allow func(Scope) error) bool {
	if rest, ok := below(path, "/v1/images"); ok {
		x.ingestCall(ScopeUpload, allow, func() error { return x.callImages(rest) })
		return true
	}
	if rest, ok := below(path, "/v1/uploads"); ok {
		x.ingestCall(ScopeUpload, allow, func() error { return x.callUploads(rest) })
		return true
	}
	if source, ok := bytes.CutPrefix(path, []byte("/v1/events/")); ok {
		x.call(http.MethodPost, ScopePurge, allow, func() error { return x.serveBucketEvents(string(source)) })
		return true
	}
	return false
}

// below returns what a path has behind a call's own: "", or "/…".
func below(path []byte, call string) (string, bool) {
	rest, ok := bytes.CutPrefix(path, []byte(call))
	return string(rest), ok && (len(rest) == 0 || rest[0] == '/')
}

// ingestCall answers a call where uploads are configured.
func (x *exchange) ingestCall(scope Scope, allow func(Scope) error, serve func() error) {
	if err := allow(scope); err != nil {
		x.refuseCall(err)
		return
	}
	if x.server.Ingest == nil {
		x.fail(errNothingHere)
		return
	}
	if err := serve(); err != nil {
		x.failUpload(err)
	}
}

// callImages answers the calls of /v1/images.
func (x *exchange) callImages(path string) error {
	method := string(x.ctx.Method())
	if path == "" {
		switch method {
		case http.MethodPost:
			return x.uploadImages()
		case http.MethodGet, http.MethodHead:
			return x.listImages()
		}
		x.notAllowed("GET, HEAD, POST")
		return nil
	}
	id, call, _ := strings.Cut(path[1:], "/")
	ctx, cancel := context.WithTimeout(context.Background(), x.server.RequestTimeout)
	defer cancel()
	switch call {
	case "":
		switch method {
		case http.MethodGet, http.MethodHead:
			return x.showImage(ctx, id)
		case http.MethodPatch:
			return x.changeImage(ctx, id)
		case http.MethodDelete:
			return x.deleteImage(ctx, id)
		}
		x.notAllowed("GET, HEAD, PATCH, DELETE")
		return nil
	case "events":
		if x.only(http.MethodGet) {
			return x.serveImageEvents(ctx, id)
		}
		return nil
	case "retry":
		if x.only(http.MethodPost) {
			return x.retryPresets(ctx, id)
		}
		return nil
	}
	return errNothingHere
}

// imageList is one page of the list.
type imageList struct {
	Images []imageAnswer `json:"images"`
	Next   string        `json:"next,omitempty"` // cursor; "" = the end
}

// listImages answers GET /v1/images.
func (x *exchange) listImages() error {
	_, text, _ := bytes.Cut(x.target, []byte("?"))
	query, err := url.ParseQuery(string(text))
	if err != nil {
		return badBody("the query does not parse")
	}
	q := ingest.Query{Cursor: query.Get("cursor"), Prefix: query.Get("prefix")}
	if limit := query.Get("limit"); limit != "" {
		if q.Limit, err = strconv.Atoi(limit); err != nil || q.Limit < 1 {
			return badBody("limit: 1 to 200")
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), x.server.RequestTimeout)
	defer cancel()
	page, err := x.server.Ingest.List(ctx, q)
	if err != nil {
		return err
	}
	list := imageList{Images: make([]imageAnswer, len(page.Images)), Next: page.Next}
	for i := range page.Images {
		list.Images[i] = x.imageAnswer(&page.Images[i])
	}
	respondJSON(x, http.StatusOK, list)
	return nil
}

// showImage answers GET /v1/images/{id}.
func (x *exchange) showImage(ctx context.Context, id string) error {
	image, err := x.server.Ingest.Image(ctx, id)
	if err != nil {
		return err
	}
	x.respondImage(ctx, http.StatusOK, image)
	return nil
}

func (x *exchange) respondImage(ctx context.Context, status int, image *ingest.Image) {
	answer := x.imageAnswer(image)
	answer.Presets = x.server.Ingest.Progress(ctx, image)
	respondJSON(x, status, answer)
}

// imageChange is the body of PATCH /v1/images/{id}. fx and fy go together; null takes the point away.
type imageChange struct {
	FX   json.RawMessage `json:"fx"`
	FY   json.RawMessage `json:"fy"`
	Tags *[]string       `json:"tags"`
}

// change reads the order.
func (c *imageChange) change() (ingest.Change, error) {
	order := ingest.Change{Tags: c.Tags}
	if c.FX == nil && c.FY == nil {
		return order, nil
	}
	if string(c.FX) == "null" && string(c.FY) == "null" {
		order.NoFocus = true
		return order, nil
	}
	var focus ingest.Focus
	if json.Unmarshal(c.FX, &focus.X) != nil || json.Unmarshal(c.FY, &focus.Y) != nil || string(c.FX) == "null" || string(c.FY) == "null" {
		return order, badBody("fx and fy go together: two numbers of 0 to 1, or null twice")
	}
	order.Focus = &focus
	return order, nil
}

// changeImage answers PATCH /v1/images/{id}.
func (x *exchange) changeImage(ctx context.Context, id string) error {
	body, err := decode[imageChange](x.body)
	if err != nil {
		return err
	}
	change, err := body.change()
	if err != nil {
		return err
	}
	image, err := x.server.Ingest.Change(ctx, id, change)
	if err != nil {
		return err
	}
	x.respondImage(ctx, http.StatusOK, image)
	return nil
}

// deleteImage answers DELETE /v1/images/{id}.
func (x *exchange) deleteImage(ctx context.Context, id string) error {
	if err := x.server.Ingest.Delete(ctx, id); err != nil {
		return err
	}
	x.ctx.SetStatusCode(http.StatusNoContent)
	return nil
}

// presetOrder is the body of POST /v1/images/{id}/retry.
type presetOrder struct {
	Presets []string `json:"presets"` // none = those that failed or are in no cache any more
}

// retryPresets answers POST /v1/images/{id}/retry.
func (x *exchange) retryPresets(ctx context.Context, id string) error {
	var order presetOrder
	if len(bytes.TrimSpace(x.body)) > 0 {
		var err error
		if order, err = decode[presetOrder](x.body); err != nil {
			return err
		}
	}
	image, err := x.server.Ingest.Retry(ctx, id, order.Presets)
	if err != nil {
		return err
	}
	x.respondImage(ctx, http.StatusAccepted, image)
	return nil
}

// presetNews is the data of an image's events.
type presetNews struct {
	Done    int             `json:"done"`
	Failed  int             `json:"failed"`
	Total   int             `json:"total"`
	Presets []ingest.Preset `json:"presets"`
}

// serveImageEvents answers GET /v1/images/{id}/events: an event "presets" now and after each change, and at
// last "done". Their ids rise with what has been reached, on every node alike.
func (x *exchange) serveImageEvents(ctx context.Context, id string) error {
	if _, err := x.server.Ingest.Image(ctx, id); err != nil {
		return err
	}
	store, last := x.server.Ingest, x.lastEventID()
	return x.stream(func(ctx context.Context, send func(event) error) error { //nolint:contextcheck // the stream outlives the call
		var now presetNews
		err := store.Watch(ctx, id, func(presets []ingest.Preset) error {
			now = newsOf(presets)
			reached := reachedBy(presets)
			if reached <= last {
				return nil
			}
			last = reached
			return now.send("presets", reached, send)
		})
		if err != nil {
			return err
		}
		return now.send("done", last+1, send)
	})
}

func newsOf(presets []ingest.Preset) presetNews {
	news := presetNews{Total: len(presets), Presets: presets}
	for _, p := range presets {
		switch p.State {
		case ingest.StateDone, ingest.StateCold:
			news.Done++
		case ingest.StateFailed:
			news.Failed++
		case ingest.StateQueued, ingest.StateRunning:
		}
	}
	return news
}

// reachedBy is a number that rises with each step of a preset: its tries, and its end.
func reachedBy(presets []ingest.Preset) int64 {
	const end = 1000 // more than any number of tries
	reached := int64(1)
	for _, p := range presets {
		switch p.State {
		case ingest.StateQueued:
			reached += 2 * int64(p.Tries)
		case ingest.StateRunning:
			reached += 2*int64(p.Tries) - 1
		case ingest.StateDone, ingest.StateFailed, ingest.StateCold:
			reached += end
		}
	}
	return reached
}

// send writes the news as one event.
func (n presetNews) send(name string, id int64, send func(event) error) error {
	data, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return send(event{id: id, name: name, data: data})
}
