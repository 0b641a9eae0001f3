package jobs

import (
	"encoding/json"
)

// progress is the data of an event.
type progress struct {
	State  State `json:"state"`
	Done   int   `json:"done"`
	Failed int   `json:"failed"`
	Total  int   `json:"total"`
	Item   *Item `json:"item,omitempty"`
}

// fill gives a feed the events of a job that has ended and whose stream is gone: one for each item, and
// the end. Their ids stand where those of the stream stood: the items before the job's end, the end at it.
func (f *feed) fill(j *Job) {
	f.mu.Lock()
	ended, empty := f.ended, len(f.log) == 0
	f.mu.Unlock()
	if ended || j.Finished == nil {
		return
	}
	var more []Event
	if empty {
		done, failed := 0, 0
		for n := range j.Items {
			it := &j.Items[n]
			switch it.State {
			case StateDone:
				done++
			case StateFailed:
				failed++
			default:
				continue
			}
			more = append(more, event(j.Created.UnixMilli(), n+1, "item", progress{StateRunning, done, failed, j.Total, it}))
		}
	}
	more = append(more, event(j.Finished.UnixMilli(), endSeq, eventDone, progress{j.State, j.Done, j.Failed, j.Total, nil}))
	f.add(more)
}

// endSeq is above any number that Redis gives within a ms.
const endSeq = idsPerMs - 1

func event(ms int64, seq int, kind string, p progress) Event {
	data, err := json.Marshal(p)
	if err != nil {
		data = []byte("{}") // a struct of strings and numbers cannot fail
	}
	return Event{ID: ms*idsPerMs + int64(seq), Type: kind, Data: string(data)}
}
