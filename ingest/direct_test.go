package ingest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// putBy does what a client does with a ticket.
func putBy(t *testing.T, ticket *Ticket, data []byte, mediaType string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), ticket.Method, ticket.URL, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range ticket.Headers {
		req.Header.Set(name, value)
	}
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

func TestDirect(t *testing.T) {
	server := newServer(t)
	s := server.store("a/")
	s.Presigner = server.under("a/")
	data := picture(1)
	ticket, err := s.Direct(t.Context(), "image/jpeg", int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if status := putBy(t, ticket, append(data, 1), ""); status != http.StatusForbidden {
		t.Errorf("a longer file: %d", status)
	}
	if status := putBy(t, ticket, data, "text/html"); status != http.StatusForbidden {
		t.Errorf("another type: %d", status)
	}
	if _, err := s.Complete(t.Context(), ticket.ID, "a.jpg", Order{}); !IsNotFound(err) {
		t.Errorf("completed before it was put: %v", err)
	}
	if status := putBy(t, ticket, data, ""); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if seen := visible(t, s); len(seen) > 0 {
		t.Errorf("visible before it was completed: %v", seen)
	}
	got, err := s.Complete(t.Context(), ticket.ID, "a.jpg", Order{Focus: &Focus{0, 1}})
	if err != nil || len(got.Images) != 1 || got.Images[0].ID != pictureID(1) || got.Images[0].Name != "a.jpg" || *got.Images[0].Focus != (Focus{0, 1}) {
		t.Fatalf("Complete = %+v, %v", got, err)
	}
	whole(t, s, nil)
	again, err := s.Complete(t.Context(), ticket.ID, "", Order{})
	if err != nil || !slices.Equal(idsOf(again), idsOf(got)) {
		t.Errorf("completed twice: %+v, %v", again, err)
	}
}

func TestDirectRefuses(t *testing.T) {
	server := newServer(t)
	s := server.store("a/")
	if _, err := s.Direct(t.Context(), "image/jpeg", 1); !IsNotFound(err) {
		t.Errorf("without a presigner: %v", err)
	}
	s.Presigner = server.under("a/")
	for _, row := range []struct {
		mediaType string
		size      int64
		status    int
	}{
		{"image/jpeg", 0, 400}, {"image/jpeg", DefaultMaxFile + 1, 413}, {"text/html", 1, 415}, {"", 1, 415},
	} {
		if _, err := s.Direct(t.Context(), row.mediaType, row.size); !isStatus(err, row.status) {
			t.Errorf("Direct(%q, %d): %v, want %d", row.mediaType, row.size, err, row.status)
		}
	}
	bad := []byte("this is no picture")
	ticket, err := s.Direct(t.Context(), "image/png", int64(len(bad)))
	if err != nil {
		t.Fatal(err)
	}
	if status := putBy(t, ticket, bad, ""); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if _, err := s.Complete(t.Context(), ticket.ID, "", Order{}); !isStatus(err, 415) {
		t.Errorf("no picture: %v", err)
	}
	if left := keys(t, s.Bucket); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	for _, id := range []string{"", "../a", strings.Repeat("0", 32)} {
		if _, err := s.Complete(t.Context(), id, "", Order{}); !IsNotFound(err) {
			t.Errorf("Complete(%q): %v", id, err)
		}
	}
	ticket, err = s.Direct(t.Context(), "image/jpeg", int64(len(picture(1))))
	if err != nil {
		t.Fatal(err)
	}
	putBy(t, ticket, picture(1), "")
	if r := everything(t, s); r.Removed != 1 {
		t.Errorf("never completed: %+v, want one orphan", r)
	}
	if left := keys(t, s.Bucket); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// forgetful is a Bucket that fails an upload just before its record is written.
type forgetful struct {
	Bucket
	before func()
}

var errForgotten = errors.New("the bucket is gone")

func (f *forgetful) Put(ctx context.Context, key string, body *io.SectionReader, how How) error {
	if !within(key, uploadsFolder) {
		return f.Bucket.Put(ctx, key, body, how)
	}
	f.before()
	return errForgotten
}

func (f *forgetful) Stat(ctx context.Context, key string) (Object, error) {
	if within(key, uploadsFolder) {
		return Object{}, errForgotten
	}
	return f.Bucket.Stat(ctx, key)
}

// A client completes an upload on two nodes, as one does that has lost its patience: what one of them has answered is
// there, whatever becomes of the other.
func TestCompleteOnTwoNodes(t *testing.T) {
	server := newServer(t)
	one, other := server.store("a/"), server.store("a/")
	one.Presigner = server.under("a/")
	ticket, err := one.Direct(t.Context(), "image/jpeg", int64(len(picture(1))))
	if err != nil {
		t.Fatal(err)
	}
	putBy(t, ticket, picture(1), "")
	other.Bucket = &forgetful{other.Bucket, func() {
		if _, err := one.Complete(t.Context(), ticket.ID, "", Order{}); err != nil {
			t.Error(err)
		}
	}}
	if _, err := other.Complete(t.Context(), ticket.ID, "", Order{}); !isStatus(err, http.StatusBadGateway) {
		t.Errorf("Complete on the node whose bucket fails: %v, want a 502", err)
	}
	whole(t, one, nil)
	if seen := visible(t, one); len(seen) != 1 {
		t.Errorf("visible %v, want one", seen)
	}
}

// Of a direct upload whose px are broken nothing stays.
func TestCompleteOfBroken(t *testing.T) {
	server := newServer(t)
	s := server.store("a/")
	s.Presigner = server.under("a/")
	ticket, err := s.Direct(t.Context(), "image/jpeg", int64(len(picture(broken))))
	if err != nil {
		t.Fatal(err)
	}
	putBy(t, ticket, picture(broken), "")
	if _, err := s.Complete(t.Context(), ticket.ID, "", Order{}); !isStatus(err, http.StatusUnprocessableEntity) {
		t.Errorf("Complete: %v, want a 422", err)
	}
	whole(t, s, nil)
}
