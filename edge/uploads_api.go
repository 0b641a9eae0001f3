package edge

import (
	"bytes"
	"context"
	"net/http"
	"strings"

	"github.com/imgedge/imgedge/ingest"
)

// directOrder is the body of POST /v1/uploads.
type directOrder struct {
	Type string `json:"type"` // Content-Type of the file
	Size int64  `json:"size"` // bytes
}

// directAnswer lets a client put a file into the bucket itself.
type directAnswer struct {
	ingest.Ticket
	Complete string `json:"complete"` // the call that commits it
}

// completeOrder is the body of POST /v1/uploads/{id}/complete.
type completeOrder struct {
	Name string   `json:"name"`
	FX   *float64 `json:"fx"`
	FY   *float64 `json:"fy"`
	Tags []string `json:"tags"`
}

// callUploads answers the calls of /v1/uploads.
func (x *exchange) callUploads(path string) error {
	if path != "" {
		id, ok := strings.CutSuffix(path[1:], "/complete")
		if !ok {
			return errNothingHere
		}
		if !x.only(http.MethodPost) {
			return nil
		}
		return x.completeUpload(id)
	}
	if !x.only(http.MethodPost) {
		return nil
	}
	order, err := decode[directOrder](x.body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), x.server.RequestTimeout)
	defer cancel()
	ticket, err := x.server.Ingest.Direct(ctx, order.Type, order.Size)
	if err != nil {
		return err
	}
	respondJSON(x, http.StatusCreated, directAnswer{*ticket, x.base() + "/v1/uploads/" + ticket.ID + "/complete"})
	return nil
}

// completeUpload answers POST /v1/uploads/{id}/complete.
func (x *exchange) completeUpload(id string) error {
	var order completeOrder
	if len(bytes.TrimSpace(x.body)) > 0 {
		var err error
		if order, err = decode[completeOrder](x.body); err != nil {
			return err
		}
	}
	o := ingest.Order{Tags: order.Tags}
	switch {
	case order.FX != nil && order.FY != nil:
		o.Focus = &ingest.Focus{X: *order.FX, Y: *order.FY}
	case order.FX != nil || order.FY != nil:
		return badBody("fx and fy go together: two numbers of 0 to 1")
	}
	leave, err := x.server.enterUploads() // the file is fetched into a temporary one
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(context.Background(), uploadLife)
	defer cancel()
	answer, err := x.carryOut(x.server.Ingest.Complete(ctx, id, order.Name, o))
	if err != nil {
		return err
	}
	respondJSON(x, http.StatusCreated, answer)
	return nil
}
