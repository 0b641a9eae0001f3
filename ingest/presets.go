package ingest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// State says how far a preset of an image is.
type State string

// The states.
const (
	StateQueued  State = "queued"
	StateRunning State = "running"
	StateDone    State = "done"
	StateFailed  State = "failed" // tried as often as it may be; runs again on request
	StateCold    State = "cold"   // in no cache any more: it is made when it is asked for
)

// final reports whether nothing is going to happen by itself.
func (s State) final() bool { return s == StateDone || s == StateFailed || s == StateCold }

// Preset is one preset of an image that is made in the background.
type Preset struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	Tries int    `json:"tries,omitempty"`
	Error string `json:"error,omitempty"` // why it failed
}

// Maker makes the variants of presets and keeps them where requests for them are answered from. It is safe
// for concurrent use.
type Maker interface {
	// Make makes presets of the image with a key, in one decode. data are its bytes, which stay as they are;
	// nil = it reads them from the source. It returns an error for each preset, nil for what is made.
	Make(ctx context.Context, key string, data []byte, presets []string) []error
	// Made reports whether a preset's variants are at hand. It renders nothing.
	Made(ctx context.Context, key, preset string) bool
}

// What Presets do where their fields are zero.
const (
	DefaultTries   = 5
	DefaultPause   = time.Second
	DefaultWorkers = 1
)

const (
	tryTime  = 2 * time.Minute // of one try
	inHand   = 64              // images whose bytes wait for their presets; later ones are read again
	coldTime = time.Hour       // after which what is not at hand is not about to be made
)

// Presets makes the presets of new images in the background. Its fields are set before use and not changed
// after. What is under way is known to this process alone; what has failed for good stands in the manifest.
// Close ends it.
type Presets struct {
	Maker   Maker
	Names   []string      // of the presets, in their order
	Tries   int           // of each; 0 = DefaultTries
	Pause   time.Duration // before the second try; it doubles; 0 = DefaultPause
	Workers int           // images at once; 0 = DefaultWorkers

	setup  sync.Once
	base   context.Context //nolint:containedctx // the life of the workers, which belong to no caller
	stop   context.CancelFunc
	places chan struct{} // one for each worker
	done   sync.WaitGroup

	mu      sync.Mutex // guards what follows
	closed  bool
	held    int                  // images whose bytes are in hand
	working map[string]*progress // by id
}

// progress is an image whose presets are being made, or were a moment ago.
type progress struct {
	presets []Preset
	failed  map[string]bool // presets that are given up; the worker's alone
	changed chan struct{}   // closed by the next change
	over    bool
}

// set puts the state of a preset in the place of an older one.
func (w *progress) set(preset Preset) {
	if at := slices.IndexFunc(w.presets, func(p Preset) bool { return p.Name == preset.Name }); at >= 0 {
		w.presets[at] = preset
		return
	}
	w.presets = append(w.presets, preset)
}

func (p *Presets) init() {
	p.setup.Do(func() {
		p.base, p.stop = context.WithCancel(context.Background())
		p.places = make(chan struct{}, max(p.Workers, DefaultWorkers))
		p.working = map[string]*progress{}
	})
}

// Close gives up what is under way; Resume finds it later. Twice is fine.
func (p *Presets) Close() error {
	p.init()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.stop()
	p.done.Wait()
	return nil
}

// queued are the presets of a new image.
func (p *Presets) queued() []Preset {
	if p == nil {
		return nil
	}
	all := make([]Preset, len(p.Names))
	for i, name := range p.Names {
		all[i] = Preset{Name: name, State: StateQueued}
	}
	return all
}

// begin makes presets of an image behind the caller's back. It takes over file, which may be nil, and reports
// whether it did.
func (p *Presets) begin(s *Store, image *Image, file *File, names []string) bool {
	p.init()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(names) == 0 || p.working[image.ID] != nil && !p.working[image.ID].over {
		return false
	}
	w := &progress{changed: make(chan struct{}), failed: map[string]bool{}}
	if before := p.working[image.ID]; before != nil {
		w.presets = slices.Clone(before.presets)
	}
	for _, name := range names {
		w.set(Preset{Name: name, State: StateQueued})
	}
	p.working[image.ID] = w
	taken := file != nil && p.held < inHand
	if taken {
		p.held++
	} else {
		file = nil
	}
	p.done.Go(func() { p.work(s, image, w, file) })
	return taken
}

