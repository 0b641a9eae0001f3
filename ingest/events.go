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
	Guess   bool // the key is the less likely one of two that the message can mean
}

// maxEvents bounds one message.
const maxEvents = 1000

// ParseEvents reads an S3 event message, as buckets send them to webhooks and queues (Amazon S3 User Guide,
// "Event message structure"). Events that are neither creation nor removal are left out; a message without
// records is a test. A key that may be encoded and may not is told as both.
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
		if r.S3.Object.Key == "" || r.S3.Bucket.Name == "" {
			return nil, resize.BadOption("a record names no bucket and key")
		}
		for i, key := range readings(r.S3.Object.Key) {
			events = append(events, Event{Bucket: r.S3.Bucket.Name, Key: key, Removed: removed, Guess: i > 0})
		}
	}
	return events, nil
}

// readings are the keys that a message can mean, the likely one first: Amazon's are encoded as in a form, versitygw's as they are.
func readings(text string) []string {
	key, err := url.QueryUnescape(text)
	switch {
	case err != nil || strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' }):
		return []string{text} // no form has that
	case key == text:
		return []string{key}
	}
	return []string{key, text}
}
