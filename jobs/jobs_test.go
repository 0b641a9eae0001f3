package jobs

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imgedge/imgedge/internal/testpeer"
	"github.com/imgedge/imgedge/resize"
)

// TestJobRuns runs a job over a real Redis and over the embedded one.
func TestJobRuns(t *testing.T) {
	for _, queue := range []string{"redis", "embedded"} {
		t.Run(queue, func(t *testing.T) {
			addr, password := "", ""
			if queue == "redis" {
				server, _ := newRedis(t)
				addr = server.Addr
			} else {
				m, err := StartEmbedded()
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = m.Close() })
				u, err := url.Parse(m.URL)
				if err != nil {
					t.Fatal(err)
				}
				addr = u.Host
				password, _ = u.User.Password()
			}
			e := work(t, open(t, clientOf(t, addr, password), nil))
			items := append(keys(5), Asked{Name: "gone.png", Key: "missing.png"})
			j := submit(t, e, Spec{}, items)
			if j.State != StateQueued && j.State != StateRunning || j.Total != 6 {
				t.Errorf("after the submission: %+v", j)
			}
			j = ended(t, e, j.ID)
			if j.State != StatePartial || j.Done != 5 || j.Failed != 1 {
				t.Errorf("at the end: %s, %d done, %d failed", j.State, j.Done, j.Failed)
			}
			want := &Problem{"not_found", "there is no such original"}
			if diff := cmp.Diff(want, j.Items[5].Error); diff != "" {
				t.Errorf("the failed item: %s", diff)
			}
			checkEvents(t, events(t, e, j.ID, 0), 6)
			checkArchive(t, e, j.ID, 5)
		})
	}
}

// checkEvents wants one event an item, rising ids and numbers, and the end.
func checkEvents(t *testing.T, got []Event, items int) {
	t.Helper()
	if len(got) != items+1 {
		t.Fatalf("%d events, want %d: %v", len(got), items+1, got)
	}
	seen := map[string]bool{}
	for i, e := range got {
		var p progress
		if err := json.Unmarshal([]byte(e.Data), &p); err != nil {
			t.Fatalf("event %s: %v", e.Data, err)
		}
		if i > 0 && e.ID <= got[i-1].ID {
			t.Errorf("event %d has id %d after %d", i, e.ID, got[i-1].ID)
		}
		if last := i == items; last != (e.Type == "done") || last != (p.Item == nil) || last != p.State.Ended() {
			t.Errorf("event %d is %s %s", i, e.Type, e.Data)
		}
		if p.Done+p.Failed != min(i+1, items) || p.Total != items {
			t.Errorf("event %d counts %s", i, e.Data)
		}
		if p.Item != nil {
			seen[p.Item.Name] = true
		}
	}
	if len(seen) != items {
		t.Errorf("events of %d items, want %d", len(seen), items)
	}
}

// checkArchive wants both outputs of the first items, each once, with their own bytes.
func checkArchive(t *testing.T, e *Engine, id string, items int) {
	t.Helper()
	a, err := e.Archive(t.Context(), id)
	if err != nil {
		t.Fatalf("Archive: %v", err)
	}
	var body bytes.Buffer
	if err := a.WriteTo(t.Context(), &body); err != nil {
		t.Fatalf("WriteTo: %v", err)
	}
	if int64(body.Len()) != a.Size {
		t.Errorf("the archive has %d bytes, announced %d", body.Len(), a.Size)
	}
	z, err := zip.NewReader(bytes.NewReader(body.Bytes()), a.Size)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if f.Method != zip.Store {
			t.Errorf("%s is compressed", f.Name)
		}
		if f.Name == "errors.json" {
			text = nil
		}
		got = append(got, f.Name+" "+string(text))
	}
	for n := range items {
		want = append(want,
			fmt.Sprintf("1-w400-fwebp/photo %d.webp shop:shop/photo-%d.jpg?w=400&f=webp", n, n),
			fmt.Sprintf("2-w1600-fjpeg/photo %d.jpg shop:shop/photo-%d.jpg?w=1600&f=jpeg", n, n))
	}
	want = append(want, "errors.json ")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("archive (-want +got):\n%s", diff)
	}
}

