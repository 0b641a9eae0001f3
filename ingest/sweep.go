package ingest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
)

// Sweep says how orphans are looked for.
type Sweep struct {
	Grace  time.Duration // age from which on one is an orphan; 0 = the store's; negative = none is too young
	Delete bool          // else they are only found
	Rate   float64       // deletions a second; 0 = 50
	Each   func(Finding) // told of every finding; nil = nobody is
	Alive  func() bool   // asked before each deletion; false ends the sweep; nil = it goes on
}

// Finding is one object that a sweep has something to say about.
type Finding struct {
	Key    string
	Size   int64
	Age    time.Duration
	Kind   Kind
	Remove bool // it was removed, or would be
}

// Kind says what a sweep found.
type Kind string

// The kinds. Nothing but orphans is removed.
const (
	KindOrphan  Kind = "orphan"  // ours, and nobody's any more
	KindYoung   Kind = "young"   // as an orphan, but it may still be committed
	KindForeign Kind = "foreign" // not of our making
	KindBroken  Kind = "broken"  // an image whose object somebody has taken away
	KindRebuilt Kind = "rebuilt" // a manifest that was missing, and is written anew
)

// Report sums up a sweep.
type Report struct {
	Seen    int   // objects looked at
	Images  int   // that are committed
	Orphans int   // found, and old enough
	Removed int   // of these
	Bytes   int64 // of the orphans
	Young   int
	Foreign int
	Broken  int
	Rebuilt int
}

const defaultRate = 50

// Sweep looks for what a crash has left behind, and removes it where it may. It reads every record first.
// An object is an orphan only if its name and its metadata are ours, no manifest and no record names it, and
// it is older than the grace period; all of this is asked again just before it is removed. Sweeps may run at
// once with uploads, deletions and each other, and may be ended at any time.
func (s *Store) Sweep(ctx context.Context, o Sweep) (Report, error) {
	if o.Grace == 0 {
		o.Grace = s.grace()
	}
	if o.Rate <= 0 {
		o.Rate = defaultRate
	}
	w := &sweep{Store: s, order: o, limit: rate.NewLimiter(rate.Limit(o.Rate), 1), named: map[string]string{}, answers: map[string][]answered{}, there: map[string]bool{}, manifests: map[string]Object{}}
	// Objects before manifests and records: what is committed in between is seen as committed. The archive before
	// images: what is found first is removed first, see putArchive.
	steps := []func(context.Context) error{w.listArchive, w.listImages, w.listUploads, w.listManifests, w.readRecords, w.judgeImages, w.judgeManifests, w.judgeAnswers, w.judgeRecords}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return w.report, storage(err)
		}
	}
	return w.report, nil
}

// sweep is one sweep under way.
type sweep struct {
	*Store
	order  Sweep
	limit  *rate.Limiter
	report Report

	mu        sync.Mutex            // guards named and answers while records are read
	named     map[string]string     // id → the upload whose record names it
	answers   map[string][]answered // of records that name no image, by their keys
	there     map[string]bool       // ids that have an object
	manifests map[string]Object     // by id
	doubtful  []doubt               // objects that may be orphans
	records   []Object              // of uploads
}

// doubt is an object that may be an orphan.
type doubt struct {
	Object
	in Bucket
	id string // of its image; "" = it belongs to none
}

// listed goes through a folder. Names that are not ours are foreign.
func (w *sweep) listed(ctx context.Context, b Bucket, folder string, ours func(name string) bool) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for object, err := range b.List(ctx, folder, "") {
			if err == nil {
				w.report.Seen++
				if folder != "" && !inFolder(object.Key, folder) || folder == "" && baseName(object.Key) != object.Key || !ours(baseName(object.Key)) {
					w.foreign(object)
					continue
				}
			}
			if !yield(object, err) || err != nil {
				return
			}
		}
	}
}

func (w *sweep) listImages(ctx context.Context) error {
	for object, err := range w.listed(ctx, w.Bucket, imagesFolder, isImageFile) {
		if err != nil {
			return err
		}
		id := idOf(baseName(object.Key))
		w.there[id] = true
		w.doubtful = append(w.doubtful, doubt{object, w.Bucket, id})
	}
	return nil
}

func (w *sweep) listArchive(ctx context.Context) error {
	if w.Archive == nil {
		return nil
	}
	for object, err := range w.listed(ctx, w.Archive, "", isImageFile) {
		if err != nil {
			return err
		}
		w.doubtful = append(w.doubtful, doubt{object, w.Archive, idOf(baseName(object.Key))})
	}
	return nil
}

func (w *sweep) listUploads(ctx context.Context) error {
	ours := func(name string) bool { return isJSONFile(name) || isPartFile(name) }
	for object, err := range w.listed(ctx, w.Bucket, uploadsFolder, ours) {
		if err != nil {
			return err
		}
		if isPartFile(baseName(object.Key)) {
			w.doubtful = append(w.doubtful, doubt{object, w.Bucket, ""})
			continue
		}
		w.records = append(w.records, object)
	}
	return nil
}

