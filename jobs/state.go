package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// state is the jobs' state in Redis.
type state struct {
	redis redis.UniversalClient
	keep  time.Duration // how long a job's keys live
	lease time.Duration // how long a worker may be silent
}

// verdict is what a claim or an end comes to.
type verdict string

// The verdicts of the scripts.
const (
	verdictGo   verdict = "go"   // the item is the worker's
	verdictBusy verdict = "busy" // another's
	verdictOver verdict = "over" // it has ended before
	verdictLost verdict = "lost" // Redis does not know the job
	verdictMore verdict = "more" // counted, and others are to come
	verdictLast verdict = "last" // counted, and it was the last
)

// index enters a job into the sets that name it: the active ones, its owner's, and all.
func (s *state) index(ctx context.Context, id, owner string, active bool) error {
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		if active {
			p.ZAdd(ctx, activeKey, redis.Z{Member: id})
		}
		p.ZAdd(ctx, ownerKey(owner), redis.Z{Member: id})
		p.ZAdd(ctx, allKey, redis.Z{Member: id})
		return nil
	})
	return err
}

// putExpired leaves of a job that it was there.
func (s *state) putExpired(ctx context.Context, j *Job) error {
	key := jobKey(j.ID)
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, key, "state", string(StateExpired), "owner", j.Owner, "kind", string(j.Kind))
		p.PExpire(ctx, key, expiredLife)
		p.ZRem(ctx, activeKey, j.ID)
		return nil
	})
	return err
}

// forget takes a job out of the sets.
func (s *state) forget(ctx context.Context, id, owner string) error {
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.ZRem(ctx, activeKey, id)
		p.ZRem(ctx, ownerKey(owner), id)
		p.ZRem(ctx, allKey, id)
		return nil
	})
	return err
}

// create begins a job whose items all wait. A job that Redis has already is left as it is.
func (s *state) create(ctx context.Context, r *Record) error {
	args := make([]any, 0, 5+len(r.Asked))
	args = append(args, r.Owner, string(r.Kind), r.Created.UnixMilli(), s.keep.Milliseconds(), len(r.Asked))
	for n := range r.Asked {
		text, err := json.Marshal(Item{Name: r.Asked[n].Name, State: StateQueued, Outputs: []Output{}})
		if err != nil {
			return err
		}
		args = append(args, text)
	}
	return createScript.Run(ctx, s.redis, []string{jobKey(r.ID)}, args...).Err()
}

// putEnded writes the state of a job that has ended, where Redis has lost it.
func (s *state) putEnded(ctx context.Context, m *manifest) error {
	j := &m.Job
	key := jobKey(j.ID)
	_, err := s.redis.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, key, "state", string(j.State), "owner", m.Owner, "kind", string(j.Kind), "created", j.Created.UnixMilli(),
			"finished", j.Finished.UnixMilli(), "total", j.Total, "done", j.Done, "failed", j.Failed, "gone", j.Total, "run", m.Run)
		for n := range j.Items {
			text, err := json.Marshal(&j.Items[n])
			if err != nil {
				return err
			}
			p.HSet(ctx, key, field('s', n), letter(j.Items[n].State), field('e', n), 1, field('r', n), text)
		}
		p.PExpire(ctx, key, s.keep)
		return nil
	})
	return err
}

// claim asks for an item on behalf of a worker.
func (s *state) claim(ctx context.Context, id string, item int, worker string) (verdict, error) {
	v, err := claimScript.Run(ctx, s.redis, []string{jobKey(id)}, item, worker, s.lease.Milliseconds()).Text()
	return verdict(v), err
}

// renew prolongs a lease and reports whether it was still the worker's.
func (s *state) renew(ctx context.Context, id string, item int, worker string) (bool, error) {
	kept, err := renewScript.Run(ctx, s.redis, []string{jobKey(id)}, item, worker, s.lease.Milliseconds()).Int()
	return kept == 1, err
}

// release puts an item back.
func (s *state) release(ctx context.Context, id string, item int, worker string) error {
	return releaseScript.Run(ctx, s.redis, []string{jobKey(id)}, item, worker).Err()
}

// finish ends an item.
func (s *state) finish(ctx context.Context, id string, item int, it *Item) (verdict, error) {
	text, err := json.Marshal(it)
	if err != nil {
		return "", err
	}
	v, err := finishScript.Run(ctx, s.redis, []string{jobKey(id), eventsKey(id)},
		item, letter(it.State), text, id, pushChannel, maxEvents, s.keep.Milliseconds()).Text()
	return verdict(v), err
}

// take takes an item back from a silent worker; 0 = there is nothing to take, -1 = queued too often.
func (s *state) take(ctx context.Context, id string, item int) (epoch int, err error) {
	return takeScript.Run(ctx, s.redis, []string{jobKey(id)}, item, maxEpochs).Int()
}

// seal ends a job and reports whether this call did.
func (s *state) seal(ctx context.Context, j *Job) (bool, error) {
	sealed, err := sealScript.Run(ctx, s.redis, []string{jobKey(j.ID), eventsKey(j.ID)},
		string(j.State), j.ID, pushChannel, j.Finished.UnixMilli(), s.keep.Milliseconds()).Int()
	return sealed == 1, err
}