func TestTroubleThatPassesIsTriedAgain(t *testing.T) {
	_, client := newRedis(t)
	var tries atomic.Int32
	e := work(t, open(t, client, func(e *Engine) {
		e.Pictures = &studio{before: func(context.Context, string) error {
			if tries.Add(1) < 3 {
				return &Error{503, "overloaded", "full"}
			}
			return nil
		}}
	}))
	j := ended(t, e, submit(t, e, Spec{}, keys(1)).ID)
	if j.State != StateDone || tries.Load() != 3 {
		t.Errorf("%s after %d tries, want done after 3", j.State, tries.Load())
	}
}

func TestTroubleThatStaysIsTriedOnce(t *testing.T) {
	_, client := newRedis(t)
	var tries atomic.Int32
	var broken atomic.Bool
	broken.Store(true)
	e := work(t, open(t, client, func(e *Engine) {
		e.Pictures = &studio{before: func(_ context.Context, data string) error {
			if broken.Load() && strings.Contains(data, "photo-1") {
				tries.Add(1)
				return resize.Unprocessable("corrupt_image", "the file is broken")
			}
			return nil
		}}
	}))
	j := ended(t, e, submit(t, e, Spec{}, keys(3)).ID)
	if j.State != StatePartial || tries.Load() != 1 || j.Items[1].Error.Code != "corrupt_image" {
		t.Errorf("%s after %d tries: %+v", j.State, tries.Load(), j.Items[1])
	}
	dead, err := e.queue.inspector.ListArchivedTasks(renderQueue)
	if err != nil || len(dead) != 1 || string(dead[0].Payload) != itemID(j.ID, 1, 1) {
		t.Errorf("dead letters: %v, %v", dead, err)
	}
	before := events(t, e, j.ID, 0)

	broken.Store(false)
	if _, err := e.Retry(t.Context(), j.ID); err != nil {
		t.Fatalf("Retry: %v", err)
	}
	j = ended(t, e, j.ID)
	if j.State != StateDone || j.Done != 3 || j.Failed != 0 {
		t.Errorf("after the retry: %+v", j)
	}
	after := events(t, e, j.ID, before[len(before)-1].ID)
	if len(after) != 2 || after[0].Type != "item" || after[1].Type != "done" {
		t.Errorf("events after the first end: %v", after)
	}
	if _, err := e.Retry(t.Context(), j.ID); err == nil {
		t.Error("a job without failed items was begun again")
	}
	if m, err := e.manifest(t.Context(), j.ID); err != nil || m.Run != 2 || m.Job.Done != 3 {
		t.Errorf("manifest: %+v, %v", m, err)
	}
}

// TestAnItemIsCountedOnce ends items twice, as two workers do to whom the same task came.
func TestAnItemIsCountedOnce(t *testing.T) {
	_, client := newRedis(t)
	e := open(t, client, nil)
	j := submit(t, e, Spec{}, keys(2))
	want := []verdict{verdictMore, verdictOver, verdictLast, verdictOver}
	var got []verdict
	for n := range 2 {
		for range 2 {
			v, err := e.state.finish(t.Context(), j.ID, n, &Item{Name: "a", State: StateDone})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, v)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("verdicts %v, want %v", got, want)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := e.conclude(context.Background(), j.ID); err != nil {
				t.Errorf("conclude: %v", err)
			}
		})
	}
	wg.Wait()
	if got := events(t, e, j.ID, 0); len(got) != 3 {
		t.Errorf("%d events, want 3: %v", len(got), got)
	}
}

func TestASilentWorkerLosesItsItems(t *testing.T) {
	_, client := newRedis(t)
	e := open(t, client, nil)
	j := submit(t, e, Spec{}, keys(3))
	if v, err := e.state.claim(t.Context(), j.ID, 1, "dead"); v != verdictGo || err != nil {
		t.Fatalf("claim: %s, %v", v, err)
	}
	if v, err := e.state.claim(t.Context(), j.ID, 1, "other"); v != verdictBusy || err != nil {
		t.Errorf("a second claim: %s, %v", v, err)
	}
	work(t, e)
	if j = ended(t, e, j.ID); j.State != StateDone {
		t.Errorf("%s, want done", j.State)
	}
	if taken := e.Stats().Taken; taken != 1 {
		t.Errorf("%d items were taken, want 1", taken)
	}
}

