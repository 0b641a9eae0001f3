package ingest

// State says how far a preset of an image is.
type State string

// The states.
const (
	StateQueued  State = "queued"
	StateRunning State = "running"
	StateDone    State = "done"
	StateFailed  State = "failed" // tried as often as it may be; runs again on request
)

// Preset is one preset of an image that is made in the background.
type Preset struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	Tries int    `json:"tries,omitempty"`
	Error string `json:"error,omitempty"` // why it failed
}
