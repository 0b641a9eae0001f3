package pipeline

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/imgedge/imgedge/origin"
)

// errRefused is what a rate limit says. It is no outage, for which a copy at hand would be served instead.
var errRefused = statusError{http.StatusTooManyRequests, "rate_limited"}

// Who is asked: the one that begins work, not who finds it done or under way.
func TestAdmissionIsAskedBeforeWork(t *testing.T) {
	b := newBench(t)
	var asked atomic.Int64
	admit := func(context.Context) error { asked.Add(1); return nil }
	b.get(t, b.request(100).Admitted(admit))
	b.get(t, b.request(100).Admitted(admit))
	if got := asked.Load(); got != 1 {
		t.Errorf("asked %d times for a picture made and one in memory, want 1", got)
	}
	refuse := func(context.Context) error { return errRefused }
	b.get(t, b.request(100).Admitted(refuse))
	if e, _, err := b.Get(t.Context(), b.request(200).Admitted(refuse)); !errors.Is(err, errRefused) {
		t.Errorf("refused: %v, %v", e, err)
	}
	b.counts(t, 1, 1)
	b.get(t, b.request(200)) // nothing of the refusal is left
	b.counts(t, 1, 2)
}

// A refusal is its own request's: whoever joined that one's fill begins another.
func TestARefusalIsNotShared(t *testing.T) {
	b := newBench(t)
	entered, decide := make(chan struct{}), make(chan struct{})
	leader := b.async(t.Context(), b.request(100).Admitted(func(context.Context) error {
		close(entered)
		<-decide
		return errRefused
	}))
	<-entered
	var asked atomic.Int64
	admit := func(context.Context) error { asked.Add(1); return nil }
	others := make([]<-chan outcome, 8)
	for i := range others {
		others[i] = b.async(t.Context(), b.request(100).Admitted(admit))
	}
	for b.fills.Stats().Waiting < len(others)+1 {
		if t.Context().Err() != nil {
			t.Fatal("they do not wait")
		}
	}
	close(decide)
	if got := <-leader; !errors.Is(got.err, errRefused) {
		t.Errorf("who led: %v, want the refusal", got.err)
	}
	for _, o := range others {
		if got := <-o; got.err != nil || got.entry == nil {
			t.Errorf("who joined: %v", got.err)
		}
	}
	if got := asked.Load(); got != 1 {
		t.Errorf("asked %d times, want 1: one begins, the others join", got)
	}
	b.counts(t, 1, 1)
}

// A refresh behind an answer is the server's own work.
func TestRefreshesDoNotAsk(t *testing.T) {
	b := newBench(t)
	b.get(t, b.request(100))
	b.clock.add(b.request(100).Source.Fresh + 1)
	b.origin.fetch = func(origin.Conditions) (*origin.Original, error) {
		return &origin.Original{Data: jpeg("new"), Meta: origin.Meta{ETag: `"2"`, MaxAge: -1}}, nil
	}
	b.get(t, b.request(100).Admitted(func(context.Context) error { return errRefused }))
	b.behind.wait.Wait()
	b.counts(t, 2, 2)
}