// TestAPictureThatKillsIsGivenUp lets one worker after the other die under the same item.
func TestAPictureThatKillsIsGivenUp(t *testing.T) {
	_, client := newRedis(t)
	e := open(t, client, func(e *Engine) { e.pace.lease = 1 })
	j := submit(t, e, Spec{}, keys(1))
	for range maxEpochs {
		if v, err := e.state.claim(t.Context(), j.ID, 0, "dead"); v != verdictGo || err != nil {
			t.Fatalf("claim: %s, %v", v, err)
		}
		until(t, e, j.ID, func(*Job) bool {
			if err := e.recoverJob(t.Context(), j.ID); err != nil {
				t.Fatal(err)
			}
			now, err := e.Get(t.Context(), j.ID)
			return err == nil && now.Items[0].State != StateRunning
		})
	}
	if j = ended(t, e, j.ID); j.State != StateFailed || j.Items[0].Error == nil {
		t.Errorf("%+v, want failed", j)
	}
}

// TestRedisIsForgettable flushes Redis while a job is under way.
func TestRedisIsForgettable(t *testing.T) {
	server, client := newRedis(t)
	reached, flushed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	pictures := &studio{before: func(ctx context.Context, data string) error {
		if !strings.Contains(data, "photo-5") {
			return nil
		}
		once.Do(func() { close(reached) })
		select {
		case <-flushed:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	e := work(t, open(t, client, func(e *Engine) { e.Pictures = pictures }))
	j := submit(t, e, Spec{}, keys(12))
	<-reached
	if err := server.Client(t).FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	close(flushed)
	j = ended(t, e, j.ID)
	if j.State != StateDone || j.Done != 12 {
		t.Errorf("%+v, want 12 done", j)
	}
	all, _, err := e.List(t.Context(), "cms", "", 10)
	if err != nil || len(all) != 1 || all[0].ID != j.ID {
		t.Errorf("the owner's list after the loss: %v, %v", all, err)
	}

	// And once more, after the end: the bucket knows it all.
	if err := server.Client(t).FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	after, err := e.Get(t.Context(), j.ID)
	if err != nil || after.State != StateDone || len(after.Items) != 12 {
		t.Errorf("after the second loss: %+v, %v", after, err)
	}
	checkEvents(t, events(t, e, j.ID, 0), 12)
}

func TestCancel(t *testing.T) {
	_, client := newRedis(t)
	reached := make(chan struct{}, 100)
	e := work(t, open(t, client, func(e *Engine) {
		e.Concurrency = 2
		e.Pictures = &studio{before: func(ctx context.Context, data string) error {
			if strings.Contains(data, "photo-0.") {
				return nil
			}
			reached <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}}
	}))
	j := submit(t, e, Spec{}, keys(10))
	until(t, e, j.ID, func(j *Job) bool { return j.Done == 1 })
	<-reached
	if err := e.Cancel(t.Context(), j.ID); err != nil {
		t.Fatalf("Cancel: %v", err)
	}
	j = ended(t, e, j.ID)
	if j.State != StateCancelled || j.Done != 1 || j.Failed != 0 || j.Cancelled != 9 {
		t.Errorf("%s: %d done, %d failed, %d cancelled", j.State, j.Done, j.Failed, j.Cancelled)
	}
	if err := e.Cancel(t.Context(), j.ID); err != ErrEnded { //nolint:errorlint // the very error
		t.Errorf("a second time: %v", err)
	}
	if a, err := e.Archive(t.Context(), j.ID); err != nil || len(a.entries) != 2 {
		t.Errorf("what was done: %+v, %v", a, err)
	}
}

// TestLeavingPutsItemsBack closes a node in the middle of its work; another goes on at once.
func TestLeavingPutsItemsBack(t *testing.T) {
	server, client := newRedis(t)
	bucket := &testpeer.Shelf{}
	reached := make(chan struct{}, 10)
	first := work(t, open(t, client, func(e *Engine) {
		e.Bucket, e.Concurrency, e.pace = bucket, 1, defaultPace()
		e.Pictures = &studio{before: func(ctx context.Context, _ string) error {
			reached <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}}
	}))
	j := submit(t, first, Spec{}, keys(3))
	<-reached
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_ = first.Close(over) // says that it had no time
	second := work(t, open(t, clientOf(t, server.Addr, ""), func(e *Engine) { e.Bucket = bucket }))
	if j = ended(t, second, j.ID); j.State != StateDone {
		t.Errorf("%+v, want done", j)
	}
	if taken := second.Stats().Taken; taken != 0 {
		t.Errorf("%d items had to wait for a lease", taken)
	}
}
