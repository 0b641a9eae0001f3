package ingest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/imgedge/imgedge/resize"
)

// childVariable holds the work of a child process, which is this test program itself.
const childVariable = "IMGEDGE_INGEST_CHILD"

// work is what a child does until it kills itself.
type work struct {
	Endpoint, Region, Access, Secret string
	Prefix                           string
	Seed                             uint64
	KillAt                           int64 // the bucket call at which it dies
	After                            bool  // dies after the call was carried out, else before
}

// step is one line of a child's report. A step without Done was begun.
type step struct {
	Op       string
	Pictures []int
	Done     bool
}

const (
	pictures = 6 // that uploads choose from
	steps    = 10
)

// mortal is a Bucket whose process ends at a call.
type mortal struct {
	Bucket
	calls atomic.Int64
	work
}

func (m *mortal) call(do func()) {
	n := m.calls.Add(1)
	if n == m.KillAt && !m.After {
		die()
	}
	do()
	if n == m.KillAt {
		die()
	}
}

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func (m *mortal) Put(ctx context.Context, key string, body *io.SectionReader, how How) (err error) {
	m.call(func() { err = m.Bucket.Put(ctx, key, body, how) })
	return err
}

func (m *mortal) Get(ctx context.Context, key string, maxBytes int64) (data []byte, o Object, err error) {
	m.call(func() { data, o, err = m.Bucket.Get(ctx, key, maxBytes) })
	return data, o, err
}

func (m *mortal) Stat(ctx context.Context, key string) (o Object, err error) {
	m.call(func() { o, err = m.Bucket.Stat(ctx, key) })
	return o, err
}

func (m *mortal) List(ctx context.Context, prefix, after string) (seq iter.Seq2[Object, error]) {
	m.call(func() { seq = m.Bucket.List(ctx, prefix, after) })
	return seq
}

func (m *mortal) Delete(ctx context.Context, key string) (err error) {
	m.call(func() { err = m.Bucket.Delete(ctx, key) })
	return err
}

// child does random work and reports each step before and after.
func child(job string) int {
	var w work
	if err := json.Unmarshal([]byte(job), &w); err != nil {
		return 2
	}
	b, err := openBucket(w.Endpoint, w.Region, w.Access, w.Secret)
	if err != nil {
		return 2
	}
	s := &Store{Bucket: &mortal{Bucket: s3{b.Objects(w.Prefix)}, work: w}, Engine: fakeEngine{}, Limits: resize.DefaultLimits(), Parallel: 2, markLife: time.Millisecond}
	random := rand.New(rand.NewPCG(w.Seed, 1))
	out := json.NewEncoder(os.Stdout)
	for range steps {
		st := step{Op: []string{"upload", "upload", "upload", "broken", "delete", "delete", "sweep"}[random.IntN(7)]}
		switch st.Op {
		case "upload", "broken":
			st.Pictures = random.Perm(pictures)[:1+random.IntN(4)]
		case "delete":
			st.Pictures = []int{random.IntN(pictures)}
		}
		_ = out.Encode(st)
		if err := s.do(st); err != nil {
			fmt.Fprintln(os.Stderr, st.Op, err)
			return 3
		}
		st.Done = true
		_ = out.Encode(st)
	}
	return 0
}

// do carries out one step.
func (s *Store) do(st step) error {
	ctx := context.Background()
	switch st.Op {
	case "upload", "broken":
		o, numbers := Order{Atomic: true}, st.Pictures
		if st.Op == "broken" {
			numbers = append(slices.Clone(numbers), broken) // which is seen when the others are on their way
		}
		for _, n := range numbers {
			f, err := s.Receive(bytes.NewReader(picture(n)), "p.jpg")
			if err != nil {
				return err
			}
			o.Files = append(o.Files, f)
		}
		_, err := s.Upload(ctx, o)
		if st.Op == "broken" && isStatus(err, http.StatusUnprocessableEntity) {
			return nil
		}
		return err
	case "delete":
		err := s.Delete(ctx, pictureID(st.Pictures[0]))
		if IsNotFound(err) {
			return nil
		}
		return err
	default:
		_, err := s.Sweep(ctx, Sweep{Grace: -time.Hour, Delete: true, Rate: 1e6})
		return err
	}
}

// pictureID is the id that a picture gets.
func pictureID(n int) string {
	clean, _ := resize.Clean(picture(n), resize.FormatJPEG, 1)
	return imageID(sha256.Sum256(clean))
}

// model is what has to be visible.
type model map[string]bool