func (w *sweep) listManifests(ctx context.Context) error {
	ours := func(name string) bool { return isJSONFile(name) || isMarkFile(name) }
	for object, err := range w.listed(ctx, w.Bucket, manifestsFolder, ours) {
		if err != nil {
			return err
		}
		if isMarkFile(baseName(object.Key)) {
			w.doubtful = append(w.doubtful, doubt{object, w.Bucket, ""})
			continue
		}
		w.manifests[idOf(baseName(object.Key))] = object
	}
	return nil
}

// readRecords notes what records name. A record that cannot be read ends the sweep: what it names is not
// known.
func (w *sweep) readRecords(ctx context.Context) error {
	// Once more: a record that was written since belongs to an object that was listed.
	records := map[string]bool{}
	for object, err := range w.Bucket.List(ctx, uploadsFolder, "") {
		if err != nil {
			return err
		}
		if isJSONFile(baseName(object.Key)) && inFolder(object.Key, uploadsFolder) {
			records[object.Key] = true
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2 * w.parallel())
	for key := range records {
		g.Go(func() error {
			r, _, err := load[record](ctx, w.Bucket, key)
			if errors.Is(err, ErrAbsent) {
				return nil // deleted since
			}
			if err != nil {
				return err
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(r.Images) == 0 {
				w.answers[key] = r.Files
			}
			for i := range r.Images {
				w.named[r.Images[i].ID] = idOf(baseName(key))
			}
			return nil
		})
	}
	return g.Wait()
}

func (w *sweep) judgeImages(ctx context.Context) error {
	for _, d := range w.doubtful {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, described := w.manifests[d.id]
		upload, named := w.named[d.id]
		var err error
		switch {
		case d.id != "" && described:
			w.committed(d)
		case d.id != "" && named:
			err = w.repair(ctx, d, upload)
		default:
			err = w.judge(ctx, d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// committed counts an image that is as it should be.
func (w *sweep) committed(d doubt) {
	if within(d.Key, imagesFolder) && d.in == w.Bucket {
		w.report.Images++
	}
}

// repair writes a manifest that is missing.
func (w *sweep) repair(ctx context.Context, d doubt, upload string) error {
	if d.in != w.Bucket || !within(d.Key, imagesFolder) {
		return nil
	}
	if w.order.Delete {
		unlock, err := w.locks.lock(ctx, d.id)
		if err != nil {
			return err
		}
		defer unlock()
		image, err := w.rebuild(ctx, d.id, upload)
		if err != nil || image == nil {
			return err // a later sweep sees what became of it
		}
	}
	w.report.Images++
	w.report.Rebuilt++
	w.tell(Finding{Key: manifestKey(d.id), Kind: KindRebuilt}, d.Object)
	return nil
}

// judgeManifests looks for images that have lost their object. A manifest that no record names is left over
// from a deletion that was ended; else somebody has taken the object away.
func (w *sweep) judgeManifests(ctx context.Context) error {
	for id, object := range w.manifests {
		if w.there[id] {
			continue
		}
		if _, named := w.named[id]; named {
			w.report.Broken++
			w.tell(Finding{Key: object.Key, Kind: KindBroken}, object)
			continue
		}
		if err := w.judge(ctx, doubt{object, w.Bucket, id}); err != nil {
			return err
		}
	}
	return nil
}

// judgeAnswers removes records that tell of images alone which are all gone.
func (w *sweep) judgeAnswers(ctx context.Context) error {
	for _, object := range w.records {
		files, only := w.answers[object.Key]
		if !only || slices.ContainsFunc(files, func(a answered) bool { return w.manifests[a.ID].Key != "" || w.named[a.ID] != "" }) {
			continue
		}
		if err := w.judge(ctx, doubt{object, w.Bucket, ""}); err != nil {
			return err
		}
	}
	return nil
}

// judgeRecords takes images out of old records that have neither a manifest nor an object any more.
func (w *sweep) judgeRecords(ctx context.Context) error {
	if !w.order.Delete {
		return nil
	}
	for id, upload := range w.named {
		_, described := w.manifests[id]
		if described || w.there[id] || !w.oldRecord(upload) {
			continue
		}
		if err := w.heal(ctx, id, upload); err != nil {
			return err
		}
	}
	return nil
}

func (w *sweep) oldRecord(upload string) bool {
	for _, object := range w.records {
		if object.Key == recordKey(upload) {
			return w.age(object) > w.order.Grace
		}
	}
	return false
}

// heal takes one image out of a record if it is still gone.
func (w *sweep) heal(ctx context.Context, id, upload string) error {
	unlock, err := w.locks.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	key, err := w.objectOf(ctx, id)
	if err != nil || key != "" {
		return err
	}
	if _, err := w.Bucket.Stat(ctx, manifestKey(id)); !errors.Is(err, ErrAbsent) {
		return err
	}
	return w.strike(ctx, upload, id)
}