// work makes the presets of one image.
func (p *Presets) work(s *Store, image *Image, w *progress, file *File) {
	defer func() {
		if file != nil {
			_ = file.Close() // memory alone
			p.mu.Lock()
			p.held--
			p.mu.Unlock()
		}
	}()
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	case <-p.base.Done():
		return
	}
	var data []byte
	if file != nil {
		data, _ = file.Bytes() // without it the bytes are read from the source
	}
	p.tryAll(image, w, data)
	p.conclude(s, image, w)
}

// tryAll makes what is not made yet, with growing pauses.
func (p *Presets) tryAll(image *Image, w *progress, data []byte) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = DefaultPause
	if p.Pause > 0 {
		pause.InitialInterval = p.Pause
	}
	tries := p.Tries
	if tries <= 0 {
		tries = DefaultTries
	}
	_, _ = backoff.Retry(p.base, func() (struct{}, error) { // how it ended stands in w
		return struct{}{}, p.try(image, w, data, tries)
	}, backoff.WithBackOff(pause), backoff.WithMaxTries(uint(tries))) //nolint:gosec // positive
}

// try makes what is not made yet, once; an error means that another try makes sense.
func (p *Presets) try(image *Image, w *progress, data []byte, most int) error {
	var names []string
	p.update(w, func(preset *Preset) {
		if !preset.State.final() && !w.failed[preset.Name] {
			preset.State = StateRunning
			preset.Tries++
			names = append(names, preset.Name)
		}
	})
	ctx, cancel := context.WithTimeout(p.base, tryTime)
	defer cancel()
	errs := p.Maker.Make(ctx, image.Key, data, names)
	if p.base.Err() != nil {
		return backoff.Permanent(p.base.Err())
	}
	var again error
	p.update(w, func(preset *Preset) {
		i := slices.Index(names, preset.Name)
		if i < 0 {
			return
		}
		switch {
		case errs[i] == nil:
			preset.State, preset.Error = StateDone, ""
		case hopeless(errs[i]) || preset.Tries >= most:
			preset.Error, w.failed[preset.Name] = fileError("", errs[i]).Detail, true
		default:
			preset.State, preset.Error = StateQueued, fileError("", errs[i]).Detail
			again = errs[i]
		}
	})
	return again
}

// hopeless reports whether the same try would end the same way.
func hopeless(err error) bool {
	var c coded
	return errors.As(err, &c) && c.HTTPStatus() < http.StatusInternalServerError && c.HTTPStatus() != http.StatusTooManyRequests
}

// conclude notes in the manifest what has failed for good. What was made is found in the caches.
func (p *Presets) conclude(s *Store, image *Image, w *progress) {
	if p.base.Err() != nil {
		return
	}
	var failed []Preset
	for _, preset := range w.presets { // nobody else changes them
		if w.failed[preset.Name] {
			preset.State = StateFailed
			failed = append(failed, preset)
		}
	}
	if len(failed) > 0 {
		ctx, cancel := afterwards(p.base)
		defer cancel()
		_, _ = s.edit(ctx, image.ID, func(i *Image) { i.note(failed) }) // else it is tried once more after a restart
		p.update(w, func(preset *Preset) {
			if w.failed[preset.Name] {
				preset.State = StateFailed
			}
		})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	w.over = true
	p.thin()
}

// note puts the states of presets into the manifest.
func (i *Image) note(presets []Preset) {
	for _, preset := range presets {
		at := slices.IndexFunc(i.Presets, func(p Preset) bool { return p.Name == preset.Name })
		if at < 0 {
			i.Presets = append(i.Presets, preset)
		} else {
			i.Presets[at] = preset
		}
	}
}

// thin forgets some of what is over, so that the map stays small. The lock is held.
func (p *Presets) thin() {
	const most = 1000
	for id, w := range p.working {
		if len(p.working) <= most {
			return
		}
		if w.over {
			delete(p.working, id)
		}
	}
}

// update changes the presets of w and tells those who watch.
func (p *Presets) update(w *progress, change func(*Preset)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range w.presets {
		change(&w.presets[i])
	}
	close(w.changed)
	w.changed = make(chan struct{})
}

// look returns what this process knows of an image's presets, and a channel that the next change closes;
// nil, nil = nothing.
func (p *Presets) look(id string) ([]Preset, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.working[id]
	if w == nil {
		return nil, nil
	}
	return slices.Clone(w.presets), w.changed
}
