package ingest

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// Event says that an object was written or removed behind our back.
type Event struct {
	Bucket  string // its name
	Key     string // of the object within the bucket
	Removed bool
}

// maxEvents bounds one message.
const maxEvents = 1000

// ParseEvents reads an S3 event message, as buckets send them to webhooks and queues (Amazon S3 User Guide,
// "Event message structure"). Events that are neither creation nor removal are left out; a message without
// records is a test. Keys are encoded as in a form.
func ParseEvents(body []byte) ([]Event, error) {
	var message struct {
		Records []struct {
			EventName string `json:"eventName"`
			S3        struct {
				Bucket struct {
					Name string `json:"name"`
				} `json:"bucket"`
				Object struct {
					Key string `json:"key"`
				} `json:"object"`
			} `json:"s3"`
		}
	}
	if err := json.Unmarshal(body, &message); err != nil {
		return nil, resize.BadOption("the body is no S3 event message")
	}
	if len(message.Records) > maxEvents {
		return nil, resize.TooLarge("more than 1000 records")
	}
	var events []Event
	for _, r := range message.Records {
		name := strings.TrimPrefix(r.EventName, "s3:")
		created, removed := strings.HasPrefix(name, "ObjectCreated:"), strings.HasPrefix(name, "ObjectRemoved:") || strings.HasPrefix(name, "LifecycleExpiration:")
		if !created && !removed {
			continue
		}
		key, err := url.QueryUnescape(r.S3.Object.Key)
		if err != nil || key == "" || r.S3.Bucket.Name == "" {
			return nil, resize.BadOption("a record names no bucket and key")
		}
		events = append(events, Event{Bucket: r.S3.Bucket.Name, Key: key, Removed: removed})
	}
	return events, nil
}
