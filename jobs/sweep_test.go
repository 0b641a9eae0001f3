package jobs

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imgedge/imgedge/internal/testpeer"
)

// TestSweepGoesByTheRecords lets a job, a draft and a foreign object grow old.
func TestSweepGoesByTheRecords(t *testing.T) {
	_, client := newRedis(t)
	bucket := &testpeer.Shelf{}
	var ahead atomic.Int64
	e := work(t, open(t, client, func(e *Engine) {
		e.Bucket, e.Now = bucket, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	}))
	j := ended(t, e, submit(t, e, Spec{}, keys(2)).ID)
	d, err := e.Begin(t.Context(), "cms", Spec{Source: "shop", Outputs: []string{"w=3"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Add(t.Context(), "a.gif", []byte("GIF89a...")); err != nil {
		t.Fatal(err)
	}
	foreign := []string{"records/readme.txt", j.ID + "/notes.txt", j.ID + "/in/a", j.ID + "/out/1-0.jpg/x", "x/out/0-0.jpg"}
	for _, key := range foreign {
		if err := bucket.Put(t.Context(), key, []byte("ours? no"), ""); err != nil {
			t.Fatal(err)
		}
	}
	audit := func() {
		t.Helper()
		if err := e.Audit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	before := bucket.Keys()
	audit()
	if got := bucket.Keys(); !slices.Equal(got, before) {
		t.Errorf("before anything is old, %v of %v are left", got, before)
	}
	ahead.Store(int64(2 * time.Hour))
	audit()
	if left := bucket.Keys(); slices.Contains(left, recordKey(d.record.ID)) || slices.Contains(left, inputKey(d.record.ID, 0)) {
		t.Errorf("an old draft is left: %v", left)
	}
	if _, err := e.Archive(t.Context(), j.ID); err != nil {
		t.Errorf("the archive within the retention: %v", err)
	}
	ahead.Store(int64(DefaultRetention + time.Minute))
	audit()
	slices.Sort(foreign)
	if got := bucket.Keys(); !slices.Equal(got, foreign) {
		t.Errorf("left are %v, want %v", got, foreign)
	}
	if now, err := e.Get(t.Context(), j.ID); err != nil || now.State != StateExpired {
		t.Errorf("the job is %s, %v, want expired", now.State, err)
	}
	if _, err := e.Archive(t.Context(), j.ID); !errors.Is(err, ErrExpired) {
		t.Errorf("the archive past the retention: %v", err)
	}
}

func TestNamed(t *testing.T) {
	const id = "06gvtjaaqdcnb8ufra4em75ecs"
	for key, want := range map[string]bool{
		id + "/manifest.json": true, id + "/in/0": true, id + "/out/12-3.webp": true,
		id + "/in/": false, id + "/in/x": false, id + "/out/1.jpg": false, id + "/out/1-.jpg": false, id + "/out/1-2": false,
		id + "/out/1-2.a/b": false, id + "/other": false, "other/in/0": false, id + "x/in/0": false,
	} {
		if got := named(id, key); got != want {
			t.Errorf("named(%q) = %v, want %v", key, got, want)
		}
	}
	if !ValidID(id) || ValidID("../../etc/passwd/records/a") || ValidID(id+"0") || ValidID("") {
		t.Error("ValidID takes what is no id, or not what is one")
	}
}

// Without a bucket, a job that is being queued while the records are gone through is left alone: its names are
// in Redis before its state is.
func TestAuditLeavesAJobThatIsBeingQueued(t *testing.T) {
	_, client := newRedis(t)
	e := open(t, client, func(e *Engine) { e.Bucket = nil })
	e.setup()
	r := e.newRecord("cms", KindWarm, Spec{})
	r.Asked = []Asked{{Name: "a.jpg", Key: "a.jpg", Source: "shop", Outputs: []string{"w=400&f=webp"}}}
	if err := e.writeRecord(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := e.state.index(t.Context(), r.ID, r.Owner, true); err != nil {
		t.Fatal(err)
	}
	if err := e.Audit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.enqueue(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	listed, _, err := e.List(t.Context(), "cms", "", 10)
	if err != nil || len(listed) != 1 {
		t.Errorf("List = %v, %v; want the job", listed, err)
	}
	work(t, e)
	if j := ended(t, e, r.ID); j.State != StateDone {
		t.Errorf("the job ends as %s, want %s", j.State, StateDone)
	}
}
