package ingest

import (
	"slices"
	"strings"
	"testing"
)

func TestParseEvents(t *testing.T) {
	record := func(event, bucket, key string) string {
		return `{"eventVersion":"2.1","eventName":"` + event + `","s3":{"bucket":{"name":"` + bucket + `"},"object":{"key":"` + key + `","size":1}}}`
	}
	for _, row := range []struct {
		name, body string
		want       []Event
		status     int
	}{
		{
			"put and delete", `{"Records":[` + record("ObjectCreated:Put", "b", "a/x+y%2B%C3%BC.jpg") + `,` + record("s3:ObjectRemoved:Delete", "b", "z") + `]}`,
			[]Event{{"b", "a/x y+ü.jpg", false, false}, {"b", "a/x+y%2B%C3%BC.jpg", false, true}, {"b", "z", true, false}},
			0,
		},
		{"others", `{"Records":[` + record("ObjectRestore:Post", "b", "a") + `]}`, nil, 0},
		{"expired", `{"Records":[` + record("LifecycleExpiration:Delete", "b", "a") + `]}`, []Event{{"b", "a", true, false}}, 0},
		{"a test", `{"Service":"Amazon S3","Event":"s3:TestEvent"}`, nil, 0},
		{"no json", `hello`, nil, 400},
		{"no key", `{"Records":[` + record("ObjectCreated:Put", "b", "") + `]}`, nil, 400},
		{"not encoded", `{"Records":[` + record("ObjectCreated:Put", "b", "100%.jpg") + `,` + record("ObjectCreated:Put", "b", "x y+%20.jpg") + `,` + record("ObjectCreated:Put", "b", "ü+.jpg") + `]}`, []Event{{"b", "100%.jpg", false, false}, {"b", "x y+%20.jpg", false, false}, {"b", "ü+.jpg", false, false}}, 0},
		{"too many", `{"Records":[{}` + strings.Repeat(",{}", maxEvents) + `]}`, nil, 413},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := ParseEvents([]byte(row.body))
			if row.status == 0 && err != nil || row.status != 0 && !isStatus(err, row.status) || !slices.Equal(got, row.want) {
				t.Errorf("got %+v, %v; want %+v, %d", got, err, row.want, row.status)
			}
		})
	}
}
