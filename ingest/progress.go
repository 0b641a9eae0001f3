package ingest

import (
	"context"
	"slices"
	"time"

	"github.com/imgedge/imgedge/resize"
)

// Progress completes what a manifest says of an image's presets with what is known now, on this node or in the
// caches.
func (s *Store) Progress(ctx context.Context, image *Image) []Preset {
	presets := slices.Clone(image.Presets)
	if s.Presets == nil {
		return presets
	}
	s.Presets.init()
	here, _ := s.Presets.look(image.ID)
	for i := range presets {
		p := &presets[i]
		if at := slices.IndexFunc(here, func(h Preset) bool { return h.Name == p.Name }); at >= 0 {
			*p = here[at]
			continue
		}
		if p.State != StateQueued {
			continue
		}
		switch {
		case s.Presets.Maker.Made(ctx, image.Key, p.Name):
			p.State = StateDone
		case s.now().Sub(image.Created) > coldTime:
			p.State = StateCold
		}
	}
	return presets
}

// watchPause is how often the presets of an image are looked at that another node makes.
const watchPause = time.Second

// Watch calls tell with the presets of an image, now and after each change, until all are in a final state,
// ctx ends, or tell returns an error. A 404 if there is no such image.
func (s *Store) Watch(ctx context.Context, id string, tell func([]Preset) error) error {
	var told []Preset
	for {
		var changed <-chan struct{}
		if s.Presets != nil {
			s.Presets.init()
			_, changed = s.Presets.look(id) // before the look at the state, so that no change is missed
		}
		image, err := s.Image(ctx, id)
		if err != nil {
			return err
		}
		now := s.Progress(ctx, image)
		if told == nil || !slices.Equal(told, now) {
			if err := tell(now); err != nil {
				return err
			}
			told = append([]Preset{}, now...)
		}
		if !slices.ContainsFunc(now, func(p Preset) bool { return !p.State.final() }) {
			return nil
		}
		select {
		case <-changed:
		case <-time.After(watchPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Retry makes presets of an image once more; no names = those that failed or are cold. Their state is queued
// from here on.
func (s *Store) Retry(ctx context.Context, id string, names []string) (*Image, error) {
	image, err := s.Image(ctx, id)
	if err != nil {
		return nil, err
	}
	if s.Presets == nil {
		return nil, resize.BadOption("presets: none are configured")
	}
	presets := s.Progress(ctx, image)
	var again []Preset
	for _, name := range names {
		if !slices.Contains(s.Presets.Names, name) {
			return nil, resize.BadOption("presets: " + name + " is not one of those that are made at upload")
		}
		again = append(again, Preset{Name: name, State: StateQueued})
	}
	for _, p := range presets {
		if len(names) == 0 && (p.State == StateFailed || p.State == StateCold) {
			again = append(again, Preset{Name: p.Name, State: StateQueued})
		}
	}
	if len(again) == 0 {
		return image, nil
	}
	if image, err = s.edit(ctx, id, func(i *Image) { i.note(again) }); err != nil {
		return nil, err
	}
	names = nil
	for _, p := range again {
		names = append(names, p.Name)
	}
	s.Presets.begin(s, image, nil, names)
	return image, nil
}

// Resume looks through the uploads since a time and makes the presets that no node has made: those of a node
// that ended. It returns how many images it took up.
func (s *Store) Resume(ctx context.Context, since time.Time) (int, error) {
	if s.Presets == nil {
		return 0, nil
	}
	taken := 0
	for q := (Query{}); ; {
		page, err := s.List(ctx, q)
		if err != nil {
			return taken, err
		}
		for i := range page.Images {
			image := &page.Images[i]
			if image.Created.Before(since) {
				return taken, nil
			}
			if s.resume(ctx, image) {
				taken++
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return taken, nil
		}
	}
}

// resume takes up one image if something of it is queued.
func (s *Store) resume(ctx context.Context, image *Image) bool {
	if here, _ := s.Presets.look(image.ID); here != nil {
		return false
	}
	var names []string
	for _, p := range image.Presets {
		if p.State == StateQueued && !s.Presets.Maker.Made(ctx, image.Key, p.Name) {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return false
	}
	s.Presets.begin(s, image, nil, names)
	return true
}
