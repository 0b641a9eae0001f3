package jobs

import "time"

// State is where a job or an item stands.
type State string

// The states. An item is never partial nor expired.
const (
	StateQueued    State = "queued"
	StateRunning   State = "running"
	StateDone      State = "done"    // every item is done
	StatePartial   State = "partial" // some items are done, some failed
	StateFailed    State = "failed"  // no item is done
	StateCancelled State = "cancelled"
	StateExpired   State = "expired" // past its retention; the outputs are gone
)

// Ended reports whether nothing happens any more by itself.
func (s State) Ended() bool { return s != StateQueued && s != StateRunning }

// Kind says what a job is for.
type Kind string

// The kinds.
const (
	KindRender Kind = "render" // outputs go to the bucket
	KindWarm   Kind = "warm"   // pictures go to the cache, as if they were asked for
)

// Job is a job's state as its owner sees it.
type Job struct {
	ID         string     `json:"id"`
	Kind       Kind       `json:"kind"`
	State      State      `json:"state"`
	Created    time.Time  `json:"created"`
	Finished   *time.Time `json:"finished,omitempty"`
	Expires    time.Time  `json:"expires"` // when outputs and records go
	Total      int        `json:"total"`
	Done       int        `json:"done"`
	Failed     int        `json:"failed"`
	Cancelled  int        `json:"cancelled"`
	Items      []Item     `json:"items,omitempty"`
	Deliveries []Delivery `json:"deliveries,omitempty"` // of the webhook, oldest first

	Owner string `json:"-"`
	run   int    // how often it was begun: 1, and one more for each retry
}

// Item is one original and what came of it.
type Item struct {
	Name    string   `json:"name"`
	State   State    `json:"state"`
	Error   *Problem `json:"error,omitempty"`
	Bytes   int64    `json:"bytes,omitempty"` // of the original, once it was read
	Outputs []Output `json:"outputs"`
}

// Problem is why an item failed.
type Problem struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Output is one finished picture of an item.
type Output struct {
	Key    string `json:"key,omitempty"` // in the bucket, below jobs.prefix; "" = the cache alone
	Format string `json:"format,omitempty"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
	Bytes  int64  `json:"bytes"`
	CRC32  uint32 `json:"crc32,omitempty"` // IEEE, of the bytes
}

// Delivery is one attempt to tell a webhook.
type Delivery struct {
	At     time.Time `json:"at"`
	Run    int       `json:"run"`
	Status int       `json:"status,omitempty"` // of the answer; 0 = there was none
	Error  string    `json:"error,omitempty"`
}

// outcome is the state of a job all of whose items have ended.
func outcome(cancelled bool, done, failed int) State {
	switch {
	case cancelled:
		return StateCancelled
	case failed == 0:
		return StateDone
	case done == 0:
		return StateFailed
	default:
		return StatePartial
	}
}