// cancel notes that a job is to end; false = it has ended or is not known.
func (s *state) cancel(ctx context.Context, id string) (bool, error) {
	n, err := cancelScript.Run(ctx, s.redis, []string{jobKey(id)}).Int()
	return n == 1, err
}

// retry queues failed items again and returns their numbers; nil = the job has not ended with any.
func (s *state) retry(ctx context.Context, id string) ([]int64, error) {
	items, err := retryScript.Run(ctx, s.redis, []string{jobKey(id), eventsKey(id)}, s.keep.Milliseconds()).Int64Slice()
	if err != nil || len(items) > 0 && items[0] < 0 {
		return nil, err
	}
	return items, nil
}

// snapshot is a job as Redis has it, with what only the engine needs.
type snapshot struct {
	Job
	gone      int   // items that have ended
	epochs    []int // how often each item was queued
	cancelled bool  // it is wanted that the job ends
	waiting   []int // items that are queued
	working   []int // items that are worked on
}

// load returns a job; nil = Redis does not know it.
func (s *state) load(ctx context.Context, id string) (*snapshot, error) {
	h, err := s.redis.HGetAll(ctx, jobKey(id)).Result()
	if err != nil || len(h) == 0 {
		return nil, err
	}
	number := func(field string) int {
		n, _ := strconv.Atoi(h[field]) // written by a script; absent is 0
		return n
	}
	shot := &snapshot{Job: s.summary(id, func(field string) string { return h[field] }), gone: number("gone"), cancelled: h["cancel"] == "1"}
	shot.Items, shot.epochs = make([]Item, shot.Total), make([]int, shot.Total)
	for n := range shot.Items {
		it := &shot.Items[n]
		if err := json.Unmarshal([]byte(h[field('r', n)]), it); err != nil {
			return nil, fmt.Errorf("item %d of job %s: %w", n, id, err)
		}
		it.State = stateOf(h[field('s', n)])
		shot.epochs[n] = number(field('e', n))
		switch it.State {
		case StateQueued:
			shot.waiting = append(shot.waiting, n)
			it.Error = nil
		case StateRunning:
			shot.working = append(shot.working, n)
			it.Error = nil
		case StateCancelled:
			shot.Cancelled++
		default:
		}
	}
	return shot, nil
}

// summaryFields are what summary reads.
func summaryFields() []string {
	return []string{"state", "owner", "kind", "created", "finished", "total", "done", "failed", "gone", "run"}
}

// summary reads a job without its items.
func (s *state) summary(id string, value func(field string) string) Job {
	number := func(field string) int {
		n, _ := strconv.Atoi(value(field)) // written by a script; absent is 0
		return n
	}
	created, _ := idTime(id)
	j := Job{
		ID: id, Kind: Kind(value("kind")), State: State(value("state")), Created: created, Owner: value("owner"),
		Total: number("total"), Done: number("done"), Failed: number("failed"), run: number("run"),
	}
	if ms := number("finished"); ms != 0 {
		at := time.UnixMilli(int64(ms)).UTC()
		j.Finished = &at
	}
	return j
}

// summaries returns jobs without their items; an unknown one has no state.
func (s *state) summaries(ctx context.Context, ids []string) ([]Job, error) {
	fields := summaryFields()
	answers := make([]*redis.SliceCmd, len(ids))
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			answers[i] = p.HMGet(ctx, jobKey(id), fields...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := make([]Job, len(ids))
	for i, id := range ids {
		values := map[string]string{}
		for f, v := range answers[i].Val() {
			values[fields[f]], _ = v.(string) // nil = absent
		}
		all[i] = s.summary(id, func(field string) string { return values[field] })
		if all[i].State.Ended() {
			gone, _ := strconv.Atoi(values["gone"]) // as above
			all[i].Cancelled = max(0, gone-all[i].Done-all[i].Failed)
		}
	}
	return all, nil
}

// record returns the record of a job that has no bucket.
func (s *state) record(ctx context.Context, id string) ([]byte, error) {
	data, err := s.redis.Get(ctx, redisRecord(id)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, fs.ErrNotExist
	}
	return data, err
}

func (s *state) putRecord(ctx context.Context, id string, data []byte, life time.Duration) error {
	return s.redis.Set(ctx, redisRecord(id), data, life).Err()
}

// drop deletes what Redis has of a job.
func (s *state) drop(ctx context.Context, id string) error {
	return s.redis.Del(ctx, jobKey(id), eventsKey(id), hooksKey(id), redisRecord(id)).Err()
}

// turn reports whether it is this node's turn to do some work for the fleet.
func (s *state) turn(ctx context.Context, work string, every time.Duration) bool {
	err := s.redis.SetArgs(ctx, turnKey(work), "1", redis.SetArgs{Mode: "NX", TTL: every}).Err()
	return err == nil
}

func field(letter byte, item int) string { return string(letter) + strconv.Itoa(item) }

// letter is how the scripts write an item's state.
func letter(s State) string {
	switch s {
	case StateRunning:
		return "r"
	case StateDone:
		return "d"
	case StateFailed:
		return "f"
	case StateCancelled:
		return "c"
	default:
		return "q"
	}
}

func stateOf(letter string) State {
	switch letter {
	case "r":
		return StateRunning
	case "d":
		return StateDone
	case "f":
		return StateFailed
	case "c":
		return StateCancelled
	default:
		return StateQueued
	}
}
