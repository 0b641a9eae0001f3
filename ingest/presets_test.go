package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/imgedge/imgedge/resize"
)

// fakeMaker fails as the test says.
type fakeMaker struct {
	fail func(preset string, try int) error // nil = never

	mu    sync.Mutex
	tries map[string]int
	made  map[string]bool
	data  [][]byte // of each call; nil = read again
}

var _ Maker = (*fakeMaker)(nil)

func (f *fakeMaker) Make(_ context.Context, key string, data []byte, presets []string) []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tries == nil {
		f.tries, f.made = map[string]int{}, map[string]bool{}
	}
	f.data = append(f.data, data)
	errs := make([]error, len(presets))
	for i, preset := range presets {
		f.tries[preset]++
		if f.fail != nil {
			errs[i] = f.fail(preset, f.tries[preset])
		}
		f.made[key+preset] = errs[i] == nil
	}
	return errs
}

func (f *fakeMaker) Made(_ context.Context, key, preset string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.made[key+preset]
}

// withPresets lets a store make presets until the test ends.
func withPresets(t *testing.T, s *Store, m Maker) *Store {
	t.Helper()
	s.Presets = &Presets{Maker: m, Names: []string{"thumb", "card"}, Pause: time.Millisecond, Tries: 3}
	t.Cleanup(func() {
		if err := errors.Join(s.Presets.Close(), s.Presets.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// states are the presets of an image as "thumb done 1", once all are final.
func states(t *testing.T, s *Store, id string) []string {
	t.Helper()
	var last []Preset
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.Watch(ctx, id, func(now []Preset) error { last = now; return nil }); err != nil {
		t.Fatalf("watch: %v (%v)", err, last)
	}
	all := []string{}
	for _, p := range last {
		all = append(all, fmt.Sprintf("%s %s %d", p.Name, p.State, p.Tries))
	}
	return all
}

func TestPresets(t *testing.T) {
	broken := resize.Unprocessable("corrupt_image", "the image is broken")
	for _, row := range []struct {
		name string
		fail func(string, int) error
		want []string
	}{
		{"made", nil, []string{"thumb done 1", "card done 1"}},
		{"at the third try", func(p string, try int) error {
			if p == "card" && try < 3 {
				return errors.New("no luck")
			}
			return nil
		}, []string{"thumb done 1", "card done 3"}},
		{"never", func(p string, _ int) error {
			if p == "thumb" {
				return errors.New("no luck")
			}
			return nil
		}, []string{"thumb failed 3", "card done 1"}},
		{"hopeless", func(p string, _ int) error {
			if p == "card" {
				return broken
			}
			return nil
		}, []string{"thumb done 1", "card failed 1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := newServer(t)
			m := &fakeMaker{fail: row.fail}
			s := withPresets(t, server.store("a/"), m)
			got, err := s.Upload(t.Context(), order(t, s, 1))
			if err != nil {
				t.Fatal(err)
			}
			image := got.Images[0]
			if states := states(t, s, image.ID); !slices.Equal(states, row.want) {
				t.Fatalf("states %v, want %v", states, row.want)
			}
			stored, _, err := s.Bucket.Get(t.Context(), imageKey(image.Key), 1<<20)
			if err != nil || !bytes.Equal(m.data[0], stored) {
				t.Errorf("the bytes in hand were not those that were stored: %v", err)
			}

			// Another node knows what failed from the manifest, and what was made from the caches.
			if err := s.Presets.Close(); err != nil {
				t.Fatal(err)
			}
			m.fail = nil
			other := withPresets(t, server.store("a/"), m)
			want := slices.Clone(row.want)
			for i := range want {
				if _, err := fmt.Sscanf(want[i], "%s done", new(string)); err == nil {
					want[i] = want[i][:len(want[i])-1] + "0"
				}
			}
			if states := states(t, other, image.ID); !slices.Equal(states, want) {
				t.Errorf("elsewhere %v, want %v", states, want)
			}
			if _, err := other.Retry(t.Context(), image.ID, nil); err != nil {
				t.Fatal(err)
			}
			for _, state := range states(t, other, image.ID) {
				if !slices.Contains([]string{"thumb done 0", "card done 0", "thumb done 1", "card done 1"}, state) {
					t.Errorf("after a retry: %s", state)
				}
			}
			if _, err := other.Retry(t.Context(), image.ID, []string{"poster"}); !isStatus(err, http.StatusBadRequest) {
				t.Errorf("retry of another preset: %v", err)
			}
		})
	}
}

// The answer does not wait for presets, and a node that ends leaves them to another.
func TestPresetsAreTakenUp(t *testing.T) {
	server := newServer(t)
	blocked := &blockingMaker{called: make(chan struct{}, 1)}
	s := withPresets(t, server.store("a/"), blocked)
	got, err := s.Upload(t.Context(), order(t, s, 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	<-blocked.called
	image, err := s.Image(t.Context(), got.Images[0].ID)
	if err != nil || len(s.Progress(t.Context(), image)) != 2 {
		t.Fatalf("image %+v, %v", image, err)
	}
	if err := s.Presets.Close(); err != nil {
		t.Fatal(err)
	}
	other := withPresets(t, server.store("a/"), &fakeMaker{})
	if n, err := other.Resume(t.Context(), time.Now().Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("took up %d of the future, %v", n, err)
	}
	if n, err := other.Resume(t.Context(), time.Now().Add(-time.Hour)); n != 2 || err != nil {
		t.Errorf("took up %d, %v; want 2", n, err)
	}
	for _, id := range idsOf(got) {
		if got, want := states(t, other, id), []string{"thumb done 1", "card done 1"}; !slices.Equal(got, want) {
			t.Errorf("states %v, want %v", got, want)
		}
	}
	if n, err := other.Resume(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("took up %d more, %v", n, err)
	}
	other.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	other.Presets = &Presets{Maker: &fakeMaker{}, Names: []string{"thumb"}}
	if got := states(t, other, got.Images[0].ID); !slices.Equal(got, []string{"thumb cold 0", "card cold 0"}) {
		t.Errorf("hours later, in no cache: %v", got)
	}
}

// blockingMaker works until it is told to end.
type blockingMaker struct{ called chan struct{} }

var _ Maker = (*blockingMaker)(nil)

func (b *blockingMaker) Make(ctx context.Context, _ string, _ []byte, presets []string) []error {
	select {
	case b.called <- struct{}{}:
	default:
	}
	<-ctx.Done()
	errs := make([]error, len(presets))
	for i := range errs {
		errs[i] = ctx.Err()
	}
	return errs
}

func (b *blockingMaker) Made(context.Context, string, string) bool { return false }