func (m model) apply(st step) model {
	next := model{}
	for id, there := range m {
		next[id] = there
	}
	for _, n := range st.Pictures {
		if st.Op != "broken" {
			next[pictureID(n)] = st.Op == "upload"
		}
	}
	return next
}

func (m model) ids() []string {
	var ids []string
	for id, there := range m {
		if there {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// run lets a child work until it dies or is done, and returns what it reported.
func run(t *testing.T, w work) []step {
	t.Helper()
	job, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+string(job))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() >= 0) {
		t.Fatalf("%+v: the child ended with %v: %s", w, err, complaints.String())
	}
	var all []step
	for scan := bufio.NewScanner(bytes.NewReader(out)); scan.Scan(); {
		var st step
		if err := json.Unmarshal(scan.Bytes(), &st); err != nil {
			t.Fatal(err)
		}
		all = append(all, st)
	}
	return all
}

// settle waits until the server has carried out what a child had asked for when it died: an object that comes
// after the sweep has looked is none that it could have found.
func settle(t *testing.T, b Bucket) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	before := keys(t, b)
	for same := 0; same < 4; <-tick.C {
		now := keys(t, b)
		if same++; !slices.Equal(now, before) {
			same, before = 0, now
		}
	}
}

// strangers puts objects of others among ours, some of which look like ours.
func strangers(t *testing.T, b Bucket) map[string]bool {
	t.Helper()
	id := strings.Repeat("0123456789abcdef", 2)
	all := map[string]bool{}
	for key, upload := range map[string]string{
		"readme.txt": "", "images/readme.txt": "", "images/" + id + ".jpg": "", "images/sub/" + id + ".jpg": id,
		"images/" + id: id, "images/" + id[:31] + ".jpg": id, "images/" + strings.ToUpper(id) + ".jpg": id,
		"images/" + id[1:] + "f.jpg": "not-an-id", "manifests/readme.json": id, "uploads/mine.json": id, "uploads/" + id + ".txt": id,
		"uploads/" + id + ".part": "", "imagesx/" + id + ".jpg": id, "variants/" + id + ".webp": id,
	} {
		if err := b.Put(t.Context(), key, document([]byte("of somebody else")), How{Upload: upload}); err != nil {
			t.Fatal(err)
		}
		all[key] = true
	}
	return all
}

// untouched fails the test unless the strangers' objects are as they were.
func untouched(t *testing.T, b Bucket, all map[string]bool) {
	t.Helper()
	for key := range all {
		if data, _, err := b.Get(t.Context(), key, 100); err != nil || string(data) != "of somebody else" {
			t.Errorf("the stranger's %s: %q, %v", key, data, err)
		}
	}
}

// seeds are how many times the model is tried; IMGEDGE_SEEDS says more for a longer run.
func seeds() int {
	if n, err := strconv.Atoi(os.Getenv("IMGEDGE_SEEDS")); err == nil {
		return n
	}
	return 10
}

// TestModel lets processes upload, delete and sweep at random until they are killed at a random call, and
// looks at what is left: what was answered is there, what was not is there as a whole or not at all; after
// one sweep nothing is left over, and nothing of others was touched.
func TestModel(t *testing.T) {
	s := newServer(t)
	for seed := range seeds() {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(seed), 2))
			prefix := fmt.Sprintf("seed%d/", seed)
			store := s.store(prefix)
			others := strangers(t, store.Bucket)
			state := model{}
			for life := range 3 {
				w := work{
					Endpoint: s.Endpoint, Region: s.Region, Access: s.AccessKey, Secret: s.SecretKey, Prefix: prefix,
					Seed: random.Uint64(), KillAt: 1 + random.Int64N(70), After: random.IntN(2) == 0,
				}
				may := state
				for _, st := range run(t, w) {
					may = state.apply(st)
					if st.Done {
						state = may
					}
				}
				settle(t, store.Bucket)
				seen := visible(t, store)
				switch {
				case slices.Equal(seen, may.ids()):
					state = may
				case !slices.Equal(seen, state.ids()):
					t.Fatalf("life %d, %+v: visible\n%v, want\n%v or\n%v", life, w, seen, state.ids(), may.ids())
				}
				if life == 1 {
					continue // the next one finds what this one left behind
				}
				everything(t, store)
				whole(t, store, others)
				if after := visible(t, store); !slices.Equal(after, seen) {
					t.Fatalf("life %d, %+v: the sweep changed\n%v to\n%v", life, w, seen, after)
				}
			}
			untouched(t, store.Bucket, others)
		})
	}
}
